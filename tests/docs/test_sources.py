"""Every cell, synapse and rule says where it comes from."""

import pytest
from plastica_docs import library


@pytest.mark.parametrize("item", library.items(), ids=lambda item: item.subject)
def test_everything_has_a_source(item):
    assert item.made.source.strip()
