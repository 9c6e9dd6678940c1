"""What lesions did and what they did not, each number beside its controls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from probekit.analyses.lesion_effect.rows import ALPHA
from probekit.reports.sections.lesion_effect.causes import pairs, recovered, single_units
from probekit.reports.sections.lesion_effect.dissociation import Dissociated, dissociations
from probekit.reports.sections.lesion_effect.scale import dose_words, ranking_words, units_of, words_of
from probekit.reports.sections.lesion_effect.verdicts import headline, needed, smallest_p
from probekit.reports.sections.lesion_effect.view import Series, View, view_of
from probekit.reports.words import listing, number, plural, probability, short_name
from probekit.result import Result

_MOST = 4


def findings(result: Result) -> list[str]:
    """Return what was found, each number from the result and its controls beside it."""
    view = view_of(result)
    if not view.series or view.rows.empty:
        return ["Nothing was lesioned, so there is nothing to report."]
    told = [headline(view), _dissociation(view), _power(view), _unmatched(view)]
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
    verdict = "no double dissociation" if not double else f"a double dissociation in {len(double)} of {len(found)} layers"
    if len(found) == 1:
        verdict = "a double dissociation" if double else "no double dissociation"
    return f"{lead}{verdict}. {' '.join(_cells(one) for one in found[:_MOST])}"


def _cells(one: Dissociated) -> str:
    said = [
        f"without {name} units {listing([f'{task} {one.scale.difference(-value)}' for task, value in zip(one.tasks, row, strict=True)])}"
        for name, row in zip(one.sets, one.harm, strict=True)
    ]
    drop = "lost" if one.scale.sign < 0 else "added"
    said = [text.replace("−", "") for text in said] if (one.harm >= 0).all() else said
    sizes = f" ({' and '.join(map(str, one.sizes))} units)" if one.sizes else ""
    return (
        f"In {short_name(one.layer, 28)}{sizes}, {drop if (one.harm >= 0).all() else 'change'}: {'; '.join(said)} "
        f"(interaction p {probability(one.p)}{'' if one.is_double else ', not double'})."
    )


def _power(view: View) -> str:
    """Say how small an effect each task could have shown, and what the correction asks for."""
    told = []
    for task in view.tasks:
        series = [one for one in view.series if one.task == task]
        rows = pd.concat([one.rows for one in series])
        missed = rows[rows["verdict"] == "no difference"]
        if missed.empty:
            continue
        scale, least, most = series[0].scale, missed["detectable_effect"].min(), missed["detectable_effect"].max()
        intact = scale.score(float(series[0].said["score_intact"]))
        strongest = float(np.nanmax(scale.sign * missed["effect_adjusted"].to_numpy(dtype=float)))
        seen = f"the largest harm left undecided is {scale.difference(strongest)}" if strongest > 0 else "none did more harm"
        told.append(f"{short_name(task, 24)} (intact {intact}) {scale.interval(least, most)} by place and dose, {seen}")
    if not told:
        return ""
    least, n = needed(view)
    floor = smallest_p(view.rows)
    asks = ""
    if n > 1 and least > 1:
        asks = (
            f" Correction over {n} tests asks for more: as p is never below {number(floor, 3)}, {least} of them must "
            f"reach that before any has q ≤ {ALPHA}."
        )
    return (
        "What the comparisons without a difference could have shown with a probability of .8 (at p ≤ "
        f"{ALPHA}, not corrected): {'; '.join(told[:_MOST])}.{asks}"
    )


def _unmatched(view: View) -> str:
    """Say where sets at random, not matched, would say otherwise than the matched test."""
    matched = [words_of(one) for one in str(view.series[0].said["matched_on"]).split(", ") if one]
    if not matched:
        return (
            "Shams were not matched on anything: units like the targeted ones are untargeted units of the same layer, "
            "whatever their activity. "
        ).strip()
    only, converse, untested, total = [], 0, 0, 0
    for one in view.series:
        rows, sign = one.rows, one.scale.sign
        worse = sign * (rows["score_targeted"] - rows["score_random"]) > 0
        by_random, by_match = (rows["p_random"] <= ALPHA) & worse, rows["p"] <= ALPHA
        harmful = by_match & (sign * rows["effect_adjusted"] > 0)
        unmatched = by_random & rows["p"].isna()
        only += [(one, dose) for dose in rows.loc[by_random & ~by_match & rows["p"].notna(), "dose"]]
        converse += int((harmful & ~by_random).sum())
        untested += int(unmatched.sum())
        total += len(rows)
    like = listing(matched)
    if not only and not converse and not untested:
        return (
            f"Sets at random, not matched on {like}, say the same as the matched ones at all {total} comparisons "
            f"(p ≤ {ALPHA}, not corrected)."
        )
    told = []
    if only:
        told.append(
            f"sets at random say at {len(only)} of {total} comparisons that the target matters more where sets matched on "
            f"{like} do not ({_named(only)})"
        )
    told += [f"at {converse} only the matched ones say so"] * bool(converse)
    told += [f"at {untested} only sets at random could be asked, and say so"] * bool(untested)
    lesson = " What looks like a role of the ranking there is one of activity or drive, or cannot be told from it." if only else ""
    return f"Matching changes the answer (p ≤ {ALPHA}, not corrected): {'; '.join(told)}.{lesson}"


def _named(found: Sequence[tuple[Series, float]]) -> str:
    by_series: dict[str, list[float]] = {}
    for one, dose in found:
        by_series.setdefault(f"{ranking_words(one.ranking)}, {short_name(one.task, 24)} in {short_name(one.layer, 24)}", []).append(dose)
    return "; ".join(
        [f"{name}, {listing([dose_words(dose) for dose in doses])}" for name, doses in list(by_series.items())[:_MOST]]
        + [f"{len(by_series) - _MOST} more"] * (len(by_series) > _MOST)
    )


def _dose_response(view: View, ranking: str) -> str:
    """Say from where to where the score goes with the largest dose, beside every control."""
    task = view.main_task(ranking)
    series = [one for one in view.of(ranking, task) if len(one.rows)]
    if not series:
        return ""
    told = []
    for one in series[:_MOST]:
        row = one.rows.iloc[-1]
        shams = f"shams {one.scale.score(row['score_sham'])}" if pd.notna(row["score_sham"]) else "no sham"
        told.append(
            f"in {short_name(one.layer, 28)} {_course(one)} (then {shams}, at random "
            f"{one.scale.score(row['score_random'])}, the lowest-ranked {one.scale.score(row['score_reversed'])})"
        )
    one = series[0]
    doses = one.rows["dose"].tolist()
    rise = f"from the intact network to {dose_words(doses[-1])} lesioned" if len(doses) == 1 else (
        f"from the intact network over {listing([dose_words(dose) for dose in doses], 8)} lesioned"
    )  # fmt: skip
    more = f"; {plural(len(series) - _MOST, 'more layer')} in the table" if len(series) > _MOST else ""
    return f"Without {units_of(ranking)}, {short_name(task, 28)}, {rise}: {'; '.join(told)}{more}."


def _course(one: Series) -> str:
    scores = [float(one.rows["score_intact"].iloc[0]), *one.rows["score_targeted"].astype(float)]
    if len(scores) > 6:
        scores = [scores[0], scores[len(scores) // 2], scores[-1]]
    bare = [one.scale.bare(score) for score in scores[:-1]]
    return f"{', '.join(bare)} and then {one.scale.score(scores[-1])}" if len(bare) > 1 else f"{bare[0]} to {one.scale.score(scores[-1])}"
