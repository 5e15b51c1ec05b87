"""Equations as LaTeX say what the text says: brackets, signs, fractions; and LaTeX becomes MathML."""

import random
import re

import pytest
from brian2 import Equations

from circuits import typeset


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("-(a + b)*c", r"-\left(a + b\right)\,c"),
        ("-x/tau_m", r"-\frac{x}{\tau_{m}}"),
        ("a/b/c", r"\frac{a}{b\,c}"),
        ("a/(b/c)", r"\frac{a}{\frac{b}{c}}"),
        ("(-a)**2", r"\left(-a\right)^{2}"),
        ("-a**2", "-a^{2}"),
        ("2*(v - E_L)**2", r"2\,\left(v - E_{L}\right)^{2}"),
        ("A_plus*w_max", r"A_{+}\,w_{\mathrm{max}}"),
        ("exp(-v/(10*mV))", r"\exp\left(-\frac{v}{10\,\mathrm{mV}}\right)"),
        ("int(v > V_t and not (c or d))", r"\left[v > V_{t} \land \neg \left(c \lor d\right)\right]"),
        ("clip(u - theta, 0*volt, inf*volt)", r"\left[u - \theta\right]_{+}"),
        ("1e-5*x", r"10^{-5}\,x"),
        ("a + (-b)*c", r"a - b\,c"),
        ("a - (-1.23456789)*b", r"a + 1.235\,b"),
        ("(u_5 - 0*u_6)/256", r"\frac{u_{5}}{256}"),
        ("held_ampa + over_p", r"\mathrm{held}_{\mathrm{ampa}} + \mathrm{over}_{p}"),
        ("123456*a + 12345*b", r"1.235 \cdot 10^{5}\,a + 12345\,b"),
        ("lastspike + dt", r"\mathrm{lastspike} + \Delta t"),
    ],
)
def test_text_becomes_latex(text, latex):
    assert typeset.expression(text) == latex


def value(latex, numbers):
    """What LaTeX of sums, products, fractions and powers comes to, read by other means than written."""
    text = latex.replace(r"\left(", "(").replace(r"\right)", ")").replace(r"\,", "*").replace(r"\cdot", "*")
    while r"\frac" in text:
        start = text.rindex(r"\frac")  # the last one has no other within
        end, depth, parts = start + 5, 0, []
        while len(parts) < 2:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if text[end] == "{" and depth == 1:
                begin = end + 1
            if text[end] == "}" and depth == 0:
                parts.append(text[begin:end])
            end += 1
        text = f"{text[:start]}(({parts[0]})/({parts[1]})){text[end:]}"
    text = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text)
    return eval(text, {}, numbers)


def grown(draw, depth):
    """A random expression."""
    if depth == 0 or draw.random() < 0.2:
        return draw.choice(["a", "b", "c", "2", "3"])
    left, right = grown(draw, depth - 1), grown(draw, depth - 1)
    kind = draw.choice(["+", "-", "*", "/", "**", "-("])
    if kind == "**":
        return f"({left})**2"
    return f"-({left})" if kind == "-(" else f"({left}) {kind} ({right})"


def test_random_expressions_keep_their_value():
    draw = random.Random(1)
    for _ in range(500):
        text = grown(draw, 4)
        numbers = {name: draw.uniform(0.5, 2) for name in "abc"}
        try:
            expected = eval(text, {}, numbers)
        except ZeroDivisionError:
            continue
        assert value(typeset.expression(text), numbers) == pytest.approx(expected, rel=1e-9), text


def test_equations_and_statements():
    parsed = Equations("dv/dt = -v/tau : volt\nu = 2*v : volt\nw : 1")
    lines = typeset.equations(parsed)
    assert lines == [r"\frac{\mathrm{d}v}{\mathrm{d}t} &= -\frac{v}{\tau}", r"u &= 2\,v"]
    assert typeset.statement("x += 1") == r"x &\leftarrow x + 1"
    assert typeset.statement("x *= 1 - y") == r"x &\leftarrow x\,\left(1 - y\right)"


def test_wide_sums_are_broken_between_their_terms():
    terms = [f"g_{k}*(E_{k} - v)" for k in range(1, 13)]
    numbers = {"v": 0.3, "C": 2.0} | {f"{x}_{k}": k + len(x) for x in "gE" for k in range(1, 13)}
    for text in (" + ".join(terms), f"({' - '.join(terms)})/C", f"C*({' + '.join(terms)})"):
        lines = typeset.equations(Equations(f"x = {text} : 1"))
        assert 1 < len(lines) and all(typeset.width(line) <= typeset.WIDEST + 8 for line in lines)
        whole = "".join(line.replace(r"x &= ", "").replace(r"&\quad ", " ") for line in lines)
        plain = re.sub(r"_\{(\d+)\}", r"_\1", whole.replace(r"\bigl", "").replace(r"\bigr", ""))
        assert value(plain, numbers) == pytest.approx(eval(text, {}, numbers))
    assert typeset.statement_lines("x += 1") == [typeset.statement("x += 1")]
    assert len(typeset.statement_lines(f"x = {' + '.join(terms)}")) > 1
    assert typeset.width(r"\frac{\tau_{m}}{a + b}") == 3


def test_rows_and_letters_in_mathml():
    pytest.importorskip("latex2mathml")
    from plastica_docs.mathematics import in_html, mathml

    made = mathml(typeset.aligned([r"\frac{\mathrm{d}v}{\mathrm{d}t} &= v", r"u &= 2\,v"]), display=True)
    assert made.count("<mtr>") == 2 and made.count("<mtd") == 4
    assert "<mtext>d</mtext><mi>v</mi>" in made  # the d of a derivative stands upright
    assert "&=" not in made and "\\" not in made
    assert in_html("a $$x = 1$$ b").startswith('a <div class="equation"><math')
