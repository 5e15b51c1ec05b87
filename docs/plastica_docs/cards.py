"""A page for every cell, synapse and rule, and one table for wiring, inputs and encodings."""

import importlib
import inspect
import itertools
import re

import circuits
from circuits import encodings, typeset, wiring
from circuits.display import synapse_code, value_text
from circuits.equations import DIFFERENTIAL_EQUATION, PARAMETER, parse, statements
from circuits.values import dimension, kind

from . import ROOT, evidence, references
from .library import items
from .text import code, escaped, first_sentence, folded, paragraphs, raised, table, unit

TITLES = {"cell": "Cells", "synapse": "Synapses", "rule": "Rules of plasticity"}
EVENTS = {
    "propose_pre": "a presynaptic spike proposes",
    "propose_post": "a postsynaptic spike proposes",
    "drift": "is added to dw/dt",
    "gate": "multiplies all that is proposed",
    "factor": "multiplies what the synapse delivers",
    "sink": "takes what is proposed",
    "settle": "brings up to date",
    "unsettle": "puts away again",
    "on_pre": "presynaptic spike",
    "on_post": "postsynaptic spike",
    "at_pre": "spike of the source, once for all synapses",
    "at_post": "spike of the target, once for all synapses",
    "step_pre": "every step, source",
    "step_post": "every step, target",
}
LONGEST = 15  # statements that a table shows
WIDEST_EVENT = 66  # letters of a condition and a statement side by side
EXPRESSIONS = ("propose_pre", "propose_post", "drift", "gate", "factor")


def pages():
    """Path below docs/ to Markdown, of all cards and their index."""
    made = {f"cards/{item.page}.md": card(item) for item in items()}
    for module in _modules():
        made[f"cards/{_short(module)}.md"] = module_page(module)
    made["cards/index.md"] = index()
    return made


def _modules():
    """The modules that have cards: the library first, then rules, then the larger circuits."""
    found = dict.fromkeys(item.subject.rpartition(".")[0] for item in items())
    library = ("circuits.neurons", "circuits.synapses")
    return sorted(found, key=lambda m: (m not in library, not m.startswith("plasticity")))


def _short(module):
    return module.rpartition(".")[2]


def module_page(module):
    """The cards of one module."""
    chosen = [item for item in items() if item.subject.rpartition(".")[0] == module]
    about = paragraphs(importlib.import_module(module).__doc__)
    toc = "\n".join(["```{toctree}", ":hidden:", "", *(item.page for item in chosen), "```"])
    return "\n\n".join([f"# {module}", about, _table(chosen, True), toc]) + "\n"


def _table(chosen, kinds=False):
    rows = []
    for item in chosen:
        row = (f"[`{item.name}`]({item.page}.md)", first_sentence(inspect.getdoc(item.function)))
        rows.append((*row, item.kind) if kinds else row)
    return table(("name", "what it is", "kind")[: 3 if kinds else 2], rows)


def index():
    """The table of contents of the cards."""
    text = [
        "# Cards",
        "One for every cell, synapse and rule: its equations, its numbers with units and defaults, its "
        "source, and what it was compared with. Every number can be changed: `neurons.leaky(tau_m=10*ms)`, "
        "or `cell.but(tau_m=10*ms)` afterwards. In the equations, a condition in square brackets is 1 where "
        "it holds, else 0; square brackets with a plus are what is positive of a number, else 0.",
    ]
    for kind_, title in TITLES.items():
        chosen = [item for item in items() if item.kind == kind_]
        text += [f"## {title}", _table(chosen)]
    toc = "\n".join(["```{toctree}", ":hidden:", "", *map(_short, _modules()), "```"])
    text += ["## Wiring, inputs and encodings", _kinds(), toc]
    return "\n\n".join(text) + "\n"


