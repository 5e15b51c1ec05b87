"""What the tests of experiments share."""

import importlib
import sys
import textwrap

import pytest


@pytest.fixture
def lab(request, tmp_path, monkeypatch):
    """The test module's small experiment `LAB` as a module that workers can import, in an empty folder."""
    name = f"lab_{tmp_path.name.replace('-', '_')}"
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / f"{name}.py").write_text(textwrap.dedent(request.module.LAB).lstrip())
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    yield importlib.import_module(name)
    del sys.modules[name]
