"""How hexagonal, or square, each autocorrelogram is: gridness, in the published definitions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats
from probekit.errors import UsageError, check_option
from probekit.spatial.autocorrelation import chunks, map_stack
from probekit.spatial.peaks import central_area_radius, central_radius, six_peaks
from probekit.spatial.rings import ring_correlations, ring_means
from probekit.spatial.rotation import Rotations, rotations

GridnessMethod = Literal["banino2018", "banino2018_minmax", "sargolini2006", "langston2010", "opexebo"]

ANGLES = (30.0, 45.0, 60.0, 90.0, 120.0, 135.0, 150.0)
"""deg, of every definition; the arrays of correlations below are in this order."""
_CHUNK = 100_000
"""Values of autocorrelograms rotated at once: the coefficients stay in the processor's cache."""
_ROUNDING = 1e-9
"""How far a point-symmetric autocorrelogram may be off."""


@dataclass(frozen=True)
class Gridness:
    """Gridness of each unit.

    Parameters
    ----------
    score_60, score_90 : array (unit,)
        Of hexagonal and of square symmetry. Differences of correlations are within -2 … 2; "banino2018" has no bound.
        nan where the autocorrelogram or its ring is undefined.
    inner, outer : array (unit,)
        The ring of `score_60`: bins further than `inner` from the middle, up to `outer`. nan where the score is.
    """

    score_60: Floats
    score_90: Floats
    inner: Floats
    outer: Floats


