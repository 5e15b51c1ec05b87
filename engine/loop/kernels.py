"""The main part of each kind of code object, as lines of C++.

The equations appear as Brian2 writes them; what differs is the loop around them.
"""

import re

from brian2.codegen.generators.cpp_generator import c_data_type
from brian2.codegen.statements import Statement
from brian2.input.binomial import BinomialFunction
from brian2.utils.logger import get_logger
from brian2.utils.stringtools import get_identifiers

from .. import brian_versions
from .analysis import (
    RAND,
    bernoulli,
    calls,
    has_costly_power,
    is_boolean,
    is_pure,
)

logger = get_logger("brian2.fast_standalone")

CHUNK = 512  # elements whose values stay in the first-level cache between the loops over them
BLOCK = 256  # synapses treated together
INDEPENDENT = "FAST_LOOP_INDEPENDENT"


def indented(lines, by=1):
    return ["    " * by + line for line in lines]


def loop(first, end, body, vector=False, index="_idx"):
    """A loop over elements; `vector` promises the compiler that they do not depend on each other."""
    return [
        *([INDEPENDENT] if vector else []),
        f"for (int {index} = {first}; {index} < {end}; {index}++)",
        "{",
        *indented(body),
        "}",
    ]


def _split(code):
    return [line for text in code for line in text.split("\n")]


def vector_lines(facts, statements=None, flags=()):
    """Reads, declarations, statements and writes for one element, as Brian2 arranges them.

    `flags` are statements whose variables were written before, by a loop of their own. Where possible they
    are computed again here, which is cheaper than mixing bytes with larger numbers.
    """
    generator = facts.generator
    statements = facts.vector if statements is None else statements
    names = {statement.var for statement in flags}
    again = [s for s in flags if not s.used_boolean_variables and not names & get_identifiers(s.expr)]
    read, write, indices, conditional = generator.arrays_helper([*again, *statements])
    read -= {statement.var for statement in again}
    write -= {statement.var for statement in again}
    # Single values that are not written here were read before the loop.
    read = {name for name in read if not (generator.variables[name].scalar and name not in write)}
    return _split(
        [
            *generator.translate_to_read_arrays(read, write, indices),
            *generator.translate_to_declarations(read, write, indices),
            *(f"const bool {s.var} = {generator.translate_expression(s.expr)};" for s in again),
            *generator.translate_to_statements(statements, conditional),
            *generator.translate_to_write_arrays(write),
        ]
    )


def scalar_lines(facts):
    """What has one value for all elements; what of it cannot change during a run is computed at its start."""
    generator = facts.generator
    once, each = facts.split_scalar()
    # One or two operations are not worth the lines.
    if sum(_cost(statement) for statement in once) < 2:
        once, each = [], facts.scalar
    read, write, indices, conditional = generator.arrays_helper(facts.scalar)
    v_read, v_write, _, _ = generator.arrays_helper(facts.vector)
    read |= {name for name in v_read if generator.variables[name].scalar and name not in v_write}
    lines = _split(
        [
            *generator.translate_to_read_arrays(read, write, indices),
            *generator.translate_to_declarations(read, write, indices),
        ]
    )
    if once:
        lines += ["// the same at each step of a run, computed at its first", "static int _computed_in = -1;"]
        for kind in dict.fromkeys(c_data_type(statement.dtype) for statement in once):
            names = [statement.var for statement in once if c_data_type(statement.dtype) == kind]
            lines += [f"static {kind} {', '.join(names)};"]
        lines += ["if (_computed_in != Network::_runs)", "{", "    _computed_in = Network::_runs;"]
        lines += [f"    {s.var} = {generator.translate_expression(s.expr)};" for s in once]
        lines += ["}"]
    lines += _split([*generator.translate_to_statements(each, conditional)])
    lines += _split([*generator.translate_to_write_arrays(write)])
    return lines


