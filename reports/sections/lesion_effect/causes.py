"""What is said of single units, of pairs of them, and of read-outs that are trained again."""

from __future__ import annotations

import numpy as np

from probekit.analyses.causal.rows import ALPHA
from probekit.reports.sections.lesion_effect.recovery import share_words, trained_on
from probekit.reports.sections.lesion_effect.scale import ranking_words
from probekit.reports.sections.lesion_effect.view import Series, View
from probekit.reports.words import count, number, probability, short_name

_MOST = 6
_ROUNDING = 1e-6
"""Of float32 scores, as a share of the intact one."""


def _main(view: View) -> list[Series]:
    return [one for ranking in view.rankings for one in view.of(ranking, view.main_task(ranking))]


def single_units(view: View) -> str:
    """Say whether higher-ranked units do more harm one by one, with and without what is matched."""
    series = [one for one in _main(view) if one.said["n_single"] > 0]
    if not series:
        return "Units were not lesioned one by one."
    known = [one for one in series if np.isfinite(one.said["rank_correlation"])]
    n = f"{count(series[0].said['n_single'])} of {count(series[0].said['n_units'])} units"
    if not known:
        return f"Lesioned one by one ({n}), all units do alike, so that rank and damage cannot be compared."
    verdict = "higher-ranked units do more harm" if any(map(_rises, known)) else "rank says nothing sure about harm"
    if any(_rises(one) for one in known) and not all(_rises(one) for one in known):
        verdict += " in part"
    told = "; ".join(_rho(view, one) for one in known[:_MOST])
    alike = len(series) - len(known)
    rest = f" In {alike} more of {len(series)} all do alike." if alike else ""
    return f"Lesioned one by one ({n}), {verdict}: {told}.{rest} These p are not corrected."


def _rises(one: Series) -> bool:
    """Say whether rank and damage go together beyond what is matched."""
    rho, p = (
        ("rank_correlation_partial", "p_rank_partial") if one.said["matched_on"] else ("rank_correlation", "p_rank")
    )
    return bool(one.said[rho] > 0 and one.said[p] <= ALPHA)


def _rho(view: View, one: Series) -> str:
    said, twin = one.said, view.twin_of(one)
    partial = ""
    if said["matched_on"] and np.isfinite(said["rank_correlation_partial"]):
        partial = (
            f"; without what is matched {number(said['rank_correlation_partial'])}, p "
            f"{probability(said['p_rank_partial'])}"
        )
    beside = ""
    if twin is not None and np.isfinite(twin.said["rank_correlation"]):
        beside = f"; twin {number(twin.said['rank_correlation'])}"
    return (
        f"{ranking_words(one.ranking)}, {short_name(one.task, 24)} in {short_name(one.layer, 24)} ρ "
        f"{number(said['rank_correlation'])} (p {probability(said['p_rank'])}{partial}{beside})"
    )


def pairs(view: View) -> str:
    """Say whether pairs do more than their members alone."""
    known = [one for one in _main(view) if np.isfinite(one.said["pair_excess"])]
    if not known:
        return ""
    if all(map(_is_nothing, known)):
        return "Pairs of the highest-ranked units do as much damage as their members added up."
    told = "; ".join(
        f"{ranking_words(one.ranking)}, {short_name(one.task, 24)} in {short_name(one.layer, 24)} {_excess(one)}"
        for one in known[:_MOST]
    )
    return f"Pairs of the highest-ranked units, beside the damages of their members added up: {told}."


def _is_nothing(one: Series) -> bool:
    """Say whether pairs differ from their members by no more than rounding."""
    ends = [abs(float(one.said[f"pair_excess{end}"])) for end in ("", "_low", "_high")]
    return max(ends) <= _ROUNDING * max(abs(float(one.said["score_intact"])), 1e-9)


def _excess(one: Series) -> str:
    value, low, high = (float(one.said[f"pair_excess{end}"]) for end in ("", "_low", "_high"))
    if _is_nothing(one):
        return "as much"
    how = "more (they stand in for each other)" if low > 0 else "less" if high < 0 else "as much"
    return f"{how}: {one.scale.difference(value)} (95 %: {one.scale.interval(low, high)})"


def recovered(view: View) -> str:
    """Say what a read-out that is trained again gets back."""
    kept = view.array("recovery")
    task = "" if kept is None else str(kept.attrs.get("task", ""))
    scales = [one.scale for one in view.every if one.task == task]
    if kept is None or not scales or not {"intact", "targeted", "sham"} <= set(map(str, kept["lesion"].values)):
        return ""
    scale, most = scales[0], int(kept["amount"].values[-1])
    first, last = (
        {kind: float(kept.sel(lesion=kind, end="score").values[at]) for kind in ("intact", "targeted", "sham")}
        for at in (0, -1)
    )
    if most == 0:
        return ""
    lost, left = (scale.sign * (one["targeted"] - one["intact"]) for one in (first, last))
    gone = "nothing was lost" if lost <= 0 else "all of it comes back" if left <= 0 else _part(lost, left)
    layer = short_name(str(kept.attrs.get("layer", "")), 24)
    course = [f"{scale.score(first[kind])}, then {scale.score(last[kind])}" for kind in ("sham", "intact")]
    return (
        f"A read-out of {short_name(task, 24)} trained again on {count(most)} {trained_on(task)}, without "
        f"{share_words(kept)} of {layer}: {scale.score(first['targeted'])} becomes {scale.score(last['targeted'])} "
        f"(one sham {course[0]}; intact {course[1]}): {gone}."
    )


def _part(lost: float, left: float) -> str:
    share = 1 - left / lost
    return "none of it comes back" if share <= 0 else f"{number(100 * share, 0)}\u00a0% of the loss comes back"
