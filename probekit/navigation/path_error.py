"""How far a network is from where it says that it is."""

from __future__ import annotations

import numpy as np

from probekit.arguments import Floats, instance
from probekit.errors import NotApplicableError
from probekit.navigation.paths import Paths
from probekit.navigation.recorded import Navigation


def path_error(navigation: Navigation) -> Floats:
    """Return the distance between where a network says that it is and where it is, by step, mean over paths.

    Parameters
    ----------
    navigation : Navigation
        Of paths of one length, with `decoded`.

    Returns
    -------
    array, shape (time,)
        m.

    Raises
    ------
    NotApplicableError
        If the network does not say where it is, or the paths differ in length.
    """
    instance("navigation", navigation, Navigation)
    if navigation.decoded is None:
        raise NotApplicableError("path_error needs a network that says where it is: give its adapter a `decode`.")
    lengths = np.unique(navigation.tracking.path, return_counts=True)[1]
    if (lengths != lengths[0]).any():
        raise NotApplicableError(f"paths have {lengths.min()} to {lengths.max()} steps; expected one length.")
    away = np.linalg.norm(navigation.decoded - navigation.tracking.positions, axis=1)
    return np.asarray(away.reshape(-1, lengths[0]).mean(0))


def guess_error(paths: Paths) -> Floats:
    """Return the error by step, shape (time,), m, of who says that he is still at the start."""
    instance("paths", paths, Paths)
    return np.asarray(np.linalg.norm(paths.positions[:, 1:] - paths.positions[:, :1], axis=-1).mean(0))
