"""The world of navigation: arenas, movement, ensembles of cells that know the place, and where one was."""

from __future__ import annotations

from probekit.navigation.arena import Arena
from probekit.navigation.ensembles import HeadDirectionCells, PlaceCells
from probekit.navigation.motion import NETWORK_MOTION, RAT_MOTION, Motion, random_walk
from probekit.navigation.path_error import guess_error, path_error
from probekit.navigation.paths import Paths
from probekit.navigation.recorded import Navigation
from probekit.navigation.task import Adapter, Task
from probekit.navigation.tracking import Tracking

__all__ = [
    "NETWORK_MOTION",
    "RAT_MOTION",
    "Adapter",
    "Arena",
    "HeadDirectionCells",
    "Motion",
    "Navigation",
    "Paths",
    "PlaceCells",
    "Task",
    "Tracking",
    "guess_error",
    "path_error",
    "random_walk",
]
