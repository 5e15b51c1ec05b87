"""PLASTICA_JOBS limits how many trials run side by side, where many programs do so already."""

import pytest

from engine import NumbersError
from engine.program import Program

MANIFEST = {"numbers": {}, "sources": {}, "dt": 1e-4, "recorders": []}


def jobs_given_to_the_program(jobs):
    sections, _ = Program("key", "nowhere", MANIFEST)._sections({}, 1.0, 0, [{}, {}], jobs)
    return sections[0]["jobs"]


def test_the_limit_holds_and_is_no_more_than_a_limit(monkeypatch):
    monkeypatch.delenv("PLASTICA_JOBS", raising=False)
    assert jobs_given_to_the_program(4) == 4
    monkeypatch.setenv("PLASTICA_JOBS", "2")
    assert jobs_given_to_the_program(4) == 2
    assert jobs_given_to_the_program(1) == 1


@pytest.mark.parametrize("text", ["0", "two", "-1", "1.5"])
def test_a_limit_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("PLASTICA_JOBS", text)
    with pytest.raises(NumbersError, match="PLASTICA_JOBS"):
        jobs_given_to_the_program(4)
