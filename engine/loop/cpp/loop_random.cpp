// The same for all circuits, compiled once.
#include "brianlib/loop_random.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fast_loop {

Binomial::Binomial(long n, double p, double q, double none, double bound)
{
    double probability = none, sum = none;
    cumulative.push_back(sum);
    for (long k = 1; k <= bound; k++)
    {
        probability = ((n - k + 1)*p*probability)/(k*q);
        sum += probability;
        cumulative.push_back(sum);
    }
    for (int entry = 0; entry < ENTRIES; entry++)
        first[entry] = std::lower_bound(cumulative.begin(), cumulative.end() - 1,
                                        entry/(double)ENTRIES) - cumulative.begin();
}

void refuse_poisson(double mean)
{
    std::fprintf(stderr, "poisson() was given the mean %g; it must be between 0 and %g\n", mean, LARGEST_POISSON_MEAN);
    std::fflush(stderr);
    std::_Exit(3);
}

// The last entry is 1, so that every uniform number below 1 finds a place.
void Poisson::tabulate(double of)
{
    mean = of;
    cumulative.clear();
    double probability = std::exp(-of), sum = probability;
    for (int k = 1; probability > 1e-18 || k < of; k++)
    {
        cumulative.push_back(sum);
        probability *= of/k;
        sum += probability;
    }
    cumulative.push_back(1.0);
    for (int entry = 0; entry < ENTRIES; entry++)
        first[entry] = std::lower_bound(cumulative.begin(), cumulative.end() - 1,
                                        entry/(double)ENTRIES) - cumulative.begin();
}

double largest_of(const double* numbers, int n)
{
    double lanes[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    int k = 0;
    for (; k + 8 <= n; k += 8)
        for (int lane = 0; lane < 8; lane++)
            lanes[lane] = (numbers[k + lane] > lanes[lane]) ? numbers[k + lane] : lanes[lane];
    for (; k < n; k++)
        lanes[0] = (numbers[k] > lanes[0]) ? numbers[k] : lanes[0];
    return *std::max_element(lanes, lanes + 8);
}

}
