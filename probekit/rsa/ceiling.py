"""Noise ceiling: how well any model could do on these subjects, and how well a subject is told from the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from probekit.errors import UsageError
from probekit.rsa.compare import Measure, similarities
from probekit.rsa.rdms import RDMs, check_rdms

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NoiseCeiling:
    """Between which scores the best possible model lies.

    Parameters
    ----------
    lower : float
        Mean similarity of each subject with the pool of the others: what the true model reaches at least.
    upper : float
        Mean similarity of each subject with the pool of all, itself among them: what no model exceeds, on average.
    """

    lower: float
    upper: float


def noise_ceiling(subjects: RDMs, *, measure: Measure = "spearman") -> NoiseCeiling:
    """Return the noise ceiling of subjects' RDMs.

    The pool is the one that maximises the measure: the mean of ranks for "spearman", "rho-a" and (nearly) "tau-a"; of
    z-scores for "pearson"; of dissimilarities at unit length for "cosine". Whitened measures pool as the plain ones do.

    Parameters
    ----------
    subjects : RDMs
        One a subject, two at least. Pairs of conditions that one does not know (nan) are left out of all.
    measure : str
        As `compare` takes it.

    Raises
    ------
    UsageError
        If there is one subject only, or a subject's dissimilarities are infinite or all the same.

    References
    ----------
    Nili et al. 2014, PLoS Comput Biol 10:e1003553, doi:10.1371/journal.pcbi.1003553
    """
    check_subjects(subjects, at_least=2)
    known = np.where(np.isnan(subjects.dissimilarities).any(axis=0), np.nan, subjects.dissimilarities)
    lower, upper = ceiling_of(known, np.ones(len(subjects), dtype=np.int64), measure)
    return NoiseCeiling(float(lower), float(upper))


def ceiling_of(subjects: Floats, counts: Ints, measure: Measure) -> Floats:
    """Return the lower and the upper ceiling of subjects that count once or more often, or not at all (0).

    As rsatoolbox does in a bootstrap: who is drawn twice has double weight in the pool, is left out of it whole, and is
    one subject of the mean. The lower ceiling is nan where fewer than two different subjects are drawn.

    Parameters
    ----------
    subjects : array, shape (subject, pair)
        nan at the same pairs in all.
    counts : array of int, shape (subject,)
    measure : str
        As `compare` takes it.

    Returns
    -------
    array, shape (2,)
    """
    pools = np.full((len(subjects) + 1, subjects.shape[1]), np.nan)
    present = ~np.isnan(subjects[0])
    pools[:, present] = all_and_without_each(_poolable(subjects[:, present], measure), counts)
    return lower_and_upper(similarities(pools, subjects, measure), counts)


def all_and_without_each(rows: Floats, counts: Ints) -> Floats:
    """Return the weighted sum of all rows, and that without each of them, shape (1 + subject, pair)."""
    weighted = rows * counts[:, None]
    total = weighted.sum(axis=0)
    return np.asarray(np.concatenate([total[None], total - weighted]))


def lower_and_upper(similarity: Floats, counts: Ints) -> Floats:
    """Return the ceilings, given the similarity of each pool (all, without each) with each subject."""
    drawn = counts > 0
    lower = similarity[1:].diagonal()[drawn].mean() if drawn.sum() > 1 else np.nan
    return np.array([lower, similarity[0, drawn].mean()])


def ceilings_of_products(between: Floats, counts: Ints) -> Floats:
    """Return the ceilings of a measure that is an inner product, given that of each two subjects.

    The pool is the weighted sum of the subjects, so that its products with them are sums of theirs.

    Parameters
    ----------
    between : array, shape (subject, subject)
        1 on the diagonal.
    counts : array of int, shape (set, subject)

    Returns
    -------
    array, shape (set, 2)
    """
    with_pool = counts @ between
    square = (counts * with_pool).sum(axis=1, keepdims=True)
    without = square - 2 * counts * with_pool + counts**2
    drawn = counts > 0
    n_drawn = drawn.sum(axis=1)
    positive = np.where(without > 0, without, np.nan)
    lower = np.where(drawn, (with_pool - counts) / np.sqrt(positive), 0).sum(axis=1) / n_drawn
    upper = np.where(drawn, with_pool / np.sqrt(np.where(square > 0, square, np.nan)), 0).sum(axis=1) / n_drawn
    return np.stack([np.where(n_drawn > 1, lower, np.nan), upper], axis=1)


def check_subjects(subjects: RDMs, *, at_least: int) -> None:
    """Raise if there are fewer subjects, or one whose RDM says nothing.

    Raises
    ------
    UsageError
    """
    check_rdms(subjects)
    if len(subjects) < at_least:
        raise UsageError(f"subjects has {len(subjects)} RDM; expected {at_least} subjects or more.")
    rows = subjects.dissimilarities
    if np.isinf(rows).any():
        raise UsageError("subjects have infinite dissimilarities; give nan where one is not known.")
    known = rows[:, ~np.isnan(rows).any(axis=0)]
    if known.shape[1] < 2:
        raise UsageError(f"subjects know {known.shape[1]} pairs of conditions in common; expected two or more.")
    level = np.flatnonzero(np.ptp(known, axis=1) == 0)
    if len(level):
        raise UsageError(
            f"subjects: all dissimilarities of row {level[0]} are the same, and correlate with nothing; "
            "leave it out with rows()."
        )


def _poolable(rows: Floats, measure: Measure) -> Floats:
    if measure in ("spearman", "rho-a", "tau-a"):
        return np.asarray(rankdata(rows, axis=1))
    if measure in ("pearson", "whitened_pearson"):
        rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.sqrt((rows**2).mean(axis=1, keepdims=True)))
