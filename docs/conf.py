"""Settings of Sphinx. `make docs` (docs/make.py) writes the generated pages first, then calls Sphinx."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# Notebooks run in processes of their own, which must find the project where it is not installed.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))

from plastica_docs import evidence, notebooks  # noqa: E402

project = "Plastica"
author = copyright = "The Plastica developers"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "plastica_docs.mathematics",
    "plastica_docs.docstrings",
]
exclude_patterns = ["_build", "plastica_docs", "evidence", "**/.ipynb_checkpoints"]
myst_enable_extensions = ["dollarmath", "colon_fence", "substitution"]
myst_heading_anchors = 3
nitpicky = False

html_theme = "furo"
html_title = "Plastica"
html_static_path = ["_static"]
html_css_files = ["plastica.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
templates_path = []
smartquotes = False  # what stands in quotes is often code
pygments_style = "friendly"
pygments_dark_style = "monokai"

# Notebooks are executed once for each state of the code; a cell that fails fails the build.
nb_execution_mode = "cache"
nb_execution_cache_path = str(notebooks.cache())
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_ipywidgets_js = {}  # these scripts would come over a network; bars of progress have no place here either
os.environ["TQDM_DISABLE"] = "1"
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"
# Kernels take their settings from here, not from the user. Their warning that what they say is not encrypted
# is left out: it stays on this machine.
ipython = HERE / "_build" / "ipython"
settings = ipython / "profile_default" / "ipython_kernel_config.py"
settings.parent.mkdir(parents=True, exist_ok=True)
settings.write_text("c.IPKernelApp.log_level = 'ERROR'\n", encoding="utf-8")
os.environ["IPYTHONDIR"] = str(ipython)
suppress_warnings = ["mystnb.unknown_mime_type"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
myst_substitutions = {"versions": evidence.versions()}
