"""The lesions of a network's layers, from tasks and ranked units to tables and distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from probekit.analyses.causal.comparison import ROUNDING
from probekit.analyses.causal.design import Ranked, n_units
from probekit.analyses.causal.dose_response import dose_response
from probekit.analyses.causal.experiment import Outcome, Plan, run_doses, run_sets
from probekit.analyses.causal.ranking import RankCausality, drawn_pairs, rank_causality, redundancy
from probekit.analyses.causal.rows import compared, dose_row
from probekit.analyses.lesion_effect.asked import single_number
from probekit.analyses.lesion_effect.distributions import Drawn, drawn_of
from probekit.arguments import Floats
from probekit.lesions.change import How
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.stats.matching import Method, Sets
from probekit.tasks import AnyTask, Task


@dataclass(frozen=True)
class Options:
    """What the caller of the analysis chooses of its lesions.

    Parameters
    ----------
    doses : tuple of float
        Shares of a layer's units.
    n_sham : int
        Sets of each kind of control and dose.
    n_more : int
        Further permuted sets where few of these reach the target.
    method : {"nearest", "stratified"}
        Of matching shams.
    how : str
        As in `probekit.lesion`.
    change : mapping
        Further arguments of `probekit.lesion`.
    n_single, n_pairs : int
        Units lesioned one by one, and pairs of the highest-ranked; 0 for none.
    groups : str
        Column of the tasks' trials whose groups are kept apart; "" for none.
    seed : int
    """

    doses: tuple[float, ...]
    n_sham: int = 200
    n_more: int = 800
    method: Method = "nearest"
    how: How = "zero"
    change: Mapping[str, Any] = field(default_factory=dict)
    n_single: int = 256
    n_pairs: int = 200
    groups: str = ""
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Measured:
    """What was found in one layer of one network, for one ranking: rows, and what is behind them, task by task."""

    rows: list[dict[str, Any]]
    summaries: list[dict[str, Any]]
    drawn: list[Drawn]
    notes: list[str]


def measure(
    network: Entry | nn.Module,
    tasks: Mapping[str, AnyTask],
    layer: str,
    ranking: str,
    ranked: Ranked,
    options: Options,
    *,
    label: str = "trained",
    progress: Progress = silent,
) -> Measured:
    """Return what lesions of a layer do to each task."""
    rng = np.random.default_rng(options.seed)
    plan = Plan(layer, options.doses, options.n_sham, options.n_more, options.method, options.how, options.change)
    outcomes = run_doses(network, tasks, ranked, plan, rng=rng, progress=progress)
    singles = _singles(ranked, options.n_single)
    pairs = drawn_pairs(_top(ranked, options), options.n_pairs, rng) if options.n_pairs else None
    alone = _means(network, tasks, ranked, singles[:, None], plan, progress)
    together = {} if pairs is None else _means(network, tasks, ranked, pairs, plan, progress)
    members = {} if pairs is None else _means(network, tasks, ranked, np.unique(pairs)[:, None], plan, progress)
    found = Measured([], [], [], _ties(layer, ranking, ranked, options))
    for name, task in tasks.items():
        better = is_higher_better(task)
        keys = {
            "network": label, "task": name, "unit": task.unit if isinstance(task, Task) else "", "layer": layer,
            "ranking": ranking,
        }  # fmt: skip
        for outcome in outcomes[name]:
            found.rows.append(dose_row(keys, outcome, ranked, compared(outcome, ranked, rng), options.n_sham))
        harm = _harm(alone.get(name), higher_is_better=better)
        found.summaries.append(
            keys
            | _of_layer(outcomes[name], ranked)
            | _of_ranking(harm, singles, ranked, rng)
            | _of_pairs(_harm(together.get(name), higher_is_better=better), pairs,
                        _harm(members.get(name), higher_is_better=better), rng)
        )  # fmt: skip
        curve = _dose_response(outcomes[name], falls=better, rng=rng)
        found.drawn.append(drawn_of(keys, task, outcomes[name], curve, ranked, singles, harm, options.groups))
        found.notes.extend(one for one in [single_number(name, outcomes[name][0].trials("intact").shape[1])] if one)
    return found


def is_higher_better(task: AnyTask) -> bool:
    """Say whether higher scores are better; those of a plain function are taken to be."""
    return task.higher_is_better if isinstance(task, Task) else bool(getattr(task, "higher_is_better", True))


def _ties(layer: str, ranking: str, ranked: Ranked, options: Options) -> list[str]:
    """Return a note where a target ends among units of equal rank, so that their numbers choose it."""
    cut = [f"{dose:g}" for dose in options.doses if ranked.cuts_ties(n_units(ranked, dose))]
    if not cut:
        return []
    return [
        f"Layer '{layer}' has units of equal {ranking} at the end of dose {', '.join(cut)}: which of them are lesioned "
        "goes by their numbers."
    ]


def _top(ranked: Ranked, options: Options) -> Sets:
    return ranked.first(max(2, round(options.doses[-1] * len(ranked))))


def _singles(ranked: Ranked, n: int) -> Sets:
    """Return which units are lesioned one by one: all, or as many evenly along the ranking."""
    order = ranked.first(len(ranked))
    if n >= len(ranked):
        return order
    return order[np.linspace(0, len(order) - 1, n).round().astype(int)] if n else order[:0]


def _means(
    network: Entry | nn.Module, tasks: Mapping[str, AnyTask], ranked: Ranked, sets: Sets, plan: Plan, progress: Progress
) -> dict[str, Floats]:
    if not len(sets):
        return {}
    return run_sets(network, tasks, ranked, list(sets), plan, progress=progress)


def _harm(means: Floats | None, *, higher_is_better: bool) -> Floats:
    """Return how much worse than intact, the first, each lesion is; 0 where only rounding differs."""
    if means is None:
        return np.array([])
    harm = means[0] - means[1:] if higher_is_better else means[1:] - means[0]
    return np.where(np.abs(harm) > ROUNDING * np.abs(means).max(), harm, 0.0)


def _of_layer(outcomes: Sequence[Outcome], ranked: Ranked) -> dict[str, Any]:
    return {
        "n_units": len(ranked),
        "matched_on": ", ".join(ranked.variables),
        "n_doses": 0,
        "n_more": 0,
        "n_less": 0,
        "score_intact": float(outcomes[0].trials("intact").mean()),
        "score_largest_dose": float(outcomes[-1].trials("targeted").mean()),
    }


def _of_ranking(harm: Floats, singles: Sets, ranked: Ranked, rng: np.random.Generator) -> dict[str, Any]:
    found = RankCausality(np.nan, np.nan, np.nan, np.nan)
    if len(harm) > 2:
        found = rank_causality(harm, ranked.values[singles], ranked.covariates[singles], rng)
    return {
        "rank_correlation": found.rho,
        "p_rank": found.p,
        "rank_correlation_partial": found.partial_rho,
        "p_rank_partial": found.partial_p,
        "n_single": len(singles),
    }


def _of_pairs(harm: Floats, pairs: Sets | None, members: Floats, rng: np.random.Generator) -> dict[str, Any]:
    names = ("pair_excess", "pair_excess_low", "pair_excess_high")
    if pairs is None or not len(harm):
        return dict.fromkeys(names, np.nan)
    found = redundancy(harm, np.searchsorted(np.unique(pairs), pairs), members, rng)
    return dict(zip(names, (found.excess, found.low, found.high), strict=True))


def _dose_response(outcomes: Sequence[Outcome], *, falls: bool, rng: np.random.Generator) -> dict[str, Floats]:
    """Return kind → fit, lower and upper end by dose, the intact network first; nan where a dose has no shams."""
    curves = {}
    intact = outcomes[0].trials("intact")
    for kind in ("targeted", "sham"):
        there = [outcome for outcome in outcomes if kind == "targeted" or kind in outcome.controls]
        curve = np.full((3, 1 + len(outcomes)), np.nan)
        if there:
            fitted = dose_response([intact, *(one.trials(kind) for one in there)], falls=falls, rng=rng)
            curve[:, [0, *(1 + outcomes.index(one) for one in there)]] = fitted
        curves[kind] = curve
    return curves
