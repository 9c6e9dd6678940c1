"""Border score: how far a unit fires all along one wall and only there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from probekit.arguments import Floats, instance
from probekit.errors import UsageError, check_option
from probekit.navigation import Arena
from probekit.spatial.place_fields import Fields, checked_maps, find_fields

Method = Literal["solstad2008", "opexebo", "diehl2017"]

_INWARD = 8
"""How many bins opexebo goes inwards from a wall to find one that was visited."""


@dataclass(frozen=True, eq=False)
class BorderScores:
    """Border scores and what they are made of.

    Parameters
    ----------
    score : array, shape (unit,)
        (coverage − distance) / (coverage + distance), −1 … 1.
    coverage : array, shape (unit,)
        cM: the greatest share of one wall that one field covers, 0 … 1.
    distance : array, shape (unit,)
        dm: the mean distance of firing from the nearest wall, over half the shorter side.
    """

    score: Floats
    coverage: Floats
    distance: Floats


def border_scores(
    maps: Any, arena: Arena, *, method: Method = "solstad2008", threshold: float = 0.3, min_area: float = 0.02
) -> BorderScores:
    """Return the border scores of units.

    ============ ============================ ============================== ===========================
    method       distance, of bins' middles   over                           coverage, of the wall's
    ============ ============================ ============================== ===========================
    solstad2008  to the wall                  bins of fields                 visited bins next to it
    opexebo      in bins, 1 next to the wall  bins of fields                 next visited bin, of 8
    diehl2017    from the outermost bins      all bins                       second bins, of all its bins
    ============ ============================ ============================== ===========================

    Distances are weighted by rate, and shares of half the shorter side. The last two methods are what the packages
    opexebo 0.7.2 and spatial-maps do; the latter takes all fields of a unit for one, where we take each by itself, as
    the papers do. On a map of 40 bins no method gives a perfect border cell 1: a band of one bin has .951, .905 and
    nan, a band of two .907, .863 and .950.

    A field that covers the whole floor has .5, the classic threshold, and so have or exceed it a third of smooth random
    maps by "solstad2008", 6 % by "opexebo" and 39 % by "diehl2017": dense units need a null.

    Parameters
    ----------
    maps : array, shape (unit, y, x)
        Rates, at least 0 (signed maps: `nonnegative`); nan where never visited.
    arena : Arena
        Whose floor the maps are of. Of a circle, the one wall is the ring of bins that touch what is not floor, so that
        a unit that fires along a quarter of it has a coverage of .25; only "solstad2008" is defined there.
    method : {"solstad2008", "opexebo", "diehl2017"}
    threshold : float
        Share of the unit's peak that bins of a field exceed.
    min_area : float
        Smaller fields are dropped, m².

    Returns
    -------
    BorderScores
        nan for a unit without a field (and by "diehl2017" for one at the outermost bins only); by "opexebo" its score
        is −1 then.

    Raises
    ------
    UsageError
        If maps are negative or do not fit the arena, or options are out of range.

    References
    ----------
    Solstad et al. 2008, Science 322:1865, doi:10.1126/science.1166466; Diehl et al. 2017, Neuron 94:83,
    doi:10.1016/j.neuron.2017.03.004

    Examples
    --------
    >>> along_a_wall, in_the_middle = np.zeros((10, 10)), np.zeros((10, 10))
    >>> along_a_wall[:, 0], in_the_middle[4:6, 4:6] = 1, 1
    >>> border_scores([along_a_wall, in_the_middle], Arena.square(1)).score.round(3).tolist()
    [0.818, -1.0]
    """
    check_option("method", method, get_args(Method))
    if instance("arena", arena, Arena).shape == "circle" and method != "solstad2008":
        raise UsageError(f"method is {method!r}, which knows rectangles only; of a circle, take 'solstad2008'.")
    fields = find_fields(maps, arena, threshold=threshold, min_area=min_area)
    rates = checked_maps(maps, arena)
    having = np.bincount(fields.unit, minlength=len(rates)) > 0
    coverage = np.where(having, _coverage(fields, rates, arena, method), np.nan)
    weights = np.nan_to_num(rates) if method == "diehl2017" else np.where(fields.labels > 0, rates, 0)
    total = weights.sum((1, 2))
    moment = (weights * _distance(arena, rates.shape[1:], method)).sum((1, 2))
    distance = np.divide(moment, total, out=np.full(len(rates), np.nan), where=having)
    both = coverage + distance
    score = np.divide(coverage - distance, both, out=np.full(len(rates), np.nan), where=both > 0)
    if method == "opexebo":
        score = np.where(having, score, -1.0)
    return BorderScores(score, coverage, distance)


def _distance(arena: Arena, shape: tuple[int, ...], method: Method) -> Floats:
    """Return how far each bin is from the wall, as a share of the greatest distance there is."""
    if method == "solstad2008":
        return arena.wall_distance(arena.centres(max(shape))) / (min(arena.width, arena.height) / 2)
    from_edge = [np.minimum(np.arange(n), np.arange(n)[::-1]) for n in shape]
    if method == "opexebo":
        nearest = np.minimum(from_edge[0][:, None], from_edge[1]) + 1
        return np.asarray(nearest * (2 / min(shape)), dtype=np.float64)
    relative = [along * (2 / max(n - 1, 1)) for along, n in zip(from_edge, shape, strict=True)]
    return np.asarray(np.minimum(relative[0][:, None], relative[1]), dtype=np.float64)


def _coverage(fields: Fields, rates: Floats, arena: Arena, method: Method) -> Floats:
    """Return the greatest share of one wall that one field covers, of each unit; 0 without a field."""
    greatest, n_fields = np.zeros(len(rates)), len(fields.unit)
    for labels, n_bins in _walls(fields.labels, np.isfinite(rates), arena, method):
        covered = np.bincount(labels.ravel(), minlength=n_fields + 1)[1:]
        np.maximum.at(greatest, fields.unit, covered / np.maximum(n_bins[fields.unit], 1))
    return greatest


def _walls(
    labels: npt.NDArray[np.int64], visited: npt.NDArray[np.bool_], arena: Arena, method: Method
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield, of each wall, the labels along it, shape (unit, bin), and how many bins count, shape (unit,)."""
    if arena.shape == "circle":
        floor = arena.floor(max(labels.shape[1:]))
        ring = floor & ~ndimage.binary_erosion(floor)
        yield labels[:, ring], visited[:, ring].sum(1)
        return
    for turns in range(4):
        turned, seen = np.rot90(labels, turns, (1, 2)), np.rot90(visited, turns, (1, 2))
        n_units, depth, length = turned.shape
        if method == "solstad2008":
            yield turned[:, 0], seen[:, 0].sum(1)
        elif method == "opexebo":
            first = seen[:, :_INWARD].argmax(1)[:, None]
            yield np.take_along_axis(turned, first, 1), seen[:, :_INWARD].any(1).sum(1)
        else:
            yield turned[:, min(1, depth - 1), 1:-1], np.full(n_units, length)
