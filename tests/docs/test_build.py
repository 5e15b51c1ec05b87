"""All pages: built without a warning, links that lead somewhere, and nothing that comes from outside."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "docs" / "_build" / "html"


class Page(HTMLParser):
    """Anchors and links of a page, and what a browser would load for it."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded = {""}, [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        for key in ("src", "href"):
            if tag in ("script", "img", "link", "iframe", "source") and found.get(key):
                self.loaded.append(found[key])


def outside(link):
    return link.startswith(("http:", "https:", "//"))


def faults(folder):
    """Links that lead nowhere, and what a page would load over a network."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}
    found = []
    for path, page in pages.items():
        found += [f"{path.name} loads {link}" for link in page.loaded if outside(link)]
        for link in [*page.links, *page.loaded]:
            if outside(link) or link.startswith(("mailto:", "data:", "javascript:")):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                found.append(f"{path.name}: {link} does not exist")
            elif anchor and target in pages and unquote(anchor) not in pages[target].anchors:
                found.append(f"{path.name}: {link} has no such anchor")
    return found


def test_faults_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="b.html">x</a><a href="#here">x</a><a href="#there">x</a>'
        '<script src="https://cdn.example/x.js"></script>'
    )
    assert len(faults(tmp_path)) == 3


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.timeout(3600)
def test_everything_is_built_without_a_warning():
    pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
    command = [sys.executable, str(ROOT / "docs" / "make.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert faults(HTML) == []
    warned = [p.name for p in HTML.rglob("*.html") if "[py.warnings]" in p.read_text(encoding="utf-8")]
    assert warned == []  # of libraries, in the outputs of notebooks
    known = {path.stem for path in (HTML / "gallery").glob("*.html")} - {"index"}
    from experiments.__main__ import discover

    assert known == set(discover())
