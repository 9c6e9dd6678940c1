"""Single units: those that point the most one way, and what folds out for a layer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probekit.reports.section import Figure, Fold, Panel
from probekit.reports.sections.spatial.maps import heading_curve, pictures
from probekit.reports.sections.spatial.pictures import compass
from probekit.reports.sections.spatial.view import ALPHA, View
from probekit.reports.tables import CONTROL, MEASURED
from probekit.reports.words import count, number, percent, plural, short_name

_MOST = 9
FOLDS_RULE = (
    "Of each layer: the units with the highest gridness, spatial information, border score and mean vector length, and "
    "the one in the middle when units are ordered by gridness. The first four are extremes."
)
_ROLES = {
    "gridness": "highest gridness",
    "information_bits_per_spike": "most information",
    "border_score": "highest border score",
    "mean_vector_length": "longest mean vector",
}


def directions(view: View) -> Figure | None:
    """Return the tuning of the units that point the most one way."""
    ranked = view.sorted_by("mean_vector_length")
    panels: list[Panel] = []
    for unit in ranked.iloc[:_MOST].to_dict("records"):
        curve = heading_curve(view, int(unit["row"]))
        if curve is not None:
            said = f"R {number(unit['mean_vector_length'])} · {number(unit['preferred_heading_deg'], 0)}°"
            star = " *" if unit["q_heading"] <= ALPHA else ""
            panels.append(
                Panel(f"{len(panels) + 1:02d}", compass(*curve), "", (f"{said}{star}", f"unit {unit['channel']}"))
            )
    if not panels:
        return None
    shares = [_significant(view, network) for network in (MEASURED, CONTROL)]
    twin = f" (untrained {shares[1]})" if shares[1] else ""
    return Figure(
        "directions",
        "Head direction",
        tuple(panels),
        f"The {len(panels)} units with the longest mean vector R: activity by the direction that is faced, 0° to the "
        "right, counter-clockwise; outer circle: the unit’s peak. A star: more than with the activity shifted in time "
        f"(q ≤ {ALPHA}), which holds for {shares[0]} of the units{twin}. These are extremes: a curve fills a circle "
        "where a unit does not care for direction.",
        size="small",
    )


def _significant(view: View, network: str) -> str:
    values = view.values("q_heading", network)
    return percent(float((values <= ALPHA).mean())) if len(values) else ""


def folds(view: View) -> tuple[Fold, ...]:
    """Return for each layer single units: map, autocorrelogram and directional tuning."""
    if view.of_units("rate_map") is None:
        return ()
    return tuple(_fold(view, layer) for layer in view.layers)


def _fold(view: View, layer: str) -> Fold:
    chosen: dict[int, tuple[str, pd.Series]] = {}
    for column, role in _ROLES.items():
        ranked = view.sorted_by(column, MEASURED, layer)
        if len(ranked):
            chosen.setdefault(int(ranked["row"].iloc[0]), (role, ranked.iloc[0]))
    ranked = view.sorted_by("gridness", MEASURED, layer)
    if len(ranked):
        middle = ranked.iloc[len(ranked) // 2]
        chosen.setdefault(int(middle["row"]), ("median gridness", middle))
    units = pd.DataFrame([unit for _, unit in chosen.values()])
    drawn = pictures(view, units, headings=True) if len(units) else []
    panels = tuple(
        Panel(f"unit-{place + 1}", picture, "", (role, *_all_words(unit)))
        for place, (picture, (role, unit)) in enumerate(zip(drawn, chosen.values(), strict=True))
    )
    caption = (
        "Above: rate map; then its autocorrelogram; below, where headings were recorded: activity by direction. "
        "Colours as in the contact sheets."
    )
    line = (
        f"{plural(len(view.of(MEASURED, layer)), 'unit')}, {count(len(view.grid_cells(MEASURED, layer)))} grid cells"
        f"{_twin_grids(view, layer)}"
    )
    figures = (Figure("units", "Single units", panels, caption, size="small"),) if panels else ()
    return Fold(short_name(layer), line, figures)


def _twin_grids(view: View, layer: str) -> str:
    return f" (untrained {count(len(view.grid_cells(CONTROL, layer)))})" if view.has(CONTROL, layer) else ""


def _all_words(unit: pd.Series) -> tuple[str, ...]:
    known = [
        f"{short} {number(float(unit[column]))}{suffix}".strip()
        for column, short, suffix in (
            ("gridness", "gridness", ""),
            ("information_bits_per_spike", "", " bits"),
            ("border_score", "border", ""),
            ("mean_vector_length", "R", ""),
        )
        if np.isfinite(unit[column])
    ]
    return (f"unit {unit['channel']}", str(unit["cell_type"]).replace("_", " "), *known)
