"""One row a layer and network: how many units are what, and how well the place can be read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from probekit.analyses.spatial.columns import SUMMARY
from probekit.analyses.spatial.measure import Measured
from probekit.arguments import Floats
from probekit.errors import NotApplicableError, UsageError
from probekit.navigation import Navigation, path_error
from probekit.spatial.cell_types import TYPES
from probekit.spatial.decoding import decode_position
from probekit.spatial.significance import CLASSIC_THRESHOLDS

_DECODED_PATHS, _SHUFFLES = 1000, 5


@dataclass(frozen=True)
class PathErrors:
    """How far a network is from where it says that it is, m; nan where it does not say.

    Parameters
    ----------
    trained, last : float
        Mean over paths as long as those of the training, and at their last step.
    long : float
        Mean over paths of 100 steps.
    guess : float
        Of who says that he is still at the start, over paths as long as in training.
    """

    trained: float = np.nan
    last: float = np.nan
    long: float = np.nan
    guess: float = np.nan


def path_errors(navigation: Navigation) -> PathErrors:
    """Return how far off a network is by what it says itself; nan where it says nothing, or paths differ in length."""
    try:
        said = path_error(navigation)
    except NotApplicableError:
        return PathErrors()
    return PathErrors(float(said.mean()), float(said[-1]))


def summarise(
    network: str, layer: str, measured: Measured, decoding: tuple[float, float], errors: PathErrors
) -> pd.DataFrame:
    """Return the row of a layer."""
    table, nulls = measured.table, measured.nulls
    scores = table["gridness"].to_numpy()
    known = np.isfinite(scores)
    above = [known & (scores > _percentile(null)) for null in (nulls.grid_fields, nulls.grid_spectrum)]
    counts = {kind: int(table["kinds"].str.split("; ").map(lambda of, kind=kind: kind in of).sum()) for kind in TYPES}
    counts |= {label: int((table["cell_type"] == label).sum()) for label in ("mixed", "none")}
    is_grid = table["grid_module"].to_numpy() >= 0
    modules = measured.modules
    row = {
        "network": network,
        "layer": layer,
        "n_units": len(table),
        "n_silent": int((~known).sum()),
        "n_classic": int((scores > CLASSIC_THRESHOLDS["banino2018"]["grid"]).sum()),
        "n_above_fields": int(above[0].sum()),
        "n_above_spectrum": int(above[1].sum()),
        "n_above_both": int((above[0] & above[1]).sum()),
        **{f"n_{kind}": n for kind, n in counts.items()},
        "median_gridness": _quantile(scores, 0.5),
        "gridness_percentile_95": _quantile(scores, 0.95),
        "median_spacing_m": _quantile(table["grid_spacing_m"].to_numpy()[is_grid], 0.5),
        "n_modules": modules.n_modules if modules else 0,
        "p_modules": modules.p if modules else np.nan,
        "decoding_error_m": decoding[0],
        "decoding_error_shuffled_m": decoding[1],
        "path_error_m": errors.trained,
        "path_error_last_m": errors.last,
        "path_error_long_m": errors.long,
        "guess_error_m": errors.guess,
    }
    return pd.DataFrame([row])[[column.name for column in SUMMARY]]


def decoding_errors(navigation: Navigation, layer: str, seed: int) -> tuple[float, float]:
    """Return the median error, m, of the position decoded from a layer, and that of shuffled activity.

    Of many paths, the first 1,000 are used; nan where there are too few to be left out in turn.
    """
    path = navigation.tracking.path
    few = path < path[0] + _DECODED_PATHS
    tracking = navigation.tracking.part(few)
    try:
        found = decode_position(navigation[layer][few], tracking, n_shuffles=_SHUFFLES, seed=seed)
    except UsageError:
        return np.nan, np.nan
    return found.overall_cm / 100, float(np.median(found.null_cm)) / 100


def _percentile(null: Floats) -> Floats:
    """Return the 95th percentile of each unit's surrogates; infinite where none has a score."""
    known = np.isfinite(null).any(0)
    found = np.full(null.shape[1], np.inf)
    found[known] = np.nanquantile(null[:, known], 0.95, axis=0)
    return found


def _quantile(values: Floats, share: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, share)) if len(known) else np.nan
