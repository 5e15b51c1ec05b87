r"""LaTeX as MathML, made at build: browsers draw it themselves, and no script or font comes over a network.

Covers what the pages use: inline and displayed formulas, and `align` with rows and one & per row. Formulas in
the output of notebook cells ($$...$$ in HTML) are taken too.
"""

import html
import re

import latex2mathml.converter
from docutils import nodes
from sphinx.util import logging

logger = logging.getLogger(__name__)


def mathml(latex, display=False):
    r"""One formula as a <math> element; rows of align* become rows of a table."""
    latex = latex.strip()
    rows = re.fullmatch(r"\\begin\{(align\*?|aligned|split)\}(.*)\\end\{\1\}", latex, re.DOTALL)
    mode = ' display="block"' if display else ""
    if rows:
        body = "".join(_row(row) for row in re.split(r"\\\\", rows[2]) if row.strip())
        inner = f'<mtable displaystyle="true">{body}</mtable>'
    else:
        inner = _inner(latex)
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{mode}>{inner}</math>'


def _row(row):
    sides = ("right", "left")
    cells = re.split(r"(?<!\\)&", row)
    drawn = (
        f'<mtd style="text-align: {sides[k % 2]}; padding: 0.25em 0.2em">{_inner(cell)}</mtd>'
        for k, cell in enumerate(cells)
    )
    return f"<mtr>{''.join(drawn)}</mtr>"


def _inner(latex):
    if not latex.strip():
        return "<mrow></mrow>"
    # \mathrm of a single letter comes out slanted, and \, wider than between factors.
    upright = re.sub(r"\\mathrm\{([^{}]*)\}", lambda m: rf"\text{{{m[1]}}}", latex)
    made = latex2mathml.converter.convert(upright)
    return re.sub(r"^<math[^>]*>(.*)</math>$", r"\1", made, flags=re.DOTALL).replace(r"\_", "_")


def visit_inline(self, node):
    self.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(self, node):
    self.body.append(f'<div class="equation">{mathml(node.astext(), display=True)}</div>')
    raise nodes.SkipNode


def in_html(text):
    """HTML with its $$...$$ as MathML."""
    return re.sub(
        r"\$\$(.+?)\$\$",
        lambda m: f'<div class="equation">{mathml(html.unescape(m[1]), display=True)}</div>',
        text,
        flags=re.DOTALL,
    )


def formulas_of_outputs(app, doctree, docname):
    """Formulas within raw HTML, such as cells of notebooks that show an equation."""
    for node in list(doctree.findall(nodes.raw)):
        if node.get("format") == "html" and "$$" in node.astext():
            text = in_html(node.astext())
            node.children = [nodes.Text(text)]
            node.rawsource = text


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("doctree-resolved", formulas_of_outputs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
