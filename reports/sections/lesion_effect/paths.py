"""Paths, and where a network says that it is under a lesion."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from probekit.reports.figures import AXIS, INK, TRAINED, UNLEARNED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import SHAM
from probekit.reports.sections.lesion_effect.scale import dose_words
from probekit.reports.sections.lesion_effect.view import View
from probekit.reports.words import number, plural

_ACROSS, _MOST_PATHS = 3, 6
_COLORS = {"intact": UNLEARNED, "targeted": TRAINED, "sham": SHAM}
_TITLES = {"intact": "intact", "targeted": "without the highest-ranked", "sham": "without one sham"}


def paths_figure(view: View) -> Figure | None:
    """Return example paths with what is decoded over them, a panel a lesion."""
    kept = view.array("example_path")
    if kept is None:
        return None
    kinds = [str(kind) for kind in kept["kind"].values]
    values = {kind: kept.sel(kind=kind).values[:_MOST_PATHS].astype(float) for kind in kinds}
    true = values.pop("true")
    recovered = view.array("recovery")
    said = {} if recovered is None else recovered.attrs
    which = (
        f"{dose_words(said['share'])} of the units of {said['layer']}"
        if {"share", "layer"} <= set(said)
        else "some units"
    )
    side_m = _side(true, list(values.values()))
    panels = tuple(_panel(kind, true, decoded, side_m) for kind, decoded in values.items())
    return Figure(
        "paths",
        "The same paths with and without",
        panels,
        f"{plural(len(true), 'path')} (black, from the dot on) of {true.shape[1]} steps, and what the network’s output "
        f"says at each step, intact and without {which}: the highest-ranked, and one sham. Each box "
        f"is {number(side_m)} m wide, around the middle of its path; what leaves it is cut off. Examples show how, not "
        "how often; for that see the comparisons above.",
    )


def _side(true: np.ndarray, decoded: list[np.ndarray]) -> float:
    """Return the width of a box that holds every path, and three of four decoded ones."""
    middle = (true.min(1) + true.max(1))[:, None] / 2
    reach = np.concatenate([np.abs(one - middle).max((1, 2)) for one in decoded])
    return float(2.15 * max(np.abs(true - middle).max(), np.quantile(reach, 0.75), 1e-6))


def _panel(kind: str, true: np.ndarray, decoded: np.ndarray, side_m: float) -> Panel:
    away = 100 * np.linalg.norm(true - decoded, axis=-1).mean(1)
    draw = partial(draw_paths, true=true, decoded=decoded, side_m=side_m, color=_COLORS.get(kind, TRAINED))
    svg = render(draw, size=(4.0, 2.9))
    alt = f"Paths and decoded paths; mean distance {', '.join(number(one, 1) for one in away)} cm."
    return Panel(kind, svg, alt, (_TITLES.get(kind, kind), f"{number(float(away.mean()), 1)} cm off on average"))


def draw_paths(axes: Axes, true: np.ndarray, decoded: np.ndarray, *, side_m: float, color: str = TRAINED) -> Axes:
    """Draw paths and what is decoded over them, three in a row; return the axes.

    Parameters
    ----------
    axes : Axes
    true, decoded : array, shape (path, time, axis)
        In m.
    side_m : float
        Width of the box around each path.
    color : str
        Of the decoded ones.
    """
    width = height = side_m
    for place, (one, other) in enumerate(zip(true, decoded, strict=True)):
        shift = np.array([place % _ACROSS * width * 1.08, -(place // _ACROSS) * height * 1.2])
        corner = shift - np.array([width, height]) / 2
        wall = Rectangle((float(corner[0]), float(corner[1])), width, height, fill=False, edgecolor=AXIS, linewidth=0.8)
        axes.add_patch(wall)
        middle = (one.min(0) + one.max(0)) / 2
        here, there = one - middle + shift, other - middle + shift
        axes.plot(*here.T, color=INK, linewidth=1.3)
        axes.plot(*here[0], color=INK, marker="o", markersize=4)
        (line,) = axes.plot(*there.T, color=color, linewidth=1.2, marker=".", markersize=2.2)
        line.set_clip_path(wall)
        away = 100 * float(np.linalg.norm(one - other, axis=-1).mean())
        axes.text(float(corner[0]), float(corner[1]) + height * 1.02, f"{number(away, 1)} cm off", fontsize=7.5,
                  va="bottom")  # fmt: skip
    across, down = min(len(true), _ACROSS), -(-len(true) // _ACROSS)
    axes.set_aspect("equal")
    axes.set(xlim=(-0.55 * width, (across - 1) * 1.08 * width + 0.55 * width),
             ylim=(-(down - 1) * 1.2 * height - 0.55 * height, 0.72 * height))  # fmt: skip
    axes.axis("off")
    return axes
