"""What all comparisons of a ranking say together: how many, which, what had no test, and what could not be found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probekit.analyses.lesion_effect.rows import ALPHA
from probekit.reports.sections.lesion_effect.scale import dose_words, units_of
from probekit.reports.sections.lesion_effect.view import Series, View
from probekit.reports.tables import CONTROL
from probekit.reports.words import count, listing, number, plural, short_name

_MOST_NAMED = 4


@dataclass(frozen=True)
class Counted:
    """Comparisons of some series: all, tested, and those in which the target matters more or less than its shams."""

    total: int
    tested: int
    more: int
    less: int


def counted(series: Sequence[Series]) -> Counted:
    """Return how many comparisons say what."""
    verdicts = [str(one) for each in series for one in each.rows["verdict"]]
    return Counted(
        len(verdicts), sum(one != "not tested" for one in verdicts), verdicts.count("more"), verdicts.count("less")
    )


def headline(view: View) -> str:
    """Return the verdict of every ranking, from all tasks, places and doses, the twin's beside each."""
    untrained = str(view.result.provenance.get("recordings", {}).get(view.measured, {}).get("trained_on", ""))
    said = "This network is itself untrained. " if untrained.startswith("nothing") else ""
    verdicts = [_verdict(view, ranking) for ranking in view.rankings]
    return said + " ".join([verdicts[0], *_weakness(view), *verdicts[1:]])


def _verdict(view: View, ranking: str) -> str:
    series = view.of(ranking)
    n = counted(series)
    lead = f"Without {units_of(ranking)} the network"
    if not n.tested:
        told = f"Whether the network needs {units_of(ranking)} more than others like them was not tested"
        return f"{told}: {_untested(series)} at {_none_of(n.total)}.{_twin(view, ranking)}"
    if not n.more and not n.less and _out_of_reach(view):
        told = (
            f"Whether the network loses more without {units_of(ranking)} than without others like them cannot be told"
        )
        return f"{told}: {_why_out_of_reach(view, series)}.{_rest(series, n)}{_twin(view, ranking)}"
    if n.more == n.tested:
        told = f"{lead} loses more than without others like them: at {_all_of(n.more, series)}"
    elif n.more:
        told = f"{lead} loses more than without others like them in part: at {n.more} of {_across(series, n.tested)}"
        told += f", namely {_where(series, 'more')}, and not at the others"
    elif n.less:
        told = f"{lead} does not lose more than without others like them, and in part less"
    else:
        told = f"{lead} does not lose more than without others like them: at none of {_across(series, n.tested)}"
    told += _less(series, n)
    return f"{told}.{_rest(series, n)}{_twin(view, ranking)}"


def _weakness(view: View) -> list[str]:
    """Say, once, where nothing was found and hardly could have been."""
    least, tests = needed(view)
    n = counted(view.series)
    if n.more or n.less or not tests / 2 < least <= tests:
        return []
    return [
        f"This run could hardly have shown more: p is never below {number(smallest_p(view.rows), 3)}, and q ≤ {ALPHA} "
        f"asks for that in {least} of {plural(tests, 'test')}."
    ]


def _none_of(n: int) -> str:
    return "the only comparison" if n == 1 else f"all {n} comparisons"


def _all_of(n: int, series: Sequence[Series]) -> str:
    return f"all {_across(series, n)}" if n > 1 else f"the one comparison tested ({_where(series, 'more')})"


def _across(series: Sequence[Series], n: int) -> str:
    """Return the number of comparisons, and over what they run."""
    runs = [
        (len({one.task for one in series}), "task"),
        (len({one.layer for one in series}), "place"),
        (max(len(one.rows) for one in series), "dose"),
    ]
    over = [plural(many, noun) for many, noun in runs if many > 1]
    return f"{plural(n, 'comparison')}{f' ({listing(over)})' if over else ''}"


def _where(series: Sequence[Series], verdict: str) -> str:
    """Return the tasks and places with a verdict, and at which doses."""
    named = []
    for one in series:
        doses = one.rows.loc[one.rows["verdict"] == verdict, "dose"].tolist()
        if doses:
            at = "every dose" if len(doses) == len(one.rows) > 1 else listing([dose_words(dose) for dose in doses])
            named.append(f"{short_name(one.task, 24)} in {short_name(one.layer, 24)} ({at})")
    return listing(named, _MOST_NAMED)


def _less(series: Sequence[Series], n: Counted) -> str:
    return f"; at {n.less} of {n.tested} it loses less: {_where(series, 'less')}" if n.less else ""


def _rest(series: Sequence[Series], n: Counted) -> str:
    """Say what had no test."""
    left = n.total - n.tested
    if not left:
        return ""
    which = [one.rows.assign(task=one.task, layer=one.layer)[one.rows["verdict"] == "not tested"] for one in series]
    rows = pd.concat(which)
    doses = listing([dose_words(dose) for dose in sorted(set(rows["dose"]))])
    return f" {count(left)} more {'was' if left == 1 else 'were'} not tested ({doses}): {_untested(series)}."


def _untested(series: Sequence[Series]) -> str:
    """Return why, without the numbers of each row."""
    rows = pd.concat([one.rows for one in series])
    reasons = rows.loc[rows["verdict"] == "not tested", "nan_reason"].astype(str)
    named = dict.fromkeys(reason.split(": shams differ")[0].split(";")[0] or "no p was computed" for reason in reasons)
    return listing(list(named))


def _twin(view: View, ranking: str) -> str:
    twins = [one for one in view.twins if one.ranking == ranking]
    if not twins:
        return "" if view.measured == CONTROL else " No untrained twin was lesioned."
    n = counted(twins)
    if not n.tested:
        return f" The untrained twin was not tested: {_untested(twins)}."
    less = f", less at {n.less}" if n.less else ""
    left = n.total - n.tested
    rest = f", {left} not tested" if left else ""
    return f" Untrained twin: more at {n.more} of {plural(n.tested, 'comparison')}{less}{rest}."


def smallest_p(rows: pd.DataFrame) -> float:
    """Return the smallest p that as many sets can give."""
    n = float(rows["n_sham"].max()) if len(rows) else np.nan
    return 2 / (n + 1) if np.isfinite(n) else np.nan


def needed(view: View) -> tuple[int, int]:
    """Return how many tests must have the smallest p for any to have q ≤ .05, and how many tests there are."""
    n = int(view.rows["p"].notna().sum())
    p = smallest_p(view.rows)
    return (math.ceil(n * p / ALPHA - 1e-9) if np.isfinite(p) else 0), n


def _out_of_reach(view: View) -> bool:
    least, n = needed(view)
    return least > n


def _why_out_of_reach(view: View, series: Sequence[Series]) -> str:
    rows = pd.concat([one.rows for one in series])
    floor = smallest_p(view.rows)
    sign = np.concatenate([np.full(len(one.rows), one.scale.sign) for one in series])
    lowest = (rows["p"].to_numpy(dtype=float) <= floor + 1e-9) & (
        sign * rows["effect_adjusted"].to_numpy(dtype=float) > 0
    )
    n = int(rows["n_sham"].max())
    return (
        f"with {n} sets of each control p is never below {number(floor, 3)}, and {ALPHA} is asked for; at "
        f"{int(lowest.sum())} of {len(rows)} comparisons the target does more harm than every set it is compared with"
    )
