"""Kolmogorov–Smirnov distance of a sample, and of its resamples, to a reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.stats.bootstrap import Draws
from probekit.stats.fdr import Floats


def ks_distance(sample: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return the two-sample Kolmogorov–Smirnov distance: the largest difference of the two distribution functions.

    Parameters
    ----------
    sample, reference : array, shape (observation,)
        At least one finite number each.

    Returns
    -------
    float
        0 (the same distribution) … 1 (no overlap).

    References
    ----------
    Smirnov 1948, Ann Math Stat 19:279, doi:10.1214/aoms/1177730256

    Examples
    --------
    >>> ks_distance([1, 2, 3, 4], [3, 4, 5, 6])
    0.5
    """
    binned = bin_for_ks(sample, reference)
    return float(binned.distances(np.arange(len(binned.cell), dtype=np.int32)[None])[0])


@dataclass(frozen=True, eq=False)
class KSBins:
    """A sample put into cells between the points of a reference, so that many of its resamples are compared quickly.

    Between two neighbours of the reference its distribution function is level and the sample's rises, so that their
    largest difference is at a point or just before it. Cell 2i is the gap before point i, cell 2i + 1 the point itself.

    Parameters
    ----------
    cell : array of int, shape (observation,)
        Cell of each observation; behind the last one for nan, which is no observation.
    reached : array, shape (cell,)
        The reference's distribution function in each cell.
    """

    cell: npt.NDArray[np.int64]
    reached: Floats

    def distances(self, draws: Draws) -> Floats:
        """Return the Kolmogorov–Smirnov distance of each resample to the reference.

        Parameters
        ----------
        draws : array of int, shape (resample, draw)
            Which observations of the sample are in each resample, as `resamples` yields.

        Returns
        -------
        array, shape (resample,)
            0 … 1; nan for a resample without an observation.
        """
        n_cells = len(self.reached)
        counts = np.stack([np.bincount(self.cell[row], minlength=n_cells + 1)[:n_cells] for row in draws])
        total = counts.sum(axis=1, keepdims=True)
        share = np.cumsum(counts, axis=1) / np.where(total > 0, total, np.nan)
        return np.asarray(np.abs(share - self.reached).max(axis=1), dtype=np.float64)


def bin_for_ks(sample: npt.ArrayLike, reference: npt.ArrayLike) -> KSBins:
    """Return the sample in the cells of the reference.

    Parameters
    ----------
    sample : array, shape (observation,)
        Numbers; nan is no observation, and does not count in a resample that draws it.
    reference : array, shape (observation,)
        At least one finite number.
    """
    values = np.asarray(sample, dtype=np.float64)
    points, times = np.unique(np.asarray(reference, dtype=np.float64), return_counts=True)
    at = np.cumsum(times) / times.sum()
    before = np.append(0, at[:-1])
    reached = np.append(np.stack([before, at], axis=1).ravel(), 1)
    cell = np.searchsorted(points, values, side="left") + np.searchsorted(points, values, side="right")
    return KSBins(np.where(np.isnan(values), len(reached), cell), reached)
