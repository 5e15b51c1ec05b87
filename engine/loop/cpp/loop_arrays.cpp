// The same for all circuits, compiled once.
#include "brianlib/loop_arrays.h"
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace fast_loop {

template <class T> T* zeros(size_t n)
{
    return new T[n]();
}

template <class T> T* range(size_t n, T first)
{
    T* array = new T[n];
    for (size_t k = 0; k < n; k++)
        array[k] = first + (T)k;
    return array;
}

static void convert(const char* text, double& number) { number = std::atof(text); }
static void convert(const char* text, float& number) { number = (float)std::atof(text); }
static void convert(const char* text, int64_t& number) { number = std::atol(text); }
static void convert(const char* text, int32_t& number) { number = std::atoi(text); }
static void convert(const char* text, char& number) { number = (char)std::atoi(text); }

static void set_from_file(const std::string& file, char* array, size_t bytes)
{
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    const std::streamoff size = in.tellg();
    if (size != (std::streamoff)bytes)
    {
        std::cerr << "Error reading '" << file << "': file size " << size << " does not match expected size " << bytes
                  << std::endl;
        return;
    }
    in.seekg(0, std::ios::beg);
    in.read(array, bytes);
    if (in.fail())
        std::cerr << "Error reading '" << file << "'" << std::endl;
}

template <class T> void set_array(const std::string& name, T* array, size_t n, const std::string& value)
{
#ifdef DEBUG
    std::cout << "Setting '" << name << "' to '" << value << "'" << std::endl;
#else
    (void)name;
#endif
    if (value[0] == '-' || (value[0] >= '0' && value[0] <= '9'))
    {
        T number;
        convert(value.c_str(), number);
        std::fill(array, array + n, number);
    }
    else
        set_from_file(value, reinterpret_cast<char*>(array), n*sizeof(T));
}

void read_bytes(const char* name, char* array, size_t bytes)
{
    std::ifstream in(std::string("static_arrays/") + name, std::ios::binary);
    if (in.is_open())
        in.read(array, bytes);
    else
        std::cout << "Error opening static array " << name << "." << std::endl;
}

void write_bytes(const std::string& folder, const char* file, const char* name, const char* array, size_t bytes)
{
    std::ofstream out(folder + file, std::ios::binary);
    if (!out.is_open())
        std::cout << "Error writing output file for " << name << "." << std::endl;
    else if (bytes > 0)
        out.write(array, bytes);
}

#define FAST_LOOP_ARRAYS(T) \
    template T* zeros<T>(size_t); \
    template T* range<T>(size_t, T); \
    template void set_array<T>(const std::string&, T*, size_t, const std::string&);
FAST_LOOP_ARRAYS(double)
FAST_LOOP_ARRAYS(float)
FAST_LOOP_ARRAYS(int64_t)
FAST_LOOP_ARRAYS(int32_t)
FAST_LOOP_ARRAYS(char)

}
