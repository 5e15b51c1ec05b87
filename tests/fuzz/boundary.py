"""What must hold at the boundary: accepted circuits run, in both backends alike; refusals are ours.

A case that breaks this raises `Broken`, whose text is the script that shows it.
"""

import re
import signal
import warnings
from contextlib import contextmanager

import numpy as np

import engine
from circuits.errors import CircuitError
from engine.errors import EngineError, NonFiniteError, NumbersError

from .strategies import HEAD, Case

NAMES = {}
exec(HEAD, NAMES)
LIMIT = 60  # seconds for one step of one case: the slowest take about two
# Words that only those know who have read the sources below.
BELOW = re.compile(
    r"object at 0x|NoneType|Traceback|BrianObject|codegen|Sympify|ast\.|object named|<class|KeyError"
    r"|AttributeError|AssertionError|IndexError|identifier \"|namespace=|brian2\."
)


class Broken(AssertionError):
    """A case for which what must hold does not."""


@contextmanager
def limited(what, seconds=LIMIT):
    """Nothing may take longer than this."""

    late = []

    def stop(*_):
        late.append(Broken(f"{what}: it had not come back after {seconds} s"))
        raise late[0]

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if late:  # also where it was taken for an error of something below
            raise late[0]


def refused(error, case):
    """A refusal must be of our classes, and its message for people."""
    text = str(error)
    if not isinstance(error, (CircuitError, EngineError)):
        raise Broken(f"{type(error).__name__} from below: {text[:600]}\n{case!r}") from error
    if BELOW.search(text) or len(text) < 20 or len(text) > 20_000:
        raise Broken(f"a refusal that does not help: {text[:600]}\n{case!r}") from error
    return text


def made(source, case=""):
    """The circuit (or whatever else the source is), or None and why it was refused."""
    with limited("making it"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return eval(source.replace("~", ""), dict(NAMES)), ""
        except Broken:
            raise
        except Exception as error:
            return None, refused(error, case or source)


def ran(net, case, backend):
    """The recording of an accepted circuit, and whether its states stayed finite; None where run-time data
    were refused.
    """
    duration = case.steps * float(eval(case.dt, dict(NAMES)))
    with limited(f"running it {backend}", LIMIT if backend == "interpreted" else 4 * LIMIT):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return engine.run(net, duration * NAMES["second"], seed=case.seed, backend=backend), True
            except NonFiniteError as error:
                refused(error, case)
                return error.recording, False
            except NumbersError as error:
                refused(error, case)
                return None, False
            except Broken:
                raise
            except Exception as error:
                raise Broken(
                    f"accepted, but the run ({backend}) failed: {type(error).__name__} "
                    f"{str(error)[:900]}\n{case!r}"
                ) from error


def arrays(recording, ending=""):
    """Label to array of all that was recorded for the parts whose names end so."""
    found = {}
    for kind in ("spikes", "traces", "rates", "weights"):
        for label, record in getattr(recording, kind).items():
            part, *rest = re.split(r"(?=[.\[])", label, maxsplit=1)
            if ending and not part.endswith(ending):
                continue
            label = part.removesuffix(ending) + "".join(rest).replace(ending or "\0", "")
            for name, value in vars(record).items():
                if isinstance(value, np.ndarray):
                    found[f"{kind} of {label}, {name}"] = value
    return found


def differences(one, other, exact):
    """How two sets of recorded arrays differ, as text; "" where they agree.

    What is not drawn must be the same: spikes and times, and states to 1e-9 of the largest value (both
    backends compute in double precision; a sum of some hundred steps loses a few of 16 digits, and what
    cancels is measured by what it was made of). Where something is drawn, the kinds of arrays agree.
    """
    if one.keys() != other.keys():
        return f"recorded are {sorted(one.keys() ^ other.keys())} in one of them only"
    said = []
    for label, a in one.items():
        b = other[label]
        if a.ndim != b.ndim or a.dtype.kind != b.dtype.kind:
            said.append(f"{label}: {a.dtype}{a.shape} and {b.dtype}{b.shape}")
        elif exact and a.shape != b.shape:
            said.append(f"{label}: {a.shape} and {b.shape}: {a.ravel()[:12]} and {b.ravel()[:12]}")
        elif exact and a.size:
            finite = np.isfinite(a)
            scale = np.abs(a[finite]).max() if finite.any() else 0.0
            with np.errstate(all="ignore"):
                same = (a == b) | (np.isnan(a) & np.isnan(b)) if a.dtype.kind == "f" else a == b
                close = same | (np.abs(a - b) <= 1e-9 * scale + 1e-300)
            if not close.all():
                k = tuple(np.argwhere(~close)[0])
                said.append(
                    f"{label}: {(~close).sum()} of {a.size} differ, first at {k}: {a[k]!r} and {b[k]!r}"
                )
        elif not exact and label.split(" ")[0] in ("traces", "rates") and a.shape != b.shape:
            said.append(f"{label}: {a.shape} and {b.shape}")
    return "; ".join(said)


def in_groups(cases, size=12):
    """Cases that can be compiled into one program: with one time step, and names with a place for theirs."""
    waiting = {}
    for case, found in cases:
        alone = not isinstance(case, Case) or any("~" not in name for name in case.parts)
        key = (id(case),) if alone else (case.dt, case.steps)
        waiting.setdefault(key, []).append((case, found))
    for group in waiting.values():
        for k in range(0, len(group), size):
            yield group[k : k + size]


def together(group):
    """One circuit of many: their parts side by side."""
    text = {}
    record, changes = [], {}
    for k, (case, _) in enumerate(group):
        mark = f"_{k}z"
        text.update({name.replace("~", mark): part.replace("~", mark) for name, part in case.parts.items()})
        record += [r.replace("~", mark) for r in case.record]
        changes.update({name.replace("~", mark): value for name, value in case.changes.items()})
    return Case(text, record, group[0][0].dt, changes, steps=group[0][0].steps)


def compare_compiled(cases):
    """Compile cases that ran interpreted, many at a time, and compare; raises `Broken` with all that differ.

    Seeds differ among the cases of a program, so that those with draws are compared by kind only.
    """
    broken = []
    for group in in_groups(cases):
        if len(group) == 1:
            broken += _alone(*group[0])
            continue
        joint = together(group)
        try:
            recording, _ = ran(made(joint.source(), joint)[0], joint, "compiled")
        except Broken:
            broken += [text for case, found in group for text in _alone(case, found)]
            continue
        for k, (case, (there, _)) in enumerate(group):
            said = differences(arrays(there), arrays(recording, f"_{k}z"), case.deterministic)
            if said:
                broken.append(f"interpreted and compiled differ: {said}\n{case!r}")
    if broken:
        raise Broken(f"{len(broken)} cases:\n" + "\n\n".join(broken[:6]))


def _alone(case, found):
    try:
        recording, finite = ran(made(case.source(), case)[0], case, "compiled")
    except Broken as error:
        return [str(error)]
    said = differences(arrays(found[0]), arrays(recording), case.deterministic)
    if case.deterministic and finite != found[1]:
        said += f" one of them is not finite (interpreted: {found[1]}, compiled: {finite})"
    return [f"interpreted and compiled differ: {said}\n{case!r}"] if said else []
