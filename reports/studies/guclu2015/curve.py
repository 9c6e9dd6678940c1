"""A specification curve: effects in order, and under each the choices that made it."""

from __future__ import annotations

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


def curve_panel(name: str, cells: pd.DataFrame, title: str, colors: tuple[str, str]) -> Panel:
    """Return the curve of one network.

    Parameters
    ----------
    name : str
        Of the panel.
    cells : pandas.DataFrame
        One row a cell: `difference, low, high, excludes_0`, and the choices.
    title : str
    colors : (str, str)
        Where the interval excludes 0, and where it does not.
    """
    shares = "; ".join(
        f"{kind}: {int(part['excludes_0'].sum())} of {len(part)} exclude 0"
        for kind, part in cells.groupby("standardize", sort=False)
    )
    ordered = cells.sort_values(["difference", "low", *_CHOICES], ignore_index=True)
    ends = f"{number(ordered['difference'].iloc[0], 0)} to {number(ordered['difference'].iloc[-1], 0)}"
    drawn = render(partial(draw_curve, cells=ordered, title=title, colors=colors), size=(6.4, 4.6))
    return Panel(
        name, drawn, f"Specification curve, {title}, {len(cells)} cells, differences from {ends} layers. {shares}."
    )


def draw_curve(axes: Axes, *, cells: pd.DataFrame, title: str, colors: tuple[str, str]) -> Axes:
    """Draw sorted effects with their intervals, and the matrix of choices under them; return the axes."""
    x = np.arange(len(cells))
    shown = np.where(cells["excludes_0"].to_numpy() > 0, *colors)
    axes.hlines(0, -0.7, len(cells) - 0.3, color=AXIS, linewidth=1)
    axes.vlines(x, cells["low"], cells["high"], colors=list(shown), linewidth=1.6)
    axes.scatter(x, cells["difference"], c=list(shown), s=13, zorder=3)
    bottom, top = float(min(cells["low"].min(), 0)), float(max(cells["high"].max(), 1))
    rows = [(column, value) for column in _CHOICES for value in cells[column].unique()]
    step = _MATRIX * (top - bottom) / max(len(rows) + len(_CHOICES), 1)
    ticks, labels, height = _effect_ticks(bottom, top), [], bottom - step
    heights = []
    for number_of, (column, value) in enumerate(rows):
        height -= step * (1.0 if number_of == 0 or rows[number_of - 1][0] == column else 1.5)
        made = (cells[column] == value).to_numpy()
        axes.hlines(height, -0.7, len(cells) - 0.3, color=GRID, linewidth=0.8, zorder=0)
        axes.scatter(x[made], np.full(made.sum(), height), c=list(shown[made]), s=9, marker="s")
        heights.append(height)
        labels.append(_SHORT.get(str(value), str(value)))
    axes.set_yticks([*ticks, *heights], [*(number(tick, 0) for tick in ticks), *labels])
    axes.set(xlim=(-0.9, len(cells) - 0.1), ylim=(height - step, top + step), xticks=[], title=title)
    axes.set_ylabel("Deeper by (layers)", y=1 - (top - bottom) / (top - height) / 2)
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.title.set_color(INK)
    return axes


def _effect_ticks(bottom: float, top: float) -> list[float]:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if (top - bottom) / step <= 6 or step == 1000)
    return [float(tick) for tick in np.arange(np.ceil(bottom / step) * step, top + 1, step)]
