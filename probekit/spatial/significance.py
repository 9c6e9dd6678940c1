"""Scores against their nulls: p values, thresholds, and the thresholds that papers gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, infinite
from probekit.errors import UsageError

CLASSIC_THRESHOLDS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"banino2018": MappingProxyType({"grid": 0.37, "head_direction": 0.47, "border": 0.50})}
)
"""Scores above which a unit was called by a name: "banino2018" for its own gridness, mean vector length and border
score (Banino et al. 2018, Nature 557:429, doi:10.1038/s41586-018-0102-6). They hold for those definitions and networks
alone: no fixed threshold of gridness fits another definition, and about a fifth of random read-outs of place cells pass
this one."""


def null_scores(score: Callable[[Floats], npt.ArrayLike], maps: Iterable[Floats]) -> Floats:
    """Return the scores of all shuffles.

    Parameters
    ----------
    score : callable
        From maps, shape (unit, y, x), or whatever a shuffle is, to scores, shape (unit,).
    maps : iterable
        Shuffles, as a null yields them; each is let go of before the next.

    Returns
    -------
    array, shape (shuffle, unit)

    Raises
    ------
    UsageError
        If there is no shuffle, or scores have another shape than (unit,).
    """
    found = [floats("score", score(shuffle)) for shuffle in maps]
    if not found or any(one.ndim != 1 or one.shape != found[0].shape for one in found):
        raise UsageError(f"score gave shapes {sorted({one.shape for one in found})}; expected one (unit,) a shuffle.")
    return np.stack(found)


def p_values(observed: Any, null: Any) -> Floats:
    """Return how often chance scores as high: (1 + shuffles that reach the score) / (1 + shuffles).

    One-sided, valid for any number of shuffles, and never below 1 / (1 + shuffles): with 100 shuffles a false discovery
    rate of .05 over 256 units needs 51 units that beat all of theirs. `pooled_p_values` is finer.

    Parameters
    ----------
    observed : array, shape (unit,)
    null : array, shape (shuffle, unit)
        Shuffles whose score is nan are left out, of that unit.

    Returns
    -------
    array, shape (unit,)
        0 … 1; nan where the score, or every shuffle's, is.

    Raises
    ------
    UsageError
        If shapes do not fit.

    References
    ----------
    Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585

    Examples
    --------
    >>> p_values([3.0, 0.0], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]).tolist()
    [0.5, 1.0]
    """
    scores, shuffled = _fitting(observed, null)
    n = (~np.isnan(shuffled)).sum(0)
    p = (1 + (shuffled >= scores).sum(0)) / (1 + n)
    return np.where(np.isnan(scores) | (n == 0), np.nan, p)


def pooled_p_values(observed: Any, null: Any) -> Floats:
    """Return how often chance is as far above its mean, over the shuffles of all units together.

    Scores and shuffles are first expressed in standard deviations from the mean of the unit's own shuffles; then the
    shuffles of all units are one null. So p can be as small as 1 / (1 + shuffles * units), which a correction over many
    units needs. It holds as far as the nulls of units differ in place and spread, and not in shape: of 1,000 random
    fields of four kinds together, gridness had p <= .05, .01 and .001 in .050 to .059, .010 to .012 and .000 to .001.

    Parameters
    ----------
    observed : array, shape (unit,)
    null : array, shape (shuffle, unit)
        Shuffles whose score is nan are left out. At least 20 that are not, or the unit is left out.

    Returns
    -------
    array, shape (unit,)
        0 … 1; nan where the score is, where the unit is left out, or all its shuffles score the same.

    Raises
    ------
    UsageError
        If shapes do not fit.
    """
    scores, shuffled = _fitting(observed, null)
    known = ~np.isnan(shuffled)
    n = known.sum(0)
    mean = np.where(known, shuffled, 0).sum(0) / np.maximum(n, 1)
    away = np.where(known, shuffled - mean, 0)
    sd = np.sqrt((away**2).sum(0) / np.maximum(n - 1, 1))
    tested = (n >= _LEAST_SHUFFLES) & (sd > 0)
    divisor = np.where(tested, sd, 1)
    pool = np.sort((away / divisor)[known & tested])
    # The score is new, the shuffles made the mean: a new one would be further from it by this much.
    z = (scores - mean) / (divisor * np.sqrt((n + 1) / np.maximum(n - 1, 1)))
    reached = len(pool) - np.searchsorted(pool, z, side="left")
    return np.where(tested & ~np.isnan(scores), (1 + reached) / (1 + len(pool)), np.nan)


def thresholds(null: Any, percentile: float = 95.0) -> Floats:
    """Return the percentile of each unit's own null.

    Parameters
    ----------
    null : array, shape (shuffle, unit)
    percentile : float
        0 … 100, by linear interpolation.

    Returns
    -------
    array, shape (unit,)
        nan where all shuffles are.

    Raises
    ------
    UsageError
        If the shape is another, or the percentile out of range.

    Examples
    --------
    >>> thresholds([[0.0, 1.0], [2.0, 1.0]], 50).tolist()
    [1.0, 1.0]
    """
    shuffled = _null(null)
    _check_percentile(percentile)
    known = ~np.isnan(shuffled).all(0)
    found = np.full(shuffled.shape[1], np.nan)
    if known.any():
        found[known] = np.nanpercentile(shuffled[:, known], percentile, axis=0)
    return found


def pooled_threshold(null: Any, percentile: float = 95.0) -> float:
    """Return the percentile of the nulls of all units together, as papers give it; nan where all shuffles are.

    Raises
    ------
    UsageError
        If the null is no (shuffle, unit), or the percentile out of range.

    Examples
    --------
    >>> pooled_threshold([[0.0, 1.0], [2.0, 1.0]], 50)
    1.0
    """
    values = _null(null)
    _check_percentile(percentile)
    values = values[~np.isnan(values)]
    return float(np.percentile(values, percentile)) if len(values) else float("nan")


_LEAST_SHUFFLES = 20
"""Shuffles of a unit that its mean and standard deviation are taken from, at least."""


def _null(null: Any) -> Floats:
    shuffled = floats("null", null)
    if shuffled.ndim != 2 or not shuffled.size:
        raise UsageError(f"null has shape {shuffled.shape}; expected (shuffle, unit).")
    if infinite(shuffled):
        raise UsageError("null holds infinite values; expected finite scores, or nan where a shuffle has none.")
    return shuffled


def _fitting(observed: Any, null: Any) -> tuple[Floats, Floats]:
    scores, shuffled = floats("observed", observed), _null(null)
    if infinite(scores):
        raise UsageError("observed holds infinite values; expected finite scores, or nan where a unit has none.")
    if scores.shape != shuffled.shape[1:]:
        raise UsageError(
            f"observed has shape {scores.shape}, the null {shuffled.shape}; expected (unit,) of its units."
        )
    return scores, shuffled


def _check_percentile(percentile: float) -> None:
    if not 0 <= percentile <= 100:
        raise UsageError(f"percentile is {percentile!r}; expected 0 … 100.")
