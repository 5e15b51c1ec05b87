"""Brian2's own tests of standalone devices, on ours or on theirs.

    python brian2_suite.py DEVICE FAILURES [NAMES ...]

Tests that name "cpp_standalone" themselves get DEVICE too. The identifiers of tests that fail are written to
the file FAILURES, one per line; NAMES choose tests by their functions' names.
"""

import os
import sys
from pathlib import Path


def pytest_runtest_logreport(report):
    """As a plugin of the suite's pytest: keep what failed."""
    if report.failed:
        with open(os.environ["BRIAN2_SUITE_FAILURES"], "a") as failures:
            failures.write(report.nodeid + "\n")


def main(device, failures, *names):
    here = Path(__file__).resolve()
    sys.path[:0] = [str(here.parents[2]), str(here.parent)]
    os.environ["BRIAN2_SUITE_FAILURES"] = failures
    Path(failures).write_text("")
    import brian2
    from brian2.devices.device import all_devices

    import engine  # noqa: F401  (registers the device)

    all_devices["cpp_standalone"] = all_devices[device]
    arguments = ["-p", here.stem, "-p", "no:cacheprovider", "--tb=short"]
    if names:
        arguments += ["-k", " or ".join(names)]
    brian2.test(
        [],
        test_codegen_independent=False,
        test_in_parallel=[],
        test_standalone="cpp_standalone",
        additional_args=arguments,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
