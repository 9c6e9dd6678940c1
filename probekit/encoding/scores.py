"""How well predicted targets agree with measured ones, and whether better than by chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.arguments import floats, generator, whole
from probekit.encoding.inputs import Floats
from probekit.errors import UsageError
from probekit.stats.fdr import benjamini_hochberg

_BLOCK = 2**22  # permuted predictions held at once: 32 MB
_ROUNDING = 1e-10  # a spread below this share of the largest value is rounding: the column is constant
_EQUAL = 1e-12  # correlations that differ by less are the same


def pearson_per_target(targets: npt.ArrayLike, predictions: npt.ArrayLike) -> Floats:
    """Return Pearson's r over stimuli of each target with its prediction.

    Parameters
    ----------
    targets : array, shape (stimulus, target)
    predictions : array, shape (…, stimulus, target)
        One set of predictions, or several along leading axes, such as one a layer.

    Returns
    -------
    array, shape (…, target)
        −1 … 1; nan where the target or its prediction is constant, or a value is nan.

    Raises
    ------
    UsageError
        If shapes do not fit, values are infinite, or there are fewer than two stimuli.

    Examples
    --------
    >>> pearson_per_target([[1.0], [2.0], [3.0]], [[2.0], [4.0], [6.0]])
    array([1.])
    """
    measured, predicted = _paired(targets, predictions)
    r = np.einsum("st,...st->...t", _unit_length(measured), _unit_length(predicted))
    return np.asarray(np.clip(r, -1, 1))


def r2_per_target(targets: npt.ArrayLike, predictions: npt.ArrayLike) -> Floats:
    """Return the share of the variance of each target over stimuli that its prediction explains.

    Parameters
    ----------
    targets : array, shape (stimulus, target)
    predictions : array, shape (…, stimulus, target)

    Returns
    -------
    array, shape (…, target)
        1 − squared error / squared deviation of the targets from their own mean: up to 1, below 0 where the prediction
        is worse than that mean; nan where the target is constant.

    Raises
    ------
    UsageError
        If shapes do not fit, values are infinite, or there are fewer than two stimuli.
    """
    measured, predicted = _paired(targets, predictions)
    return np.asarray(1 - ((measured - predicted) ** 2).sum(axis=-2) / _variation(measured))


def r2_split(targets: npt.ArrayLike, parts: npt.ArrayLike) -> Floats:
    """Return how R² of a sum of predictions is shared by its parts, by the product measure.

    Parameters
    ----------
    targets : array, shape (stimulus, target)
    parts : array, shape (part, stimulus, target)
        Predictions that add up to that of the target, such as one a band of features.

    Returns
    -------
    array, shape (part, target)
        Σ p(2y − ŷ) / Σ y², where y, ŷ and p are the target, its prediction and the part's share of it, each with its
        mean over these stimuli taken off. The parts' values add up to the R² of the prediction when its mean is that
        of the target. A part that only suppresses noise of another can be below 0; nan where the target is constant.

    Raises
    ------
    UsageError
        If shapes do not fit, values are infinite, or there are fewer than two stimuli.

    References
    ----------
    Pratt 1987, Proc 2nd Int Tampere Conf Stat 245; for banded ridge: Dupré la Tour et al. 2022, NeuroImage 264:119728,
    doi:10.1016/j.neuroimage.2022.119728
    """
    measured, predicted = _paired(targets, parts)
    if predicted.ndim != 3:
        raise UsageError(f"parts has shape {predicted.shape}; expected (part, stimulus, target).")
    centred = measured - measured.mean(axis=0)
    predicted = predicted - predicted.mean(axis=-2, keepdims=True)
    share = np.einsum("pst,st->pt", predicted, 2 * centred - predicted.sum(axis=0))
    return np.asarray(share / _variation(measured))


def permutation_p(
    targets: npt.ArrayLike, predictions: npt.ArrayLike, *, n_permutations: int = 1000, seed: int = 0
) -> Floats:
    """Return for each target how often its prediction agrees as well by chance.

    The stimuli of the predictions are permuted, all targets alike, and Pearson's r is taken again; stimuli must be
    exchangeable, so that frames of one film are not for this test. The predictions must be of held-out stimuli.

    Parameters
    ----------
    targets, predictions : array, shape (stimulus, target)
    n_permutations : int
    seed : int

    Returns
    -------
    array, shape (target,)
        One-sided p, (1 + number of permutations with r at least as large) / (1 + number of permutations); nan where
        the target or its prediction is constant.

    Raises
    ------
    UsageError
        If shapes do not fit, values are infinite, there are fewer than two stimuli, or no permutations.

    References
    ----------
    Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585
    """
    measured, predicted = _paired(targets, predictions)
    if predicted.ndim != 2:
        raise UsageError(f"predictions has shape {predicted.shape}; expected (stimulus, target).")
    n_permutations = whole("n_permutations", n_permutations, 1)
    y, z = _unit_length(measured), _unit_length(predicted)
    least = (y * z).sum(axis=0) - _EQUAL
    stimuli = np.broadcast_to(np.arange(len(y)), (n_permutations, len(y)))
    orders = generator(seed).permuted(stimuli, axis=1)
    step = max(1, _BLOCK // y.size)
    count = np.zeros(y.shape[1])
    for start in range(0, n_permutations, step):
        count += (np.einsum("st,pst->pt", y, z[orders[start : start + step]]) >= least).sum(axis=0)
    return np.where(np.isnan(least), np.nan, (1 + count) / (1 + n_permutations))


def score_table(
    targets: npt.ArrayLike, predictions: npt.ArrayLike, *, n_permutations: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return scores of held-out predictions with their tests, one row a target.

    Parameters
    ----------
    targets, predictions : array, shape (stimulus, target)
    n_permutations : int
    seed : int

    Returns
    -------
    pandas.DataFrame
        target
            Its index.
        r, r2
            As `pearson_per_target` and `r2_per_target`.
        p
            As `permutation_p`.
        q
            False discovery rate over the targets (Benjamini–Hochberg).

    Raises
    ------
    UsageError
        If shapes do not fit, values are infinite, there are fewer than two stimuli, or no permutations.
    """
    p = permutation_p(targets, predictions, n_permutations=n_permutations, seed=seed)
    return pd.DataFrame(
        {
            "target": np.arange(len(p)),
            "r": pearson_per_target(targets, predictions),
            "r2": r2_per_target(targets, predictions),
            "p": p,
            "q": benjamini_hochberg(p),
        }
    )


