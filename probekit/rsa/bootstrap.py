"""Similarities of RDMs in many resamples of their conditions and subjects, without copying an RDM.

A resample draws condition i some mᵢ times, so that the pair (i, j) is there mᵢ · mⱼ times; pairs of a condition with
itself are left out. Counts are weights: correlations of the resample are weighted correlations of the pairs at hand,
and its ranks are sums of weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from probekit.rsa.ceiling import all_and_without_each, ceiling_of, ceilings_of_products, lower_and_upper
from probekit.rsa.compare import Measure, similarities
from probekit.rsa.rdms import n_conditions_of, pair_index

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEAST_CONDITIONS = 3
"""A resample with fewer different conditions has no score."""
_RANKED = ("spearman", "rho-a")
_PLAIN = ("pearson", "cosine")


@dataclass(frozen=True, eq=False)
class Resamples:
    """Scores and noise ceilings in resamples.

    Parameters
    ----------
    scores : array, shape (resample, model, subject)
        Similarity of each model with each subject on the conditions of the resample. nan where the resample has fewer
        than three different conditions, or where all dissimilarities in it are the same.
    ceilings : array, shape (set, resample, 2)
        Lower and upper noise ceiling with each set of subjects.
    """

    scores: Floats
    ceilings: Floats


def draw_counts(n: int, n_resamples: int, rng: np.random.Generator) -> Ints:
    """Return how often each of `n` is drawn in each resample of `n` draws with replacement, shape (resample, n)."""
    draws = rng.integers(n, size=(n_resamples, n))
    places = draws + n * np.arange(n_resamples)[:, None]
    return np.bincount(places.ravel(), minlength=n_resamples * n).reshape(n_resamples, n)


def resampled(
    models: Floats, subjects: Floats, condition_counts: Ints, subject_counts: Ints, *, measure: Measure
) -> Resamples:
    """Return the similarities of models and subjects, and noise ceilings, in resamples of the conditions.

    Parameters
    ----------
    models, subjects : array, shape (rdm, pair)
        nan at the same pairs in all.
    condition_counts : array of int, shape (resample, condition)
        How often each condition is there.
    subject_counts : array of int, shape (set, resample, subject)
        How often each subject is there for the ceilings; see `ceiling.ceiling_of`. No set: no ceilings.
    measure : str
        As `compare` takes it. "tau-a" and the whitened measures are computed on the copied pairs, and are slow.

    Returns
    -------
    Resamples
        Equal to `compare` on RDMs whose rows and columns are repeated, and whose pairs of equal conditions are nan.
    """
    kind = _RankedResample if measure in _RANKED else _PlainResample if measure in _PLAIN else _CopiedResample
    resample = kind(models, subjects, measure)
    scores = np.full((len(condition_counts), len(models), len(subjects)), np.nan)
    ceilings = np.full((*subject_counts.shape[:2], 2), np.nan)
    for index, counts in enumerate(condition_counts):  # the drawn pairs of one resample stay in the cache
        if np.count_nonzero(counts) >= LEAST_CONDITIONS:
            scores[index], ceilings[:, index] = resample(counts, subject_counts[:, index])
    return Resamples(scores, ceilings)


class _DrawnPairs:
    """The rows of models and subjects, without the pairs that are not known, and which conditions the pairs have."""

    def __init__(self, models: Floats, subjects: Floats, measure: Measure) -> None:
        known = np.flatnonzero(~np.isnan(subjects[0]))
        self._rows = np.concatenate([models, subjects])[:, known]
        self._n_models, self._measure = len(models), measure
        sides = np.triu_indices(n_conditions_of(subjects.shape[1]), 1)
        self._first, self._second = (side[known] for side in sides)

    def _drawn(self, counts: Ints) -> tuple[Floats, Floats]:
        weights = counts[self._first] * counts[self._second]
        at = np.flatnonzero(weights)
        return np.take(self._rows, at, axis=1), weights[at].astype(np.float64)


class _PlainResample(_DrawnPairs):
    """Pearson and cosine: weighted moments."""

    def __init__(self, models: Floats, subjects: Floats, measure: Measure) -> None:
        super().__init__(models, subjects, measure)
        if measure == "pearson":
            self._rows -= self._rows.mean(axis=1, keepdims=True)  # moments about nearly the mean keep their digits
        largest = np.abs(self._rows).max(axis=1, keepdims=True)
        self._rows /= np.where(largest > 0, largest, 1)

    def __call__(self, counts: Ints, subject_sets: Ints) -> tuple[Floats, Floats]:
        rows, weights = self._drawn(counts)
        weighted = rows * weights
        products = weighted @ rows[self._n_models :].T
        squares = np.einsum("ij,ij->i", weighted, rows)
        if self._measure == "pearson":
            sums, n = weighted.sum(axis=1), weights.sum()
            products -= np.outer(sums, sums[self._n_models :]) / n
            squares -= sums**2 / n
            near = np.flatnonzero(squares < 1e-9 * sums**2 / n)  # perhaps all the same, but for rounding
            squares[near[np.ptp(rows[near], axis=1) == 0]] = 0
        length = np.sqrt(np.where(squares > 0, squares, np.nan))
        products /= np.outer(length, length[self._n_models :])
        return products[: self._n_models], ceilings_of_products(products[self._n_models :], subject_sets)


class _RankedResample(_DrawnPairs):
    """Spearman and rho-a: ranks are sums of weights, and those of the pools are ranked again."""

    def __init__(self, models: Floats, subjects: Floats, measure: Measure) -> None:
        super().__init__(models, subjects, measure)
        self._rows = rankdata(self._rows, method="dense", axis=1)

    def __call__(self, counts: Ints, subject_sets: Ints) -> tuple[Floats, Floats]:
        rows, weights = self._drawn(counts)
        ranks = twice_midranks(rows, weights)
        unit = self._unit(ranks, weights)
        of_subjects = (unit[self._n_models :] * weights).T
        ceilings = np.empty((len(subject_sets), 2))
        for index, times in enumerate(subject_sets):
            pools = twice_midranks(all_and_without_each(ranks[self._n_models :], times), weights)
            ceilings[index] = lower_and_upper(self._unit(pools, weights) @ of_subjects, times)
        return unit[: self._n_models] @ of_subjects, ceilings

    def _unit(self, ranks: Floats, weights: Floats) -> Floats:
        n = int(weights.sum())
        unit = ranks - (n + 1)
        if self._measure == "rho-a":
            unit *= np.sqrt(3 / (n**3 - n))  # ranks are twice what they are
            return unit
        squares = np.einsum("ij,ij,j->i", unit, unit, weights)
        unit /= np.sqrt(np.where(squares > 0, squares, np.nan))[:, None]
        return unit


class _CopiedResample:
    """Any measure, on RDMs whose rows and columns are copied as often as their conditions are drawn."""

    def __init__(self, models: Floats, subjects: Floats, measure: Measure) -> None:
        self._models, self._subjects, self._measure = models, subjects, measure
        self._n = n_conditions_of(subjects.shape[1])

    def __call__(self, counts: Ints, subject_sets: Ints) -> tuple[Floats, Floats]:
        drawn = np.repeat(np.arange(self._n), counts)
        first, second = (drawn[side] for side in np.triu_indices(len(drawn), 1))
        same = first == second
        pairs = pair_index(first, np.where(same, (first + 1) % self._n, second), self._n)
        models, subjects = (np.where(same, np.nan, rows[:, pairs]) for rows in (self._models, self._subjects))
        ceilings = [ceiling_of(subjects, times, self._measure) for times in subject_sets]
        return similarities(models, subjects, self._measure), np.reshape(ceilings, (len(subject_sets), 2))


def twice_midranks(rows: npt.NDArray[np.generic], weights: Floats) -> Floats:
    """Return twice the mean rank that each value has among all, each there as often as its weight says.

    Parameters
    ----------
    rows : array, shape (row, value)
        Whole numbers, not negative. Rows are ranked apart.
    weights : array, shape (value,)
        Whole numbers, 1 or more.

    Examples
    --------
    >>> twice_midranks(np.array([[5, 7, 5]]), np.array([1.0, 2.0, 1.0])).tolist()  # 5 5 7 7: ranks 1.5 and 3.5
    [[3.0, 7.0, 3.0]]
    """
    n_values = rows.shape[1]
    n_bits = n_values.bit_length()
    keys = rows.astype(np.int64) << n_bits | np.arange(n_values)
    keys.sort(axis=1)  # values together with their places: faster than argsort
    places, ordered = keys & ((1 << n_bits) - 1), keys >> n_bits
    until = np.cumsum(weights[places], axis=1)
    before = np.concatenate([np.zeros((len(rows), 1)), until[:, :-1]], axis=1)
    new = np.ones(rows.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], new.size)
    middle = before.ravel()[starts] + until.ravel()[ends - 1] + 1
    ranks = np.empty(rows.size)
    ranks[(places + n_values * np.arange(len(rows))[:, None]).ravel()] = np.repeat(middle, ends - starts)
    return ranks.reshape(rows.shape)
