"""Rate maps: the mean activity of units in each bin of the floor.

Positions are binned once (`bin_samples`); any activity along them, also one shifted in time, is then mapped by a sparse
product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.sparse import csc_array

from probekit.arguments import LARGEST, Floats, instance, real
from probekit.errors import UsageError
from probekit.navigation import Arena, Tracking
from probekit.navigation.recorded import real_matrix

_COVERED = 0.25
"""Share of the floor's bins below which a map says little about the arena."""
_BLOCK = 4_000_000
"""Numbers turned into float64 at once: 32 MB."""


@dataclass(frozen=True, eq=False)
class RateMaps:
    """Maps of many units over one floor.

    Parameters
    ----------
    maps : array, shape (unit, y, x)
        Mean activity of the samples in a bin, in the units of the activity; row y and column x grow with y and x. nan
        where never visited, or for less than was asked for.
    occupancy : array, shape (y, x)
        Seconds spent in each bin, never smoothed; 0 where `maps` is nan.
    arena : Arena
    n_bins : int
        Bins along the arena's longer side.
    """

    maps: Floats
    occupancy: Floats
    arena: Arena
    n_bins: int

    @property
    def bin_size(self) -> float:
        """Side of a bin, m."""
        return self.arena.bin_size(self.n_bins)

    @property
    def visited(self) -> npt.NDArray[np.bool_]:
        """Which bins hold a value, shape (y, x)."""
        return np.asarray(self.occupancy > 0)


