"""How cells, synapses and circuits show themselves: equations and tables, as text and as HTML for notebooks
(after Nordlie et al. 2009).
"""

import html
import re

from . import typeset
from .equations import parse, statements
from .values import describe, kind, unit_text


def table(rows, header):
    """An HTML table from rows of text."""
    head = "".join(f"<th style='text-align:left'>{html.escape(h)}</th>" for h in header)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td style='text-align:left'>{cell if cell.startswith('$') else html.escape(cell)}</td>"
            for cell in row
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def latex(parsed):
    """The equations as one displayed formula, or nothing where no variable has one."""
    lines = typeset.equations(parsed)
    return f"$${typeset.aligned(lines)}$$" if lines else ""


def variable_rows(parsed):
    """Name, unit and flags of the variables, for tables."""
    return [(name, ", ".join([unit_text(v.dim), *v.flags]), "variable") for name, v in parsed.items()]


def value_text(value):
    """A parameter's value for a table; text with random numbers, which a run draws, is marked as drawn."""
    if kind(value) != "expression":
        return describe(value)
    return f"drawn: {value}" if re.search(r"\b(rand|randn|poisson)\(", value) else value


def _in_one_line(text):
    """The lines of a text as one, parted by semicolons."""
    return "; ".join(line.strip().rstrip(";") for line in text.splitlines() if line.strip())


def cell_text(cell):
    """Equations, threshold, reset and parameters as plain text."""
    lines = [f"Cell {cell.name}" + (f"  ({cell.source})" if cell.source else "")]
    lines += [f"    {line}" for line in cell.equations.splitlines()]
    lines += [f"    {port} += {expression}" for port, expression in cell.adds.items()]
    for label in ("threshold", "reset", "refractory", "method"):
        value = getattr(cell, label)
        if value:
            lines.append(f"  {label}: {_in_one_line(value)}")
    lines += [
        f"  event {name}: {when}: {'; '.join(statements(what))}" for name, (when, what) in cell.events.items()
    ]
    if cell.inputs:
        lines.append("  inputs: " + ", ".join(f"{n} ({u!r})" for n, u in cell.inputs.items()))
    lines += [f"  {name} = {value_text(value)}" for name, value in cell.params.items()]
    lines += [f"  {name}(0) = {value_text(value)}" for name, value in cell.init.items()]
    return "\n".join(lines)


def cell_html(cell):
    """Equations in LaTeX, events and a parameter table."""
    rows = variable_rows(cell.parsed)
    rows += [(name, value_text(value), "parameter") for name, value in cell.params.items()]
    rows += [(name, value_text(value), "start value") for name, value in cell.init.items()]
    rows += [(name, repr(unit), "input") for name, unit in cell.inputs.items()]
    events = [
        (label, _in_one_line(getattr(cell, label)))
        for label in ("threshold", "reset", "refractory", "method")
        if getattr(cell, label)
    ]
    events += [
        (f"event {n}", f"{when}: {'; '.join(statements(what))}") for n, (when, what) in cell.events.items()
    ]
    events += [(f"adds to {port}", expression) for port, expression in cell.adds.items()]
    return (
        f"<div><b>Cell {html.escape(cell.name)}</b> <i>{html.escape(cell.source)}</i>{latex(cell.parsed)}"
        f"{table(events, ('event', 'text'))}{table(rows, ('name', 'value', 'kind'))}</div>"
    )


def synapse_code(synapse):
    """(when, statements) of all that a synapse and the cells at its ends do."""

    def settled(code):
        return [synapse.settle, *code, synapse.unsettle] if any(code) else []

    delivered = (f"{v} += {e}" for v, e in synapse.deliver.items())
    pre = settled([synapse.before, *delivered, synapse.after])
    post = settled([synapse.on_post])
    coded = [
        ("presynaptic spike", "\n".join(pre)),
        (f"postsynaptic {synapse.event}", "\n".join(post)),
        ("spike of the source", synapse.at_pre),
        ("spike of the target", synapse.at_post),
        ("every step", "\n".join(settled([synapse.step]))),
        ("every step, source", synapse.step_pre),
        ("every step, target", synapse.step_post),
    ]
    ends = {"synapse": "", "pre": ", source", "post": ", target"}
    for periodic in sorted(synapse.periodic, key=lambda p: p.order):
        code = settled([periodic.code]) if periodic.on == "synapse" else [periodic.code]
        coded.append((f"every {periodic.every}{ends[periodic.on]}", "\n".join(code)))
    return [(when, found) for when, code in coded if (found := statements(code))]


