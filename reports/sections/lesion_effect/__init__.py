"""The lesion section: whether the highest-ranked units matter more than others like them, and what else follows."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from probekit.analyses.causal.design import FAIR, POOR
from probekit.analyses.causal.rows import ALPHA
from probekit.analyses.lesion_effect.columns import SUMMARY
from probekit.reports.rendering import render_template
from probekit.reports.section import Content, Fold, Section
from probekit.reports.sections.lesion_effect.along import along_figure
from probekit.reports.sections.lesion_effect.dissociation import dissociation_figure
from probekit.reports.sections.lesion_effect.dose_response import dose_figure
from probekit.reports.sections.lesion_effect.findings import findings
from probekit.reports.sections.lesion_effect.flips import flips_figure
from probekit.reports.sections.lesion_effect.groups import groups_figure
from probekit.reports.sections.lesion_effect.match import IDEAL, match_figure
from probekit.reports.sections.lesion_effect.paths import paths_figure
from probekit.reports.sections.lesion_effect.recovery import recovery_figure
from probekit.reports.sections.lesion_effect.scale import dose_words, ranking_words, words_of
from probekit.reports.sections.lesion_effect.single_units import single_unit_figure
from probekit.reports.sections.lesion_effect.specification import overview
from probekit.reports.sections.lesion_effect.view import View, view_of
from probekit.reports.tables import CONTROL, MEASURED, LayerTable, layer_table
from probekit.reports.words import count, listing, plural
from probekit.result import Result

__all__ = ["SECTION"]

_LABELS = {
    "n_units": "Units",
    "n_doses": "Doses tested",
    "n_more": "More",
    "n_less": "Less",
    "verdict": "Verdict",
    "score_intact": "Intact",
    "score_largest_dose": "Largest dose",
    "unit": "Unit",
    "rank_correlation": "ρ of rank and damage",
    "p_rank": "p",
    "rank_correlation_partial": "Partial ρ",
    "p_rank_partial": "p",
    "pair_excess": "Pairs beyond members",
}
_MOST_FOLDED = 24
_FOLDS_RULE = "Effect against dose in every other task and ranking, and in the untrained twin where there is one."


def build(result: Result) -> Content:
    """Return figures, tables and methods of a lesion result."""
    view = view_of(result)
    if not view.series or view.rows.empty:
        return Content(methods=_methods(view), row="lesion")
    figures = (
        dose_figure(view, view.chosen()),
        overview(view),
        dissociation_figure(view),
        groups_figure(view),
        along_figure(view),
        paths_figure(view),
        flips_figure(view),
        match_figure(view),
        single_unit_figure(view),
        recovery_figure(view),
    )
    return Content(
        figures=tuple(figure for figure in figures if figure is not None),
        layers=_layer_table(view),
        folds=_folds(view),
        folds_rule=_FOLDS_RULE
        if len(view.chosen()) < len(view.series)
        else "Effect against dose in the untrained twin.",
        methods=_methods(view),
        axes=("dose", "effect_size"),
        row="lesion",
    )


def _layer_table(view: View) -> LayerTable:
    """Return a row a layer, task and ranking, the twin's number beside each."""
    summary = view.result.summary
    several = [name for name in ("task", "ranking") if summary[name].nunique() > 1]
    named = summary.assign(
        layer=[
            " · ".join([str(row["layer"]), *(_said(name, str(row[name])) for name in several)])
            for row in summary.to_dict("records")
        ],
        network=summary["network"].where(summary["network"] != view.measured, MEASURED),
    )
    shown = {
        name: label for name, label in _LABELS.items()
        if name in named and _is_told(named[name]) and (name != "rank_correlation_partial" or named["matched_on"].any())
    }  # fmt: skip
    return layer_table(named, SUMMARY, labels=shown)


def _said(name: str, value: str) -> str:
    return f"by {ranking_words(value)}" if name == "ranking" else value


def _is_told(values: pd.Series) -> bool:
    return bool((values != "").any() if values.dtype.kind not in "fiub" else values.notna().any())


def _folds(view: View) -> tuple[Fold, ...]:
    """Return the dose responses that are not drawn above, of the network and of its twin, layer by layer."""
    above = {one.number for one in view.chosen()}
    rest = [one for one in (*view.series, *view.twins) if one.number not in above]
    folds = []
    for layer in dict.fromkeys(one.layer for one in rest):
        here = [one for one in rest if one.layer == layer][:_MOST_FOLDED]
        figure = dose_figure(view, here, name="doses", folded=True)
        if figure is not None:
            ours = [one for one in view.series if one.layer == layer]
            more = sum(int((one.rows["verdict"] == "more").sum()) for one in ours)
            total = sum(len(one.rows) for one in ours)
            folds.append(Fold(layer, f"more than shams at {more} of {plural(total, 'comparison')}", (figure,)))
    return tuple(folds)


def _methods(view: View) -> Markup:
    used = view.result.provenance.get("parameters", {})
    matched = dict.fromkeys(name for one in view.series for name in str(one.said["matched_on"]).split(", ") if name)
    return render_template(
        "lesion_effect_methods.html.jinja",
        alpha=ALPHA,
        ideal=IDEAL,
        fair=FAIR,
        poor=POOR,
        matched=listing([words_of(name) for name in matched]),
        rankings=listing([ranking_words(name) for name in view.rankings]),
        tasks=listing(list(view.tasks), 8),
        doses=listing([dose_words(float(one)) for one in used.get("doses", ())], 8),
        n_sham=count(view.rows["n_sham"].max()) if len(view.rows) else "",
        n_single=int(used.get("n_single", 0)),
        n_pairs=int(used.get("n_pairs", 0)),
        method=str(used.get("method", "")),
        how=str(used.get("how", "")),
        seed=str(view.result.provenance.get("seed", "")),
        has_twin=any(one.network == CONTROL for one in view.twins),
        has_dissociation="dissociation" in view.result.arrays,
        has_recovery="recovery" in view.result.arrays,
    )


SECTION = Section("lesion_effect", findings, build)
