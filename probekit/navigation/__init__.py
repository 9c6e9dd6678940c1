"""The world of navigation: arenas, movement, ensembles of cells that know the place, and where one was."""

from __future__ import annotations

from probekit.navigation.arena import Arena
from probekit.navigation.ensembles import HeadDirectionCells, PlaceCells
from probekit.navigation.interchange import from_nwb, from_pynapple
from probekit.navigation.motion import NETWORK_MOTION, RAT_MOTION, Motion, random_walk
from probekit.navigation.path_error import guess_error, path_error
from probekit.navigation.path_statistics import PathStatistics, path_statistics
from probekit.navigation.paths import Paths
from probekit.navigation.rat_paths import RAT_PATHS, cut_paths, rat_path
from probekit.navigation.recorded import Navigation
from probekit.navigation.task import Adapter, Task
from probekit.navigation.tracking import Tracking

__all__ = [
    "NETWORK_MOTION",
    "RAT_MOTION",
    "RAT_PATHS",
    "Adapter",
    "Arena",
    "HeadDirectionCells",
    "Motion",
    "Navigation",
    "PathStatistics",
    "Paths",
    "PlaceCells",
    "Task",
    "Tracking",
    "cut_paths",
    "from_nwb",
    "from_pynapple",
    "guess_error",
    "path_error",
    "path_statistics",
    "random_walk",
    "rat_path",
]
