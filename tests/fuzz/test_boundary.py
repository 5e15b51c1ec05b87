"""Circuits made by hypothesis: what is accepted runs, in both backends alike; refusals are ours.

    pytest -m slow tests/fuzz -n 2                                          2000 cases, other ones each time
    PLASTICA_FUZZ_CASES=5000 PLASTICA_FUZZ_SEED=7 pytest -m slow tests/fuzz -n 2

A failure prints the script that shows it and the seed that finds it again. Programs are compiled without
optimisation, since most of the time goes there; PLASTICA_FUZZ_FLAGS=-O3 compiles as users do.
"""

import gc
import logging
import os
import random
import warnings

import numpy as np
import pytest
from brian2.core.preferences import prefs
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import engine
from tests.fuzz import boundary, strategies
from tests.fuzz.boundary import Broken, compare_compiled, differences, limited, made, ran, refused

CASES = int(os.environ.get("PLASTICA_FUZZ_CASES", "2000"))
SEED = int(os.environ.get("PLASTICA_FUZZ_SEED") or random.SystemRandom().randrange(10**6))
FLAGS = os.environ.get("PLASTICA_FUZZ_FLAGS", "-O0")
# Of the cases, in percent, and in how many tests (which processes can share) each kind comes.
SHARES = {
    "circuits": (40, 8),
    "renamed": (10, 2),
    "misspelt": (15, 2),
    "misvalued": (8, 2),
    "mistaken": (12, 2),
    "renumbered": (8, 2),
    "trials": (4, 1),
    "runs": (3, 1),
}
# How many of those that were accepted are compiled too: each is a program of its own.
COMPILED = {"renamed": 24, "misspelt": 10, "misvalued": 8, "mistaken": 8}

pytestmark = [pytest.mark.slow, pytest.mark.compiled, pytest.mark.timeout(4 * 3600)]


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    """Programs that compile fast, in a cache of their own; and nothing that walks over all of Brian2's
    objects again and again.
    """
    kept, cache = prefs.codegen.cpp.extra_compile_args_gcc, os.environ["PLASTICA_CACHE"]
    prefs.codegen.cpp.extra_compile_args_gcc = [
        "-w",
        FLAGS,
        "-ffast-math",
        "-fno-finite-math-only",
        "-std=c++11",
    ]
    os.environ["PLASTICA_CACHE"] = str(tmp_path_factory.mktemp("programs"))
    os.chmod(os.environ["PLASTICA_CACHE"], 0o700)
    logging.getLogger("brian2").setLevel(logging.CRITICAL + 1)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    logging.getLogger("brian2").setLevel(logging.NOTSET)
    os.environ["PLASTICA_CACHE"] = cache
    prefs.codegen.cpp.extra_compile_args_gcc = kept


