"""Reliability: how well the mean over trials would be found again with as many new trials."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats, generator, whole
from probekit.errors import UsageError
from probekit.stats.fdr import Floats

_BLOCK = 2_000_000  # means of halves held at once
_LEVEL = 1e-12  # variance over stimuli, as a share of the mean square, below which it is rounding


def spearman_brown(r: npt.ArrayLike, times: npt.ArrayLike = 2) -> Floats:
    """Return the reliability of a measurement `times` as long, from the correlation of two of the given length.

    Parameters
    ----------
    r : array
        Correlations, −1 … 1; nan stays nan.
    times : array, optional
        How many times as long, above 0; below 1 for a shorter one. Default: two halves make a whole.

    Returns
    -------
    array
        times·r / (1 + (times − 1)·r), up to 1; nan where the denominator is not above 0, since no number of parts that
        are so negatively correlated exists.

    Raises
    ------
    UsageError
        If a correlation is not within −1 … 1, or `times` is not above 0.

    References
    ----------
    Spearman 1910, Br J Psychol 3:271, doi:10.1111/j.2044-8295.1910.tb00206.x; Brown 1910, Br J Psychol 3:296,
    doi:10.1111/j.2044-8295.1910.tb00207.x

    Examples
    --------
    >>> float(spearman_brown(0.5))
    0.6666666666666666
    """
    given, parts = _together(floats("r", r), floats("times", times))
    if (np.abs(given) > 1 + 1e-9).any():
        raise UsageError(f"r is {given[np.abs(given) > 1 + 1e-9].flat[0]}; expected correlations within -1 ... 1.")
    if not (parts > 0).all():
        raise UsageError(f"times is {parts[~(parts > 0)].flat[0]}; expected a number above 0.")
    below = 1 + (parts - 1) * given
    whole: Floats = np.divide(parts * given, below, out=np.full(given.shape, np.nan), where=below > 0)
    return whole


def split_half(trials: npt.ArrayLike, *, n_splits: int = 100, seed: int = 0) -> Floats:
    """Return the reliability of each unit's mean responses to the stimuli.

    Trials are split at random into two halves, whose mean responses are correlated over stimuli. The mean of the
    correlation over splits is then corrected to the full number of trials. (Correcting each split before averaging, as
    some do, pulls low reliabilities down, since the correction is a concave curve.)

    Parameters
    ----------
    trials : array, shape (trial, stimulus, unit)
        Responses; nan where a stimulus has fewer trials than the others.
    n_splits : int
    seed : int

    Returns
    -------
    array, shape (unit,)
        Up to 1: 1 if there is no noise, around 0 if there is nothing else; the correction takes what is below 0 by
        chance further down, with few stimuli below −1; nan if the
        halves of a unit never vary over stimuli or their correlation is too negative to be corrected. With an odd
        number of trials, one is left out of each split, and the correction is that to all.

    Raises
    ------
    UsageError
        If there are fewer than two trials or three stimuli, infinite responses, or no splits.

    References
    ----------
    Spearman 1910, Br J Psychol 3:271, doi:10.1111/j.2044-8295.1910.tb00206.x
    """
    given = floats("trials", trials)
    if given.ndim != 3 or given.shape[0] < 2 or given.shape[1] < 3 or given.shape[2] < 1:
        raise UsageError(f"trials have shape {given.shape}; expected (trial, stimulus, unit), 2 × 3 × 1 or more.")
    if np.isinf(given).any():
        raise UsageError("trials hold infinite numbers; expected finite ones, or nan for a missing trial.")
    n_splits = whole("n_splits", n_splits, 1)
    n_trials, n_stimuli, n_units = given.shape
    half = n_trials // 2
    order = np.argsort(generator(seed).random((n_splits, n_trials)), axis=1)
    first, second = (_chosen(drawn, n_trials) for drawn in (order[:, :half], order[:, half : 2 * half]))
    products = None if np.isnan(given).any() else _products(given)
    step = max(1, _BLOCK // (n_units * (n_stimuli if products is None else n_trials)))
    total, times = np.zeros(n_units), np.zeros(n_units)
    for at in range(0, n_splits, step):
        one, other = first[at : at + step], second[at : at + step]
        if products is None:
            r = _correlations(_means(given, one), _means(given, other))
        else:
            r = _correlations_of_products(products, one, other)
        total += np.nansum(r, axis=0)
        times += np.isfinite(r).sum(axis=0)
    mean = np.divide(total, times, out=np.full(n_units, np.nan), where=times > 0)
    return spearman_brown(mean, n_trials / half)


def _together(r: Floats, times: Floats) -> tuple[Floats, ...]:
    try:
        return tuple(np.broadcast_arrays(r, times))
    except ValueError as err:
        raise UsageError(f"r has shape {r.shape} and times {times.shape}; expected shapes that fit.") from err


def _chosen(drawn: npt.NDArray[np.int_], n_trials: int) -> Floats:
    """Return 1 for the trials that are in a half, else 0, shape (split, trial)."""
    chosen = np.zeros((len(drawn), n_trials))
    np.put_along_axis(chosen, drawn, 1, axis=1)
    return chosen


def _products(trials: Floats) -> Floats:
    """Return the products of all trials with each other, summed over stimuli, shape (unit, trial, trial).

    They hold the correlations of all halves, as the sum of a half is the sum of its trials.
    """
    centred = (trials - trials.mean(axis=1, keepdims=True)).transpose(2, 0, 1)
    products: Floats = centred @ centred.transpose(0, 2, 1)
    rounding = _LEVEL * np.einsum("tsu,tsu->u", trials, trials)
    return np.where(np.einsum("utt->u", products)[:, None, None] > rounding[:, None, None], products, 0)


def _correlations_of_products(products: Floats, first: Floats, second: Floats) -> Floats:
    """Return Pearson's r over stimuli, shape (split, unit); nan where one does not vary."""
    of_first, of_second = first @ products, second @ products
    square, other = np.einsum("upt,pt->pu", of_first, first), np.einsum("upt,pt->pu", of_second, second)
    rounding = _LEVEL * np.einsum("utt->u", products)
    varies = (square > rounding) & (other > rounding)
    together = np.sqrt(np.where(varies, square * other, 1))
    return np.where(varies, np.clip(np.einsum("upt,pt->pu", of_first, second) / together, -1, 1), np.nan)


