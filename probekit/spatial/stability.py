"""Stability: whether two halves of the time give the same map."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, instance, real
from probekit.errors import UsageError, check_option
from probekit.navigation import Tracking
from probekit.spatial.correlation import map_correlation
from probekit.spatial.rate_maps import bin_samples, checked_activity

Halves = Literal["first-second", "alternating"]


def stability(
    activity: Any,
    tracking: Tracking,
    *,
    n_bins: int = 20,
    smoothing: float = 0.0,
    halves: Halves = "first-second",
    block: float = 60.0,
) -> Floats:
    """Return the correlation of the maps of two halves.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        Finite numbers, also negative ones.
    tracking : Tracking
    n_bins, smoothing
        As `rate_maps` takes them.
    halves : {"first-second", "alternating"}
        As `split` makes them.
    block : float
        Seconds, of "alternating".

    Returns
    -------
    array, shape (unit,)
        Pearson's r over the bins visited in both halves, -1 … 1; nan for units whose map is constant in a half, and
        for all where fewer than 20 bins are visited in both.

    Raises
    ------
    UsageError
        If activity and tracking do not fit, or a half has no sample.
    """
    values = checked_activity(activity, tracking)
    first, second = (
        bin_samples(tracking, n_bins, samples=half).maps(values, smoothing=smoothing)
        for half in split(tracking, halves, block=block)
    )
    return map_correlation(first, second)


def split(
    tracking: Tracking, halves: Halves = "first-second", *, block: float = 60.0
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which samples belong to one half of the time, and which to the other.

    Parameters
    ----------
    tracking : Tracking
    halves : {"first-second", "alternating"}
        "first-second": as many tracked samples in each. "alternating": blocks of time in turn, which a slow drift
        spares; each trajectory begins a new block, so that short ones are taken in turn.
    block : float
        Seconds, of "alternating"; at least one sample.

    Returns
    -------
    two bool arrays, shape (sample,)
        Samples that were not tracked are in neither.

    Raises
    ------
    UsageError
        If an argument is out of range or a half is empty.
    """
    check_option("halves", halves, ("first-second", "alternating"))
    tracked = instance("tracking", tracking, Tracking).valid
    in_time = halves == "first-second"
    second = np.cumsum(tracked) > tracked.sum() // 2 if in_time else _blocks(tracking, block) % 2 == 1
    parts = tracked & ~second, tracked & second
    if not all(part.any() for part in parts):
        raise UsageError(
            f"tracking of {tracking.duration:g} s has no two halves ({halves}, block {block:g} s); expected a longer "
            "one, or shorter blocks."
        )
    return parts


def _blocks(tracking: Tracking, block: float) -> npt.NDArray[np.int64]:
    if real("block", block, "seconds") < tracking.dt:
        raise UsageError(f"block is {block} s; expected at least a sample, {tracking.dt:g} s.")
    path = np.asarray(tracking.path)
    starts = np.flatnonzero(np.diff(path, prepend=path[0] - 1))
    since = np.arange(len(path)) - np.repeat(starts, np.diff([*starts, len(path)]))
    within = since // round(block / tracking.dt)
    return np.asarray(np.cumsum((np.diff(within, prepend=0) != 0) | (since == 0)) - 1, dtype=np.int64)
