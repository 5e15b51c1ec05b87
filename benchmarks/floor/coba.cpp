// COBA of networks.py by hand: exponential Euler of 4000 Hodgkin-Huxley cells, vectorised over cells.
#include "floor.h"

static inline double exprel(double x)  // (exp(x) - 1)/x
{
    const double safe = std::fabs(x) < 1e-9 ? 1e-9 : x;
    return (std::exp(safe) - 1)/safe;
}

int main(int argc, char** argv)
{
    const int N = 4000, n_exc = 3200;
    const double dt = 0.1, Cm = 200, gl = 10, gna = 20000, gkd = 6000, El = -60, EK = -90, ENa = 50, VT = -63;
    const double Ee = 0, Ei = -80, we = 6, wi = 67;  // ms, mV, nS, pF
    const int refractory = 30, steps = (int)(std::atof(argv[1])*1000/dt + 0.5);
    Random random;
    std::vector<double> v(N), m(N, 0.0), n(N, 0.0), h(N, 0.0), ge(N), gi(N);
    std::vector<int> wait(N, 0), fired(N), spike_cell;
    std::vector<double> spike_time;
    for (int k = 0; k < N; k++)
    {
        v[k] = El + random.normal()*5 - 5;
        ge[k] = (random.normal()*1.5 + 4)*10;
        gi[k] = (random.normal()*12 + 20)*10;
    }
    const Wiring wiring(N, N, 0.02, random);
    const double ee = std::exp(-dt/5), ei = std::exp(-dt/10);
    const Stopwatch watch;
    for (int step = 0; step < steps; step++)
    {
        double* __restrict pv = v.data();
        double* __restrict pm = m.data();
        double* __restrict pn = n.data();
        double* __restrict ph = h.data();
        double* __restrict pe = ge.data();
        double* __restrict pi = gi.data();
        int* __restrict pw = wait.data();
        #pragma GCC ivdep
        for (int k = 0; k < N; k++)
        {
            const double u = pv[k] - VT, mm = pm[k], nn = pn[k], hh = ph[k];
            const double am = 0.32*4/exprel((13 - u)/4), bm = 0.28*5/exprel((u - 40)/5);
            const double ah = 0.128*std::exp((17 - u)/18), bh = 4/(1 + std::exp((40 - u)/5));
            const double an = 0.032*5/exprel((15 - u)/5), bn = 0.5*std::exp((10 - u)/40);
            const double na = gna*mm*mm*mm*hh, kd = gkd*nn*nn*nn*nn, total = gl + pe[k] + pi[k] + na + kd;
            const double rest = (gl*El + pe[k]*Ee + pi[k]*Ei + na*ENa + kd*EK)/total;
            pv[k] = rest + (pv[k] - rest)*std::exp(-dt*total/Cm);
            pm[k] = am/(am + bm) + (mm - am/(am + bm))*std::exp(-dt*(am + bm));
            pn[k] = an/(an + bn) + (nn - an/(an + bn))*std::exp(-dt*(an + bn));
            ph[k] = ah/(ah + bh) + (hh - ah/(ah + bh))*std::exp(-dt*(ah + bh));
            pe[k] *= ee;
            pi[k] *= ei;
            pw[k] = pw[k] > 0 ? pw[k] - 1 : 0;
        }
        int count = 0;
        for (int k = 0; k < N; k++)
            if (pv[k] > -20 && pw[k] == 0)
                fired[count++] = k;
        for (int s = 0; s < count; s++)
        {
            const int cell = fired[s];
            spike_cell.push_back(cell);
            spike_time.push_back(step*dt);
            double* const __restrict g = cell < n_exc ? pe : pi;
            const double w = cell < n_exc ? we : wi;
            for (int k = wiring.first[cell]; k < wiring.first[cell + 1]; k++)
                g[wiring.target[k]] += w;
            pw[cell] = refractory;
        }
    }
    std::printf("%.6f %zu\n", watch.seconds(), spike_cell.size());
}
