"""How well each layer of each system fits each region, with interval, test and ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from probekit.analyses.ventral.columns import FITS
from probekit.analyses.ventral.systems import System
from probekit.rsa import RDMs, evaluate, stacked
from probekit.rsa.compare import Measure
from probekit.rsa.variance import Resampling
from probekit.stats import benjamini_hochberg

MEASURE: Measure = "spearman"


def all_rdms(systems: Sequence[System]) -> RDMs:
    """Return the RDMs of all systems as one set, with columns `model`, `network`, `seed`, `layer`, `depth`."""
    described = [
        RDMs(
            one.rdms.dissimilarities,
            one.rdms.conditions,
            one.rdms.table.assign(model=one.model, network=one.network, seed=one.seed),
            "as each system's own",
        )
        for one in systems
    ]
    return stacked(described)


def fits(
    systems: Sequence[System],
    regions: Mapping[str, RDMs],
    *,
    measure: Measure = MEASURE,
    resample: Resampling = "both",
) -> pd.DataFrame:
    """Return how well every layer of every system fits every region.

    Parameters
    ----------
    systems : sequence of System
        Of the same conditions as the regions.
    regions : mapping of str to RDMs
        One RDM a subject. Intervals generalise to other stimuli and subjects; of a region with one RDM, to other
        stimuli only.
    measure : str
        As `probekit.rsa.compare` knows it.
    resample : {"both", "subjects", "conditions"}
        What intervals and tests generalise over, of a region with several RDMs.

    Returns
    -------
    pandas.DataFrame
        Columns as `FITS` declares them.
    """
    models = all_rdms(systems)
    tables = []
    for region, subjects in regions.items():
        over = resample if len(subjects) > 1 else "conditions"
        evaluation = evaluate(models, subjects, measure=measure, resample=over, n_resamples=0)
        table = evaluation.table().assign(region=region, n_subjects=len(subjects))
        if len(subjects) == 1:
            table[["ceiling_lower", "ceiling_upper"]] = np.nan
        tables.append(table)
    table = pd.concat(tables, ignore_index=True).rename(columns=_NAMES)
    table["q"] = table.groupby(["model", "network", "seed", "region"])["p"].transform(benjamini_hochberg)
    table["depth"] = table["depth"].astype(np.float64)
    return table[[column.name for column in FITS]]


_NAMES = {
    "ci_low": "score_low",
    "ci_high": "score_high",
    "ceiling_lower": "ceiling_low",
    "ceiling_upper": "ceiling_high",
}
