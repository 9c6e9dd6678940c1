"""Two drawings: numbers with their intervals one below the other, and a matrix of dissimilarities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from probekit.reports.figures import AXIS, INK, PAPER

_MAGNIFIED = 4
"""Pixels of a cell, so that a browser that smooths pictures keeps its edges."""


@dataclass(frozen=True)
class Mark:
    """A number with its interval, and its name."""

    label: str
    value: float
    low: float
    high: float
    color: str
    filled: bool = True


def draw_marks(axes: Axes, *, marks: Sequence[Mark], xlabel: str, band: tuple[float, float] | None = None) -> Axes:
    """Draw numbers one below the other, the first on top, over a band if there is one; return the axes."""
    places = np.arange(len(marks))[::-1]
    if band is not None and np.isfinite(band).all():
        axes.axvspan(*band, color=AXIS, alpha=0.18, linewidth=0)
        axes.text(sum(band) / 2, len(marks) - 0.45, "noise ceiling", color=INK, fontsize=7.5, ha="center", va="bottom")
    axes.axvline(0, color=AXIS, linewidth=0.8)
    for place, mark in zip(places, marks, strict=True):
        axes.hlines(place, mark.low, mark.high, color=mark.color, linewidth=1.4)
        face = mark.color if mark.filled else PAPER
        axes.scatter([mark.value], [place], s=26, c=[face], edgecolors=mark.color, linewidths=1.4, zorder=3)
    axes.set_yticks(places, [mark.label for mark in marks])
    axes.set(xlabel=xlabel, ylim=(-0.6, len(marks) - 0.1))
    axes.grid(axis="x")
    return axes


def draw_matrix(axes: Axes, *, square: np.ndarray, categories: Sequence[str]) -> Axes:
    """Draw a matrix of percentiles (0 … 100) with the names of its blocks; return the axes."""
    n = len(categories)
    shown = square.repeat(_MAGNIFIED, axis=0).repeat(_MAGNIFIED, axis=1)
    axes.imshow(shown, cmap="cividis", vmin=0, vmax=100, interpolation="none", extent=(0, n, n, 0))
    starts = [0, *(at for at in range(1, n) if categories[at] != categories[at - 1]), n]
    middles = [(first + last) / 2 for first, last in pairwise(starts)]
    axes.set_yticks(middles, [categories[at] for at in starts[:-1]], fontsize=7)
    axes.set_xticks([])
    for at in starts[1:-1]:
        axes.axhline(at, color=PAPER, linewidth=0.6)
        axes.axvline(at, color=PAPER, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes
