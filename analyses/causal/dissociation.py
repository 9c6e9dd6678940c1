"""Double dissociation: whether two sets of units matter for two different things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from probekit.analyses.causal.comparison import ROUNDING
from probekit.arguments import Floats, whole
from probekit.errors import UsageError
from probekit.lesions.change import How
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.stats.matching import Sets
from probekit.stats.permutation import two_sided_p
from probekit.tasks import Task, all_scores_under, trial_scores


@dataclass(frozen=True, eq=False)
class Dissociation:
    """What two lesions do to two tasks.

    Parameters
    ----------
    harm : array, shape (set, task)
        How much worse than intact, in the unit of the tasks.
    interaction : float
        (first set on first task − first on second) − (second on first − second on second): above 0 where each set
        matters more for its own task.
    p : float
        Two-sided permutation p: units of both sets dealt out anew.
    null : array, shape (deal,)
        The interactions of these.
    is_double : bool
        p ≤ .05, and on each task its own set does more harm than the other.
    """

    harm: Floats
    interaction: float
    p: float
    null: Floats
    is_double: bool


def double_dissociation(
    network: Entry,
    layer: str,
    sets: Sequence[np.ndarray],
    tasks: Sequence[Task],
    *,
    how: How = "zero",
    n_deals: int = 200,
    seed: int = 0,
    progress: Progress = silent,
) -> Dissociation:
    """Return whether two sets of units of a layer matter each for its own of two tasks.

    Parameters
    ----------
    network : Entry
    layer : str
        Both sets are of this layer.
    sets : two arrays of int
        Units, none in both.
    tasks : two tasks
        In the same unit, such as accuracies for two categories.
    how : str
        As in `probekit.lesion`.
    n_deals : int
        Random divisions of the units of both sets into two of the same sizes.
    seed : int
    progress : Progress

    Raises
    ------
    UsageError
        If there are not two sets and two tasks, the sets overlap, or the tasks differ in unit.
    """
    if len(sets) != 2 or len(tasks) != 2:
        raise UsageError(f"{len(sets)} sets and {len(tasks)} tasks were given; a double dissociation has two of each.")
    if not all(isinstance(task, Task) for task in tasks):
        raise UsageError(f"tasks are {[type(one).__name__ for one in tasks]}; expected two of probekit.tasks.")
    first, second = (_units(one) for one in sets)
    both = np.intersect1d(first, second)
    if len(both) or not len(first) or not len(second):
        raise UsageError(f"sets share units {both.tolist()} or are empty; expected two sets without a common unit.")
    if tasks[0].unit != tasks[1].unit:
        raise UsageError(f"tasks are in '{tasks[0].unit}' and '{tasks[1].unit}'; expected one unit.")
    rng = np.random.default_rng(seed)
    together = np.concatenate([first, second])
    deals = [rng.permutation(together) for _ in range(whole("n_deals", n_deals, 20))]
    divided = [(first, second), *((deal[: len(first)], deal[len(first) :]) for deal in deals)]
    lesions = [{}, *({layer: units} for pair in divided for units in pair)]
    scores = all_scores_under(network, dict(zip("ab", tasks, strict=True)), lesions, how, progress=progress)
    harm = np.stack([harm_of(task, one) for task, one in zip(tasks, scores.values(), strict=True)], -1)
    cells = harm.reshape(len(divided), 2, 2)  # (deal, set, task)
    contrast = cells[:, 0, 0] - cells[:, 0, 1] - cells[:, 1, 0] + cells[:, 1, 1]
    observed, null = float(contrast[0]), contrast[1:]
    p = two_sided_p(observed, null, within=ROUNDING * max(np.abs(one).max() for one in scores.values()))
    own = cells[0]
    crossed = own[0, 0] > own[1, 0] and own[1, 1] > own[0, 1]
    return Dissociation(own, observed, p, null, bool(crossed and observed > 0 and p <= 0.05))


def _units(given: np.ndarray) -> Sets:
    units = np.unique(np.asarray(given))
    if len(units) and units.dtype.kind not in "iu":
        raise UsageError(f"a set holds {units.dtype}; expected numbers of units, from 0.")
    return units.astype(np.intp)


def harm_of(task: Task, scores: Floats) -> Floats:
    """Return how much worse each lesion is than the first one, the intact network; shape (lesion − 1,)."""
    means = trial_scores(scores).mean(1)
    return np.asarray(means[0] - means[1:] if task.higher_is_better else means[1:] - means[0])
