// STDP-ff of networks.py by hand: Poisson inputs by the time of their next spike, traces per cell.
#include "floor.h"

static inline double clipped(double x, double most) { return x < 0 ? 0 : x > most ? most : x; }

int main(int argc, char** argv)
{
    const int inputs = 1000, cells = 100, slots = 4096;
    const double dt = 0.1, taum = 10, taue = 5, Ee = 0, Vt = -54, Vr = -60, El = -74;
    const double gmax = 0.01, d_pre = 0.0001, d_post = -0.000105, tau = 20, p = 15*dt/1000;
    const int steps = (int)(std::atof(argv[1])*1000/dt + 0.5);
    Random random;
    std::vector<double> v(cells, -70), ge(cells, 0.0), pre(inputs, 0.0), post(cells, 0.0), w(inputs*cells);
    std::vector<int> next(inputs), again, spike_cell, input_cell;
    std::vector<double> spike_time, input_time;
    for (auto& x : w)
        x = random()*gmax;
    const auto gap = [&] { return 1 + (int)std::floor(std::log(1 - random())/std::log(1 - p)); };
    std::vector<std::vector<int>> due(slots);  // inputs by the step of their next spike, a ring
    for (int i = 0; i < inputs; i++)
    {
        next[i] = gap() - 1;
        due[next[i] % slots].push_back(i);
    }
    const double decay = std::exp(-dt/tau);
    const Stopwatch watch;
    for (int step = 0; step < steps; step++)
    {
        double* const __restrict g = ge.data();
        double* const __restrict trace = post.data();
        for (int k = 0; k < cells; k++)
        {
            v[k] += dt*(g[k]*(Ee - v[k]) + El - v[k])/taum;
            g[k] -= dt*g[k]/taue;
            trace[k] *= decay;
        }
        for (int i = 0; i < inputs; i++)
            pre[i] *= decay;
        const size_t first_spike = spike_cell.size();
        for (int k = 0; k < cells; k++)
            if (v[k] > Vt)
            {
                spike_cell.push_back(k);
                spike_time.push_back(step*dt);
            }
        auto& now = due[step % slots];
        again.clear();
        for (int i : now)
        {
            if (next[i] != step)  // due a turn of the ring later
            {
                again.push_back(i);
                continue;
            }
            input_cell.push_back(i);
            input_time.push_back(step*dt);
            pre[i] += d_pre;
            double* const __restrict row = &w[(size_t)i*cells];
            for (int k = 0; k < cells; k++)
            {
                g[k] += row[k];
                row[k] = clipped(row[k] + trace[k], gmax);
            }
            next[i] = step + gap();
            (next[i] % slots == step % slots ? again : due[next[i] % slots]).push_back(i);
        }
        now.swap(again);
        for (size_t s = first_spike; s < spike_cell.size(); s++)
        {
            const int k = spike_cell[s];
            trace[k] += d_post;
            for (int i = 0; i < inputs; i++)
                w[(size_t)i*cells + k] = clipped(w[(size_t)i*cells + k] + pre[i], gmax);
            v[k] = Vr;
        }
    }
    std::printf("%.6f %zu\n", watch.seconds(), spike_cell.size() + input_cell.size());
}
