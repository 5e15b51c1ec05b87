"""Figures of sweeps: what is drawn follows from how many parameters vary, with the table's numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from analysis.intervals import mean_interval
from experiments.sweeps import SweepError, figure


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot.close("all")


def table(seeds=6, noise=0.0, **levels):
    """A table over a grid; the measure is the sum of the parameters plus a tenth of the seed."""
    grid = pd.MultiIndex.from_product(
        [*levels.values(), range(1, seeds + 1)], names=[*levels, "seed"]
    ).to_frame(index=False)
    numbers = [
        pd.factorize(grid[name])[0] if isinstance(grid[name][0], str) else grid[name] for name in levels
    ]
    made = grid.assign(point=np.arange(len(grid)) // seeds, error="")
    made["rate"] = sum(np.asarray(one, dtype=float) for one in numbers) + 0.1 * made["seed"]
    made.attrs = {
        "units": {name: "1" for name in levels} | {"rate": "Hz", next(iter(levels)): "ms"},
        "parameters": list(levels),
        "measures": ["rate"],
        "folder": "",
    }
    return made


def test_one_parameter_gives_a_line_with_a_band_over_seeds():
    made = table(tau=[1.0, 2.0, 4.0])
    (ax,) = figure(made).axes
    assert ax.get_xlabel() == "tau (ms)" and ax.get_ylabel() == "rate (Hz)"
    line = ax.lines[0]
    assert line.get_xdata().tolist() == [1, 2, 4]
    assert line.get_ydata() == pytest.approx([1.35, 2.35, 4.35])
    (band,) = ax.collections
    low, high = (f(p.vertices[:, 1][p.vertices[:, 0] == 1.0]) for p in band.get_paths() for f in (min, max))
    _, expected_low, expected_high = mean_interval(0.1 * np.arange(1, 7) + 1)
    assert expected_low < low < 1.35 < high < expected_high  # a bootstrap of six is narrower than Student's t
    assert "6 seeds (1 to 6)" in ax.figure.get_suptitle() and "95 %" in ax.figure.get_suptitle()


def test_few_seeds_are_lines_of_their_own():
    (ax,) = figure(table(seeds=3, tau=[1.0, 2.0, 4.0])).axes
    assert not ax.collections and len([line for line in ax.lines if len(line.get_xdata()) == 3]) == 4


def test_values_spaced_in_their_logarithm_get_a_logarithmic_axis():
    assert figure(table(w=[0.1, 1.0, 10.0])).axes[0].get_xscale() == "log"
    assert figure(table(w=[1.0, 2.0, 3.0])).axes[0].get_xscale() == "linear"


def test_a_parameter_that_is_text_gives_a_row_for_each_value():
    (ax,) = figure(table(kind=["static", "dynamic"])).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["static", "dynamic"]
    assert ax.get_title(loc="left") == "kind" and ax.get_xlabel() == "rate (Hz)"


def test_two_parameters_give_a_map_of_the_mean_and_lines():
    map_ax, line_ax = figure(table(tau=[1.0, 2.0, 4.0], n=[10, 20])).axes[:2]
    (mesh,) = map_ax.collections
    np.testing.assert_allclose(
        np.asarray(mesh.get_array()).reshape(2, 3), np.array([[11, 12, 14], [21, 22, 24]]) + 0.35
    )
    assert (map_ax.get_xlabel(), map_ax.get_ylabel()) == ("tau (ms)", "n")
    assert [text.get_text() for text in line_ax.get_legend().get_texts()] == ["10", "20"]


def test_three_parameters_give_pairs_of_them_averaged_over_the_third():
    made = table(tau=[1.0, 2.0, 4.0], n=[10, 20], gain=[0.0, 3.0])
    drawn = figure(made)
    panels = [ax for ax in drawn.axes if ax.get_label() != "<colorbar>" and ax.axison][:6]
    (mesh,) = panels[1].collections  # n over tau
    expected = np.array([[11, 12, 14], [21, 22, 24]]) + 0.35 + 1.5
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(2, 3), expected)
    assert panels[0].lines[0].get_ydata() == pytest.approx([1 + 16.85, 2 + 16.85, 4 + 16.85])
    limits = {
        (ax.collections[0].norm.vmin, ax.collections[0].norm.vmax) for ax in (panels[1], panels[3], panels[4])
    }
    assert len(limits) == 1  # one scale of colours for all
    assert "averaged over the other parameters" in drawn.get_suptitle()


def test_a_sample_gives_its_points():
    made = table(seeds=2, tau=[0.0])
    random = np.random.default_rng(0)
    n = 60
    columns = {"tau": random.random(n), "gain": np.exp(random.uniform(0, 5, n)), "p": random.random(n)}
    rows = pd.DataFrame(columns).assign(rate=columns["tau"], seed=1, error="", point=range(n))
    rows.attrs = made.attrs | {"parameters": list(columns)}
    panels = figure(rows).axes
    assert np.array_equal(panels[1].collections[0].get_array(), rows["rate"])
    assert panels[1].get_yscale() == "log"


def test_failed_rows_are_left_out_and_counted():
    made = table(tau=[1.0, 2.0, 4.0])
    made.loc[made["tau"] == 2, ["rate", "error"]] = np.nan, "RuntimeError: no"
    (ax,) = figure(made).axes
    assert ax.lines[0].get_xdata().tolist() == [1, 4]
    assert "6 of 18 rows failed" in ax.figure.get_suptitle()


def test_what_cannot_be_drawn():
    made = table(tau=[1.0, 2.0])
    with pytest.raises(SweepError, match="no measure 'speed'.*rate"):
        figure(made, "speed")
    with pytest.raises(SweepError, match="more than one value"):
        figure(table(tau=[1.0]))
    with pytest.raises(SweepError, match="lost its attrs"):
        figure(pd.DataFrame({"tau": [1.0]}))
    failed = made.assign(rate=np.nan, error="RuntimeError: no")
    failed.attrs = made.attrs
    with pytest.raises(SweepError, match="all 12 rows failed.*RuntimeError: no"):
        figure(failed)
