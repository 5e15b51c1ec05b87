// Random numbers with less work per number. Included at the end of objects.h, after the generator's class.
#ifndef FAST_LOOP_RANDOM_H
#define FAST_LOOP_RANDOM_H

#include <cmath>
#include <vector>

namespace fast_loop {

// The number of successes in n trials of probability p, by inversion of the distribution, as Brian2 does it:
// one uniform number, and where that lies beyond `bound` another one. Looked up instead of summed each time.
class Binomial
{
    enum { ENTRIES = 1024 };
    std::vector<double> cumulative;  // probability of at most k successes
    short first[ENTRIES];  // smallest number of successes for numbers from entry/ENTRIES on
public:
    // p, q = 1 - p and the probability of no success, as Brian2 rounds them.
    Binomial(long n, double p, double q, double none, double bound);

    template <class Uniform> long draw(const Uniform& uniform) const
    {
        for (;;)
        {
            const double u = uniform();
            const long k = successes(u);
            if (u <= cumulative[k])
                return k;
        }
    }

    // n draws, from uniform numbers made in one go.
    template <class Generator> void fill(Generator& random, double* numbers, int n) const
    {
        random.fill_rand(numbers, n);
        int used = 0;
        for (int k = 0; k < n; k++)
            numbers[k] = (double)draw([&]() { return used < n ? numbers[used++] : random.rand(); });
    }

private:
    long successes(double u) const
    {
        long k = first[(int)(u*ENTRIES)];
        while (u > cumulative[k] && k + 1 < (long)cumulative.size())
            k++;
        return k;
    }
};

// Ends the program, with a message: no Poisson number can be drawn, or none that fits into 32 bits.
[[noreturn]] void refuse_poisson(double mean);
const double LARGEST_POISSON_MEAN = 2.147e9;  // ten standard deviations below 2^31

// Poisson numbers of a small mean that stays the same for many draws, by inversion as above: one uniform number each.
class Poisson
{
    enum { ENTRIES = 1024, WORTH_A_TABLE = 1000 };
    double mean, last;  // of the table, and of the last draw that it was not for
    int repeated;
    std::vector<double> cumulative;
    short first[ENTRIES];
    void tabulate(double of);
public:
    Poisson() : mean(-1.0), last(-1.0), repeated(0) {}

    // Whether `of` is the table's mean. A mean that was asked for often in a row gets the table.
    bool covers(double of)
    {
        if (of == mean)
            return true;
        repeated = (of == last) ? repeated + 1 : 0;
        last = of;
        if (repeated < WORTH_A_TABLE)
            return false;
        tabulate(of);
        return true;
    }

    int draw(double u) const
    {
        int k = first[(int)(u*ENTRIES)];
        while (u > cumulative[k])
            k++;
        return k;
    }
};

// Which of many elements have an event in a step, each with its own small probability, independently: instead of
// a random number per element, one per event. Elements and steps are passed one after the other; the next event
// comes when the sum of their hazards -log(1 - p) reaches an exponentially distributed amount.
class EventGaps
{
    double left, probability, hazard;
    int since;
public:
    EventGaps() : left(-1.0), probability(-1.0), hazard(0.0), since(-1) {}

    // Calls event(k) for each k < n that has one. `largest` is the largest probability(k) or more; what is left of
    // the last gap counts as long as `seeding` stays the same.
    template <class Generator, class Probability, class Event>
    void draw(Generator& random, int seeding, int n, double largest, const Probability& of, const Event& event)
    {
        if (since != seeding)
        {
            since = seeding;
            left = -1.0;
        }
        if (!(largest < 0.25))  // frequent events, or not a number: one by one
        {
            for (int k = 0; k < n; k++)
                if (random.rand() < of(k))
                    event(k);
            return;
        }
        if (largest <= 0.0)
            return;
        if (largest != probability)
        {
            probability = largest;
            hazard = -std::log1p(-largest);
        }
        if (left < 0.0)
            left = -std::log1p(-random.rand());
        for (int k = 0;; k++)
        {
            const double passed = std::floor(left/hazard);
            if (passed >= n - k)
            {
                left -= (n - k)*hazard;
                return;
            }
            k += (int)passed;
            const double own = of(k);
            if (own == largest || random.rand()*largest < own)
                event(k);
            left = -std::log1p(-random.rand());
        }
    }
};

// The largest of n numbers and 0, what is not a number left out.
double largest_of(const double* numbers, int n);

}

#endif
