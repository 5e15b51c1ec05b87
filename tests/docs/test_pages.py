"""Pages: links lead somewhere, code runs, and everything there is has a page."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from plastica_docs import cards, docstrings, library, notebooks, references

from experiments.__main__ import discover
from plasticity import catalogue, stdp

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GENERATED = ("_build", "cards", "gallery", "notebooks", "measured")
WRITTEN = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(p for p in sorted(DOCS.rglob("*.md")) if p.relative_to(DOCS).parts[0] not in GENERATED),
]


def blocks(path):
    """The Python of a page, block by block."""
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run(path, replaced=(), leave=()):
    """Execute the blocks of a page one after another; `replaced` makes them shorter."""
    names = {}
    for block in blocks(path):
        if any(word in block for word in leave):
            continue
        for old, new in replaced:
            block = block.replace(old, new)
        exec(compile(block, str(path), "exec"), names)
    return names


@pytest.fixture(scope="module")
def card_pages():
    return cards.pages()


@pytest.fixture(scope="module")
def made(card_pages):
    """The pages that `make docs` writes."""
    gallery = {f"gallery/{name}.md" for name in discover()}
    books = {f"notebooks/{path.stem}.md" for path in notebooks.FOLDER.glob("*.py")}
    rest = {f"{folder}/index.md" for folder in ("cards", "gallery", "notebooks")}
    return {*card_pages, *gallery, *books, *rest, "measured/oracles.md", "measured/benchmarks.md"}


def headings(text):
    """Anchors of the headings of a page."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"^#+ (.*)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in found}


def links(text):
    plain = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", plain))


def broken(path, text, known):
    """Links of a page that lead nowhere."""
    wrong = []
    for link in links(text):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        inside = str(target.relative_to(DOCS)) if target.is_relative_to(DOCS) else ""
        if not target.exists() and inside not in known:
            wrong.append(link)
        elif anchor and target.exists() and anchor not in headings(target.read_text(encoding="utf-8")):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_of_written_pages_lead_somewhere(path, made):
    assert broken(path, path.read_text(encoding="utf-8"), made) == []


