"""Head direction: activity by the direction that is faced, and how far it points one way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.ndimage import gaussian_filter1d

from probekit.arguments import Floats, floats, instance, real, whole
from probekit.errors import NotApplicableError, UsageError, check_option
from probekit.navigation import Tracking
from probekit.spatial.rate_maps import Bins, bin_samples
from probekit.spatial.signed import require_rates

_MOST_BINS = 3600
"""Bins of the circle: a tenth of a degree each."""


@dataclass(frozen=True, eq=False)
class DirectionalTuning:
    """Tuning curves of many units over the direction that is faced.

    Parameters
    ----------
    curves : array, shape (unit, direction)
        Mean activity of the samples in a bin, in the units of the activity; nan where never faced, or for less than was
        asked for.
    occupancy : array, shape (direction,)
        Seconds spent in each bin, never smoothed; 0 where `curves` is nan.
    """

    curves: Floats
    occupancy: Floats

    @property
    def directions(self) -> Floats:
        """Middles of the bins, rad, from 0 (along x) to below 2π."""
        return bin_middles(len(self.occupancy))


@dataclass(frozen=True, eq=False)
class MeanVectors:
    """Mean vectors of tuning curves.

    Parameters
    ----------
    length : array, shape (unit,)
        R, 0 (no direction) … 1 (one bin only); nan for units that are never active or whose curve is all nan.
    direction : array, shape (unit,)
        Preferred direction, rad, −π … π; nan where `length` is nan, or 0 but for rounding.
    """

    length: Floats
    direction: Floats


@dataclass(frozen=True, eq=False)
class Rayleigh:
    """Rayleigh's test against the uniform distribution, one a unit.

    Parameters
    ----------
    z : array
        n R².
    p : array
        One-sided, 0 … 1.
    """

    z: Floats
    p: Floats


def bin_middles(n_bins: int) -> Floats:
    """Return the middles of equal bins of direction, rad, from 0 to below 2π.

    The first bin is around 0, and none ends there: who walks along a wall faces just 0, π/2, π or −π/2.
    """
    n_bins = _whole_bins(n_bins)
    return np.asarray(np.arange(n_bins) * (2 * np.pi / n_bins))


def _whole_bins(n_bins: int) -> int:
    if whole("n_bins", n_bins, 3) > _MOST_BINS:
        raise UsageError(f"n_bins is {n_bins}; expected at most {_MOST_BINS}.")
    return n_bins


def bin_headings(tracking: Tracking, n_bins: int = 24, *, samples: Any = None, min_occupancy: float = 0.0) -> Bins:
    """Return in which bin of direction each sample lies.

    Parameters
    ----------
    tracking : Tracking
        With headings. Samples that were not tracked, or whose heading is not known, are left out.
    n_bins : int
        At least 3.
    samples : array, optional
        Which samples are used, as `bin_samples` takes them. Default: all.
    min_occupancy : float
        Seconds; bins with less count as never faced.

    Returns
    -------
    Bins
        Of shape (1, n_bins).

    Raises
    ------
    NotApplicableError
        If the tracking has no headings.
    UsageError
        If numbers are out of range, `samples` does not fit, or no sample is left.
    """
    instance("tracking", tracking, Tracking)
    if tracking.headings is None:
        raise NotApplicableError("tracking has no headings; head direction needs a heading, rad, for each sample.")
    min_occupancy = real("min_occupancy", min_occupancy, "seconds, at least 0", least=0)
    n_bins = _whole_bins(n_bins)
    known = np.isfinite(tracking.headings)
    used = known & (bin_samples(tracking, 2, samples=samples).index >= 0)
    turns = np.where(known, tracking.headings, 0) / (2 * np.pi)
    index = np.floor(turns * n_bins + 0.5).astype(np.int64) % n_bins
    faced = np.bincount(index[used], minlength=n_bins)
    index = np.where(used & (faced * tracking.dt >= min_occupancy)[index], index, -1)
    if (index < 0).all():
        raise UsageError(
            f"tracking has no heading to bin: {used.sum()} of {len(tracking)} samples were tracked and have a heading, "
            f"min_occupancy is {min_occupancy} s."
        )
    return Bins(index, (1, n_bins), tracking.dt)


def directional_curves(bins: Bins, activity: Any, *, smoothing: float = 0.0) -> Floats:
    """Return the mean activity in each bin of direction.

    Parameters
    ----------
    bins : Bins
        As `bin_headings` makes them; `Bins.shifted` for a null.
    activity : array, shape (sample, unit)
    smoothing : float
        Standard deviation, in bins, of the Gaussian, wrapped around the circle, by which sums and numbers of samples
        are smoothed before they are divided.

    Returns
    -------
    array, shape (unit, direction)
        nan where never faced.

    Raises
    ------
    UsageError
        If the activity does not fit the samples or is not finite, or `smoothing` is below 0.
    """
    widest = bins.shape[1]
    smoothing = real("smoothing", smoothing, f"bins, at least 0, at most {widest}", least=0, most=widest)
    curves: Floats = bins.maps(activity)[:, 0]
    if not smoothing:
        return curves
    counts = bins.counts[0].astype(np.float64)
    sums = gaussian_filter1d(np.nan_to_num(curves) * counts, smoothing, axis=1, mode="wrap")
    weights = gaussian_filter1d(counts, smoothing, mode="wrap")
    return np.asarray(np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=counts > 0))


def directional_tuning(
    activity: Any,
    tracking: Tracking,
    *,
    n_bins: int = 24,
    smoothing: float = 0.0,
    min_occupancy: float = 0.0,
    samples: Any = None,
) -> DirectionalTuning:
    """Return the tuning of units to the direction that is faced.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        Spikes/s of neurons, or any finite numbers.
    tracking : Tracking
        As many samples, with headings.
    n_bins : int
        Bins of the circle; 24 are of 15°.
    smoothing, min_occupancy, samples
        As in `directional_curves` and `bin_headings`.

    Raises
    ------
    NotApplicableError
        If the tracking has no headings.
    UsageError
        If arguments do not fit, or no sample is left.

    Examples
    --------
    >>> from probekit.navigation import Arena
    >>> tracking = Tracking(np.zeros((4, 2)), Arena.square(1), 0.1, headings=np.array([0.1, 0.2, 2.0, np.nan]))
    >>> directional_tuning([[1.0], [2.0], [5.0], [9.0]], tracking, n_bins=4).curves.tolist()
    [[1.5, 5.0, nan, nan]]
    """
    bins = bin_headings(tracking, n_bins, samples=samples, min_occupancy=min_occupancy)
    return DirectionalTuning(directional_curves(bins, activity, smoothing=smoothing), bins.occupancy[0])


def mean_vectors(
    curves: Any, directions: Any = None, *, correction: Literal["none", "bin_width"] = "none"
) -> MeanVectors:
    """Return the mean vector of each tuning curve, R = |Σ r exp(iθ)| / Σ r.

    Parameters
    ----------
    curves : array, shape (unit, direction)
        Rates, at least 0 (signed activity: `nonnegative`); bins with nan are left out, which pulls R towards the bins
        that are there.
    directions : array, shape (direction,), optional
        Middles of the bins, rad. Default: `bin_middles`.
    correction : {"none", "bin_width"}
        "bin_width" multiplies R by (w/2) / sin(w/2), w the width of a bin: what grouping takes from a curve that is
        smooth (1.003 for 24 bins). No bound at 1 then.

    Raises
    ------
    UsageError
        If rates are negative, or shapes do not fit.

    References
    ----------
    Zar 2010, Biostatistical Analysis, 5th ed., section 26.4 (mean vector) and 26.5 (grouped data)

    Examples
    --------
    >>> mean_vectors([[0.0, 2.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]).length.round(3).tolist()
    [1.0, 0.0]
    """
    check_option("correction", correction, ("none", "bin_width"))
    rates = require_rates("curves", curves)
    if rates.ndim != 2 or rates.shape[1] < 3:
        raise UsageError(f"curves have shape {rates.shape}; expected (unit, direction) with at least 3 directions.")
    angles = bin_middles(rates.shape[1]) if directions is None else floats("directions", directions)
    if angles.shape != rates.shape[1:]:
        raise UsageError(f"directions have shape {angles.shape}; the curves have {rates.shape[1]} directions.")
    known = np.nan_to_num(rates)
    total = known.sum(1)
    summed = known @ np.exp(1j * angles)
    length = np.divide(np.abs(summed), total, out=np.full(len(total), np.nan), where=total > 0)
    pointing = length > 1e-12
    if correction == "bin_width":
        half = np.pi / rates.shape[1]
        length = length * (half / np.sin(half))
    return MeanVectors(length, np.where(pointing, np.angle(summed), np.nan))


def rayleigh_test(length: Any, n: Any) -> Rayleigh:
    """Return Rayleigh's test of mean vectors against the uniform distribution.

    It takes n directions as drawn one by one. Samples of the continuous activity of a network, or spikes of one pass
    through a tuning curve, are not independent: then p is far too small, whatever n one gives, and the p to use is that
    of the mean vector's length among those of shifted activity.

    Parameters
    ----------
    length : array
        R, 0 … 1.
    n : array or float
        How many directions (spikes); p is good to three digits from about 10 on.

    Returns
    -------
    Rayleigh
        nan where R is nan or n is 0.

    Raises
    ------
    UsageError
        If R is outside 0 … 1 or n below 0.

    References
    ----------
    Zar 2010, Biostatistical Analysis, 5th ed., section 27.1, p by its equation 27.4

    Examples
    --------
    >>> test = rayleigh_test(0.5, 20)
    >>> float(test.z), round(float(test.p), 4)
    (5.0, 0.0055)
    """
    r, count = floats("length", length), floats("n", n)
    if ((r < 0) | (r > 1 + 1e-9)).any():
        raise UsageError(f"length holds {np.nanmin(r):g} … {np.nanmax(r):g}; expected mean vector lengths, 0 … 1.")
    if (count < 0).any():
        raise UsageError(f"n holds {np.nanmin(count):g}; expected numbers of directions, at least 0.")
    if np.isinf(count).any():
        raise UsageError("n is infinite; expected numbers of directions.")
    count = np.where(count > 0, count, np.nan)
    apart = count**2 * np.maximum(1 - r**2, 0)
    return Rayleigh(count * r**2, np.minimum(np.exp(np.sqrt(1 + 4 * count + 4 * apart) - (1 + 2 * count)), 1))


def circular_sd(length: Any, *, method: Literal["mardia", "zar"] = "mardia") -> Floats:
    """Return the circular standard deviation that belongs to mean vector lengths, rad.

    Parameters
    ----------
    length : array
        R, 0 … 1.
    method : {"mardia", "zar"}
        "mardia": √(−2 ln R), 0 … ∞, the σ of a wrapped normal distribution. "zar": √(2 (1 − R)), 0 … √2, the angular
        deviation, which opexebo names `hd_stdev`.

    Returns
    -------
    array of the same shape
        inf for R = 0 by "mardia"; nan for nan.

    Raises
    ------
    UsageError
        If R is outside 0 … 1 or the method is unknown.

    References
    ----------
    Mardia & Jupp 2000, Directional Statistics, equation 2.3.14; Zar 2010, Biostatistical Analysis, equation 26.20

    Examples
    --------
    >>> round(float(circular_sd(0.5)), 3), round(float(circular_sd(0.5, method="zar")), 3)
    (1.177, 1.0)
    """
    check_option("method", method, ("mardia", "zar"))
    r = floats("length", length)
    if ((r < 0) | (r > 1 + 1e-9)).any():
        raise UsageError(f"length holds {np.nanmin(r):g} … {np.nanmax(r):g}; expected mean vector lengths, 0 … 1.")
    if method == "zar":
        return np.asarray(np.sqrt(2 * np.maximum(1 - r, 0)))
    with np.errstate(divide="ignore"):
        return np.asarray(np.sqrt(np.maximum(-2 * np.log(r), 0)))
