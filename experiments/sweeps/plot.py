"""Figures of a sweep, chosen by how many parameters vary: lines, maps, pairs; with bands over seeds."""

import json
import string
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import plots

from .errors import SweepError

MOST_PANELS = 6  # measures that are drawn if none is named
MOST_LINES = 6  # values of a second parameter that get a line each
BINS = 8  # of a sample, for its mean


def figure(table, measure=None):
    """Draw a sweep and return the figure.

    One parameter: the measures over it, mean and 95 % interval over seeds. Two: maps of the mean, and lines.
    More: `measure` (the first one, if none is named) over each parameter and over each pair, averaged over
    the others; of a sample, its points. Failed points are left out.

    Parameters
    ----------
    table : DataFrame
        From `sweep` or `read`.
    measure : str, optional

    Raises
    ------
    SweepError
        If the table has no such measure, or nothing that varies.
    """
    sheet = _Sheet(table, measure)
    if len(sheet.parameters) == 1:
        return _one(sheet)
    if len(sheet.parameters) == 2:
        return _two(sheet)
    return _pairs(sheet)


class _Sheet:
    """What a figure is drawn from: rows that went well, parameters that vary, measures, labels."""

    def __init__(self, table, measure):
        about = table.attrs
        if "measures" not in about:
            raise SweepError("this table has lost its attrs; take the one that `read` returns.")
        self.units = about["units"]
        measures = [n for n in about["measures"] if table[n].notna().any()]
        if measure is not None and measure not in measures:
            raise SweepError(
                f"there is no measure {measure!r} to draw; there are: {', '.join(measures) or 'none'}."
            )
        if not measures:
            errors = table["error"].value_counts()
            raise SweepError(f"all {len(table)} rows failed, most often with: {errors.index[0]}")
        self.measures = [measure] if measure else measures
        varied = [n for n in about["parameters"] if table[n].nunique() > 1]
        if not varied:
            raise SweepError("no parameter takes more than one value; there is nothing to draw.")
        self.parameters = varied
        self.rows = table.astype({name: float for name in self.measures})
        self.seeds = sorted(table["seed"].unique())
        self.gridded = _gridded(table, varied)
        failed = int((table["error"] != "").sum())
        folder = Path(about.get("folder", ""))
        name = _name(folder)
        n = len(self.seeds)
        self.many = n >= plots.FEW
        band = "95 % interval shaded" if self.many else "thin lines: seeds"
        over = f"seed {self.seeds[0]}"
        if n > 1:
            over = f"mean over {n} seeds ({self.seeds[0]} to {self.seeds[-1]})"
            over += f", {band}" if self.gridded else ""
        if not self.gridded:
            over += "; lines: means in bins with 95 % intervals"
        lost = f"; {failed} of {len(table)} rows failed" if failed else ""
        self.title = f"{name}{table['point'].nunique()} points, {over}{lost}"

    def label(self, name):
        unit = self.units.get(name, "1")
        return f"{name} ({unit})" if unit not in ("1", "") else name

    def is_text(self, name):
        return not pd.api.types.is_numeric_dtype(self.rows[name]) or self.rows[name].dtype == bool

    def levels(self, name):
        """The values of a parameter: numbers in their order, others as they were given."""
        values = self.rows[name].unique()
        return list(values) if self.is_text(name) else sorted(values)

    def by_seed(self, names, measure):
        """The mean over all other parameters, for each seed."""
        return self.rows.groupby([*names, "seed"], sort=False)[measure].mean().reset_index()


def _name(folder):
    try:
        return json.loads((folder / "sweep.json").read_text())["sweep"] + ": "
    except (OSError, ValueError, KeyError):
        return ""


def _gridded(table, names):
    """Whether the parameters form a grid (and not a sample, or values side by side)."""
    points = table.drop_duplicates("point")
    return len(points) == np.prod([points[name].nunique() for name in names])


