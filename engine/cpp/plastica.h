// What a compiled circuit needs beside Brian2's code: run-time numbers in, recordings out, seeds, trials, progress.
//
// The program is called as  main INPUT OUTPUT  in its own folder. INPUT holds sections of named arrays: the first for all trials, then one per
// trial with what differs. OUTPUT is a folder; trial k is written to OUTPUT/k as named arrays of the same form.
//
// One array:  uint32 length of name, name, char type ('d' double, 'i' int32, 'u' uint32, 'f' float, 'l' int64), uint64 count, data.
// One section: uint64 number of arrays, arrays.  File: 8 bytes "plastica", uint64 number of sections, sections.
#pragma once

#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace plastica {

enum Exit { BAD_NUMBERS = 3, NOT_WRITTEN = 4, TRIAL_FAILED = 5 };

template <class T> struct Type;
template <> struct Type<double> { static constexpr char code = 'd'; };
template <> struct Type<float> { static constexpr char code = 'f'; };
template <> struct Type<int32_t> { static constexpr char code = 'i'; };
template <> struct Type<uint32_t> { static constexpr char code = 'u'; };
template <> struct Type<int64_t> { static constexpr char code = 'l'; };
template <> struct Type<char> { static constexpr char code = 'b'; };

struct Array {
    char type;
    size_t count;
    const char* data;
};

[[noreturn]] inline void fail(int code, const std::string& message) {
    std::fprintf(stderr, "plastica: %s\n", message.c_str());
    std::fflush(stderr);
    std::_Exit(code);
}

// The numbers of a run: those of the trial where it has them, else those of all trials.
class Numbers {
    std::vector<char> file_;
    std::vector<std::map<std::string, Array>> sections_;
    size_t trial_ = 0;

    const Array* find(const std::string& name, bool only_trial) const {
        if (trial_ > 0) {
            auto found = sections_[trial_].find(name);
            if (found != sections_[trial_].end()) return &found->second;
        }
        if (only_trial) return nullptr;
        auto found = sections_[0].find(name);
        if (found == sections_[0].end()) fail(BAD_NUMBERS, "the number " + name + " is missing");
        return &found->second;
    }

    template <class T> static T at(const Array& array, size_t k) {
        T value;  // the file is not aligned
        if (array.type == 'd') { double d; std::memcpy(&d, array.data + k * sizeof d, sizeof d); value = static_cast<T>(d); }
        else if (array.type == 'i') { int32_t d; std::memcpy(&d, array.data + k * sizeof d, sizeof d); value = static_cast<T>(d); }
        else { uint32_t d; std::memcpy(&d, array.data + k * sizeof d, sizeof d); value = static_cast<T>(d); }
        return value;
    }

    template <class T> static void copy(const std::string& name, const Array& array, T* to, size_t n) {
        if (array.count == 1) {
            const T value = at<T>(array, 0);
            for (size_t k = 0; k < n; k++) to[k] = value;
        } else if (array.count == n) {
            for (size_t k = 0; k < n; k++) to[k] = at<T>(array, k);
        } else {
            fail(BAD_NUMBERS, name + " has " + std::to_string(array.count) + " values, but there are " + std::to_string(n));
        }
    }

public:
    void load(const char* path) {
        FILE* f = std::fopen(path, "rb");
        if (!f) fail(BAD_NUMBERS, std::string("cannot open ") + path);
        std::fseek(f, 0, SEEK_END);
        file_.resize(static_cast<size_t>(std::ftell(f)));
        std::rewind(f);
        if (std::fread(file_.data(), 1, file_.size(), f) != file_.size()) fail(BAD_NUMBERS, std::string("cannot read ") + path);
        std::fclose(f);
        const char* p = file_.data();
        const char* end = p + file_.size();
        auto take = [&](void* to, size_t n) {
            if (static_cast<size_t>(end - p) < n) fail(BAD_NUMBERS, std::string(path) + " is cut short");
            std::memcpy(to, p, n);
            p += n;
        };
        char magic[8];
        uint64_t sections;
        take(magic, 8);
        take(&sections, 8);
        if (std::memcmp(magic, "plastica", 8) != 0 || sections < 1) fail(BAD_NUMBERS, std::string(path) + " holds no numbers");
        sections_.resize(sections);
        for (auto& section : sections_) {
            uint64_t arrays;
            take(&arrays, 8);
            while (arrays--) {
                uint32_t length;
                take(&length, 4);
                if (static_cast<size_t>(end - p) < length) fail(BAD_NUMBERS, std::string(path) + " is cut short");
                std::string name(p, length);
                p += length;
                Array array;
                uint64_t count;
                take(&array.type, 1);
                take(&count, 8);
                const size_t bytes = count * (array.type == 'd' ? 8 : 4);
                if (static_cast<size_t>(end - p) < bytes) fail(BAD_NUMBERS, std::string(path) + " is cut short");
                array.count = count;
                array.data = p;
                p += bytes;
                section[name] = array;
            }
        }
    }

