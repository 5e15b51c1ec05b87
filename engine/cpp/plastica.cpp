// Run-time numbers, recordings, trials and progress of a compiled circuit (see plastica.h).
#include "plastica.h"

#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace plastica {

namespace {

enum Exit { BAD_NUMBERS = 3, NOT_WRITTEN = 4, TRIAL_FAILED = 5 };

[[noreturn]] void fail(int code, const std::string& message) {
    std::fprintf(stderr, "plastica: %s\n", message.c_str());
    std::fflush(stderr);
    std::_Exit(code);
}

template <class T> double as_double(const char* data, size_t k) {
    T value;  // the file is not aligned
    std::memcpy(&value, data + k * sizeof value, sizeof value);
    return static_cast<double>(value);
}

// Arrays of a file are double, int32 or uint32, all of which a double holds exactly.
double value_at(char type, const char* data, size_t k) {
    return type == 'd' ? as_double<double>(data, k) : type == 'i' ? as_double<int32_t>(data, k) : as_double<uint32_t>(data, k);
}

template <class T> void copy_to(T* to, size_t n, char type, const char* data, size_t count) {
    if (count == 1) {
        const T value = static_cast<T>(value_at(type, data, 0));
        for (size_t k = 0; k < n; k++) to[k] = value;
    } else if (type == Type<T>::code && n) {
        std::memcpy(to, data, n * sizeof(T));
    } else {
        for (size_t k = 0; k < n; k++) to[k] = static_cast<T>(value_at(type, data, k));
    }
}

// By bits: comparisons may be optimised away.
bool is_finite(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, 8);
    return (bits & 0x7ff0000000000000ULL) != 0x7ff0000000000000ULL;
}

void progress(double fraction) {
    std::printf("@%.6f\n", fraction);
    std::fflush(stdout);
}

}  // namespace

// ---- numbers

const Numbers::Array* Numbers::find(const char* name, bool only_trial) const {
    if (trial_ > 0) {
        auto found = sections_[trial_].find(name);
        if (found != sections_[trial_].end()) return &found->second;
    }
    if (only_trial) return nullptr;
    auto found = sections_[0].find(name);
    if (found == sections_[0].end()) fail(BAD_NUMBERS, std::string("the number ") + name + " is missing");
    return &found->second;
}

void Numbers::copy(const char* name, const Array& array, char type, void* to, size_t n) {
    if (array.count != 1 && array.count != n)
        fail(BAD_NUMBERS, std::string(name) + " has " + std::to_string(array.count) + " values, but there are " + std::to_string(n));
    switch (type) {
        case 'd': return copy_to(static_cast<double*>(to), n, array.type, array.data, array.count);
        case 'f': return copy_to(static_cast<float*>(to), n, array.type, array.data, array.count);
        case 'i': return copy_to(static_cast<int32_t*>(to), n, array.type, array.data, array.count);
        case 'u': return copy_to(static_cast<uint32_t*>(to), n, array.type, array.data, array.count);
        case 'l': return copy_to(static_cast<int64_t*>(to), n, array.type, array.data, array.count);
        default: return copy_to(static_cast<char*>(to), n, array.type, array.data, array.count);
    }
}

void Numbers::set_as(const char* name, char type, void* to, size_t n) const { copy(name, *find(name, false), type, to, n); }

void Numbers::again_as(const char* name, char type, void* to, size_t n) const {
    if (const Array* array = find(name, true)) copy(name, *array, type, to, n);
}

size_t Numbers::count(const char* name) const { return find(name, false)->count; }

double Numbers::scalar(const char* name) const {
    const Array* array = find(name, false);
    return value_at(array->type, array->data, 0);
}

void Numbers::load(const char* path) {
    FILE* f = std::fopen(path, "rb");
    if (!f) fail(BAD_NUMBERS, std::string("cannot open ") + path);
    std::fseek(f, 0, SEEK_END);
    file_.resize(static_cast<size_t>(std::ftell(f)));
    std::rewind(f);
    if (std::fread(file_.data(), 1, file_.size(), f) != file_.size()) fail(BAD_NUMBERS, std::string("cannot read ") + path);
    std::fclose(f);
    const char* p = file_.data();
    const char* end = p + file_.size();
    auto need = [&](size_t n) {
        if (static_cast<size_t>(end - p) < n) fail(BAD_NUMBERS, std::string(path) + " is cut short");
    };
    auto take = [&](void* to, size_t n) {
        need(n);
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
            need(length);
            std::string name(p, length);
            p += length;
            Array array;
            uint64_t count;
            take(&array.type, 1);
            take(&count, 8);
            const size_t bytes = count * (array.type == 'd' ? 8 : 4);
            need(bytes);
            array.count = count;
            array.data = p;
            p += bytes;
            section[name] = array;
        }
    }
}

