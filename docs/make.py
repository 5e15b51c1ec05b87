"""Makes the documentation: runs of the experiments that are missing or old, pages from the code, then HTML.

    python docs/make.py [--quick] [other options of `python -m experiments`]

The options are those of the runs in the gallery; without --quick they have their full length. The pages are
docs/_build/html; any warning is an error.
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

GENERATED = ("cards", "gallery", "notebooks", "measured")


def write_pages():
    """Write all generated pages; a page that did not change keeps its time, so that Sphinx leaves it."""
    from plastica_docs import architecture, cards, evidence, gallery, notebooks

    against = architecture.check()
    if against:
        raise SystemExit(f"packages import what they should not know: {against}")
    made = {**cards.pages(), **gallery.pages(), **notebooks.pages()}
    made["measured/oracles.md"] = evidence.oracle_page()
    made["measured/benchmarks.md"] = evidence.benchmark_page()
    made["measured/architecture.svg"] = architecture.svg()
    for folder in GENERATED:
        for path in (HERE / folder).rglob("*.md"):
            if str(path.relative_to(HERE)) not in made:
                path.unlink()
    for name, text in made.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return made


def copy_font():
    """STIX Two Math (SIL Open Font License), which ziamath ships: formulas look alike everywhere."""
    import ziamath

    source = next(Path(ziamath.__file__).parent.rglob("STIXTwoMath-Regular.ttf"))
    target = HERE / "_static" / "fonts" / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copyfile(source, target)


def main(options):
    from plastica_docs import gallery, runs
    from sphinx.cmd.build import main as sphinx

    from experiments.__main__ import discover

    failed = runs.make(list(discover()), options)
    gallery.figures()
    write_pages()
    copy_font()
    build = HERE / "_build"
    html = build / "html"
    code = sphinx(["-q", "-W", "--keep-going", "-d", str(build / "doctrees"), str(HERE), str(html)])
    for name, error in failed.items():
        print(f"The run of {name} failed:\n{error}", file=sys.stderr)
    if not code:
        print(f"The pages are in {html}/index.html")
    return 1 if failed else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
