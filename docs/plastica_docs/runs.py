"""Runs of the experiments for the gallery: made where they are missing or older than the code, else reused.

A run belongs to the code if the sources that it can reach by imports, the versions of the packages that
compute, and the options are the same. Sources are compared by their syntax trees without docstrings: a
comment makes no run old.
"""

import ast
import hashlib
import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import metadata

from . import DOCS, ROOT
from .references import PACKAGES, _aliases, module_files

RUNS = DOCS / "_build" / "runs"
AT_ONCE = 2
COMPUTE = ("brian2", "numpy", "scipy", "scikit-learn", "sktime", "matplotlib")


@cache
def _modules():
    return {name: path for package in PACKAGES for name, path in module_files(package).items()}


@cache
def _imported(module):
    """The modules of this project that one imports; of the engine, which imports as it goes, all."""
    known, found = _modules(), set()
    for name in _aliases(module, known[module]).values():
        while name and name not in known:
            name = name.rpartition(".")[0]
        while name:
            found.add(name)
            name = name.rpartition(".")[0]
    if "engine" in found:
        found |= {name for name in known if name.startswith("engine.")}
    return found & set(known)


def sources(experiment):
    """The files that a run of the experiment depends on."""
    seen, left = set(), {f"experiments.{experiment}", "experiments.runs", "experiments.parameters"}
    while left:
        module = left.pop()
        seen.add(module)
        left |= _imported(module) - seen
    paths = {_modules()[module] for module in seen}
    if any(module.startswith("engine") for module in seen):
        paths |= {p for p in (ROOT / "engine").rglob("*") if p.suffix in (".cpp", ".h")}
    return sorted(paths)


@cache
def _content(path):
    if path.suffix != ".py":
        return path.read_bytes()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree).encode()


def mark(experiment, options):
    """What a run of the present code with these options is known by."""
    found = hashlib.sha256()
    for path in sources(experiment):
        found.update(str(path.relative_to(ROOT)).encode() + b"\0" + _content(path) + b"\0")
    versions = [f"{name} {metadata.version(name)}" for name in COMPUTE]
    for text in (*versions, sys.version.split()[0], *options):
        found.update(text.encode() + b"\0")
    return found.hexdigest()


def folder(experiment):
    return RUNS / experiment


def report(experiment):
    """The report of the run that the gallery shows, with the options it was made with."""
    known = json.loads((folder(experiment) / "report.json").read_text(encoding="utf-8"))
    made = json.loads((folder(experiment) / "gallery.json").read_text(encoding="utf-8"))
    return known | {"options": made["options"], "wall": made.get("wall")}


def _state(experiment):
    try:
        return json.loads((folder(experiment) / "gallery.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _finished(experiment):
    return all((folder(experiment) / name).exists() for name in ("report.json", "figure.png"))


def make(experiments, options):
    """Make what is missing, two runs at a time; returns experiment to error for those that failed."""
    marks = {name: mark(name, options) for name in experiments}
    old = [n for n in experiments if not (_finished(n) and _state(n).get("mark") == marks[n])]
    # The longest first, as far as earlier runs tell, so that the last one does not keep a core waiting.
    old.sort(key=lambda name: -_state(name).get("wall", 60.0))
    failed, start = {}, time.monotonic()
    if old:
        print(f"Gallery: {len(experiments) - len(old)} runs are up to date, {len(old)} are made.", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = 0
        for name, wall, error in pool.map(lambda n: _run(n, options, marks[n]), old):
            done += 1
            passed = time.monotonic() - start
            print(f"  [{done}/{len(old)}] {name}: {wall:.0f} s ({passed:.0f} s so far)", flush=True)
            if error:
                failed[name] = error
    return failed


def _run(name, options, wanted):
    place = folder(name)
    if _state(name).get("mark") != wanted:  # what is left of a run of other code; of the same one it goes on
        shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    known = {"mark": wanted, "options": list(options)}
    (place / "gallery.json").write_text(json.dumps(known))
    start = time.monotonic()
    command = [sys.executable, "-m", "experiments", name, *options, "--out", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    wall = time.monotonic() - start
    (place / "gallery.json").write_text(json.dumps(known | {"wall": round(wall, 1)}))
    if _finished(name):
        return name, wall, ""
    return name, wall, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
