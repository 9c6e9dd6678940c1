"""The peaks of autocorrelograms: how far the central one reaches, and the six around it."""

from __future__ import annotations

import functools

import numpy as np
from scipy import ndimage

from probekit.arguments import Floats

_CANDIDATES = 48
"""Nearest local maxima that are looked at, of each unit."""
_ROUNDING = 1e-9
_APART = 30.0
"""deg between the axes of a grid, at least."""


def central_radius(autocorrelograms: Floats, *, floor: float = 0.2) -> Floats:
    """Return how far the central peak reaches, in whole bins.

    To the first circle, one bin wide, whose mean is below `floor`, or below that of the next circle.

    Parameters
    ----------
    autocorrelograms : array (unit, 2y-1, 2x-1)
        Undefined bins (nan) do not count.
    floor : float

    Returns
    -------
    array (unit,)
        Bins; nan if the peak does not end inside the map.

    References
    ----------
    Langston et al. 2010, Science 328:1576, doi:10.1126/science.1188210, supporting material

    Examples
    --------
    >>> y, x = np.mgrid[-9:10, -9:10]
    >>> central_radius(np.cos(0.5 * np.hypot(y, x))[None]).tolist()
    [3.0]
    """
    flat = autocorrelograms.reshape(len(autocorrelograms), -1)
    circles = _circles(autocorrelograms.shape[1], autocorrelograms.shape[2])
    undefined = np.isnan(flat)
    with np.errstate(invalid="ignore"):
        means = (np.where(undefined, 0.0, flat) @ circles) / ((~undefined).astype(np.float64) @ circles)
        ends = (means < floor) | np.pad(means[:, 1:] - means[:, :-1] > _ROUNDING, ((0, 0), (0, 1)))
    ends[:, 0] = False
    return np.where(ends.any(1), ends.argmax(1).astype(np.float64), np.nan)


