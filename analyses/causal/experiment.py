"""Lesions of one layer by rank and dose, with all their controls, carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from probekit.analyses.causal.comparison import adjusted_effect
from probekit.analyses.causal.design import Dose, Ranked, dose_of, permuted_sets
from probekit.arguments import Floats
from probekit.errors import UsageError
from probekit.lesions import Target
from probekit.lesions.change import How
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.stats.matching import Method, Sets
from probekit.stats.permutation import two_sided_p
from probekit.tasks import AnyTask, all_scores_under, trial_scores

_RARE = 0.05
"""p up to which more sets are drawn."""


@dataclass(frozen=True)
class Plan:
    """What of a layer is lesioned, and how.

    Parameters
    ----------
    layer : str
        With the part after a colon.
    doses : tuple of float
        Shares of the ranked units.
    n_sham : int
        Sets of each kind of control and dose.
    n_more : int
        Further permuted sets where few of these reach the target, so that p can be small.
    method : {"nearest", "stratified"}
        Of matching shams.
    how : str
        As in `probekit.lesion`.
    change : mapping
        Further arguments of `probekit.lesion`.
    """

    layer: str
    doses: tuple[float, ...]
    n_sham: int
    n_more: int
    method: Method
    how: How
    change: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Outcome:
    """Scores of one task under the lesions of one dose; one set's are (1, trial) or (1, trial, point).

    Parameters
    ----------
    dose : Dose
    intact, targeted, reversed : array
    controls : mapping of str to array, shape (set, trial) or (set, trial, point)
    """

    dose: Dose
    intact: Floats
    targeted: Floats
    reversed: Floats
    controls: Mapping[str, Floats]

    def trials(self, kind: str) -> Floats:
        """Return one score a trial of "intact", "targeted", "reversed" or a control, shape (set, trial)."""
        return trial_scores(self.controls[kind] if kind in self.controls else getattr(self, kind))


def run_doses(
    network: Entry | nn.Module,
    tasks: Mapping[str, AnyTask],
    ranked: Ranked,
    plan: Plan,
    *,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> dict[str, list[Outcome]]:
    """Return task → what became of it at each dose."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in tasks}
    intact = _scores(network, tasks, [{}], plan, silent)
    for number, share in enumerate(plan.doses):
        dose = dose_of(ranked, share, plan.n_sham, method=plan.method, rng=rng)
        sets = {"targeted": dose.targeted[None], "reversed": dose.reversed[None], **dose.controls}
        distinct = {id(one): one for one in sets.values()}
        lesions = [lesion_of(plan.layer, ranked, one) for group in distinct.values() for one in group]
        told = _counted(progress, number, len(plan.doses))
        scores = _scores(network, tasks, lesions, plan, told)
        ends = np.cumsum([len(group) for group in distinct.values()])
        at_dose: dict[str, Outcome] = {}
        for name, found in scores.items():
            part = dict(zip(distinct, np.split(found, ends[:-1]), strict=True))
            kinds = {kind: part[id(one)] for kind, one in sets.items()}
            targeted, reverse = kinds.pop("targeted"), kinds.pop("reversed")
            at_dose[name] = Outcome(dose, intact[name], targeted, reverse, kinds)
        if plan.n_more and any(_is_rare(outcome, ranked) for outcome in at_dose.values()):
            at_dose = _with_more(network, tasks, ranked, plan, at_dose, rng, told)
        for name, outcome in at_dose.items():
            outcomes[name].append(outcome)
    return outcomes


def _is_rare(outcome: Outcome, ranked: Ranked) -> bool:
    """Say whether few permuted sets reach the target, so that more are needed to tell how few."""
    effect, null, rounding = adjusted_effect(
        float(outcome.trials("targeted").mean()),
        outcome.trials("permuted").mean(1),
        outcome.trials("random").mean(1),
        outcome.dose.mean_covariates(ranked),
    )
    return two_sided_p(effect, null, within=rounding) <= _RARE


def _with_more(
    network: Entry | nn.Module,
    tasks: Mapping[str, AnyTask],
    ranked: Ranked,
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    rng: np.random.Generator,
    progress: Progress,
) -> dict[str, Outcome]:
    """Return the outcomes of a dose with further permuted sets (sequential Monte Carlo; Besag & Clifford 1991)."""
    dose = next(iter(outcomes.values())).dose
    sets = permuted_sets(ranked, dose.targeted, plan.n_more, rng)
    scores = _scores(network, tasks, [lesion_of(plan.layer, ranked, one) for one in sets], plan, progress)
    longer = replace(dose, controls=dose.controls | {"permuted": np.concatenate([dose.controls["permuted"], sets])})
    return {
        name: replace(
            one,
            dose=longer,
            controls=dict(one.controls) | {"permuted": np.concatenate([one.controls["permuted"], scores[name]])},
        )
        for name, one in outcomes.items()
    }


def run_sets(
    network: Entry | nn.Module,
    tasks: Mapping[str, AnyTask],
    ranked: Ranked,
    sets: Sequence[npt.NDArray[np.intp]] | Sets,
    plan: Plan,
    *,
    progress: Progress = silent,
) -> dict[str, Floats]:
    """Return task → mean score under the lesion of each set, the intact network first; shape (1 + set,)."""
    lesions = [{}, *(lesion_of(plan.layer, ranked, one) for one in sets)]
    found = _scores(network, tasks, lesions, plan, progress)
    return {name: np.asarray(trial_scores(scores).mean(1)) for name, scores in found.items()}


def lesion_of(layer: str, ranked: Ranked, units: npt.NDArray[np.intp]) -> dict[str, Target]:
    """Return the targets of a lesion of some of the ranked units."""
    return {layer: Target(ranked.units[np.atleast_1d(units)])}


def _scores(
    network: Entry | nn.Module, tasks: Mapping[str, AnyTask], lesions: Sequence[Any], plan: Plan, progress: Progress
) -> dict[str, Floats]:
    found = all_scores_under(network, tasks, lesions, plan.how, progress=progress, **plan.change)
    for name, scores in found.items():
        lost = sum(not np.isfinite(one).all() for one in scores)
        if lost:
            raise UsageError(f"task '{name}' gives nan under {lost} of {len(lesions)} lesions; expected numbers.")
    return found


def _counted(progress: Progress, number: int, n: int) -> Progress:
    def tell(task: str, done: int, total: int) -> None:
        progress(f"{task}, dose {number + 1} of {n}", done, total)

    return tell
