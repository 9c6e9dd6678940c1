"""A path in bins of place and of heading, and the scores that activity along it has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats
from probekit.navigation import Tracking
from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.gridness import gridness
from probekit.spatial.heading import MeanVectors, bin_headings, directional_curves, mean_vectors
from probekit.spatial.information import spatial_information
from probekit.spatial.rate_maps import Bins, bin_samples
from probekit.spatial.signed import nonnegative


@dataclass(frozen=True, eq=False)
class Walked:
    """A path in bins.

    Parameters
    ----------
    tracking : Tracking
    places : Bins
    headings : Bins or None
        None where the tracking has none.
    n_bins : int
        Of the arena's longer side.
    smoothing : float
        Of maps, standard deviation in bins.
    """

    tracking: Tracking
    places: Bins
    headings: Bins | None
    n_bins: int
    smoothing: float

    @classmethod
    def of(cls, tracking: Tracking, n_bins: int, smoothing: float) -> Walked:
        """Return the path of a tracking in bins."""
        headings = None if tracking.headings is None else bin_headings(tracking)
        return cls(tracking, bin_samples(tracking, n_bins), headings, n_bins, smoothing)

    @property
    def bin_size(self) -> float:
        """Side of a bin, m."""
        return self.tracking.arena.bin_size(self.n_bins)

    def moved(self, rows: npt.NDArray[np.int64]) -> Walked:
        """Return the path as if each sample had been that of another row."""
        headings = self.headings and replace(self.headings, index=self.headings.index[rows])
        return replace(self, places=replace(self.places, index=self.places.index[rows]), headings=headings)

    def maps(self, activity: Floats) -> Floats:
        """Return rate maps, shape (unit, y, x)."""
        return self.places.maps(activity, smoothing=self.smoothing)

    def mean_vectors(self, activity: Floats) -> MeanVectors:
        """Return mean vectors of heading, nan without headings."""
        if self.headings is None:
            unknown = np.full(activity.shape[1], np.nan)
            return MeanVectors(unknown, unknown)
        return mean_vectors(nonnegative(directional_curves(self.headings, activity)))

    def information(self, maps: Floats) -> Floats:
        """Return spatial information, bits per spike, shape (unit,)."""
        return spatial_information(nonnegative(maps), self.places.occupancy).bits_per_spike


def gridness_of(maps: Floats) -> Floats:
    """Return the gridness of Banino 2018 of each map, shape (unit,)."""
    return gridness(autocorrelograms(maps, method="banino2018")).score_60
