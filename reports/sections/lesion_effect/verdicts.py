"""What all comparisons of a ranking say together: how many, which, and what had no test."""

from __future__ import annotations

from collections.abc import Sequence

from probekit.reports.sections.lesion_effect.counting import (
    Counted,
    across,
    all_of,
    at_none,
    counted,
    none_of,
    untested,
    where,
)
from probekit.reports.sections.lesion_effect.dissociation import dissociations
from probekit.reports.sections.lesion_effect.reach import out_of_reach, weakness, why_out_of_reach
from probekit.reports.sections.lesion_effect.scale import units_of
from probekit.reports.sections.lesion_effect.view import Series, View
from probekit.reports.tables import CONTROL
from probekit.reports.words import count, plural, short_name


def headline(view: View) -> str:
    """Return the verdict of every ranking, from all tasks, places and doses, the twin's beside each."""
    untrained = str(view.result.provenance.get("recordings", {}).get(view.measured, {}).get("trained_on", ""))
    said = "This network is itself untrained. " if untrained.startswith("nothing") else ""
    verdicts = [_verdict(view, ranking) for ranking in view.rankings]
    return said + " ".join([verdicts[0], *weakness(view), *verdicts[1:], *_double(view)])


def _verdict(view: View, ranking: str) -> str:
    series = view.of(ranking)
    n = counted(series)
    if not n.tested:
        told = f"Whether the network needs {units_of(ranking)} more than others like them was not tested"
        return f"{told} at {none_of(n.total)}: {untested(series)}.{_twin(view, ranking)}"
    if not n.more and not n.less and out_of_reach(view):
        told = (
            f"Whether the network loses more without {units_of(ranking)} than without others like them cannot be told"
        )
        return f"{told}: {why_out_of_reach(view, series)}.{_rest(series, n)}{_twin(view, ranking)}"
    own = [one for one in series if one.is_own]
    told = _own(ranking, own, series) if own and len(own) < len(series) else _of_all(ranking, series, n)
    return f"{told}.{_rest(series, n)}{_twin(view, ranking)}"


def _less(series: Sequence[Series], n: Counted) -> str:
    return f"; at {n.less} of {n.tested} it loses less: {where(series, 'less')}" if n.less else ""


def _rest(series: Sequence[Series], n: Counted) -> str:
    """Say what had no test."""
    left = n.total - n.tested
    if not left:
        return ""
    was = "was" if left == 1 else "were"
    return f" {count(left)} more {was} not tested, {where(series, 'not tested')}: {untested(series)}."


def _twin(view: View, ranking: str) -> str:
    twins = [one for one in view.twins if one.ranking == ranking]
    if not twins:
        return "" if view.measured == CONTROL else " No untrained twin was lesioned."
    n = counted(twins)
    if not n.tested:
        return f" The untrained twin was not tested: {untested(twins)}."
    less = f", less at {n.less}" if n.less else ""
    left = n.total - n.tested
    rest = f", {left} not tested" if left else ""
    return f" Untrained twin: more at {n.more} of {plural(n.tested, 'comparison')}{less}{rest}."


def _of_all(ranking: str, series: Sequence[Series], n: Counted) -> str:
    lead = f"Without {units_of(ranking)} the network"
    if n.more == n.tested:
        told = f"{lead} loses more than without others like them: at {all_of(n.more, series)}"
    elif n.more:
        told = f"{lead} loses more than without others like them in part: at {n.more} of {across(series, n.tested)}"
        told += f", namely {where(series, 'more')}, and not at the others"
    elif n.less:
        told = f"{lead} does not lose more than without others like them, and in part less"
    else:
        told = f"{lead} does not lose more than without others like them: at {at_none(series, n.tested)}"
    return told + _less(series, n)


def _own(ranking: str, own: Sequence[Series], series: Sequence[Series]) -> str:
    """Return the verdict on the task that units are selective for, that on every other task after it."""
    n, units, name = counted(own), units_of(ranking), short_name(own[0].task, 24)
    if not n.tested:
        told = f"Whether {units} matter for {name} was not tested: {untested(own)}"
    elif n.more == n.tested:
        lead = f"{units[:1].upper()}{units[1:]} matter for {name}"
        told = f"{lead}: without them it loses more than without others like them, at {all_of(n.more, own)}"
    elif n.more:
        lead = f"{units[:1].upper()}{units[1:]} matter for {name} in part"
        told = f"{lead}: it loses more than without others like them at {n.more} of {across(own, n.tested)}, namely "
        told += where(own, "more")
    else:
        lead = f"Without {units} the network does not lose more in {name} than without others like them"
        told = f"{lead}: at {at_none(own, n.tested)}"
    if n.less:
        told += f", and less at {n.less}"
    others = dict.fromkeys(one.task for one in series if not one.is_own)
    return f"{told}. In other tasks it loses more at: {'; '.join(_beside(task, series) for task in others)}"


def _beside(task: str, series: Sequence[Series]) -> str:
    n = counted([one for one in series if one.task == task])
    less = f", less at {n.less}" if n.less else ""
    return f"{short_name(task, 24)}, {n.more} of {n.tested}{less}"


def _double(view: View) -> list[str]:
    """Say, where it was asked, in how many layers there is a double dissociation."""
    _, found = dissociations(view)
    n = sum(one.is_double for one in found)
    if not found:
        return []
    return (
        [f"There is a double dissociation in {n} of {plural(len(found), 'layer')}."]
        if n
        else [f"There is no double dissociation in {'any of ' * (len(found) > 1)}{plural(len(found), 'layer')}."]
    )
