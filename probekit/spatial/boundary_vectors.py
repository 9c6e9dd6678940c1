"""Boundary vectors: firing where a wall is at a preferred distance in a preferred allocentric direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from probekit.arguments import Floats, floats, infinite, instance, real, whole
from probekit.errors import UsageError
from probekit.navigation import Arena
from probekit.spatial.heading import bin_middles


@dataclass(frozen=True, eq=False)
class BoundaryTuning:
    """Activity of many units by where the wall is.

    Parameters
    ----------
    tuning : array, shape (unit, distance, direction)
        Mean activity while the wall was at this distance in this direction; nan where it never was.
    occupancy : array, shape (distance, direction)
        Seconds.
    edges : array, shape (distance + 1,)
        Of the bins of distance, m.
    """

    tuning: Floats
    occupancy: Floats
    edges: Floats

    @property
    def directions(self) -> Floats:
        """Directions of the wall, rad, 0 … 2π."""
        return bin_middles(self.occupancy.shape[1])


@dataclass(frozen=True, eq=False)
class BoundaryTemplates:
    """Maps of model boundary-vector cells.

    Parameters
    ----------
    maps : array, shape (template, y, x)
        Activity, in arbitrary units; nan in bins whose middle is not on the floor.
    distance, direction : array, shape (template,)
        What each prefers: m, and rad (−π … π, 0 along x, counter-clockwise).
    """

    maps: Floats
    distance: Floats
    direction: Floats


@dataclass(frozen=True, eq=False)
class BoundaryVectors:
    """The model boundary-vector cell that is most like each unit.

    Parameters
    ----------
    score : array, shape (unit,)
        Pearson correlation of its map and the unit's over the visited bins, −1 … 1. It is the greatest of many, and
        above 0 for any map: it says nothing without a null. nan for a flat map, or one with nan in a bin that other
        units have.
    distance, direction : array, shape (unit,)
        What that model cell prefers: m, and rad (−π … π); nan where `score` is nan.
    """

    score: Floats
    distance: Floats
    direction: Floats


def boundary_tuning(
    maps: Any,
    occupancy: Any,
    arena: Arena,
    *,
    n_distances: int = 20,
    n_directions: int = 36,
    max_distance: float | None = None,
) -> BoundaryTuning:
    """Return the activity of units by distance and allocentric direction of the wall.

    At each place the wall has one distance in every direction; the rate there counts for all of these, as long as the
    place was visited for. A cell with one boundary vector therefore has a hill at it, and weaker traces elsewhere.

    Parameters
    ----------
    maps : array, shape (unit, y, x)
        Any finite numbers; nan where never visited.
    occupancy : array, shape (y, x)
        Seconds.
    arena : Arena
        Whose floor the maps are of. Bins whose middle is not on the floor are left out.
    n_distances, n_directions : int
        Bins. Those of distance narrower than the bins of the map leave gaps.
    max_distance : float, optional
        m. Default: half of the arena's longer side.

    Raises
    ------
    UsageError
        If shapes do not fit or options are out of range.

    References
    ----------
    Lever et al. 2009, J Neurosci 29:9771, doi:10.1523/JNEUROSCI.1319-09.2009
    """
    rates = _fitting(maps, arena)
    seconds = floats("occupancy", occupancy)
    if seconds.shape != rates.shape[1:] or infinite(seconds) or not (seconds >= 0).all():
        raise UsageError(f"occupancy has shape {seconds.shape}; expected {rates.shape[1:]}, seconds, at least 0.")
    limit = max(arena.width, arena.height) / 2 if max_distance is None else max_distance
    limit = real("max_distance", limit, "m, above 0", above=0)
    n_distances, directions = whole("n_distances", n_distances, 1), bin_middles(n_directions)
    reach = arena.boundary_distance(arena.centres(max(rates.shape[1:])).reshape(-1, 2), directions)
    step = limit / n_distances
    place, direction = np.nonzero(np.where(np.isfinite(reach), reach, np.inf) < limit)
    ring = np.minimum((reach[place, direction] / step).astype(np.int64), n_distances - 1)
    n_rows = n_distances * len(directions)
    member = csr_array(
        (seconds.ravel()[place], (ring * len(directions) + direction, place)), shape=(n_rows, seconds.size)
    )
    flat = rates.reshape(-1, seconds.size).T
    known = np.isfinite(flat)
    weights, sums = member @ known.astype(np.float64), member @ np.where(known, flat, 0)
    tuning = np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=weights > 0)
    spent: Floats = np.asarray(member.sum(1), dtype=np.float64)
    edges: Floats = np.linspace(0, limit, n_distances + 1)
    shape = (n_distances, len(directions))
    return BoundaryTuning(tuning.T.reshape(len(rates), *shape), spent.reshape(shape), edges)


def boundary_templates(
    arena: Arena,
    n_bins: int,
    *,
    distances: Any = None,
    n_directions: int = 72,
    radial_sd: float = 0.122,
    radial_growth: float = 1.83,
    angular_sd: float = 0.2,
) -> BoundaryTemplates:
    """Return the maps of model boundary-vector cells, one for each preferred distance d and direction φ.

    A piece of wall at distance r in direction θ drives the cell by exp(−(r − d)² / 2σ²) exp(−(θ − φ)² / 2α²) / σα, with
    σ = σ₀ (d / β + 1); a map is the sum over all directions.

    Parameters
    ----------
    arena : Arena
    n_bins : int
        Bins along its longer side.
    distances : array, optional
        Preferred distances, m. Default: 20, from half a bin to half of the longer side; in one box, a wall farther away
        cannot be told from the opposite one nearby.
    n_directions : int
        Preferred directions, from 0 around the circle; the wall is looked for in as many, or 72 if that is more.
    radial_sd, radial_growth : float
        σ₀ and β, m.
    angular_sd : float
        α, rad.

    Raises
    ------
    UsageError
        If options are out of range.

    References
    ----------
    Hartley et al. 2000, Hippocampus 10:369, doi:10.1002/1098-1063(2000)10:4<369::AID-HIPO3>3.0.CO;2-0; the constants
    are those of Barry & Burgess 2007, Hippocampus 17:786
    """
    for name, value in (("radial_sd", radial_sd), ("radial_growth", radial_growth), ("angular_sd", angular_sd)):
        real(name, value, "a number above 0", above=0)
    centres = instance("arena", arena, Arena).centres(n_bins)
    preferred = _preferred(distances, arena, n_bins)
    phi = 2 * np.pi * np.arange(whole("n_directions", n_directions, 3)) / n_directions
    theta = 2 * np.pi * np.arange(max(n_directions, 72)) / max(n_directions, 72)
    reach = arena.boundary_distance(centres.reshape(-1, 2), theta)
    sd = radial_sd * (preferred / radial_growth + 1)
    radial = np.exp(-(((reach - preferred[:, None, None]) / sd[:, None, None]) ** 2) / 2) / sd[:, None, None]
    apart = np.angle(np.exp(1j * (theta[:, None] - phi)))
    angular = np.exp(-((apart / angular_sd) ** 2) / 2) / angular_sd
    maps = (radial @ angular / len(theta)).transpose(0, 2, 1).reshape(-1, *centres.shape[:2])
    distance, direction = (grid.ravel() for grid in np.meshgrid(preferred, np.angle(np.exp(1j * phi)), indexing="ij"))
    return BoundaryTemplates(maps, distance, direction)


def fit_boundary_vectors(maps: Any, templates: BoundaryTemplates) -> BoundaryVectors:
    """Return the template that correlates best with each unit's map.

    Parameters
    ----------
    maps : array, shape (unit, y, x)
        Any finite numbers; nan where never visited, the same bins for all units.
    templates : BoundaryTemplates
        Of the same bins; made once, used for units and their nulls.

    Raises
    ------
    UsageError
        If the maps have other bins, or fewer than three bins are visited.

    References
    ----------
    Lever et al. 2009, J Neurosci 29:9771, doi:10.1523/JNEUROSCI.1319-09.2009

    Examples
    --------
    >>> box = Arena.square(1)
    >>> north_wall_near = np.maximum(box.centres(10)[..., 1], 0)
    >>> found = fit_boundary_vectors([north_wall_near], boundary_templates(box, 10))
    >>> found.score.round(2).tolist(), np.degrees(found.direction).round().tolist()
    ([0.96], [90.0])
    """
    values = floats("maps", maps)
    instance("templates", templates, BoundaryTemplates)
    if values.ndim != 3 or values.shape[1:] != templates.maps.shape[1:] or infinite(values):
        raise UsageError(
            f"maps have shape {values.shape}; expected (unit, y, x) of finite numbers or nan, "
            f"{templates.maps.shape[1]} by {templates.maps.shape[2]} bins as the templates have."
        )
    used = np.isfinite(values).any(0) & np.isfinite(templates.maps[0])
    if used.sum() < 3:
        raise UsageError(f"maps have {used.sum()} visited bins on the floor; expected at least 3.")
    correlations = _standard(values[:, used]) @ _standard(templates.maps[:, used]).T
    best = np.where(np.isnan(correlations), -np.inf, correlations).argmax(1)
    score = np.clip(correlations[np.arange(len(values)), best], -1, 1)
    defined = np.isfinite(score)
    return BoundaryVectors(
        score, np.where(defined, templates.distance[best], np.nan), np.where(defined, templates.direction[best], np.nan)
    )


def _standard(values: Floats) -> Floats:
    """Return rows of mean 0 and length 1; nan for rows that are flat but for rounding, or hold nan."""
    centred = values - values.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    flat = ~(length > 1e-12 * np.linalg.norm(values, axis=1, keepdims=True))
    return np.asarray(np.divide(centred, length, out=np.full(values.shape, np.nan), where=~flat))


def _preferred(distances: Any, arena: Arena, n_bins: int) -> Floats:
    if distances is None:
        return np.linspace(arena.bin_size(n_bins) / 2, max(arena.width, arena.height) / 2, 20)
    given = floats("distances", distances)
    if given.ndim != 1 or not len(given) or not np.isfinite(given).all() or (given < 0).any():
        raise UsageError(f"distances have shape {given.shape}; expected (distance,), m, at least 0.")
    return given


def _fitting(maps: Any, arena: Arena) -> Floats:
    values = floats("maps", maps)
    instance("arena", arena, Arena)
    if values.ndim == 3 and max(values.shape[1:]) > 1 and not infinite(values):
        x, y = arena.edges(max(values.shape[1:]))
        if values.shape[1:] == (len(y) - 1, len(x) - 1):
            return values
    raise UsageError(f"maps have shape {values.shape}; expected (unit, y, x) of finite numbers or nan, over {arena}.")
