"""How alike a rate map is to itself, moved: its spatial autocorrelogram."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import fft

from probekit.arguments import LARGEST, Floats, floats, infinite, whole
from probekit.errors import UsageError, check_option

AutocorrelogramMethod = Literal["pearson", "banino2018"]

_FLAT = 1e-12
"""Variance in an overlap, of the map's own, below which it counts as constant: the FFT leaves 1e-14 of zero."""
_CHUNK = 150_000
"""Lags of all units that are worked on at once: few enough to stay in the processor's cache."""


def autocorrelograms(
    maps: npt.ArrayLike, *, method: AutocorrelogramMethod = "pearson", min_overlap: int = 20
) -> Floats:
    """Return the correlation of each map with itself at each displacement.

    The Pearson correlation of the bins where the map and its moved copy overlap and both were visited, by FFT.

    Parameters
    ----------
    maps : array (unit, y, x)
        Rate maps; nan where never visited.
    method : {"pearson", "banino2018"}
        "banino2018" is what the released code does: bins never visited are taken for bins without activity, any
        overlap counts, and 0 stands where there is no correlation.
    min_overlap : int
        Fewer overlapping bins give nan ("pearson" only).

    Returns
    -------
    array (unit, 2y-1, 2x-1)
        -1 … 1, point-symmetric, 1 in the middle; row and column grow with the displacement along y and x. 0 where the
        map or its copy is constant over the overlap (variance below 1e-12 of the map's). nan: too little overlap; all
        of a unit whose map is constant or has no visited bin.

    Raises
    ------
    UsageError
        If the maps are no stack of maps or hold infinite values, or an option is unknown.

    References
    ----------
    Sargolini et al. 2006, Science 312:758, doi:10.1126/science.1125572;
    Banino et al. 2018, Nature 557:429, doi:10.1038/s41586-018-0102-6

    Examples
    --------
    >>> stripes = [[[0.0, 1.0, 0.0, 1.0]] * 4]
    >>> autocorrelograms(stripes, min_overlap=8)[0, 3].round(3).tolist()
    [nan, 1.0, -1.0, 1.0, -1.0, 1.0, nan]
    """
    stack = map_stack("maps", maps)
    check_option("method", method, ("pearson", "banino2018"))
    least = whole("min_overlap", min_overlap, 2) if method == "pearson" else 1
    n_units, n_y, n_x = stack.shape
    found = np.empty((n_units, 2 * n_y - 1, 2 * n_x - 1))
    for units in chunks(n_units, found.shape[1] * found.shape[2], _CHUNK):
        lower = _pearson(stack[units] if method == "pearson" else np.nan_to_num(stack[units]), least)
        if method == "banino2018":
            lower[np.isnan(lower) & ~np.isnan(lower[:, :1, n_x - 1 : n_x])] = 0.0
        found[units, n_y - 1 :] = lower
        found[units, : n_y - 1] = lower[:, :0:-1, ::-1]
        found[units, n_y - 1, : n_x - 1] = lower[:, 0, : n_x - 1 : -1]
    return found


def map_stack(name: str, values: Any) -> Floats:
    """Return maps as (unit, y, x), or refuse them.

    Raises
    ------
    UsageError
        If they have other than three axes, no bin, or infinite values.

    Examples
    --------
    >>> map_stack("maps", [[[1, 2]]]).shape
    (1, 1, 2)
    """
    stack = floats(name, values)
    if stack.ndim != 3 or 0 in stack.shape[1:]:
        raise UsageError(f"{name} has shape {stack.shape}; expected (unit, y, x) with at least one bin.")
    if infinite(stack):
        raise UsageError(
            f"{name} holds infinite values, or values beyond {LARGEST:g}; expected numbers, or nan where there is none."
        )
    return stack


def chunks(n_units: int, size: int, at_once: int) -> list[slice]:
    """Return slices over all units such that a slice holds about `at_once` values, at `size` a unit.

    Examples
    --------
    >>> chunks(5, 10, 20)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    step = max(1, at_once // size)
    return [slice(start, start + step) for start in range(0, n_units, step)]


def _pearson(maps: Floats, least: int) -> Floats:
    # Half of the lags, from 0 on along y: the other half is the same.
    visited = ~np.isnan(maps)
    scaled, constant = _scaled(maps, visited)
    if (visited == visited[:1]).all():
        visited = visited[:1]
    n, r, (mean, variance), (mean_moved, variance_moved) = _overlaps(scaled, visited.astype(np.float64))
    few = n < least
    n[few] = 1.0
    for sums in (r, mean, variance, mean_moved, variance_moved):
        sums /= n
    r -= mean * mean_moved
    variance -= mean**2
    variance_moved -= mean_moved**2
    flat = (variance < _FLAT) | (variance_moved < _FLAT)
    variance *= variance_moved
    variance[flat] = 1.0
    r /= np.sqrt(variance, out=variance)
    r[flat] = 0.0
    np.clip(r, -1.0, 1.0, out=r)
    r[np.broadcast_to(few, r.shape)] = np.nan
    r[constant] = np.nan
    return r


def _scaled(maps: Floats, visited: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    # Mean 0 and variance 1 over the visited bins, 0 elsewhere: what is left of rounding is then known.
    n = np.maximum(visited.sum((1, 2), keepdims=True), 1)
    filled = np.where(visited, maps, 0.0)
    centred = np.where(visited, filled - filled.sum((1, 2), keepdims=True) / n, 0.0)
    sd = np.sqrt((centred**2).sum((1, 2), keepdims=True) / n)
    constant = (sd <= 1e-12 * np.abs(filled).max((1, 2), keepdims=True))[:, 0, 0]
    return centred / np.where(constant[:, None, None], 1.0, sd), constant


Sums = tuple[Floats, Floats]


def _overlaps(maps: Floats, visited: Floats) -> tuple[Floats, Floats, Sums, Sums]:
    # For each lag from 0 on along y: bins that overlap; the sum over them of map times moved map; and the sums of the
    # map and of its square, then the same of the moved map, which are the first ones at the opposite lag.
    n_y, n_x = maps.shape[1:]
    padded = [fft.next_fast_len(2 * n - 1, real=True) for n in (n_y, n_x)]
    of_visited = np.conj(fft.rfft2(visited, padded))

    def forward(lags: Floats) -> Floats:
        found = np.empty((len(lags), n_y, 2 * n_x - 1))
        found[:, :, n_x - 1 :] = lags[:, :n_y, :n_x]
        found[:, :, : n_x - 1] = lags[:, :n_y, lags.shape[2] - n_x + 1 :]
        return found

    def backward(lags: Floats) -> Floats:
        rows = -np.arange(n_y) % lags.shape[1]
        columns = -np.arange(-n_x + 1, n_x) % lags.shape[2]
        return lags[:, rows[:, None], columns]

    def powers(spectrum: npt.NDArray[np.complex128]) -> Floats:
        return forward(fft.irfft2(spectrum.real**2 + spectrum.imag**2, padded))

    of_maps = fft.rfft2(maps, padded)
    product = powers(of_maps)
    of_maps *= of_visited
    sums = fft.irfft2(of_maps, padded, overwrite_x=True)
    squares = fft.irfft2(fft.rfft2(maps**2, padded) * of_visited, padded, overwrite_x=True)
    n = np.rint(powers(of_visited))
    return n, product, (backward(sums), backward(squares)), (forward(sums), forward(squares))