def gridness(
    autocorrelograms: npt.ArrayLike, method: GridnessMethod = "banino2018", *, central: npt.ArrayLike | None = None
) -> Gridness:
    """Return how alike each autocorrelogram is to itself rotated, inside a ring.

    With r the correlation after a rotation in degrees, and the bins counted along the shorter side of the map:

    - "banino2018": (r60 + r120)/2 - (r30 + r90 + r150)/3, and r90 - (r45 + r135)/2; the greatest over ten rings from
      .2 to .4, .467, … 1 of the map's bins. r is the ring's mean of (A - m)(R - m) over the variance of A + 1e-5, with
      m and variance of the unrotated ring. Undefined bins are 0. Equal to the release on autocorrelograms made with its
      own method.
    - "banino2018_minmax": the same correlations and rings, min(r60, r120) - max(r30, r90, r150), the release's option.
    - "langston2010": min(r60, r120) - max(r30, r90, r150) and r90 - max(r45, r135), Pearson, the greatest over rings
      from the edge of the central peak to .1 of the map's bins more, then in steps of one bin to .9 of them. The
      central peak ends where the mean over a circle, one bin wide, has its first minimum or falls below .2.
    - "sargolini2006": the same differences in one ring, from the edge of the central peak (found in the same way) to
      the furthest of the six nearest peaks and that same width more. The paper shows this ring without a formula; this
      one is ours. With fewer than six peaks the ring reaches to the edge of the map.
    - "opexebo": the same differences in rings from the edge of the central peak, outwards in steps of one bin, each
      averaged with the next two, and the greatest. The central peak's radius is that of a circle as large as the part
      above .2 around the middle, rounded down; rotation is by linear interpolation. The package also cuts the
      autocorrelogram to 80 % overlap beforehand, and lets a field grow until it merges with others.

    Rings of the last three end before the autocorrelogram's first undefined bin.

    Parameters
    ----------
    autocorrelograms : array (unit, 2y-1, 2x-1)
        Point-symmetric, as `autocorrelograms` makes them; nan where undefined.
    method : str
        One of the above.
    central : array (unit,), optional
        Radius of the central peak, bins, for the last three methods, in place of the method's own.

    Returns
    -------
    Gridness
        nan for units whose autocorrelogram is nan in the middle, whose central peak does not end, or which leave no
        ring beyond it.

    Raises
    ------
    UsageError
        If the method is unknown, the autocorrelograms have an even side, are too small or not point-symmetric, or
        `central` is not one number of a unit, at least 0, or given for rings that do not depend on it.

    References
    ----------
    Banino et al. 2018, Nature 557:429, doi:10.1038/s41586-018-0102-6;
    Langston et al. 2010, Science 328:1576, doi:10.1126/science.1188210;
    Sargolini et al. 2006, Science 312:758, doi:10.1126/science.1125572;
    Obenhaus et al. 2022, PNAS 119:e2121655119, doi:10.1073/pnas.2121655119 (the package opexebo)

    Examples
    --------
    >>> y, x = np.mgrid[-19:20, -19:20]
    >>> waves = [np.cos(0.8 * (x * np.cos(a) + y * np.sin(a))) for a in np.deg2rad([0, 60, 120])]
    >>> found = gridness(np.sum(waves, 0)[None] / 3, "langston2010")
    >>> bool(found.score_60[0] > 1.2)
    True
    """
    stack = map_stack("autocorrelograms", autocorrelograms)
    check_option("method", method, _METHODS)
    n_units, n_y, n_x = stack.shape
    if n_y % 2 == 0 or n_x % 2 == 0 or min(n_y, n_x) < 9:
        raise UsageError(f"autocorrelograms are {n_y} x {n_x} bins; expected odd sides of at least 9: 2y-1 by 2x-1.")
    score, order = _METHODS[method]
    edges = None if central is None else _radii(central, n_units, method)
    turn = rotations((n_y, n_x), ANGLES, order=order)
    found = np.full((4, n_units), np.nan)
    for units in chunks(n_units, n_y * n_x, _CHUNK):
        _check_symmetry(stack[units], units.start)
        found[:, units] = score(stack[units], turn, None if edges is None else edges[units])
    found[:, np.isnan(stack[:, n_y // 2, n_x // 2])] = np.nan
    return Gridness(*found)


def _check_symmetry(maps: Floats, first: int) -> None:
    lower = maps.shape[1] // 2
    off = np.abs(maps[:, lower:] - maps[:, lower::-1, ::-1]) > _ROUNDING
    if off.any():
        unit = first + int(off.any((1, 2)).argmax())
        raise UsageError(f"autocorrelograms are not point-symmetric (unit {unit}); make them with autocorrelograms().")


def _radii(central: npt.ArrayLike, n_units: int, method: str) -> Floats:
    radii = floats("central", central)
    if method.startswith("banino2018"):
        raise UsageError(f"central is given, but the rings of {method!r} do not depend on it.")
    if radii.shape != (n_units,) or (radii < 0).any():
        raise UsageError(f"central has shape {radii.shape}; expected ({n_units},), radii of at least 0.")
    return radii


def _banino(maps: Floats, turn: Rotations, _central: Floats | None, *, extremes: bool = False) -> Floats:
    edges = np.array([0.2, *np.linspace(0.4, 1.0, 10)]) * _n_bins(maps)
    plain, rotated = turn(np.nan_to_num(maps))

    def means(values: Floats) -> Floats:
        return ring_means(values, turn.radius, edges)

    mean = means(plain)
    variance = means(plain**2) - mean**2 + 1e-5
    r = (means(plain * rotated) - mean * means(rotated)) / variance
    r30, r45, r60, r90, r120, r135, r150 = r
    score_60 = _least_difference(r)[0] if extremes else (r60 + r120) / 2 - (r30 + r90 + r150) / 3
    score_90 = r90 - (r45 + r135) / 2
    best = score_60.argmax(0)
    return np.stack([score_60.max(0), score_90.max(0), np.full(len(best), edges[0]), edges[1 + best]])


def _langston(maps: Floats, turn: Rotations, central: Floats | None) -> Floats:
    n_bins = _n_bins(maps)
    inner = central_radius(maps) if central is None else central
    outer = inner + math.ceil(0.1 * n_bins) + np.arange(n_bins)[:, None]
    outer = np.where((outer <= 0.9 * n_bins) & (outer < _undefined(maps, turn)), outer, np.nan)
    r = ring_correlations(*turn(np.nan_to_num(maps)), turn.radius, inner=inner, outer=outer)
    return _greatest(*_least_difference(r), inner, outer)


def _sargolini(maps: Floats, turn: Rotations, central: Floats | None) -> Floats:
    inner = central_radius(maps) if central is None else central
    furthest = np.hypot(*np.moveaxis(six_peaks(maps, inner), -1, 0)).max(-1)
    edge = np.minimum(np.ceil(_undefined(maps, turn)) - 1, _n_bins(maps) - 1)
    outer = np.fmin(furthest + inner, edge)[None]
    r = ring_correlations(*turn(np.nan_to_num(maps)), turn.radius, inner=inner, outer=outer)
    return _greatest(*_least_difference(r), inner, outer)


def _opexebo(maps: Floats, turn: Rotations, central: Floats | None) -> Floats:
    inner = np.floor(central_area_radius(maps)) if central is None else central
    inner = np.where(inner > 0, inner, np.nan)
    outer = np.maximum(inner + 1, 3) + np.arange(float(_n_bins(maps)))[:, None]
    outer = np.where((outer <= _n_bins(maps)) & (outer <= _undefined(maps, turn)), outer, np.nan)
    r = ring_correlations(*turn(np.nan_to_num(maps)), turn.radius, inner=inner, outer=outer, last="open")
    score_60, score_90 = _least_difference(r)
    return _greatest(_mean_of_three(score_60, outer), _mean_of_three(score_90, outer), inner, outer)


def _mean_of_three(scores: Floats, outer: Floats) -> Floats:
    # Of each ring and the next two, but for the last three rings; the mean of all where fewer than five are left.
    n_rings = (~np.isnan(outer)).sum(0)
    few = n_rings < 5
    known = ~np.isnan(scores)
    rows = np.pad(np.where(known, scores, 0.0), ((0, 2), (0, 0)))
    counted = np.pad(known.astype(np.float64), ((0, 2), (0, 0)))
    total, n = (part[:-2] + part[1:-1] + part[2:] for part in (rows, counted))
    total[:, few], n[:, few] = rows.sum(0)[few], counted.sum(0)[few]
    used = np.arange(len(scores))[:, None] < np.maximum(n_rings - 3, 1)
    return total / np.where(used & (n > 0), n, np.nan)


def _n_bins(autocorrelograms: Floats) -> int:
    n_y, n_x = autocorrelograms.shape[1:]
    return int(min(n_y, n_x)) // 2 + 1


def _undefined(maps: Floats, turn: Rotations) -> Floats:
    # Distance of the nearest undefined bin; inf if there is none.
    undefined = np.isnan(maps[:, maps.shape[1] // 2 :].reshape(len(maps), -1)[:, turn.bins])
    return np.where(undefined.any(1), turn.radius[undefined.argmax(1)], np.inf)


def _least_difference(r: Floats) -> tuple[Floats, Floats]:
    r30, r45, r60, r90, r120, r135, r150 = r
    return np.minimum(r60, r120) - np.maximum(np.maximum(r30, r90), r150), r90 - np.maximum(r45, r135)


def _greatest(score_60: Floats, score_90: Floats, inner: Floats, outer: Floats) -> Floats:
    best = np.where(np.isnan(score_60), -np.inf, score_60).argmax(0)
    units = np.arange(len(best))
    score = score_60[best, units]
    edges = np.where(np.isnan(score), np.nan, [inner, outer[best, units]])
    return np.stack([score, np.fmax.reduce(score_90, 0), *edges])


_METHODS: dict[str, tuple[Callable[[Floats, Rotations, Floats | None], Floats], int]] = {
    "banino2018": (_banino, 3),
    "banino2018_minmax": (functools.partial(_banino, extremes=True), 3),
    "langston2010": (_langston, 3),
    "sargolini2006": (_sargolini, 3),
    "opexebo": (_opexebo, 1),
}
