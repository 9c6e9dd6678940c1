"""Dissimilarities without the covariance that noise in the patterns gives them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from probekit.rsa.rdms import n_conditions_of

Floats = npt.NDArray[np.float64]


def whiten(rows: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    """Return rows whose inner products are those of dissimilarities in the metric of their inverse covariance.

    Noise that is independent and equal over conditions makes squared distances covary: by 4 with themselves, by 1 with
    those that share a condition, by 0 with others (in units of the squared variance). So the covariance is V = 2I +
    BBᵀ, where B (pair, condition) says which two conditions a pair has, and 2V⁻¹ = I − B(2I + BᵀB)⁻¹Bᵀ: what is left of
    a row after a ridge regression on B with penalty 2. Residuals and scaled coefficients together have these inner
    products; only a matrix (condition, condition) is ever solved, and missing pairs are exact.

    With all pairs known, the residuals are the off-diagonal and the coefficients the diagonal of the doubly centred
    second-moment matrix, so that the cosine is linear CKA.

    Parameters
    ----------
    rows : array, shape (rdm, known pair)
        Dissimilarities, or any linear form of them.
    present : array of bool, shape (pair,)
        Which of all pairs, in the order of ``numpy.triu_indices``, the rows have.

    Returns
    -------
    array, shape (rdm, known pair + condition)
        Inner products are 2 xᵀV⁻¹y.

    Raises
    ------
    UsageError
        If `present` is not as long as all pairs of some number of conditions.

    References
    ----------
    Diedrichsen et al. 2021, Neurons Behav Data Anal Theory 5(3), doi:10.51628/001c.27664
    """
    n_conditions = n_conditions_of(len(present))
    pairs = np.stack(np.triu_indices(n_conditions, 1), axis=1)[present]
    within = csr_array(
        (np.ones(pairs.size), (np.repeat(np.arange(len(pairs)), 2), pairs.ravel())), shape=(len(pairs), n_conditions)
    )
    normal = 2 * np.eye(n_conditions) + (within.T @ within).toarray()
    coefficients = np.linalg.solve(normal, within.T @ rows.T)
    return np.concatenate([rows - (within @ coefficients).T, np.sqrt(2) * coefficients.T], axis=1)
