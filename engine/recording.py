"""What a run leaves: spikes, traces, rates and weights as plain arrays in SI units, with where they came
from.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class Spikes:
    """Spike times t (s, ascending) and indices i of n cells."""

    t: np.ndarray
    i: np.ndarray
    n: int

    def __len__(self):
        return len(self.t)


@dataclass
class Trace:
    """values (time x index) of a variable in `unit` at times t (s)."""

    t: np.ndarray
    values: np.ndarray
    index: np.ndarray
    unit: str


@dataclass
class Rate:
    """Mean firing rate (Hz) in bins that start at t (s)."""

    t: np.ndarray
    rate: np.ndarray


@dataclass
class Weights:
    """values (snapshot x synapse) in `unit` at times t (s), with source i and target j of every synapse."""

    t: np.ndarray
    values: np.ndarray
    i: np.ndarray
    j: np.ndarray
    unit: str


@dataclass
class Recording:
    """The recordings of one run by the label of their recorder: `spikes["exc"]`, `traces["exc.v"]`,
    `rates["exc"]`, `weights["ee.w"]`.

    `loop_seconds` is the processor time of the simulation loop; `numbers` are the numbers of the run in SI
    units; `program` is the key of the program.
    """

    duration: float
    dt: float
    seed: int
    trial: int = 0
    spikes: dict = field(default_factory=dict)
    traces: dict = field(default_factory=dict)
    rates: dict = field(default_factory=dict)
    weights: dict = field(default_factory=dict)
    loop_seconds: float = 0.0
    numbers: dict = field(default_factory=dict, repr=False)
    program: str = ""
    backend: str = "compiled"

    def save(self, path):
        """Write everything to one .npz file."""
        arrays = {f"number/{name}": value for name, value in self.numbers.items()}
        about = {
            k: getattr(self, k)
            for k in ("duration", "dt", "seed", "trial", "loop_seconds", "program", "backend")
        }
        kinds = {}
        for kind in ("spikes", "traces", "rates", "weights"):
            for label, record in getattr(self, kind).items():
                kinds.setdefault(kind, {})[label] = {}
                for name, value in vars(record).items():
                    if isinstance(value, np.ndarray):
                        arrays[f"{kind}/{label}/{name}"] = value
                    else:
                        kinds[kind][label][name] = value
        arrays["about"] = np.array(json.dumps({"about": about, "kinds": kinds}))
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.part")
        with open(temporary, "wb") as stream:
            np.savez_compressed(stream, **arrays)
        temporary.replace(path)

    @classmethod
    def load(cls, path):
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as data:
            stored = json.loads(str(data["about"]))
            recording = cls(**stored["about"])
            recording.numbers = {
                k[7:]: data[k] if data[k].ndim else float(data[k])
                for k in data.files
                if k.startswith("number/")
            }
            for kind, record_class in (
                ("spikes", Spikes),
                ("traces", Trace),
                ("rates", Rate),
                ("weights", Weights),
            ):
                for label, values in stored["kinds"].get(kind, {}).items():
                    prefix = f"{kind}/{label}/"
                    arrays = {k[len(prefix) :]: data[k] for k in data.files if k.startswith(prefix)}
                    getattr(recording, kind)[label] = record_class(**values, **arrays)
        return recording


def assemble(recording, recorders, results):
    """Fill a recording from the named arrays that a run wrote (see `lower.outputs` for their names)."""
    for k, recorder in enumerate(recorders):
        label, kind = recorder["label"], recorder["kind"]
        get = lambda name: results[f"{k}.{name}"]  # noqa: B023, E731  used within this turn of the loop only
        if kind == "spikes":
            recording.spikes[label] = Spikes(get("t"), get("i"), recorder["stop"] - recorder["start"])
        elif kind == "trace":
            t = get("t")
            index = (
                recorder["index"]
                if recorder["index"] is not None
                else range(recorder["stop"] - recorder["start"])
            )
            index = np.asarray(index, dtype=np.int32)
            index = index[:1] if recorder.get("scalar") else index
            recording.traces[label] = Trace(
                t, get("values").reshape(len(t), len(index)), index, recorder["unit"]
            )
        elif kind == "rate":
            recording.rates[label] = _binned(get("t"), get("rate"), recorder["every"], recording.dt)
        else:
            i, j = get("i"), get("j")
            values = [
                results[name]
                for name in sorted((n for n in results if n.startswith(f"{k}.at.")), key=_position)
            ]
            recording.weights[label] = Weights(get("t"), _rows(values, len(i)), i, j, recorder["unit"])
    return recording


def _rows(values, n):
    """Snapshots as rows; a variable that all synapses share has the same value in every column."""
    return np.array([np.broadcast_to(value, n) for value in values]).reshape(len(values), n)


def _position(name):
    return int(name.rsplit(".", 1)[1])


def _binned(t, rate, every, dt):
    """The rate at every step as means over bins; an incomplete last bin is left out."""
    steps = 1 if every is None else round(every / dt)
    bins = len(rate) // steps
    return Rate(t[: bins * steps : steps].copy(), rate[: bins * steps].reshape(bins, steps).mean(axis=1))