def _one(sheet):
    (name,) = sheet.parameters
    measures = sheet.measures[:MOST_PANELS]
    columns = min(len(measures), 2)
    rows = -(-len(measures) // columns)
    letters = string.ascii_uppercase[: len(measures)]
    layout = ";".join(letters[k * columns : (k + 1) * columns].ljust(columns, ".") for k in range(rows))
    width = plots.PAGE_WIDTH if columns > 1 else 0.6 * plots.PAGE_WIDTH
    fig, axes = plots.figure(layout, 2.3 * rows + 0.3, width=width, title=sheet.title)
    for letter, measure in zip(letters, measures, strict=True):
        _lines(axes[letter], sheet, name, measure)
    return fig


def _two(sheet):
    measures = sheet.measures[: MOST_PANELS // 2]
    numeric = [name for name in sheet.parameters if not sheet.is_text(name)]
    # Lines over the parameter with more values, one for each of the other's.
    x, hue = sorted(sheet.parameters, key=lambda n: (n in numeric, sheet.rows[n].nunique()), reverse=True)
    if not sheet.gridded:
        return _pairs(sheet)
    letters = string.ascii_uppercase
    layout = ";".join(letters[2 * k] + letters[2 * k + 1] for k in range(len(measures)))
    fig, axes = plots.figure(layout, 2.6 * len(measures) + 0.3, title=sheet.title)
    for k, measure in enumerate(measures):
        _map(axes[letters[2 * k]], sheet, x, hue, measure)
        _lines(axes[letters[2 * k + 1]], sheet, x, measure, hue)
    return fig


def _pairs(sheet):
    """Parameters against each other below the diagonal, the measure over each on it."""
    names, measure = sheet.parameters, sheet.measures[0]
    d = len(names)
    places = [(row, column) for row in range(d) for column in range(row + 1)]
    letters = {place: (string.ascii_uppercase + string.ascii_lowercase)[k] for k, place in enumerate(places)}
    layout = ";".join("".join(letters.get((r, c), ".") for c in range(d)) for r in range(d))
    title = sheet.title + ("; averaged over the other parameters" if sheet.gridded and d > 2 else "")
    if sheet.gridded:
        pairs = [(names[c], names[r]) for r in range(d) for c in range(r)]
        shown = np.concatenate([_pivot(sheet, *pair, measure).ravel() for pair in pairs])
    else:
        shown = sheet.rows.groupby("point")[measure].mean().to_numpy()
    low, high = np.nanmin(shown), np.nanmax(shown)
    size = max(plots.PAGE_WIDTH, 2.0 * d)
    title = textwrap.fill(title, round(15 * size))
    fig, axes = plots.figure(layout, 0.8 * size, width=size, title=title)
    for (row, column), letter in letters.items():
        ax = axes[letter]
        if row == column:
            _lines(ax, sheet, names[row], measure)
        else:
            draw = _map if sheet.gridded else _scatter
            draw(ax, sheet, names[column], names[row], measure, low, high)
            ax.child_axes[0].remove()  # one colour bar for all
            _thin(ax, 4)
            if column:
                ax.set_ylabel("")
        if row < d - 1:
            ax.set_xlabel("")
    with plots.style():
        scale = plots.matplotlib.cm.ScalarMappable(plots.matplotlib.colors.Normalize(low, high), "viridis")
        place = axes[letters[0, 0]].inset_axes([1.5, 0.55, 1.2, 0.12])
        place.set_in_layout(False)  # it lies where the mosaic is empty
        bar = fig.colorbar(scale, cax=place, orientation="horizontal", label=sheet.label(measure))
        bar.outline.set_visible(False)
    return fig


def _thin(ax, most):
    """Leave at most so many labels on axes that have one for each entry."""
    for axis in (ax.xaxis, ax.yaxis):
        labels = [label.get_text() for label in axis.get_ticklabels()]
        if isinstance(axis.get_major_locator(), plots.matplotlib.ticker.FixedLocator) and len(labels) > most:
            every = -(-len(labels) // most)
            axis.set_ticklabels([text if k % every == 0 else "" for k, text in enumerate(labels)])


def _lines(ax, sheet, name, measure, hue=None):
    """The measure over a parameter: mean over seeds with its 95 % interval; few seeds one by one."""
    import seaborn

    if hue is None and sheet.is_text(name):
        groups = sheet.by_seed([name], measure).groupby(name, sort=False)
        samples = {str(level): part[measure].dropna() for level, part in groups}
        plots.comparison(samples, ax=ax, x_label=sheet.label(measure), format=".3g")
        with plots.style():
            ax.set_title(name, loc="left")
        return
    if not sheet.gridded:
        _binned(ax, sheet, name, measure)
        return
    rows = sheet.by_seed([name] if hue is None else [name, hue], measure).dropna()
    given = dict(x=name, y=measure, ax=ax, color=plots.BLUE)
    if hue is not None:
        levels = sheet.levels(hue)
        if len(levels) > MOST_LINES:
            levels = [levels[k] for k in np.linspace(0, len(levels) - 1, MOST_LINES).round().astype(int)]
        rows = rows[rows[hue].isin(levels)]
        shades = plots.matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(levels)))
        colors = plots.PALETTE[: len(levels)] if sheet.is_text(hue) else [tuple(shade) for shade in shades]
        labels = [f"{level:.3g}" if isinstance(level, float) else str(level) for level in levels]
        rows = rows.assign(**{hue: pd.Categorical(rows[hue], levels).rename_categories(labels)})
        given = dict(x=name, y=measure, ax=ax, hue=hue, palette=colors, hue_order=labels)
    with plots.style():
        seaborn.lineplot(
            rows, **given, errorbar=("ci", 95) if sheet.many else None, seed=0, marker="o", markersize=3.5,
            markeredgewidth=0, err_kws={"alpha": 0.22, "linewidth": 0} if sheet.many else None,
        )  # fmt: skip
        if not sheet.many and len(sheet.seeds) > 1:
            thin = dict(alpha=0.35, linewidth=0.7, legend=False, errorbar=None)
            seaborn.lineplot(rows, **given, units="seed", estimator=None, **thin)
        if _is_log(sheet.levels(name)):
            ax.set_xscale("log")
        ax.set(xlabel=sheet.label(name), ylabel=sheet.label(measure))
        if hue is not None:
            ax.legend(title=sheet.label(hue), alignment="left", loc="upper left", bbox_to_anchor=(1.0, 1.02))


def _binned(ax, sheet, name, measure):
    """Points of a sample, and the mean in bins of equally many points with its 95 % interval."""
    points = sheet.rows.groupby("point")[[name, measure]].mean().dropna()
    with plots.style():
        ax.plot(
            points[name], points[measure], ".", color=plots.GREY, alpha=0.4, markersize=3, markeredgewidth=0
        )
        few = points[name].nunique() <= 2 * BINS
        bins = min(BINS, max(len(points) // 5, 1))
        by = points[name] if few else pd.qcut(points[name], bins, duplicates="drop")
        groups = points.groupby(by, observed=True)
        middle, mean = groups[name].mean(), groups[measure].mean()
        half = 1.96 * groups[measure].sem()
        ax.plot(middle, mean, "o-", color=plots.BLUE)
        ax.fill_between(middle, mean - half, mean + half, color=plots.BLUE, alpha=0.22, linewidth=0)
        ax.set(xlabel=sheet.label(name), ylabel=sheet.label(measure))
        if _is_log_sample(points[name]):
            ax.set_xscale("log")


def _map(ax, sheet, x, y, measure, low=None, high=None):
    plots.heat_map(
        _pivot(sheet, x, y, measure), _entries(sheet, x), _entries(sheet, y), ax=ax, low=low, high=high,
        x_label=sheet.label(x), y_label=sheet.label(y), value_label=sheet.label(measure),
    )  # fmt: skip


def _pivot(sheet, x, y, measure):
    """Mean over seeds and all other parameters: values of y by values of x."""
    means = sheet.rows.groupby([y, x], sort=False)[measure].mean()
    return means.unstack(x).reindex(index=sheet.levels(y), columns=sheet.levels(x)).to_numpy()


def _entries(sheet, name):
    levels = sheet.levels(name)
    if sheet.is_text(name):
        return np.array([str(level) for level in levels])
    values = np.array(levels, dtype=float)
    return np.array([f"{value:.3g}" for value in values]) if len(values) <= 12 else values


def _scatter(ax, sheet, x, y, measure, low, high):
    """The points of a sample, coloured by the measure."""
    points = sheet.rows.groupby("point").agg({x: "first", y: "first", measure: "mean"}).dropna()
    codes = {}
    for name in (x, y):
        codes[name] = points[name]
        if sheet.is_text(name):
            levels = sheet.levels(name)
            codes[name] = points[name].map({level: k for k, level in enumerate(levels)})
    with plots.style():
        shown = ax.scatter(
            codes[x], codes[y], c=points[measure], s=10, cmap="viridis", linewidths=0, vmin=low, vmax=high
        )
        for name, axis in ((x, ax.xaxis), (y, ax.yaxis)):
            if sheet.is_text(name):
                axis.set_ticks(range(len(sheet.levels(name))), [str(level) for level in sheet.levels(name)])
            elif _is_log_sample(points[name]):
                (ax.set_xscale if axis is ax.xaxis else ax.set_yscale)("log")
        ax.set(xlabel=sheet.label(x), ylabel=sheet.label(y))
        bar = ax.figure.colorbar(shown, cax=ax.inset_axes([1.03, 0, 0.045, 1]), label=sheet.label(measure))
        bar.outline.set_visible(False)


def _is_log(levels):
    """Whether values are spaced more evenly in their logarithm."""
    values = np.asarray(levels, dtype=float)
    if len(values) < 3 or values.min() <= 0:
        return False
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return ratios.std() / ratios.mean() < steps.std() / steps.mean()


def _is_log_sample(values):
    """Whether the points of a sample are spread over their logarithm rather than over their values."""
    values = np.sort(np.asarray(values, dtype=float))
    if len(values) < 5 or values[0] <= 0 or values[-1] / values[0] < 10:
        return False
    middle = np.median(values)
    linear, log = (values[0] + values[-1]) / 2, np.sqrt(values[0] * values[-1])
    return abs(np.log(middle / log)) < abs(np.log(middle / linear))
