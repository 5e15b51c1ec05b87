"""The notebooks of experiments/notebooks as pages, and where the outputs of executed ones are kept."""

import hashlib
from pathlib import Path

from . import DOCS, ROOT
from .references import PACKAGES, module_files
from .runs import _content

FOLDER = ROOT / "experiments" / "notebooks"


def pages():
    """Path below docs/ to MyST text of every notebook, and their index."""
    import jupytext

    made = {}
    for path in sorted(FOLDER.glob("*.py")):
        notebook = jupytext.read(path)
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook.metadata["kernelspec"] = kernel
        made[f"notebooks/{path.stem}.md"] = jupytext.writes(notebook, fmt="md:myst")
    toc = "\n".join(["```{toctree}", "", *(path.stem for path in sorted(FOLDER.glob("*.py"))), "```"])
    made["notebooks/index.md"] = (
        "# Notebooks\n\nExecuted when this documentation was built. `make notebook` opens them in Jupyter, "
        f"where they can be changed.\n\n{toc}\n"
    )
    return made


def cache():
    """The folder that keeps outputs for the present state of the code."""
    found = hashlib.sha256()
    for package in PACKAGES:
        for name, path in module_files(package).items():
            found.update(name.encode() + _content(Path(path)))
    return DOCS / "_build" / "notebooks" / found.hexdigest()[:16]
