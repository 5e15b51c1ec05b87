"""The model that docs/coming-from/nest.md writes twice fires the same spikes in both."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "coming-from" / "nest.md"


@pytest.mark.compiled
def test_model_in_nest_and_here(nest, agrees):
    names = {}
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        exec(compile(block, str(PAGE), "exec"), names)
    ours, theirs = names["ours"], names["theirs"]
    assert len(ours) > 500
    different = len(set(ours) ^ set(theirs))
    note = "The model of the page for those who come from NEST, of which this executes both halves."
    agrees(
        "circuits.neurons.leaky", "NEST iaf_psc_exp", f"spikes that differ, of {len(theirs)}, on the page",
        different, 0, note=note,
    )  # fmt: skip
