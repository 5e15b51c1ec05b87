"""What a sweep runs: an experiment, a circuit, or a function that makes circuits; its parameters and jobs."""

import hashlib
import inspect
from importlib import import_module

import numpy as np
from brian2.units import second
from brian2.units.fundamentalunits import Quantity

from circuits import Circuit, CircuitError
from circuits.circuit import seconds_of
from circuits.errors import listed, nearest
from circuits.quantities import format_quantity, same_dimension

from .errors import SweepError
from .work import Calls, Simulation, mean_rates, one_line

# Files of a program's folder that a worker on another host needs; the rest are sources, for people.
_NEEDED = ("main", "manifest.json", "static_arrays/*")


def target_of(what, **options):
    """The target for what `sweep` was given: a name, "module:function", a module, a circuit or a function."""
    if isinstance(what, str):
        what = _named(what)
    if isinstance(what, Circuit) or (callable(what) and not inspect.ismodule(what)):
        return CircuitTarget(what, **options)
    if inspect.ismodule(what) and hasattr(what, "run"):
        return ExperimentTarget(what, **options)
    raise SweepError(
        f"{what!r} cannot be swept over. Give the name of an experiment, a Circuit, or a function that makes "
        "one from its keywords."
    )


def _named(name):
    if ":" in name:
        return function_of(name)
    from experiments.__main__ import discover

    known = discover()
    if name not in known:
        raise SweepError(
            f"there is no experiment {name!r}.{nearest(name, known)} There are: {listed(known)}; and a "
            "function that makes a circuit is written module:function."
        )
    return import_module(f"experiments.{name}")


def function_of(text):
    """The function that "module:function" names."""
    module, _, name = text.partition(":")
    try:
        found = import_module(module)
    except ImportError as error:
        raise SweepError(f"{text}: the module {module} cannot be imported ({error}).") from None
    function = getattr(found, name, None)
    if not callable(function):
        public = [key for key, value in vars(found).items() if callable(value) and key[0] != "_"]
        raise SweepError(f"{module} has no function {name!r}.{nearest(name, public)}")
    return function


def code_digest(function):
    """A hash of what a function does: its source, or its byte code where there is none."""
    if hasattr(function, "func"):  # functools.partial
        given = repr((function.args, sorted(function.keywords.items())))
        return _digest(given + code_digest(function.func))
    try:
        return _digest(inspect.getsource(function))
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        return _digest(repr(type(function)) if code is None else _code_text(code))


def _code_text(code):
    inner = [_code_text(c) if hasattr(c, "co_code") else repr(c) for c in code.co_consts]
    return repr((code.co_code, code.co_names, inner))


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _measure(measure, standard=None):
    """The measure, its name and a hash of it."""
    if isinstance(measure, str):
        measure = function_of(measure)
    measure = standard if measure is None else measure
    if measure is None:
        return None, "", ""
    if not callable(measure):
        raise SweepError(f"measure: give a function of the recording (or of the results), not {measure!r}.")
    name = getattr(measure, "__name__", type(measure).__name__)
    return measure, "measured" if name == "<lambda>" else name, code_digest(measure)


def _pickled(function):
    import cloudpickle

    try:
        return cloudpickle.dumps(function)
    except Exception as error:
        raise SweepError(
            f"the measure cannot be sent to the workers ({one_line(error)}); let it use only what it gets."
        ) from None


def _like(name, value, default, owner):
    """The value, if it is of the kind of the default."""
    if isinstance(default, (bool, np.bool_)):
        fits = isinstance(value, (bool, np.bool_))
    elif isinstance(default, str):
        fits = isinstance(value, str)
    elif isinstance(default, tuple):
        fits = isinstance(value, (tuple, list))
        value = tuple(value) if fits else value
    elif isinstance(default, (int, np.integer)):
        fits = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    else:
        fits = not isinstance(value, (str, bool, tuple, list, type(None))) and same_dimension(value, default)
        fits = fits and np.isfinite(np.asarray(value, dtype=float)).all()
    if not fits:
        raise SweepError(
            f"{name}: {format_quantity(value)} does not fit {owner}; the default is "
            f"{format_quantity(default)}."
        )
    return value


