"""What `make oracles` and `make bench` found, as tables; nothing here is typed."""

import json
import math
import re
from collections import Counter
from functools import cache

from . import DOCS
from .text import code, escaped, interval, short, table

EVIDENCE = DOCS / "evidence"


@cache
def oracles():
    """The record of the comparisons with other simulators, or None before the first one."""
    path = EVIDENCE / "oracles.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def rows_of(subject):
    record = oracles()
    return [row for row in record["rows"] if row["subject"] == subject] if record else []


def bounds(row):
    """The interval of a comparison as text; most are differences, which end at 0."""
    return f"≤\u00a0{short(row['high'])}" if row["low"] == 0 < row["high"] < math.inf else (
        interval(row["low"], row["high"])
    )


def comparison_table(rows):
    """Rows of the oracle lane; notes, which are sentences, follow below, each once.

    Rows that differ in what was measured only (the same comparison with other numbers) are one.
    """
    parts = _parts_of_notes(rows)
    notes = list(dict.fromkeys(note for _, shared in parts.values() for note in shared))
    same = {}
    for row in rows:
        key = tuple(row[name] for name in ("oracle", "quantity", "note", "low", "high", "unit", "holds"))
        same.setdefault(key, []).append(row)
    body = []
    for alike in same.values():
        row = alike[0]
        own, shared = parts[row["note"]]
        mark = f" ({'; '.join(own)})" if own else ""
        mark += "".join(f" [{notes.index(note) + 1}]" for note in shared)
        verdict = "holds" if row["holds"] else "**FAILS**"
        unit = "" if row["unit"] == "1" else escaped(row["unit"])
        line = [escaped(row["oracle"]), escaped(row["quantity"] + mark), _measured(alike)]
        body.append([*line, escaped(bounds(row)), unit, verdict])
    text = [table(["against", "quantity", "measured", "must be", "unit", ""], body)]
    if notes:
        text.append("\n".join(f"{k}. {escaped(note)}" for k, note in enumerate(notes, 1)))
    files = dict.fromkeys(row["test"].partition("::")[0] for row in rows)
    text.append(f"Compared in {', '.join(map(code, files))}.")
    return "\n\n".join(text)


def _parts_of_notes(rows):
    """Note to (what belongs to its row alone, what stands below the table).

    Where notes share all of their clauses but short ones with numbers, those belong to the rows.
    """
    clauses = {row["note"]: row["note"].split("; ") for row in rows}
    found = Counter(clause for listed in clauses.values() for clause in listed)
    parts = {"": ([], [])}
    for note, listed in clauses.items():
        own = [clause for clause in listed if found[clause] == 1]
        numbers = own and all(len(clause) <= 60 and re.search(r"\d", clause) for clause in own)
        shared = "; ".join(clause for clause in listed if clause not in own)
        shared = shared[:1].upper() + shared[1:]
        if note:
            parts[note] = (own, [shared]) if numbers and shared else ([], [note])
    return parts


def _measured(rows):
    """What several rows measured, from the least to the largest; a value that is none stands by itself."""
    values = [row["measured"] for row in rows]
    numbers = [value for value in values if isinstance(value, (int, float))]
    others = [short(value) for value in values if not isinstance(value, (int, float))]
    ends = dict.fromkeys(short(value) for value in (min(numbers), max(numbers))) if numbers else ()
    text = ", ".join([" to ".join(ends), *others] if ends else others)
    return f"{text} ({len(rows)} cases)" if len(rows) > 1 else text


def versions_line(versions):
    return ", ".join(f"{escaped(name)} {escaped(str(version))}" for name, version in versions.items())


def oracle_page():
    """All comparisons with other simulators, subject by subject."""
    record = oracles()
    text = [
        "# Agreement with other simulators",
        "The same model with the same inputs here and in NEST or NEURON, by `make oracles`; where neither "
        "has the model or says enough of it, against closed forms (in 40 digits where digits are lost), "
        "adaptive integration of the equations (DOP853) or integration from event to event. Each row is a "
        "number with the bounds that it must keep; notes say where the two differ by convention, or who is "
        "right and why. The rows of a cell, synapse or rule stand on its [card](../cards/index.md) too.",
    ]
    if record is None:
        return "\n\n".join([*text, "No record is there yet: `make oracles` writes it."]) + "\n"
    rows = record["rows"]
    failing = sum(not row["holds"] for row in rows)
    state = f"{failing} of them do not hold" if failing else "all hold"
    text.append(f"{len(rows)} comparisons, {state}. Versions: {versions_line(record['versions'])}.")
    for subject in dict.fromkeys(row["subject"] for row in rows):
        chosen = [row for row in rows if row["subject"] == subject]
        text += [f"## {escaped(subject)}", comparison_table(chosen)]
    return "\n\n".join(text) + "\n"


