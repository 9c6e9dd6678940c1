"""The task of finding alike what a cortical area finds alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from probekit.arguments import instance
from probekit.errors import UsageError, check_option, unknown_name
from probekit.network import Entry
from probekit.rsa import DISTANCES, MEASURES, RDMs, compare, compute_rdms
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
        Scores: similarity with each subject, shape (subject,). Trials are subjects. nan where nothing is left that
        differs between stimuli, as under a lesion of the whole layer.

    Raises
    ------
    UsageError
        If the conditions are not those of the region, or an option is unknown.
    """
    check_option("distance", distance, DISTANCES)
    check_option("measure", measure, MEASURES)
    if "condition" not in instance("stimuli", stimuli, Stimuli).table:
        raise unknown_name("column of the stimulus table", "condition", map(str, stimuli.table.columns))
    conditions = [str(one) for one in stimuli.table["condition"]]
    if sorted(conditions) != sorted(instance("region", region, RDMs).conditions):
        raise UsageError(
            f"stimuli are of {len(set(conditions))} conditions, {len(conditions)} stimuli; the region has "
            f"{region.n_conditions}. Expected one stimulus of each of its conditions."
        )
    subjects = region.select(conditions)

    def score(said: Tensor, _: Tensor) -> Tensor:
        patterns = said.flatten(1).cpu()
        mine = compute_rdms(patterns, conditions=conditions, distance=distance, standardize=standardize)
        return torch.from_numpy(np.asarray(compare(mine, subjects, measure=measure))[0])

    return Task(
        "similarity", "", prepared(network, stimuli), score, True, layer=layer, over_set=True,
        trials=pd.DataFrame({"subject": np.arange(len(subjects))}),
    )  # fmt: skip