@dataclass(frozen=True, eq=False)
class Bins:
    """In which bin of the floor each sample lies; `bin_samples` makes it.

    Parameters
    ----------
    index : int array, shape (sample,)
        Flat number of the bin, row by row; -1 for samples that are left out.
    shape : (int, int)
        Bins along y and x.
    dt : float
        Seconds a sample.
    """

    index: npt.NDArray[np.int64]
    shape: tuple[int, int]
    dt: float

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Samples in each bin, shape (y, x)."""
        used = self.index[self.index >= 0]
        return np.bincount(used, minlength=self.shape[0] * self.shape[1]).reshape(self.shape)

    @property
    def occupancy(self) -> Floats:
        """Seconds in each bin, shape (y, x)."""
        return np.asarray(self.counts * self.dt, dtype=np.float64)

    def maps(self, activity: Any, *, smoothing: float = 0.0) -> Floats:
        """Return the mean activity in each bin.

        Parameters
        ----------
        activity : array, shape (sample, unit)
            Finite at every sample that is not left out.
        smoothing : float
            Standard deviation, in bins, of the Gaussian by which sums and numbers of samples are smoothed before they
            are divided; 0: none. It reaches 4 of them.

        Returns
        -------
        array, shape (unit, y, x)
            nan where no sample lies.

        Raises
        ------
        UsageError
            If the activity does not fit the samples or is not finite, or `smoothing` is below 0.
        """
        widest = max(self.shape)
        smoothing = real("smoothing", smoothing, f"bins, at least 0, at most {widest}", least=0, most=widest)
        sums = self._sums(checked_activity(activity, self.index))
        counts = self.counts
        visited, weights = counts > 0, counts.astype(np.float64)
        if smoothing:
            sums = gaussian_filter(sums, (0, smoothing, smoothing), mode="constant")
            weights = gaussian_filter(weights, smoothing, mode="constant")
        return np.asarray(np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=visited))

    def shifted(self, steps: int) -> Bins:
        """Return bins that map activity as if it came `steps` samples later, its end moved to the start.

        Samples that are left out stay so: the others are taken as one circle. Occupancy is the same.

        Examples
        --------
        >>> Bins(np.array([0, -1, 1, 2]), (1, 3), 0.1).shifted(1).index.tolist()
        [1, -1, 2, 0]
        """
        index = self.index.copy()
        used = index >= 0
        index[used] = np.roll(index[used], -steps)
        return replace(self, index=index)

    def _sums(self, activity: np.ndarray) -> Floats:
        n_bins, n_units = self.shape[0] * self.shape[1], activity.shape[1]
        total = np.zeros((n_bins, n_units))
        for part in _parts(len(activity), max(1, _BLOCK // n_units)):
            index = self.index[part]
            used = index >= 0
            ends = np.r_[0, np.cumsum(used)]
            membership = csc_array((np.ones(ends[-1]), index[used], ends), shape=(n_bins, len(index)))
            total += membership @ activity[part].astype(np.float64)
        usable = (np.abs(total) < LARGEST).all(0)
        if not usable.all():
            raise UsageError(
                f"activity of unit {np.flatnonzero(~usable)[0]} holds nan or infinite values, or some beyond "
                f"{LARGEST:g}; expected finite numbers."
            )
        return np.ascontiguousarray(total.T).reshape(n_units, *self.shape)


def bin_samples(tracking: Tracking, n_bins: int, *, samples: Any = None, min_occupancy: float = 0.0) -> Bins:
    """Return in which bin each sample lies.

    Parameters
    ----------
    tracking : Tracking
        Samples that were not tracked are left out.
    n_bins : int
        Along the arena's longer side, at least 2; bins are square.
    samples : array, optional
        Which samples are used: bool, shape (sample,), or their numbers. Default: all.
    min_occupancy : float
        Seconds; bins with less count as never visited.

    Raises
    ------
    UsageError
        If numbers are out of range, `samples` does not fit, or no sample is left.
    """
    instance("tracking", tracking, Tracking)
    real("min_occupancy", min_occupancy, "seconds, at least 0", least=0)
    edges = tracking.arena.edges(n_bins)
    shape = (len(edges[1]) - 1, len(edges[0]) - 1)
    used = tracking.valid & _mask(samples, len(tracking))
    if not used.any():
        raise UsageError(f"tracking has no sample to map: {tracking.valid.sum()} of {len(tracking)} were tracked.")
    column, row = (
        np.clip(np.searchsorted(along, tracking.positions[:, axis], side="right") - 1, 0, len(along) - 2)
        for axis, along in enumerate(edges)
    )
    index = np.where(used, row * shape[1] + column, -1)
    bins = Bins(index, shape, tracking.dt)
    short = bins.occupancy.ravel() < min_occupancy
    if short.any():
        bins = replace(bins, index=np.where(short[index], -1, index))
        if not bins.counts.any():
            raise UsageError(f"min_occupancy is {min_occupancy} s; no bin was visited for so long.")
    return bins


def rate_maps(
    activity: Any,
    tracking: Tracking,
    *,
    n_bins: int = 20,
    smoothing: float = 0.0,
    min_occupancy: float = 0.0,
    samples: Any = None,
) -> RateMaps:
    """Return the rate maps of units.

    A bin's rate is the sum of the activity of its samples over their number. Smoothing is of both before they are
    divided, so that neither walls nor gaps pull rates down; bins never visited stay nan.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        Spikes/s of neurons (`spike_rates`), or any finite numbers, also negative ones.
    tracking : Tracking
        As many samples; those not tracked are left out.
    n_bins : int
        Along the arena's longer side, at least 2; bins are square.
    smoothing : float
        Standard deviation of the Gaussian, bins.
    min_occupancy : float
        Seconds; bins with less count as never visited, and their samples are left out.
    samples : array, optional
        Which samples are used: bool, shape (sample,), or their numbers. Default: all.

    Returns
    -------
    RateMaps

    Raises
    ------
    UsageError
        If activity and tracking do not fit, activity is not finite, no sample was tracked, or fewer than a quarter of
        the floor's bins are visited.

    Examples
    --------
    >>> tracking = Tracking([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.4], [0.5, 0.5]], Arena.square(2), dt=0.1)
    >>> rate_maps([[1.0], [2.0], [3.0], [5.0]], tracking, n_bins=2).maps.tolist()
    [[[1.0, 2.0], [nan, 4.0]]]
    """
    values = checked_activity(activity, tracking)
    bins = bin_samples(tracking, n_bins, samples=samples, min_occupancy=min_occupancy)
    check_coverage(bins, tracking.arena)
    return RateMaps(bins.maps(values, smoothing=smoothing), bins.occupancy, tracking.arena, n_bins)


def check_coverage(bins: Bins, arena: Arena) -> None:
    """Refuse a path that visits too little of the floor for a map of it.

    Raises
    ------
    UsageError
        If fewer than a quarter of the floor's bins are visited.
    """
    floor = arena.floor(max(bins.shape))
    visited = int((floor & (bins.counts > 0)).sum())
    if visited < _COVERED * floor.sum():
        raise UsageError(
            f"tracking covers {visited} of the {floor.sum()} bins of the floor; expected at least a quarter of them: "
            "a longer path, a smaller arena, or a smaller n_bins."
        )


def checked_activity(activity: Any, along: Tracking | npt.NDArray[np.int64]) -> np.ndarray:
    """Return activity as an array of real numbers, shape (sample, unit), of its own type, without a copy.

    Raises
    ------
    UsageError
        If it is another thing, or has not as many samples as what it was recorded along.
    """
    n_samples = len(along if isinstance(along, np.ndarray) else instance("tracking", along, Tracking))
    return real_matrix("activity", activity, n_samples)


def _mask(samples: Any, n: int) -> npt.NDArray[np.bool_]:
    if samples is None:
        return np.ones(n, dtype=np.bool_)
    try:
        chosen = np.asarray(samples)
    except ValueError as err:  # a ragged list
        raise UsageError(f"samples are no array: {err}; expected {n} bools, or numbers from 0 to {n - 1}.") from err
    if chosen.dtype == np.bool_ and chosen.shape == (n,):
        return chosen
    if chosen.dtype.kind not in "iu" or chosen.ndim != 1 or not chosen.size or chosen.min() < 0 or chosen.max() >= n:
        raise UsageError(
            f"samples are {chosen.dtype} of shape {chosen.shape}; expected {n} bools, or numbers from 0 to {n - 1}."
        )
    mask = np.zeros(n, dtype=np.bool_)
    mask[chosen] = True
    return mask


def _parts(n: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n, size))