def _cost(statement):
    """1 for a few operations, 2 if there is a function to compute."""
    return 2 if calls(statement.expr) or has_costly_power(statement.expr) else 1


def draw_lines(facts):
    """Random numbers of a chunk, in the order in which the elements would have drawn them."""
    if not facts.draws:
        return []
    body = []
    for draw in facts.draws:
        value = f"{facts.generator.func_name_replacements.get(draw.function, draw.function)}(_idx)"
        if draw.condition:
            value = f"{facts.array(draw.condition)}[_idx] ? {value} : 0"
        body.append(f"{draw.name}_of[_idx - _first] = {value};")
    fill = _filler(facts)
    return [
        "// random numbers, in the order of the elements",
        *(f"double {draw.name}_of[{CHUNK}];" for draw in facts.draws),
        *([f"{fill}({facts.draws[0].name}_of, _end - _first);"] if fill else loop("_first", "_end", body)),
    ]


def _filler(facts):
    """The C++ function that makes many of the random numbers at once, if there is one for them."""
    if len(facts.draws) != 1 or facts.draws[0].condition or not brian_versions.generator_can_fill():
        return None
    name = facts.draws[0].function
    function = facts.generator.variables[name]
    if isinstance(function, BinomialFunction):
        support = function.implementations[facts.generator.codeobj_class].get_code(facts.generator.owner)
        return f"{name}_fill" if f" {name}_fill(" in support["support_code"] else None
    kind = "rand" if function is RAND else "randn"
    return f"_random_generators[0].fill_{kind}"


def _named_draws(facts):
    return [f"const double {draw.name} = {draw.name}_of[_idx - _first];" for draw in facts.draws]


def leading_flags(facts):
    """(statements that set a flag of one byte and come before all others, the rest).

    Loops that mix bytes with numbers of eight bytes vectorise badly: the flags get a loop of their own.
    """
    flags, rest = [], list(facts.vector)
    drawn = {draw.name for draw in facts.draws}
    while rest and rest[0].op == "=" and is_boolean(facts.variable(rest[0].var)):
        if drawn & get_identifiers(rest[0].expr):
            break
        flags.append(rest.pop(0))
    names = {statement.var for statement in flags}
    if not rest or any(statement.var in names for statement in rest):
        return [], facts.vector
    return flags, rest


def prepared(facts):
    """The facts in the form the vectorised loops need, or (None, reason), which is logged."""
    reason, with_draws = facts.obstacle(), None
    if reason is None:
        with_draws = facts.with_draws()
        if with_draws is None:
            reason = "how many random numbers are drawn, and when, depends on the elements"
    if reason is not None:
        logger.info(f"{facts.generator.name}: computed element by element, since {reason}.", "one_by_one")
        return None, reason
    return with_draws.in_vectors(), None


def state_update(facts, size, together=None):
    """One step of all elements; `size` is the C++ expression of their number, `together` as in
    `synaptic_effect`.
    """
    lines = _state_update(facts, size)
    if together is None:
        return lines
    return [*together.pointers(facts), *together.redirected(lines, facts)]


def _state_update(facts, size):
    lines = [
        "// scalar code",
        "const size_t _vectorisation_idx = -1;",
        *scalar_lines(facts),
        f"const int _N = {size};",
    ]
    if not facts.vector:
        return lines
    ready, reason = prepared(facts)
    if ready is None:
        return [
            *lines,
            f"// one by one, since {reason}",
            *loop(0, "_N", ["const size_t _vectorisation_idx = _idx;", *vector_lines(facts)]),
        ]
    flags, rest = leading_flags(ready)
    equations = [*_named_draws(ready), *vector_lines(ready, rest, flags)]
    if not flags and not ready.draws:
        return [*lines, *loop(0, "_N", equations, vector=True)]
    inner = [f"const int _end = std::min(_first + {CHUNK}, _N);", *draw_lines(ready)]
    if flags:
        inner += loop("_first", "_end", vector_lines(ready, flags), vector=True)
    inner += loop("_first", "_end", equations, vector=True)
    return [
        *lines,
        f"for (int _first = 0; _first < _N; _first += {CHUNK})",
        "{",
        *indented(inner),
        "}",
    ]


