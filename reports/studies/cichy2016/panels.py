"""Panels over time: curves with bands, and layers by moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from probekit.reports.by_depth import DASHED, DOTTED, Dash
from probekit.reports.figures import AXIS, INK, TRAINED, render
from probekit.reports.labels import Curve, label_curves
from probekit.reports.section import Panel
from probekit.reports.words import number, short_name

_PLOT_AREA = (235.0, 150.0)
_MOST_TICKS = 12


@dataclass(frozen=True, eq=False)
class Course:
    """A number over time.

    Parameters
    ----------
    label : str
    values : array, shape (time,)
    color : str
    dash : Dash
    spread : array, shape (time,), optional
        Half of the height of the band around it.
    significant : array of bool, shape (time,), optional
        Moments underlined at the bottom of the panel.
    chance : float, optional
        Drawn across, with what shuffled labels reach.
    reached : float
        What 95 % of data with shuffled labels stay below, at any moment.
    """

    label: str
    values: np.ndarray
    color: str = TRAINED
    dash: Dash = "-"
    spread: np.ndarray | None = None
    significant: np.ndarray | None = None
    chance: float = float("nan")
    reached: float = float("nan")


def time_panel(name: str, times_ms: np.ndarray, courses: Sequence[Course], ylabel: str) -> Panel:
    """Return curves over time with their words; the stimulus comes on at 0."""

    def draw(axes: Axes) -> None:
        bottom, top = _ends(courses)
        room = 0.05 * (top - bottom)
        lowest = bottom - room * (1 + len(courses))
        axes.grid(axis="y")
        axes.axvline(0, color=AXIS, linewidth=0.8, linestyle=DOTTED)
        axes.set(
            xlim=(times_ms[0], times_ms[-1]), ylim=(lowest, top + room), xlabel="ms after stimulus onset", ylabel=ylabel
        )
        for place, one in enumerate(courses):
            if np.isfinite(one.chance):
                axes.axhline(one.chance, color=one.color, linewidth=1, linestyle=DASHED)
                axes.axhspan(one.chance, one.reached, color=one.color, alpha=0.12, linewidth=0)
            if one.spread is not None:
                low, high = one.values - one.spread, one.values + one.spread
                axes.fill_between(times_ms, low, high, color=one.color, alpha=0.2, linewidth=0)
            axes.plot(times_ms, one.values, color=one.color, linestyle=one.dash)
            if one.significant is not None:
                at = np.where(one.significant, lowest + room * (0.6 + place), np.nan)
                axes.plot(times_ms, at, color=one.color, linewidth=3, solid_capstyle="butt")
        label_curves(axes, [Curve(one.label, times_ms, one.values, one.color) for one in courses], size=_PLOT_AREA)

    told = "; ".join(f"{one.label}: {_told(times_ms, one)}" for one in courses)
    return Panel(name, render(draw), f"Line chart, {ylabel} over time. {told}.")


def map_panel(name: str, title: str, scores: xr.DataArray, mask: np.ndarray, peaks: np.ndarray) -> Panel:
    """Return similarity by layer and moment, what is in a cluster outlined, planted peaks as a dashed line.

    Parameters
    ----------
    name, title : str
    scores : DataArray, dims (layer, time_ms)
    mask : array of bool, same shape
    peaks : array, shape (layer,)
        When each layer was planted, nan where nothing was.
    """
    times, layers = scores["time_ms"].to_numpy(), [str(layer) for layer in scores["layer"].values]
    values = scores.to_numpy()
    half = (times[1] - times[0]) / 2

    def draw(axes: Axes) -> None:
        extent = (times[0] - half, times[-1] + half, -0.5, len(layers) - 0.5)
        shown = axes.imshow(values, cmap="cividis", aspect="auto", origin="lower", extent=extent, interpolation="none")
        if mask.any():
            axes.contour(
                times, np.arange(len(layers)), mask.astype(float), levels=[0.5], colors=["#ffffff"], linewidths=0.8
            )
        if np.isfinite(peaks).any():
            axes.plot(peaks, np.arange(len(layers)), color="#ffffff", linewidth=1.2, linestyle=DASHED)
        step = max(1, -(-len(layers) // _MOST_TICKS))
        axes.set_yticks(range(0, len(layers), step), [short_name(one, 22) for one in layers[::step]], fontsize=7)
        axes.set(xlabel="ms after stimulus onset", title=title)
        bar = axes.figure.colorbar(shown, ax=axes, shrink=0.8)
        bar.ax.tick_params(labelsize=7)
        bar.outline.set_visible(False)

    best = np.unravel_index(int(np.nanargmax(values)), values.shape)
    alt = (
        f"Heat map, {title}: similarity of RDMs by layer and time, highest {number(float(values[best]))} in "
        f"{short_name(layers[best[0]])} at {times[best[1]]:.0f} ms; {int(mask.any(axis=1).sum())} of {len(layers)} "
        "layers have a cluster."
    )
    return Panel(name, render(draw), alt)


def square_panel(name: str, values: xr.DataArray) -> Panel:
    """Return a small square matrix with its numbers written into it."""
    rows, columns = ([str(one) for one in values[dim].values] for dim in values.dims)

    def draw(axes: Axes) -> None:
        axes.imshow(values.to_numpy(), cmap="cividis", vmin=0, vmax=1, interpolation="none")
        for (row, column), value in np.ndenumerate(values.to_numpy()):
            color = INK if value > 0.55 else "#ffffff"
            axes.text(column, row, number(float(value)), ha="center", va="center", color=color)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.set(xlabel=f"{values.dims[1]} at", ylabel=f"{values.dims[0]} at")

    told = "; ".join(
        f"{row} to {column} {number(float(values.loc[row, column]))}" for row in rows for column in columns
    )
    return Panel(name, render(draw), f"Matrix of shares decoded, {values.dims[0]} to {values.dims[1]}: {told}.")


def _ends(courses: Sequence[Course]) -> tuple[float, float]:
    known = [
        one.values if one.spread is None else one.values + sign * one.spread for one in courses for sign in (-1, 1)
    ]
    values = np.concatenate([*known, [one.chance for one in courses], [one.reached for one in courses]])
    return float(np.nanmin(values)), float(np.nanmax(values))


def _told(times_ms: np.ndarray, one: Course) -> str:
    best = int(np.nanargmax(one.values))
    chance = f", chance {number(one.chance)}" if np.isfinite(one.chance) else ""
    return f"highest {number(float(one.values[best]))} at {times_ms[best]:.0f} ms{chance}"
