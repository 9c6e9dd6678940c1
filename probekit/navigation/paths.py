"""Many paths of the same length through one arena."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probekit.arguments import Floats, floats, instance, real
from probekit.errors import UsageError
from probekit.navigation.angles import wrapped
from probekit.navigation.arena import Arena
from probekit.navigation.tracking import Tracking


@dataclass(frozen=True, eq=False)
class Paths:
    """Where agents walked, and where they looked.

    Parameters
    ----------
    positions : array, shape (path, time + 1, 2)
        m; the first is the start.
    headings : array, shape (path, time + 1)
        rad, 0 along x, counter-clockwise; the direction of the step that led here.
    arena : Arena
    dt : float
        Seconds a step.
    """

    positions: Floats
    headings: Floats
    arena: Arena
    dt: float

    def __post_init__(self) -> None:
        for name in ("positions", "headings"):
            object.__setattr__(self, name, floats(name, getattr(self, name)))
        instance("arena", self.arena, Arena)
        real("dt", self.dt, "seconds, above 0", above=0)
        if self.positions.ndim != 3 or (*self.headings.shape, 2) != self.positions.shape:
            raise UsageError(
                f"positions have shape {self.positions.shape} and headings {self.headings.shape}; "
                "expected (path, time + 1, 2) and (path, time + 1)."
            )
        if not len(self) or self.n_steps < 1:
            raise UsageError(f"positions have shape {self.positions.shape}; expected at least one path of one step.")

    def __len__(self) -> int:
        """Return the number of paths."""
        return len(self.positions)

    @property
    def n_steps(self) -> int:
        """Steps of a path."""
        return int(self.positions.shape[1]) - 1

    @property
    def displacements(self) -> Floats:
        """Steps, shape (path, time, 2), m."""
        return np.asarray(np.diff(self.positions, axis=1))

    @property
    def speeds(self) -> Floats:
        """Speed of each step, shape (path, time), m/s."""
        return np.asarray(np.linalg.norm(self.displacements, axis=-1) / self.dt)

    @property
    def turns(self) -> Floats:
        """Change of heading at each step, shape (path, time), rad, between -π and π."""
        return wrapped(np.diff(self.headings, axis=1))

    def tracking(self) -> Tracking:
        """Return all steps one after the other, starts left out: path by path, each in the order of time."""
        n, steps = len(self), self.n_steps
        return Tracking(
            self.positions[:, 1:].reshape(-1, 2),
            self.arena,
            self.dt,
            headings=self.headings[:, 1:].ravel(),
            speeds=self.speeds.ravel(),
            path=np.repeat(np.arange(n), steps),
        )