def threshold(facts, events, size, refractory, time, keep_draws=False):
    """Which elements fulfil the condition: compared many at a time, then collected in their order.

    `refractory` holds the C++ arrays (not_refractory, lastspike), or is None. Events of a given probability
    are found by the gaps between them, unless `keep_draws` asks for a random number per element.
    """
    lines = [
        "// scalar code",
        "const int _vectorisation_idx = -1;",
        *scalar_lines(facts),
    ]
    found = [f"{events}[_count++] = _idx;"]
    if refractory:
        found += [f"{refractory[0]}[_idx] = false;", f"{refractory[1]}[_idx] = {time};"]
    gaps = None if keep_draws else _gaps(facts, found, size)
    if gaps is not None:
        return [*lines, "long _count = 0;", *gaps, f"{events}[{size}] = _count;"]
    ready, reason = prepared(facts)
    if ready is None:
        return [
            *lines,
            f"// one by one, since {reason}",
            "long _count = 0;",
            *loop(
                0,
                size,
                [
                    "const size_t _vectorisation_idx = _idx;",
                    *vector_lines(facts),
                    "if (_cond)",
                    "{",
                    *indented(found),
                    "}",
                ],
            ),
            f"{events}[{size}] = _count;",
        ]
    for statement in ready.vector:  # without the distinction of cases that Brian2 makes for flags
        if statement.var == "_cond":
            statement.used_boolean_variables = None
    collect = ["if (_found[_idx - _first])", "{", *indented(found), "}"]
    inner = [
        f"const int _end = std::min(_first + {CHUNK}, (int){size});",
        *draw_lines(ready),
        f"char _found[{CHUNK} + 8];",
        *loop(
            "_first",
            "_end",
            [*_named_draws(ready), *vector_lines(ready), "_found[_idx - _first] = _cond;"],
            vector=True,
        ),
        "for (int _k = 0; _k < 8; _k++)",
        "    _found[_end - _first + _k] = 0;",
        "// most groups of eight have none",
        "for (int _eight = _first; _eight < _end; _eight += 8)",
        "    if (fast_any_of_eight(_found + (_eight - _first)))",
        *indented(loop("_eight", "std::min(_eight + 8, _end)", collect), 2),
    ]
    return [
        *lines,
        "long _count = 0;",
        f"for (int _first = 0; _first < (int){size}; _first += {CHUNK})",
        "{",
        *indented(inner),
        "}",
        f"{events}[{size}] = _count;",
    ]


