"""Figures in the house style: functions that draw into an axes (a new one if none is given) and return it.

Times come in seconds and state variables in SI units; axes are labelled with the unit shown.  Every function
sets its style for itself and leaves matplotlib's settings as they were; code that adds text or lines of its
own does so inside `style()`.
"""

import functools
import textwrap
from collections.abc import Callable, Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from analysis.intervals import mean_interval

# Okabe & Ito's palette for all kinds of colour vision, without the yellow that vanishes on white.
BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
)
PALETTE = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
GREY = "#767676"
PAGE_WIDTH = 7.0  # inches
FEW = 5  # fewer seeds than this are shown one by one, without an interval

STYLE = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": True,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.75,
    "legend.borderpad": 0.2,
    "legend.title_fontsize": 7,
    "legend.handlelength": 1.4,
    "figure.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.titlelocation": "left",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "patch.linewidth": 0.7,
    "axes.grid": False,
    "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
    "image.cmap": "viridis",
    "axes.unicode_minus": True,
    "figure.dpi": 110,
    "savefig.dpi": 220,
    "figure.constrained_layout.use": True,
    "pdf.fonttype": 42,
}


def style():
    """Return a context in which matplotlib draws in the house style."""
    return matplotlib.rc_context(STYLE)


def _styled(draw: Callable) -> Callable:
    """Run a drawing function in the house style, on a new axes where its `ax` is None."""

    @functools.wraps(draw)
    def styled(*args, ax: Axes | None = None, **keywords):
        with style():
            if ax is None:
                ax = pyplot.figure(figsize=(PAGE_WIDTH / 2, 2.4)).add_subplot()
            return draw(*args, ax=ax, **keywords)

    return styled


