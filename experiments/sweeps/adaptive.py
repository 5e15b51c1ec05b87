"""`search`: points chosen after what earlier ones gave, by optuna, to make a measure large or small."""

import numpy as np

from circuits import CircuitError
from circuits.quantities import parse_quantity

from .design import Span, _column, _pairs, _text
from .errors import SweepError
from .runner import FORMAT, Sweep, _seed_text, _seeds
from .table import read
from .targets import target_of

BATCH = 8  # points that are chosen together and may run side by side


def search(
    what, over, *, maximise=None, minimise=None, trials, seeds=1, measure=None, duration=None,
    settings=(), quick=False, sample_seed=0, folder=None, workers=None, scheduler=None, keep=False,
    retry=False, progress=None,
):  # fmt: skip
    """Look for the point where a measure (mean over seeds) is largest or smallest; returns the table.

    Points are chosen by optuna's tree-structured Parzen estimator (Bergstra et al. 2011), eight at a time
    from all that came before, with a seed of their own: the same search has the same points, with any number
    of workers and after any interruption. The same call with more trials goes on where it ended. Points that
    fail are avoided. Needs optuna (extra `search`).

    Parameters
    ----------
    over : dict
        Spans ("10:40 ms", "log 0.1:10 mV"), or lists of values to choose from.
    maximise, minimise : str
        The name of a number that is measured.
    trials : int
        How many points.

    Other parameters and errors are those of `sweep`.
    """
    prepared = Search(
        what, over, maximise=maximise, minimise=minimise, trials=trials, seeds=seeds, measure=measure,
        duration=duration, settings=settings, quick=quick, sample_seed=sample_seed, keep=keep,
    )  # fmt: skip
    return prepared.run(folder, workers, scheduler, retry, progress)


class Search(Sweep):
    """A search whose parameters have been checked; see `search`."""

    def __init__(
        self, what, over, *, maximise, minimise, trials, seeds, measure, duration, settings, quick,
        sample_seed, keep,
    ):  # fmt: skip
        from experiments.parameters import ParameterError

        _optuna()
        if (maximise is None) == (minimise is None):
            raise SweepError("say which number to maximise, or which to minimise, and not both.")
        if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
            raise SweepError(f"trials: got {trials!r}; give a whole number of at least 1.")
        self.aim, self.direction = maximise or minimise, "maximize" if maximise else "minimize"
        self.keep, self.sample_seed = keep, sample_seed
        try:
            self.target = target_of(what, measure=measure, duration=duration, settings=settings, quick=quick)
            self.points = _Trials(over, self.target, trials)
        except (ParameterError, CircuitError) as error:
            raise SweepError(str(error)) from None
        self.seeds = _seeds(seeds, self.target)
        self._check_names()
        self.n_rows = trials * len(self.seeds)
        self.identity = self.target.identity() | {
            "over": self.points.described(),
            "search": f"{self.direction} {self.aim}, seed {sample_seed}",
            "seeds": _seed_text(self.seeds),
        }
        self.plan = {
            "sweep": self.target.name,
            "format": FORMAT,
            "parameters": self.points.described(),
            "points": trials,
            "rows": self.n_rows,
            "seeds": _seed_text(self.seeds),
            "design": "search",
            "spans": {},
        }

    def _rounds(self, store):
        """The missing rows of eight points after the other, each chosen when those before are there."""
        n_seeds, trials = len(self.seeds), self.plan["points"]
        for start in range(0, trials, BATCH):
            stop = min(start + BATCH, trials)
            store.flush(now=True)
            self._choose(store, start, stop)
            rows = np.arange(start * n_seeds, stop * n_seeds)
            yield rows[~store.done[rows]]

    def _choose(self, store, start, stop):
        optuna = _optuna()
        table = read(store.path) if store.done.any() else None
        if table is not None:
            self._check_recorded(table, start, stop)
        # A generator of its own for each batch: what is chosen depends on the rows before it alone.
        words = np.random.SeedSequence(self.sample_seed, spawn_key=(start,)).generate_state(1)
        sampler = optuna.samplers.TPESampler(seed=int(words[0]), constant_liar=True)
        study = optuna.create_study(direction=self.direction, sampler=sampler)
        for point in range(start):
            value = _mean(table, point, self.aim)
            state = optuna.trial.TrialState
            study.add_trial(
                optuna.trial.create_trial(
                    params=self.points.chosen[point],
                    distributions=self.points.distributions,
                    value=value,
                    state=state.FAIL if value is None else state.COMPLETE,
                )
            )
        for point in range(start, stop):
            self.points.choose(point, study.ask(self.points.distributions).params)
        if table is not None:
            self._check_recorded(table, start, stop)

    def _check_recorded(self, table, start, stop):
        """What is chosen must be what was run, else the rows would lie under wrong values."""
        if self.aim not in table.columns and (table["error"] == "").any():
            known = ", ".join(table.attrs["measures"])
            raise SweepError(f"no number {self.aim!r} is measured; there are: {known}.")
        for point in range(start, stop):
            rows = table[table["point"] == point]
            if len(rows) and point < len(self.points.chosen):
                for name, (values, _) in self.points.columns().items():
                    if rows[name].iloc[0] != values[point]:
                        raise SweepError(
                            f"point {point} was run with another {name} than is chosen now, perhaps by "
                            "another version of optuna. Name another folder."
                        )

    def best(self, table):
        """A text about the best point."""
        if self.aim not in table or table[self.aim].isna().all():
            return f"{self.aim} was never measured."
        means = table.groupby("point")[self.aim].mean()
        point = means.idxmax() if self.direction == "maximize" else means.idxmin()
        row = table[table["point"] == point].iloc[0]
        units = table.attrs["units"]
        shown = ", ".join(
            f"{name} = {_text(row[name])} {units[name] if units[name] != '1' else ''}".strip()
            for name in table.attrs["parameters"]
        )
        n = len(self.seeds)
        return f"best: {self.aim} = {means[point]:g} at {shown} (point {point}, mean over {n} seeds)"


