"""What the selectivity analysis found and what it did not, each number beside its controls."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from probekit.reports.sections.selectivity.view import ALPHA, IT, LOOKS, PIXELS, REPLICATED_D_PRIME, View, view_of
from probekit.reports.tables import BASELINE, CONTROL, MEASURED
from probekit.reports.words import count, listing, number, percent, plural, short_name
from probekit.result import Result


def findings(result: Result) -> list[str]:
    """Return what was found, each number from the result and its controls beside it."""
    view = view_of(result)
    if not view.layers:
        return ["No layer was measured, so there is nothing to report."]
    told = [_headline(view), *(_contrast(view, one) for one in view.contrasts), _replication(view)]
    told += [_neurons(view), _literature(view)]
    return [sentence for sentence in told if sentence]


def _headline(view: View) -> str:
    untrained = str(view.trained.get("trained_on", "")).startswith("nothing")
    said = "This network is itself untrained. " if untrained else ""
    beyond = [one for one in view.contrasts if view.beyond(one)]
    some = [one for one in view.contrasts if one not in beyond and _n(view, one)]
    none = [one for one in view.contrasts if not _n(view, one)]
    controls = "by chance and in every control" if view.has(CONTROL) else "by chance (no untrained twin was measured)"
    parts = (
        (f"More selective units than {controls}", beyond),
        ("No more than in a control or by chance", some),
        ("Not one selective unit", none),
    )
    return said + " ".join(f"{lead}: {listing(names, 8)}." for lead, names in parts if names)


def _n(view: View, contrast: str) -> int:
    best = view.best(contrast)
    return 0 if best is None else int(best["n_selective"])


def _contrast(view: View, contrast: str) -> str:
    """Say how many units are selective in the best layer, in the first and the last, and in each control."""
    best = view.best(contrast)
    if best is None or not best["n_selective"]:
        return ""
    layer = short_name(str(best["layer"]))
    where, depth = layer, ""
    if len(view.layers) > 1:
        ends = view.shares(contrast, MEASURED)[[0, -1]]
        where = f"{layer}, the layer with most of {len(view.layers)}"
        depth = f" From the first layer to the last: {percent(ends[0])} to {percent(ends[1])}."
    return (
        f"{contrast.capitalize()}: {_share(best)} units ({percent(best['selective_share'])}) in {where}; largest d′ "
        f"{number(best['max_d_prime'], 1)}; {'; '.join(_beside(view, contrast, best))}.{depth}"
    )


def _beside(view: View, contrast: str, best: pd.Series) -> list[str]:
    """Return what chance and each control have."""
    told = [f"shuffled labels give {number(best['selective_by_chance'], 1)}"]
    twin, most = view.in_layer(contrast, str(best["layer"]), CONTROL), view.best(contrast, CONTROL)
    if twin is not None and most is not None:
        at_most = f", at most {_share(most)} in {short_name(str(most['layer']))}"
        n = count(twin["n_selective"]) if twin["n_selective"] else "none"
        told.append(f"the untrained twin has {n} there" + at_most * bool(most["n_selective"] > twin["n_selective"]))
    for name in (BASELINE, PIXELS):
        theirs = view.best(contrast, name)
        if theirs is not None:
            told.append(f"{LOOKS[name][0]} {_share(theirs)}")
    return told


def _share(row: pd.Series) -> str:
    return f"{count(row['n_selective']) if row['n_selective'] else 'none'} of {count(row['n_units'])}"


def _replication(view: View) -> str:
    """Say how many units that one half of the images chooses are found again on the other half."""
    told = []
    for contrast in view.contrasts:
        best = view.best(contrast)
        if best is None or not best["n_chosen"]:
            continue
        told.append(
            f"{contrast} {count(best['n_replicated'])} of {count(best['n_chosen'])} (median d′ "
            f"{number(best['median_d_prime_chosen'], 1)}, then {number(best['median_d_prime_other_half'], 1)})"
        )
    if not told:
        return "No unit is chosen by half of the images, so that nothing can be found again on the other half."
    return (
        f"Units that half of the images choose, found again on the other half (d′ ≥ {REPLICATED_D_PRIME}), in the same "
        f"layers: {'; '.join(told)}."
    )


def _neurons(view: View) -> str:
    """Say what the same rule makes of IT neurons."""
    units = view.result.table[view.result.table["network"] == IT]
    if units.empty:
        return ""
    by_neuron = units.assign(told=units["q"] <= ALPHA).groupby("address")[["selective", "told"]].any()
    face = int(units.loc[units["contrast"] == "face", "selective"].sum())
    n_objects = units["contrast"].nunique()
    return (
        f"By the same rule {count(by_neuron['selective'].sum())} of {plural(len(by_neuron), 'IT neuron')} "
        f"({percent(float(by_neuron['selective'].mean()))}) are selective for one of {n_objects} objects, "
        f"{count(face) if face else 'none'} for the face; {percent(float(by_neuron['told'].mean()))} respond "
        f"significantly more to one (q ≤ {ALPHA}). Each object is one picture and trials are noisy, so this is no "
        "measure of category."
    )


def _literature(view: View) -> str:
    """Cite what is published of the first contrast of which anything is, beside the same share here."""
    known = [one for one in view.published if one.get("contrast") in view.contrasts]
    rows = [one for one in known if one["contrast"] == known[0]["contrast"]]
    best = view.best(str(rows[0]["contrast"])) if rows else None
    if best is None:
        return ""
    cited = "; ".join(f"{percent(float(one['value']))} ({one['what']}; {_author(one)})" for one in rows)
    here = (
        f" Here {percent(best['index_share'])} of {short_name(str(best['layer']))} respond at least twice as strongly "
        f"to {best['contrast']} as to the others."
        if np.isfinite(best["index_share"])
        else ""
    )
    return (
        f"Published of macaque IT, {best['contrast']}: {cited}. Face patches are where imaging had found faces, which "
        f"a layer is not.{here}"
    )


def _author(row: Mapping[str, object]) -> str:
    """Return the first author and the year of a citation."""
    citation = str(row.get("citation", ""))
    year = re.search(r"\b(?:19|20)\d\d\b", citation)
    return f"{re.split('[ ,&]', citation)[0]} {year[0] if year else ''}".strip()
