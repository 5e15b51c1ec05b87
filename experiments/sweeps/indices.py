"""Which parameters matter: Sobol indices and Morris effects of a sweep over a sample made for them."""

from pathlib import Path

import numpy as np

from .design import LEVELS, salib_module, unit_problem, unit_sample
from .errors import SweepError
from .table import _manifest, read


def sensitivity(folder, measure=None):
    """Return the sensitivity of measures to the parameters that a sweep drew from spans, as a table.

    After `design="saltelli"`: first-order and total Sobol indices (columns S1, ST) with half widths of their
    95 % intervals (Sobol 2001; Saltelli et al. 2010; SALib's estimators). S1 is the part of the variance
    that a parameter explains alone, ST the part that it takes part in; an interval that includes 0 says that
    the sample is too small. After `design="morris"`: mean (mu), mean absolute (mu_star, with its half width)
    and standard deviation (sigma) of elementary effects over the whole span (Morris 1991; Campolongo et al.
    2007). Needs SALib (extra `sensitivity`). The measure is the mean over seeds.

    Parameters
    ----------
    folder : path
        Of a finished sweep.
    measure : str, optional
        One measure; all, if none is named.

    Raises
    ------
    SweepError
        If the sweep has another design, is not finished, or a point failed: the design needs every point.
    """
    manifest, table = _manifest(Path(folder)), read(folder)
    design, spans = manifest["design"], list(manifest["spans"])
    if design not in ("saltelli", "morris"):
        raise SweepError(
            f"the sweep in {folder} has the design {design!r}; tables of sensitivity need a sweep over spans "
            "with design='saltelli' (Sobol) or 'morris'."
        )
    others = [name for name in table.attrs["parameters"] if name not in spans]
    if others:
        raise SweepError(f"besides the spans, {', '.join(others)} varied; take spans only.")
    missing = manifest["rows"] - int((table["error"] == "").sum())
    if missing:
        raise SweepError(
            f"{missing} of {manifest['rows']} rows are missing or failed, and the design needs all."
        )
    measures = table.attrs["measures"] if measure is None else [measure]
    unknown = [name for name in measures if name not in table.attrs["measures"]]
    if unknown:
        raise SweepError(
            f"there is no measure {unknown[0]!r}; there are: {', '.join(table.attrs['measures'])}."
        )
    return _table(design, manifest, spans, table, measures)


def _table(design, manifest, spans, table, measures):
    import pandas as pd

    salib, problem = salib_module(), unit_problem(len(spans))
    rows = []
    for name in measures:
        y = table.groupby("point")[name].mean().to_numpy(dtype=float)
        if np.ptp(y) == 0:
            raise SweepError(f"{name} is {y[0]:g} everywhere; there is no variance to explain.")
        if design == "saltelli":
            found = salib.analyze.sobol.analyze(problem, y, calc_second_order=True, seed=0)
            columns = {"S1": "S1", "S1 +-": "S1_conf", "ST": "ST", "ST +-": "ST_conf"}
        else:
            x = unit_sample(design, len(spans), manifest["samples"], manifest["sample_seed"])
            found = salib.analyze.morris.analyze(problem, x, y, num_levels=LEVELS, seed=0)
            columns = {"mu": "mu", "mu_star": "mu_star", "mu_star +-": "mu_star_conf", "sigma": "sigma"}
        for k, parameter in enumerate(spans):
            values = {column: float(found[key][k]) for column, key in columns.items()}
            rows.append({"measure": name, "parameter": parameter} | values)
    return pd.DataFrame(rows).set_index(["measure", "parameter"])
