"""What all tests share: no window is ever opened, and the user's own cache of programs is left alone."""

import os
import shutil
import tempfile

import pytest

os.environ["MPLBACKEND"] = "Agg"


def pytest_configure(config):
    """One cache for the session, empty at its start; PLASTICA_TEST_CACHE names one that is kept."""
    kept = os.environ.get("PLASTICA_TEST_CACHE")
    if not kept:
        kept = config._plastica_cache = tempfile.mkdtemp(prefix="plastica-tests-")
        os.environ["PLASTICA_TEST_CACHE"] = kept  # for the processes that pytest-xdist starts
    os.environ["PLASTICA_CACHE"] = kept


def pytest_unconfigure(config):
    folder = getattr(config, "_plastica_cache", None)
    if folder:
        del os.environ["PLASTICA_TEST_CACHE"]
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items):
    compiler = os.environ.get("CXX", "g++").split()[0]
    if shutil.which(compiler) is None:
        reason = pytest.mark.skip(reason=f"no C++ compiler ({compiler} is not on the path)")
        for item in items:
            if item.get_closest_marker("compiled"):
                item.add_marker(reason)
