// CUBA of networks.py by hand: exact update of 4000 cells, 2 % connections, no delays, spikes recorded.
#include "floor.h"

int main(int argc, char** argv)
{
    const int N = 4000, n_exc = 3200;
    const double dt = 0.1, taum = 20, taue = 5, taui = 10, Vt = -50, Vr = -60, El = -49;
    const int refractory = 50, steps = (int)(std::atof(argv[1])*1000/dt + 0.5);
    Random random;
    std::vector<double> v(N), ge(N, 0.0), gi(N, 0.0);
    std::vector<int> wait(N, 0), fired(N), spike_cell;
    std::vector<double> spike_time;
    for (auto& x : v)
        x = Vr + random()*(Vt - Vr);
    const Wiring wiring(N, N, 0.02, random);
    const double em = std::exp(-dt/taum), ee = std::exp(-dt/taue), ei = std::exp(-dt/taui);
    const double ae = taue/(taue - taum)*(ee - em), ai = taui/(taui - taum)*(ei - em);
    const Stopwatch watch;
    for (int step = 0; step < steps; step++)
    {
        double* __restrict pv = v.data();
        double* __restrict pe = ge.data();
        double* __restrict pi = gi.data();
        int* __restrict pw = wait.data();
        for (int k = 0; k < N; k++)
        {
            const double next = El + (pv[k] - El)*em + pe[k]*ae + pi[k]*ai;
            pv[k] = pw[k] > 0 ? pv[k] : next;
            pe[k] *= ee;
            pi[k] *= ei;
            pw[k] = pw[k] > 0 ? pw[k] - 1 : 0;
        }
        int count = 0;
        for (int block = 0; block < N; block += 80)
        {
            int any = 0;
            for (int k = block; k < block + 80; k++)
                any |= pv[k] > Vt;
            for (int k = block; any && k < block + 80; k++)
                if (pv[k] > Vt)
                    fired[count++] = k;
        }
        for (int s = 0; s < count; s++)
        {
            const int cell = fired[s];
            spike_cell.push_back(cell);
            spike_time.push_back(step*dt);
            double* const __restrict g = cell < n_exc ? pe : pi;
            const double w = cell < n_exc ? 1.62 : -9;
            for (int k = wiring.first[cell]; k < wiring.first[cell + 1]; k++)
                g[wiring.target[k]] += w;
            pv[cell] = Vr;
            pw[cell] = refractory;
        }
    }
    std::printf("%.6f %zu\n", watch.seconds(), spike_cell.size());
}
