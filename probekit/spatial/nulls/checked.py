"""What the nulls of maps ask of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, infinite
from probekit.errors import UsageError


def checked_maps(maps: Any) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return maps, shape (unit, y, x), as float64, and which bins hold values, shape (y, x).

    Raises
    ------
    UsageError
        If the shape is another, a value is infinite, units differ in the bins that are nan, or all bins are.
    """
    given = floats("maps", maps)
    if given.ndim != 3 or not given.size:
        raise UsageError(f"maps have shape {given.shape}; expected (unit, y, x).")
    known = ~np.isnan(given)
    floor = known[0]
    if infinite(given) or not floor.any():
        raise UsageError("maps hold infinite values, or none at all; expected finite numbers, nan where never visited.")
    if not (known == floor).all():
        unit = int(np.flatnonzero((known != floor).any((1, 2)))[0])
        raise UsageError(f"maps of unit {unit} and unit 0 are nan in different bins; expected one floor for all units.")
    return given, np.asarray(floor)