def examples(strategy, number, shard, check):
    """Run a check on so many cases of a strategy."""

    @seed(SEED * 100 + shard)
    @settings(
        max_examples=max(number, 1),
        deadline=None,
        print_blob=True,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def all_of_them(case):
        check(case)

    try:
        all_of_them()
    except BaseException:
        print(f"\nPLASTICA_FUZZ_SEED={SEED} PLASTICA_FUZZ_CASES={CASES} finds this again.")
        raise


def shards(kind):
    return range(SHARES[kind][1])


def share(kind):
    percent, parts = SHARES[kind]
    return -(-CASES * percent // (100 * parts))


class Tally(dict):
    """What became of the cases; a fuzzer all of whose cases are refused, or none, tests nothing."""

    def count(self, what):
        self["cases"] = self.get("cases", 0) + 1
        self[what] = self.get(what, 0) + 1

    def check(self, kind, **floors):
        """At least these shares of the cases must have been so, far below those that are met: four in five
        whole circuits are accepted, two in three compared exactly, and of what is spoiled one in seven
        accepted (a share of 0.005 is one case). Shares of few cases are left to chance.
        """
        print(f"{kind}: {dict(self)}")
        for what, floor in floors.items() if self["cases"] >= 90 else ():
            assert self.get(what, 0) >= floor * self["cases"], f"too few are {what}: {dict(self)}"


@pytest.mark.parametrize("shard", shards("circuits"))
def test_circuits(shard):
    """Whole circuits, most of them good: interpreted one by one, compiled many at a time."""
    tally, cases = Tally(), []

    def check(case):
        net, _ = made(case.source(), case)
        if net is None:
            return tally.count("refused")
        found = ran(net, case, "interpreted")
        tally.count("accepted" if found[1] else "diverged")
        if found[0] is not None:
            cases.append((case, found))
            there = boundary.arrays(found[0])
            tally["compared"] = tally.get("compared", 0) + case.deterministic
            tally["spiking"] = tally.get("spiking", 0) + any(
                a.size and name.endswith(", i")
                for name, a in there.items()
                if name.startswith("spikes of") and not name.startswith("spikes of in")
            )

    examples(strategies.circuits(), share("circuits"), shard, check)
    tally.check("circuits", accepted=0.4, compared=0.2, spiking=0.02)
    compare_compiled(cases)


@pytest.mark.parametrize("kind", COMPILED)
@pytest.mark.parametrize("shard", range(2))
def test_spoiled(kind, shard):
    """A circuit with one of everything in which a name, a text or a value is another."""
    tally, cases = Tally(), []

    def check(case):
        net, _ = made(case.source(), case)
        if net is None:
            return tally.count("refused")
        found = ran(net, case, "interpreted")
        tally.count("accepted")
        if found[0] is not None:
            cases.append((case, found))

    examples(getattr(strategies, kind)(), share(kind), 10 + shard, check)
    tally.check(kind, accepted=0.005, refused=0.005)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare_compiled(cases[: -(-COMPILED[kind] * CASES // 2000)])


@pytest.mark.parametrize("shard", shards("renumbered"))
def test_renumbered(shard):
    """Other numbers for one program: both backends take the same, and give the same."""
    tally = Tally()

    def check(case):
        net, _ = made(case.source(), case)
        if net is None:
            return tally.count("refused")
        (there, finite), (here, also) = (ran(net, case, backend) for backend in ("interpreted", "compiled"))
        tally.count("accepted")
        if (there is None) != (here is None) or finite != also:
            raise Broken(f"interpreted {there and finite}, compiled {here and also}\n{case!r}")
        drawn = "'sparse.p'" in case.source() or "'noise.rates'" in case.source()
        said = here and finite and differences(boundary.arrays(there), boundary.arrays(here), not drawn)
        if said:
            raise Broken(f"interpreted and compiled differ: {said}\n{case!r}")

    examples(strategies.renumbered(), share("renumbered"), 20 + shard, check)
    tally.check("renumbered", accepted=0.005, refused=0.005)


def test_trials():
    """Trials with numbers of their own: both backends take the same, and give the same."""
    net, _ = made(strategies.GOOD)
    tally = Tally()

    def recordings(text, backend):
        names = {**boundary.NAMES, "engine": engine, "net": net}
        with limited(text), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return eval(f"engine.run(net, {text}, backend={backend!r})", names)
            except Broken:
                raise
            except Exception as error:
                refused(error, f"engine.run(net, {text}, backend={backend!r})")
                return type(error).__name__

    def check(text):
        there, here = (recordings(text, backend) for backend in ("interpreted", "compiled"))
        tally.count("refused" if isinstance(there, str) else "accepted")
        if isinstance(there, str) or isinstance(here, str):
            said = "" if isinstance(there, type(here)) else f"interpreted {there}, compiled {here}"
        else:
            pairs = zip(there, here, strict=True)
            said = "; ".join(
                filter(None, (differences(boundary.arrays(a), boundary.arrays(b), True) for a, b in pairs))
            )
        if said:
            raise Broken(f"{said}\n{strategies.HEAD}net = {strategies.GOOD}\nengine.run(net, {text})")

    examples(strategies.trials(), share("trials"), 40, check)
    tally.check("trials", accepted=0.005, refused=0.005)


def test_runs():
    """Durations, seeds, trials, jobs, backends."""
    net, _ = made(strategies.GOOD)

    def check(given):
        text = ", ".join(f"{k}={v}" for k, v in given.items())
        with limited(text), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                eval(f"engine.run(net, {text})", {**boundary.NAMES, "engine": engine, "net": net})
            except Broken:
                raise
            except Exception as error:
                refused(error, f"engine.run(net, {text})")

    examples(strategies.runs() | st.just({"duration": "1.2*ms"}), share("runs"), 30, check)
