"""The turn and shift by which the maps of a whole population fit those of another environment best.

References
----------
Fyhn, Hafting, Treves, Moser & Moser 2007, Hippocampal remapping and grid realignment in entorhinal cortex,
Nature 446:190, doi:10.1038/nature05601
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft2, rfft2
from scipy.ndimage import rotate

from probekit.arguments import Floats, floats, generator, infinite, real, whole
from probekit.errors import UsageError

_OVERLAP = 0.3
"""Share of the map's bins that must overlap for a shift to count."""

_TIE = 0.01
"""Correlations that are lower than the best by less count as good: of these shifts the smallest is taken."""


@dataclass(frozen=True, eq=False)
class Realignment:
    """The best common turn and shift of all units.

    Parameters
    ----------
    rotation_deg : float
        By which the first maps are turned, counter-clockwise about the middle, 0 … 360.
    shift : array, shape (2,)
        By which they are then moved along x and y, m.
    correlation : float
        Pearson's, over all units and overlapping bins, of the moved first and the second maps, each unit standardised.
    unmoved : float
        The same without turn and shift.
    null : array, shape (shuffle,)
        The best correlation with the second maps' units in random order.
    """

    rotation_deg: float
    shift: Floats
    correlation: float
    unmoved: float
    null: Floats

    @property
    def p(self) -> float:
        """Share of shuffles, (1 + k) / (1 + n), that fit as well."""
        return float((1 + (self.null >= self.correlation).sum()) / (1 + len(self.null)))


@dataclass(frozen=True, eq=False)
class _Standard:
    """Maps of mean 0 and variance 1 over the bins that all units have, 0 elsewhere; these bins are 1 in `seen`."""

    maps: Floats
    seen: Floats


@dataclass(frozen=True, eq=False)
class _Fit:
    """First maps at one angle: their spectra, and what of the correlation at each shift no order of units changes."""

    spectrum: npt.NDArray[np.complex128]
    products: Floats
    norm: Floats

    def correlograms(self, second: npt.NDArray[np.complex128], orders: Sequence[npt.NDArray[np.int64]]) -> Floats:
        """Return the correlation at each shift for each order of the second maps' units, shape (order, y, x)."""
        shape, conjugate = self.norm.shape, np.conj(self.spectrum)
        crossed = np.stack([irfft2((conjugate * second[order]).sum(0), shape) for order in orders])
        return np.asarray((crossed - self.products) / self.norm)


def realignment(
    first: Any,
    second: Any,
    bin_size: float,
    *,
    rotations_deg: Sequence[float] = tuple(range(0, 360, 6)),
    n_shuffles: int = 20,
    seed: int = 0,
) -> Realignment:
    """Return by which turn and shift all units' first maps fit their second maps best.

    Maps of grid cells repeat themselves: shifts that differ by a whole period fit as well as each other. Of the shifts
    whose correlation is within .01 of the best, at its turn, the smallest is returned.

    Parameters
    ----------
    first, second : array, shape (unit, y, x)
        nan where not visited. Constant units are left out.
    bin_size : float
        m.
    rotations_deg : sequence of float
        Turns that are tried; ``(0,)`` for shifts alone.
    n_shuffles : int
        Orders of the second maps' units, each with the whole search.
    seed : int

    Returns
    -------
    Realignment

    Raises
    ------
    UsageError
        If shapes differ, fewer than 2 units vary in both, or there is no turn to try.
    """
    a, b = floats("first", first), floats("second", second)
    if a.ndim != 3 or a.shape != b.shape:
        raise UsageError(f"first and second have shapes {a.shape} and {b.shape}; expected one, (unit, y, x).")
    if a.size and (infinite(a) or infinite(b)):
        raise UsageError("first or second hold infinite values; expected finite numbers, nan where not visited.")
    bin_size = real("bin_size", bin_size, "m, above 0", above=0)
    turns = floats("rotations_deg", rotations_deg)
    if not turns.size:
        raise UsageError("rotations_deg is empty; expected at least one turn, such as 0.")
    if turns.ndim != 1 or not np.isfinite(turns).all():
        raise UsageError(f"rotations_deg is {rotations_deg!r}; expected turns in degrees, such as (0, 90).")
    a, b = (maps[_varying(a) & _varying(b)] for maps in (a, b))
    if len(a) < 2:
        raise UsageError(f"first and second share {len(a)} units that vary; expected at least 2.")
    rng = generator(seed)
    orders = [np.arange(len(a)), *(rng.permutation(len(a)) for _ in range(whole("n_shuffles", n_shuffles, 0)))]
    fixed, moved = _standard(b), _standard(a)
    spectrum = rfft2(fixed.maps, _padded(fixed))
    found = [_fit(_turned(moved, angle), fixed).correlograms(spectrum, orders) for angle in turns]
    surface = np.stack([one[0] for one in found])
    turn = int(np.nanargmax(surface)) // surface[0].size
    column, row = _smallest_good_shift(surface[turn])
    return Realignment(
        rotation_deg=float(turns[turn]) % 360,
        shift=bin_size * np.array([column, row]),
        correlation=float(surface[turn, row, column]),
        unmoved=float(_fit(moved, fixed).correlograms(spectrum, orders[:1])[0, 0, 0]),
        null=np.array([max(np.nanmax(one[number]) for one in found) for number in range(1, len(orders))]),
    )


