"""Lesions with shams: do units that rank high matter more than units like them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from torch import nn

from probekit.analyses.causal.design import checked_doses, checked_shams
from probekit.analyses.causal.dissociation import Dissociation, double_dissociation
from probekit.analyses.causal.recovery import recovery
from probekit.analyses.lesion_effect.asked import checked_groups, ranked_by_layer, tasks_of
from probekit.analyses.lesion_effect.assemble import assemble
from probekit.analyses.lesion_effect.columns import SUMMARY, TABLE
from probekit.analyses.lesion_effect.measure import Options, measure
from probekit.analyses.lesion_effect.protocol import run_protocol
from probekit.analysis import Analysis, Source
from probekit.arguments import whole
from probekit.errors import check_option
from probekit.lesions import active_lesions
from probekit.lesions.change import How
from probekit.network import Entry, module_of, weights_hash
from probekit.progress import Progress, silent
from probekit.result import Result
from probekit.stats.matching import METHODS, Method
from probekit.tasks import AnyTask

__all__ = ["ANALYSIS", "Dissociation", "double_dissociation", "lesion_effect", "recovery"]


def lesion_effect(
    network: Entry | nn.Module,
    task: AnyTask | Mapping[str, AnyTask],
    rank_by: Any,
    *,
    units: pd.DataFrame | Result | None = None,
    layer: str | None = None,
    doses: Sequence[float] = (0.05, 0.1, 0.25, 0.5),
    n_sham: int = 200,
    n_more: int = 800,
    match: Sequence[str] = (),
    method: Method = "nearest",
    how: How = "zero",
    n_single: int = 256,
    n_pairs: int = 200,
    groups: str = "",
    label: str = "trained",
    seed: int = 0,
    progress: Progress = silent,
    **change: Any,
) -> Result:
    r"""Return whether the highest-ranked units of a layer matter more than others that are like them.

    For each dose, the units that rank highest are lesioned, and, as controls, as many

    - shams: untargeted units, matched to the target one by one (`probekit.stats.matched_sets`);
    - permuted: units of the whole layer, targets included, drawn within strata of what is matched;
    - random: units of the whole layer; and once the lowest-ranked.

    The effect is targeted minus mean sham. Its p comes from the permuted sets, which under a random ranking are as good
    as the target; shams, drawn of what is left, are not: the larger the dose, the more a random target differs from
    them. What matching leaves is taken out by regression. Where shams differ from the target by more than half a
    standard deviation, or none can be drawn, there is no test.

    Parameters
    ----------
    network : Entry or nn.Module
        In eval mode.
    task : Task or callable, or mapping of name to these
        From the network to scores, one a trial, as `probekit.tasks` has them ready. Scores of a plain function are
        better the higher they are.
    rank_by : str or array, shape (unit,)
        Column of `units`, or a number for each. nan is never lesioned.
    units : DataFrame or Result, optional
        A row a unit, with columns layer and channel, such as a result's table. Several layers are lesioned one by one.
    layer : str, optional
        What is lesioned, where that is not where the units were measured: "rnn:h_l0" for units of "rnn:output".
    doses : sequence of float
        Shares of the layer's units, above 0, below 1.
    n_sham : int
        Sets of each kind of control and dose, at least 20.
    n_more : int
        Further permuted sets at doses where p of these is .05 or less, so that it can be small enough to be corrected.
    match : sequence of str
        Columns of `units`.
    method : {"nearest", "stratified"}
        See `probekit.stats.matched_sets`.
    how, \*\*change
        As in `probekit.lesion`.
    n_single : int
        Units lesioned one by one, evenly along the ranking, for the correlation of rank and damage; 0 for none.
    n_pairs : int
        Pairs of the highest-ranked units, for redundancy; 0 for none.
    groups : str
        Column of the task's trials, such as "category", whose groups are kept apart in the arrays.
    label : str
        What to write into the column `network`.
    seed : int
        Of all draws.
    progress : Progress

    Returns
    -------
    Result
        Columns as `ANALYSIS` declares them. Arrays, `series` counting the rows of the summary: `control_score` (series,
        dose, control, set), every set that was lesioned; `dose_response` (series, kind, end, dose), monotone fits with
        95 % intervals, the intact network at dose 0; `single_harm`, `single_rank`, `single_unit` (series, unit);
        `match` (series, dose, variable, when), standardised differences; of tasks with points or groups `curve_N`
        (dose, kind, point) and `groups_N` (dose, kind, group).

    Raises
    ------
    UsageError
        If the target is as large as the layer, or an argument does not fit the others.
    LayerError
        If a layer or unit does not exist, or never runs.

    References
    ----------
    Banino et al. 2018, Nature 557:429, doi:10.1038/s41586-018-0102-6;
    Stuart 2010, Stat Sci 25:1, doi:10.1214/09-STS313
    """
    tasks, module = tasks_of(task), module_of(network)
    checked_groups(groups, tasks)
    check_option("method", method, METHODS)
    for name in change:
        check_option("the name of a further argument", name, ("amount", "reference", "seed"))
    by_layer = ranked_by_layer(units, rank_by, layer, match, label)
    smallest = min(len(ranked) for _, ranked in by_layer.values())
    options = Options(
        checked_doses(doses, smallest), checked_shams(n_sham), whole("n_more", n_more, 0), method, how, change,
        whole("n_single", n_single, 0),
        whole("n_pairs", n_pairs, 0), groups, whole("seed", seed, 0),
    )  # fmt: skip
    measured = [
        measure(network, tasks, name, ranking, ranked, options, label=label, progress=progress)
        for name, (ranking, ranked) in by_layer.items()
    ]
    card = network.card if isinstance(network, Entry) else None
    said: dict[str, Any] = {
        "network": card.name if card else type(module).__name__,
        "trained_on": card.trained_on if card else "unknown",
        "weights_sha256": weights_hash(module),
    }
    lesions = active_lesions(module)
    said |= {"lesions": lesions} if lesions else {}
    return assemble(measured, tasks, options, {label: said})


ANALYSIS = Analysis(
    name="lesion_effect",
    title="Lesions with shams",
    description="Whether the units with the most of a property matter more than matched others",
    networks="networks that are led along paths, or take square images with 3 channels",
    columns=TABLE,
    summary_columns=SUMMARY,
    sources=(
        Source("Banino et al. 2018, Vector-based navigation using grid-like representations in artificial agents, "
               "Nature 557:429", "10.1038/s41586-018-0102-6"),
        Source("Stuart 2010, Matching methods for causal inference, Stat Sci 25:1", "10.1214/09-STS313"),
        Source("Austin 2009, Balance diagnostics for comparing the distribution of baseline covariates between "
               "treatment groups in propensity-score matched samples, Stat Med 28:3083", "10.1002/sim.3697"),
        Source("Phipson & Smyth 2010, Permutation p-values should never be zero, Stat Appl Genet Mol Biol 9:39",
               "10.2202/1544-6115.1585"),
        Source("Besag & Clifford 1991, Sequential Monte Carlo p-values, Biometrika 78:301", "10.1093/biomet/78.2.301"),
        Source("Benjamini & Hochberg 1995, Controlling the false discovery rate, J R Stat Soc B 57:289",
               "10.1111/j.2517-6161.1995.tb02031.x"),
        Source("Barlow & Brunk 1972, The isotonic regression problem and its dual, J Am Stat Assoc 67:140",
               "10.1080/01621459.1972.10481216"),
    ),
    measure=lesion_effect,
    protocol=run_protocol,
    unasked=False,
)  # fmt: skip
