"""Speed: how far activity follows the speed of running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from probekit.arguments import Floats, infinite, instance, real, whole
from probekit.errors import UsageError
from probekit.navigation import Tracking
from probekit.spatial.rate_maps import Bins, bin_samples, checked_activity

_BLOCK = 4_000_000
"""Numbers of activity turned into float64 at once: 32 MB."""


@dataclass(frozen=True, eq=False)
class SpeedTuning:
    """Tuning curves of many units over running speed.

    Parameters
    ----------
    curves : array, shape (unit, speed)
        Mean activity of the samples in a bin; nan where there are none, or for less time than was asked for.
    occupancy : array, shape (speed,)
        Seconds in each bin; 0 where `curves` is nan.
    edges : array, shape (speed + 1,)
        m/s.
    speeds : array, shape (speed,)
        Mean speed of the samples in each bin, m/s; nan where there are none.
    slope, intercept : array, shape (unit,)
        Line through the curve, each bin weighted by its occupancy: activity per m/s, and activity at rest; nan with
        fewer than two bins.
    """

    curves: Floats
    occupancy: Floats
    edges: Floats
    speeds: Floats
    slope: Floats
    intercept: Floats


def speed_score(
    activity: Any, tracking: Tracking, *, smoothing: float = 0.0, min_speed: float = 0.0, samples: Any = None
) -> Floats:
    """Return the speed score of units: the Pearson correlation of activity and running speed.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        Spikes/s of neurons, or any finite numbers.
    tracking : Tracking
        As many samples; those not tracked, or whose speed is not known, are left out.
    smoothing : float
        Standard deviation, s, of a Gaussian over time by which activity is smoothed, never across the end of a path;
        it reaches 4 of them. The paper smooths spike trains by 0.25 s; the activity of networks needs none.
    min_speed : float
        m/s; slower samples are left out after smoothing. The paper takes those above 0.02.
    samples : array, optional
        Which samples are used, as `bin_samples` takes them. Default: all.

    Returns
    -------
    array, shape (unit,)
        −1 … 1; nan for constant activity or speed.

    Raises
    ------
    UsageError
        If activity and tracking do not fit, activity is not finite, options are out of range, or fewer than three
        samples are left.

    References
    ----------
    Kropff et al. 2015, Nature 523:419, doi:10.1038/nature14622

    Examples
    --------
    >>> from probekit.navigation import Arena
    >>> tracking = Tracking(np.zeros((4, 2)), Arena.square(1), 0.1, speeds=np.array([0.0, 0.1, 0.2, 0.3]))
    >>> speed_score([[0.0, 3.0], [2.0, 2.0], [4.0, 2.0], [6.0, 1.0]], tracking).round(3).tolist()
    [1.0, -0.949]
    """
    values = checked_activity(activity, tracking)
    longest = len(tracking) * tracking.dt
    allowed = f"seconds, at least 0, at most the {longest:g} of the tracking"
    smoothing = real("smoothing", smoothing, allowed, least=0, most=longest)
    used, speeds = _running(tracking, samples, min_speed)
    n = int(used.sum())
    if n < 3:
        raise UsageError(f"tracking has {n} samples with a known speed of at least {min_speed} m/s; expected 3.")
    return _correlations(speeds, smoothed_in_time(values, tracking, smoothing) if smoothing else values, used)


def smoothed_in_time(activity: Any, tracking: Tracking, seconds: float) -> np.ndarray:
    """Return activity smoothed by a Gaussian over time, never across the end of a path.

    Smoothed once, activity can be scored against many shifted speeds.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        Finite.
    tracking : Tracking
        As many samples.
    seconds : float
        Standard deviation, above 0; the Gaussian reaches 4 of them. At the ends of a path it is the weighted mean of
        the samples that are there.

    Returns
    -------
    array, shape (sample, unit)
        float32 if the activity is, else float64.

    Raises
    ------
    UsageError
        If activity and tracking do not fit, or `seconds` is not above 0.
    """
    values = checked_activity(activity, tracking)
    longest = len(tracking) * tracking.dt
    allowed = f"seconds above 0, at most the {longest:g} of the tracking"
    seconds = real("seconds", seconds, allowed, above=0, most=longest)
    sd, path = seconds / tracking.dt, np.asarray(tracking.path)
    gap = int(4 * sd + 0.5)  # as far as the Gaussian reaches
    place = np.arange(len(path)) + gap * np.r_[0, np.cumsum(np.diff(path) > 0)]
    weights = np.zeros((place[-1] + 1, 1))
    weights[place] = 1
    weights = gaussian_filter1d(weights, sd, axis=0, mode="constant")[place]
    smooth = np.empty(values.shape, np.float32 if values.dtype == np.float32 else np.float64)
    width = max(1, _BLOCK // len(values))
    for units in (slice(first, first + width) for first in range(0, values.shape[1], width)):
        apart = np.zeros((place[-1] + 1, values[:, units].shape[1]))
        apart[place] = values[:, units]
        smooth[:, units] = gaussian_filter1d(apart, sd, axis=0, mode="constant")[place] / weights
    return smooth


def speed_tuning(
    activity: Any,
    tracking: Tracking,
    *,
    n_bins: int = 20,
    max_speed: float | None = None,
    min_occupancy: float = 0.0,
    samples: Any = None,
) -> SpeedTuning:
    """Return the tuning of units to running speed.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        Spikes/s of neurons, or any finite numbers.
    tracking : Tracking
        As many samples; those not tracked, or whose speed is not known, are left out.
    n_bins : int
        Equal bins of speed from 0 to `max_speed`.
    max_speed : float, optional
        m/s; faster samples are left out. Default: the 95th percentile of the speeds, for few samples are faster.
    min_occupancy : float
        Seconds; bins with less count as empty.
    samples : array, optional
        Which samples are used, as `bin_samples` takes them. Default: all.

    Raises
    ------
    UsageError
        If activity and tracking do not fit, activity is not finite, options are out of range, or no sample is left.

    Examples
    --------
    >>> from probekit.navigation import Arena
    >>> tracking = Tracking(np.zeros((4, 2)), Arena.square(1), 0.1, speeds=np.array([0.0, 0.1, 0.2, 0.3]))
    >>> float(speed_tuning([[1.0], [3.0], [5.0], [7.0]], tracking, n_bins=2, max_speed=0.4).slope[0].round(6))
    20.0
    """
    used, speeds = _running(tracking, samples, 0.0)
    min_occupancy = real("min_occupancy", min_occupancy, "seconds, at least 0", least=0)
    if max_speed is None and used.any():
        max_speed = float(np.percentile(speeds[used], 95))
    of_them = f"{used.sum()} of {len(tracking)} samples were tracked and have a speed"
    max_speed = real("max_speed", max_speed, f"m/s above 0. {of_them}", above=0)
    edges = np.linspace(0, max_speed, whole("n_bins", n_bins, 2) + 1)
    index = np.minimum(np.searchsorted(edges, speeds, side="right") - 1, n_bins - 1)
    bins = Bins(np.where(used & (speeds <= max_speed), index, -1), (1, n_bins), tracking.dt)
    curves = bins.maps(checked_activity(activity, tracking))[:, 0]
    means = bins.maps(np.where(np.isfinite(speeds), speeds, 0)[:, None])[0, 0]
    short = bins.occupancy[0] < min_occupancy
    occupancy = np.where(short, 0, bins.occupancy[0])
    curves[:, short], means[short] = np.nan, np.nan
    slope, intercept = _line(means, curves, occupancy)
    return SpeedTuning(curves, occupancy, edges, means, slope, intercept)


def _running(tracking: Tracking, samples: Any, min_speed: float) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Return which samples are used, and the speeds of all, m/s."""
    min_speed = real("min_speed", min_speed, "m/s, at least 0", least=0)
    instance("tracking", tracking, Tracking)
    speeds = np.asarray(tracking.speeds, dtype=np.float64)
    used = (bin_samples(tracking, 2, samples=samples).index >= 0) & np.isfinite(speeds)
    return used & (np.where(used, speeds, 0) >= min_speed), speeds