def figure(
    layout: str,
    height: float = 3.0,
    *,
    width: float = PAGE_WIDTH,
    titles: Mapping[str, str] | None = None,
    widths: Sequence[float] | None = None,
    heights: Sequence[float] | None = None,
    three_d: str = "",
    title: str = "",
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and its axes by letter, laid out as in `"AAB;CDE"` (`;` ends a row, `.` is empty).

    Every panel carries its letter; `titles` gives panels a heading, `three_d` names the panels with three
    dimensions, `widths` and `heights` the relative sizes of columns and rows, `title` a line over the whole
    figure (what was run, seeds, n).
    """
    letters = sorted(set(layout) - set(";. \n"))
    unknown = sorted((set(titles or {}) | set(three_d)) - set(letters))
    if unknown:
        raise ValueError(
            f"There is no panel {', '.join(unknown)} in the layout {layout!r}; it has {', '.join(letters)}."
        )
    # Loads the backend now: a notebook's, loaded within a style, would forget with it that it shows figures.
    pyplot.draw_if_interactive()
    with style():
        fig = pyplot.figure(figsize=(width, height))
        fig.get_layout_engine().set(w_pad=0.06, h_pad=0.06)
        axes = fig.subplot_mosaic(
            layout,
            width_ratios=widths,
            height_ratios=heights,
            per_subplot_kw={letter: {"projection": "3d"} for letter in three_d} or None,
        )
        for letter, ax in axes.items():
            if len(axes) > 1:
                # A text in a 3D axes wants three coordinates, an annotation in axes fractions does not.
                _note(ax, letter, (0, 1), (-22, 7), "axes fraction", fontsize=10, fontweight="bold")
            ax.set_title((titles or {}).get(letter, ""), loc="left")
        if title:
            fig.suptitle(title, x=0.01, ha="left")
    return fig, axes


def with_prefix(values: ArrayLike, unit: str) -> tuple[float, str]:
    """Return the factor and the prefixed unit that show SI `values` up to 1000: (1e3, "mV") for 0.05 V.

    Units outside the common electrical ones and the second stay as they are.
    """
    finite = np.abs(np.asarray(values, dtype=float))
    largest = np.max(finite, where=np.isfinite(finite), initial=0.0)
    if unit not in ("V", "A", "S", "F", "s", "ohm", "C") or largest == 0:
        return 1.0, unit
    thousands = int(np.clip(np.floor(np.log10(largest) / 3 + 1e-3), -5, 2 if unit == "ohm" else 0))
    return 1000.0**-thousands, ["f", "p", "n", "µ", "m", "", "k", "M"][thousands + 5] + unit


def _prefix_of(axis, values: ArrayLike, unit: str) -> tuple[float, str]:
    """Return the prefix an axis shows for `unit`, which a later curve must not change, else one that fits."""
    axis.plastica_prefix = {unit: with_prefix(values, unit), **getattr(axis, "plastica_prefix", {})}
    return axis.plastica_prefix[unit]


def _label(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit and unit != "1" else name


def _note(ax: Axes, text: str, at: tuple, offset: tuple[float, float], where="data", **keywords) -> None:
    """Write `text` `offset` points away from `at`; outside the axes the layout leaves room for it."""
    ax.annotate(
        text, at, xycoords=where, xytext=offset, textcoords="offset points", annotation_clip=False, **keywords
    )


def seeds(used: Sequence[int]) -> str:
    """Return how the seeds of a run are named in a title: "seed 1", "seeds 1 to 5"."""
    return f"seed {used[0]}" if len(used) == 1 else f"seeds {used[0]} to {used[-1]}"


def legend(ax: Axes, *, outside: bool = False, title: str = "") -> Axes:
    """Draw the legend anew, where there is room or `outside` to the right; reference lines come last."""
    handles, labels = ax.get_legend_handles_labels()
    entries = sorted(
        zip(handles, labels, strict=True), key=lambda entry: getattr(entry[0], "get_linestyle", str)() == "--"
    )
    if entries:
        title = title or (ax.get_legend().get_title().get_text() if ax.get_legend() else "")
        where = (
            {"loc": "upper left", "bbox_to_anchor": (1.0, 1.02)}
            if outside
            else {"loc": "upper left" if ax.name == "3d" else "best"}
        )
        with style():
            ax.legend(*zip(*entries, strict=True), title=title or None, alignment="left", **where)
    return ax


def _colour_bar(ax: Axes, image, label: str) -> None:
    # An inset keeps the bar at the side of its map and as high as it, also where the map has a fixed aspect
    # or the column is wide.
    bar = ax.figure.colorbar(image, cax=ax.inset_axes([1.03, 0, 0.045, 1]), label=label)
    bar.outline.set_visible(False)


@_styled
def raster(
    t: ArrayLike,
    i: ArrayLike,
    *,
    ax: Axes,
    groups: Mapping[str, ArrayLike] | None = None,
    n: int | None = None,
    start: float = 0.0,
    end: float | None = None,
    color=BLACK,
) -> Axes:
    """Draw one mark per spike, `n` cells upwards (default: to the last active), from `start` to `end` (s).

    `groups` maps a name to the indices of its cells: they are stacked from the bottom, coloured and named
    with their number; cells in no group are left out.
    """
    t, i = np.asarray(t, dtype=float), np.asarray(i)
    end = (t.max() if t.size else start + 1.0) if end is None else end
    # A cell in two groups is drawn in both.
    every = np.arange(i.max(initial=0) + 1 if n is None else n)
    members = {name: np.asarray(cells, dtype=int) for name, cells in (groups or {"": every}).items()}
    n_rows = max(sum(map(len, members.values())), 1)
    scale, unit = _prefix_of(ax.xaxis, [end], "s")
    height = ax.get_window_extent().height * 72 / ax.figure.dpi
    few = n_rows <= 300
    size = np.clip(0.75 * height / n_rows, 2.2, 8) if few else 1.4
    bottom, ticks = 0, []
    for k, (name, cells) in enumerate(members.items()):
        row = np.full(max(int(i.max(initial=0)), int(cells.max(initial=0))) + 1, -1)
        row[cells] = bottom + np.arange(len(cells))
        shown = (row[i] >= 0) & (t >= start) & (t <= end)
        # One marker object per spike makes large PDF files: many cells become an image inside the PDF.
        ax.plot(
            t[shown] * scale,
            row[i[shown]],
            "|" if few else ".",
            markersize=size,
            markeredgewidth=0.8 if few else 0,
            color=PALETTE[k % len(PALETTE)] if groups else color,
            rasterized=not few,
            linestyle="none",
        )
        if groups:
            ticks.append(
                (bottom + (len(cells) - 1) / 2, f"{name}\n(n = {len(cells)})", PALETTE[k % len(PALETTE)])
            )
        bottom += len(cells)
    ax.set(
        xlim=(start * scale, end * scale),
        ylim=(-0.5 - 0.01 * n_rows, n_rows - 0.5 + 0.01 * n_rows),
        xlabel=_label("time", unit),
    )
    if groups:
        ax.set_yticks([at for at, _, _ in ticks], [text for _, text, _ in ticks])
        for mark, (_, _, tint) in zip(ax.get_yticklabels(), ticks, strict=True):
            mark.set_color(tint)
        ax.tick_params(axis="y", length=0)
    else:
        ax.set_ylabel("cell")
        ax.yaxis.get_major_locator().set_params(integer=True)
    return ax


@_styled
def trace(
    t: ArrayLike, values: ArrayLike, *, ax: Axes, name: str, unit: str, labels: Sequence[str] = (), color=None
) -> Axes:
    """Draw `values` (time, or time x curve; SI `unit`) against `t` (s), both shown with a fitting prefix."""
    t, values = np.asarray(t, dtype=float), np.asarray(values, dtype=float)
    (t_scale, t_unit), (scale, shown) = _prefix_of(ax.xaxis, t, "s"), _prefix_of(ax.yaxis, values, unit)
    lines = ax.plot(t * t_scale, values * scale, color=color)
    for line, label in zip(lines, labels, strict=bool(labels)):
        line.set_label(label)
    ax.set(xlabel=_label("time", t_unit), ylabel=_label(name, shown))
    first, last = ax.dataLim.x0, ax.dataLim.x1
    # Bin centres and first samples lie just above 0.
    ax.set_xlim(0.0 if 0 < first <= 0.02 * last else first, last)
    legend(ax)
    return ax


@_styled
def f_i_curve(
    current: ArrayLike,
    rate: ArrayLike,
    *,
    ax: Axes,
    unit: str = "A",
    label: str | None = None,
    theory: tuple[ArrayLike, ArrayLike] | None = None,
    color=None,
) -> Axes:
    """Draw rates (Hz) as points against the current (SI `unit`), `theory` (current, rate) as a line."""
    current = np.asarray(current, dtype=float)
    scale, shown = _prefix_of(ax.xaxis, current, unit)
    (points,) = ax.plot(current * scale, rate, "o" if theory is not None else "o-", color=color, label=label)
    if theory is not None:
        ax.plot(
            np.asarray(theory[0], dtype=float) * scale,
            theory[1],
            color=points.get_color(),
            zorder=1,
            alpha=0.8,
            label="theory" if label is None else f"{label}, theory",
        )
    ax.set(xlabel=_label("input current", shown), ylabel="firing rate (Hz)")
    ax.autoscale(axis="y")  # a curve drawn into the same axes earlier fixed the limits
    ax.set_ylim(bottom=0)
    legend(ax)
    return ax


@_styled
def state_space(trajectories: Sequence[ArrayLike], *, ax: Axes, labels: Sequence[str] = ()) -> Axes:
    """Draw trajectories (each time x dimension) on the two or three principal components of all of them.

    A ring marks the start and a square the end; curves of one label share a colour.
    """
    from sklearn.decomposition import PCA

    trajectories = [np.asarray(trajectory, dtype=float) for trajectory in trajectories]
    n_axes = 3 if ax.name == "3d" else 2
    pca = PCA(n_axes).fit(np.concatenate(trajectories))
    names = list(labels) or [""] * len(trajectories)
    if len(names) != len(trajectories):
        raise ValueError(f"{len(names)} labels for {len(trajectories)} trajectories.")
    tint = {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(dict.fromkeys(names))}
    for k, (name, trajectory) in enumerate(zip(names, trajectories, strict=True)):
        color = tint[name] if labels else PALETTE[k % len(PALETTE)]
        path = pca.transform(trajectory).T
        ax.plot(*path, color=color, linewidth=0.9, label=name if name and name not in names[:k] else None)
        ax.plot(*path[:, :1], "o", color=color, markerfacecolor="white")
        ax.plot(*path[:, -1:], "s", color=color)
    for k, axis in enumerate([ax.xaxis, ax.yaxis] + ([ax.zaxis] if n_axes == 3 else [])):
        axis.set_label_text(
            f"PC {k + 1} ({100 * pca.explained_variance_ratio_[k]:.0f} % of variance)"
            if n_axes == 2
            else f"PC {k + 1} ({100 * pca.explained_variance_ratio_[k]:.0f} %)"
        )
    if n_axes == 3:
        # Components have no unit, and numbers on three slanted axes cover each other: the box alone shows the
        # geometry.
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.set_ticklabels([])
            axis.set_pane_color((1, 1, 1, 0))
            axis.labelpad = -12
    if labels:
        legend(ax)
    return ax


@_styled
def heat_map(
    values: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    *,
    ax: Axes,
    x_label: str,
    y_label: str,
    value_label: str,
    center: float | None = None,
    low: float | None = None,
    high: float | None = None,
    annotate: str | None = None,
) -> Axes:
    """Draw `values` (len(y) x len(x)) as colours with a colour bar; labels carry their units.

    Short axes (at most 12 entries: a parameter grid) get one labelled cell per entry, long ones (a time) a
    numeric axis.  `annotate` is a format such as ".2f" that writes the numbers into the cells; `center` gives
    a diverging map around that value.
    """
    values, x, y = np.asarray(values, dtype=float), np.asarray(x), np.asarray(y)
    if values.shape != (len(y), len(x)):
        raise ValueError(
            f"Values of shape {values.shape} do not fit {len(y)} rows (y) and {len(x)} columns (x)."
        )
    finite = values[np.isfinite(values)]
    low = (finite.min() if finite.size else 0.0) if low is None else low
    high = (finite.max() if finite.size else 1.0) if high is None else high
    if center is not None:
        reach = max(abs(high - center), abs(center - low))
        low, high = center - reach, center + reach
    positions = [np.arange(len(entries)) if len(entries) <= 12 else entries for entries in (x, y)]
    colours = matplotlib.colormaps["viridis" if center is None else "RdBu_r"].with_extremes(bad="#DDDDDD")
    mesh = ax.pcolormesh(
        *positions,
        np.ma.masked_invalid(values),
        shading="nearest",
        cmap=colours,
        vmin=low,
        vmax=high,
        rasterized=True,
    )
    for entries, axis in ((x, ax.xaxis), (y, ax.yaxis)):
        if len(entries) <= 12:
            number = np.issubdtype(entries.dtype, np.floating)
            axis.set_ticks(range(len(entries)), [f"{x:.4g}" if number else str(x) for x in entries])
            axis.set_tick_params(length=0)
    if annotate:
        for row, column in np.argwhere(np.isfinite(values)):
            value = values[row, column]
            at = positions[0][column], positions[1][row]
            _write_on(ax, *at, f"{value:{annotate}}", mesh.cmap(mesh.norm(value)))
    ax.set(xlabel=x_label, ylabel=y_label)
    _colour_bar(ax, mesh, value_label)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def _write_on(ax: Axes, x: float, y: float, text: str, background: Sequence[float]) -> None:
    """Write `text` centred at (x, y), black or white, whichever contrasts with the background."""
    light = np.dot(background[:3], (0.299, 0.587, 0.114)) > 0.55
    ax.text(x, y, text, ha="center", va="center", fontsize=7, color="black" if light else "white")


@_styled
def confusion_matrix(
    counts: ArrayLike, *, ax: Axes, classes: Sequence | None = None, name: str = "class"
) -> Axes:
    """Draw a confusion matrix (rows true): the colour is the fraction of the row, the number the count."""
    counts = np.asarray(counts)
    total = counts.sum(axis=1, keepdims=True)
    fraction = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    classes = np.arange(1, len(counts) + 1) if classes is None else classes
    image = ax.imshow(fraction, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts > 0):
        _write_on(ax, column, row, f"{counts[row, column]:g}", image.cmap(fraction[row, column]))
    ax.set_xticks(range(len(counts)), classes)
    ax.set_yticks(range(len(counts)), classes)
    ax.tick_params(length=0)
    ax.set(xlabel=f"predicted {name}", ylabel=f"true {name}")
    _colour_bar(ax, image, f"fraction of the true {name}")
    return ax


@_styled
def curve_with_band(
    x: ArrayLike,
    values: ArrayLike,
    *,
    ax: Axes,
    x_label: str,
    y_label: str,
    label: str = "",
    color=None,
    reference: float | None = None,
    reference_label: str = "chance",
    marker: str = "",
) -> Axes:
    """Draw the mean of `values` (seed x point) with its 95 % confidence interval as a band.

    Of fewer than five seeds each is drawn as a thin line instead: an interval would say nothing. The legend
    states n, the number of seeds; `reference` is a level drawn as a dashed line, once per axes.
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    mean, low, high = mean_interval(values)
    # One number of seeds for all curves stands in the legend's title; a curve that differs names its own.
    n = ax.plastica_n = getattr(ax, "plastica_n", len(values))
    text = (label or "mean") + ("" if len(values) == n else f" (n = {len(values)})")
    (line,) = ax.plot(x, mean, marker=marker, color=color, label=text)
    if len(values) >= FEW:
        ax.fill_between(x, low, high, color=line.get_color(), alpha=0.22, linewidth=0)
    elif len(values) > 1:
        ax.plot(x, values.T, color=line.get_color(), alpha=0.35, linewidth=0.8)
    if reference is not None and not any(old.get_label() == reference_label for old in ax.lines):
        ax.axhline(reference, color=GREY, linestyle="--", linewidth=0.9, label=reference_label, zorder=0)
    ax.set(xlabel=x_label, ylabel=y_label)
    what = "mean and 95 % interval" if n >= FEW else "mean, and seeds (thin)"
    return legend(ax, title=f"{what}, n = {n}" if n > 1 else "n = 1")


@_styled
def comparison(
    samples: Mapping[str, ArrayLike],
    *,
    ax: Axes,
    x_label: str,
    reference: float | None = None,
    reference_label: str = "",
    format: str = ".1f",
    highlight: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
) -> Axes:
    """Draw a table of conditions: every seed as a point, mean and 95 % interval as marks and numbers.

    Of fewer than five seeds there is no interval, only the points and their mean. A condition with one
    value (nothing random in it) is a single mark.  `highlight` names conditions to set off, `reference` is
    a level such as a gate or a published number.  With `low` or `high` the axis ends there, and a mean
    beyond the end becomes an arrow at it.
    """
    missing = sorted(set(highlight) - set(samples))
    if missing:
        raise ValueError(
            f"Nothing to highlight under {', '.join(missing)}; the conditions are {', '.join(samples)}."
        )
    samples = {name: np.atleast_1d(np.asarray(values, dtype=float)) for name, values in samples.items()}
    numbers = sorted({values.size for values in samples.values() if values.size > 1})
    for row, (name, values) in enumerate(samples.items()):
        mean, start, end = mean_interval(values)
        color = VERMILLION if name in highlight else BLUE
        text = f"{mean:{format}}"
        if values.size > 1:
            # Spread on a fixed pattern, so that equal values do not hide each other and a redrawn figure is
            # the same.
            offset = 0.22 * np.linspace(-1, 1, values.size)
            ax.plot(values, row + offset, "o", color=color, alpha=0.35, markersize=3, markeredgewidth=0)
            if values.size >= FEW:
                ax.plot([start, end], [row, row], color=color, linewidth=2)
                text += f" ± {(end - start) / 2:{format}}"
            text += f" (n = {values.size})" if len(numbers) > 1 else ""
        ax.plot([mean], [row], "D", color=color, markersize=4)
        for limit, beyond, arrow in (
            (low, low is not None and mean < low, "<"),
            (high, high is not None and mean > high, ">"),
        ):
            if beyond:
                ax.plot([limit], [row], arrow, color=color, markersize=5, clip_on=False)
        _note(ax, text, (1, row), (6, 0), ("axes fraction", "data"), va="center", fontsize=7.5, color=color)
    if numbers:
        head = "mean ± 95 %" if numbers[-1] >= FEW else "mean"
        head += f"\nn = {numbers[0]}" if len(numbers) == 1 else ""
        _note(ax, head, (1, 1), (6, 2), "axes fraction", fontsize=7, color=GREY)
    if reference is not None:
        ax.axvline(reference, color=GREY, linestyle="--", linewidth=0.9, zorder=0)
    ax.set_yticks(range(len(samples)), list(samples))
    ax.set_ylim(len(samples) - 0.5, -0.5)
    ax.set_xlim(low, high)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    # Named below the axis: beside the line it would meet points, above the axes the title.
    ax.set_xlabel(x_label + (f"\n(dashed: {reference_label})" if reference_label else ""))
    return ax


def _bar_length(span: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is at most a third of `span`."""
    power = 10.0 ** np.floor(np.log10(span / 3))
    return power * max(step for step in (1, 2, 5) if step * power <= span / 3 * (1 + 1e-9))


@_styled
def gallery(panels: Sequence[tuple], *, ax: Axes, columns: int = 5, unit: str = "V", color=BLUE) -> Axes:
    """Draw many short traces `(name, t, values)` or `(name, t, values, stimulus)` in `columns`.

    Scale bars stand for axes: all traces share one vertical scale, shown by a bar at the lower right, each
    with its time bar (only the last one if all are of one length).  The stimulus is drawn in grey below,
    stretched to its own range.  The small axes are `ax.child_axes`.
    """
    ax.axis("off")
    every = np.concatenate([np.asarray(panel[2], dtype=float).ravel() for panel in panels])
    low, high = np.nanmin(every), np.nanmax(every)
    span = (high - low) or 1.0
    rows = -(-len(panels) // columns)
    lengths = [np.ptp(panel[1]) for panel in panels]
    one_length = np.allclose(lengths, lengths[0])
    has_stimulus = any(len(panel) > 3 for panel in panels)
    # Names wrap to their column (a character is about half its size wide) and leave room for their lines.
    width, height = (ax.get_window_extent().size * 72 / ax.figure.dpi) / (columns, rows)
    names = [textwrap.fill(str(panel[0]), max(int(0.94 * width / (0.54 * 7)), 4)) for panel in panels]
    lines = 1 + max(name.count("\n") for name in names)
    floor = low - (0.42 if has_stimulus else 0.1) * span
    for k, panel in enumerate(panels):
        t, values = panel[1:3]
        t = np.asarray(t, dtype=float)
        cell = ax.inset_axes(
            [
                (k % columns) / columns,
                (rows - 1 - k // columns) / rows,
                0.94 / columns,
                (1 - (9 * lines + 4) / height) / rows,
            ]
        )
        cell.axis("off")
        cell.plot(t, values, color=color, linewidth=0.8)
        if len(panel) > 3:
            stimulus = np.asarray(panel[3], dtype=float)
            reach = np.ptp(stimulus) or 1.0
            cell.plot(
                t,
                low - 0.32 * span + 0.16 * span * (stimulus - stimulus.min()) / reach,
                color=GREY,
                linewidth=0.8,
            )
        cell.set(xlim=(t[0], t[-1]), ylim=(floor - 0.1 * span, high + 0.05 * span))
        cell.set_title(names[k], fontsize=7, pad=2, loc="left")
        last = k == len(panels) - 1
        if last or not one_length:
            bar = _bar_length(lengths[k])
            factor, shown = with_prefix([bar], "s")
            cell.plot([t[-1] - bar, t[-1]], [floor, floor], color=BLACK, linewidth=1.4, clip_on=False)
            _note(
                cell,
                f"{bar * factor:g} {shown}",
                (t[-1] - bar / 2, floor),
                (0, -2),
                ha="center",
                va="top",
                fontsize=7,
            )
        if last:
            bar = _bar_length(span)
            factor, shown = with_prefix([bar], unit)
            cell.plot([t[-1], t[-1]], [floor, floor + bar], color=BLACK, linewidth=1.4, clip_on=False)
            _note(
                cell, f"{bar * factor:g} {shown}", (t[-1], floor + bar / 2), (3, 0), va="center", fontsize=7
            )
    return ax
