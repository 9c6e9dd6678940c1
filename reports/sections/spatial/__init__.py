"""The spatial section: does it know where it is, and what do its units' maps show beyond chance and their controls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from probekit.reports.rendering import render_template
from probekit.reports.section import Content, Section, declared
from probekit.reports.sections.spatial import kinds, maps, navigation, real, scores, units
from probekit.reports.sections.spatial.findings import findings
from probekit.reports.sections.spatial.view import ALPHA, CLASSIC, READ_OUT, View, view_of
from probekit.reports.tables import CONTROL, LayerTable, layer_table
from probekit.reports.words import count, number
from probekit.result import Result

__all__ = ["SECTION"]

_LABELS = {
    "n_units": "Units",
    "n_silent": "Silent",
    "n_classic": f"Above {CLASSIC}",
    "n_above_fields": "Above re-placed fields",
    "n_above_spectrum": "Above same spectrum",
    "n_above_both": "Above both",
    "n_grid": "Grid",
    "n_border": "Border",
    "n_head_direction": "Head direc\u00adtion",
    "n_place": "Place",
    "n_speed": "Speed",
    "n_mixed": "Mixed",
    "n_none": "None",
    "median_gridness": "Median gridness",
    "gridness_percentile_95": "Grid\u00adness of 1 in 20",
    "median_spacing_m": "Spacing (m)",
    "n_modules": "Modules",
    "decoding_error_m": "Decoded to (m)",
    "decoding_error_shuffled_m": "Shuffled (m)",
    "path_error_m": "Path error (m)",
    "path_error_long_m": "… over 100 steps (m)",
}


def build(result: Result) -> Content:
    """Return figures, tables and methods of a spatial result."""
    view = view_of(result)
    if not view.layers:
        return Content(methods=_methods(view))
    figures = (
        navigation.paths(view),
        *maps.sheets(view),
        kinds.counts(view),
        scores.gridness(view),
        kinds.modules(view),
        scores.others(view),
        units.directions(view),
        navigation.emergence(view),
        real.real_cells(view),
        real.real_grids(view),
    )
    return Content(
        figures=tuple(figure for figure in figures if figure is not None),
        layers=_layer_table(view),
        folds=units.folds(view),
        folds_rule=units.FOLDS_RULE,
        methods=_methods(view),
        axes=("gridness", "information_bits_per_spike"),
    )


def _layer_table(view: View) -> LayerTable:
    summary, analysis = view.result.summary, declared(view.result.analysis)
    layer = summary["layer"].astype(str)
    named = summary.assign(layer=layer.where(summary["network"] != READ_OUT, "random read-out of the place code"))
    shown = named.select_dtypes("number").columns[named.select_dtypes("number").notna().any()]
    labels = {name: label for name, label in _LABELS.items() if name in shown}
    marked = (view.main, "the one drawn") if len(view.layers) > 1 else None
    return layer_table(named, analysis.summary_columns if analysis else (), labels=labels, marked=marked)


def _methods(view: View) -> Any:
    provenance = view.result.provenance
    nulls, kept = view.of_units("null_gridness"), view.of_units("rate_map")
    size = np.nan if kept is None else float(kept.attrs.get("bin_size_m", np.nan))
    signed = view.of()["signed"] if "signed" in view.of() else pd.Series(dtype=bool)
    return render_template(
        "spatial_methods.html.jinja",
        alpha=ALPHA,
        classic=CLASSIC,
        arena=_arena_words(provenance.get("arena", {})),
        bins="" if kept is None else f"{kept.sizes['x']} × {kept.sizes['y']}",
        bin_cm=number(100 * size, 1) if np.isfinite(size) else "",
        n_nulls="" if nulls is None else count(nulls.sizes["shuffle"]),
        n_signed=int(signed.sum()),
        has_read_out=view.has(READ_OUT),
        has_twin=view.has(CONTROL),
        kinds=_meaning_of_kinds(view.result.analysis),
    )


def _meaning_of_kinds(name: str) -> str:
    analysis = declared(name)
    found = [column.meaning for column in analysis.columns if column.name == "cell_type"] if analysis else []
    return found[0] if found else ""


def _arena_words(arena: Mapping[str, Any]) -> str:
    if not {"width", "height"} <= set(arena):
        return ""
    width, height = float(arena["width"]), float(arena["height"])
    if arena.get("shape") == "circle":
        return f"round, {width:g} m across"
    return f"{width:g} × {height:g} m"


SECTION = Section("spatial", findings, build)
