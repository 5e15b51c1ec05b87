// The Mersenne twister of the standard library, number by number the same, made in blocks that vectorise.
#ifndef FAST_LOOP_TWISTER_H
#define FAST_LOOP_TWISTER_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <istream>
#include <ostream>
#include <random>
#include "brianlib/loop_math.h"

namespace fast_loop {

class Twister
{
    enum { N = 624, M = 397 };
    uint32_t state[N];
    uint32_t tempered[N];
    int next;

    static uint32_t twist(uint32_t high, uint32_t low, uint32_t far)
    {
        const uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
        return far ^ (y >> 1) ^ (-(y & 1u) & 0x9908b0dfu);
    }

    void temper()
    {
        for (int k = 0; k < N; k++)
        {
            uint32_t z = state[k];
            z ^= z >> 11;
            z ^= (z << 7) & 0x9d2c5680u;
            z ^= (z << 15) & 0xefc60000u;
            tempered[k] = z ^ (z >> 18);
        }
    }

    void refill()
    {
        for (int k = 0; k < N - M; k++)
            state[k] = twist(state[k], state[k + 1], state[k + M]);
        for (int k = N - M; k < N - 1; k++)
            state[k] = twist(state[k], state[k + 1], state[k + M - N]);
        state[N - 1] = twist(state[N - 1], state[0], state[M - 1]);
        temper();
        next = 0;
    }

public:
    typedef std::mt19937::result_type result_type;

    Twister() { seed(std::mt19937::default_seed); }

    void seed(result_type value)
    {
        state[0] = (uint32_t)value;
        for (int k = 1; k < N; k++)
            state[k] = 1812433253u*(state[k - 1] ^ (state[k - 1] >> 30)) + k;
        next = N;
    }

    void seed(std::seed_seq& sequence)
    {
        sequence.generate(state, state + N);
        bool zero = (state[0] & 0x80000000u) == 0;
        for (int k = 1; k < N; k++)
            zero = zero && state[k] == 0;
        if (zero)
            state[0] = 0x80000000u;
        next = N;
    }

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return 0xffffffffu; }

    result_type operator()()
    {
        if (next >= N)
            refill();
        return tempered[next++];
    }

    // n numbers in [0, 1), each made from two numbers of the sequence, as RandomGenerator::rand() does.
    void fill(double* numbers, int n)
    {
        while (n > 0)
        {
            if (next >= N)
                refill();
            const int pairs = std::min(n, (N - next)/2);
            const uint32_t* from = tempered + next;
            for (int k = 0; k < pairs; k++)
                numbers[k] = ((int32_t)(from[2*k] >> 5)*67108864.0 + (int32_t)(from[2*k + 1] >> 6))/9007199254740992.0;
            numbers += pairs;
            next += 2*pairs;
            n -= pairs;
            if (n > 0 && next == N - 1)  // a pair across two blocks
            {
                const int32_t high = (int32_t)((*this)() >> 5), low = (int32_t)((*this)() >> 6);
                *numbers++ = (high*67108864.0 + low)/9007199254740992.0;
                n--;
            }
        }
    }

    // In the form of std::mt19937: the state, then the place in it.
    friend std::ostream& operator<<(std::ostream& out, const Twister& twister)
    {
        for (int k = 0; k < N; k++)
            out << twister.state[k] << ' ';
        return out << twister.next;
    }

    friend std::istream& operator>>(std::istream& in, Twister& twister)
    {
        for (int k = 0; k < N; k++)
            in >> twister.state[k];
        in >> twister.next;
        twister.temper();
        return in;
    }
};

// n normally distributed numbers by the polar method, from the same uniform numbers and in the same order as
// RandomGenerator::randn(): each accepted pair gives two, of which one may be `stored` for the next call.
inline void fill_normal(Twister& random, double& stored, bool& has_stored, double* numbers, int n)
{
    enum { PAIRS = 128 };
    double uniform[2*PAIRS], x[PAIRS], y[PAIRS], square[PAIRS];
    int done = 0;
    if (has_stored && n > 0)
    {
        numbers[done++] = stored;
        has_stored = false;
    }
    while (done < n)
    {
        const int tried = std::min((n - done + 1)/2, (int)PAIRS);
        random.fill(uniform, 2*tried);
        int accepted = 0;
        for (int k = 0; k < tried; k++)
        {
            x[accepted] = 2.0*uniform[2*k] - 1.0;
            y[accepted] = 2.0*uniform[2*k + 1] - 1.0;
            square[accepted] = x[accepted]*x[accepted] + y[accepted]*y[accepted];
            accepted += !(square[accepted] >= 1.0 || square[accepted] == 0.0);
        }
        for (int k = 0; k < accepted; k++)
        {
            const double factor = std::sqrt(-2.0*std::log(square[k])/square[k]);
            x[k] *= factor;
            y[k] *= factor;
        }
        for (int k = 0; k < accepted; k++)
        {
            numbers[done++] = y[k];
            if (done < n)
                numbers[done++] = x[k];
            else
            {
                stored = x[k];
                has_stored = true;
            }
        }
    }
}

}

#endif
