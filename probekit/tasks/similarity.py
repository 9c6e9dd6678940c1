"""The task of finding alike what a cortical area finds alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from probekit.errors import UsageError
from probekit.network import Entry
from probekit.rsa import RDMs, compare, compute_rdms
from probekit.rsa.compare import Measure
from probekit.stimuli import Stimuli
from probekit.tasks.readouts import prepared
from probekit.tasks.task import Task


def similarity(
    network: Entry | nn.Module,
    stimuli: Stimuli,
    region: RDMs,
    *,
    layer: str,
    distance: str = "correlation",
    measure: Measure = "spearman",
    standardize: bool = True,
) -> Task:
    """Return the task of a layer to find alike what an area of the brain does.

    Parameters
    ----------
    network : Entry or nn.Module
        Says how stimuli are prepared.
    stimuli : Stimuli
        What the region saw, with a column `condition`, one stimulus a condition.
    region : RDMs
        One RDM a subject.
    layer : str
        What is read.
    distance : str
        As `probekit.rsa.compute_rdms` knows it.
    measure : str
        As `probekit.rsa.compare` knows it.
    standardize : bool
        Every unit z-scored over the stimuli first; silenced units then count nothing.

    Returns
    -------
    Task
        Scores: similarity with each subject, shape (subject,). Trials are subjects.

    Raises
    ------
    UsageError
        If the conditions are not those of the region.
    """
    if "condition" not in stimuli.table or set(stimuli.table["condition"]) != set(region.conditions):
        raise UsageError("stimuli are not those of the region: expected a column 'condition' with its conditions.")
    conditions = [str(one) for one in stimuli.table["condition"]]
    subjects = region.select(conditions)

    def score(said: Tensor, _: Tensor) -> Tensor:
        patterns = said.flatten(1).double()
        if standardize:
            patterns = patterns - patterns.mean(0)
            deviation = patterns.std(0, correction=0)
            patterns = patterns[:, deviation > 0] / deviation[deviation > 0]
        if not patterns.shape[1]:
            return torch.full((len(subjects),), torch.nan)
        mine = compute_rdms(patterns.cpu().numpy(), conditions=conditions, distance=distance)
        return torch.from_numpy(np.asarray(compare(mine, subjects, measure=measure))[0])

    return Task(
        "similarity", "", prepared(network, stimuli), score, True, layer=layer, over_set=True,
        trials=pd.DataFrame({"subject": np.arange(len(subjects))}),
    )  # fmt: skip
