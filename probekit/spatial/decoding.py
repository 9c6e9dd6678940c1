"""Where a population says that it is: position decoded from activity, beside what chance and the centre would say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, generator, infinite, instance, real, whole
from probekit.errors import UsageError, check_option
from probekit.navigation import Arena, Tracking
from probekit.spatial.linear_decoder import ridge_decoded
from probekit.spatial.path_folds import PathFolds, path_folds
from probekit.spatial.poisson_decoder import poisson_decoded

Method = Literal["ridge", "poisson"]
_METHODS = ("ridge", "poisson")
_ENOUGH_PATHS = 10
"""Fewer paths have too few orders to shuffle."""


@dataclass(frozen=True, eq=False)
class Decoding:
    """Positions decoded from activity that was held out of the fit.

    Parameters
    ----------
    method : {"ridge", "poisson"}
    decoded : array, shape (sample, 2)
        m; nan for samples that were not tracked.
    error_cm : array, shape (sample,)
        Distance from the true position; nan likewise.
    fold : int array, shape (sample,)
        In which a sample was held out; -1 for samples that were not tracked.
    mean_cm, median_cm : array, shape (fold,)
        Of the errors.
    centre_mean_cm, centre_median_cm : array, shape (fold,)
        Of the errors of always saying the middle of the arena.
    null_cm : array, shape (shuffle,)
        Median error over all samples when activity belongs to another time, fitted and tested likewise.
    """

    method: str
    decoded: Floats
    error_cm: Floats
    fold: npt.NDArray[np.int64]
    mean_cm: Floats
    median_cm: Floats
    centre_mean_cm: Floats
    centre_median_cm: Floats
    null_cm: Floats

    @property
    def overall_cm(self) -> float:
        """Median error over all samples."""
        return float(np.nanmedian(self.error_cm))

    @property
    def p(self) -> float:
        """Share of shuffles that decode as well, (1 + k) / (1 + n); nan without shuffles."""
        if not len(self.null_cm):
            return math.nan
        return float((1 + (self.null_cm <= self.overall_cm).sum()) / (1 + len(self.null_cm)))


def decode_position(
    activity: Any,
    tracking: Tracking,
    *,
    method: Method = "ridge",
    n_folds: int = 5,
    gap_s: float = 1.0,
    window_s: float = 0.0,
    n_bins: int = 20,
    n_shuffles: int = 20,
    seed: int = 0,
) -> Decoding:
    """Return positions decoded from a layer, cross-validated over whole paths or blocks of time.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        For "poisson", spikes/s, at least 0.
    tracking : Tracking
    method : {"ridge", "poisson"}
        "ridge": linear, its penalty chosen within the fitted folds; places outside the arena are moved to the wall.
        "poisson": the most probable bin of the floor (Zhang 1998), for neurons, whose maps need not be linear.
    n_folds : int
        At least 3.
    gap_s : float
        Seconds beside a held-out block that are not fitted.
    window_s : float
        Activity is averaged over so many seconds around each sample, within its path; 0: as it is. The gap grows by it.
    n_bins : int
        Of the longer side, for "poisson".
    n_shuffles : int
        Paths take each other's positions where they are at least 10 of one length; else positions are shifted in time,
        circularly, by at least a tenth of it.
    seed : int
        Of the shuffles.

    Returns
    -------
    Decoding

    Raises
    ------
    UsageError
        If activity does not fit the tracking, is not finite, or is below 0 for "poisson" (`nonnegative` makes maps of
        signed units rates; a linear decoder takes them as they are); if folds are too short.

    Examples
    --------
    >>> arena = Arena.square(1.0)
    >>> places = arena.uniform(400, np.random.default_rng(0))
    >>> found = decode_position(places @ [[2.0, 1.0], [0.0, 1.0]], Tracking(places, arena, 0.1), n_shuffles=0)
    >>> bool(found.overall_cm < 0.1)
    True
    """
    check_option("method", method, _METHODS)
    gap_s = real("gap_s", gap_s, "seconds, at least 0", least=0)
    window_s = real("window_s", window_s, "seconds, at least 0", least=0)
    instance("tracking", tracking, Tracking)
    valid, path = tracking.valid, np.asarray(tracking.path)[tracking.valid]
    values = _checked(activity, tracking, method)[valid]
    positions = tracking.positions[valid]
    folds = path_folds(path, n_folds, math.ceil((gap_s + window_s) / tracking.dt))
    order = np.vstack([np.arange(len(path)), _shuffles(path, whole("n_shuffles", n_shuffles, 0), seed)])
    sums, samples = _windows(values, path, round(window_s / tracking.dt))
    if method == "ridge":
        found = ridge_decoded(sums / samples[:, None], positions[order.T], folds)
        found = tracking.arena.clamped(found)
    else:
        spikes, seconds = sums * tracking.dt, samples * tracking.dt
        found = _most_probable(spikes, seconds, positions, order, folds, tracking.arena, n_bins)
    errors = 100 * np.linalg.norm(found - positions[order.T], axis=-1)
    return _described(method, found[:, 0], errors, positions, folds, tracking)


def _described(
    method: str, found: Floats, errors: Floats, positions: Floats, folds: PathFolds, tracking: Tracking
) -> Decoding:
    n, valid = len(tracking), tracking.valid
    decoded, error, fold = np.full((n, 2), np.nan), np.full(n, np.nan), np.full(n, -1)
    decoded[valid], error[valid], fold[valid] = found, errors[:, 0], folds.fold
    centre = 100 * np.linalg.norm(positions - np.asarray(tracking.arena.centre), axis=1)
    by_fold = [np.flatnonzero(folds.fold == number) for number in range(len(folds))]

    def over(function: Any, values: Floats) -> Floats:
        return np.array([function(values[rows]) for rows in by_fold])

    return Decoding(
        method=method,
        decoded=decoded,
        error_cm=error,
        fold=fold,
        mean_cm=over(np.mean, errors[:, 0]),
        median_cm=over(np.median, errors[:, 0]),
        centre_mean_cm=over(np.mean, centre),
        centre_median_cm=over(np.median, centre),
        null_cm=np.median(errors[:, 1:], axis=0),
    )


def _checked(activity: Any, tracking: Tracking, method: str) -> Floats:
    values = floats("activity", activity)
    if values.ndim != 2 or len(values) != len(tracking) or not values.shape[1]:
        raise UsageError(f"activity has shape {values.shape}; expected (sample, unit) with {len(tracking)} samples.")
    if infinite(values[tracking.valid]) or np.isnan(values[tracking.valid]).any():
        raise UsageError("activity holds nan or infinite values; expected finite numbers.")
    if method == "poisson" and (values[tracking.valid] < 0).any():
        raise UsageError("activity holds values below 0; method 'poisson' takes spikes/s. Decode with method='ridge'.")
    return values


def _windows(values: Floats, path: npt.NDArray[np.int64], size: int) -> tuple[Floats, Floats]:
    """Return sums over about `size` samples around each, within its path, and how many they were."""
    if size <= 1:
        return values, np.ones(len(values))
    index = np.arange(len(values))
    begin, end = np.searchsorted(path, path, "left"), np.searchsorted(path, path, "right")
    low, high = np.maximum(index - size // 2, begin), np.minimum(index - size // 2 + size, end)
    total = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    return total[high] - total[low], (high - low).astype(float)


def _shuffles(path: npt.NDArray[np.int64], n_shuffles: int, seed: int) -> npt.NDArray[np.int64]:
    """Return, for each shuffle, the sample whose position each sample takes, shape (shuffle, sample)."""
    rng, n = generator(seed), len(path)
    sizes = np.unique(path, return_counts=True)[1]
    if len(sizes) >= _ENOUGH_PATHS and (sizes == sizes[0]).all():
        index = np.arange(n).reshape(len(sizes), -1)
        return np.array([rng.permutation(index).ravel() for _ in range(n_shuffles)], dtype=np.int64).reshape(-1, n)
    steps = rng.integers(math.ceil(n / 10), n - math.ceil(n / 10) + 1, n_shuffles)
    return np.asarray((np.arange(n) + steps[:, None]) % n)


def _most_probable(
    counts: Floats,
    seconds: Floats,
    positions: Floats,
    order: npt.NDArray[np.int64],
    folds: PathFolds,
    arena: Arena,
    n_bins: int,
) -> Floats:
    x, y = arena.edges(n_bins)
    shape = (len(y) - 1, len(x) - 1)
    column = np.clip(np.searchsorted(x, positions[:, 0], "right") - 1, 0, shape[1] - 1)
    row = np.clip(np.searchsorted(y, positions[:, 1], "right") - 1, 0, shape[0] - 1)
    places = row * shape[1] + column
    centres = arena.centres(n_bins).reshape(-1, 2)
    answers = [poisson_decoded(counts, seconds, places[one], shape, folds) for one in order]
    return np.asarray(centres[np.stack(answers, axis=1)])
