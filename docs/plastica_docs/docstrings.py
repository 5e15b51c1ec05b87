"""Docstrings for autodoc: what is indented is shown as it stands, and no sign in them is markup."""

import re


def prepared(lines):
    """Lines of a docstring as reStructuredText: literal blocks where text is indented, all else plain."""
    start = next((k for k in range(len(lines)) if _is_section(lines, k)), len(lines))
    made, block = [], []
    for line in [*lines[:start], ""]:
        if line.startswith("    ") or (block and not line.strip()):
            block.append(line)
            continue
        if block:
            made += ["", "::", "", *block, ""]
            block = []
        made.append(line.strip())
    if block:
        made += ["", "::", "", *block, ""]
    sections, after = _parted(lines[start:])
    return _plain([*made, *after]) + _plain(sections)


def _parted(lines):
    """The sections, and the text that follows them, which would end up within the last one."""
    found = {True: [], False: []}
    for block in "\n".join(lines).split("\n\n"):
        first, *rest = block.strip("\n").split("\n")
        begins = bool(rest) and (rest[0].startswith(" ") or _is_section([first, *rest], 0))
        text = not first.startswith(" ") and not begins and (bool(rest) or first.endswith("."))
        found[text] += ["", *block.split("\n")]
    return found[False], [*found[True], ""] if found[True] else []


def _is_section(lines, k):
    """Whether a heading such as Parameters stands here."""
    return bool(lines[k].strip()) and k + 1 < len(lines) and bool(re.fullmatch(r"\s*-{3,}\s*", lines[k + 1]))


def _plain(lines):
    """No emphasis, links or substitutions; what stands between backticks is code. Literal blocks stay."""
    made, literal, text = [], False, []
    for line in lines:
        if line == "::":
            made += _marked(text)
            made.append(line)
            literal, text = True, []
        elif literal and (line.startswith("    ") or not line.strip()):
            made.append(line)
        else:
            literal = False
            text.append(line)
    return made + _marked(text)


def _marked(lines):
    pieces = re.split(r"(`[^`]+`)", "\n".join(lines))
    for k, piece in enumerate(pieces):
        if k % 2:
            pieces[k] = f"`{piece}`"
        else:
            pieces[k] = re.sub(r"([\\*|]|(?<=\w)_(?!\w))", r"\\\1", piece)
        if k % 2 and re.match(r"\w", pieces[k + 1]):
            pieces[k] += "\\ "
    return "".join(pieces).split("\n")


def process(app, what, name, subject, options, lines):
    lines[:] = prepared(lines)
    if what in ("attribute", "data", "property"):
        # What stands before a colon would be read as a type, unless the colon ends the line.
        before, colon, after = lines[0].partition(": ")
        if colon:
            lines[:1] = [f"{before}:", after]


def setup(app):
    # Before napoleon, whose sections keep their form.
    app.connect("autodoc-process-docstring", process, priority=100)
    return {"parallel_read_safe": True}
