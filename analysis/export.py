"""Runs for other tools: a recording as a Neo block, and as an NWB file.

A recording is what `engine.run` returns; nothing of the engine is imported. Both need the extra `export`.
"""

from datetime import UTC, datetime

import numpy as np

_INSTALL = "pip install 'plastica[export]'"
# SI units as NWB and the package quantities spell them; others are written as they are.
_LONG = {"V": "volts", "A": "amperes", "S": "siemens", "s": "seconds", "Hz": "hertz"}


def to_neo(recording):
    """Return a Neo Block with one segment: a spike train for each cell, signals for traces, rates, weights.

    Spike trains carry the annotations `population` and `cell`, signals `name` and `cells`; weights are
    signals with the annotations `source` and `target`. Times are in s, values in SI units. Signals that are
    sampled regularly are AnalogSignals, others IrregularlySampledSignals. The block's annotations have seed,
    program, dt and numbers.
    """
    try:
        import neo
        import quantities as pq
    except ImportError:
        raise ImportError(f"Neo is not installed: {_INSTALL}.") from None

    def unit(name):
        try:
            return pq.Quantity(1, "dimensionless" if name in ("", "1") else name)
        except LookupError:
            return pq.Quantity(1, "dimensionless")

    def signal(t, values, unit_name, name, **annotations):
        values = np.atleast_2d(values.T).T * unit(unit_name)
        common = dict(name=name, si_unit=unit_name, **annotations)
        steps = np.diff(t)
        if len(t) > 1 and np.allclose(steps, steps[0], rtol=1e-6, atol=0):
            return neo.AnalogSignal(values, sampling_period=steps[0] * pq.s, t_start=t[0] * pq.s, **common)
        return neo.IrregularlySampledSignal(np.asarray(t) * pq.s, values, **common)

    block = neo.Block(
        name="plastica",
        seed=recording.seed,
        trial=recording.trial,
        program=recording.program,
        dt=recording.dt,
        numbers={name: np.asarray(value).tolist() for name, value in recording.numbers.items()},
    )
    segment = neo.Segment(name=f"seed {recording.seed}, trial {recording.trial}")
    block.segments.append(segment)
    for label, spikes in recording.spikes.items():
        for cell, times in enumerate(_by_cell(spikes)):
            segment.spiketrains.append(
                neo.SpikeTrain(
                    times * pq.s, t_stop=recording.duration * pq.s, name=f"{label}[{cell}]", population=label,
                    cell=cell,
                )
            )  # fmt: skip
    signals = [
        signal(x.t, x.values, x.unit, label, cells=x.index.tolist()) for label, x in recording.traces.items()
    ]
    signals += [signal(x.t, x.rate, "Hz", label) for label, x in recording.rates.items()]
    signals += [
        signal(x.t, x.values, x.unit, label, source=x.i.tolist(), target=x.j.tolist())
        for label, x in recording.weights.items()
    ]
    for one in signals:
        kind = "analogsignals" if isinstance(one, neo.AnalogSignal) else "irregularlysampledsignals"
        getattr(segment, kind).append(one)
    return block


def to_nwb(recording, path, *, description="A simulation with Plastica", start=None):
    """Write an NWB file: spikes as units, traces, rates and weights as time series of the processing module.

    Parameters
    ----------
    path : str or Path
        Of the file, which is replaced if it exists.
    start : datetime, optional
        The session's start time, which the format demands; by default now. A simulation has none.

    The table of units has the columns `population` and `cell`; times are in s, values in SI units. Seed,
    program and numbers stand in the session's notes as JSON.
    """
    try:
        import pynwb
    except ImportError:
        raise ImportError(f"pynwb is not installed: {_INSTALL}.") from None
    import json

    numbers = {name: np.asarray(value).tolist() for name, value in recording.numbers.items()}
    about = {
        "seed": recording.seed, "trial": recording.trial, "program": recording.program, "dt": recording.dt,
        "duration": recording.duration, "numbers": numbers,
    }  # fmt: skip
    file = pynwb.NWBFile(
        session_description=description,
        identifier=f"{recording.program or recording.backend}-{recording.seed}-{recording.trial}",
        session_start_time=start or datetime.now(UTC),
        notes=json.dumps(about),
    )
    if recording.spikes:
        file.add_unit_column("population", "label of the recorder")
        file.add_unit_column("cell", "index of the cell within it")
    for label, spikes in recording.spikes.items():
        for cell, times in enumerate(_by_cell(spikes)):
            file.add_unit(
                spike_times=times, obs_intervals=[[0.0, recording.duration]], population=label, cell=cell
            )
    series = [
        (label, x.t, x.values, x.unit, f"cells {x.index.tolist()}") for label, x in recording.traces.items()
    ]
    series += [(label, x.t, x.rate, "Hz", "mean rate in bins") for label, x in recording.rates.items()]
    if series or recording.weights:
        module = file.create_processing_module("simulation", "traces, rates and weights of the simulation")
    for label, t, values, unit, comments in series:
        module.add(
            pynwb.TimeSeries(
                name=_name(label), data=values, timestamps=t, unit=_LONG.get(unit, unit), comments=comments
            )
        )
    for label, x in recording.weights.items():
        comments = json.dumps({"source": x.i.tolist(), "target": x.j.tolist()})
        module.add(
            pynwb.TimeSeries(
                name=_name(label), data=x.values, timestamps=x.t, unit=_LONG.get(x.unit, x.unit),
                comments=comments, description="snapshot x synapse",
            )
        )  # fmt: skip
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)


def _by_cell(spikes):
    """Spike times of each cell, ascending."""
    order = np.argsort(spikes.i, kind="stable")
    return np.split(np.asarray(spikes.t)[order], np.searchsorted(spikes.i[order], np.arange(1, spikes.n)))


def _name(label):
    """NWB names must not hold slashes or colons: a slice as in cells[:10]."""
    return label.replace("/", " ").replace(":", " to ")
