"""How alike RDMs are beyond what other RDMs explain of both."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from probekit.errors import UsageError, check_option
from probekit.rsa.compare import groups_of_equal_nan, prepare
from probekit.rsa.rdms import RDMs, check_same_conditions

Floats = npt.NDArray[np.float64]
PARTIAL_MEASURES = ("spearman", "pearson")
_NOTHING_LEFT = 1e-7
"""Share of a row's length below which what is left of it is rounding: the square root of the precision of float64."""


def partial_correlation(
    models: RDMs, brains: RDMs, given: RDMs, *, measure: Literal["spearman", "pearson"] = "spearman"
) -> Floats:
    """Return how models correlate with brains when what the `given` RDMs explain linearly is taken out of both.

    Pairs of conditions that a model, a brain or any of the given RDMs does not know (nan) are left out for that couple.

    Parameters
    ----------
    models, brains : RDMs
        Of the same conditions in the same order.
    given : RDMs
        What to hold constant, all of them at once; one that is level over the pairs holds nothing.
    measure : str
        "pearson", or "spearman": the same of ranks (ties at their mean rank).

    Returns
    -------
    array, shape (model, brain)
        −1 … 1. nan where no more pairs are known than there are given RDMs and two, and where the given RDMs explain
        all of the model or of the brain.

    Raises
    ------
    UsageError
        If conditions or their order differ, `given` is empty, a dissimilarity is infinite or the measure is not known.

    Notes
    -----
    "spearman" takes out what is linear in ranks. Two RDMs that share with the given one a linear part, each with
    noise of its own, keep a little through the bend of the ranks (.012 where the plain correlation is .48), which a
    test over many subjects can find; "pearson" does not.

    References
    ----------
    Fisher 1924, Metron 3:329
    """
    check_option("measure", measure, PARTIAL_MEASURES)
    check_same_conditions(models, brains)
    check_same_conditions(models, given)
    if not len(given):
        raise UsageError("given has no RDMs; give at least one to hold constant, or use compare().")
    for name, rdms in (("models", models), ("brains", brains), ("given", given)):
        if np.isinf(rdms.dissimilarities).any():
            raise UsageError(f"{name} has infinite dissimilarities; give nan where one is not known.")
    everywhere = ~np.isnan(given.dissimilarities).any(axis=0)
    result = np.full((len(models), len(brains)), np.nan)
    for rows, known in groups_of_equal_nan(models.dissimilarities):
        for columns, also_known in groups_of_equal_nan(brains.dissimilarities):
            present = known & also_known & everywhere
            if present.sum() > len(given) + 2:
                held = _directions(prepare(given.dissimilarities[:, present], measure))
                ours = _left(prepare(models.dissimilarities[np.ix_(rows, present)], measure), held)
                theirs = _left(prepare(brains.dissimilarities[np.ix_(columns, present)], measure), held)
                result[np.ix_(rows, columns)] = np.clip(ours @ theirs.T, -1, 1)
    return result


def _directions(given: Floats) -> Floats:
    """Return orthonormal directions that the rows span, level rows left out."""
    rows = given[~np.isnan(given).any(axis=1)]
    if not len(rows):
        return np.zeros((0, given.shape[1]))
    _, size, directions = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(directions[size > _NOTHING_LEFT])


def _left(rows: Floats, held: Floats) -> Floats:
    """Return what is left of rows outside the held directions, at length one."""
    left = rows - (rows @ held.T) @ held
    length = np.linalg.norm(left, axis=1)
    length[length < _NOTHING_LEFT] = np.nan
    return np.asarray(left / length[:, None])
