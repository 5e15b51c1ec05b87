// STDP-rec of networks.py by hand: traces per cell, plastic synapses by source with an index by target.
#include "floor.h"

static inline double clipped(double x, double most) { return x < 0 ? 0 : x > most ? most : x; }

// Number of events of 1000 sources with probability 0.0004 each, by inversion; a table answers for most draws.
struct Background
{
    enum { bins = 4096 };
    double cumulative[16];
    signed char table[bins];
    Background()
    {
        double p = std::pow(1 - 0.0004, 1000), sum = 0;
        for (int k = 0; k < 16; k++)
        {
            cumulative[k] = sum += p;
            p *= (1000.0 - k)/(k + 1)*0.0004/(1 - 0.0004);
        }
        for (int b = 0; b < bins; b++)
            table[b] = search((b + 0.0)/bins) == search((b + 1.0)/bins) ? search((b + 0.0)/bins) : -1;
    }
    int search(double u) const
    {
        int k = 0;
        while (k < 15 && u > cumulative[k])
            k++;
        return k;
    }
    int operator()(double u) const
    {
        const int found = table[(int)(u*bins)];
        return found >= 0 ? found : search(u);
    }
};

int main(int argc, char** argv)
{
    const int n_exc = 2000, n_inh = 500, N = n_exc + n_inh, delay = 15, refractory = 20;
    const double dt = 0.1, taum = 20, taue = 5, taui = 10, Vt = -50, Vr = -60, El = -60;
    const double most = 1, w_inh = -4, w_ei = 0.5, d_pre = 0.01, d_post = -0.0105, tau = 20;
    const int steps = (int)(std::atof(argv[1])*1000/dt + 0.5);
    Random random;
    const Background background;
    std::vector<double> v(N), ge(N, 0.0), gi(N, 0.0), pre(n_exc, 0.0), post(n_exc, 0.0);
    std::vector<int> wait(N, 0), spike_cell;
    std::vector<double> spike_time;
    for (auto& x : v)
        x = Vr + random()*(Vt - Vr);
    const Wiring plastic(n_exc, n_exc, 0.1, random), ei(n_exc, n_inh, 0.1, random), i_all(n_inh, N, 0.1, random);
    std::vector<double> w(plastic.target.size());
    for (auto& x : w)
        x = random()*0.4;
    std::vector<int> first(n_exc + 1, 0), source(w.size()), synapse(w.size());  // plastic synapses by target
    for (int target : plastic.target)
        first[target + 1]++;
    for (int j = 0; j < n_exc; j++)
        first[j + 1] += first[j];
    std::vector<int> place(first.begin(), first.end() - 1);
    for (int i = 0; i < n_exc; i++)
        for (int k = plastic.first[i]; k < plastic.first[i + 1]; k++)
        {
            const int here = place[plastic.target[k]]++;
            source[here] = i;
            synapse[here] = k;
        }
    std::vector<std::vector<int>> under_way(delay + 1);
    const double em = std::exp(-dt/taum), ee = std::exp(-dt/taue), ei_decay = std::exp(-dt/taui);
    const double ae = taue/(taue - taum)*(ee - em), ai = taui/(taui - taum)*(ei_decay - em);
    const double decay = std::exp(-dt/tau);
    const Stopwatch watch;
    for (int step = 0; step < steps; step++)
    {
        for (int k = 0; k < N; k++)
        {
            const double next = El + (v[k] - El)*em + ge[k]*ae + gi[k]*ai;
            v[k] = wait[k] > 0 ? v[k] : next;
            ge[k] *= ee;
            gi[k] *= ei_decay;
            wait[k] = wait[k] > 0 ? wait[k] - 1 : 0;
        }
        for (int k = 0; k < n_exc; k++)
        {
            pre[k] *= decay;
            post[k] *= decay;
        }
        auto& fired = under_way[step % (delay + 1)];
        fired.clear();
        for (int k = 0; k < N; k++)
            if (v[k] > Vt && wait[k] == 0)
                fired.push_back(k);
        for (int k = 0; k < N; k++)
            ge[k] += 0.7*background(random());
        for (int cell : under_way[(step + 1) % (delay + 1)])  // sent `delay` steps ago
        {
            if (cell < n_exc)
            {
                pre[cell] += d_pre;
                for (int k = plastic.first[cell]; k < plastic.first[cell + 1]; k++)
                {
                    const int target = plastic.target[k];
                    ge[target] += w[k];
                    w[k] = clipped(w[k] + post[target], most);
                }
                for (int k = ei.first[cell]; k < ei.first[cell + 1]; k++)
                    ge[n_exc + ei.target[k]] += w_ei;
            }
            else
                for (int k = i_all.first[cell - n_exc]; k < i_all.first[cell - n_exc + 1]; k++)
                    gi[i_all.target[k]] += w_inh;
        }
        for (int cell : fired)
        {
            spike_cell.push_back(cell);
            spike_time.push_back(step*dt);
            if (cell < n_exc)
            {
                post[cell] += d_post;
                for (int k = first[cell]; k < first[cell + 1]; k++)
                    w[synapse[k]] = clipped(w[synapse[k]] + pre[source[k]], most);
            }
            v[cell] = Vr;
            wait[cell] = refractory;
        }
    }
    std::printf("%.6f %zu\n", watch.seconds(), spike_cell.size());
}
