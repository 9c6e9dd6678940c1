"""Whether a read-out that is trained again after a lesion gets back what was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from probekit.arguments import Floats
from probekit.lesions import lesion
from probekit.lesions.change import How
from probekit.lesions.engine import Targets
from probekit.network import Entry
from probekit.tasks import Task, trial_scores


def recovery(
    network: Entry,
    before: Task,
    retrain: Callable[[int], Task],
    lesions: Mapping[str, Targets],
    amounts: Sequence[int],
    *,
    how: How = "zero",
    seed: int = 0,
    n_resamples: int = 1000,
) -> pd.DataFrame:
    """Return how well a lesioned network does when its read-out is trained again, on more and more trials.

    Parameters
    ----------
    network : Entry
    before : Task
        With the read-out that was trained on the intact network; its score stands at amount 0.
    retrain : callable
        Amount of training → task with a read-out trained anew; called under the lesion.
    lesions : mapping of str to targets
        As `probekit.lesion` takes them; an empty mapping is the intact network.
    amounts : sequence of int
        Trials to train on.
    how : str
        As in `probekit.lesion`.
    seed, n_resamples : int
        Of the bootstrap over trials.

    Returns
    -------
    pandas.DataFrame
        `lesion, amount, score, score_low, score_high` (95 %).
    """
    rng = np.random.default_rng(seed)
    rows = []
    for name, targets in lesions.items():
        for amount in (0, *amounts):
            scores = _scores(network, before if amount == 0 else None, retrain, amount, targets, how)
            drawn = scores[rng.integers(len(scores), size=(n_resamples, len(scores)))].mean(1)
            rows.append((name, amount, scores.mean(), *np.percentile(drawn, [2.5, 97.5])))
    return pd.DataFrame(rows, columns=["lesion", "amount", "score", "score_low", "score_high"])


def _scores(
    network: Entry, before: Task | None, retrain: Callable[[int], Task], amount: int, targets: Targets, how: How
) -> Floats:
    if isinstance(targets, Mapping) and not targets:
        return _of(before or retrain(amount), network)
    with lesion(network, targets, how):
        return _of(before or retrain(amount), network)


def _of(task: Task, network: Entry) -> Floats:
    return np.asarray(trial_scores(task(network)[None])[0])
