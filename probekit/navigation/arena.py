"""The space that is moved in: its walls, and the bins of its maps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, real, whole
from probekit.errors import UsageError

Shape = Literal["rectangle", "circle"]
_SHAPES = ("rectangle", "circle")
_MOST_BINS = 1000
"""Bins of a side; more would fill the memory before anything is measured."""


@dataclass(frozen=True)
class Arena:
    """A walled floor, seen from above: x to the right, y up, in metres.

    Parameters
    ----------
    width, height : float
        Along x and y, m. Of a circle, both are its diameter.
    shape : {"rectangle", "circle"}
    centre : (float, float)
        x and y of its middle, m.

    Raises
    ------
    UsageError
        If sizes are not above 0, the shape is unknown, or a circle is not round.

    Examples
    --------
    >>> Arena.square(2.2).wall_distance([[0.0, 1.0]]).round(3).tolist()
    [0.1]
    """

    width: float
    height: float
    shape: Shape = "rectangle"
    centre: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name, size in (("width", self.width), ("height", self.height)):
            real(name, size, "metres, above 0", above=0)
        if not isinstance(self.shape, str) or self.shape not in _SHAPES:
            raise UsageError(f"shape is {self.shape!r}; expected one of {', '.join(_SHAPES)}.")
        if self.shape == "circle" and self.width != self.height:
            raise UsageError(f"width {self.width} and height {self.height} differ; a circle has one diameter.")
        centre = floats("centre", self.centre)
        if centre.shape != (2,) or not np.isfinite(centre).all():
            raise UsageError(f"centre is {self.centre}; expected finite x and y, m.")
        object.__setattr__(self, "centre", tuple(centre.tolist()))

    @classmethod
    def square(cls, side: float, *, centre: tuple[float, float] = (0.0, 0.0)) -> Arena:
        """Return a square box of this side, m."""
        return cls(side, side, "rectangle", centre)

    @classmethod
    def circle(cls, diameter: float, *, centre: tuple[float, float] = (0.0, 0.0)) -> Arena:
        """Return a round box of this diameter, m."""
        return cls(diameter, diameter, "circle", centre)

    @classmethod
    def around(cls, positions: Any) -> Arena:
        """Return the smallest rectangle around positions, shape (…, 2), m: for recordings without measured walls.

        Raises
        ------
        UsageError
            If they span no area.
        """
        places = _offsets(positions, (0.0, 0.0)).reshape(-1, 2)
        places = places[np.isfinite(places).all(1)]
        if not len(places) or not (np.ptp(places, axis=0) > 0).all():
            raise UsageError("positions span no area; expected x and y that vary, m, to lay an arena around them.")
        low, high = places.min(0), places.max(0)
        (width, height), (x, y) = (high - low).tolist(), ((high + low) / 2).tolist()
        return cls(width, height, "rectangle", (x, y))

    @property
    def area(self) -> float:
        """Floor, m²."""
        return self.width * self.height * (math.pi / 4 if self.shape == "circle" else 1.0)

    def contains(self, positions: Any) -> npt.NDArray[np.bool_]:
        """Say which positions, shape (…, 2), lie on the floor; walls belong to it, nan does not."""
        return np.asarray(self.wall_distance(positions) >= 0)

    def wall_distance(self, positions: Any) -> Floats:
        """Return how far the nearest wall is, m, of positions of shape (…, 2); negative outside, nan for nan."""
        return self._nearest_wall(_offsets(positions, self.centre))[0]

    def wall_direction(self, positions: Any) -> Floats:
        """Return in which direction the nearest wall lies, rad, 0 along x, counter-clockwise, shape (…)."""
        return self._nearest_wall(_offsets(positions, self.centre))[1]

    def boundary_distance(self, positions: Any, directions: Any) -> Floats:
        """Return how far the wall is in each direction (allocentric, rad), m.

        Parameters
        ----------
        positions : array, shape (sample, 2)
        directions : array, shape (direction,)

        Returns
        -------
        array, shape (sample, direction); nan for positions outside.
        """
        offset = _offsets(positions, self.centre)
        angle = floats("directions", directions)
        if offset.ndim != 2 or angle.ndim != 1 or not np.isfinite(angle).all():
            raise UsageError(
                f"positions have shape {offset.shape}, directions {angle.shape}; expected (sample, 2), m, and "
                "(direction,), finite rad."
            )
        along = np.stack([np.cos(angle), np.sin(angle)])
        inside = self.contains(positions)[:, None]
        if self.shape == "circle":
            projected = offset @ along
            squared = projected**2 + (self.width / 2) ** 2 - (offset**2).sum(-1)[:, None]
            return np.where(inside, np.sqrt(np.maximum(squared, 0)) - projected, np.nan)
        reach = np.full((len(offset), along.shape[1]), np.inf)
        for axis, half in enumerate((self.width / 2, self.height / 2)):
            for wall in (-half, half):
                with np.errstate(divide="ignore", invalid="ignore"):
                    steps = (wall - offset[:, axis, None]) / along[axis]
                ahead = np.sign(along[axis]) == np.sign(wall)
                reach = np.where(ahead & (steps < reach), steps, reach)
        return np.where(inside, np.maximum(reach, 0), np.nan)

    def clamped(self, positions: Any) -> Floats:
        """Return positions, shape (…, 2), with those outside moved to the nearest place on the floor."""
        offset = _offsets(positions, self.centre)
        if self.shape == "circle":
            radius = np.linalg.norm(offset, axis=-1, keepdims=True)
            inside = self.width / 2 * (1 - 1e-12)  # rounding must not lead out again
            moved = offset * np.minimum(1, inside / np.maximum(radius, 1e-12))
        else:
            half = np.array([self.width / 2, self.height / 2])
            moved = np.clip(offset, -half, half)
        return np.asarray(moved + np.asarray(self.centre))

    def uniform(self, n: int, rng: np.random.Generator) -> Floats:
        """Return `n` places drawn evenly from the floor, shape (n, 2), m."""
        if self.shape == "circle":
            radius, angle = self.width / 2 * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
            offset = np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
        else:
            offset = (rng.random((n, 2)) - 0.5) * [self.width, self.height]
        return np.asarray(offset + np.asarray(self.centre))

    def bin_size(self, n_bins: int) -> float:
        """Return the side of a map's square bins, m, where the longer side of the arena has `n_bins` of them."""
        if whole("n_bins", n_bins, 2) > _MOST_BINS:
            raise UsageError(f"n_bins is {n_bins}; expected at most {_MOST_BINS}.")
        return max(self.width, self.height) / n_bins

    def edges(self, n_bins: int) -> tuple[Floats, Floats]:
        """Return the edges of a map's bins along x and along y, m; the longer side has `n_bins` bins.

        The shorter side has as many whole bins as cover it, centred.
        """
        size = self.bin_size(n_bins)
        found: list[Floats] = []
        for middle, length in zip(self.centre, (self.width, self.height), strict=True):
            n = math.ceil(length / size - 1e-9)
            found.append(np.asarray(middle + size * (np.arange(n + 1) - n / 2), dtype=np.float64))
        return found[0], found[1]

    def centres(self, n_bins: int) -> Floats:
        """Return the middles of a map's bins, shape (y, x, 2), m: x and y of the bin in row y, column x."""
        x, y = ((edges[1:] + edges[:-1]) / 2 for edges in self.edges(n_bins))
        return np.stack(np.meshgrid(x, y), -1)

    def floor(self, n_bins: int) -> npt.NDArray[np.bool_]:
        """Say which bins of a map, shape (y, x), have their middle on the floor."""
        return self.contains(self.centres(n_bins))

    def _nearest_wall(self, offset: Floats) -> tuple[Floats, Floats]:
        if self.shape == "circle":
            distance: Floats = np.asarray(self.width / 2 - np.linalg.norm(offset, axis=-1), dtype=np.float64)
            direction: Floats = np.arctan2(offset[..., 1], offset[..., 0])
            return distance, direction
        to_walls: Floats = np.stack(
            [
                self.width / 2 - offset[..., 0],
                self.height / 2 - offset[..., 1],
                self.width / 2 + offset[..., 0],
                self.height / 2 + offset[..., 1],
            ]
        )
        nearest = to_walls.argmin(0)  # nan is taken for the least, and stays nan
        least: Floats = np.asarray(to_walls.min(0), dtype=np.float64)
        return least, np.array([0, np.pi / 2, np.pi, -np.pi / 2])[nearest]


def _offsets(positions: Any, centre: tuple[float, float]) -> Floats:
    places = floats("positions", positions)
    if places.ndim < 1 or places.shape[-1] != 2:
        raise UsageError(f"positions have shape {places.shape}; expected (…, 2), x and y in m.")
    return np.asarray(places - np.asarray(centre), dtype=np.float64)
