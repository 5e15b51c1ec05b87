r"""Equation text as LaTeX, term by term in the order in which it was written.

"dv/dt = (E_L - v)/tau_m" becomes \frac{\mathrm{d}v}{\mathrm{d}t} = \frac{E_L - v}{\tau_m}. Notebooks and the
documentation show cells, synapses and rules with it. Nothing is rearranged, so that what is read is what is
computed; numbers are shown with four digits, "+ -x" as a difference, what is multiplied by 0 as 0, and sums
that are wider than a page go on in the next line. A condition within int(...) stands in Iverson's brackets: 1
where it holds, else 0.
"""

import ast
import math
import re

from brian2.core.namespace import DEFAULT_UNITS

GREEK = set(
    """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi
    chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split()
)
_SUBSCRIPTS = {"plus": "+", "minus": "-", "inf": r"\infty"}
_WORDS = {"inf": r"\infty", "dt": r"\Delta t", "not_refractory": r"\mathrm{not\_refractory}"}
_OPERATORS = {
    ast.Lt: "<", ast.LtE: r"\le", ast.Gt: ">", ast.GtE: r"\ge", ast.Eq: "=", ast.NotEq: r"\ne",
}  # fmt: skip
_FUNCTIONS = {
    "exp": r"\exp", "log": r"\ln", "log10": r"\log_{10}", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan",
    "sinh": r"\sinh", "cosh": r"\cosh", "tanh": r"\tanh", "arctan": r"\arctan",
}  # fmt: skip
WIDEST, WIDEST_STATEMENT = 60, 50  # letters of a line of equations, and of one in a table
_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(1, 6)  # how tightly a piece of text holds together


def symbol(name):
    r"""A name as LaTeX: tau_m is \tau_m, A_plus is A_+, w_max has an upright index, lastspike is a word."""
    if name in _WORDS:
        return _WORDS[name]
    if name in DEFAULT_UNITS:
        return rf"\mathrm{{{name}}}"
    head, *rest = [part for part in name.split("_") if part]
    if head.startswith("d") and head[1:] in ("w", "v"):
        return rf"\mathrm{{d}}{head[1:]}" + _index(rest)
    numbered = re.fullmatch(r"([A-Za-z]+?)(\d+)", head)
    if numbered:
        head, rest = numbered[1], [numbered[2], *rest]
    bare = head.removesuffix("_") if head != "lambda_" else "lambda"
    if bare in GREEK:
        return rf"\{bare}" + _index(rest)
    if len(head) == 1:
        return head + _index(rest)
    return rf"\mathrm{{{head}}}" + _index(rest)


def _index(parts):
    if not parts:
        return ""
    shown = []
    for part in parts:
        if part in _SUBSCRIPTS:
            shown.append(_SUBSCRIPTS[part])
        elif part in GREEK:
            shown.append(rf"\{part}")
        else:
            shown.append(part if len(part) == 1 or part.isdigit() else rf"\mathrm{{{part}}}")
    return "_{" + ",".join(shown) + "}"


def expression(text):
    """An expression of equation text as LaTeX."""
    return _Writer().text(ast.parse(" ".join(text.split()), mode="eval").body)


def equations(parsed):
    """Parsed equations as LaTeX lines "left &= right"; variables without an equation are left out."""
    lines = []
    for name, equation in parsed.items():
        if equation.expr is None:
            continue
        left = symbol(name)
        if equation.type == "differential equation":
            space = r"\," if left.startswith(r"\mathrm") else ""  # which would run together with the d
            left = rf"\frac{{\mathrm{{d}}{space}{left}}}{{\mathrm{{d}}t}}"
        tree = ast.parse(" ".join(equation.expr.code.split()), mode="eval").body
        first, *others = _Writer().broken(tree, WIDEST)
        lines += [f"{left} &= {first}", *(rf"&\quad {line}" for line in others)]
    return lines


def statement(text):
    r"""One statement of event code as LaTeX: "x += 1" is x \leftarrow x + 1."""
    return " ".join(statement_lines(text, widest=math.inf))


def statement_lines(text, widest=WIDEST_STATEMENT):
    """A statement as lines of LaTeX: one, or several where a sum is wider than `widest` letters."""
    tree = ast.parse(text.strip()).body[0]
    writer = _Writer()
    if isinstance(tree, ast.AugAssign):
        target, change = tree.target, ast.BinOp(tree.target, tree.op, tree.value)
    elif isinstance(tree, ast.Assign):
        target, change = tree.targets[0], tree.value
    else:
        raise ValueError(f"{text!r} is no assignment")
    first, *others = writer.broken(change, widest)
    return [rf"{writer.text(target)} &\leftarrow {first}", *(rf"\quad {line}" for line in others)]


def width(latex):
    """About how many letters wide a formula is: a fraction as its wider part, an index as smaller letters."""
    text = re.sub(r"\\(left|right|[bB]ig[lr]?|,|;|quad|mathrm|operatorname)(?![A-Za-z])", "", latex)
    text = re.sub(r"\\(exp|ln|sin|cos|tan|sinh|cosh|tanh|bmod)(?![A-Za-z])", r"\1", text)
    text = re.sub(r"\\(?!frac|sqrt)[A-Za-z]+|\\_", "x", text).replace(" ", "")
    while True:
        narrower = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", lambda m: max(m[1], m[2], key=len), text)
        if narrower == text:
            narrower = re.sub(r"[_^]\{([^{}]*)\}", lambda m: "x" * math.ceil(0.7 * len(m[1])), text)
        if narrower == text:
            narrower = re.sub(r"(?<!\})\{([^{}]*)\}(?!\{)", r"\1", text, count=1)
        if narrower == text:
            return len(text)
        text = narrower


def aligned(lines):
    """Lines with & before their relation as one block of LaTeX."""
    return r"\begin{align*}" + " \\\\\n".join(lines) + r"\end{align*}"


class _Writer:
    """Writes a syntax tree; each piece knows how tightly it binds, so that brackets stand where needed."""

    def text(self, node):
        return self.piece(node)[0]

    def within(self, node, least):
        text, binding = self.piece(node)
        return text if binding >= least else rf"\left({text}\right)"

    def piece(self, node):
        return getattr(self, type(node).__name__.lower())(node)

    def broken(self, node, widest):
        """Lines of a formula; one that is too wide is broken between the terms of its outermost sum."""
        whole = self.text(node)
        if width(whole) <= widest:
            return [whole]
        before, after = "", ""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _is_sum(node.left):
            before, after = rf"\frac{{1}}{{{self.text(node.right)}}}\,\bigl(", r"\bigr)"
            node = node.left
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and _is_sum(node.right):
            before, after = rf"{self.within(node.left, _PRODUCT)}\,\bigl(", r"\bigr)"
            node = node.right
        terms = self.terms(node)
        lines = [before + terms[0]]
        for term in terms[1:]:
            if width(f"{lines[-1]} {term}") <= widest:
                lines[-1] += f" {term}"
            else:
                lines.append(term)
        lines[-1] += after
        return lines

    def terms(self, node):
        """The terms of a sum, each but the first with its sign before it."""
        if not _is_sum(node):
            return [self.text(node)]
        if _is_zero(node.right):
            return self.terms(node.left)
        right, negative = _without_sign(node.right)
        sign = "+" if isinstance(node.op, ast.Add) != negative else "-"
        return [*self.terms(node.left), f"{sign} {self.within(right, _PRODUCT)}"]

    def name(self, node):
        return symbol(node.id), _ATOM

    def constant(self, node):
        if isinstance(node.value, bool):
            return rf"\mathrm{{{str(node.value).lower()}}}", _ATOM
        whole = float(node.value).is_integer() and abs(node.value) < 1e5
        mantissa, _, exponent = f"{node.value:.{15 if whole else 4}g}".partition("e")
        if not exponent:
            return mantissa, _ATOM
        power = f"10^{{{int(exponent)}}}"
        return (power, _POWER) if mantissa == "1" else (rf"{mantissa} \cdot {power}", _PRODUCT)

    def unaryop(self, node):
        if isinstance(node.op, ast.Not):
            return rf"\neg {self.within(node.operand, _UNARY)}", _UNARY
        sign = "-" if isinstance(node.op, ast.USub) else ""
        return f"{sign}{self.within(node.operand, _PRODUCT)}", _SUM

    def binop(self, node):
        if _is_zero(node):
            return "0", _ATOM
        if _is_sum(node):
            terms = self.terms(node)
            return (" ".join(terms), _SUM) if len(terms) > 1 else self.piece(node.left)
        if isinstance(node.op, ast.Pow):
            base = self.within(node.left, _ATOM)
            return f"{base}^{{{self.text(node.right)}}}", _POWER
        if not isinstance(node.op, (ast.Mult, ast.Div)):
            symbols = {ast.Mod: r"\bmod", ast.FloorDiv: r"\,//\,"}
            sign = symbols[type(node.op)]
            return f"{self.within(node.left, _PRODUCT)} {sign} {self.within(node.right, _UNARY)}", _PRODUCT
        positive, negative = _without_sign(node)
        if negative:
            return f"-{self.within(positive, _PRODUCT)}", _SUM
        if isinstance(node.op, ast.Div):
            if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Div):  # one bar, not two
                below = ast.BinOp(node.left.right, ast.Mult(), node.right)
                return self.binop(ast.BinOp(node.left.left, ast.Div(), below))
            return rf"\frac{{{self.text(node.left)}}}{{{self.text(node.right)}}}", _UNARY
        if _infinite(node.left) and isinstance(node.right, ast.Name):  # whatever its unit
            return self.piece(node.left)
        last = node.left.right if isinstance(node.left, ast.BinOp) else node.left
        dotted = isinstance(node.right, ast.Constant) or _is_word(last) or _is_word(node.right)
        between = r" \cdot " if dotted else r"\,"
        return f"{self.within(node.left, _PRODUCT)}{between}{self.within(node.right, _PRODUCT)}", _PRODUCT

    def compare(self, node):
        text = self.within(node.left, _SUM)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            text += f" {_OPERATORS[type(operator)]} {self.within(right, _SUM)}"
        return text, 0

    def boolop(self, node):
        sign = r" \land " if isinstance(node.op, ast.And) else r" \lor "
        inner = [_SUM if isinstance(value, ast.BoolOp) else 0 for value in node.values]
        return sign.join(map(self.within, node.values, inner)), 0

    def call(self, node):
        name, arguments = node.func.id, [self.text(a) for a in node.args]
        if name == "exp" and arguments == ["1"]:
            return r"\mathrm{e}", _ATOM
        if name == "sqrt":
            return rf"\sqrt{{{arguments[0]}}}", _ATOM
        if name == "abs":
            return rf"\left|{arguments[0]}\right|", _ATOM
        if _half_line(node):
            return rf"\left[{arguments[0]}\right]_{{+}}", _ATOM
        if name == "int":
            return rf"\left[{arguments[0]}\right]", _ATOM
        called = _FUNCTIONS.get(name, rf"\operatorname{{{name}}}".replace("_", r"\_"))
        return rf"{called}\left({', '.join(arguments)}\right)", _ATOM


def _is_sum(node):
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub))


def _is_zero(node):
    """0, or 0 times a name, which gives it a unit."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.right, ast.Name):
        node = node.left
    return isinstance(node, ast.Constant) and not isinstance(node.value, bool) and node.value == 0


def _is_word(node):
    """A name that is shown as a word, beside which a factor needs a dot."""
    named = isinstance(node, ast.Name) and node.id not in DEFAULT_UNITS
    return named and symbol(node.id).startswith(r"\mathrm")


def _half_line(node):
    """clip(x, 0*unit, inf*unit), what is positive of x."""
    if node.func.id != "clip":
        return False
    low, high = (a.left if isinstance(a, ast.BinOp) else a for a in node.args[1:])
    return isinstance(low, ast.Constant) and low.value == 0 and _infinite(high)


def _infinite(node):
    return isinstance(node, ast.Name) and node.id == "inf"


def _without_sign(node):
    """A product without the minus at its front, and whether there was one: -x/tau is -(x/tau)."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return node.operand, True
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        left, negative = _without_sign(node.left)
        if negative:
            return ast.BinOp(left, node.op, node.right), True
    return node, False
