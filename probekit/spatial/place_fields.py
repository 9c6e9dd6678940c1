"""Fields: connected parts of the floor where a unit fires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from probekit.arguments import Floats, instance, real
from probekit.errors import UsageError, check_option
from probekit.navigation import Arena
from probekit.spatial.signed import require_rates

Adjacency = Literal["edges", "corners"]


@dataclass(frozen=True, eq=False)
class Fields:
    """Fields of many units, in one list.

    Parameters
    ----------
    labels : int array, shape (unit, y, x)
        Number of the field that a bin belongs to, from 1, over all units; 0 outside of fields. Field k stands at k − 1
        in what follows.
    unit : int array, shape (field,)
        Whose field it is; never falling.
    area : array, shape (field,)
        m².
    peak : array, shape (field,)
        Greatest rate.
    mean : array, shape (field,)
        Mean rate over its bins.
    centre : array, shape (field, 2)
        Centre of mass, weighted by rate: x and y, m.
    """

    labels: npt.NDArray[np.int64]
    unit: npt.NDArray[np.int64]
    area: Floats
    peak: Floats
    mean: Floats
    centre: Floats


@dataclass(frozen=True, eq=False)
class PlaceFields:
    """What is said of each unit's fields; its main field is the one with the highest peak.

    Parameters
    ----------
    count : int array, shape (unit,)
        Number of fields.
    area : array, shape (unit,)
        Of the main field, m²; nan without a field, as for all that follow.
    peak : array, shape (unit,)
        Of the main field.
    centre : array, shape (unit, 2)
        Of the main field, x and y, m.
    in_out_ratio : array, shape (unit,)
        Mean rate over the bins of all fields, over the mean rate over the other visited bins; inf where these are
        silent, nan where there are none.
    fields : Fields
        All of them.
    """

    count: npt.NDArray[np.int64]
    area: Floats
    peak: Floats
    centre: Floats
    in_out_ratio: Floats
    fields: Fields


def find_fields(
    maps: Any, arena: Arena, *, threshold: float = 0.2, min_area: float = 0.02, adjacency: Adjacency = "edges"
) -> Fields:
    """Return the fields of units: connected bins above a share of the unit's peak.

    Parameters
    ----------
    maps : array, shape (unit, y, x)
        Rates, at least 0 (signed maps: `nonnegative`); nan where never visited, which belongs to no field.
    arena : Arena
        Whose floor the maps are of.
    threshold : float
        Share of the unit's peak that bins of a field exceed, from 0 to below 1.
    min_area : float
        Smaller fields are dropped, m².
    adjacency : {"edges", "corners"}
        Whether bins are neighbours that share an edge, or that share a corner too.

    Returns
    -------
    Fields
        None for a unit that is never active. A flat map is one field that covers the floor.

    Raises
    ------
    UsageError
        If maps are negative or do not fit the arena, or options are out of range.

    Examples
    --------
    >>> fields = find_fields([[[0.0, 0.0, 3.0], [0.0, 0.0, 1.0], [2.0, 0.0, 0.0]]], Arena.square(0.3))
    >>> fields.labels[0].tolist(), fields.peak.tolist(), fields.area.round(3).tolist()
    ([[0, 0, 1], [0, 0, 1], [0, 0, 0]], [3.0], [0.02])
    """
    share, below_1 = "a share of the peak, from 0 to below 1", np.nextafter(1, 0)
    threshold = real("threshold", threshold, share, least=0, most=below_1)
    min_area = real("min_area", min_area, "m², at least 0", least=0)
    check_option("adjacency", adjacency, ("edges", "corners"))
    rates = checked_maps(maps, arena)
    known = np.nan_to_num(rates)
    n_bins, bin_area = max(rates.shape[1:]), arena.bin_size(max(rates.shape[1:])) ** 2
    labels = _labelled(known > threshold * known.max((1, 2), keepdims=True), adjacency)
    sizes = np.bincount(labels.ravel())
    kept = sizes * bin_area >= min_area * (1 - 1e-9)  # a field of just this area stays, whatever rounding says
    kept[0] = False
    labels = np.where(kept, np.cumsum(kept), 0)[labels]
    return _described(labels, known, arena.centres(n_bins), bin_area)


def place_fields(
    maps: Any, arena: Arena, *, threshold: float = 0.2, min_area: float = 0.02, adjacency: Adjacency = "edges"
) -> PlaceFields:
    """Return number, size, peak and place of units' fields, and how far activity keeps to them.

    Parameters
    ----------
    maps, arena, threshold, min_area, adjacency
        As in `find_fields`. The defaults, 20 % of the peak and 200 cm², are common; the paper below takes nine or more
        bins that share edges and are not silent (`threshold=0`).

    Returns
    -------
    PlaceFields
        Count 0 and nan for a unit without a field.

    Raises
    ------
    UsageError
        As `find_fields`.

    References
    ----------
    Muller, Kubie & Ranck 1987, J Neurosci 7:1935, doi:10.1523/JNEUROSCI.07-07-01935.1987

    Examples
    --------
    >>> found = place_fields([[[4.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]], Arena.square(1), threshold=0.5)
    >>> found.count.tolist(), found.centre.tolist(), found.in_out_ratio.round(3).tolist()
    ([1, 0], [[-0.25, -0.25], [nan, nan]], [12.0, nan])
    """
    fields = find_fields(maps, arena, threshold=threshold, min_area=min_area, adjacency=adjacency)
    rates = checked_maps(maps, arena)
    n_units = len(rates)
    count = np.bincount(fields.unit, minlength=n_units)
    order = np.lexsort((-fields.peak, fields.unit))
    having, first = np.unique(fields.unit[order], return_index=True)
    main = order[first]
    area, peak, centre = np.full(n_units, np.nan), np.full(n_units, np.nan), np.full((n_units, 2), np.nan)
    area[having], peak[having], centre[having] = fields.area[main], fields.peak[main], fields.centre[main]
    inside, outside = fields.labels > 0, (fields.labels == 0) & np.isfinite(rates)
    ratio = np.full(n_units, np.nan)
    defined = inside.any((1, 2)) & outside.any((1, 2))
    with np.errstate(divide="ignore"):
        ratio[defined] = _mean(rates, inside)[defined] / _mean(rates, outside)[defined]
    return PlaceFields(count, area, peak, centre, ratio, fields)


def checked_maps(maps: Any, arena: Arena) -> Floats:
    """Return maps of rates, shape (unit, y, x), as float64.

    Raises
    ------
    UsageError
        If they are negative or infinite, or have not the bins of the arena's floor.
    """
    rates = require_rates("maps", maps)
    if rates.ndim != 3 or min(rates.shape[1:]) < 1 or max(rates.shape[1:]) < 2:
        raise UsageError(f"maps have shape {rates.shape}; expected (unit, y, x) with at least 2 bins along a side.")
    x, y = instance("arena", arena, Arena).edges(max(rates.shape[1:]))
    if rates.shape[1:] != (len(y) - 1, len(x) - 1):
        raise UsageError(
            f"maps have {rates.shape[1]} by {rates.shape[2]} bins (y, x); the floor of {arena} has {len(y) - 1} by "
            f"{len(x) - 1} of that size."
        )
    return rates


def _labelled(above: npt.NDArray[np.bool_], adjacency: Adjacency) -> npt.NDArray[np.int64]:
    """Return the number of each bin's connected part, over all units at once: bins of two units are no neighbours."""
    structure = np.zeros((3, 3, 3), dtype=np.int64)
    structure[1] = ndimage.generate_binary_structure(2, 1 if adjacency == "edges" else 2)
    return np.asarray(ndimage.label(above, structure)[0], dtype=np.int64)


def _described(labels: npt.NDArray[np.int64], rates: Floats, centres: Floats, bin_area: float) -> Fields:
    where = np.flatnonzero(labels)
    field, rate = labels.ravel()[where] - 1, rates.ravel()[where]
    n, bins = int(labels.max(initial=0)), labels[0].size
    unit, peak = np.zeros(n, dtype=np.int64), np.zeros(n)
    unit[field] = where // bins
    np.maximum.at(peak, field, rate)
    size, total = np.bincount(field, minlength=n), np.bincount(field, rate, minlength=n)
    places = centres.reshape(-1, 2)[where % bins]
    centre = np.stack([np.bincount(field, rate * places[:, axis], minlength=n) for axis in (0, 1)], -1)
    area: Floats = np.asarray(size * bin_area, dtype=np.float64)
    return Fields(labels, unit, area, peak, total / size, centre / total[:, None])


def _mean(rates: Floats, of: npt.NDArray[np.bool_]) -> Floats:
    return np.asarray(np.where(of, rates, 0).sum((1, 2)) / np.maximum(of.sum((1, 2)), 1))
