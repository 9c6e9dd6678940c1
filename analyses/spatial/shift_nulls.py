"""What is left of a unit's scores when its activity is shifted in time against the path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.analyses.released_gridness import gridness_of
from probekit.analyses.spatial.walked import Walked
from probekit.arguments import Floats
from probekit.progress import Progress
from probekit.spatial.nulls import shifted_rows
from probekit.spatial.significance import pooled_p_values

_SAMPLES = 50_000
"""Of which scores and their nulls are computed; more would only make small p smaller."""


@dataclass(frozen=True, eq=False)
class ShiftTests:
    """One-sided p of each unit against its activity shifted in time.

    Parameters
    ----------
    grid, information, heading, conjunctive, speed : array, shape (unit,)
        nan where the score is undefined. Conjunctive: what heading explains beyond place. Of speed, the size of the
        score is tested.
    null_grid : array, shape (shuffle, unit)
        Gridness of shifted activity.
    """

    grid: Floats
    information: Floats
    heading: Floats
    conjunctive: Floats
    speed: Floats
    null_grid: Floats


def shift_tests(activity: Floats, walked: Walked, n: int, seed: int, progress: Progress) -> ShiftTests:
    """Return the tests of all units, on the first 50,000 samples or so."""
    few = _first(walked)
    part = Walked.of(walked.tracking.part(few), walked.n_bins, walked.smoothing)
    values = activity[few]
    observed = _scores(values, part)
    rows = list(shifted_rows(part.tracking, n, seed))
    nulls = []
    for done, moved in enumerate(rows):
        nulls.append(_scores(values, part.moved(moved)))
        progress("shifts in time", done + 1, n)
    scores = np.stack(nulls, 1)
    moving = np.stack([part.tracking.speeds, *(part.tracking.speeds[moved] for moved in rows)])
    speed = np.abs(_correlations(moving, values))
    grid, information, heading, conjunctive = (pooled_p_values(*one) for one in zip(observed, scores, strict=True))
    return ShiftTests(grid, information, heading, conjunctive, pooled_p_values(speed[0], speed[1:]), scores[0])


def _first(walked: Walked) -> npt.NDArray[np.bool_]:
    """Return whole paths from the first, of about 50,000 samples; of one path, its first samples."""
    path = walked.tracking.path
    if len(path) <= _SAMPLES:
        return np.ones(len(path), dtype=np.bool_)
    last = path[_SAMPLES - 1]
    return np.arange(len(path)) < _SAMPLES if last == path[0] else path < last


def _scores(activity: Floats, walked: Walked) -> Floats:
    """Return gridness, information, mean vector length, and heading's share beyond place, shape (4, unit)."""
    maps = walked.maps(activity)
    of_heading = walked.mean_vectors(activity).length, walked.heading_given_place(activity)
    return np.stack([gridness_of(maps), walked.information(maps), *of_heading])


def _correlations(speeds: Floats, activity: Floats) -> Floats:
    """Return Pearson's r of each row of speeds, shape (row, sample), with each unit, leaving out speeds of nan."""
    known = np.isfinite(speeds)
    filled = np.where(known, speeds, 0.0)
    weights = known.astype(np.float64)
    n = np.maximum(weights.sum(1, keepdims=True), 1)
    centred = activity - activity.mean(0)
    mean_speed, mean_unit = filled.sum(1, keepdims=True) / n, weights @ centred / n
    covariance = filled @ centred / n - mean_speed * mean_unit
    spread = (filled**2).sum(1, keepdims=True) / n - mean_speed**2
    of_unit = weights @ centred**2 / n - mean_unit**2
    product = spread * of_unit
    return np.where(product > 0, covariance / np.sqrt(np.where(product > 0, product, 1)), np.nan)