def _kinds():
    """What connects and what drives, in one table: short enough to need no pages of their own."""
    functions = [("wiring", f) for n, f in vars(wiring).items() if _own(f, wiring)]
    inputs = ("poisson", "spike_trains", "current", "timed", "signal")
    functions += [("input", getattr(circuits, name)) for name in inputs]
    functions += [("encoding", f) for n, f in vars(encodings).items() if _own(f, encodings)]
    rows = []
    for what, function in functions:
        module = {"wiring": "wiring.", "encoding": "encodings.", "input": ""}[what]
        signature = code(f"{module}{function.__name__}{_signature(function)}")
        rows.append((what, signature, first_sentence(inspect.getdoc(function))))
    return table(("kind", "call", "what it does"), rows)


def _own(function, module):
    return (
        inspect.isfunction(function)
        and function.__module__ == module.__name__
        and not function.__name__.startswith("_")
    )


def _signature(function):
    """The arguments with their defaults, units as one writes them."""
    parts = []
    for p in inspect.signature(function).parameters.values():
        star = "*" if p.kind is p.VAR_POSITIONAL else ""
        default = "" if p.default is p.empty else f"={_written(p.default)}"
        parts.append(f"{star}{p.name}{default}")
    return f"({', '.join(parts)})"


def _written(value):
    return value_text(value).replace(" ", "*", 1) if hasattr(value, "dim") else repr(value)


