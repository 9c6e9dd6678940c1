"""How many comparisons say what, over what they run, and which they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from probekit.reports.sections.lesion_effect.scale import dose_words
from probekit.reports.sections.lesion_effect.view import Series
from probekit.reports.words import listing, plural, short_name

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


def none_of(n: int) -> str:
    """Return a number of comparisons none of which had a test."""
    return "the only comparison" if n == 1 else f"all {n} comparisons"


def at_none(series: Sequence[Series], n: int) -> str:
    """Return at how many comparisons there is no difference, where there is at none."""
    return "the only comparison there is no difference" if n == 1 else f"none of {across(series, n)}"


def all_of(n: int, series: Sequence[Series]) -> str:
    """Return at how many comparisons there is a difference, where there is at all."""
    return f"all {across(series, n)}" if n > 1 else f"the one comparison tested ({where(series, 'more')})"


def across(series: Sequence[Series], n: int) -> str:
    """Return the number of comparisons, and over what they run."""
    runs = [
        (len({one.task for one in series}), "task"),
        (len({one.layer for one in series}), "place"),
        (max(int((one.rows["verdict"] != "not tested").sum()) for one in series), "dose"),
    ]
    over = [plural(many, noun) for many, noun in runs if many > 1]
    return f"{plural(n, 'comparison')}{f' ({listing(over)})' if over else ''}"


def where(series: Sequence[Series], verdict: str) -> str:
    """Return the tasks and places with a verdict, and at which doses."""
    found = [one.rows.loc[one.rows["verdict"] == verdict, "dose"].tolist() for one in series]
    if (
        len(series) > 2
        and found[0]
        and all(doses == found[0] for doses in found)
        and len(found[0]) < len(series[0].rows)
    ):
        return f"at {listing([dose_words(dose) for dose in found[0]])} everywhere"
    named = []
    for one, doses in zip(series, found, strict=True):
        if doses:
            at = "every dose" if len(doses) == len(one.rows) > 1 else listing([dose_words(dose) for dose in doses])
            named.append(f"{short_name(one.task, 24)} in {short_name(one.layer, 24)} ({at})")
    return listing(named, _MOST_NAMED)


def untested(series: Sequence[Series]) -> str:
    """Return why, without the numbers of each row."""
    rows = pd.concat([one.rows for one in series])
    reasons = rows.loc[rows["verdict"] == "not tested", "nan_reason"].astype(str)
    return listing(list(dict.fromkeys(map(_short, reasons))))


def _short(reason: str) -> str:
    said = reason.split(": shams differ")[0].split(", so that")[0]
    return said.replace("no sham: ", "no sham, as ") or "no p was computed"
