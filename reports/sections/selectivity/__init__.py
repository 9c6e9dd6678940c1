"""The selectivity section: which units prefer a category, on other images too, beside what learned nothing."""

from __future__ import annotations

import pandas as pd

from probekit.reports.rendering import render_template
from probekit.reports.section import Content, Section
from probekit.reports.sections.selectivity import drawing
from probekit.reports.sections.selectivity.findings import findings
from probekit.reports.sections.selectivity.view import (
    ALPHA,
    IT,
    REPLICATED_D_PRIME,
    SELECTIVE_D_PRIME,
    View,
    view_of,
)
from probekit.reports.tables import CONTROL, LayerTable, layer_table
from probekit.reports.words import plain
from probekit.result import Result

__all__ = ["SECTION"]


def build(result: Result) -> Content:
    """Return figures, table and methods of a selectivity result."""
    view = view_of(result)
    figures = (drawing.by_depth(view), drawing.distributions(view), drawing.halves(view), drawing.pictures(view))
    used = result.provenance.get("parameters", {})
    return Content(
        figures=tuple(figure for figure in figures if figure is not None),
        layers=_layer_table(view),
        methods=render_template(
            "selectivity_methods.html.jinja",
            alpha=ALPHA,
            selective_d_prime=f"{SELECTIVE_D_PRIME:g}",
            replicated_d_prime=f"{REPLICATED_D_PRIME:g}",
            n_shuffles=plain(used["n_shuffles"]) if "n_shuffles" in used else "",
            n_stimuli=plain(used["n_stimuli"]) if "n_stimuli" in used else "",
            is_protocol="controls" in result.provenance,
            has_twin=view.has(CONTROL),
            has_neurons=view.has(IT),
        ),
        axes=("d_prime_selected", "d_prime_replicated"),
        row="row",
    )


def _layer_table(view: View) -> LayerTable | None:
    """Return a row a layer, with the selective units of each contrast and the largest d′ beside them."""
    summary = view.result.summary
    ours = summary[summary["contrast"].isin(view.contrasts) & (summary["network"] != IT)]
    if ours.empty:
        return None
    keys = ["network", "layer", "depth"]
    wide = ours.groupby(keys, sort=False)["n_units"].first().reset_index()
    for contrast in view.contrasts:
        of_it = ours[ours["contrast"] == contrast].set_index(keys)[["n_selective", "max_d_prime"]]
        joined = of_it.reindex(pd.MultiIndex.from_frame(wide[keys]))
        wide[f"n_selective, {contrast}"] = joined["n_selective"].to_numpy(dtype=float)
        wide[f"largest d′, {contrast}"] = joined["max_d_prime"].to_numpy(dtype=float)
    labels = {"n_units": "Units"} | {f"n_selective, {one}": f"Selective, {one}" for one in view.contrasts}
    labels |= {f"largest d′, {one}": f"Largest d′, {one}" for one in view.contrasts}
    return layer_table(wide, labels=labels)


SECTION = Section("selectivity", findings, build)
