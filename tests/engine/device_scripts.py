"""Plain Brian2 scripts run by the tests of the device, each in a process of its own.

    python device_scripts.py NAME DEVICE FOLDER

The arrays that a script returns, and what the device tells about the build, are written to FOLDER/arrays.npz.
"""

import sys
from pathlib import Path

import brian2
import numpy as np
from brian2 import (
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    defaultclock,
    ms,
    mV,
)

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
import engine  # noqa: F401  (registers the device)


def cuba(tau="taum"):
    """Vogels & Abbott's network of current-based cells, smaller."""
    names = dict(taum=20 * ms, taue=5 * ms, taui=10 * ms, Vt=-50 * mV, Vr=-60 * mV, El=-49 * mV)
    equations = f"""
    dv/dt = (ge + gi - (v - El))/{tau} : volt (unless refractory)
    dge/dt = -ge/taue : volt
    dgi/dt = -gi/taui : volt
    """
    cells = NeuronGroup(
        1000,
        equations,
        threshold="v > Vt",
        reset="v = Vr",
        refractory=5 * ms,
        method="exact",
        namespace=names,
    )
    cells.v = "Vr + rand()*(Vt - Vr)"
    exc = Synapses(cells, cells, on_pre="ge += 3.24*mV")
    inh = Synapses(cells, cells, on_pre="gi -= 18*mV")
    exc.connect("i < 800", p=0.04)
    inh.connect("i >= 800", p=0.04)
    spikes = SpikeMonitor(cells)
    network = Network(cells, exc, inh, spikes)
    network.run(100 * ms, namespace={})
    return lambda: {"t": spikes.t_[:], "i": spikes.i[:], "v": cells.v_[:]}


def everything():
    """Delays of every kind (half-way between two steps, too), periodic code, timed input, two runs."""
    names = dict(tau=10 * ms, drive=TimedArray(np.linspace(0, 30, 50) * mV, dt=1 * ms))
    cells = NeuronGroup(
        200,
        "dv/dt = (drive(t) + g - v)/tau : volt (unless refractory)\ndg/dt = -g/(5*ms) : volt\nnudge : volt",
        threshold="v > 15*mV",
        reset="v = 0*mV",
        refractory="1*ms + rand()*ms",
        method="exact",
        namespace=names,
    )
    cells.v = "10*randn()*mV"
    cells.nudge = "rand()*mV"
    cells.run_regularly("v += nudge*randn()", dt=3 * ms)
    source = SpikeGeneratorGroup(5, [0, 1, 2, 3, 4, 0], [1, 1, 5, 10, 20, 33] * ms)
    fixed = Synapses(source, cells, "w : volt", on_pre="g += w", delay=1.25 * ms)
    fixed.connect(p=0.5)
    fixed.w = "5*rand()*mV"
    drawn = Synapses(cells, cells, "w : volt", on_pre="g += w", on_post="w = clip(w - 0.01*mV, 0*mV, 1*mV)")
    drawn.connect("i != j", p=0.1)
    drawn.w = "rand()*mV"
    drawn.delay = "(floor(8*rand()) + 0.5)*0.1*ms"
    spikes = SpikeMonitor(cells)
    trace = StateMonitor(cells, ["v", "g"], record=[0, 7, 199])
    network = Network(cells, source, fixed, drawn, spikes, trace)
    network.run(30 * ms, namespace={})
    cells.nudge = "0.5*rand()*mV"
    network.run(30 * ms, namespace={})
    return lambda: {
        "t": spikes.t_[:],
        "i": spikes.i[:],
        "v": trace.v_[:],
        "g": trace.g_[:],
        "w": drawn.w_[:],
        "pre": fixed.i[:],
        "post": fixed.j[:],
    }


def small(tau="20*ms"):
    """As little as makes all units: cells, synapses with delays, monitors."""
    group = NeuronGroup(20, f"dv/dt = (20*mV - v)/({tau}) : volt", threshold="v > 10*mV", reset="v = 0*mV")
    synapses = Synapses(group, group, on_pre="v += 1*mV", delay=0.5 * ms)
    synapses.connect(p=1)
    spikes = SpikeMonitor(group)
    network = Network(group, synapses, spikes)
    network.run(50 * ms, namespace={})
    return lambda: {"t": spikes.t_[:], "i": spikes.i[:]}


def main(name, device_name, folder):
    script, _, argument = name.partition(":")
    brian2.prefs.codegen.target = "numpy"
    brian2.set_device(device_name, build_on_run=False)
    brian2.seed(5)
    defaultclock.dt = 0.1 * ms
    results = globals()[script](*([argument] if argument else []))
    device = brian2.get_device()
    device.build(directory=str(Path(folder) / "project"), with_output=False)
    units = getattr(device, "compiled_units", [])
    np.savez(Path(folder) / "arrays.npz", compiled_units=np.array(units, dtype=str), **results())


if __name__ == "__main__":
    main(*sys.argv[1:])
