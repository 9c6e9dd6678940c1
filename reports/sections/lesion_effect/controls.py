"""What is said of the controls: how small an effect could have been found, and what sets at random would have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probekit.analyses.causal.rows import ALPHA
from probekit.reports.sections.lesion_effect.reach import needed, smallest_p
from probekit.reports.sections.lesion_effect.scale import dose_words, ranking_words, words_of
from probekit.reports.sections.lesion_effect.view import Series, View
from probekit.reports.words import listing, number, plural, short_name

_MOST = 4


def detectable(view: View) -> str:
    """Say how small an effect each task could have shown, and what the correction asks for."""
    told = [said for task in view.tasks if (said := _of_task([one for one in view.series if one.task == task]))]
    if not told:
        return ""
    more = f"; {plural(len(told) - _MOST, 'more task')}" if len(told) > _MOST else ""
    return (
        "What the comparisons without a difference could have shown with a probability of .8 (at p ≤ "
        f"{ALPHA}, not corrected): {'; '.join(told[:_MOST])}{more}.{_asked(view)}"
    )


def _of_task(series: Sequence[Series]) -> str:
    rows = pd.concat([one.rows for one in series])
    missed = rows[(rows["verdict"] == "no difference") & rows["detectable_effect"].notna()]
    if missed.empty:
        return ""
    scale, ends = series[0].scale, missed["detectable_effect"]
    strongest = float(np.nanmax(scale.sign * missed["effect_adjusted"].to_numpy(dtype=float)))
    seen = f"the largest harm among them is {scale.difference(strongest)}" if strongest > 0 else "none did more harm"
    intact = scale.score(float(series[0].said["score_intact"]))
    by = " by place and dose" if len(missed) > 1 else ""
    size = scale.interval(float(ends.min()), float(ends.max()))
    return f"{short_name(series[0].task, 24)} (intact {intact}) {size}{by}, {seen}"


def _asked(view: View) -> str:
    least, n = needed(view)
    floor = number(smallest_p(view.rows), 3)
    if least > n:
        return f" As p is never below {floor} with so few sets, no test could reach q ≤ {ALPHA}."
    if n < 2 or least < 2:
        return ""
    return (
        f" Correction over {n} tests asks for more: as p is never below {floor}, {least} of them must reach that "
        f"before any has q ≤ {ALPHA}."
    )


@dataclass(frozen=True)
class _Compared:
    """Comparisons in which only sets at random say that the target matters more; other counts."""

    only_random: list[tuple[Series, float]]
    only_matched: int
    untested: int
    total: int


def unmatched(view: View) -> str:
    """Say where sets at random, not matched, would say otherwise than the matched test."""
    like = listing([words_of(one) for one in str(view.series[0].said["matched_on"]).split(", ") if one])
    if not like:
        return "Shams were matched on nothing: a difference from them may be one of activity as well as of rank."
    if smallest_p(view.rows) > ALPHA:
        return ""
    found = _compared(view)
    if not found.only_random and not found.only_matched and not found.untested:
        return (
            f"Sets at random, not matched on {like}, say the same as the matched ones at all {found.total} comparisons "
            f"(p ≤ {ALPHA}, not corrected)."
        )
    told, lesson = [], ""
    if found.only_random:
        told.append(
            f"sets at random say at {len(found.only_random)} of {found.total} comparisons that the target matters more "
            f"where sets matched on {like} do not ({_named(found.only_random)})"
        )
        lesson = f" What looks like a role of the ranking there may be one of {like}."
    told += [f"at {found.only_matched} of {found.total} comparisons only the matched ones say so"] * bool(
        found.only_matched
    )
    told += [f"at {found.untested} only sets at random could be asked, and say so"] * bool(found.untested)
    return f"Matching changes the answer (p ≤ {ALPHA}, not corrected): {'; '.join(told)}.{lesson}"


def _compared(view: View) -> _Compared:
    only: list[tuple[Series, float]] = []
    matched = untested = total = 0
    for one in view.series:
        rows, sign = one.rows, one.scale.sign
        by_random = (rows["p_random"] <= ALPHA) & (sign * (rows["score_targeted"] - rows["score_random"]) > 0)
        by_match = (rows["p"] <= ALPHA) & (sign * rows["effect_adjusted"] > 0)
        only += [(one, float(dose)) for dose in rows.loc[by_random & ~by_match & rows["p"].notna(), "dose"]]
        matched += int((by_match & ~by_random).sum())
        untested += int((by_random & rows["p"].isna()).sum())
        total += len(rows)
    return _Compared(only, matched, untested, total)


def _named(found: Sequence[tuple[Series, float]]) -> str:
    by_series: dict[str, list[str]] = {}
    for one, dose in found:
        name = f"{ranking_words(one.ranking)}, {short_name(one.task, 24)} in {short_name(one.layer, 24)}"
        by_series.setdefault(name, []).append(dose_words(dose))
    named = [f"{name}, {listing(doses)}" for name, doses in by_series.items()]
    return "; ".join([*named[:_MOST], *[f"{len(named) - _MOST} more"] * (len(named) > _MOST)])
