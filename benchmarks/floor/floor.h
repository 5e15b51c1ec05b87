// What the programs written by hand share: random numbers, wiring, the clock.
#pragma once
#include <ctime>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

// xoshiro256+ by Blackman & Vigna (public domain algorithm).
struct Random
{
    uint64_t s[4] = {1, 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb};
    static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
    double operator()()
    {
        const uint64_t result = s[0] + s[3], t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = rotate(s[3], 45);
        return (result >> 11)*0x1.0p-53;
    }
    double normal() { return std::sqrt(-2*std::log(1 - (*this)()))*std::cos(6.283185307179586*(*this)()); }
};

// Targets of each source, every pair with probability p.
struct Wiring
{
    std::vector<int> first, target;
    Wiring(int sources, int targets, double p, Random& random) : first(1, 0)
    {
        for (int i = 0; i < sources; i++)
        {
            for (double j = std::floor(std::log(1 - random())/std::log(1 - p)); j < targets;
                 j += 1 + std::floor(std::log(1 - random())/std::log(1 - p)))
                target.push_back((int)j);
            first.push_back((int)target.size());
        }
    }
};

// Processor time, as the generated programs measure theirs.
struct Stopwatch
{
    std::clock_t start = std::clock();
    double seconds() const { return (double)(std::clock() - start)/CLOCKS_PER_SEC; }
};