def _gaps(facts, found, size):
    """Events of a given probability, found by the gaps between them. None if the condition is not rand() < p.

    Conditions joined to that with `and` are asked where there is an event only.
    """
    *before, last = facts.vector
    probability, further = bernoulli(last.expr)
    asked = [*(s.expr for s in before), *(e for e in (probability, further) if e)]
    if (
        probability is None
        or last.var != "_cond"
        or facts.functions().get("rand") is not RAND
        or any(set(calls(expression)) & facts.random_functions() for expression in asked)
        or facts.obstacle()
    ):
        return None
    local = {statement.var for statement in before}
    names = get_identifiers(probability)
    setup = [
        "// instead of a random number per element, one per event and one for the gap to the next",
        "static fast_loop::EventGaps _gaps;",
    ]
    if any(name in local or facts.is_element(name) for name in names):
        value = Statement("_probability", ":=", probability, "", float, constant=True)
        body = [*vector_lines(facts, [*before, value]), "_probability_of[_idx] = _probability;"]
        compute = [
            *loop(0, f"(int){size}", body, vector=True),
            f"_largest = fast_loop::largest_of(_probability_of.data(), {size});",
        ]
        setup += [f"static std::vector<double> _probability_of({size});", "static double _largest;"]
        if facts.stay([*before, value]):
            setup += [
                "// the same at each step of a run, computed at its first",
                "static int _known_in = -1;",
            ]
            setup += ["if (_known_in != Network::_runs)", "{", "    _known_in = Network::_runs;"]
            setup += [*indented(compute), "}"]
        else:
            setup += compute
        of = "[&](int _idx) { return _probability_of[_idx]; }"
    else:
        setup += [f"const double _largest = {facts.generator.translate_expression(probability)};"]
        of = "[&](int) { return _largest; }"
    own = brian_versions.generator_can_fill()
    seeding = "_random_generators[0].seedings()" if own else "Network::_runs"
    event = list(found)
    if further:
        asks = Statement("_also", ":=", further, "", bool, constant=True)
        event = [*vector_lines(facts, [*before, asks]), "if (!_also)", "    return;", *event]
    return [
        *setup,
        f"_gaps.draw(_random_generators[0], {seeding}, {size}, _largest, {of}, [&](int _idx)",
        "{",
        *indented(event),
        "});",
    ]


def synaptic_effect(facts, pathway, side="pre", together=None):
    """What a spike does to its synapses, for all synapses of `pathway` that act in this step.

    `side` is that of the cell whose spikes these are; `together` tells which variables may stand next to
    each other instead of in their own arrays.
    """
    lines = [
        "// scalar code",
        "const size_t _vectorisation_idx = -1;",
        *scalar_lines(facts),
    ]
    if not facts.vector:
        return lines
    effect = _blocks(facts, pathway, together)
    if effect is None:
        effect = _one_by_one(facts, pathway, side, together)
    if together is not None:
        effect = [*together.pointers(facts), *together.redirected(effect, facts)]
    return [*lines, *effect]


AHEAD = 16  # synapses of which memory is fetched before it is needed


def _one_by_one(facts, pathway, side, together):
    """Effects that compute little: synapse by synapse, those of one cell after the other.

    What they have in common, the cell itself, is read once, and where synapses stand scattered in memory,
    they are fetched some steps ahead.
    """
    body = ["const size_t _vectorisation_idx = _idx;", *vector_lines(facts)]
    own, other = ("_presynaptic_idx", "_postsynaptic_idx")[:: 1 if side == "pre" else -1]
    arrays, rest = {}, []
    for line in body:
        match = re.fullmatch(r"const int32_t (_presynaptic_idx|_postsynaptic_idx) = (\w+)\[_idx\];", line)
        if match:
            arrays[match.group(1)] = match.group(2)
        else:
            rest.append(line)
    ends = [name for name in (own, other) if name in arrays]
    read, write, _, _ = facts.touched()
    scattered = [
        facts.array(n) for n in sorted(read | write) if facts.is_element(n) and facts.index(n) == "_idx"
    ]
    if together is not None:
        beside = {facts.generator.get_array_name(variable) for variable in together.variables}
        first = next((f"_at_{v.name}" for v in together.variables if _is_read(v, facts)), None)
        scattered = [f"{a}[_ahead]" for a in scattered if a not in beside]
        scattered += [f"{first}[_ahead*_apart]"] if first else []
    else:
        scattered = [f"{a}[_ahead]" for a in scattered]
    declared = "".join(f", const int32_t {name}" for name in ends)
    values = {own: "_cell", other: f"{arrays.get(other)}[_k]"}
    listed = {own: "_cell", other: "_other_end[_k]"}
    single = {name: f"{arrays.get(name)}[_index[_k]]" for name in ends}
    fetch = []
    if scattered:
        fetch = [
            f"const size_t _ahead = _index[std::min(_k + {AHEAD}, _group.end - 1)];",
            *(f"__builtin_prefetch(&{place}, 1);" for place in scattered),
        ]

    others = []
    if other in ends:
        others = [f"const int32_t* const _other_end = {pathway}.other_ends({arrays[other]});"]

    def call(index, at):
        return f"_act({', '.join([index, *(at[name] for name in ends)])});"

    return [
        f"const auto _act = [&](const size_t _idx{declared})",
        "{",
        *indented(rest),
        "};",
        *others,
        f"for (const DueSynapses& _group : {pathway}.due())",
        "{",
        "    const int32_t* const _index = _group.index;",
        "    if (_group.repeats)",
        *indented(loop("_group.begin", "_group.end", [call("_index[_k]", single)], index="_k"), 2),
        "    else",
        "    {",
        *(
            [f"        const int32_t _cell = {arrays[own]}[_index ? _index[_group.begin] : _group.begin];"]
            if own in ends
            else []
        ),
        "        if (_index)",
        *indented(loop("_group.begin", "_group.end", [*fetch, call("_index[_k]", listed)], index="_k"), 3),
        "        else",
        *indented(loop("_group.begin", "_group.end", [call("_k", values)], index="_k"), 3),
        "    }",
        "}",
    ]


