"""Figures: labels carry units, the data are there, and matplotlib's settings stay as they were."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot

from analysis import plots
from analysis.intervals import mean_interval


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot.close("all")


@pytest.fixture(autouse=True)
def unchanged_settings():
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_figure_has_lettered_panels_of_page_width():
    fig, axes = plots.figure("AAB;C.B", 4.0, titles={"A": "raster"}, three_d="B", title="seeds 1 to 3")
    assert list(axes) == ["A", "B", "C"] and fig.get_size_inches().tolist() == [7.0, 4.0]
    assert all(letter in texts(ax) for letter, ax in axes.items())
    assert axes["B"].name == "3d" and axes["A"].get_title(loc="left") == "raster"
    assert not axes["C"].spines["top"].get_visible()
    assert min(text.get_fontsize() for text in axes["C"].get_xticklabels()) >= 7
    with pytest.raises(ValueError, match="no panel D"):
        plots.figure("AB", titles={"D": "x"})


@pytest.mark.parametrize(
    ("used", "text"),
    [([3], "seed 3"), (np.array([1]), "seed 1"), ([1, 2], "seeds 1 to 2"), (range(4, 9), "seeds 4 to 8")],
)
def test_seeds_in_titles(used, text):
    assert plots.seeds(used) == text


def test_a_new_axes_is_made_and_a_given_one_returned():
    assert plots.trace([0, 1], [0, 1], name="v", unit="V").figure is not None
    ax = pyplot.figure().add_subplot()
    assert plots.trace([0, 1], [0, 1], name="v", unit="V", ax=ax) is ax


@pytest.mark.parametrize(
    ("largest", "unit", "expected"),
    [
        (-0.07, "V", (1e3, "mV")),
        (2e-10, "A", (1e12, "pA")),
        (1.0, "V", (1.0, "V")),
        (0.9995, "s", (1.0, "s")),
        (0.5, "s", (1e3, "ms")),
        (2000.0, "s", (1.0, "s")),
        (1e8, "ohm", (1e-6, "Mohm")),
        (0.01, "Hz", (1.0, "Hz")),
        (0.0, "V", (1.0, "V")),
        (np.nan, "V", (1.0, "V")),
    ],
)
def test_prefixes(largest, unit, expected):
    factor, shown = plots.with_prefix([0.0, largest], unit)
    assert shown == expected[1] and factor == pytest.approx(expected[0])


def test_trace_in_shown_units_and_a_second_one_keeps_them():
    t = np.linspace(0, 0.5, 11)
    ax = plots.trace(t, np.linspace(-0.07, -0.05, 11), name="v", unit="V", labels=["one"])
    plots.trace(t, np.full(11, 0.5e-3), name="v", unit="V", labels=["two"], ax=ax)
    assert ax.get_xlabel() == "time (ms)" and ax.get_ylabel() == "v (mV)"
    first, second = ax.lines
    assert first.get_xdata()[-1] == pytest.approx(500) and first.get_ydata()[0] == pytest.approx(-70)
    assert second.get_ydata() == pytest.approx(np.full(11, 0.5))
    assert legend_texts(ax) == ["one", "two"] and ax.get_xlim() == pytest.approx((0, 500))


def test_raster_stacks_groups():
    t, i = [0.1, 0.2, 0.3, 0.9], [0, 5, 2, 5]
    ax = plots.raster(t, i, groups={"inh.": [4, 5], "exc.": [0, 1, 2]}, end=0.5)
    inhibitory, excitatory = ax.lines
    assert inhibitory.get_ydata().tolist() == [1] and excitatory.get_ydata().tolist() == [2, 4]
    assert excitatory.get_xdata() == pytest.approx([100, 300]) and ax.get_xlabel() == "time (ms)"
    assert [mark.get_text() for mark in ax.get_yticklabels()] == ["inh.\n(n = 2)", "exc.\n(n = 3)"]
    assert inhibitory.get_color() != excitatory.get_color()


def test_raster_shows_silent_cells_and_no_spikes():
    ax = plots.raster([0.1], [1], n=10, end=2.0)
    assert ax.get_ylim()[1] > 9 and ax.get_ylabel() == "cell" and ax.get_xlabel() == "time (s)"
    assert plots.raster([], np.array([], int)).lines[0].get_xdata().size == 0


def test_f_i_curve_with_theory():
    current, rate = np.array([0, 0.5e-9, 1e-9]), np.array([0, 10, 30.0])
    ax = plots.f_i_curve(current, rate, label="LIF", theory=(current, rate + 1))
    points, line = ax.lines
    assert ax.get_xlabel() == "input current (nA)" and ax.get_ylabel() == "firing rate (Hz)"
    assert points.get_xdata() == pytest.approx([0, 0.5, 1]) and line.get_ydata() == pytest.approx(rate + 1)
    assert points.get_color() == line.get_color() and legend_texts(ax) == ["LIF", "LIF, theory"]
    plots.f_i_curve(current / 1e3, rate, ax=ax)
    assert ax.lines[-1].get_xdata()[-1] == pytest.approx(1e-3)


@pytest.mark.parametrize("projection", [None, "3d"])
def test_state_space_is_the_projection_on_principal_components(projection):
    random = np.random.default_rng(1)
    plane = random.normal(size=(3, 6)) * np.array([[10], [5], [1]])
    trajectories = [random.normal(size=(20, 3)) @ plane for _ in range(3)]
    ax = pyplot.figure().add_subplot(projection=projection)
    plots.state_space(trajectories, labels=["a", "a", "b"], ax=ax)
    assert ax.get_xlabel().startswith("PC 1 (") and legend_texts(ax) == ["a", "b"]
    curves = ax.lines[::3]
    assert curves[0].get_color() == curves[1].get_color() != curves[2].get_color()
    if projection == "3d":
        # Three dimensions hold all of these data, so distances from the common mean are kept.
        centred = trajectories[0] - np.concatenate(trajectories).mean(axis=0)
        drawn = np.array(curves[0].get_data_3d())
        assert np.linalg.norm(drawn, axis=0) == pytest.approx(np.linalg.norm(centred, axis=1))
    with pytest.raises(ValueError, match="2 labels for 3"):
        plots.state_space(trajectories, labels=["a", "b"])


def test_heat_map_of_a_parameter_grid():
    values = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]])
    words = {"x_label": "λ (cells)", "y_label": "w (nA)", "value_label": "accuracy (%)"}
    ax = plots.heat_map(values, [0.5, 1.0, 2.0], [10, 20], annotate=".1f", **words)
    assert ax.get_xlabel() == "λ (cells)" and ax.get_ylabel() == "w (nA)"
    assert [mark.get_text() for mark in ax.get_xticklabels()] == ["0.5", "1", "2"]
    assert [mark.get_text() for mark in ax.get_yticklabels()] == ["10", "20"]
    assert texts(ax) == ["1.0", "2.0", "3.0", "4.0", "6.0"]
    mesh = ax.collections[0]
    assert mesh.get_clim() == (1, 6) and np.ma.is_masked(mesh.get_array().reshape(2, 3)[1, 1])
    assert ax.child_axes[0].get_ylabel() == "accuracy (%)"
    with pytest.raises(ValueError, match="do not fit"):
        plots.heat_map(values.T, [0.5, 1.0, 2.0], [10, 20], **words)


def test_heat_map_of_a_time_course_is_centred():
    t = np.arange(50) * 0.01
    words = {"x_label": "time (s)", "y_label": "cell", "value_label": "difference"}
    ax = plots.heat_map(np.outer(np.arange(20), t), t, np.arange(20), center=0.0, **words)
    low, high = ax.collections[0].get_clim()
    assert low == -high == pytest.approx(-19 * 0.49)
    assert ax.get_xlim() == pytest.approx((-0.005, 0.495))


def test_confusion_matrix_writes_counts_and_colours_fractions():
    ax = plots.confusion_matrix([[8, 2], [0, 5]], classes=["a", "b"], name="speaker")
    assert texts(ax) == ["8", "2", "5"]
    assert [text.get_color() for text in ax.texts] == ["white", "black", "white"]  # dark, light, dark ground
    assert np.asarray(ax.images[0].get_array()) == pytest.approx(np.array([[0.8, 0.2], [0, 1]]))
    assert ax.get_xlabel() == "predicted speaker" and ax.get_ylabel() == "true speaker"
    assert [mark.get_text() for mark in ax.get_yticklabels()] == ["a", "b"]


def test_curve_with_band_shows_the_interval_over_seeds():
    values = np.random.default_rng(2).normal(size=(10, 4))
    words = {"x_label": "gap (ms)", "y_label": "accuracy (%)"}
    ax = plots.curve_with_band([1, 2, 3, 4], values, label="liquid", reference=50.0, **words)
    plots.curve_with_band([1, 2, 3, 4], values[:5], label="static", reference=50.0, ax=ax, **words)
    mean, low, high = mean_interval(values)
    assert ax.lines[0].get_ydata() == pytest.approx(mean)
    corners = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert corners.min() == pytest.approx(low.min()) and corners.max() == pytest.approx(high.max())
    assert legend_texts(ax) == ["liquid", "static (n = 5)", "chance"]
    assert ax.get_legend().get_title().get_text() == "mean and 95 % interval, n = 10"
    plots.legend(ax, outside=True)
    assert legend_texts(ax) == ["liquid", "static (n = 5)", "chance"]
    assert ax.get_legend().get_title().get_text() == "mean and 95 % interval, n = 10"


def test_comparison_is_a_table():
    samples = {"liquid": [96.0, 97, 98, 99, 100], "raw frame": [96.5], "shuffled": [13.0, 14, 15, 16, 17]}
    ax = plots.comparison(
        samples, x_label="accuracy (%)", reference=97.0, reference_label="gate", highlight=["liquid"], low=94
    )
    assert [mark.get_text() for mark in ax.get_yticklabels()] == list(samples)
    assert ax.get_xlabel() == "accuracy (%)\n(dashed: gate)" and ax.get_xlim()[0] == 94
    # t(0.975, 4) = 2.776, standard error sqrt(2.5/5): 1.96.
    assert texts(ax) == ["98.0 ± 2.0", "96.5", "15.0 ± 2.0", "mean ± 95 %\nn = 5"]
    assert ax.lines[0].get_xdata() == pytest.approx([96, 97, 98, 99, 100])
    arrows = [line for line in ax.lines if line.get_marker() == "<"]
    assert [line.get_ydata()[0] for line in arrows] == [2]
    with pytest.raises(ValueError, match="Nothing to highlight under liquids"):
        plots.comparison(samples, x_label="", highlight=["liquids"])


def test_few_seeds_are_shown_one_by_one():
    values = np.random.default_rng(2).normal(size=(3, 4))
    ax = plots.curve_with_band([1, 2, 3, 4], values, label="liquid", x_label="gap", y_label="accuracy")
    assert not ax.collections
    assert [line.get_ydata().tolist() for line in ax.lines[1:]] == values.tolist()
    assert ax.get_legend().get_title().get_text() == "mean, and seeds (thin), n = 3"
    ax = plots.comparison({"liquid": [97.0, 98.0, 99.0]}, x_label="accuracy (%)")
    assert texts(ax) == ["98.0", "mean\nn = 3"]


def test_gallery_shares_one_voltage_scale():
    t = np.linspace(0, 0.2, 50)
    panels = [
        (f"({k}) a pattern with a long name", t, 0.1 * np.sin(20 * k * t) - 0.05, t > 0.1) for k in range(7)
    ]
    ax = plots.gallery(panels, columns=3)
    assert len(ax.child_axes) == 7 and len({cell.get_ylim() for cell in ax.child_axes}) == 1
    for k, cell in enumerate(ax.child_axes):
        assert cell.lines[0].get_ydata() == pytest.approx(panels[k][2])
        assert cell.get_title(loc="left").replace("\n", " ") == panels[k][0]
    assert [texts(cell) for cell in ax.child_axes[:-1]] == [[]] * 6
    assert texts(ax.child_axes[-1]) == ["50 ms", "50 mV"]
    time_bar, voltage_bar = ax.child_axes[-1].lines[-2:]
    assert np.ptp(time_bar.get_xdata()) == pytest.approx(0.05)
    assert np.ptp(voltage_bar.get_ydata()) == pytest.approx(0.05)


def test_gallery_gives_each_length_its_time_bar():
    panels = [("a", np.linspace(0, 0.1, 9), np.zeros(9)), ("b", np.linspace(0, 1.0, 9), np.ones(9))]
    ax = plots.gallery(panels, columns=2)
    assert texts(ax.child_axes[0]) == ["20 ms"] and texts(ax.child_axes[1])[0] == "200 ms"


def test_figures_can_be_saved(tmp_path):
    fig, axes = plots.figure("AB;CD", 5.0, three_d="D")
    plots.raster(np.arange(1000) * 1e-3, np.arange(1000), ax=axes["A"])
    plots.confusion_matrix(np.eye(9, dtype=int), ax=axes["B"])
    plots.gallery([("a", np.linspace(0, 0.1, 9), np.zeros(9))], ax=axes["C"])
    plots.state_space([np.random.default_rng(1).normal(size=(20, 5))], ax=axes["D"])
    for name in ("figure.png", "figure.pdf"):
        fig.savefig(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 5000


def test_a_second_f_i_curve_in_the_same_axes_is_shown_whole():
    _, axes = plots.figure("A", height=2)
    plots.f_i_curve([0, 1e-9], [0, 10], ax=axes["A"])
    plots.f_i_curve([0, 1e-9], [0, 300], ax=axes["A"])
    assert axes["A"].get_ylim()[0] == 0 and axes["A"].get_ylim()[1] >= 300
