"""Activity shifted in time against the path: what is left when a unit knows nothing of the place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, generator, instance, real, whole
from probekit.errors import UsageError
from probekit.navigation import Tracking
from probekit.spatial.rate_maps import bin_samples, checked_activity

LEAST_S = 20.0
"""Seconds below which no activity is shifted: the habit of the field since Langston et al. 2010."""


def time_shifts(
    activity: Any,
    tracking: Tracking,
    n: int,
    seed: int,
    *,
    n_bins: int = 20,
    smoothing: float = 0.0,
    min_occupancy: float = 0.0,
    samples: Any = None,
    least_s: float = LEAST_S,
) -> Iterator[Floats]:
    """Yield rate maps of activity that was shifted in time, on a circle, against the path.

    All units share the lag of a shuffle: each unit's own null is the same as with lags of its own, and only the bins of
    the samples are moved, never the activity. Lags and trajectories are those of `shifted_rows`.

    Too weak for gridness: see `probekit.spatial.nulls`.

    Parameters
    ----------
    activity : array, shape (sample, unit)
    tracking : Tracking
    n : int
        Number of shuffles, at least 1.
    seed : int
    n_bins, smoothing, min_occupancy, samples
        As in `rate_maps`; what they were for the maps that are tested.
    least_s : float
        Shortest lag, s.

    Yields
    ------
    array, shape (unit, y, x)
        Maps of one shuffle; nan where never visited, which is the same in all.

    Raises
    ------
    UsageError
        If activity and tracking do not fit, or the tracking is too short for `n` different lags.
    """
    values = checked_activity(activity, tracking)
    bins = bin_samples(tracking, n_bins, samples=samples, min_occupancy=min_occupancy)
    used = bins.index >= 0
    lags = _lags(tracking.path[used], tracking.dt, least_s=least_s, n=n, seed=seed)
    return (bins.shifted(lag).maps(values, smoothing=smoothing) for lag in lags)


def shifted_rows(tracking: Tracking, n: int, seed: int, *, least_s: float = LEAST_S) -> Iterator[npt.NDArray[np.int64]]:
    """Yield, for each shuffle, which sample of the activity goes with which sample of the path.

    `activity[rows]` goes with the path as it was. It costs less, and is as good, to shift what is tuned to:
    `headings[rows]` or `speeds[rows]` with the activity as it was.

    One trajectory, or few long ones, are taken as one circle and shifted by any number of samples. Many trajectories
    shorter than `least_s` and of one length, as of networks, are shifted by whole trajectories: activity then goes with
    the path of another trajectory at the same step, so that what only depends on the step is in the null too.
    Samples that were not tracked keep their place.

    Parameters
    ----------
    tracking : Tracking
    n : int
        Number of shuffles, at least 1; no lag comes twice.
    seed : int
    least_s : float
        Shortest lag, s, forwards and backwards.

    Yields
    ------
    int array, shape (sample,)

    Raises
    ------
    UsageError
        If the tracking is too short for `n` different lags.
    """
    used = instance("tracking", tracking, Tracking).valid
    lags = _lags(tracking.path[used], tracking.dt, least_s=least_s, n=n, seed=seed)
    return (_rows(used, lag) for lag in lags)


def _rows(used: npt.NDArray[np.bool_], lag: int) -> npt.NDArray[np.int64]:
    rows = np.arange(len(used))
    rows[used] = np.roll(rows[used], lag)
    return rows


def _lags(path: npt.NDArray[np.int64], dt: float, *, least_s: float, n: int, seed: int) -> npt.NDArray[np.int64]:
    rng = generator(seed)
    least_s = real("least_s", least_s, "seconds, above 0", above=0)
    step = _step(path, int(np.ceil(least_s / dt)))
    least = max(1, int(np.ceil(least_s / (dt * step))))
    possible = np.arange(least, len(path) // step - least + 1) * step
    if len(possible) < whole("n", n, 1):
        raise UsageError(
            f"tracking lasts {len(path) * dt:.3g} s, which allows {len(possible)} lags of at least {least_s:g} s "
            f"either way; expected at least n = {n}: a longer path, or a smaller least_s."
        )
    return rng.choice(possible, n, replace=False)


def _step(path: npt.NDArray[np.int64], short: int) -> int:
    """Return of how many samples a lag is a multiple: those of a trajectory, where all are short and alike, or 1."""
    lengths = np.unique(np.unique(path, return_counts=True)[1])
    return int(lengths[0]) if len(lengths) == 1 and lengths[0] < min(short, len(path)) else 1