def _is_read(variable, facts):
    return any(variable is other for other in facts.generator.variables.values())


def _blocks(facts, pathway, together):
    """Effects that compute much: read a block of synapses, compute them many at a time, write them in order.

    The result is that of going one by one if what is written through other indices than the synapse's own is
    only added to, and not read. None where that is not so, or where there is little to compute.
    """
    generator = facts.generator
    if not facts.is_costly() or any(not is_pure(*item) for item in facts.functions().items()):
        return None
    facts = facts.in_vectors()
    read, write, indices, conditional = facts.touched()
    single = {name for name in read if generator.variables[name].scalar}
    if single & write or any(facts.index(name) != "_idx" for name in indices):
        return None
    read -= single
    own = {name for name in write if facts.index(name) == "_idx"}
    added = write - own
    arrays = [facts.array(name) for name in read | write | indices]
    if any(arrays.count(facts.array(name)) > 1 for name in write) or set(conditional) & own:
        return None
    uses = [get_identifiers(statement.expr) for statement in facts.vector]
    for name in added:
        statements = [statement for statement in facts.vector if statement.var == name]
        if (
            len(statements) != 1
            or statements[0].op not in ("+=", "-=")
            or statements[0].used_boolean_variables
            or any(name in used for used in uses)
            or (name in conditional and conditional[name] in write)
        ):
            return None
    read -= added
    kind = {name: c_data_type(generator.variables[name].dtype) for name in read | write | indices}
    # Where each value stands while the block is computed: in an array of its own, or in the synapse's record.
    place = {name: f"{name}_of[_k]" for name in read | write | indices}
    records = {}
    if together is not None:
        records = {name: together.place(generator.variables[name]) for name in own | read}
        records = {name: k for name, k in records.items() if k is not None and facts.index(name) == "_idx"}
        place |= {name: f"_of[_k].value[{k}]" for name, k in records.items()}
    gather, compute, scatter, apart_gather, apart_scatter = [], [], [], [], []
    for name in sorted(indices):
        gather += [f"const {kind[name]} {name} = {name}_of[_k] = {facts.array(name)}[_idx];"]
    for name in sorted(read):
        line = f"{place[name]} = {facts.array(name)}[{facts.index(name)}];"
        (apart_gather if name in records else gather).append(line)
    for name in sorted(own | read):
        if name in read:
            compute += [f"{'' if name in own else 'const '}{kind[name]} {name} = {place[name]};"]
        else:
            compute += [f"{kind[name]} {name};"]
    for statement in facts.vector:
        if statement.var in added:
            sign = "-" if statement.op == "-=" else ""
            compute += [f"{statement.var}_of[_k] = {sign}({generator.translate_expression(statement.expr)});"]
        else:
            compute += _split([generator.translate_statement(statement)])
    compute += [f"{place[name]} = {name};" for name in sorted(own)]
    for name in sorted(own):
        line = f"{facts.array(name)}[_idx] = {place[name]};"
        (apart_scatter if name in records else scatter).append(line)
    for name in sorted(added):
        line = f"{facts.array(name)}[{facts.index(name)}_of[_k]] += {name}_of[_k];"
        scatter += [f"if ({conditional[name]}_of[_k])", f"    {line}"] if name in conditional else [line]
    number = ["const size_t _idx = _block[_k];"]

    def each(body, ahead=()):
        return loop("0", "_n", [*ahead, *number, *body], index="_k") if body else []

    fetched = [
        facts.array(n) for n in sorted(read | indices) if n not in records and facts.index(n) == "_idx"
    ]
    fetch = [f"__builtin_prefetch(&{array}[_block.ahead(_k)]);" for array in fetched]
    setup = [f"DueBlocks _block({pathway});"]
    setup += [
        f"{kind[n]} {n}_of[DueBlocks::SIZE];" for n in sorted(read | write | indices) if n not in records
    ]
    reading, writing = each(gather, fetch), each(scatter)
    if records:
        setup += [
            f"{together.class_name}::Record* const _records = {together.call}.records();",
            f"{together.class_name}::Record _copies[DueBlocks::SIZE];",
        ]
        copy = ["__builtin_prefetch(&_records[_block.ahead(_k)], 1);", "_of[_k] = _records[_block[_k]];"]
        reading = [
            f"{together.class_name}::Record* _of = _copies;",
            "if (!_records)",
            *indented(each(apart_gather)),
            "else if (_block.in_a_row())",
            "    _of = _records + _block[0];",
            "else",
            *indented(loop(0, "_n", copy, index="_k")),
            *reading,
        ]
        writing = [
            "if (!_records)",
            *indented(each(apart_scatter) or ["{}"]),
            "else if (_of == _copies)",
            *indented(loop(0, "_n", ["_records[_block[_k]] = _of[_k];"], index="_k")),
            *writing,
        ]
    return [
        *setup,
        "while (const int _n = _block.next())",
        "{",
        "    // read",
        *indented(reading),
        "    // compute, many at a time",
        *indented(loop(0, "_n", compute, index="_k", vector=True)),
        "    // write, in the order of the spikes",
        *indented(writing),
        "}",
    ]


def summed(facts, size, target, target_index, target_size, start):
    """The sum of a value over the synapses of each target; `target` and `target_index` are C++ arrays."""
    lines = [
        f"const int _target_size = {target_size};",
        *loop(0, "_target_size", [f"{target}[_target_idx + {start}] = 0;"], index="_target_idx"),
        "// scalar code",
        "const size_t _vectorisation_idx = -1;",
        *scalar_lines(facts),
        f"const int _N = {size};",
    ]
    read, _, indices, _ = facts.touched()
    obstacle = facts.obstacle() or facts.random_functions() or target in map(facts.array, read | indices)
    if obstacle or not facts.is_costly():
        body = ["const size_t _vectorisation_idx = _idx;", *vector_lines(facts)]
        return [*lines, *loop(0, "_N", [*body, f"{target}[{target_index}[_idx]] += _synaptic_var;"])]
    body = [*vector_lines(facts.in_vectors()), "_value_of[_idx - _first] = _synaptic_var;"]
    return [
        *lines,
        f"for (int _first = 0; _first < _N; _first += {CHUNK})",
        "{",
        f"    const int _end = std::min(_first + {CHUNK}, _N);",
        f"    double _value_of[{CHUNK}];",
        *indented(loop("_first", "_end", body, vector=True)),
        *indented(loop("_first", "_end", [f"{target}[{target_index}[_idx]] += _value_of[_idx - _first];"])),
        "}",
    ]
