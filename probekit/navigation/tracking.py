"""Where an animal or a network was, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, instance, real
from probekit.errors import UsageError
from probekit.navigation.arena import Arena

_MOST_RAD = 100.0
"""Headings beyond are taken for degrees."""

_BEYOND = 0.02
"""How far positions may lie outside the walls, as a share of the longer side: what tracking and rounding do."""


@dataclass(frozen=True, eq=False)
class Tracking:
    """Positions, and what goes with them, at equal steps of time.

    Parameters
    ----------
    positions : array, shape (sample, 2)
        x and y, m. Samples with nan were not tracked and are left out of every measure.
    arena : Arena
        Positions up to 2 % of its longer side outside are moved to the wall.
    dt : float
        Seconds a sample.
    headings : array, shape (sample,), optional
        rad, 0 along x, counter-clockwise, also of many turns, up to 100 rad; nan where unknown.
    speeds : array, shape (sample,), optional
        m/s. Default: from the positions, by central differences within a path.
    path : int array, shape (sample,), optional
        Number of the trajectory of each sample, not falling; default: one trajectory. Nothing is computed across the
        end of a trajectory.

    Raises
    ------
    UsageError
        If shapes differ, times are not above 0, headings are not in rad, or positions lie
        outside the arena.
    """

    positions: Floats
    arena: Arena
    dt: float
    headings: Floats | None = None
    speeds: Floats = None  # type: ignore[assignment]  # computed where it is not given
    path: npt.NDArray[np.int64] = None  # type: ignore[assignment]  # likewise

    def __post_init__(self) -> None:
        places = floats("positions", self.positions)
        if places.ndim != 2 or places.shape[1] != 2 or len(places) < 2:
            raise UsageError(f"positions have shape {places.shape}; expected (sample, 2) with at least 2 samples.")
        instance("arena", self.arena, Arena)
        real("dt", self.dt, "seconds a sample, above 0", above=0)
        path = _paths(self.path, len(places))
        object.__setattr__(self, "positions", _on_the_floor(places, self.arena))
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "headings", _headings(self.headings, len(places)))
        speeds = _series("speeds", self.speeds, len(places))
        object.__setattr__(self, "speeds", _speeds(self.positions, path, self.dt) if speeds is None else speeds)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.positions)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Which samples were tracked, shape (sample,)."""
        return np.asarray(np.isfinite(self.positions).all(1))

    @property
    def duration(self) -> float:
        """Seconds that were tracked."""
        return float(self.valid.sum() * self.dt)

    def part(self, samples: npt.NDArray[Any]) -> Tracking:
        """Return only some samples, a mask or their numbers in order; paths keep their numbers."""
        headings = None if self.headings is None else self.headings[samples]
        return Tracking(
            self.positions[samples], self.arena, self.dt, headings, self.speeds[samples], self.path[samples]
        )


def _paths(path: Any, n: int) -> npt.NDArray[np.int64]:
    if path is None:
        return np.zeros(n, dtype=np.int64)
    try:
        numbers = np.asarray(path)
    except ValueError as err:  # a ragged list
        raise UsageError(f"path is no array: {err}; expected {n} whole numbers that never fall.") from err
    if numbers.shape != (n,) or numbers.dtype.kind not in "iu" or (np.diff(numbers) < 0).any():
        raise UsageError(f"path has shape {numbers.shape}; expected {n} whole numbers that never fall.")
    return numbers.astype(np.int64)


def _series(name: str, values: Any, n: int) -> Floats | None:
    if values is None:
        return None
    found = floats(name, values)
    if found.shape != (n,):
        raise UsageError(f"{name} have shape {found.shape}; there are {n} positions.")
    return found


def _headings(values: Any, n: int) -> Floats | None:
    found = _series("headings", values, n)
    if found is not None and np.nanmax(np.abs(found), initial=0.0) > _MOST_RAD:
        raise UsageError(
            f"heading reaches {np.nanmax(np.abs(found)):.4g}; expected rad, at most {_MOST_RAD:g}: np.deg2rad makes "
            "them of degrees, % (2 * np.pi) winds up those of many turns."
        )
    return found


def _on_the_floor(places: Floats, arena: Arena) -> Floats:
    distance = arena.wall_distance(places)
    far = distance < -_BEYOND * max(arena.width, arena.height)
    if far.any():
        first = int(np.flatnonzero(far)[0])
        raise UsageError(
            f"positions: {far.sum()} of {len(places)} lie outside the arena, the first is sample {first} at "
            f"({places[first, 0]:.3g}, {places[first, 1]:.3g}) m; expected positions within {arena}."
        )
    return np.where((distance < 0)[:, None], arena.clamped(places), places)


def _speeds(places: Floats, path: npt.NDArray[np.int64], dt: float) -> Floats:
    """Return m/s: the mean of the steps before and after a sample, the one there is at an end, nan without any."""
    step = np.linalg.norm(np.diff(places, axis=0), axis=1) / dt
    step[np.diff(path) > 0] = np.nan
    around = np.stack([np.r_[np.nan, step], np.r_[step, np.nan]])
    known = np.isfinite(around)
    total, count = np.where(known, around, 0).sum(0), known.sum(0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
