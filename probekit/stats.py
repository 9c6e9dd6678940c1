"""Statistics that analyses share: false discovery rate, Kolmogorov–Smirnov distance, bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_BLOCK = 4_000_000  # numbers held at once while resampling


def benjamini_hochberg(p: npt.ArrayLike) -> Floats:
    """Return the false discovery rate q of each p value.

    Parameters
    ----------
    p : array, any shape
        p values, 0 … 1; nan is no test and does not count.

    Returns
    -------
    array of the same shape
        q, 0 … 1: the smallest false discovery rate at which the test is called significant; nan where p is.

    References
    ----------
    Benjamini & Hochberg 1995, J R Stat Soc B 57:289, doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> [float(q) for q in benjamini_hochberg([0.01, 0.04, 0.5])]
    [0.03, 0.06, 0.5]
    """
    given = np.asarray(p, dtype=np.float64)
    q = np.full(given.shape, np.nan)
    tested = ~np.isnan(given)
    values = given[tested]
    order = np.argsort(values, kind="stable")[::-1]
    ranks = np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum.accumulate(values[order] * len(values) / ranks)
    q[tested] = adjusted
    return q


def ks_distance(sample: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return the two-sample Kolmogorov–Smirnov distance: the largest difference of the two distribution functions.

    Parameters
    ----------
    sample, reference : array, shape (observation,)
        At least one finite number each.

    Returns
    -------
    float
        0 (the same distribution) … 1 (no overlap).

    References
    ----------
    Smirnov 1948, Ann Math Stat 19:279, doi:10.1214/aoms/1177730256

    Examples
    --------
    >>> ks_distance([1, 2, 3, 4], [3, 4, 5, 6])
    0.5
    """
    values = np.asarray(sample, dtype=np.float64)
    return float(ks_distances(values, reference, np.ones((1, len(values))))[0])


def ks_distances(sample: npt.ArrayLike, reference: npt.ArrayLike, counts: npt.NDArray[Any]) -> Floats:
    """Return the Kolmogorov–Smirnov distance of each of many resamples of one sample to a reference.

    Parameters
    ----------
    sample, reference : array, shape (observation,)
        Finite numbers.
    counts : array, shape (resample, observation)
        How often each observation of `sample` is in each resample, as `resamples` yields.

    Returns
    -------
    array, shape (resample,)
        Distances, 0 … 1; nan for a resample without an observation.
    """
    values, against = np.asarray(sample, dtype=np.float64), np.sort(np.asarray(reference, dtype=np.float64))
    order = np.argsort(values)
    points = np.concatenate([values, against])
    expected = np.searchsorted(against, points, side="right") / len(against)
    place = np.searchsorted(values[order], points, side="right")
    reached = np.zeros((len(counts), len(values) + 1))
    np.cumsum(counts[:, order], axis=1, out=reached[:, 1:])
    total = reached[:, -1:]
    share = np.divide(reached, total, out=np.full_like(reached, np.nan), where=total > 0)
    return np.abs(share[:, place] - expected).max(axis=1)


def resamples(
    n_observations: int, n_resamples: int, rng: np.random.Generator, *, size: int | None = None
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield how often each observation is drawn in each bootstrap resample, in blocks of bounded memory.

    Parameters
    ----------
    n_observations : int
        How many there are to draw from, with replacement.
    n_resamples : int
        Rows of all blocks together.
    rng : numpy.random.Generator
    size : int, optional
        Draws in one resample. Default: `n_observations`.

    Yields
    ------
    array, shape (resample, observation)
        Each row sums to `size`.

    References
    ----------
    Efron 1979, Ann Stat 7:1, doi:10.1214/aos/1176344552
    """
    drawn = n_observations if size is None else size
    step = max(1, _BLOCK // max(drawn, n_observations))
    for start in range(0, n_resamples, step):
        rows = min(step, n_resamples - start)
        cell = rng.integers(n_observations, size=(rows, drawn)) + n_observations * np.arange(rows)[:, None]
        yield np.bincount(cell.ravel(), minlength=rows * n_observations).reshape(rows, n_observations)