def _means(trials: Floats, chosen: Floats) -> Floats:
    """Return the mean over the chosen trials, shape (split, stimulus, unit); nan where all of them are missing."""
    rows = trials.reshape(len(trials), -1)
    with np.errstate(invalid="ignore"):
        means = chosen @ np.nan_to_num(rows) / (chosen @ np.isfinite(rows))
    return np.asarray(means.reshape(len(chosen), *trials.shape[1:]))


def _correlations(first: Floats, second: Floats) -> Floats:
    """Return Pearson's r over stimuli, shape (split, unit); nan where one does not vary."""
    both = np.isfinite(first) & np.isfinite(second)
    n = both.sum(axis=1)
    x, x_square = _centred(first, both, n)
    y, y_square = _centred(second, both, n)
    r = np.full(n.shape, np.nan)
    np.divide((x * y).sum(axis=1), np.sqrt(x_square * y_square), out=r, where=(x_square > 0) & (y_square > 0))
    return np.clip(r, -1, 1)


def _centred(values: Floats, both: npt.NDArray[np.bool_], n: npt.NDArray[np.int_]) -> tuple[Floats, Floats]:
    """Return deviations from the mean over stimuli, 0 where missing, and their sum of squares, 0 if only rounding."""
    known = np.where(both, values, 0)
    centred = np.where(both, known - (known.sum(axis=1) / np.maximum(n, 1))[:, None], 0)
    square = (centred**2).sum(axis=1)
    return centred, np.where(square > _LEVEL * (known**2).sum(axis=1), square, 0)
