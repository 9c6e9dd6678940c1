"""Random walks like those of rodents, all paths of a batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from probekit.arguments import Floats, generator, instance, real, whole
from probekit.navigation.angles import wrapped
from probekit.navigation.arena import Arena
from probekit.navigation.paths import Paths


@dataclass(frozen=True)
class Motion:
    """How an agent moves.

    Speeds are Rayleigh distributed; speed and angular velocity forget themselves exponentially, or at once where their
    time is 0. Near a wall that it heads for, an agent turns along the wall and slows down.

    Parameters
    ----------
    mean_speed : float
        Away from walls, m/s.
    turn_sd : float
        Standard deviation of the angular velocity, rad/s.
    speed_time, turn_time : float
        After which the autocorrelation has fallen to 1/e, s.
    dt : float
        Seconds a step.
    wall_zone : float
        How near a wall is noticed, m.
    wall_slowing : float
        What speed is multiplied by when a wall is ahead, 0 … 1.

    References
    ----------
    Raudies & Hasselmo 2012, PLoS Comput Biol 8:e1002553, doi:10.1371/journal.pcbi.1002553;
    George et al. 2024, eLife 13:e85274, doi:10.7554/eLife.85274
    """

    mean_speed: float
    turn_sd: float
    speed_time: float = 0.0
    turn_time: float = 0.0
    dt: float = 0.02
    wall_zone: float = 0.03
    wall_slowing: float = 0.25

    def __post_init__(self) -> None:
        for name in ("mean_speed", "turn_sd", "speed_time", "turn_time", "wall_zone"):
            real(name, getattr(self, name), "at least 0", least=0)
        real("dt", self.dt, "seconds, above 0", above=0)
        real("wall_slowing", self.wall_slowing, "0 … 1", least=0, most=1)


NETWORK_MOTION = Motion(mean_speed=0.13 * 2 * math.pi * math.sqrt(math.pi / 2), turn_sd=11.52)
"""The walk that Banino 2018 and Sorscher 2019 trained on: about 1 m/s, five times as fast as a rat."""

RAT_MOTION = Motion(mean_speed=0.12, turn_sd=9.0, speed_time=0.33, turn_time=0.05, wall_zone=0.045)
"""A rat that forages in a box of 1 m: speeds, turns, memory and wall distances near those of Sargolini et al. 2006."""


def random_walk(arena: Arena, motion: Motion, n_paths: int, n_steps: int, *, seed: int = 0) -> Paths:
    """Return random paths that start anywhere on the floor, looking anywhere.

    Parameters
    ----------
    arena : Arena
    motion : Motion
    n_paths, n_steps : int
    seed : int

    Returns
    -------
    Paths
        Positions never leave the arena.

    Examples
    --------
    >>> paths = random_walk(Arena.square(2.2), NETWORK_MOTION, 3, 20, seed=1)
    >>> paths.positions.shape, bool(paths.arena.contains(paths.positions).all())
    ((3, 21, 2), True)
    """
    instance("arena", arena, Arena)
    instance("motion", motion, Motion)
    whole("n_paths", n_paths, 1)
    whole("n_steps", n_steps, 1)
    rng = generator(seed)
    speeds = _speeds(motion, n_paths, n_steps, rng)
    turns = motion.dt * motion.turn_sd * _coloured(motion.turn_time / motion.dt, n_paths, n_steps, rng)
    positions = np.empty((n_steps + 1, n_paths, 2))
    headings = np.empty((n_steps + 1, n_paths))
    positions[0] = arena.uniform(n_paths, rng)
    headings[0] = rng.uniform(-np.pi, np.pi, n_paths)
    for step in range(n_steps):
        here = positions[step]
        heading = headings[step] + turns[step]
        ahead = wrapped(heading - arena.wall_direction(here))
        near = (arena.wall_distance(here) < motion.wall_zone) & (np.abs(ahead) < np.pi / 2)
        heading = heading + np.where(near, np.copysign(np.pi / 2, ahead) - ahead, 0)
        length = motion.dt * speeds[step] * np.where(near, motion.wall_slowing, 1)
        stride = length[:, None] * np.stack([np.cos(heading), np.sin(heading)], -1)
        positions[step + 1] = arena.clamped(here + stride)
        headings[step + 1] = wrapped(heading)
    return Paths(positions.transpose(1, 0, 2), headings.T, arena, motion.dt)


def _speeds(motion: Motion, n_paths: int, n_steps: int, rng: np.random.Generator) -> Floats:
    """Return Rayleigh speeds, shape (time, path): the lengths of two independent Gaussian series of one memory."""
    memory = 2 * motion.speed_time / motion.dt  # the length forgets about twice as fast as its parts
    parts = [_coloured(memory, n_paths, n_steps, rng) for _ in range(2)]
    return np.asarray(np.hypot(*parts) * motion.mean_speed / math.sqrt(math.pi / 2))


def _coloured(memory: float, n_paths: int, n_steps: int, rng: np.random.Generator) -> Floats:
    """Return standard normal series, shape (time, path), whose autocorrelation falls to 1/e in `memory` steps."""
    series = rng.standard_normal((n_steps, n_paths))
    if memory > 0:
        kept = math.exp(-1 / memory)
        for step in range(1, n_steps):
            series[step] = kept * series[step - 1] + math.sqrt(1 - kept**2) * series[step]
    return series
