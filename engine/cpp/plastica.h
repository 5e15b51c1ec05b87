// What a compiled circuit needs beside Brian2's code: run-time numbers in, recordings out, seeds, trials, progress.
//
// The program is called as  main INPUT OUTPUT  in its own folder. INPUT holds sections of named arrays: the first for all trials, then one per
// trial with what differs. OUTPUT is a folder; trial k is written to OUTPUT/k as named arrays of the same form.
//
// One array:  uint32 length of name, name, char type ('d' double, 'i' int32, 'u' uint32, 'f' float, 'l' int64), uint64 count, data.
// One section: uint64 number of arrays, arrays.  File: 8 bytes "plastica", uint64 number of sections, sections.
//
// Templates here say only which type an array has: all else is in plastica.cpp, which is the same for all circuits and compiled once.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace plastica {

template <class T> struct Type;
template <> struct Type<double> { static constexpr char code = 'd'; };
template <> struct Type<float> { static constexpr char code = 'f'; };
template <> struct Type<int32_t> { static constexpr char code = 'i'; };
template <> struct Type<uint32_t> { static constexpr char code = 'u'; };
template <> struct Type<int64_t> { static constexpr char code = 'l'; };
template <> struct Type<char> { static constexpr char code = 'b'; };

// The numbers of a run: those of the trial where it has them, else those of all trials.
class Numbers {
    struct Array {
        char type;
        size_t count;
        const char* data;
    };
    std::vector<char> file_;
    std::vector<std::map<std::string, Array>> sections_;
    size_t trial_ = 0;

    const Array* find(const char* name, bool only_trial) const;
    static void copy(const char* name, const Array& array, char type, void* to, size_t n);
    void set_as(const char* name, char type, void* to, size_t n) const;
    void again_as(const char* name, char type, void* to, size_t n) const;

public:
    void load(const char* path);
    size_t trials() const { return sections_.size() - 1; }
    void choose(size_t trial) { trial_ = trial; }
    size_t count(const char* name) const;
    double scalar(const char* name) const;

    // Fill an array that exists; one value goes everywhere. `again`: only where the trial has a number of its own.
    template <class T> void set(const char* name, T* to, size_t n) const { set_as(name, Type<T>::code, to, n); }
    template <class T> void set(const char* name, std::vector<T>& to) const { set(name, to.data(), to.size()); }
    template <class T> void again(const char* name, T* to, size_t n) const { again_as(name, Type<T>::code, to, n); }
    template <class T> void again(const char* name, std::vector<T>& to) const { again(name, to.data(), to.size()); }

    // Fill a vector that takes any number of values.
    template <class T> void fill(const char* name, std::vector<T>& to) const {
        to.resize(count(name));
        set(name, to);
    }

    // Seed each generator from the words that `name` holds and its position.
    template <class Generators> void seed(const char* name, Generators& generators) const {
        std::vector<uint32_t> words;
        fill(name, words);
        words.push_back(0);
        for (auto& generator : generators) {
            std::seed_seq sequence(words.begin(), words.end());
            generator.seed(sequence);
            words.back()++;
        }
    }
};

// Named arrays to a file; every write is checked, so a full disk is an error and not a short file.
class Results {
    FILE* file_ = nullptr;
    std::string path_;
    uint64_t arrays_ = 0;

    void write(const void* data, size_t bytes);
    void head(const std::string& name, char type, uint64_t count);
    void check_as(const std::string& name, char type, const void* data, size_t n);
    void chosen_as(const std::string& name, char type, size_t width, const void* data, size_t n, const std::vector<int32_t>& index);

public:
    void open(const std::string& path);
    void close();

    void put(const std::string& name, double value) { put(name, &value, 1); }
    template <class T> void put(const std::string& name, const T* data, size_t count) {
        head(name, Type<T>::code, count);
        write(data, count * sizeof(T));
    }
    template <class T> void put(const std::string& name, const std::vector<T>& data) { put(name, data.data(), data.size()); }

    // A monitor's two-dimensional array, row by row.
    template <class A> void put_rows(const std::string& name, A& rows, size_t n_rows, size_t n_columns) {
        using T = typename std::decay<decltype(rows(0, 0))>::type;
        head(name, n_rows ? Type<T>::code : 'd', n_rows * n_columns);
        for (size_t k = 0; k < n_rows; k++) write(&rows(k, 0), n_columns * sizeof(T));
    }

    // Values chosen by index, for recordings of a subset.
    template <class T> void put_chosen(const std::string& name, const std::vector<T>& data, const std::vector<int32_t>& index) {
        chosen_as(name, Type<T>::code, sizeof(T), data.data(), data.size(), index);
    }

    // Counts what is not finite.
    template <class T> void check(const std::string& name, const T* data, size_t n) { check_as(name, Type<T>::code, data, n); }
    template <class T> void check(const std::string& name, const std::vector<T>& data) { check(name, data.data(), data.size()); }
};

// Delays that the program drew itself must be possible ones.
void check_delays(const char* name, const std::vector<double>& delays, double most);

// A time in whole steps, at least one.
double whole_steps(double time, double dt);

// Says how far the simulation is from a thread of its own: the loop itself pays nothing.
class Reporter {
    struct Watch;
    Watch* watch_ = nullptr;

public:
    void start(const double* clock, double duration, double period);
    void stop();
};

// Every trial in a process of its own, a copy of the network as it is now, `jobs` at a time. Returns in the children (and, with at most one
// trial, here); the parent waits for all and leaves.
void fork_trials(Numbers& numbers, size_t& trial);

}  // namespace plastica
