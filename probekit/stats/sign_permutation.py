"""Are the values of subjects above 0? Sign permutation, for each place alone and for the family of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from probekit.errors import check_option
from probekit.stats.fdr import Floats
from probekit.stats.signs import TAILS, Statistic, Tail, flippable, sign_flips

_ROUNDING = 1e-10  # statistics nearer than this share are the same sum, added up in another order


def sign_permutation(
    values: npt.ArrayLike, *, n_permutations: int = 10_000, seed: int = 0, tail: Tail = "greater"
) -> Floats:
    """Return for each place the p value that the subjects' values are symmetric around 0.

    If there are at most `n_permutations` ways to flip signs, all are tried and the test is exact. At one place, the
    mean and t order the permutations alike, so that this is the test of both.

    Parameters
    ----------
    values : array, shape (subject, ...)
        What is 0 if there is no effect, such as correlations with a model, at each place; nan is a missing subject.
    n_permutations : int
        Sign flips, of all places together.
    seed : int
    tail : {"greater", "less", "two-sided"}
        Which effect is looked for.

    Returns
    -------
    array of the shape of one subject's values
        p, above 0 up to 1, not corrected for the number of places; nan where every subject is missing.

    Raises
    ------
    UsageError
        If there are fewer than two subjects, infinite values, no permutations, or the tail is not known.

    References
    ----------
    Nichols & Holmes 2002, Hum Brain Mapp 15:1, doi:10.1002/hbm.1058

    Examples
    --------
    >>> float(sign_permutation([1, 2, 3, 4]))
    0.0625
    """
    given = flippable(values, "mean")
    flips = sign_flips(len(given.values), n_permutations, seed)
    observed = _directed(given.observed(), tail)
    same = _ROUNDING * np.abs(given.values).sum(axis=0) / np.maximum(given.counts, 1)
    reached = np.zeros(len(observed), dtype=np.int64)
    for signs in flips.blocks(len(observed)):
        reached += np.count_nonzero(_directed(given.flipped(signs), tail) >= observed - same, axis=0)
    return _shaped(np.where(given.counts > 0, flips.p(reached), np.nan), values)


def max_sign_permutation(
    values: npt.ArrayLike,
    *,
    n_permutations: int = 10_000,
    seed: int = 0,
    tail: Tail = "greater",
    statistic: Statistic = "t",
) -> Floats:
    """Return p values of all places, corrected for their number: each against the largest statistic of the family.

    Parameters
    ----------
    values : array, shape (subject, ...)
        What is 0 if there is no effect, at each place; nan is a missing subject.
    n_permutations : int
        Sign flips, of all places together; all 2ⁿ if those are fewer.
    seed : int
    tail : {"greater", "less", "two-sided"}
    statistic : {"t", "mean"}
        What the largest is taken of: t gives places of different variance the same say.

    Returns
    -------
    array of the shape of one subject's values
        p, above 0 up to 1: how often the largest of all places is as large without an effect anywhere (family-wise
        error rate); nan where the statistic is not defined, with no subject, or for t only one.

    Raises
    ------
    UsageError
        If there are fewer than two subjects, infinite values, no permutations, or a name is not known.

    References
    ----------
    Nichols & Holmes 2002, Hum Brain Mapp 15:1, doi:10.1002/hbm.1058
    """
    given = flippable(values, statistic)
    flips = sign_flips(len(given.values), n_permutations, seed)
    observed = _directed(given.observed(), tail)
    defined = ~np.isnan(observed)
    largest = [
        np.max(_directed(given.flipped(signs), tail), axis=1, initial=-np.inf, where=defined)
        for signs in flips.blocks(len(observed))
    ]
    ordered = np.sort(np.concatenate(largest))
    below = np.searchsorted(ordered, observed - _ROUNDING * np.abs(observed), side="left")
    return _shaped(np.where(defined, flips.p(len(ordered) - below), np.nan), values)


def _directed(statistics: Floats, tail: Tail) -> Floats:
    check_option("tail", tail, TAILS)
    return np.abs(statistics) if tail == "two-sided" else -statistics if tail == "less" else statistics


def _shaped(p: Floats, values: npt.ArrayLike) -> Floats:
    return p.reshape(np.shape(values)[1:])
