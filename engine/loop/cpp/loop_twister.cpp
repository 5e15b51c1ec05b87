// The same for all circuits, compiled once.
#include "brianlib/loop_twister.h"
#include <algorithm>
#include <cmath>
#include "brianlib/loop_math.h"

namespace fast_loop {

static inline uint32_t twist(uint32_t high, uint32_t low, uint32_t far)
{
    const uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return far ^ (y >> 1) ^ (-(y & 1u) & 0x9908b0dfu);
}

void Twister::temper()
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

void Twister::refill()
{
    for (int k = 0; k < N - M; k++)
        state[k] = twist(state[k], state[k + 1], state[k + M]);
    for (int k = N - M; k < N - 1; k++)
        state[k] = twist(state[k], state[k + 1], state[k + M - N]);
    state[N - 1] = twist(state[N - 1], state[0], state[M - 1]);
    temper();
    next = 0;
}

void Twister::seed(result_type value)
{
    seedings++;
    state[0] = (uint32_t)value;
    for (int k = 1; k < N; k++)
        state[k] = 1812433253u*(state[k - 1] ^ (state[k - 1] >> 30)) + k;
    next = N;
}

void Twister::seed(std::seed_seq& sequence)
{
    seedings++;
    sequence.generate(state, state + N);
    bool zero = (state[0] & 0x80000000u) == 0;
    for (int k = 1; k < N; k++)
        zero = zero && state[k] == 0;
    if (zero)
        state[0] = 0x80000000u;
    next = N;
}

void Twister::fill(double* numbers, int n)
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

std::ostream& operator<<(std::ostream& out, const Twister& twister)
{
    for (int k = 0; k < Twister::N; k++)
        out << twister.state[k] << ' ';
    return out << twister.next;
}

std::istream& operator>>(std::istream& in, Twister& twister)
{
    for (int k = 0; k < Twister::N; k++)
        in >> twister.state[k];
    in >> twister.next;
    twister.temper();
    return in;
}

void fill_normal(Twister& random, double& stored, bool& has_stored, double* numbers, int n)
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