def _varying(maps: Floats) -> npt.NDArray[np.bool_]:
    inside = maps[:, np.isfinite(maps).all(0)]
    return np.asarray(inside.std(1) > 0) if inside.size else np.zeros(len(maps), dtype=bool)


def _standard(maps: Floats) -> _Standard:
    visited = np.isfinite(maps).all(0)
    inside = maps[:, visited]
    filled = np.zeros(maps.shape)
    filled[:, visited] = (inside - inside.mean(1, keepdims=True)) / inside.std(1, keepdims=True)
    return _Standard(filled, np.asarray(visited, dtype=np.float64))


def _turned(standard: _Standard, angle: float) -> _Standard:
    if not angle % 360:
        return standard
    weight = rotate(standard.seen, -angle, reshape=False, order=1)
    maps = rotate(standard.maps, -angle, axes=(2, 1), reshape=False, order=1)
    seen = weight > 0.5
    filled = np.asarray(np.divide(maps, weight, out=np.zeros_like(maps), where=seen))
    return _Standard(filled, np.asarray(seen, dtype=np.float64))


def _fit(first: _Standard, second: _Standard) -> _Fit:
    padded = _padded(second)

    def crossed(x: Floats, y: Floats) -> Floats:
        """Return the sum over bins of x, moved by each shift, times y."""
        return np.asarray(irfft2(np.conj(rfft2(x, padded)) * rfft2(y, padded), padded))

    n = np.round(crossed(first.seen, second.seen))
    pairs = len(first.maps) * np.maximum(n, 1)
    sums = crossed(first.maps.sum(0), second.seen), crossed(first.seen, second.maps.sum(0))
    squares = crossed((first.maps**2).sum(0), second.seen), crossed(first.seen, (second.maps**2).sum(0))
    variances = [square - total**2 / pairs for square, total in zip(squares, sums, strict=True)]
    norm = np.sqrt(np.maximum(variances[0], 0) * np.maximum(variances[1], 0))
    counts = (n >= _OVERLAP * second.seen.size) & (norm > 0)
    return _Fit(rfft2(first.maps, padded), sums[0] * sums[1] / pairs, np.where(counts, norm, np.nan))


def _padded(standard: _Standard) -> tuple[int, int]:
    """Return a size at which shifts do not run into each other."""
    return 2 * standard.seen.shape[0], 2 * standard.seen.shape[1]


def _smallest_good_shift(correlogram: Floats) -> tuple[int, int]:
    """Return bins along x and y; negative ones also index the correlogram."""
    rows, columns = np.nonzero(np.nan_to_num(correlogram, nan=-np.inf) >= np.nanmax(correlogram) - _TIE)
    height, width = correlogram.shape
    rows, columns = (rows + height // 2) % height - height // 2, (columns + width // 2) % width - width // 2
    smallest = (rows**2 + columns**2).argmin()
    return int(columns[smallest]), int(rows[smallest])
