"""The same model with the same inputs here and in another simulator; what was found is written down.

Each comparison calls `agrees(...)`, which asserts and keeps one row: what was compared, with whom, the number
measured, its bounds, and a note where the two differ by convention. `make oracles` (pytest --evidence FILE)
writes the rows to docs/evidence/oracles.json, from which the documentation makes its tables.
"""

import importlib.metadata
import json
import platform
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for oracle_models, which the tests here share

KEY = "oracle agreement"


def pytest_addoption(parser):
    parser.addoption("--evidence", type=Path, help="write what the comparisons found to this file (JSON)")
    parser.addoption("--oracle-seed", type=int, default=1, help="draw other parameters and input")


def pytest_configure(config):
    config.pluginmanager.register(Collector(config), "oracle-evidence")


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.oracle)


class Collector:
    """Gathers the rows of all tests, also of the processes of pytest-xdist, and writes them at the end."""

    def __init__(self, config):
        self.config, self.rows = config, []

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            for key, row in report.user_properties:
                if key == KEY:
                    self.rows.append({**row, "test": report.nodeid})

    def pytest_sessionfinish(self):
        path = self.config.getoption("--evidence", None)
        if path is None or hasattr(self.config, "workerinput") or not self.rows:
            return
        packages = ("brian2", "numpy", "nest-simulator", "neuron")
        versions = {"python": platform.python_version()}
        for name in packages:
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        path.parent.mkdir(parents=True, exist_ok=True)
        order = ("subject", "oracle", "quantity", "test")
        rows = sorted(self.rows, key=lambda row: [row[key] for key in order])
        path.write_text(json.dumps({"versions": versions, "rows": rows}, indent=1) + "\n")


@pytest.fixture
def agrees(request):
    """agrees(subject, oracle, quantity, measured, high, low=0, unit="1", note=""): assert and write down.

    Parameters
    ----------
    subject : str
        What of this project is compared, by its name as users import it: "circuits.neurons.leaky",
        "plasticity.stdp.triplet", or "network: ..." for a whole network.
    oracle : str
        With what: "NEST iaf_psc_delta", "NEURON hh".
    quantity : str
        What the number is: "largest difference of a spike time".
    measured, high, low : float
        The number and its bounds, low <= measured <= high.
    unit : str
    note : str
        The convention in which both differ, or who is right and why.
    """

    def check(subject, oracle, quantity, measured, high, low=0.0, unit="1", note=""):
        measured = float(measured)
        row = dict(
            subject=subject, oracle=oracle, quantity=quantity, measured=measured, low=float(low),
            high=float(high), unit=unit, note=" ".join(note.split()), holds=bool(low <= measured <= high),
        )  # fmt: skip
        request.node.user_properties.append((KEY, row))
        assert low <= measured <= high, (
            f"{subject} against {oracle}: {quantity} is {measured:.4g} {unit}, not in {low:g} to {high:g}"
        )

    return check


@pytest.fixture
def draw(request):
    """A generator for parameters and inputs, the same for the same test and `--oracle-seed`."""
    name = [ord(letter) for letter in request.node.originalname]
    return np.random.default_rng([request.config.getoption("--oracle-seed", 1), *name])


@pytest.fixture
def nest():
    """NEST's kernel, reset, on one thread and silent."""
    nest = pytest.importorskip("nest", reason="NEST is not installed (extra `oracles`)")
    if hasattr(nest, "VerbosityLevel"):  # since 3.10
        nest.verbosity = nest.VerbosityLevel.ERROR
    else:
        nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    return nest


@pytest.fixture
def neuron():
    """NEURON's interpreter `h`, with its standard run system."""
    neuron = pytest.importorskip("neuron", reason="NEURON is not installed (extra `oracles`)")
    neuron.h.load_file("stdrun.hoc")
    return neuron.h
