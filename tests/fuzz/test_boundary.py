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
    "renamed": (15, 2),
    "misspelt": (18, 2),
    "misvalued": (12, 2),
    "renumbered": (12, 2),
}
RUNS = 3

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
    return CASES * percent // (100 * parts)


class Tally(dict):
    """What became of the cases; a fuzzer all of whose cases are refused, or none, tests nothing."""

    def count(self, what):
        self[what] = self.get(what, 0) + 1

    def check(self, kind, accepted):
        print(f"{kind}: {dict(self)}")
        total = sum(self.values())
        if total >= 40:
            assert self.get("accepted", 0) >= accepted * total, f"too few are accepted: {dict(self)}"


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

    examples(strategies.circuits(), share("circuits"), shard, check)
    tally.check("circuits", 0.6)
    compare_compiled(cases)


@pytest.mark.parametrize("kind", ["renamed", "misspelt", "misvalued"])
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
    tally.check(kind, 0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # names matter most to what is compiled; each of these is a program of its own
        compare_compiled(cases[: {"renamed": 30, "misspelt": 10, "misvalued": 10}[kind] * CASES // 2000])


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
        drawn = "sparse.p" in case.source() or "noise.rates" in case.source()
        said = here and finite and differences(boundary.arrays(there), boundary.arrays(here), not drawn)
        if said:
            raise Broken(f"interpreted and compiled differ: {said}\n{case!r}")

    examples(strategies.renumbered(), share("renumbered"), 20 + shard, check)
    tally.check("renumbered", 0.1)


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

    examples(strategies.runs() | st.just({"duration": "1.2*ms"}), CASES * RUNS // 100, 30, check)
