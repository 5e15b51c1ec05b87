"""Docstrings and tables as Markdown."""

import inspect
import math
import re

from brian2.units import volt

from circuits.quantities import unit_name


def escaped(text):
    """Plain text as Markdown; what stands between backticks stays code."""
    pieces = re.split(r"(`[^`\n]+`)", text)
    return "".join(
        piece if k % 2 else re.sub(r"([\\*_<>\[\]$|~#{}^])", r"\\\1", piece) for k, piece in enumerate(pieces)
    )


def paragraphs(text):
    """A docstring as Markdown: indented blocks are shown as they stand, all else is text."""
    shown = []
    # Code that is broken over lines stands in one.
    whole = re.sub(r"`[^`]{1,200}`", lambda m: " ".join(m[0].split()), inspect.cleandoc(text))
    for block in re.split(r"\n[ \t]*\n", whole):
        lines = block.splitlines()
        if all(line.startswith("    ") for line in lines):
            code = "\n".join(line[4:] for line in lines)
            if shown and shown[-1].endswith("\n```"):  # parted by an empty line only
                shown[-1] = shown[-1][:-4] + f"\n\n{code}\n```"
            else:
                shown.append(f"```text\n{code}\n```")
        else:
            shown.append("\n".join(_line(line) for line in lines))
    return "\n\n".join(shown)


def _line(line):
    """A line of text; a dash at its start is that of a list, a number with a dot is not."""
    bullet = re.match(r"\s*- ", line)
    if bullet:
        return bullet[0] + escaped(line[bullet.end() :])
    return re.sub(r"^(\d+)([.)]) ", r"\1\\\2 ", re.sub(r"^\+ ", r"\\+ ", escaped(line.strip())))


def first_sentence(text):
    return escaped(re.split(r"(?<=[.])\s", " ".join(inspect.cleandoc(text).partition("\n\n")[0].split()))[0])


def table(header, rows):
    """A Markdown table; cells are Markdown without line breaks."""

    def line(cells):
        plain = (re.sub(r"(?<!\\)\|", r"\\|", str(cell)).replace("\n", " ") for cell in cells)
        return f"| {' | '.join(plain)} |"

    return "\n".join([line(header), "|" + "---|" * len(header), *map(line, rows)])


def folded(summary, body):
    """A part that opens when its summary is clicked."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def code(text):
    """Text between backticks, as many as it takes."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence}{text}{fence}"


def short(number, digits=4):
    """A number for a table; a power of ten as such: 7.722·10⁻¹⁰."""
    if number is None:
        return "not a number"
    if isinstance(number, str):
        return escaped(number)
    mantissa, _, exponent = f"{number:.{digits}g}".partition("e")
    if not exponent:
        return mantissa
    power = f"10{str(int(exponent)).translate(_RAISED)}"
    return power if mantissa == "1" else f"{mantissa}·{power}"


def interval(low, high):
    """The bounds of a number as text; None or infinity leaves a side open."""
    if low is None or low == -math.inf:
        return f"≤\u00a0{short(high)}"
    if high is None or high == math.inf:
        return f"≥\u00a0{short(low)}"
    return f"{short(low)} to {short(high)}"


def unit(dimension):
    """The short name of a unit, powers raised: A/m², V² s."""
    name = unit_name(dimension)
    if "kg" in name:  # a power of the volt is what a reader knows
        for power in (1, 2, 3, -1, -2):
            rest = unit_name(dimension / volt.dim**power)
            if not any(part in rest for part in ("kg", "V", "**-")):
                shown = "V" if power == 1 else f"V**{power}"
                name = shown if rest == "1" else f"{shown} {rest}"
                break
    name = re.sub(r"\*\*(-?\d+)", lambda m: m[1].translate(_RAISED), name).replace("*", " ")
    return re.sub(r"(?<=[A-Za-z])\d+", lambda m: m[0].translate(_RAISED), name)


def raised(text):
    """A number with its unit, powers raised: 1 uF/cm², 80 V⁻²."""
    text = re.sub(r"(?<= )1/([A-Za-z]+)(\d*)$", lambda m: f"{m[1]}-{m[2] or 1}", text)
    return re.sub(r"(?<=[A-Za-z])-?\d+(?![\w.])", lambda m: m[0].translate(_RAISED), text)


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