void check_delays(const char* name, const std::vector<double>& delays, double most) {
    for (double delay : delays)
        if (!(delay >= 0 && delay <= most))
            fail(BAD_NUMBERS, std::string(name) + " drew " + std::to_string(delay) + " s; a delay must be at least 0 and at most " +
                                  std::to_string(most) + " s");
}

double whole_steps(double time, double dt) {
    if (!(time > 0 && std::isfinite(time)))
        fail(BAD_NUMBERS, "something is to happen every " + std::to_string(time) + " s; that must be a positive time");
    const double steps = std::floor(time/dt + 0.5);
    return (steps < 1 ? 1 : steps)*dt;
}

// ---- results

void Results::write(const void* data, size_t bytes) {
    if (bytes && std::fwrite(data, 1, bytes, file_) != bytes) fail(NOT_WRITTEN, "cannot write " + path_ + ": " + std::strerror(errno));
}

void Results::open(const std::string& path) {
    path_ = path;
    file_ = std::fopen(path.c_str(), "wb");
    if (!file_) fail(NOT_WRITTEN, "cannot write " + path_ + ": " + std::strerror(errno));
    const uint64_t one = 1, unknown = 0;
    write("plastica", 8);
    write(&one, 8);
    write(&unknown, 8);
}

void Results::close() {
    std::fseek(file_, 16, SEEK_SET);
    write(&arrays_, 8);
    if (std::fclose(file_) != 0) fail(NOT_WRITTEN, "cannot write " + path_ + ": " + std::strerror(errno));
}

// What comes before the data of an array.
void Results::head(const std::string& name, char type, uint64_t count) {
    const uint32_t length = static_cast<uint32_t>(name.size());
    write(&length, 4);
    write(name.data(), length);
    write(&type, 1);
    write(&count, 8);
    arrays_++;
}

void Results::chosen_as(const std::string& name, char type, size_t width, const void* data, size_t n, const std::vector<int32_t>& index) {
    for (int32_t k : index)
        if (k < 0 || static_cast<size_t>(k) >= n)
            fail(BAD_NUMBERS, name + ": index " + std::to_string(k) + ", but there are " + std::to_string(n) + " synapses");
    head(name, type, index.size());
    for (int32_t k : index) write(static_cast<const char*>(data) + static_cast<size_t>(k) * width, width);
}

void Results::check_as(const std::string& name, char type, const void* data, size_t n) {
    if (type != 'd' && type != 'f') return;
    double bad = 0, first = -1;
    for (size_t k = 0; k < n; k++) {
        const double value = type == 'd' ? static_cast<const double*>(data)[k] : static_cast<double>(static_cast<const float*>(data)[k]);
        if (!is_finite(value)) {
            if (first < 0) first = static_cast<double>(k);
            bad++;
        }
    }
    if (bad > 0) {
        const double found[2] = {bad, first};
        put("nonfinite:" + name, found, 2);
    }
}

// ---- progress and trials

struct Reporter::Watch {
    std::atomic<bool> stop{false};
    std::thread thread;
};

void Reporter::start(const double* clock, double duration, double period) {
    if (period <= 0 || duration <= 0) return;
    Watch* watch = watch_ = new Watch;
    watch->thread = std::thread([watch, clock, duration, period] {
        for (double waited = 0; !watch->stop; waited += 0.05) {
            if (waited >= period) {
                progress(*static_cast<const volatile double*>(clock) / duration);
                waited = 0;
            }
            usleep(50000);
        }
    });
}

void Reporter::stop() {
    if (!watch_) return;
    watch_->stop = true;
    watch_->thread.join();
    delete watch_;
    watch_ = nullptr;
}

void fork_trials(Numbers& numbers, size_t& trial) {
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
