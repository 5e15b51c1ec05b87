"""The architecture as one picture (SVG): the packages, what goes from one to the next, their sizes."""

import html

from .references import PACKAGES, _aliases, module_files

# In the order of the flow: package, what it holds, what it hands on.
FLOW = (
    ("plasticity", "rules, composed on one synapse", "Synapse"),
    ("circuits", "cells, synapses, wiring, inputs: data", "Circuit"),
    ("engine", "compiles once, runs many times", "Recording"),
    ("analysis", "arrays in, arrays out", "measures, plots"),
    ("experiments", "figures with claims, sweeps", ""),
)
BOX, HEIGHT, STEP, TOP = 270, 62, 98, 8


def imports():
    """Package to the packages of this project that it imports."""
    found = {}
    for package in PACKAGES:
        names = set()
        for module, path in module_files(package).items():
            names |= {name.partition(".")[0] for name in _aliases(module, path).values()}
        found[package] = (names & set(PACKAGES)) - {package}
    return found


def check():
    """Packages with those that they import and should not know; the picture is that of the code if none."""
    allowed = {
        "circuits": set(),
        "plasticity": {"circuits"},
        "engine": {"circuits"},
        "analysis": set(),
        "experiments": {"circuits", "plasticity", "engine", "analysis"},
    }
    against = {package: names - allowed[package] for package, names in imports().items()}
    return {package: names for package, names in against.items() if names}


def _lines(package):
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in module_files(package).values())


def svg():
    """The picture; colours follow the page's, light or dark."""
    parts = []
    for k, (package, text, gives) in enumerate(FLOW):
        y = TOP + k * STEP
        parts.append(_box(8, y, package, text))
        if gives:
            parts.append(_arrow(8 + BOX / 2, y + HEIGHT, y + STEP, gives))
    height, width = 2 * TOP + (len(FLOW) - 1) * STEP + HEIGHT, BOX + 16
    described = "Circuits are data; the engine runs them; recordings go to analysis and experiments."
    return (
        f'<svg class="architecture" viewBox="0 0 {width} {height}" role="img" aria-label="{described}" '
        f'xmlns="http://www.w3.org/2000/svg"><defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" '
        f'markerWidth="7" markerHeight="7" orient="auto"><path d="M 0 0 L 10 5 L 0 10 z"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def _box(x, y, name, text):
    count = len(module_files(name))
    size = f"{count} modules, {_lines(name)} lines"
    return (
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{HEIGHT}" rx="6"/>'
        f'<text class="name" x="{x + BOX / 2}" y="{y + 21}">{name}/</text>'
        f'<text x="{x + BOX / 2}" y="{y + 38}">{html.escape(text)}</text>'
        f'<text class="size" x="{x + BOX / 2}" y="{y + 54}">{size}</text>'
    )


def _arrow(x, start, end, label):
    return (
        f'<line x1="{x}" y1="{start}" x2="{x}" y2="{end}" marker-end="url(#tip)"/>'
        f'<text class="what" x="{x + 10}" y="{(start + end) / 2 + 4}">{label}</text>'
    )