def _paired(targets: npt.ArrayLike, predictions: npt.ArrayLike) -> tuple[Floats, Floats]:
    measured, predicted = floats("targets", targets), floats("predictions", predictions)
    if measured.ndim != 2 or not measured.shape[1] or predicted.shape[-2:] != measured.shape:
        raise UsageError(
            f"targets has shape {measured.shape} and predictions {predicted.shape}; expected (stimulus, target) and "
            "(…, stimulus, target)."
        )
    if len(measured) < 2:
        raise UsageError(f"targets has {len(measured)} stimuli; expected two or more.")
    for name, values in (("targets", measured), ("predictions", predicted)):
        if np.isinf(values).any():
            raise UsageError(f"{name} has infinite values; expected finite ones, or nan where one is not known.")
    return measured, predicted


def _unit_length(values: Floats) -> Floats:
    """Return each column with mean 0 over stimuli and length 1; nan for a constant column."""
    centred = values - values.mean(axis=-2, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=-2, keepdims=True))
    largest = np.abs(values).max(axis=-2, keepdims=True)
    return np.asarray(centred / np.where(length > _ROUNDING * largest, length, np.nan))


def _variation(values: Floats) -> Floats:
    """Return the squared deviation of each column from its mean over stimuli, summed; nan for a constant column."""
    variation = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    return np.where(np.sqrt(variation) > _ROUNDING * np.abs(values).max(axis=0), variation, np.nan)
