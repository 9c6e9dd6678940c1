"""How alike two maps of a unit are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, whole
from probekit.errors import UsageError


def map_correlation(first: Any, second: Any, *, min_bins: int = 20) -> Floats:
    """Return Pearson's r of each unit's two maps, over the bins that both have.

    Parameters
    ----------
    first, second : array, shape (unit, y, x)
        nan where not visited.
    min_bins : int
        Bins that both must have, at least 3.

    Returns
    -------
    array, shape (unit,)
        -1 … 1; nan with fewer bins, or where a map is constant in them.

    Raises
    ------
    UsageError
        If shapes differ or maps are infinite.
    """
    one, other = floats("first", first), floats("second", second)
    if one.shape != other.shape or one.ndim != 3 or np.isinf(one).any() or np.isinf(other).any():
        raise UsageError(
            f"first and second have shapes {one.shape} and {other.shape}; expected (unit, y, x), the same, of finite "
            "numbers or nan."
        )
    least = whole("min_bins", min_bins, 3)
    n_bins = math.prod(one.shape[1:])
    one, other = one.reshape(-1, n_bins), other.reshape(-1, n_bins)
    known = np.isfinite(one) & np.isfinite(other)
    n = known.sum(1)
    one, other = _centred(one, known), _centred(other, known)
    spread = np.sqrt((one**2).sum(1) * (other**2).sum(1))
    r = np.divide((one * other).sum(1), spread, out=np.full(len(n), np.nan), where=(spread > 0) & (n >= least))
    return np.asarray(np.clip(r, -1, 1), dtype=np.float64)


def _centred(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Return values less their mean over known bins, 0 elsewhere and of what varies by no more than rounding."""
    filled = np.where(known, values, 0)
    scale = np.abs(filled).max(1, keepdims=True, initial=0)
    filled = filled / np.where(scale > 0, scale, 1)
    centred = np.where(known, filled - filled.sum(1, keepdims=True) / np.maximum(known.sum(1, keepdims=True), 1), 0)
    return np.where(np.abs(centred).max(1, keepdims=True, initial=0) > 1e-12, centred, 0)
