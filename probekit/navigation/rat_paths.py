"""Where real rats walked, for use in place of random walks.

The paths are files of the package ratinabox, which is not imported, with their authors' permission given there.

References
----------
Sargolini et al. 2006, Conjunctive representation of position, direction, and velocity in entorhinal cortex,
Science 312:758, doi:10.1126/science.1125572;
Tanni, de Cothi & Barry 2022, State transitions in the statistically stable place cell population are determined by rate
of perceptual change, Curr Biol 32:3505, doi:10.1016/j.cub.2022.06.046;
George et al. 2024, RatInABox, eLife 13:e85274, doi:10.7554/eLife.85274
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, generator, instance, whole
from probekit.errors import DataError, UsageError, unknown_name
from probekit.navigation.arena import Arena
from probekit.navigation.paths import Paths
from probekit.navigation.tracking import Tracking


@dataclass(frozen=True)
class _Source:
    file: str
    arena: Arena
    rate_hz: float


_SOURCES = {
    "sargolini2006": _Source("sargolini.npz", Arena.square(1.0, centre=(0.5, 0.5)), 50.0),
    "tanni2022": _Source("tanni.npz", Arena(3.5, 2.5, "rectangle", (1.75, 1.25)), 30.0),
}
RAT_PATHS = tuple(_SOURCES)
"""Names of the paths: 10 minutes in a box of 1 m, and 2 hours in one of 3.5 by 2.5 m."""


def rat_path(name: str = "sargolini2006") -> Tracking:
    """Return where a rat was while it foraged.

    Parameters
    ----------
    name : str
        One of `RAT_PATHS`.

    Returns
    -------
    Tracking
        At the camera's rate, 50 or 30 Hz, as published: not smoothed. Where the camera lost the rat, one `path` ends
        and the next begins. There are no headings.

    Raises
    ------
    UnknownNameError
        If there is no such path.
    DataError
        If the package ratinabox is not there, or its file does not hold what is described.
    """
    if not isinstance(name, str) or name not in RAT_PATHS:
        raise unknown_name("rat path", str(name), RAT_PATHS)
    source = _SOURCES[name]
    seconds, positions = _read(_file(source.file))
    lost = np.diff(seconds) > 1.5 / source.rate_hz
    return Tracking(positions, source.arena, 1 / source.rate_hz, path=np.r_[0, np.cumsum(lost)])


def cut_paths(tracking: Tracking, n_paths: int, n_steps: int, *, seed: int = 0) -> Paths:
    """Return pieces of a recorded path as paths to train or test networks with.

    Parameters
    ----------
    tracking : Tracking
    n_paths : int
        Pieces; they start at random and may overlap.
    n_steps : int
        Steps of each, at the tracking's own rate.
    seed : int

    Returns
    -------
    Paths
        No piece holds a time without tracking. Headings are those of the movement, as of random walks; while the
        animal rests, the last one.

    Raises
    ------
    UsageError
        If no stretch of the tracking is so long.
    """
    instance("tracking", tracking, Tracking)
    n_paths, n_steps = whole("n_paths", n_paths, 1), whole("n_steps", n_steps, 1)
    n = n_steps + 2  # the first sample only gives the heading at the start
    good = np.r_[0, np.cumsum(tracking.valid)]
    path = np.asarray(tracking.path)
    first = np.arange(max(0, len(tracking) - n + 1))
    first = first[(path[first] == path[first + n - 1]) & (good[first + n] - good[first] == n)]
    if not len(first):
        raise UsageError(f"n_steps is {n_steps}; no stretch of the tracking has that many steps.")
    starts = generator(seed).choice(first, n_paths)
    pieces = tracking.positions[starts[:, None] + np.arange(n)]
    return Paths(pieces[:, 1:], _movement(pieces), tracking.arena, tracking.dt)


def _movement(pieces: Floats) -> Floats:
    """Return the direction of each step, shape (path, step); of a step of length 0 that of the last that had one.

    Before the first step that leads anywhere, its direction; 0 where there is none at all.
    """
    steps = np.diff(pieces, axis=1)
    moved: npt.NDArray[np.bool_] = (steps != 0).any(-1)
    n = steps.shape[1]
    last = np.maximum.accumulate(np.where(moved, np.arange(n), -1), axis=1)
    last = np.where(last < 0, moved.argmax(1)[:, None], last)
    directions: Floats = np.arctan2(steps[..., 1], steps[..., 0])
    return np.asarray(np.take_along_axis(directions, last, 1))


def _file(file: str) -> Path:
    found = find_spec("ratinabox")
    if found is None or not found.submodule_search_locations:
        raise DataError(
            "Rat paths are files of the package ratinabox, which is not installed: pip install 'probekit-neuro[rats]'."
        )
    path = Path(found.submodule_search_locations[0]) / "data" / file
    if not path.is_file():
        raise DataError(f"{path} does not exist; this version of ratinabox has no such path: install 1.15 or later.")
    return path


def _read(path: Path) -> tuple[Floats, Floats]:
    try:
        with np.load(path) as stored:
            held: dict[str, Any] = {name: np.asarray(stored[name], dtype=np.float64) for name in ("t", "pos")}
    except (KeyError, ValueError, OSError) as err:
        raise DataError(f"{path} does not hold times 't' and positions 'pos': {err}") from err
    seconds, positions = held["t"], held["pos"]
    if seconds.ndim != 1 or positions.shape != (len(seconds), 2) or not (np.diff(seconds) > 0).all():
        raise DataError(f"{path} has times {seconds.shape} and positions {positions.shape}; expected (n,) and (n, 2).")
    return seconds, positions
