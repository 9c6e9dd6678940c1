"""Angles on the circle."""

from __future__ import annotations

import numpy as np

from probekit.arguments import Floats


def wrapped(angle: Floats) -> Floats:
    """Return angles, rad, moved by whole turns to between -π and π.

    Examples
    --------
    >>> wrapped(np.array([0.0, 3.5 * np.pi])).round(3).tolist()
    [0.0, -1.571]
    """
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi)
