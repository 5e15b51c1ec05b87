// How long a run has taken, in the time that this version of Brian2 reports.
#ifndef FAST_LOOP_WATCH_H
#define FAST_LOOP_WATCH_H

#include <chrono>
#include <ctime>

namespace fast_loop {

class Watch
{
#ifdef FAST_LOOP_WALL_CLOCK
    const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
public:
    double elapsed() const
    {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
#else
    const std::clock_t start = std::clock();
public:
    double elapsed() const
    {
        return (double)(std::clock() - start)/CLOCKS_PER_SEC;
    }
#endif
};

}

#endif
