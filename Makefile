# make figures    an environment of its own (.venv), the headline experiments, and where their figures are
# make test       the same for the tests
# make oracles    the same models in NEST and NEURON; rewrites docs/evidence/oracles.json
# make docs       the documentation in docs/_build/html, with a gallery of all experiments
# make notebook   opens the notebooks of experiments/notebooks in Jupyter
# make bench, make lint, make clean
#
# PYTHON=python3.12 chooses the interpreter, VENV=folder another place for the environment.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help figures test oracles docs notebook bench lint clean tools

HEADLINE ?= single_cells separation_property japanese_vowels vor_adaptation
HEADLINE_OPTIONS ?= --quick
PYTEST_OPTIONS ?=
BENCH_OPTIONS ?=
GALLERY_OPTIONS ?= --quick
JUPYTER_OPTIONS ?= $(if $(filter 0,$(shell id -u)),--allow-root)
VENV ?= .venv

# Without a choice: the first interpreter of a version that the project supports.
supported = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for p in python3 python3.11 python3.12 python3.13; do \
	if $$p -c '$(supported)' 2>/dev/null; then echo $$p; exit; fi; done; echo python3)
else
chosen := $(PYTHON)
endif

# What is imported is compiled once and kept, whatever the caller's shell says: else every import takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

python := $(VENV)/bin/python
pip := $(python) -m pip --disable-pip-version-check --no-input
notebooks := $(patsubst %.py,%.ipynb,$(wildcard experiments/notebooks/*.py))

help:
	@sed -n 's/^# \{0,1\}//; 1,8p' Makefile

figures: $(VENV)/.ready
	$(python) -m experiments --verify $(HEADLINE_OPTIONS) $(HEADLINE)

test: $(VENV)/.ready-test
	$(python) -m pytest -n auto --dist worksteal $(PYTEST_OPTIONS)

oracles: $(VENV)/.ready-test $(VENV)/.ready-oracles
	$(python) -m pytest -n auto --dist worksteal -m oracle tests/oracles --evidence docs/evidence/oracles.json $(PYTEST_OPTIONS)

docs: $(VENV)/.ready-docs
	$(python) docs/make.py $(GALLERY_OPTIONS)

notebook: $(VENV)/.ready-notebooks $(notebooks)
	$(python) -m jupyter notebook $(JUPYTER_OPTIONS) $(if $(word 2,$(notebooks)),experiments/notebooks,$(notebooks))

bench: $(VENV)/.ready-benchmarks
	$(python) benchmarks/bench.py $(BENCH_OPTIONS)

lint: $(VENV)/.ready-test
	$(python) -m ruff check .

clean:
	rm -rf $(VENV) build dist docs/_build *.egg-info .pytest_cache .hypothesis .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f $(notebooks)

# A notebook made from the text is the user's from then on: it is made again only when the text is newer.
%.ipynb: %.py | $(VENV)/.ready-notebooks
	$(python) -m jupytext --quiet --to ipynb --output $@ $<

# The environment. Each stamp says that what its name asks for was installed from the present setup.cfg.
# Byte code is left to the first import, since most of what is installed is never imported. That import also shows
# that the packages fit each other.
$(VENV)/.ready: setup.cfg pyproject.toml | tools
	@if [ ! -x $(python) ] || ! $(python) -m pip --version >/dev/null 2>&1; then \
	   $(PYTHON) -m venv --clear $(VENV); fi
	@echo "Installing into $(VENV) ($$($(python) --version)); about two minutes the first time."
	@$(pip) install -qq --no-compile --prefer-binary --editable .
	@$(python) -W ignore -c 'import brian2, elephant, matplotlib.pyplot, pandas, reservoirpy, seaborn, sklearn'
	@touch $@

$(VENV)/.ready-%: $(VENV)/.ready
	@echo "Installing what $* needs into $(VENV)."
	@$(pip) install -qq --no-compile --prefer-binary --editable '.[$*]'
	@touch $@

# The other simulators: where one cannot be installed, the benchmarks go without it.
$(VENV)/.ready-benchmarks: $(VENV)/.ready
	@echo "Installing the simulators of the benchmarks into $(VENV)."
	@for simulator in nest annarchy; do \
	   $(pip) install -qq --no-compile --prefer-binary --editable ".[$$simulator]" || \
	   echo "The extra $$simulator cannot be installed here; its columns stay empty."; done
	@touch $@

tools:
	@$(PYTHON) -c '' 2>/dev/null || { \
	   echo "There is no interpreter $(PYTHON). Install Python 3.11, 3.12 or 3.13"; \
	   echo "(Debian, Ubuntu: apt-get install python3 python3-venv),"; \
	   echo "or name yours: make PYTHON=/path/to/python3.12 ..."; exit 1; } >&2
	@$(PYTHON) -c '$(supported)' || { \
	   echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); Python 3.11, 3.12 or 3.13 is needed."; \
	   echo "Name another one: make PYTHON=python3.12 ..."; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	   v=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	   echo "$(PYTHON) cannot make environments: its modules venv and ensurepip are missing."; \
	   echo "Install them (Debian, Ubuntu: apt-get install python$$v-venv)."; exit 1; } >&2
	@command -v $(firstword $(CXX)) >/dev/null || { \
	   echo "There is no C++ compiler: $(firstword $(CXX)) is not on the path."; \
	   echo "Install one (Debian, Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++),"; \
	   echo "or name yours: make CXX=clang++ ..."; exit 1; } >&2
	@if [ -n "$(chosen)" ] && [ -x $(python) ]; then \
	   version='import sys; print("%d.%d" % sys.version_info[:2])'; \
	   old=$$($(python) -c "$$version"); new=$$($(PYTHON) -c "$$version"); \
	   [ "$$old" = "$$new" ] || { \
	   echo "$(VENV) was made with Python $$old and not with Python $$new."; \
	   echo "Remove it (make clean), or give the other one a place of its own:"; \
	   echo "make PYTHON=$(PYTHON) VENV=.venv-$$new ..."; exit 1; } >&2; fi
