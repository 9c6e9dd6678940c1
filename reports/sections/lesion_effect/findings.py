"""What lesions did and what they did not, each number beside its controls."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probekit.reports.sections.lesion_effect.causes import pairs, recovered, single_units
from probekit.reports.sections.lesion_effect.controls import detectable, unmatched
from probekit.reports.sections.lesion_effect.dissociation import Dissociated, dissociations
from probekit.reports.sections.lesion_effect.scale import dose_words, units_of
from probekit.reports.sections.lesion_effect.verdicts import headline
from probekit.reports.sections.lesion_effect.view import Series, View, view_of
from probekit.reports.words import listing, plural, probability, short_name
from probekit.result import Result

_MOST = 4


def findings(result: Result) -> list[str]:
    """Return what was found, each number from the result and its controls beside it."""
    view = view_of(result)
    if not view.series or view.rows.empty:
        return ["Nothing was lesioned, so there is nothing to report."]
    told = [headline(view), _dissociation(view), detectable(view), unmatched(view)]
    told += [_dose_response(view, ranking) for ranking in view.rankings]
    told += [single_units(view), pairs(view), recovered(view)]
    return [sentence for sentence in told if sentence]


def _dissociation(view: View) -> str:
    share, found = dissociations(view)
    if not found:
        return ""
    double = [one for one in found if one.is_double]
    each = f"the {dose_words(share)} of units" if np.isfinite(share) else "the units"
    lead = f"{each[:1].upper()}{each[1:]} most selective for {' and for '.join(found[0].sets)}, lesioned apart: "
    verdict = (
        "no double dissociation" if not double else f"a double dissociation in {len(double)} of {len(found)} layers"
    )
    if len(found) == 1:
        verdict = "a double dissociation" if double else "no double dissociation"
    return f"{lead}{verdict}. {' '.join(_cells(one) for one in found[:_MOST])}"


def _cells(one: Dissociated) -> str:
    said = []
    for name, row in zip(one.sets, one.harm, strict=True):
        costs = [f"{task} {one.scale.bare(value)}" for task, value in zip(one.tasks, row, strict=True)]
        said.append(f"the {name} units cost {listing(costs)}")
    unit = f" {one.scale.difference_unit}" if one.scale.difference_unit else ""
    sizes = f" ({' and '.join(map(str, one.sizes))} units)" if one.sizes else ""
    return (
        f"In {short_name(one.layer, 28)}{sizes} {', '.join(said)}{unit} (interaction p {probability(one.p)}"
        f"{'' if one.is_double else ', not double'})."
    )


def _dose_response(view: View, ranking: str) -> str:
    """Say from where to where the score goes with the largest dose, beside every control."""
    task = view.main_task(ranking)
    series = [one for one in view.of(ranking, task) if len(one.rows)]
    if not series:
        return ""
    doses = listing([dose_words(dose) for dose in _few(series[0].rows["dose"].tolist())], 8)
    told = "; ".join(_course(one) for one in series[:_MOST])
    more = f"; {plural(len(series) - _MOST, 'more layer')} in the table" if len(series) > _MOST else ""
    name = short_name(task, 28)
    lead = name if "_" in name else f"{name[:1].upper()}{name[1:]}"
    return f"{lead} without {units_of(ranking)}, intact and at {doses}: {told}{more}."


def _course(one: Series) -> str:
    scores = [float(one.rows["score_intact"].iloc[0]), *_few(one.rows["score_targeted"].astype(float).tolist())]
    row, said = one.rows.iloc[-1], one.scale.score
    shams = f"shams {said(row['score_sham'])}" if pd.notna(row["score_sham"]) else "no sham"
    return (
        f"in {short_name(one.layer, 28)} {', '.join(map(one.scale.bare, scores[:-1]))} and {said(scores[-1])} (at the "
        f"largest dose {shams}, at random {said(row['score_random'])}, the lowest-ranked {said(row['score_reversed'])})"
    )


def _few(values: list[float]) -> list[float]:
    """Return the first, the middle and the last of many values."""
    return values if len(values) <= _MOST + 1 else [values[0], values[len(values) // 2], values[-1]]
