"""Contact sheets: rate maps over their autocorrelograms, sorted by gridness, of the network and of its controls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from probekit.reports.section import Figure, Panel
from probekit.reports.sections.spatial.pictures import unit_picture
from probekit.reports.sections.spatial.view import ALPHA, CLASSIC, READ_OUT, View
from probekit.reports.tables import CONTROL
from probekit.reports.words import count, number, percent, plural, short_name
from probekit.spatial.autocorrelation import autocorrelograms

_MOST, _ROW = 27, 9
OVERLAP = 25
"""Fewer overlapping bins are left empty in autocorrelograms that are drawn."""
_SHEETS = {
    READ_OUT: ("maps-read-out", "The best of random read-outs of a place code, which learned nothing"),
    CONTROL: ("maps-untrained", "The best of the untrained twin"),
}


def sheets(view: View) -> list[Figure]:
    """Return the best of the network, its middle, and the best of each control."""
    if view.of_units("rate_map") is None:
        return []
    ranked = view.sorted_by("gridness")
    start = max(len(ranked) // 2 - _ROW // 2, 0)
    middle = _sheet(view, ranked.iloc[start : start + _ROW], "maps-middle", _middle(ranked))
    figures = [_best(view, ranked)]
    for network, (name, title) in _SHEETS.items():
        best = view.sorted_by("gridness", network)
        caption = (
            f"The {plural(min(_ROW, len(best)), 'unit')} with the highest gridness of {count(len(best))}, drawn in the "
            f"same way. {_passing(best)}"
        )
        figures.append(_sheet(view, best.iloc[:_ROW], name, (title, caption)))
    return [one for one in (*figures, middle) if one is not None]


def _best(view: View, ranked: pd.DataFrame) -> Figure | None:
    titles = f"The {plural(min(_MOST, len(ranked)), 'unit')} with the highest gridness: maps and autocorrelograms"
    array = view.of_units("rate_map")
    size = array.attrs.get("bin_size_m", np.nan) if array is not None else np.nan
    bins = f" of {number(100 * size, 0)} cm" if np.isfinite(size) else ""
    caption = (
        f"Above: mean activity in each bin{bins} of the arena, seen from above, dark at the unit’s least and yellow at "
        "its largest; empty where the animal never was. Below: correlation of the map with itself moved, dark at −0.5 "
        "and less, yellow at 1. Number: gridness (Banino 2018), with a star where it beats both strict nulls (q ≤ "
        f"{ALPHA}). Layer {short_name(view.main)}, sorted: these are extremes. {_passing(ranked)}"
    )
    return _sheet(view, ranked.iloc[:_MOST], "maps-best", (titles, caption))


def _passing(ranked: pd.DataFrame) -> str:
    share = float((ranked["gridness"] > CLASSIC).mean()) if len(ranked) else float("nan")
    return f"{percent(share)} of all {count(len(ranked))} are above the classic {CLASSIC}." if len(ranked) else ""


def _middle(ranked: pd.DataFrame) -> tuple[str, str]:
    return (
        "Typical units",
        f"The {min(_ROW, len(ranked))} in the middle when all {count(len(ranked))} units are sorted by gridness, as "
        "above.",
    )


def _sheet(view: View, units: pd.DataFrame, name: str, words: tuple[str, str]) -> Figure | None:
    if units.empty:
        return None
    drawn = pictures(view, units)
    panels = [
        Panel(f"{place + 1:02d}", picture, "", _unit_words(unit))
        for place, (picture, unit) in enumerate(zip(drawn, units.to_dict("records"), strict=True))
    ]
    return Figure(name, words[0], tuple(panels), words[1], size="small")


def _unit_words(unit: Mapping[Any, Any]) -> tuple[str, str]:
    star = " *" if unit["q_grid"] <= ALPHA else ""
    return f"{number(unit['gridness'])}{star}", f"unit {unit['channel']}"


def pictures(view: View, units: pd.DataFrame, *, headings: bool = False) -> list[str]:
    """Return map and autocorrelogram of each unit, and below, where asked for and known, its directional tuning."""
    kept = view.of_units("rate_map")
    assert kept is not None
    rows = units["row"].to_numpy()
    maps = kept.values[rows].astype(float)
    curves = [heading_curve(view, int(row)) if headings else None for row in rows]
    return [unit_picture(*one) for one in zip(maps, autocorrelograms(maps, min_overlap=OVERLAP), curves, strict=True)]


def heading_curve(view: View, row: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return directions (deg) and activity of the unit in a row of the table, None where they are not known."""
    curves = view.of_units("directional_curve")
    if curves is None or not np.isfinite(curves.values[row]).any():
        return None
    return curves["heading_deg"].values.astype(float), curves.values[row].astype(float)