def benchmark_page():
    """The tables of the benchmarks: what took how long in which simulator."""
    text = [
        "# Benchmarks",
        "The same work here, in stock Brian2 and in other simulators, by `make bench`. Values are medians "
        "over repetitions; a factor is the median, over repetitions, of that value over this project's, so "
        "that a factor above 1 is slower (or larger) than here.",
    ]
    path = EVIDENCE / "bench.json"
    if not path.exists():
        return "\n\n".join([*text, "No record is there yet: `make bench` writes it."]) + "\n"
    record = json.loads(path.read_text(encoding="utf-8"))
    if record.get("quick"):
        text.append("**The quick form of the benchmarks: short simulations, few repetitions.**")
    if columns := [f"*{escaped(record['engines'][key])}* is {is_}" for key, is_ in OWN.items()
                   if key in record["engines"]]:  # fmt: skip
        text.append(f"Of the columns, {', and '.join(columns)}.")
    machine = [(escaped(key), _fact(value)) for key, value in record["machine"].items()]
    machine += [("date", escaped(str(record["date"]))), ("versions", versions_line(record["versions"]))]
    text += _in_short(record)
    for benchmark in record["benchmarks"]:
        rows = [row for row in record["rows"] if row["benchmark"] == benchmark["name"]]
        if rows:
            text.append(f"## {escaped(benchmark['name'])}")
            seconds, times = benchmark.get("seconds"), max(row["n"] for row in rows)
            model = f" Model time: {seconds:g} s." if seconds else ""
            again = "One repetition" if times == 1 else f"{times} repetitions"
            text.append(f"{escaped(benchmark['text'].rstrip('.'))}.{model} {again}.")
            text.append(_benchmark(rows, record["engines"]))
    wrong = [f"- {escaped(line)}" for line in record.get("disagreements", [])]
    if wrong:
        text += ["## Firing rates that differ by more than they should", "\n".join(wrong)]
    missing = [f"- {escaped(name)}: {escaped(why)}" for name, why in record.get("missing", {}).items()]
    if missing:
        text += ["## What is not there", "\n".join(missing)]
    notes = [f"- {escaped(note)}" for note in record.get("notes", [])]
    if notes:
        text += ["## Notes", "\n".join(notes)]
    if record.get("minutes"):
        machine.append(("all of it took", f"{record['minutes']:g} minutes"))
    return "\n\n".join([*text, "## The machine", table(("", ""), machine)]) + "\n"


OWN = {
    "device": "the script for stock Brian2 with [the device](../device.md) of this project",
    "floor": "a program in C++ for this one circuit, which says how far a general tool is from the best",
}
SHORT = ("total, cold", "total, warm", "loop")


def _in_short(record):
    """The factors that matter most, of the simulators that do the whole work."""
    found = {(row["benchmark"], row["engine"], row["quantity"]): row for row in record["rows"]}
    names = [benchmark["name"] for benchmark in record["benchmarks"]]

    def cells(name, engine, shown):
        rows = [found.get((name, engine, quantity)) for quantity in SHORT]
        return " / ".join("-" if row is None else shown(row) for row in rows) if any(rows) else ""

    others = [
        key
        for key in record["engines"]
        if key != "plastica" and any((name, key, "total, warm") in found for name in names)
    ]
    body = []
    for name in names:
        if own := cells(name, "plastica", lambda row: short(row["value"], 3)):
            factors = (cells(name, key, lambda row: _factor(row["ratio"])) for key in others)
            body.append((escaped(name), own, *factors))
    if not body or not others:
        return []
    titles = (escaped(record["engines"][key]) for key in others)
    head = ("", f"{escaped(record['engines']['plastica'])} (s)", *titles)
    about = "Total time of a script cold / warm / time of its loop: seconds here, factors elsewhere."
    return ["## In short", about, table(head, body)]


def _factor(ratio):
    """A ratio with two digits: 0.25×, 3.4×, 110×."""
    if ratio is None:
        return "-"
    rounded = float(f"{ratio:.2g}")
    return f"{rounded:.0f}×" if rounded >= 10 else f"{rounded:g}×"


def _fact(value):
    return short(value, 3) if isinstance(value, float) else escaped(str(value))


def _benchmark(rows, engines):
    """One benchmark: quantities against engines."""
    present = [key for key in engines if any(row["engine"] == key for row in rows)]
    found = {(row["quantity"], row["engine"]): row for row in rows}
    body = []
    for quantity in dict.fromkeys(row["quantity"] for row in rows):
        cells = [_value(found.get((quantity, key))) for key in present]
        unit = next(row["unit"] for row in rows if row["quantity"] == quantity)
        body.append((escaped(quantity), escaped(unit), *cells))
    return table(("", "unit", *(escaped(engines[key]) for key in present)), body)


def _value(row):
    if row is None:
        return ""
    ratio = row.get("ratio")
    factor = "" if ratio is None or row["engine"] == "plastica" else f" ({_factor(ratio)})"
    return f"{short(row['value'], 3)}{factor}"


def versions():
    """What this build was made with."""
    import platform
    from importlib import metadata

    return f"Python {platform.python_version()}, Brian2 {metadata.version('brian2')}"
