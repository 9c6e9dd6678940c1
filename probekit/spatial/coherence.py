"""Spatial coherence: how well a bin's rate is foretold by its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import convolve

from probekit.arguments import Floats, floats
from probekit.errors import UsageError
from probekit.spatial.correlation import map_correlation

_AROUND = np.array([[[1, 1, 1], [1, 0, 1], [1, 1, 1]]])
_LEAST_BINS = 10


@dataclass(frozen=True, eq=False)
class Coherence:
    """Coherence of maps; nan for constant maps and those with fewer than 10 bins that have a neighbour.

    Parameters
    ----------
    z : array, shape (unit,)
        Fisher's transform of `r`, artanh: the measure as published.
    r : array, shape (unit,)
        Correlation of bins with the mean of their neighbours, -1 … 1.
    """

    z: Floats
    r: Floats


def coherence(maps: Any) -> Coherence:
    """Return the spatial coherence of maps, which must not be smoothed: smoothing makes coherence of noise.

    Parameters
    ----------
    maps : array, shape (unit, y, x)
        Activity, also signed; nan where not visited.

    Returns
    -------
    Coherence
        Each visited bin is compared with the mean of those of its 8 neighbours that are visited.

    Raises
    ------
    UsageError
        If the maps have another shape or are infinite.

    References
    ----------
    Muller & Kubie 1989, J Neurosci 9:4101, doi:10.1523/JNEUROSCI.09-12-04101.1989
    """
    given = floats("maps", maps)
    if given.ndim != 3 or np.isinf(given).any():
        raise UsageError(f"maps have shape {given.shape}; expected (unit, y, x) of finite numbers or nan.")
    known = np.isfinite(given)
    near = convolve(known.astype(np.float64), _AROUND, mode="constant")
    total = convolve(np.where(known, given, 0), _AROUND, mode="constant")
    used = known & (near > 0)
    neighbours = np.divide(total, near, out=np.full(given.shape, np.nan), where=used)
    r = map_correlation(np.where(used, given, np.nan), neighbours, min_bins=_LEAST_BINS)
    with np.errstate(divide="ignore"):  # r of exactly 1: z is infinite
        return Coherence(np.arctanh(r), r)
