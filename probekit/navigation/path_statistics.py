"""How an animal or an agent moved, in numbers that can be compared.

References
----------
George et al. 2024, RatInABox, eLife 13:e85274, doi:10.7554/eLife.85274
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, instance, real, whole
from probekit.errors import UsageError
from probekit.navigation.angles import wrapped
from probekit.navigation.tracking import Tracking

DECILES = tuple(range(10, 100, 10))


@dataclass(frozen=True)
class PathStatistics:
    """Numbers of a path.

    Parameters
    ----------
    step_s : float
        Seconds between the places from which movement was computed.
    duration_s : float
        Seconds that were tracked.
    mean_speed, median_speed : float
        m/s.
    speed_deciles : tuple of 9 floats
        Speeds below which 10, 20 … 90 % of the steps lie, m/s.
    rayleigh_scale : float
        m/s; that of the Rayleigh distribution most likely to give these speeds, √(mean of squares / 2).
    turn_sd : float
        Standard deviation of the angular velocity of the movement, rad/s.
    speed_time, turn_time : float
        After which the autocorrelation of speed, of angular velocity, has fallen to 1/e, s; nan if it has not after
        the longest lag.
    wall_share : float
        Share of the time spent within 10 cm of a wall.
    wall_deciles : tuple of 9 floats
        Distances to the nearest wall below which 10, 20 … 90 % of the time was spent, m.
    coverage : float
        Share of the floor's bins that were visited.
    """

    step_s: float
    duration_s: float
    mean_speed: float
    median_speed: float
    speed_deciles: tuple[float, ...]
    rayleigh_scale: float
    turn_sd: float
    speed_time: float
    turn_time: float
    wall_share: float
    wall_deciles: tuple[float, ...]
    coverage: float


def path_statistics(
    tracking: Tracking, *, step_s: float = 0.1, min_speed: float = 0.02, wall_zone: float = 0.1, n_bins: int = 20
) -> PathStatistics:
    """Return how a path goes: speed, turning, walls and coverage.

    Movement is that between means of positions over `step_s`, so that a camera's noise is not taken for turning and
    paths of different rates can be compared. Headings are not used.

    Parameters
    ----------
    tracking : Tracking
    step_s : float
        Seconds; rounded to whole samples, at least one.
    min_speed : float
        m/s; slower steps have no direction, and angular velocity is not counted beside them.
    wall_zone : float
        What counts as near a wall, m.
    n_bins : int
        Bins of the longer side, for `coverage`.

    Returns
    -------
    PathStatistics
        nan where nothing could be counted: angular velocity of an animal that never moved.

    Raises
    ------
    UsageError
        If fewer than 3 steps were tracked without interruption anywhere, or an option is out of range.
    """
    instance("tracking", tracking, Tracking)
    for name, value in (("step_s", step_s), ("min_speed", min_speed), ("wall_zone", wall_zone)):
        real(name, value, "at least 0", least=0)
    size = max(1, round(step_s / tracking.dt))
    step = size * tracking.dt
    places, path = _means(tracking, size)
    velocity = np.where((np.diff(path) == 0)[:, None], np.diff(places, axis=0) / step, np.nan)
    speed = np.linalg.norm(velocity, axis=1)
    known = speed[np.isfinite(speed)]
    turn = _turns(velocity, speed, min_speed) / step
    if np.isfinite(speed[1:] + speed[:-1]).sum() < 2:
        raise UsageError(f"tracking has {len(known)} steps of {step:.3g} s; expected at least 3 without interruption.")
    walls = tracking.arena.wall_distance(tracking.positions[tracking.valid])
    return PathStatistics(
        step_s=step,
        duration_s=tracking.duration,
        mean_speed=float(known.mean()),
        median_speed=float(np.median(known)),
        speed_deciles=_deciles(known),
        rayleigh_scale=math.sqrt(float((known**2).mean()) / 2),
        turn_sd=float(np.nanstd(turn)) if np.isfinite(turn).any() else math.nan,
        speed_time=_memory(speed, path[:-1]) * step,
        turn_time=_memory(turn, path[:-2]) * step,
        wall_share=float((walls < wall_zone).mean()),
        wall_deciles=_deciles(walls),
        coverage=_coverage(tracking, whole("n_bins", n_bins, 2)),
    )


def _means(tracking: Tracking, size: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return mean positions of each `size` samples of one path, and the path's number; nan where any is nan."""
    path = np.asarray(tracking.path)
    begins = np.r_[True, np.diff(path) > 0]
    within = np.arange(len(path)) - np.maximum.accumulate(np.where(begins, np.arange(len(path)), 0))
    whole_blocks = np.bincount(path - path[0])[path - path[0]] // size * size
    kept = np.flatnonzero(within < whole_blocks)
    blocks: Floats = tracking.positions[kept].reshape(-1, size, 2).mean(1)
    return blocks, path[kept[::size]]


def _turns(velocity: Floats, speed: Floats, min_speed: float) -> Floats:
    """Return the change of direction from each step to the next, rad; nan beside steps that are too slow."""
    direction = np.where(speed > min_speed, np.arctan2(velocity[:, 1], velocity[:, 0]), np.nan)
    return wrapped(np.diff(direction))


def _memory(series: Floats, path: npt.NDArray[np.int64], longest: int = 100) -> float:
    """Return the lag, in steps, at which the autocorrelation reaches 1/e; between lags by a straight line."""
    known = np.isfinite(series)
    if not known.any():
        return math.nan
    centred = np.where(known, series - series[known].mean(), 0.0)
    variance = float((centred**2).sum() / known.sum())
    before = 1.0
    for lag in range(1, min(longest, len(series) - 1) + 1):
        pairs = known[lag:] & known[:-lag] & (path[lag:] == path[:-lag])
        if not pairs.any() or not variance:
            return math.nan
        now = float((centred[lag:] * centred[:-lag])[pairs].mean()) / variance
        if now <= 1 / math.e:
            return lag - 1 + (before - 1 / math.e) / (before - now)
        before = now
    return math.nan


def _coverage(tracking: Tracking, n_bins: int) -> float:
    edges = tracking.arena.edges(n_bins)
    places = tracking.positions[tracking.valid]
    visited = np.histogram2d(places[:, 1], places[:, 0], bins=(edges[1], edges[0]))[0] > 0
    floor = tracking.arena.floor(n_bins)
    return float(visited[floor].mean())


def _deciles(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in np.percentile(values, DECILES))
