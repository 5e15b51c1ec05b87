// The Mersenne twister of the standard library, number by number the same, made in blocks that vectorise.
#ifndef FAST_LOOP_TWISTER_H
#define FAST_LOOP_TWISTER_H

#include <cstdint>
#include <istream>
#include <ostream>
#include <random>

namespace fast_loop {

class Twister
{
    enum { N = 624, M = 397 };
    uint32_t state[N];
    uint32_t tempered[N];
    int next;

    void temper();
    void refill();

public:
    typedef std::mt19937::result_type result_type;
    int seedings;  // how often it was seeded: what was drawn ahead before that is not used any more

    Twister() : seedings(0) { seed(std::mt19937::default_seed); }

    void seed(result_type value);
    void seed(std::seed_seq& sequence);

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return 0xffffffffu; }

    result_type operator()()
    {
        if (next >= N)
            refill();
        return tempered[next++];
    }

    // n numbers in [0, 1), each made from two numbers of the sequence, as RandomGenerator::rand() does.
    void fill(double* numbers, int n);

    // In the form of std::mt19937: the state, then the place in it.
    friend std::ostream& operator<<(std::ostream& out, const Twister& twister);
    friend std::istream& operator>>(std::istream& in, Twister& twister);
};

// n normally distributed numbers by the polar method, from the same uniform numbers and in the same order as
// RandomGenerator::randn(): each accepted pair gives two, of which one may be `stored` for the next call.
void fill_normal(Twister& random, double& stored, bool& has_stored, double* numbers, int n);

}

#endif
