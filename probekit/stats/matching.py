"""Sets of controls that are like a target in everything but what it was chosen by."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from probekit.arguments import Floats, floats, whole
from probekit.errors import UsageError, check_option

Sets: TypeAlias = npt.NDArray[np.intp]
Method: TypeAlias = Literal["nearest", "stratified"]
METHODS = ("nearest", "stratified")
_STRATUM = 6
"""Units of a stratum, at least."""


def matched_sets(
    target: npt.ArrayLike,
    pool: npt.ArrayLike,
    covariates: npt.ArrayLike | None,
    n_sets: int,
    *,
    method: Method = "nearest",
    n_nearest: int = 10,
    seed: int | np.random.Generator = 0,
) -> Sets:
    """Return random sets of as many units as the target, alike in their covariates.

    Parameters
    ----------
    target : array of int, shape (k,)
        Units of the target.
    pool : array of int, shape (m,)
        Units that may be drawn, m ≥ k. Where members of the target are among them and covariates are matched one by
        one ("nearest"), a unit never stands for itself.
    covariates : array, shape (unit, variable), optional
        Of all units, finite where they are in the target or the pool. Default: sets are drawn at random.
    n_sets : int
    method : {"nearest", "stratified"}
        "nearest": each unit of the target is replaced by one of its `n_nearest` nearest in the pool, chosen at random,
        none twice; where too many want the same, by the nearest left: the assignment whose ranks of nearness beyond
        `n_nearest` have the least sum. Distance is Euclidean over the covariates' ranks, each scaled to 0 … 1; ties are
        broken at random. "stratified": units are cut at medians of the covariates, the
        most spread first, into strata of at least 6, and each stratum gives as many as it has of the target; what it
        lacks comes from the other strata at random.
    n_nearest : int
        More make the sets differ more from each other, fewer make them more alike the target.
    seed : int or numpy.random.Generator

    Returns
    -------
    array of int, shape (set, k)
        Units in the order of those of the target that they stand for.

    Raises
    ------
    UsageError
        If the pool is smaller than the target or is the one unit of it, a unit stands twice in the target, does not
        exist, or has a covariate that is not finite.

    References
    ----------
    Stuart 2010, Matching methods for causal inference, Stat Sci 25:1, doi:10.1214/09-STS313

    Examples
    --------
    >>> matched_sets([0, 1], [2, 3, 4, 5], [[0], [9], [9], [0], [5], [4]], 2, n_nearest=1).tolist()
    [[3, 2], [3, 2]]
    """
    chosen, there = _units("target", target), np.unique(_units("pool", pool))
    check_option("method", method, METHODS)
    whole("n_sets", n_sets, 1)
    if not len(chosen) or len(there) < len(chosen):
        raise UsageError(f"the pool has {len(there)} units and the target {len(chosen)}; expected at least as many.")
    if len(np.unique(chosen)) < len(chosen):
        raise UsageError("target holds a unit twice; expected each once.")
    rng = np.random.default_rng(seed)
    if covariates is None:
        return _dealt(there, n_sets, rng)[:, : len(chosen)]
    scaled = _scaled(floats("covariates", covariates), np.union1d(chosen, there))
    if method == "stratified":
        return _stratified(chosen, there, scaled, n_sets, rng)
    return _nearest(chosen, there, scaled, n_sets, whole("n_nearest", n_nearest, 1), rng)


def standardized_differences(target: npt.ArrayLike, sets: npt.ArrayLike, covariates: npt.ArrayLike) -> Floats:
    """Return how far the target is from the mean of its control sets, in standard deviations of each covariate.

    The deviation is the root of the mean of the variances of the target and of all other units, so that it is the same
    before and after matching. 0.1 is called negligible, 0.25 the most that is acceptable.

    Parameters
    ----------
    target : array of int, shape (k,)
    sets : array of int, shape (set, k)
    covariates : array, shape (unit, variable)
        Units with nan are left out of the deviation.

    Returns
    -------
    array, shape (variable,)
        Positive where the target has more; 0 for a covariate that is the same in all units.

    Raises
    ------
    UsageError
        If a unit does not exist.

    References
    ----------
    Austin 2009, Stat Med 28:3083, doi:10.1002/sim.3697; Stuart 2010, Stat Sci 25:1, doi:10.1214/09-STS313

    Examples
    --------
    >>> standardized_differences([0, 1], [[2, 3]], [[1.0], [3.0], [1.0], [1.0], [3.0], [3.0]]).round(3).tolist()
    [1.0]
    """
    values = floats("covariates", covariates)
    chosen, drawn = _units("target", target), _units("sets", sets)
    _check_shape(values, np.union1d(chosen, drawn))
    rest = np.setdiff1d(np.arange(len(values)), chosen)
    spread = np.sqrt((np.nanvar(values[chosen], axis=0) + np.nanvar(values[rest], axis=0)) / 2)
    away = values[chosen].mean(0) - values[drawn].mean((0, 1))
    return np.where(spread > 0, away / np.where(spread > 0, spread, 1.0), 0.0)


def _units(name: str, given: npt.ArrayLike) -> Sets:
    units = np.asarray(given)
    if units.size and (units.dtype.kind not in "iu" or units.min() < 0):
        raise UsageError(f"{name} holds {units.dtype} from {units.min()}; expected numbers of units, from 0.")
    return units.astype(np.intp)


def _check_shape(values: Floats, used: Sets) -> None:
    if values.ndim != 2 or used.max() >= len(values):
        raise UsageError(f"covariates have shape {values.shape}; expected (unit, variable), with unit {used.max()}.")


def _scaled(values: Floats, used: Sets) -> Floats:
    _check_shape(values, used)
    if not np.isfinite(values[used]).all():
        raise UsageError("covariates of the target or the pool are nan or infinite; leave those units out.")
    ranks = np.full(values.shape, np.nan)
    ranks[used] = rankdata(values[used], axis=0) / len(used)
    return ranks


def _nearest(chosen: Sets, there: Sets, scaled: Floats, n_sets: int, n_nearest: int, rng: np.random.Generator) -> Sets:
    distance = np.linalg.norm(scaled[chosen][:, None] - scaled[there][None], axis=-1).round(12)  # ties are ties
    itself = chosen[:, None] == there[None]
    if itself.all():
        raise UsageError(f"the pool has nobody but unit {chosen[0]} itself, the target; expected another.")
    distance[itself] = np.inf
    near = rankdata(distance, axis=1, method="min").astype(np.min_scalar_type(len(there)))  # small numbers sort fast
    places = np.broadcast_to(np.arange(1, len(there) + 1), near.shape)
    order = np.empty(near.shape)
    sets = np.empty((n_sets, len(chosen)), dtype=np.intp)
    for number in range(n_sets):
        shuffled = rng.permutation(len(there))  # of equally near units, a random one is nearer
        np.put_along_axis(order, np.argsort(near[:, shuffled], axis=1, kind="stable"), places, axis=1)
        cost = np.where(
            order <= n_nearest, rng.random(order.shape) / len(chosen), order
        )  # chance adds up to less than 1
        cost[itself[:, shuffled]] = np.inf
        sets[number] = there[shuffled[linear_sum_assignment(cost)[1]]]
    return sets


def _stratified(chosen: Sets, there: Sets, scaled: Floats, n_sets: int, rng: np.random.Generator) -> Sets:
    sets = np.full((n_sets, len(chosen)), -1, dtype=np.intp)
    for stratum in _strata(np.union1d(chosen, there), scaled):
        places = np.flatnonzero(np.isin(chosen, stratum))
        inside = np.intersect1d(there, stratum)
        n = min(len(places), len(inside))
        if n:
            sets[:, places[:n]] = _dealt(inside, n_sets, rng)[:, :n]
    for one in sets:
        lacking = one < 0
        if lacking.any():
            left = np.setdiff1d(there, one[~lacking])
            one[lacking] = rng.choice(left, int(lacking.sum()), replace=False)
    return sets


def _dealt(units: Sets, n_sets: int, rng: np.random.Generator) -> Sets:
    return rng.permuted(np.broadcast_to(units, (n_sets, len(units))), axis=1)


def _strata(units: Sets, scaled: Floats) -> list[Sets]:
    """Cut at the median of the covariate that is most spread, until strata would be too small."""
    if len(units) < 2 * _STRATUM:
        return [units]
    values = scaled[units]
    widest = values[:, int(np.argmax(np.ptp(values, axis=0)))]
    above = widest > np.median(widest)
    if not _STRATUM <= above.sum() <= len(units) - _STRATUM:
        return [units]
    return [*_strata(units[~above], scaled), *_strata(units[above], scaled)]
