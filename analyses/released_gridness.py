"""Gridness as released with Banino 2018: what several analyses call a unit's gridness."""

from __future__ import annotations

import numpy as np

from probekit.arguments import Floats
from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.gridness import gridness


def banino_autocorrelograms(maps: Floats) -> Floats:
    """Return autocorrelograms as released with Banino 2018, but for bins that were never visited.

    The released code takes these for 0, so that a unit's baseline draws the outline of the floor; here they are taken
    for the unit's mean. Maps without gaps have the same autocorrelogram by both.
    """
    visited = np.isfinite(maps)
    mean = np.where(visited, maps, 0).sum((1, 2)) / np.maximum(visited.sum((1, 2)), 1)
    return autocorrelograms(maps - mean[:, None, None], method="banino2018")


def gridness_of(maps: Floats) -> Floats:
    """Return the gridness of Banino 2018 of each map, shape (unit,)."""
    return gridness(banino_autocorrelograms(maps)).score_60
