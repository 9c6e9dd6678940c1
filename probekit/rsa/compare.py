"""How alike representational dissimilarity matrices are."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, rankdata

from probekit.errors import UsageError, check_option
from probekit.rsa.rdms import RDMs, check_same_conditions
from probekit.rsa.whitened import whiten

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Measure = Literal["spearman", "rho-a", "pearson", "cosine", "tau-a", "whitened_pearson", "whitened_cosine"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
_RANKED = ("spearman", "rho-a", "tau-a")
_UNCENTRED = ("cosine", "whitened_cosine")


def compare(models: RDMs, brains: RDMs, *, measure: Measure = "spearman") -> Floats:
    """Return how alike each model RDM is to each brain RDM.

    Pairs of conditions that either RDM of a couple does not know (nan) are left out for that couple.

    Parameters
    ----------
    models, brains : RDMs
        Of the same conditions in the same order.
    measure : str
        "spearman": correlation of ranks, ties at their mean rank. "rho-a": expected Spearman correlation when ties are
        broken at random; choose it when a model predicts ties. "tau-a": concordant less discordant couples of pairs,
        over all couples. "pearson" and "cosine": as named. "whitened_pearson" and "whitened_cosine": the same after
        the covariance that noise in the patterns gives the dissimilarities is taken out (see `whitened.whiten`); the
        mean that "whitened_pearson" takes off is the plain one over pairs.

    Returns
    -------
    array, shape (model, brain)
        −1 … 1. nan where it has no value: fewer than two pairs in common; an RDM all of whose known dissimilarities
        are the same (correlations) or 0 (cosines). "rho-a" and "tau-a" are 0 for such an RDM, which orders nothing.

    Raises
    ------
    UsageError
        If the conditions or their order differ, a dissimilarity is infinite, or the measure is not known.

    References
    ----------
    Nili et al. 2014, PLoS Comput Biol 10:e1003553, doi:10.1371/journal.pcbi.1003553 (tau-a);
    Schütt et al. 2023, eLife 12:e82566, doi:10.7554/eLife.82566 (rho-a);
    Diedrichsen et al. 2021, Neurons Behav Data Anal Theory 5(3), doi:10.51628/001c.27664 (whitened)
    """
    check_option("measure", measure, MEASURES)
    check_same_conditions(models, brains)
    return similarities(models.dissimilarities, brains.dissimilarities, measure)


def similarities(first: Floats, second: Floats, measure: Measure) -> Floats:
    """Return the measure of every row of `first` with every row of `second`, as `compare` does.

    Parameters
    ----------
    first, second : array, shape (rdm, pair)
        nan where a dissimilarity is not known.
    measure : str
        One of `MEASURES`.

    Returns
    -------
    array, shape (first, second)

    Raises
    ------
    UsageError
        If a dissimilarity is infinite, the numbers of pairs differ, or the measure is not known.

    Examples
    --------
    >>> similarities(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 3.0, 2.0]]), "spearman").round(9).tolist()
    [[0.5]]
    """
    check_option("measure", measure, MEASURES)
    _check(first, second)
    result = np.full((len(first), len(second)), np.nan)
    for rows, known in groups_of_equal_nan(first):
        for columns, also_known in groups_of_equal_nan(second):
            present = known & also_known
            if present.sum() < 2:
                continue
            ours, theirs = _only(first[rows], present), _only(second[columns], present)
            result[np.ix_(rows, columns)] = (
                _tau_a(ours, theirs)
                if measure == "tau-a"
                else _product(prepare(ours, measure), prepare(theirs, measure))
            )
    return result


def prepare(dissimilarities: Floats, measure: Measure) -> Floats:
    """Return rows whose inner products are the measure: ranked, centred, whitened and of length one, as it asks.

    Parameters
    ----------
    dissimilarities : array, shape (rdm, pair)
        nan where a dissimilarity is not known: the same pairs in all rows, which are left out.
    measure : str
        Any of `MEASURES` but "tau-a", which is no such product: `similarities` has it.

    Returns
    -------
    array, shape (rdm, known pair), or (rdm, known pair + condition) for whitened measures
        A row is nan where `compare` is.

    Raises
    ------
    UsageError
        If rows differ in where they are nan, fewer than two pairs are left, or the measure cannot be prepared.
    """
    check_option("measure", measure, [name for name in MEASURES if name != "tau-a"])
    rows = in_metric(dissimilarities, measure)
    if measure == "rho-a":
        n = rows.shape[1]
        rows *= np.sqrt(12 / (n**3 - n))
        return rows
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    length[length == 0] = np.nan
    rows /= length[:, None]
    return rows


def in_metric(dissimilarities: Floats, measure: Measure) -> Floats:
    """Return what `prepare` does before rows are brought to length one; without ranks, it is linear in the rows.

    Raises
    ------
    UsageError
        As `prepare`.
    """
    missing = np.isnan(dissimilarities)
    present = np.asarray(~missing.any(axis=0))
    if missing[:, ~present].size and not missing[:, ~present].all():
        raise UsageError("dissimilarities are nan at other pairs in some rows than in others; prepare those apart.")
    if present.sum() < 2:
        raise UsageError(f"dissimilarities have {present.sum()} known pairs; a comparison needs two.")
    rows = dissimilarities if present.all() else dissimilarities[:, present]
    level = np.ptp(rows, axis=1) == 0
    values = np.array(rankdata(rows, axis=1) if measure in _RANKED else rows, dtype=np.float64)
    if measure not in _UNCENTRED:
        values -= values.mean(axis=1, keepdims=True)
        values[level] = 0
    return whiten(values, present) if measure.startswith("whitened") else values


def groups_of_equal_nan(rows: Floats) -> list[tuple[npt.NDArray[np.int_], Mask]]:
    """Return the indices of the rows that are nan at the same places, and where those are not nan, group by group."""
    present = ~np.isnan(rows)
    if present.all():
        return [(np.arange(len(rows)), np.ones(rows.shape[1], dtype=bool))]
    _, example, group = np.unique(np.packbits(present, axis=1), axis=0, return_index=True, return_inverse=True)
    return [(np.flatnonzero(group == index), present[at]) for index, at in enumerate(example)]


def _check(first: Floats, second: Floats) -> None:
    for name, rows in (("first", first), ("second", second)):
        if rows.ndim != 2:
            raise UsageError(f"{name} has shape {rows.shape}; expected (rdm, pair).")
        if np.isinf(rows).any():
            raise UsageError(f"{name} has infinite dissimilarities; give nan where one is not known.")
    if first.shape[1] != second.shape[1]:
        raise UsageError(f"first has {first.shape[1]} pairs and second {second.shape[1]}; expected the same.")


def _only(rows: Floats, present: Mask) -> Floats:
    return rows if present.all() else np.where(present, rows, np.nan)


def _product(first: Floats, second: Floats) -> Floats:
    return np.asarray(np.clip(first @ second.T, -1, 1))


def _tau_a(first: Floats, second: Floats) -> Floats:
    """Tau-b, which divides by the couples that are not tied, brought back to all couples."""
    present = ~np.isnan(np.concatenate([first, second])).any(axis=0)
    first, second = first[:, present], second[:, present]
    couples = first.shape[1] * (first.shape[1] - 1) // 2
    untied = [np.array([couples - _tied(row) for row in rows], dtype=float) for rows in (first, second)]
    result = np.zeros((len(first), len(second)))
    for i, j in np.ndindex(result.shape):
        if untied[0][i] and untied[1][j]:
            tau_b = kendalltau(first[i], second[j], method="asymptotic").statistic
            result[i, j] = np.rint(tau_b * np.sqrt(untied[0][i] * untied[1][j])) / couples
    return result


def _tied(row: Floats) -> int:
    _, times = np.unique(row, return_counts=True)
    return int((times * (times - 1) // 2).sum())
