"""What the specifications say together, in plain words, from all of them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from probekit.reports.studies.banino2018_lesion.figures import trained
from probekit.reports.words import count, listing, number, percent, plural
from probekit.result import Result

_TASK, _ALPHA = "path integration", 0.05
_RIVALS = {"score_border": "the most border-like units", "score_head_direction": "those most tuned to heading"}


def findings(result: Result) -> list[str]:
    """Return the verdict of all specifications first, then what it turns on, then the controls."""
    rows = trained(result)
    if result.provenance["synthetic"]:
        return [_planted(ranking, of) for ranking, of in rows.groupby("ranking", sort=False)]
    matched = rows[rows["matched_on"] != "nothing"]
    told = [_headline(matched), _uncorrected(matched), _by_choice(matched), _unmatched(rows), _not_tested(matched)]
    told += [_rivals(rows), _detectable(matched), _twin(result)]
    return [sentence for sentence in told if sentence]


def _counts(rows: pd.DataFrame) -> tuple[int, int, int]:
    tested = rows[rows["verdict"] != "not tested"]
    return len(tested), int((tested["verdict"] == "more").sum()), int((tested["verdict"] == "less").sum())


def _headline(matched: pd.DataFrame) -> str:
    n, more, less = _counts(matched)
    if not n:
        return "No specification could be tested: there is no honest sham for any of them."
    if not more and not less:
        lead = "No way of asking shows that the most grid-like units matter more than units like them"
    elif more > n / 2 and not less:
        lead = "The most grid-like units matter more than units like them"
    elif less > more:
        lead = "The most grid-like units matter, where they differ at all, less than units like them"
    else:
        lead = "Whether the most grid-like units matter more than units like them turns on how it is asked"
    return (
        f"{lead}: of {plural(n, 'tested specification')} ({plural(matched['model'].nunique(), 'network')}, two "
        "places, four "
        f"matchings, {matched['dose'].nunique()} doses, {plural(matched['task'].nunique(), 'task')}), "
        f"{count(more)} say more, {count(less)} less, {count(n - more - less)} find no difference (q ≤ .05)."
    )


def _uncorrected(matched: pd.DataFrame) -> str:
    """Say how many tests have p ≤ .05 before correction, in which direction, and where most of them are."""
    tested = matched[matched["verdict"] != "not tested"]
    if tested.empty:
        return ""
    small = tested[tested["p"] <= _ALPHA]
    worse = int((small["effect_adjusted"] > 0).sum())
    said = (
        f"Before correction {count(len(small))} of {count(len(tested))} have p ≤ .05, where "
        f"{count(_ALPHA * len(tested))} are expected "
        f"by chance: {count(worse)} more, {count(len(small) - worse)} less"
    )
    keys = ["model", "site", "task"]
    by, total = (rows.groupby(keys).size().to_dict() for rows in (small, tested))
    most = [
        f"{_key(key)}, {count(n)} of {count(total[key])}"
        for key, n in sorted(by.items(), key=lambda item: -item[1])[:3]
        if n > 2 * _ALPHA * total[key]
    ]
    kept = f"; most of them in {listing(most)}" if most else ""
    return f"{said}{kept}. Specifications share networks, paths and units, so that they are not independent."


def _by_choice(matched: pd.DataFrame) -> str:
    n, more, less = _counts(matched)
    if not more and not less:
        return ""
    told = []
    for column, words in (("model", "by network"), ("site", "by place"), ("matched_on", "by what is matched"),
                          ("task", "by task"), ("dose", "by dose")):  # fmt: skip
        parts = []
        for option, rows in matched.groupby(column, sort=False):
            n, more, less = _counts(rows)
            name = f"{_share(option)}" if column == "dose" else str(option)
            parts.append(f"{name} {count(more)} more, {count(less)} less of {count(n)}")
        told.append(f"{words}: {'; '.join(parts)}")
    return "What the verdict turns on – " + ". ".join(one[:1].upper() + one[1:] for one in told) + "."


def _unmatched(rows: pd.DataFrame) -> str:
    free = rows[rows["matched_on"] == "nothing"]
    if free.empty:
        return ""
    n, more, less = _counts(free)
    larger = int((free["score_targeted"] > free["score_random"]).sum())
    return (
        f"Against sets of units at random, matched on nothing, {count(more)} of {count(n)} say more and "
        f"{count(less)} less; the "
        f"error is larger without grid-like units than without random ones in {count(larger)} of {count(len(free))}. "
        "What of this "
        "is left when shams are matched is due to gridness, or to what was not matched; what is not is due to "
        "activity, "
        "information or drive."
    )


def _not_tested(matched: pd.DataFrame) -> str:
    left = matched[matched["verdict"] == "not tested"]
    if left.empty:
        return "Every matched specification had an honest sham."
    where = listing([_share(dose) for dose in sorted(set(left["dose"]))])
    return (
        f"{plural(len(left), 'matched specification')} ({percent(len(left) / len(matched))}) could not be tested, as "
        "shams differ "
        f"from the target by more than half a standard deviation; at doses of {where}."
    )


def _rivals(rows: pd.DataFrame) -> str:
    here = rows[(rows["matched_on"] == "nothing") & (rows["task"] == _TASK)]
    if here.empty:
        return ""
    told = []
    for column, words in _RIVALS.items():
        away = here["score_targeted"] - here[column]
        told.append(
            f"{words} in {count(int((away > 0).sum()))} of {count(len(away))} (median difference "
            f"{number(float(away.median()), 1)} cm)"
        )
    which = " and of ".join(told)
    return f"Path error is larger without grid-like units than without as many of {which}; these are not matched."


def _detectable(matched: pd.DataFrame) -> str:
    tested = matched[(matched["verdict"] == "no difference") & (matched["task"] == _TASK)]
    if tested.empty:
        return ""
    by_dose = tested.groupby("dose")["detectable_effect"].median()
    told = listing([f"{_share(dose)}: {number(value, 1)} cm" for dose, value in by_dose.items()])
    return f"Where no difference was found, a single test would have found one of (median, four times in five) {told}."


def _twin(result: Result) -> str:
    twin = result.summary[(result.summary["network"] == "untrained") & (result.summary["matched_on"] != "nothing")]
    if twin.empty:
        return ""
    n, more, less = _counts(twin)
    intact = float(twin.loc[twin["task"] == _TASK, "score_intact"].mean())
    return (
        f"The untrained twin of {twin['model'].iloc[0]}, which is {number(intact, 0)} cm off anyway, says more in "
        f"{count(more)} and "
        f"less in {count(less)} of {count(n)}."
    )


def _planted(ranking: object, rows: pd.DataFrame) -> str:
    n, more, less = _counts(rows)
    return (
        f"Ranking “{ranking}”: of {plural(n, 'tested specification')}, {count(more)} say more and {count(less)} less."
    )


def _share(dose: object) -> str:
    return f"{100 * float(str(dose)):g} %"


def _key(key: Any) -> str:
    return ", ".join(str(part) for part in key)