def test_links_of_the_cards_lead_somewhere(card_pages, made):
    found = {name: broken(DOCS / name, text, made) for name, text in card_pages.items()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def makers():
    """Public functions of the library that return a Cell, a Synapse or a Rule, read from their code."""
    found = set()
    for package in ("circuits", "plasticity"):
        for path in sorted((ROOT / package).glob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    made = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
                    called = {getattr(m.func, "id", "") for m in made if isinstance(m, ast.Call)}
                    if called & {"Cell", "Synapse", "Rule"}:
                        found.add(f"{package}.{path.stem}.{node.name}")
    return found


def test_everything_has_a_card(card_pages):
    assert len(makers()) > 50
    assert makers() <= {item.subject for item in library.items()}
    subjects = {item.subject for item in library.items()}
    assert {f"plasticity.{name}" for name in catalogue.rules()} <= subjects
    assert {"circuits.neurons.leaky", "circuits.synapses.tsodyks_markram"} <= subjects
    assert "circuits.olive.spiking" in subjects  # which takes the keywords of another one
    assert {f"cards/{item.page}.md" for item in library.items()} < set(card_pages)


def test_a_card_has_every_number_equation_and_source(card_pages):
    for item in library.items():
        text = card_pages[f"cards/{item.page}.md"]
        missing = [name for name in item.made.params if f"`{name}`" not in text]
        assert not missing, (item.subject, missing)
        assert r"\frac{\mathrm{d}" in text or "/dt =" not in repr(item.made)
        assert item.made.source.split(";")[0].split(" ")[0] in text


def test_tests_of_a_card_use_it_themselves():
    """Not those that refuse something, nor those that come to it through a helper of their file."""
    used = references.used_by_tests()
    named = {subject for names in used.values() for subject in names}
    assert {"circuits.neurons.leaky", "plasticity.stdp.pair"} <= named
    assert not any(name == "test_sanger_refuses_samples_that_do_not_fit" for _, name, _ in used)
    assert "hebbian" in " ".join(references.files_reaching("plasticity.hebbian.sanger"))


def test_a_card_shows_its_comparisons(monkeypatch):
    from plastica_docs import evidence

    row = dict(
        subject="circuits.neurons.leaky", oracle="NEST iaf_psc_delta", quantity="spike times", measured=0.05,
        low=0.0, high=0.1, unit="ms", note="Stamped a step later.", holds=True, test="x",
    )  # fmt: skip
    record = {"versions": {"python": "3"}, "rows": [row, {**row, "measured": 0.3, "holds": False}]}
    monkeypatch.setattr(evidence, "oracles", lambda: record)
    text = cards.agreement("circuits.neurons.leaky")
    assert "NEST iaf\\_psc\\_delta" in text and "| 0.05 |" in text
    assert "≤\u00a00.1 |" in text and "Compared in `x`." in text
    assert text.count("| holds |") == 1 and text.count("**FAILS**") == 1
    assert text.count("Stamped a step later") == 1
    assert "1 of them do not hold" in evidence.oracle_page().replace("2 comparisons, ", "")
    other = {**row, "measured": 2e-7}  # the same comparison with other parameters
    assert "| 2·10⁻⁷ to 0.05 (2 cases) |" in evidence.comparison_table([row, other])
    ours, theirs = ({**row, "note": f"8 seeds each; spread {k}"} for k in (3, 5))
    text = evidence.comparison_table([ours, theirs]).replace("\\", "")
    assert "spike times (spread 3) [1]" in text and text.count("8 seeds each") == 1


def test_a_colon_in_the_docstring_of_a_property_names_no_type():
    napoleon = pytest.importorskip("sphinx.ext.napoleon", reason="the extra `docs` is not installed")
    lines = ['The interval as text: "3 to 5 mV", "not >= 3 mV" for a control.']
    docstrings.process(None, "property", "bounds", None, None, lines)
    made = str(napoleon.NumpyDocstring(lines, what="property", name="bounds"))
    assert ":type:" not in made and 'as text: "3 to 5 mV"' in " ".join(made.split())


def test_benchmarks_become_tables(monkeypatch, tmp_path):
    import json

    from plastica_docs import evidence

    row = dict(benchmark="CUBA", quantity="loop", low=1.0, high=1.2, unit="s", n=3)
    record = {
        "date": "2026-01-01", "quick": True, "machine": {"processor": "x"}, "versions": {"brian2": "2.9"},
        "benchmarks": [{"name": "CUBA", "text": "4000 cells", "seconds": 1.0}],
        "engines": {"plastica": "Plastica", "brian2": "Brian2"}, "missing": {"annarchy": "not installed"},
        "notes": ["One thread."],
        "rows": [
            {**row, "engine": "plastica", "value": 1.1, "ratio": 1.0},
            {**row, "engine": "brian2", "value": 3.3, "ratio": 3.04},
            {**row, "engine": "brian2", "quantity": "import", "value": 0.5, "ratio": None},
        ],
    }  # fmt: skip
    (tmp_path / "bench.json").write_text(json.dumps(record))
    monkeypatch.setattr(evidence, "EVIDENCE", tmp_path)
    text = evidence.benchmark_page()
    assert "| loop | s | 1.1 | 3.3 (3×) |" in text and "| import | s |  | 0.5 |" in text
    assert "quick form" in text and "annarchy: not installed" in text and "One thread." in text
    assert "4000 cells. Model time: 1 s. 3 repetitions." in text and "In short" not in text
    record["rows"] += [
        {**row, "engine": "plastica", "quantity": "total, warm", "value": 2.0, "ratio": 1.0},
        {**row, "engine": "brian2", "quantity": "total, warm", "value": 250.0, "ratio": 125.0},
    ]
    (tmp_path / "bench.json").write_text(json.dumps(record))
    assert "| CUBA | - / 2 / 1.1 | - / 120× / 3× |" in evidence.benchmark_page()


def code_lines(path):
    """Lines of code of a page: what is fenced or indented, without the indentation of a block."""
    fenced, found = False, []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or path.suffix == ".py" and not line.startswith("# "):
            found.append(line)
        elif line.startswith("    "):
            found.append(line[4:])
    return found


@pytest.mark.parametrize(
    "path",
    [p for p in WRITTEN if p.name != "README.md"] + sorted(notebooks.FOLDER.glob("*.py")),
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_code_fits_the_column_of_a_page(path):
    """Longer lines than 88 characters would have to be scrolled."""
    assert [line for line in code_lines(path) if len(line) > 88] == []


@pytest.mark.compiled
def test_code_of_the_front_pages():
    short = (("1*second, seed=", "0.02*second, seed="),)
    names = run(ROOT / "README.md", short, leave=("set_device",))
    assert "A_plus_stdp" in str(names["learning"])
    assert run(DOCS / "index.md", short)["recording"].spikes["cells"].n == 4000


@pytest.mark.compiled
def test_model_in_brian2_and_here():
    """The page asserts that both give the same spikes and weights."""
    names = run(DOCS / "coming-from" / "brian2.md")
    assert len(names["recording"].spikes["cell"].t) == len(names["monitor"].t) > 100


@pytest.mark.compiled
def test_model_from_bindsnet():
    run(DOCS / "coming-from" / "bindsnet.md")


@pytest.mark.compiled
def test_rule_of_contributing(monkeypatch):
    """The rule that CONTRIBUTING.md adds, put where it says, passes the test that it gives."""
    rule, test = blocks(ROOT / "CONTRIBUTING.md")
    names = dict(vars(stdp))
    exec(rule, names)
    monkeypatch.setattr(stdp, "suppression", names["suppression"], raising=False)
    given = {}
    exec(test, given)
    given["test_change_is_the_sum_over_all_pairs"]()


@pytest.mark.slow
@pytest.mark.compiled
def test_code_of_sweeps(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = run(DOCS / "sweeps.md", (("duration=1*second", "duration=0.02*second"), ("seeds=5", "seeds=1")))
    assert len(names["table"]) == 16 and np.isfinite(names["table"]["rate"]).all()


@pytest.mark.slow
@pytest.mark.compiled
def test_tutorial(monkeypatch):
    """Every cell runs, and what is asserted in them holds."""
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel shows figures inline, as in Jupyter
    jupytext = pytest.importorskip("jupytext")
    nbclient = pytest.importorskip("nbclient")
    notebook = jupytext.read(DOCS / "tutorial.md")
    resources = {"metadata": {"path": str(ROOT)}}
    nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
    outputs = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    kinds = {kind for out in outputs for kind in out.get("data", {})}
    assert {"text/html", "image/png"} <= kinds
