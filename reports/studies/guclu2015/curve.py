"""A specification curve: effects in order, and under each the choices that made it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from probekit.reports.figures import AXIS, GRID, INK, render
from probekit.reports.section import Panel
from probekit.reports.words import number

_CHOICES = ("standardize", "distance", "stage", "background", "fit")
_SHORT = {"resize": "resized", "pad": "padded", "grey": "on grey", "white": "on white"}
_MATRIX = 1.35
"""Height of the matrix of choices, in that of the effects."""
_STEPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0)


@dataclass(frozen=True)
class Effect:
    """Which columns of the cells are drawn.

    Parameters
    ----------
    value, low, high : str
        The effect and its interval.
    label : str
        Of the axis.
    digits : int
        Decimals that are said.
    """

    value: str
    low: str
    high: str
    label: str
    digits: int


DEEPER = Effect("difference", "low", "high", "Deeper by (layers)", 0)
TREND = Effect("trend", "trend_low", "trend_high", "Trend with depth", 2)


def curve_panel(name: str, cells: pd.DataFrame, effect: Effect, title: str, colors: tuple[str, str]) -> Panel:
    """Return the curve of one network.

    Parameters
    ----------
    name : str
        Of the panel.
    cells : pandas.DataFrame
        One row a cell: the effect, and the choices.
    effect : Effect
    title : str
    colors : (str, str)
        Where the interval excludes 0, and where it does not.
    """
    told = "; ".join(
        f"{kind}: {(part[effect.low] > 0).sum()} of {len(part)} above 0, {(part[effect.high] < 0).sum()} below"
        for kind, part in cells.groupby("standardize", sort=False)
    )
    ends = f"{number(cells[effect.value].min(), effect.digits)} to {number(cells[effect.value].max(), effect.digits)}"
    drawn = render(partial(draw_curve, cells=cells, effect=effect, title=title, colors=colors), size=(6.4, 4.6))
    alt = f"Specification curve, {title}, {len(cells)} cells; {effect.label} from {ends}. Intervals, {told}."
    return Panel(name, drawn, alt)


def draw_curve(axes: Axes, *, cells: pd.DataFrame, effect: Effect, title: str, colors: tuple[str, str]) -> Axes:
    """Draw sorted effects with their intervals, and the matrix of choices under them; return the axes."""
    rows = [(column, value) for column in _CHOICES for value in cells[column].unique()]
    cells = cells.sort_values([effect.value, effect.low, *_CHOICES], ignore_index=True)
    low, high = (cells[end].to_numpy(dtype=float) for end in (effect.low, effect.high))
    shown = np.where((low > 0) | (high < 0), *colors)
    x = np.arange(len(cells))
    axes.hlines(0, -0.7, len(cells) - 0.3, color=AXIS, linewidth=1)
    axes.vlines(x, low, high, colors=list(shown), linewidth=1.6)
    axes.scatter(x, cells[effect.value], c=list(shown), s=13, zorder=3)
    bottom, top = min(float(np.nanmin(low)), 0.0), max(float(np.nanmax(high)), 0.0) or 1.0
    step = _MATRIX * (top - bottom) / (len(rows) + len(_CHOICES))
    heights = _heights(rows, bottom - step, step)
    for (column, value), height in zip(rows, heights, strict=True):
        made = (cells[column] == value).to_numpy()
        axes.hlines(height, -0.7, len(cells) - 0.3, color=GRID, linewidth=0.8, zorder=0)
        axes.scatter(x[made], np.full(made.sum(), height), c=list(shown[made]), s=9, marker="s")
    ticks = _effect_ticks(bottom, top)
    labels = [*(f"{tick:g}".replace("-", "−") for tick in ticks), *(_SHORT.get(value, value) for _, value in rows)]
    axes.set_yticks([*ticks, *heights], labels)
    axes.set(xlim=(-0.9, len(cells) - 0.1), ylim=(heights[-1] - step, top + step), xticks=[], title=title)
    axes.set_ylabel(effect.label, y=1 - (top - bottom) / (top - heights[-1]) / 2)
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.title.set_color(INK)
    return axes


def _heights(rows: list[tuple[str, str]], top: float, step: float) -> list[float]:
    """Return where the rows of the matrix are, with a gap between choices."""
    new = np.array([bool(at) and rows[at - 1][0] != column for at, (column, _) in enumerate(rows)])
    return [float(height) for height in top - step * np.cumsum(np.where(new, 1.5, 1.0))]


def _effect_ticks(bottom: float, top: float) -> list[float]:
    step = next(step for step in _STEPS if (top - bottom) / step <= 6)
    return [float(tick) for tick in step * np.arange(np.ceil(bottom / step), np.floor(top / step) + 1)]