class ExperimentTarget:
    """An experiment: its parameters are the keywords of `run`, a row is one call with one seed."""

    def __init__(self, module, measure=None, duration=None, settings=(), quick=False):
        from experiments import parameters

        self.module, self.name = module, module.__name__.rpartition(".")[2]
        if duration is not None:
            raise SweepError(f"duration: {self.name} is an experiment; set its own parameters (--set).")
        self.table = parameters.chosen(module, quick)
        self.seed_name = "seed" if "seed" in self.table else "seeds" if "seeds" in self.table else ""
        if isinstance(settings, dict):
            for name, value in settings.items():
                text = isinstance(value, str)
                default = self.default(name)
                value = (
                    parameters.parse(value, default, name) if text else _like(name, value, default, self.name)
                )
                self.table[name] = value
            named = set(settings)
        else:
            self.table = parameters.chosen(module, quick, None, settings)
            named = {setting.partition("=")[0].strip() for setting in settings}
        if "n_seeds" in self.table and "n_seeds" not in named:
            self.table["n_seeds"] = 1  # each row is a seed of its own
        self.measure, self.measure_name, self.measure_digest = _measure(measure)

    @property
    def has_seed(self):
        return bool(self.seed_name)

    def default(self, name):
        if name == self.seed_name:
            raise SweepError(f"{name}: seeds are no parameter to sweep over; say how many: seeds=5.")
        if name not in self.table:
            raise SweepError(
                f"{self.name} has no parameter {name!r}.{nearest(name, self.table)} Its parameters are: "
                f"{listed(self.table)}."
            )
        return self.table[name]

    def checked(self, name, value):
        return _like(name, value, self.default(name), self.name)

    def identity(self):
        from experiments.runs import parameter_texts

        try:
            source = inspect.getsource(self.module)
        except OSError:
            source = ""
        return {
            "target": self.name,
            "code of the experiment": _digest(source),
            "fixed parameters": parameter_texts(self.table),
            "measure": f"{self.measure_name} {self.measure_digest}".strip(),
        }

    def batches(self, points, rows, n_seeds, seeds, reserved):
        """One job and its points (row, seed, arguments)."""
        measure = None if self.measure is None else _pickled(self.measure)
        fixed = {key: value for key, value in self.table.items() if key not in points.names}
        job = Calls(self.module.__name__, fixed, self.seed_name, measure, self.measure_name, reserved)

        def made():
            for row in rows:
                yield int(row), seeds[row % n_seeds], points[row // n_seeds]

        yield job, made()


class CircuitTarget:
    """A circuit, or a function whose keywords make one: then these are parameters too, and may be structure.

    Numbers of the circuit go by their dotted names ("exc.w"); "duration" is a parameter as well.
    """

    has_seed = True

    def __init__(self, what, measure=None, duration=None, settings=(), quick=False):
        if quick:
            raise SweepError("quick: a circuit has no quick form.")
        if duration is None:
            raise SweepError("duration: say how long the circuit runs, such as duration=1*second.")
        if isinstance(duration, str):
            from circuits.quantities import parse_quantity

            duration = parse_quantity(duration, like=second)
        try:
            self.duration = seconds_of(duration)
        except CircuitError as error:
            raise SweepError(str(error)) from None
        self.make, self.keywords = None, {}
        self.name = "circuit"
        if not isinstance(what, Circuit):
            self.make, self.name = what, getattr(what, "__name__", "circuit")
            self.keywords = _keywords(what)
        given = dict(settings) if isinstance(settings, dict) else _texts(settings)
        fixed = {name: given.pop(name) for name in list(given) if name in self.keywords}
        for name, value in fixed.items():
            self.keywords[name] = self._value(name, value, self.keywords[name])
        self.circuit = what if self.make is None else self._made({})
        self.slots = {slot.number: slot for slot in self.circuit.plan.slots if slot.number}
        self.numbers = {name: self._value(name, value, self.default(name)) for name, value in given.items()}
        self.circuit = self.circuit.but(self.numbers)
        self.measure, self.measure_name, self.measure_digest = _measure(measure, mean_rates)

    def _value(self, name, value, default):
        if isinstance(value, str) and not isinstance(default, str):
            from experiments.parameters import ParameterError, parse

            try:
                return parse(value, default, name)
            except ParameterError as error:
                raise SweepError(str(error)) from None
        return _like(name, value, default, self.name) if name in self.keywords else self.checked(name, value)

    def _made(self, keywords):
        made = self.make(**{**self.keywords, **keywords})
        if not isinstance(made, Circuit):
            raise SweepError(f"{self.name} returned {type(made).__name__}, not a Circuit.")
        return made

    def default(self, name):
        if name in self.keywords:
            return self.keywords[name]
        if name == "duration":
            return self.duration * second
        if name not in self.slots:
            known = [*self.keywords, *self.slots, "duration"]
            kind = f"Keywords of {self.name} and numbers of its circuit" if self.make else "Its numbers"
            raise SweepError(
                f"the circuit has no number {name!r}.{nearest(name, known)} {kind} are: {listed(known)}."
            )
        slot = self.slots[name]
        value = slot.value if np.ndim(slot.value) == 0 and not slot.text else 1.0
        return Quantity(float(value), dim=slot.dim) if not slot.dim.is_dimensionless else float(value)

    def checked(self, name, value):
        if name in self.keywords:
            return _like(name, value, self.keywords[name], self.name)
        try:
            if name == "duration":
                return seconds_of(value)
            self.circuit.plan.fitted({name: value})
        except CircuitError as error:
            raise SweepError(str(error)) from None
        return value

    def identity(self):
        numbers = hashlib.sha256()
        for name, value in sorted(self.circuit.numbers().items()):
            numbers.update(name.encode() + np.asarray(value, dtype=float).tobytes())
        return {
            "target": self.name,
            "code of the circuit": "" if self.make is None else code_digest(self.make),
            "structure of the circuit": _digest(self.circuit.structure()),
            "numbers of the circuit": numbers.hexdigest()[:16],
            "fixed parameters": {name: format_quantity(value) for name, value in self.keywords.items()},
            "duration": f"{self.duration!r} s",
            "measure": f"{self.measure_name} {self.measure_digest}",
        }

    def batches(self, points, rows, n_seeds, seeds, reserved):
        """A job for every structure and its points (row, seed, arguments); an error where none can be built.

        Made one ahead of what runs: the next structure is built while the last one is still running.
        """
        pickled = _pickled(self.measure)
        jobs = {}
        for keywords, members in self._groups(points, rows, n_seeds):
            try:
                circuit = self._made(keywords).but(self.numbers) if keywords else self.circuit
                structure = circuit.structure()
                if structure not in jobs:
                    jobs[structure] = self._job(circuit, pickled, reserved)
                job = jobs[structure]
                base = _changed(circuit.numbers(), job.numbers)
            except Exception as error:  # of the function or the compiler: these points fail, others go on
                yield one_line(error), members
                continue
            yield job, self._arguments(circuit, base, points, members, n_seeds, seeds)

    def _groups(self, points, rows, n_seeds):
        """Rows by the keywords of the function, in order of the first of each."""
        varied = [name for name in points.names if name in self.keywords]
        if not varied:
            yield {}, rows
            return
        groups = {}
        for row in rows:
            point = points[row // n_seeds]
            chosen = {name: point[name] for name in varied}
            groups.setdefault(repr(list(chosen.items())), (chosen, []))[1].append(row)
        yield from groups.values()

    def _job(self, circuit, measure, reserved):
        import engine

        program = engine.build(circuit)
        paths = [path for pattern in _NEEDED for path in sorted(program.folder.glob(pattern))]
        files = {str(path.relative_to(program.folder)): path.read_bytes() for path in paths}
        return Simulation(
            program.key, files, circuit.numbers(), self.duration, measure, self.measure_name, reserved
        )

    def _arguments(self, circuit, base, points, rows, n_seeds, seeds):
        for row in rows:
            point = points[row // n_seeds]
            given = {name: value for name, value in point.items() if name not in self.keywords}
            arguments = dict(base)
            if "duration" in given:
                arguments["duration"] = seconds_of(given.pop("duration"))
            arguments.update(circuit.plan.fitted(given))
            yield int(row), seeds[row % n_seeds], arguments


def _changed(numbers, base):
    return {name: value for name, value in numbers.items() if not np.array_equal(value, base[name])}


def _keywords(function):
    """The keywords of a function with their defaults; all parameters must have one."""
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.default is parameter.empty:
            raise SweepError(
                f"{function.__name__}: the parameter {parameter.name!r} has no default. A function that "
                "makes circuits is called with keywords; give each a default."
            )
        found[parameter.name] = parameter.default
    return found


def _texts(settings):
    made = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise SweepError(f"--set needs key=value and got {setting!r}.")
        made[key.strip()] = text.strip()
    return made
