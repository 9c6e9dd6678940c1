"""A path in bins of place and of heading, and the scores that activity along it has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats
from probekit.errors import UsageError
from probekit.navigation import Tracking
from probekit.spatial.conjunctive import PlaceByHeading, bin_places_and_headings, factorial_model
from probekit.spatial.heading import MeanVectors, bin_headings, directional_curves, mean_vectors
from probekit.spatial.information import spatial_information
from probekit.spatial.rate_maps import Bins, bin_samples
from probekit.spatial.signed import nonnegative

_LEAST_BINS = 5
"""Along a side: below, an autocorrelogram has no rings."""


@dataclass(frozen=True, eq=False)
class Walked:
    """A path in bins.

    Parameters
    ----------
    tracking : Tracking
    places : Bins
    headings, both : Bins or None
        Of heading, and of place and heading together; None where the tracking has no headings.
    map_shape : (int, int)
        Bins of place along y and x in `both`.
    n_bins : int
        Of the arena's longer side.
    smoothing : float
        Of maps, standard deviation in bins.
    """

    tracking: Tracking
    places: Bins
    headings: Bins | None
    both: Bins | None
    map_shape: tuple[int, int]
    n_bins: int
    smoothing: float

    @classmethod
    def of(cls, tracking: Tracking, n_bins: int, smoothing: float) -> Walked:
        """Return the path of a tracking in bins."""
        headings, both, map_shape = None, None, (0, 0)
        if tracking.headings is not None:
            headings = bin_headings(tracking)
            both, map_shape = bin_places_and_headings(tracking)
        places = bin_samples(tracking, n_bins)
        if min(places.shape) < _LEAST_BINS:
            raise UsageError(
                f"n_bins is {n_bins}, by which the floor of {tracking.arena} has {places.shape[0]} by "
                f"{places.shape[1]} bins; expected at least {_LEAST_BINS} along each side."
            )
        return cls(tracking, places, headings, both, map_shape, n_bins, smoothing)

    @property
    def bin_size(self) -> float:
        """Side of a bin, m."""
        return self.tracking.arena.bin_size(self.n_bins)

    def moved(self, rows: npt.NDArray[np.int64]) -> Walked:
        """Return the path as if each sample had been that of another row."""
        places, headings, both = (
            bins and replace(bins, index=bins.index[rows]) for bins in (self.places, self.headings, self.both)
        )
        assert places is not None
        return replace(self, places=places, headings=headings, both=both)

    def maps(self, activity: Floats) -> Floats:
        """Return rate maps, shape (unit, y, x)."""
        return self.places.maps(activity, smoothing=self.smoothing)

    def mean_vectors(self, activity: Floats) -> MeanVectors:
        """Return mean vectors of heading, nan without headings."""
        if self.headings is None:
            unknown = np.full(activity.shape[1], np.nan)
            return MeanVectors(unknown, unknown)
        return mean_vectors(nonnegative(directional_curves(self.headings, activity)))

    def heading_given_place(self, activity: Floats) -> Floats:
        """Return the share of deviance that heading explains beyond place, shape (unit,), nan without headings."""
        if self.both is None:
            return np.full(activity.shape[1], np.nan)
        table = PlaceByHeading(nonnegative(self.both.maps(activity)), self.both.occupancy, self.map_shape)
        return factorial_model(table).heading_given_place

    def information(self, maps: Floats) -> Floats:
        """Return spatial information, bits per spike, shape (unit,)."""
        return spatial_information(nonnegative(maps), self.places.occupancy).bits_per_spike
