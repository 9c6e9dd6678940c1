"""A contest: whether the network's layer does better than every rival, untrained twins, pixels and Gabor energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from probekit.analyses.ventral.systems import System
from probekit.rsa import RDMs, compare, evaluate, stacked
from probekit.rsa.compare import Measure

_NONE_USED = 2
"""Resamples where only the tests are wanted, which need none."""


@dataclass(frozen=True)
class Contest:
    """A network's layer against its rivals.

    Parameters
    ----------
    score : float
        Of the layer, mean over subjects.
    rival : str
        The rival that comes nearest.
    rival_score : float
    difference, low, high : float
        The layer's score less that rival's, and its 95 % interval.
    p : float
        That some rival is as good: the largest of the one-sided p of all rivals.
    """

    score: float
    rival: str
    rival_score: float
    difference: float
    low: float
    high: float
    p: float


def best_layer(models: RDMs, subjects: RDMs) -> int:
    """Return which model has the highest mean Spearman correlation with subjects; the first if none has one."""
    scores = compare(models, subjects).mean(axis=1)
    return int(np.argmax(np.where(np.isnan(scores), -np.inf, scores)))


def contestants(systems: Sequence[System], controls: Sequence[System], chosen_on: RDMs) -> RDMs:
    """Return one RDM a system: the network's layer first, then those of its twins, then the controls.

    Parameters
    ----------
    systems : sequence of System
        A network and its twins.
    controls : sequence of System
        Those that have one RDM.
    chosen_on : RDMs
        Other individuals' RDMs, which each network's layer fits best.

    Returns
    -------
    RDMs
        Table columns `name` (of whom), `layer`.
    """
    found = []
    for one in (*systems, *controls):
        at = best_layer(one.rdms, chosen_on)
        name = f"untrained twin {one.seed}" if one.network == "untrained" else one.model
        table = pd.DataFrame({"name": [name], "layer": [str(one.rdms.table["layer"].iloc[at])]})
        found.append(replace(one.rdms.rows([at]), table=table, distance="as each system's own"))
    return stacked(found)


def contest(models: RDMs, subjects: RDMs, *, measure: Measure = "spearman") -> Contest:
    """Return how the first model stands against the others; stimuli and, of more than one, subjects would be others.

    Parameters
    ----------
    models : RDMs
        As `contestants` returns them.
    subjects : RDMs
    measure : str
    """
    found = evaluate(
        models,
        subjects,
        measure=measure,
        resample="both" if len(subjects) > 1 else "conditions",
        n_resamples=_NONE_USED,
    )
    pairs = found.differences()
    pairs = pairs[(pairs["first"] == 0) & pairs["difference"].notna()]
    score = found.scores.mean(axis=1)
    if not len(pairs):
        return Contest(float(score[0]), "", *[float("nan")] * 5)
    nearest = pairs.iloc[int(pairs["difference"].to_numpy().argmin())]
    one_sided = np.where(pairs["difference"] > 0, pairs["p"] / 2, 1 - pairs["p"] / 2)
    return Contest(
        float(score[0]),
        str(nearest["second_name"]),
        float(score[int(nearest["second"])]),
        float(nearest["difference"]),
        float(nearest["ci_low"]),
        float(nearest["ci_high"]),
        float(one_sided.max()),
    )


def within_categories(rdms: RDMs, categories: pd.Series) -> RDMs:
    """Return RDMs that know only the pairs of two images of the same category."""
    first, second = np.triu_indices(rdms.n_conditions, 1)
    codes = pd.factorize(categories)[0]
    same = codes[first] == codes[second]
    return replace(rdms, dissimilarities=np.where(same, rdms.dissimilarities, np.nan))