def card(item):
    """The page of one cell, synapse or rule."""
    parts = [
        f"(card-{item.page})=\n# {item.made.name if item.kind == 'cell' else item.function.__name__}",
        f"`{item.call}` makes this {item.kind}; full name `{item.subject}`.",
        paragraphs(inspect.getdoc(item.function)),
        "## Equations",
    ]
    parts += {"cell": _cell, "synapse": _synapse, "rule": _rule}[item.kind](item.made)
    parts += [folded("As text", f"```text\n{item.made!r}\n```")]
    parts += ["## Numbers", _numbers(item.made)]
    parts += _choices(item)
    if item.made.source:
        parts += ["## Source", f"{escaped(item.made.source)}."]
    parts += ["## Agreement", agreement(item.subject)]
    used = references.experiments_using(item.subject)
    if used:
        links = ", ".join(f"[{name}](../gallery/{name}.md)" for name in used)
        parts += ["## In experiments", links]
    path = inspect.getsourcefile(inspect.unwrap(item.function))
    source = (
        f"```{{literalinclude}} {'../../' + str(path)[len(str(ROOT)) + 1 :]}\n"
        f":pyobject: {item.function.__name__}\n```"
    )
    parts += ["## Code", folded("The function", source)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _block(lines):
    return f"```{{math}}\n{typeset.aligned(lines)}\n```" if lines else ""


def _cell(cell):
    made = [_block(typeset.equations(cell.parsed))]
    happens = [("spike", cell.threshold, cell.reset)] if cell.threshold else []
    happens += [(f"event {name}", when, change) for name, (when, change) in cell.events.items()]
    if happens:
        made.append(_events(happens))
    facts = []
    if cell.refractory:
        facts.append(f"Refractory: ${typeset.expression(cell.refractory)}$.")
    inputs = []
    for port, given in cell.inputs.items():
        adds = cell.adds.get(port)
        own = f", to which the cell itself adds ${typeset.expression(adds)}$" if adds else ""
        of = unit(dimension(given))
        inputs.append(f"${typeset.symbol(port)}$ {'(a number)' if of == '1' else f'in {of}'}{own}")
    if inputs:
        facts.append(f"Input{'s' * (len(inputs) > 1)}: {'; '.join(inputs)}.")
    facts.append(f"Integration: {escaped(cell.method)}.")
    return [*made, " ".join(facts), _variables(cell.parsed, cell.init)]


def _events(happens):
    """Events, when they come and what they change; below one another where they have no room side by side."""
    wide = []
    for _, when, change in happens:
        lines = [line for text in statements(change) for line in typeset.statement_lines(text)]
        wide.append(typeset.width(typeset.expression(when)) + max(map(typeset.width, lines), default=0))
    shown = [(name, f"${typeset.expression(when)}$", _reset(change)) for name, when, change in happens]
    if max(wide) <= WIDEST_EVENT:
        return table(("event", "when", "what it changes"), shown)
    below = [
        (name, f'<span class="statement">when {when}</span>{changes}') for name, when, changes in shown
    ]
    return table(("event", "when, and what it changes"), below)


def _reset(text):
    """Statements, each a block of its own; of a long register that is shifted, the first and the last."""
    found = statements(text)
    groups = [[s] for s in found]
    if len(found) > LONGEST:
        groups = [list(g) for _, g in itertools.groupby(found, lambda s: re.sub(r"\d+", "0", s))]
    shown = []
    for group in groups:
        if len(group) < 4:
            shown += map(_statement, group)
        else:
            shown += [_statement(group[0]), f"… ({len(group)} statements)", _statement(group[-1])]
    return "".join(f'<span class="statement">{s}</span>' for s in shown) or "nothing"


def _statement(text):
    return "<br>".join(f"${line.replace('&', '')}$" for line in typeset.statement_lines(text))


def _variables(*groups, weights=()):
    """Name, unit and remarks of all variables; `groups` alternate parsed equations and start values."""
    rows = []
    kinds = {DIFFERENTIAL_EQUATION: "state", PARAMETER: "state"}
    for parsed, init in zip(groups[::2], groups[1::2], strict=True):
        for name, equation in parsed.items():
            remarks = [kinds.get(equation.type, "expression"), *equation.flags]
            start = value_text(init[name]) if name in init else ""
            start = code(start.removeprefix("drawn: ")) if start else ""
            if equation.type in kinds and not start:
                start = "0"
            of = "that of w" if name in weights else unit(equation.dim)
            rows.append((f"${typeset.symbol(name)}$", code(name), of, ", ".join(remarks), start))
    return table(("", "variable", "unit", "kind", "starts at"), _series(rows)) if rows else ""


def _series(rows):
    """Rows of variables that differ by a number only, as those of a register do, as one row."""
    shown = []
    for _, group in itertools.groupby(rows, lambda row: (re.sub(r"\d+`$", "", row[1]), *row[2:])):
        first, *others = group
        if len(others) < 3:
            shown += [first, *others]
        else:
            both = (f"{one} … {last}" for one, last in zip(first[:2], others[-1][:2], strict=True))
            shown.append((*both, *first[2:]))
    return shown


def _synapse(synapse):
    made, groups = [], []
    for label, text in (("", synapse.equations), ("source", synapse.pre), ("target", synapse.post)):
        if text.strip():
            parsed = parse(text, synapse.name)
            groups += [parsed, synapse.init]
            lines = typeset.equations(parsed)
            if lines:
                made += [f"In the {label} cell:" if label else "", _block(lines)]
    for variable, text in synapse.summed.items():
        made.append(_block([rf"{typeset.symbol(variable)} &= \sum {typeset.expression(text)}"]))
    for port, text in synapse.adds.items():
        sign = f"${typeset.expression(text)}$"
        made.append(f"It adds {sign} to the input ${typeset.symbol(port)}$ of the target.")
    rows = [(escaped(when), _reset("\n".join(found))) for when, found in synapse_code(synapse)]
    if rows:
        made.append(table(("when", "what happens"), rows))
    if synapse.event != "spike":
        made.append(f"Its plasticity follows the target's event `{synapse.event}`.")
    return [*made, _variables(*groups), _needs(synapse)]


def _rule(rule):
    made, groups, rows = [], [], []
    for label, text in (("", rule.synapse), ("source", rule.pre), ("target", rule.post)):
        if text.strip():
            parsed = _rule_equations(rule, text)
            groups += [parsed, rule.init]
            lines = typeset.equations(parsed)
            if lines:
                made += [f"In the {label} cell:" if label else "In the synapse:", _block(lines)]
    for part, label in EVENTS.items():
        text = getattr(rule, part)
        if text.strip():
            shown = f"${typeset.expression(text)}$" if part in EXPRESSIONS else _reset(text)
            rows.append((label, shown))
    ends = {"synapse": "synapse", "pre": "source", "post": "target"}
    for periodic in sorted(rule.periodic, key=lambda p: p.order):
        every = typeset.expression(periodic.every)
        rows.append((f"every ${every}$, {ends[periodic.on]}", _reset(periodic.code)))
    if rows:
        made.append(table(("when, or as what", "what happens"), rows))
    weights = _units_of_weight(f"{rule.synapse}\n{rule.pre}\n{rule.post}")
    return [*made, _variables(*groups, weights=weights), _needs(rule)]


def _rule_equations(rule, text):
    """The equations of a rule; the unit `weight`, that of whatever is learnt, is read as that of a number."""
    return parse(re.sub(r":\s*weight\b", ": 1", text), f"rule {rule.name}")


def _units_of_weight(text):
    """The variables whose unit is that of the weight."""
    return set(re.findall(r"(?:^|\n)\s*d?(\w+)[^:\n]*:\s*weight\b", text))


def _needs(made):
    """What the cells must have."""
    lines = []
    for name, given in made.needs.items():
        remedy = f" ({escaped(made.remedy[name])})" if name in made.remedy else ""
        shown = given if isinstance(given, str) else unit(dimension(given))
        lines.append(f"- needs `{name}` in {escaped(shown)}{remedy}")
    return "\n".join(lines)


def _numbers(made):
    if not made.params:
        return "None."
    rows = []
    for name, value in made.params.items():
        shown = code(value) if kind(value) == "expression" else raised(escaped(_rounded(value_text(value))))
        rows.append((f"${typeset.symbol(name)}$", code(name), shown))
    return table(("", "name", "default"), rows)


def _choices(item):
    """The other arguments: what decides which equations are written, and what they refer to."""
    rows = []
    for p in inspect.signature(item.function).parameters.values():
        if p.name == "name" or p.name in item.made.params or p.kind is p.VAR_KEYWORD:
            continue
        if p.default is p.empty:
            shown = "must be given" if p.kind is not p.VAR_POSITIONAL else "any number of them"
        else:
            shown = raised(value_text(p.default)) if hasattr(p.default, "dim") else code(repr(p.default))
        rows.append((code(p.name), shown))
    if not rows:
        return []
    text = "Arguments that decide what is written into the equations. They are given in the call only."
    return ["## Choices", text, table(("name", "default"), rows)]


def _rounded(text):
    """Numbers computed from others have more digits than a table needs."""
    return re.sub(r"\d+\.\d{6,}", lambda m: f"{float(m[0]):.6g}", text)


def agreement(subject):
    """What it was compared with: other simulators, and the tests that use it."""
    rows = evidence.rows_of(subject)
    text = [evidence.comparison_table(rows)] if rows else []
    own = [key for key in references.tests_using(subject) if not key[0].startswith("tests/oracles")]
    if not rows:
        text.append("No comparison with another simulator is on record.")
    if own:
        listed = [f"- `{path}`: {_tested(name, sentence)}" for path, name, sentence in own]
        head = f"Tests that use it: {len(own)}."
        text += [head, "\n".join(listed) if len(own) <= 5 else folded("The tests", "\n".join(listed))]
    else:
        files = [path for path in references.files_reaching(subject) if not path.startswith("tests/oracles")]
        named = ", ".join(f"`{path}`" for path in files)
        reach = f"Tests reach it through what is built with it: {named}."
        text.append(reach if files else "No test uses it.")
    return "\n\n".join(text)


def _tested(name, sentence):
    """What a test is about: the first sentence of its docstring, else its name."""
    if sentence:
        return first_sentence(sentence).rstrip(".")
    return escaped(name.removeprefix("test_").replace("_", " "))
