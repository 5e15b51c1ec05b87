// Arrays of a circuit: made, set by name, read from files and written to them.
#ifndef FAST_LOOP_ARRAYS_H
#define FAST_LOOP_ARRAYS_H

#include <cstddef>
#include <string>

namespace fast_loop {

// n numbers: all zero, or first, first + 1, ...
template <class T> T* zeros(size_t n);
template <class T> T* range(size_t n, T first);

// From the command line: `value` is one number for all, or the name of a file with the bytes of all.
template <class T> void set_array(const std::string& name, T* array, size_t n, const std::string& value);

void read_bytes(const char* name, char* array, size_t bytes);
void write_bytes(const std::string& folder, const char* file, const char* name, const char* array, size_t bytes);

template <class T> inline void load_array(const char* name, T* array, size_t n)
{
    read_bytes(name, reinterpret_cast<char*>(array), n*sizeof(T));
}

template <class T> inline void write_array(const std::string& folder, const char* file, const char* name, T* array, size_t n)
{
    write_bytes(folder, file, name, reinterpret_cast<const char*>(array), n*sizeof(T));
}

}

#endif
