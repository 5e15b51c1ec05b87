"""A page for every experiment: its figure, its claims against what was measured, its numbers, its source."""

import ast
import inspect

from experiments.__main__ import discover

from . import DOCS, ROOT, references, runs
from .library import items
from .text import code, escaped, folded, interval, paragraphs, short, table


def pages():
    """Path below docs/ to Markdown, of all experiments and the grid of their figures."""
    known = discover()
    made = {f"gallery/{name}.md": page(name, line) for name, line in known.items()}
    made["gallery/index.md"] = index(known)
    return made


def figures():
    """Copy the figures to where the pages look for them; those that are there stay."""
    place = DOCS / "gallery" / "figures"
    place.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for name in discover():
        source = runs.folder(name) / "figure.png"
        for target, width in ((f"{name}.png", 1600), (f"{name}-small.png", 480)):
            if source.exists():
                wanted.add(target)
                if not _newer(place / target, source):
                    _write_png(source, place / target, width)
    for path in place.iterdir():
        if path.name not in wanted:
            path.unlink()


def _newer(path, source):
    return path.exists() and path.stat().st_mtime >= source.stat().st_mtime


def _write_png(source, target, width):
    """The figure, made smaller if it is wider than a page needs."""
    from PIL import Image

    with Image.open(source) as image:
        if image.width > width:
            height = round(image.height * width / image.width)
            image = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        image.save(target, optimize=True)


def index(known):
    tiles = []
    for name, line in known.items():
        try:
            report = runs.report(name)
            verdict = _verdict(report)
            image = f"[![{name}](figures/{name}-small.png)]({name}.md)\n\n"
        except OSError:
            verdict, image = "the run failed", ""
        words = f"**[{name}]({name}.md)** {escaped(line)} *{escaped(verdict)}*"
        tiles.append(f":::{{container}} tile\n{image}{words}\n:::")
    cards = "\n".join(tiles)
    toc = "```{toctree}\n:hidden:\n\n" + "\n".join(known) + "\n```"
    shown = [report for name in known if (report := _report(name))]
    claims = [claim for report in shown for claim in report["claims"]]
    hold = sum(claim["holds"] for claim in claims)
    return "\n\n".join(
        [
            "# Gallery",
            f"Every experiment, made anew from its module: {len(known)} experiments, {hold} of {len(claims)} "
            "claims hold in the form shown. Each page says which form that is: the quick one, which takes "
            "seconds to minutes, unless `make docs GALLERY_OPTIONS=` has made the full ones.",
            f"::::{{container}} tiles\n{cards}\n::::",
            toc,
        ]
    ) + "\n"


def _report(name):
    try:
        return runs.report(name)
    except OSError:
        return None


def _verdict(report):
    claims = report["claims"]
    hold = sum(claim["holds"] for claim in claims)
    return f"{hold} of {len(claims)} claims hold" if hold < len(claims) else f"all {hold} claims hold"


def page(name, line):
    """The page of one experiment."""
    path = ROOT / "experiments" / f"{name}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    report = _report(name)
    parts = [f"(experiment-{name})=\n# {name}", f"{escaped(line)}"]
    if report is None:
        parts.append("```{admonition} The run failed\n:class: error\nThere is no result to show.\n```")
    else:
        parts += _results(name, report)
    about = text.partition("\n")[2].strip()
    if about:
        parts += ["## The model and its source", paragraphs(about)]
    parts += _parameters(name, report)
    if report:
        parts += _made(name, report)
    used = [item for item in items() if item.subject in references.used_by_experiments()[name]]
    if used:
        links = ", ".join(f"[{item.name}](../cards/{item.page}.md)" for item in used)
        parts += ["## Cells, synapses and rules in it", links]
    source = f"```{{literalinclude}} ../../experiments/{name}.py\n:language: python\n```"
    parts += ["## Code", folded(f"experiments/{name}.py", source)]
    return "\n\n".join(parts) + "\n"


def form(report):
    """Which form of an experiment a report is of."""
    return "the quick form" if "--quick" in report["options"] else "the full form"


def _results(name, report):
    seeds = report["seeds"]
    of = f" Seeds: {', '.join(map(str, seeds))}." if seeds else " Nothing in it is random."
    failing = [claim for claim in report["claims"] if not claim["holds"]]
    parts = [
        # The picture leads to itself: on a phone it is small.
        f"```{{image}} figures/{name}.png\n:alt: {name}\n:target: ../_images/{name}.png\n```",
        f"Shown is **{form(report)}**, which ran for {report['runtime_s']:.0f} s; {_verdict(report)}.{of}",
    ]
    if failing:
        listed = "\n".join(f"- {escaped(claim['name'])}" for claim in failing)
        fail = "claim fails" if len(failing) == 1 else "claims fail"
        if "--quick" in report["options"]:
            listed += (
                f"\n\nBounds are made for the full form, `python -m experiments {name}`; shown is a smaller "
                "or shorter one (see the parameters)."
            )
        parts.append(
            f"```{{admonition}} {len(failing)} {fail} of {len(report['claims'])}\n"
            f":class: warning\n{listed}\n```"
        )
    claims = [claim for claim in report["claims"] if not claim["control"]]
    controls = [claim for claim in report["claims"] if claim["control"]]
    if claims:
        parts += ["## Claims", _claims(claims)]
    if controls:
        parts += [
            "## Negative controls",
            "The same statements under an ablation: each holds where the statement fails.",
            _claims(controls),
        ]
    return parts


def _claims(claims):
    rows = []
    for claim in claims:
        number = f"{short(claim['measured'])}\u00a0{claim['unit']}".strip()
        must = f"{interval(claim['low'], claim['high'])}\u00a0{claim['unit']}".strip()
        texts = (escaped(text) for text in (claim["name"], number, "not " * claim["control"] + must))
        rows.append((*texts, "holds" if claim["holds"] else "**FAILS**", escaped(claim["source"])))
    return table(("claim", "measured", "must be", "", "source of the bounds"), rows)


def _parameters(name, report):
    """The keyword defaults of `run`, and what the form that is shown has in their place."""
    import importlib

    from experiments.parameters import defaults
    from experiments.runs import parameter_texts

    module = importlib.import_module(f"experiments.{name}")
    texts = parameter_texts(defaults(module))
    shown = report["parameters"] if report else {}
    rows = []
    for key, value in texts.items():
        now = shown.get(key, value)
        rows.append((code(key), _written(value), "" if now == value else _written(now)))
    text = inspect.getdoc(module.run) or ""
    head = ("name", "default", "here, where other")
    return ["## Parameters", paragraphs(text) if text else "", table(head, rows)]


def _written(value):
    return escaped(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def _made(name, report):
    options = " ".join(["", *report["options"]])
    where = report["environment"]
    versions = ", ".join(f"{k} {v}" for k, v in where["versions"].items())
    rows = [
        ("command", code(f"python -m experiments {name}{options}")),
        ("simulated and measured in", f"{report['runtime_s']:.1f} s"),
        ("seeds", ", ".join(map(str, report["seeds"])) or "none"),
        ("processor", escaped(where["processor"])),
        ("Python", where["python"]),
        ("compiler", escaped(where["compiler"] or "none")),
        ("packages", escaped(versions)),
    ]
    if where["git"]:
        changed = ", with changes" if where["git"]["changed"] else ""
        rows.append(("commit", f"{code(where['git']['commit'][:12])}{changed}"))
    return ["## How it was made", table(("", ""), rows)]
