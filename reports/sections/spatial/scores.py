"""Distributions of scores: the units beside their nulls, the untrained twin and the random read-out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from probekit.reports.by_depth import DASHED, DOTTED, Dash
from probekit.reports.figures import AXIS, INK, render
from probekit.reports.labels import Curve, label_curves
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.spatial.view import ALPHA, CLASSIC, LOOKS, View
from probekit.reports.tables import MEASURED
from probekit.reports.words import number, percent, plural, sample, short_name

_MOST_POINTS = 200
_NULLS: dict[str, tuple[str, str, Dash]] = {
    "shift": ("time shift: weak", AXIS, DOTTED),
    "fields": ("fields re-placed", INK, DASHED),
    "spectrum": ("same spectrum", INK, (0, (1, 1.4))),
}
_SCORES = (
    ("information_bits_per_spike", "q_information", "spatial information (bits)"),
    ("stability", "", "stability: correlation of halves"),
    ("coherence", "", "spatial coherence (z)"),
    ("border_score", "q_border", "border score"),
    ("mean_vector_length", "q_heading", "mean vector length"),
    ("speed_score", "q_speed", "speed score"),
)


@dataclass(frozen=True, eq=False)
class Sample:
    """Finite values of one set of units, and how its curve is named and drawn."""

    label: str
    values: np.ndarray
    color: str
    dash: Dash = "-"
    width: float = 1.8


def networks(view: View, column: str) -> list[Sample]:
    """Return the controls and, above them, the network: those that have a value in that column."""
    found = []
    for name, (label, color, dash) in reversed(LOOKS.items()):
        values = view.values(column, name)
        if len(values):
            found.append(Sample(label, values, color, dash, 2.4 if name == MEASURED else 1.8))
    return found


def above_panel(
    name: str,
    samples: Sequence[Sample],
    xlabel: str,
    *,
    mark: float | None = None,
    label: tuple[str, ...] = (),
    large: bool = False,
) -> Panel | None:
    """Return a chart of which share of each sample lies above any value, None where there is no sample.

    Parameters
    ----------
    name : str
        Of the panel.
    samples : sequence of Sample
    xlabel : str
    mark : float, optional
        A threshold, drawn as a line; the words then give the shares above it.
    label : tuple of str
        Lines under the picture.
    large : bool
        Whether the panel fills half of the page.
    """  # fmt: skip
    if not any(len(one.values) for one in samples):
        return None
    size = (4.6, 3.4) if large else (4.0, 3.0)
    area = (270.0, 180.0) if large else (235.0, 150.0)
    draw = partial(_draw_above, samples=samples, xlabel=xlabel, mark=mark, area=area)
    told = [
        f"{one.label} {number(float(np.median(one.values)))}"
        + ("" if mark is None else f" ({percent(float((one.values > mark).mean()))} above {mark})")
        for one in samples
    ]
    return Panel(
        name, render(draw, size=size), f"Share of units above each {xlabel}. Medians: {'; '.join(told)}.", label
    )


def _draw_above(
    axes: Axes, samples: Sequence[Sample], xlabel: str, mark: float | None, area: tuple[float, float]
) -> Axes:
    ends = np.array([np.quantile(one.values, (0.002, 0.998)) for one in samples])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    if mark is not None:
        low, high = min(low, mark), max(high, mark)
    room = 0.03 * (high - low) or 0.5
    curves = []
    axes.grid(axis="y")
    axes.set(xlim=(low - room, high + room), ylim=(0, 102), xlabel=xlabel, ylabel="units above (%)")
    if mark is not None:
        axes.axvline(mark, color=AXIS, linewidth=1.0)
        curves.append(Curve(f"classic {mark}", np.full(2, mark), np.array([0.0, 102.0]), INK))
    for one in samples:
        value, share = _above(one.values)
        axes.plot(value, share, color=one.color, linestyle=one.dash, linewidth=one.width)
        curves.append(
            Curve(one.label, np.clip(value, low - room, high + room), share, one.color if one.color != AXIS else INK)
        )
    return label_curves(axes, curves, size=area)


def _above(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values and the percentage above each, as steps that are few enough to draw."""
    share = np.linspace(0, 1, min(len(values), _MOST_POINTS) + 1)
    return np.quantile(values, share), 100 * (1 - share)


def gridness(view: View) -> Figure | None:
    """Return gridness beside its nulls, and beside the twin and the random read-out."""
    mine = view.values("gridness")
    if not len(mine):
        return None
    label, color, dash = LOOKS[MEASURED]
    nulls = _nulls(view)
    measured = Sample(label, mine, color, dash, 2.4)
    panels = [
        above_panel("nulls", [*nulls, measured], "gridness", mark=CLASSIC, large=True) if nulls else None,
        above_panel("networks", networks(view, "gridness"), "gridness", mark=CLASSIC, large=True),
    ]
    return Figure(
        "gridness",
        "Gridness against chance",
        tuple(panel for panel in panels if panel is not None),
        f"How many units lie above any gridness: layer {short_name(view.main)} ({sample(len(mine))}). "
        + (
            "Left: against what is expected of the same units by chance, all nulls pooled. "
            "Shifting activity in time leaves hardly any map and few high scores, so that almost anything beats it; "
            "the two strict nulls keep the unit’s fields, or how coarse its map is. "
            if nulls
            else ""
        )
        + f"{'Right' if nulls else 'Here'}: {_beside(view)}",
        size="large",
    )


def _beside(view: View) -> str:
    shares = [
        f"{LOOKS[name][0]} {percent(view.share('n_classic', name))} ({sample(len(view.of(name)))})"
        for name in LOOKS
        if view.has(name)
    ]
    alone = "" if len(shares) > 1 else "; no control was measured"
    return f"above the classic {CLASSIC}: {', '.join(shares)}{alone}."


def _nulls(view: View) -> list[Sample]:
    kept = view.of_units("null_gridness")
    if kept is None:
        return []
    rows = view.of()["row"].to_numpy()
    samples = []
    for name, (label, color, dash) in _NULLS.items():
        if name in kept["null"].values:
            values = np.asarray(kept.sel(null=name).values[rows], dtype=float).ravel()
            values = values[np.isfinite(values)]
            if len(values):
                samples.append(Sample(label, values, color, dash, 1.4))
    return samples


def others(view: View) -> Figure | None:
    """Return the other scores beside those of the controls."""
    panels = []
    for column, q, words in _SCORES:
        label = _significant(view, q) if q else ()
        panel = above_panel(column.replace("_", "-"), networks(view, column), words, label=label)
        if panel is not None:
            panels.append(panel)
    if not panels:
        return None
    return Figure(
        "scores",
        "Place, borders, direction and speed",
        tuple(panels),
        f"How many of {plural(len(view.of()), 'unit')} lie above any value, beside the controls. Under a chart: the "
        "share that beats the unit’s own null (random maps of the same spectrum for borders, activity shifted in time "
        f"for the others; q ≤ {ALPHA}).",
    )


def _significant(view: View, q: str) -> tuple[str, ...]:
    said = [
        f"{LOOKS[name][0]} {percent(float((values <= ALPHA).mean()))}"
        for name in LOOKS
        if len(values := view.values(q, name))
    ]
    return (f"beyond its null: {', '.join(said)}",) if said else ()
