"""Marks that figures of lesions share: clouds of many dots as one path, and names along the top."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from probekit.reports.figures import AXIS, INK, TRAINED, UNLEARNED

TARGETED, SHAM, RANDOM, REVERSED, INTACT = TRAINED, AXIS, AXIS, UNLEARNED, INK
"""Colours of the kinds of lesions."""
_LETTER = 0.0135


def cloud(axes: Axes, x: np.ndarray, y: np.ndarray, *, color: str, size: float = 3.0, alpha: float = 1.0) -> Axes:
    """Draw dots as a single path, so that thousands stay small; return the axes.

    Parameters
    ----------
    axes : Axes
    x, y : array, shape (dot,)
        nan is left out.
    color : str
    size : float
        Diameter in points.
    alpha : float
    """
    keep = np.isfinite(x) & np.isfinite(y)
    if not keep.any():
        return axes
    places = np.column_stack([x[keep], y[keep]])
    path = Path(np.repeat(places, 2, axis=0), [Path.MOVETO, Path.LINETO] * len(places))
    path.should_simplify = False
    axes.add_patch(PathPatch(path, fill=False, edgecolor=color, linewidth=size, alpha=alpha, capstyle="round"))
    axes.update_datalim(places)
    return axes


def spread(n: int, width: float) -> np.ndarray:
    """Return places side by side for n dots, within ± width, neighbours apart, the same each time."""
    golden = (np.arange(n) * 0.6180339887) % 1.0
    return np.asarray((2 * golden - 1) * width)


def name_marks(axes: Axes, names: Sequence[tuple[str, str]], *, width: float = 4.0) -> Axes:
    """Write names in their colours along the top, in as many lines as they need; return the axes.

    Parameters
    ----------
    axes : Axes
    names : sequence of (str, str)
        Words, mark included, and colour.
    width : float
        Of the figure, in inches.
    """
    letter = _LETTER * 4.0 / width * 1.45
    lines: list[list[tuple[float, str, str]]] = [[]]
    x = 0.0
    for text, color in names:
        if x and x + letter * len(text) > 1.0:
            lines.append([])
            x = 0.0
        lines[-1].append((x, text, color))
        x += letter * (len(text) + 2)
    for place, line in enumerate(reversed(lines)):
        for at, text, color in line:
            axes.annotate(text, (at, 1.0), xytext=(0, 3 + 11 * place), xycoords="axes fraction",
                          textcoords="offset points", color=color, fontsize=7.5, fontweight="bold")  # fmt: skip
    return axes


def with_room(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """Return limits with some room at both ends."""
    room = share * (high - low) or max(0.1, abs(high) * share)
    return low - room, high + room
