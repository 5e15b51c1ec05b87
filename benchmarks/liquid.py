"""What the liquid of the benchmark is made of: drawn once, the same numbers for every simulator.

The column of Maass, Natschlaeger & Markram 2002 (Neural Comput. 14:2531, section 3.1): 135 cells on a grid of
15 x 3 x 3, a fifth of them inhibitory, a connection with probability C exp(-(D/2)^2), synapses after Tsodyks
and Markram. One spike train of 20 Hz reaches all cells, another one in every trial. Times in ms, currents in
nA.
"""

import numpy as np

N, N_EXC = 135, 108
TRIAL = 0.5  # s
# C, mean weight, means of U, D and F, delay, by kind of source and target.
KINDS = {
    "ee": (0.3, 30.0, 0.5, 1100.0, 50.0, 1.5),
    "ei": (0.2, 60.0, 0.05, 125.0, 1200.0, 0.8),
    "ie": (0.4, -19.0, 0.25, 700.0, 20.0, 0.8),
    "ii": (0.1, -19.0, 0.32, 144.0, 60.0, 0.8),
}
START = {"e": (0, N_EXC), "i": (N_EXC, N)}
INPUT = {"e": 18.0, "i": 9.0}


def draw(seed=1):
    """(start potentials in mV, {kind: source i, target j within their side, w, U, D, F per synapse})."""
    random = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(range(15), range(3), range(3), indexing="ij"), axis=-1).reshape(-1, 3)
    places = grid[random.permutation(N)]
    squared = ((places[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)
    synapses = {}
    for kind, (C, w, U, D, F, _) in KINDS.items():
        (a, b), (c, d) = START[kind[0]], START[kind[1]]
        chance = C * np.exp(-squared[a:b, c:d] / 4)
        if kind[0] == kind[1]:
            np.fill_diagonal(chance, 0)
        i, j = np.nonzero(random.random(chance.shape) < chance)
        n = len(i)
        synapses[kind] = dict(i=i, j=j, w=w * random.exponential(size=n))
        for name, mean in (("U", U), ("D", D), ("F", F)):
            synapses[kind][name] = mean * np.clip(1 + 0.5 * random.standard_normal(n), 0.02, 1.98)
    return random.uniform(13.5, 15.0, N), synapses


def inputs(n_trials, seed=2):
    """Spike times in ms since the start of each trial, on a grid of 0.1 ms."""
    random = np.random.default_rng(seed)
    steps = round(TRIAL * 10_000)
    return [np.nonzero(random.random(steps - 1) < 20e-4)[0] * 0.1 + 0.1 for _ in range(n_trials)]