def synapse_text(synapse):
    """Equations, statements and parameters as plain text: the model as one would write it by hand."""
    lines = [f"Synapse {synapse.name}" + (f"  ({synapse.source})" if synapse.source else "")]
    for label, text in (("", synapse.equations), ("source: ", synapse.pre), ("target: ", synapse.post)):
        lines += [f"    {label}{line.strip()}" for line in text.splitlines() if line.strip()]
    lines += [f"    target: {v} = sum of {e}" for v, e in synapse.summed.items()]
    lines += [f"    target: {port} += {text}" for port, text in synapse.adds.items()]
    for when, found in synapse_code(synapse):
        lines += [f"  {when}:", *(f"    {statement}" for statement in found)]
    lines += [f"  {name} = {value_text(value)}" for name, value in synapse.params.items()]
    lines += [f"  start: {name} = {value_text(value)}" for name, value in synapse.init.items()]
    return "\n".join(lines)


def synapse_html(synapse):
    """Equations in LaTeX, what happens when, and a parameter table."""
    equations, rows = "", []
    for label, text in (("", synapse.equations), ("source", synapse.pre), ("target", synapse.post)):
        if text.strip():
            parsed = parse(text, synapse.name)
            rows += variable_rows(parsed)
            if formula := latex(parsed):
                equations += f"<p>{label}</p>{formula}"
    happens = "".join(
        f"<tr><td style='text-align:left;vertical-align:top'>{html.escape(when)}</td><td "
        f"style='text-align:left'><pre style='margin:0'>{html.escape(chr(10).join(found))}</pre></td></tr>"
        for when, found in synapse_code(synapse)
    )
    rows += [(name, value_text(value), "parameter") for name, value in synapse.params.items()]
    rows += [(name, value_text(value), "start value") for name, value in synapse.init.items()]
    return (
        f"<div><b>Synapse {html.escape(synapse.name)}</b> <i>{html.escape(synapse.source)}</i>{equations}"
        f"<table>{happens}</table>{table(rows, ('name', 'value', 'kind'))}</div>"
    )


def circuit_rows(circuit):
    """The tables of a circuit: populations, projections, inputs and recorders, each a list of rows."""
    from .circuit import Current, Poisson, Population, Projection, Signal, SpikeTrains

    populations, projections, inputs = [], [], []

    def now(name, value):
        return circuit.changes.get(name, value)

    for name, part in circuit.parts.items():
        if isinstance(part, Population):
            populations.append((name, part.cell.name, str(part.n), part.cell.source))
        elif isinstance(part, Projection):
            numbers = {**part.synapse.params, **part.wiring.params, "delay": part.delay}
            text = ", ".join(f"{k} = {value_text(now(f'{name}.{k}', v))}" for k, v in numbers.items())
            projections.append((name, part.source, part.target, part.synapse.name, part.wiring.kind, text))
        elif isinstance(part, Poisson):
            inputs.append((name, "Poisson", str(part.n), describe_timed(now(f"{name}.rates", part.rates))))
        elif isinstance(part, Signal):
            inputs.append((name, f"{part.source}.{part.variable} read by {', '.join(part.targets)}", "", ""))
        elif isinstance(part, SpikeTrains):
            inputs.append((name, "spike trains", str(part.n), f"{len(now(f'{name}.t', part.t))} spikes"))
        elif isinstance(part, Current):
            inputs.append(
                (
                    name,
                    f"current to {part.target}.{part.port}",
                    "",
                    describe_timed(now(f"{name}.amplitude", part.amplitude)),
                )
            )
    recorders = [
        (r.kind, r.part, r.variable or "spikes", "" if r.every is None else describe(r.every))
        for r in circuit.record
    ]
    return {
        "Populations": (("name", "cell", "size", "source"), populations),
        "Projections": (("name", "from", "to", "synapse", "wiring", "numbers"), projections),
        "Inputs": (("name", "kind", "size", "value"), inputs),
        "Recorders": (("kind", "part", "variable", "every"), recorders),
    }


def describe_timed(value):
    """A number, or the shape of values over time."""
    return (
        f"over time, shape {value.values.shape}, step {describe(value.dt)}"
        if hasattr(value, "dt")
        else describe(value)
    )


def circuit_text(circuit):
    """The tables of a circuit as plain text."""
    lines = [f"Circuit, dt = {describe(circuit.dt)}"]
    for title, (_, rows) in circuit_rows(circuit).items():
        if rows:
            lines.append(f"  {title}")
            lines += ["    " + "  ".join(filter(None, row)) for row in rows]
    return "\n".join(lines)


def circuit_html(circuit):
    """The tables of a circuit as HTML, with the equations of its cells."""
    parts = [f"<div><b>Circuit</b>, dt = {html.escape(describe(circuit.dt))}"]
    for title, (header, rows) in circuit_rows(circuit).items():
        if rows:
            parts.append(f"<p><b>{title}</b></p>{table(rows, header)}")
    return "".join(parts) + "</div>"