def _correlations(speeds: Floats, activity: np.ndarray, used: npt.NDArray[np.bool_]) -> Floats:
    """Return Pearson's r of each unit, from sums of what is beyond the first sample used."""
    rows = np.flatnonzero(used)
    running = speeds[rows] - speeds[rows].mean()
    first = activity[rows[0]].astype(np.float64)
    _check_finite(first)
    total, squares, product = np.zeros((3, activity.shape[1]))
    for start in range(0, len(rows), max(1, _BLOCK // activity.shape[1])):
        part = slice(start, start + max(1, _BLOCK // activity.shape[1]))
        beyond = activity[rows[part]] - first
        _check_finite(beyond)
        total += beyond.sum(0)
        squares += np.einsum("tu,tu->u", beyond, beyond)
        product += running[part] @ beyond
    spread = squares - total**2 / len(rows)
    varies = (spread > 1e-24 * (squares + len(rows) * first**2)) & (np.ptp(speeds[rows]) > 0)
    scale = np.sqrt(np.maximum(spread, 0) * (running @ running))
    return np.asarray(np.clip(np.divide(product, scale, out=np.full(len(scale), np.nan), where=varies), -1, 1))


def _check_finite(activity: Floats) -> None:
    if infinite(activity) or np.isnan(activity).any():
        raise UsageError("activity holds nan or infinite values; expected finite numbers.")


def _line(x: Floats, curves: Floats, weights: Floats) -> tuple[Floats, Floats]:
    kept = weights > 0
    if kept.sum() < 2:
        return np.full(len(curves), np.nan), np.full(len(curves), np.nan)
    w, x, y = weights[kept] / weights[kept].sum(), x[kept], curves[:, kept]
    middle = w @ x
    slope = y @ (w * (x - middle)) / (w @ (x - middle) ** 2)
    return slope, y @ w - slope * middle
