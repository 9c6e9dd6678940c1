"""Rotation of many autocorrelograms at once, and sums over rings of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse, special

from probekit.arguments import Floats

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rotations:
    """What rotates point-symmetric maps of one size by some angles, counter-clockwise as an image is shown.

    The rotation is scipy.ndimage.rotate's with reshape=False: splines, 0 for what comes from outside. Only half of the
    bins are computed, and half of the coefficients used: the other half is the same.

    Parameters
    ----------
    angles : tuple of float
        deg.
    radius : array (bin,)
        Distance of each of the bins from the middle, bins, growing; the middle is not among them.
    bins : array (bin,)
        Their places in the lower half of a map, flattened: its rows from the middle one on.
    prefilters : (array (y/2, y), array (x, x)) or None
        From values to spline coefficients along each axis; none for linear interpolation.
    operator : sparse array (angle * bin, y/2 * x)
        From coefficients to the rotated map's bins.
    """

    angles: tuple[float, ...]
    radius: Floats
    bins: Whole
    prefilters: tuple[Floats, Floats] | None
    operator: sparse.csr_array

    def __call__(self, maps: Floats) -> tuple[Floats, Floats]:
        """Return the bins of the maps (bin, unit), and of the rotated maps (angle, bin, unit).

        Parameters
        ----------
        maps : array (unit, y, x)
            Point-symmetric, y and x odd, no nan.
        """
        n_units, n_y, n_x = maps.shape
        last = np.ascontiguousarray(maps.transpose(1, 2, 0))
        half = last[n_y // 2 :]
        plain = half.reshape(-1, n_units)[self.bins]
        if self.prefilters is not None:
            along_y, along_x = self.prefilters
            half = np.matmul(along_x, (along_y @ last.reshape(n_y, -1)).reshape(-1, n_x, n_units))
        rotated = self.operator @ half.reshape(-1, n_units)
        return plain, rotated.reshape(len(self.angles), len(self.bins), n_units)


@functools.lru_cache(maxsize=16)
def rotations(shape: tuple[int, int], angles: tuple[float, ...], *, order: int = 3) -> Rotations:
    """Return what rotates maps of this shape; kept for the next call.

    Parameters
    ----------
    shape : (int, int)
        Bins along y and x, both odd.
    angles : tuple of float
        deg.
    order : {3, 1}
        Cubic splines, or linear interpolation.

    Examples
    --------
    >>> turn = rotations((5, 5), (90.0,))
    >>> bar = np.zeros((1, 5, 5))
    >>> bar[0, 2] = 1.0  # along x
    >>> plain, rotated = turn(bar)
    >>> [float(abs(one[turn.radius == 1, 0]).sum().round(6)) for one in (plain, rotated[0])]
    [1.0, 1.0]
    """
    middle_y, middle_x = shape[0] // 2, shape[1] // 2
    y, x = np.mgrid[0 : middle_y + 1, -middle_x : middle_x + 1]
    radius = np.hypot(y, x).ravel()
    wanted = ((y > 0) | (x > 0)).ravel() & (radius <= min(middle_y, middle_x) + 1)
    bins = np.flatnonzero(wanted)
    bins = bins[np.argsort(radius[bins], kind="stable")]
    taps = [_taps(shape, y.ravel()[bins], x.ravel()[bins], angle, order) for angle in angles]
    rows, columns, weights = (np.concatenate(part) for part in zip(*taps, strict=True))
    rows += np.repeat(np.arange(len(angles)), [len(tap[0]) for tap in taps]) * len(bins)
    size = (len(angles) * len(bins), len(radius))
    operator = sparse.coo_array((weights, (rows, columns)), size).tocsr()
    prefilters = (_prefilter(shape[0])[middle_y:], _prefilter(shape[1])) if order == 3 else None
    return Rotations(angles, radius[bins], bins, prefilters, operator)


def _prefilter(n: int) -> Floats:
    found: Floats = ndimage.spline_filter1d(np.eye(n), order=3, axis=0, mode="mirror")
    return found


def _taps(shape: tuple[int, int], y: Whole, x: Whole, angle: float, order: int) -> tuple[Whole, Whole, Floats]:
    # Row, column and weight of each coefficient that the rotated map's bins at y, x (from the middle) take.
    middle_y, middle_x = shape[0] // 2, shape[1] // 2
    cos, sin = special.cosdg(angle), special.sindg(angle)
    from_y = cos * y + sin * x + middle_y
    from_x = -sin * y + cos * x + middle_x
    inside = (from_y >= 0) & (from_y <= shape[0] - 1) & (from_x >= 0) & (from_x <= shape[1] - 1)
    first_y, weights_y = _weights(from_y, order)
    first_x, weights_x = _weights(from_x, order)
    steps = np.arange(order + 1)
    at_y = _mirrored(first_y[:, None, None] + steps[:, None], shape[0])
    at_x = _mirrored(first_x[:, None, None] + steps, shape[1])
    at_y, at_x = np.broadcast_arrays(at_y, at_x)
    upper = at_y < middle_y
    at_y, at_x = np.where(upper, 2 * middle_y - at_y, at_y), np.where(upper, 2 * middle_x - at_x, at_x)
    weights = weights_y[:, :, None] * weights_x[:, None, :] * inside[:, None, None]
    rows = np.broadcast_to(np.arange(len(y))[:, None, None], weights.shape)
    kept = weights != 0
    return rows[kept], ((at_y - middle_y) * shape[1] + at_x)[kept], weights[kept]


def _weights(at: Floats, order: int) -> tuple[Whole, Floats]:
    # The first knot that counts, and the B-spline's values at it and the next ones.
    knot = np.floor(at)
    t = at - knot
    if order == 1:
        return knot.astype(np.int64), np.stack([1 - t, t], -1)
    cubic = [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]
    return knot.astype(np.int64) - 1, np.stack(cubic, -1) / 6


def _mirrored(at: Whole, n: int) -> Whole:
    found: Whole = np.abs(at)
    return np.where(found > n - 1, 2 * (n - 1) - found, found)