class _Trials:
    """The points of a search, as far as they are chosen; has what `Points` has."""

    def __init__(self, over, target, n):
        optuna = _optuna()
        self.n, self.spans, self.lists, self.distributions = n, {}, {}, {}
        for key, given in _pairs(over, target).items():
            if len(key) > 1:
                raise SweepError(f"{' & '.join(key)}: a search has no parameters side by side.")
            name, column = key[0], _column(key[0], given[0], target)
            if isinstance(column, Span):
                self.spans[name] = column
                target.checked(name, self._value(column, column.low))
                target.checked(name, self._value(column, column.high))
                kind = (
                    optuna.distributions.IntDistribution
                    if column.whole
                    else optuna.distributions.FloatDistribution
                )
                low, high = (int(column.low), int(column.high)) if column.whole else (column.low, column.high)
                self.distributions[name] = kind(low, high, log=column.log)
            else:
                self.lists[name] = column
                for k in range(len(column.values)):
                    target.checked(name, column.value(k))
                self.distributions[name] = optuna.distributions.CategoricalDistribution(
                    range(len(column.values))
                )
        self.names = list(self.distributions)
        self.chosen, self._columns = [], {}
        for name in self.names:
            numeric = name in self.spans or self.lists[name].unit is not None
            unit = (self.spans.get(name) or self.lists.get(name)).unit or "1"
            whole = name in self.spans and self.spans[name].whole
            kind = int if whole else float if numeric else object
            self._columns[name] = np.zeros(n, dtype=kind), unit

    def _value(self, span, number):
        return number if span.unit == "1" else number * parse_quantity(f"1 {span.unit}")

    def choose(self, point, params):
        """Take what optuna chose for a point."""
        del self.chosen[point:]
        self.chosen.append({name: params[name] for name in self.names})
        for name in self.names:
            values = self._columns[name][0]
            if name in self.spans:
                values[point] = params[name]
            else:
                value = self.lists[name].values[params[name]]
                values[point] = value if values.dtype != object else _text(value)

    def __len__(self):
        return self.n

    def __getitem__(self, point):
        params = self.chosen[point]
        return {
            name: self._value(self.spans[name], params[name])
            if name in self.spans
            else self.lists[name].value(params[name])
            for name in self.names
        }

    def columns(self):
        return self._columns

    def described(self):
        table = {}
        for name, span in self.spans.items():
            unit = "" if span.unit == "1" else f" {span.unit}"
            table[name] = f"{'log ' if span.log else ''}{span.low:g}:{span.high:g}{unit}"
        for name, column in self.lists.items():
            unit = "" if column.unit in (None, "1") else f" {column.unit}"
            table[name] = "one of " + ", ".join(_text(value) for value in column.values) + unit
        return table


def _mean(table, point, measure):
    """The mean over seeds at a point, or None where nothing was measured."""
    if table is None or measure not in table:
        return None
    values = table.loc[table["point"] == point, measure].astype(float).dropna()
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None


def _optuna():
    try:
        import optuna
    except ImportError:
        raise SweepError("a search needs optuna: pip install 'plastica[search]'.") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