    size_t trials() const { return sections_.size() - 1; }
    void choose(size_t trial) { trial_ = trial; }
    double scalar(const std::string& name) const { return at<double>(*find(name, false), 0); }

    // Fill an array that exists; one value goes everywhere. `again`: only where the trial has a number of its own.
    template <class T> void set(const std::string& name, T* to, size_t n) const { copy(name, *find(name, false), to, n); }
    template <class T> void set(const std::string& name, std::vector<T>& to) const { set(name, to.data(), to.size()); }
    template <class T> void again(const std::string& name, T* to, size_t n) const {
        if (const Array* array = find(name, true)) copy(name, *array, to, n);
    }
    template <class T> void again(const std::string& name, std::vector<T>& to) const { again(name, to.data(), to.size()); }

    // Fill a vector that takes any number of values.
    template <class T> void fill(const std::string& name, std::vector<T>& to) const {
        const Array& array = *find(name, false);
        to.resize(array.count);
        for (size_t k = 0; k < array.count; k++) to[k] = at<T>(array, k);
    }

    // Seed a generator from the words that `name` holds.
    template <class Generators> void seed(const std::string& name, Generators& generators) const {
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

    void write(const void* data, size_t bytes) {
        if (bytes && std::fwrite(data, 1, bytes, file_) != bytes) fail(NOT_WRITTEN, "cannot write " + path_ + ": " + std::strerror(errno));
    }

public:
    void open(const std::string& path) {
        path_ = path;
        file_ = std::fopen(path.c_str(), "wb");
        if (!file_) fail(NOT_WRITTEN, "cannot write " + path_ + ": " + std::strerror(errno));
        const uint64_t one = 1, unknown = 0;
        write("plastica", 8);
        write(&one, 8);
        write(&unknown, 8);
    }

    template <class T> void put(const std::string& name, const T* data, size_t count) {
        const uint32_t length = static_cast<uint32_t>(name.size());
        const char type = Type<T>::code;
        const uint64_t n = count;
        write(&length, 4);
        write(name.data(), length);
        write(&type, 1);
        write(&n, 8);
        write(data, count * sizeof(T));
        arrays_++;
    }
    template <class T> void put(const std::string& name, const std::vector<T>& data) { put(name, data.data(), data.size()); }
    void put(const std::string& name, double value) { put(name, &value, 1); }

    // A monitor's two-dimensional array, row by row.
    template <class A> void put_rows(const std::string& name, A& rows, size_t n_rows, size_t n_columns) {
        if (n_rows == 0) { put(name, static_cast<const double*>(nullptr), 0); return; }
        using T = typename std::decay<decltype(rows(0, 0))>::type;
        const uint32_t length = static_cast<uint32_t>(name.size());
        const char type = Type<T>::code;
        const uint64_t n = n_rows * n_columns;
        write(&length, 4);
        write(name.data(), length);
        write(&type, 1);
        write(&n, 8);
        for (size_t k = 0; k < n_rows; k++) write(&rows(k, 0), n_columns * sizeof(T));
        arrays_++;
    }

    // Values chosen by index, for recordings of a subset.
    template <class T> void put_chosen(const std::string& name, const std::vector<T>& data, const std::vector<int32_t>& index) {
        std::vector<T> chosen;
        for (int32_t k : index) {
            if (k < 0 || static_cast<size_t>(k) >= data.size())
                fail(BAD_NUMBERS, name + ": index " + std::to_string(k) + ", but there are " + std::to_string(data.size()) + " synapses");
            chosen.push_back(data[k]);
        }
        put(name, chosen);
    }

    // Count what is not finite, by bits: comparisons may be optimised away.
    void check(const std::string& name, const double* data, size_t n) {
        double bad = 0, first = -1;
        for (size_t k = 0; k < n; k++) {
            uint64_t bits;
            std::memcpy(&bits, data + k, 8);
            if ((bits & 0x7ff0000000000000ULL) == 0x7ff0000000000000ULL) { if (first < 0) first = static_cast<double>(k); bad++; }
        }
        if (bad > 0) { const double found[2] = {bad, first}; put("nonfinite:" + name, found, 2); }
    }
    void check(const std::string& name, const std::vector<double>& data) { check(name, data.data(), data.size()); }
    void check(const std::string& name, const float* data, size_t n) { std::vector<double> d(data, data + n); check(name, d); }
    void check(const std::string& name, const std::vector<float>& data) { check(name, data.data(), data.size()); }

    void close() {
        std::fseek(file_, 16, SEEK_SET);
        write(&arrays_, 8);
        if (std::fclose(file_) != 0) fail(NOT_WRITTEN, "cannot write " + path_ + ": " + std::strerror(errno));
    }
};

// Delays that the program drew itself must be possible ones.
inline void check_delays(const std::string& name, const std::vector<double>& delays, double most) {
    for (double delay : delays)
        if (!(delay >= 0 && delay <= most))
            fail(BAD_NUMBERS, name + " drew " + std::to_string(delay) + " s; a delay must be at least 0 and at most " + std::to_string(most) + " s");
}

// A time in whole steps, at least one.
inline double whole_steps(double time, double dt) {
    if (!(time > 0 && std::isfinite(time)))
        fail(BAD_NUMBERS, "something is to happen every " + std::to_string(time) + " s; that must be a positive time");
    const double steps = std::floor(time/dt + 0.5);
    return (steps < 1 ? 1 : steps)*dt;
}

inline void progress(double fraction) {
    std::printf("@%.6f\n", fraction);
    std::fflush(stdout);
}

// Says how far the simulation is from a thread of its own: the loop itself pays nothing.
class Reporter {
    std::atomic<bool> stop_{false};
    std::thread thread_;

public:
    void start(const double* clock, double duration, double period) {
        if (period <= 0 || duration <= 0) return;
        thread_ = std::thread([this, clock, duration, period] {
            for (double waited = 0; !stop_; waited += 0.05) {
                if (waited >= period) { progress(*static_cast<const volatile double*>(clock) / duration); waited = 0; }
                usleep(50000);
            }
        });
    }
    void stop() {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
    }
};

// Every trial in a process of its own, a copy of the network as it is now, `jobs` at a time. Returns in the children (and, with at most one
// trial, here); the parent waits for all and leaves.
inline void fork_trials(Numbers& numbers, size_t& trial) {
    const size_t n = numbers.trials();
    trial = 0;
    if (n <= 1) {
        numbers.choose(n);
        return;
    }
    const size_t jobs = static_cast<size_t>(numbers.scalar("jobs"));
    const bool report = numbers.scalar("progress") > 0;
    std::map<pid_t, size_t> running;
    size_t next = 0, done = 0, failed = 0;
    while (done < n) {
        while (next < n && running.size() < jobs && !failed) {
            std::fflush(nullptr);
            const pid_t child = fork();
            if (child < 0) fail(TRIAL_FAILED, std::string("cannot start a trial: ") + std::strerror(errno));
            if (child == 0) {
#ifdef __linux__
                prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would read what a trial finds after its parent has gone
#endif
                trial = next;
                numbers.choose(next + 1);
                return;
            }
            running[child] = next++;
        }
        if (running.empty()) break;
        int status = 0;
        const pid_t child = waitpid(-1, &status, 0);
        if (child < 0) { if (errno == EINTR) continue; break; }
        auto found = running.find(child);
        if (found == running.end()) continue;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            failed++;
            std::fprintf(stderr, "plastica: trial %zu failed with %s %d\n", found->second, WIFSIGNALED(status) ? "signal" : "exit code",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
        running.erase(found);
        done++;
        if (report) progress(static_cast<double>(done) / static_cast<double>(n));
    }
    std::fflush(nullptr);
    std::_Exit(failed ? TRIAL_FAILED : 0);
}

}  // namespace plastica