def central_area_radius(autocorrelograms: Floats, *, floor: float = 0.2) -> Floats:
    """Return the radius of a circle as large as the central peak: the bins above `floor` connected with the middle.

    Parameters
    ----------
    autocorrelograms : array (unit, 2y-1, 2x-1)
    floor : float

    Returns
    -------
    array (unit,)
        Bins; 0 where the middle is undefined.

    Examples
    --------
    >>> y, x = np.mgrid[-9:10, -9:10]
    >>> central_area_radius(np.cos(0.3 * np.hypot(y, x))[None]).round(1).tolist()  # arccos(.2) / .3 = 4.6
    [4.7]
    """
    beside = np.zeros((3, 3, 3), bool)
    beside[1] = ndimage.generate_binary_structure(2, 1)
    labels, _ = ndimage.label(autocorrelograms > floor, beside)
    middle = labels[:, labels.shape[1] // 2, labels.shape[2] // 2][:, None, None]
    found: Floats = np.sqrt(((labels == middle) & (middle > 0)).sum((1, 2)) / np.pi)
    return found


@functools.lru_cache(maxsize=16)
def _circles(n_y: int, n_x: int) -> Floats:
    # (bin, circle): 1 where the bin is on the circle of that radius, rounded.
    y, x = np.mgrid[-(n_y // 2) : n_y // 2 + 1, -(n_x // 2) : n_x // 2 + 1]
    radius = np.rint(np.hypot(y, x)).ravel()
    found: Floats = (radius[:, None] == np.arange(min(n_y, n_x) // 2 + 1)).astype(np.float64)
    return found


def six_peaks(autocorrelograms: Floats, central: Floats) -> Floats:
    """Return the six peaks around the central one: three, and by symmetry the opposite ones.

    A peak is a bin above its eight neighbours and above 0, outside the central peak, without a higher one nearer to it
    than the central peak is wide (its radius). Of them, the nearest to the middle is taken, then the nearest that is at
    least 30 degrees from the axes taken before. Its place is the top of the paraboloid fitted to the bins around it, up
    to half the radius of the central peak (at least the eight neighbours).

    Parameters
    ----------
    autocorrelograms : array (unit, 2y-1, 2x-1)
    central : array (unit,)
        Radius of the central peak, bins.

    Returns
    -------
    array (unit, 3, 2)
        x and y from the middle, bins, by angle from 0 to below 180 degrees; nan in all of a unit with fewer than six.

    Examples
    --------
    >>> y, x = np.mgrid[-19:20, -19:20]
    >>> waves = [np.cos(0.8 * (x * np.cos(a) + y * np.sin(a))) for a in np.deg2rad([0, 60, 120])]
    >>> found = six_peaks(np.sum(waves, 0)[None] / 3, np.array([3.0]))
    >>> np.hypot(*found[0].T).round(1).tolist()  # 4 pi / (0.8 sqrt 3)
    [9.1, 9.1, 9.1]
    """
    radius = np.nan_to_num(central)
    y, x, height = _candidates(autocorrelograms, radius)
    taken = _three_axes(y, x, height, radius)
    found = np.full((len(radius), 3, 2), np.nan)
    full = np.flatnonzero((taken >= 0).all(1) & ~np.isnan(central))
    rows, columns = full[:, None], taken[full]
    found[full] = _tops(autocorrelograms[full], y[rows, columns], x[rows, columns], radius[full])
    angle = np.arctan2(found[..., 1], found[..., 0]) % np.pi
    upper = np.where((found[..., 1:] < 0) | ((found[..., 1:] == 0) & (found[..., :1] < 0)), -found, found)
    return np.take_along_axis(upper, np.argsort(angle, 1)[..., None], 1)


def _candidates(maps: Floats, radius: Floats) -> tuple[Floats, Floats, Floats]:
    # Places and heights (unit, candidate) of the nearest local maxima in the lower half; -inf where there are no more.
    n_units, n_y, n_x = maps.shape
    middle_y, middle_x = n_y // 2, n_x // 2
    y, x = np.mgrid[0 : middle_y + 1, -middle_x : middle_x + 1]
    with_rim = maps[:, middle_y - 1 :]
    lowest = ndimage.minimum_filter(np.where(np.isnan(with_rim), -np.inf, with_rim), (1, 3, 3))[:, 1:]
    highest = ndimage.maximum_filter(np.nan_to_num(with_rim, nan=-np.inf), (1, 3, 3))[:, 1:]
    half = maps[:, middle_y:]
    distance = np.where((y > 0) | (x > 0), np.hypot(y, x), np.inf)
    inside = np.pad(np.ones((middle_y, n_x - 2), bool), ((0, 1), (1, 1)))
    peak = (half == highest) & (half > 0) & (lowest > -np.inf) & inside & (distance > radius[:, None, None])
    ranked = np.where(peak, distance, np.inf).reshape(n_units, -1)
    n = min(_CANDIDATES, ranked.shape[1])
    nearest = np.argpartition(ranked, n - 1, axis=1)[:, :n]
    nearest = np.take_along_axis(nearest, np.argsort(np.take_along_axis(ranked, nearest, 1), 1, kind="stable"), 1)
    found = np.isfinite(np.take_along_axis(ranked, nearest, 1))
    height = np.where(found, np.take_along_axis(half.reshape(n_units, -1), nearest, 1), -np.inf)
    return y.ravel()[nearest].astype(np.float64), x.ravel()[nearest].astype(np.float64), height


def _three_axes(y: Floats, x: Floats, height: Floats, radius: Floats) -> Floats:
    # Which candidates (unit, 3) are taken, by distance; -1 where none was left.
    taller = height[:, None, :] > height[:, :, None]
    alone = np.isfinite(height)
    for sign in (1, -1):
        near = np.hypot(y[:, None] - sign * y[:, :, None], x[:, None] - sign * x[:, :, None]) < radius[:, None, None]
        alone &= ~(near & taller).any(2)
    angle = np.rad2deg(np.arctan2(y, x))
    units = np.arange(len(y))
    taken = np.full((len(y), 3), -1)
    for axis in range(3):
        first = alone.argmax(1)
        taken[:, axis] = np.where(alone[units, first], first, -1)
        apart = np.abs((angle - angle[units, first][:, None] + 90) % 180 - 90)
        alone &= apart >= _APART
    return taken


def _tops(maps: Floats, y: Floats, x: Floats, radius: Floats) -> Floats:
    # Top of the paraboloid around each place (unit, 3): fitted within half a radius, or to 3 x 3 bins near the rim.
    reach = max(1, int(radius.max(initial=0) / 2))
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    padded = np.pad(maps, ((0, 0), (reach, reach), (reach, reach)), constant_values=np.nan)
    rows = (y[..., None, None] + maps.shape[1] // 2 + reach + dy).astype(int)
    columns = (x[..., None, None] + maps.shape[2] // 2 + reach + dx).astype(int)
    values = padded[np.arange(len(maps))[:, None, None, None], rows, columns]
    distance = np.hypot(dy, dx)
    wide = distance <= np.maximum(radius / 2, 1.5)[:, None, None, None]
    broken = (np.isnan(values) & wide).any((2, 3), keepdims=True)
    weight = np.where(broken, distance <= 1.5, wide)
    values = np.where(weight, np.nan_to_num(values), 0.0)

    def total(of: Floats) -> Floats:
        found: Floats = (of * weight).sum((2, 3))
        return found

    square = dy**2 + dx**2 - total(dy**2 + dx**2)[..., None, None] / total(np.ones(dy.shape))[..., None, None]
    slope_y, slope_x = total(values * dy) / total(dy**2), total(values * dx) / total(dx**2)
    both = total(values * square) / total(square**2)
    difference = total(values * (dx**2 - dy**2)) / total((dx**2 - dy**2) ** 2)
    mixed = total(values * dx * dy) / total((dx * dy) ** 2)
    xx, yy = 2 * (both + difference), 2 * (both - difference)
    determinant = xx * yy - mixed**2
    peaked = (determinant > 0) & (xx < 0)
    safe = np.where(peaked, determinant, 1.0)
    shift = np.stack([mixed * slope_y - yy * slope_x, mixed * slope_x - xx * slope_y], -1) / safe[..., None]
    shift = np.where(peaked[..., None], np.clip(shift, -reach, reach), 0.0)
    found: Floats = np.stack([x, y], -1) + shift
    return found
