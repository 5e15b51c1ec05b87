"""Brian2's own standalone tests pass on our device wherever they pass on Brian2's: about half an hour.

With Brian2 2.9.0 on Python 3.11 all 244 tests that run pass, with 2.10.1 on Python 3.12 all 248 (one skips
itself): there are no differences.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("brian2")

SUITE = Path(__file__).with_name("brian2_suite.py")


def failures(device, folder, *names):
    report = folder / f"{device}.txt"
    environment = os.environ | {"TMPDIR": str(folder)}
    command = [sys.executable, str(SUITE), device, str(report), *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert "did complete successfully" in done.stdout or "did not complete" in done.stdout, done.stderr
    return set(report.read_text().split())


@pytest.mark.compiled
@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_brian2_tests(tmp_path):
    failed = failures("fast_standalone", tmp_path)
    if failed:
        names = {identifier.split("::")[-1].split("[")[0] for identifier in failed}
        assert failed == failures("cpp_standalone", tmp_path, *names)
