"""Representational similarity: do a network's layers and cortical areas find the same objects alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from probekit.analyses.rsa.columns import SUMMARY, TABLE
from probekit.analyses.rsa.measure import assemble
from probekit.analyses.rsa.protocol import run_protocol
from probekit.analyses.ventral.systems import System
from probekit.analysis import Analysis, Source
from probekit.recording import Recording
from probekit.result import Result
from probekit.rsa import RDMs, recording_rdms

__all__ = ["ANALYSIS", "rsa"]


def rsa(
    recording: Recording,
    regions: Mapping[str, RDMs],
    *,
    condition: str = "condition",
    standardize: bool = True,
    distance: str = "correlation",
    network: str = "trained",
) -> Result:
    """Return how well each recorded layer fits each region.

    Parameters
    ----------
    recording : Recording
        Of the stimuli that the regions saw.
    regions : mapping of str to RDMs
        One RDM a subject, the same conditions as in the recording, in any order.
    condition : str
        Column of the stimulus table that names the conditions; stimuli of one condition are averaged.
    standardize : bool
        Every unit z-scored over the conditions first. Without it a few units with large activity decide.
    distance : str
        As `probekit.rsa.compute_rdms` knows it.
    network : str
        What to write into the column `network`.

    Returns
    -------
    Result
        Columns as `ANALYSIS` declares them. Array `region_rdm` (region, condition, other_condition): mean over the
        subjects, as ranks of 0 … 1.

    Raises
    ------
    UsageError
        If conditions differ.

    References
    ----------
    Kriegeskorte, Mur & Bandettini 2008, Front Syst Neurosci 2:4, doi:10.3389/neuro.06.004.2008;
    Nili et al. 2014, PLoS Comput Biol 10:e1003553, doi:10.1371/journal.pcbi.1003553
    """
    rdms = recording_rdms(recording, distance=distance, standardize=standardize, conditions=condition)
    layers = rdms.table[["layer"]].assign(depth=np.linspace(0, 1, len(rdms)) if len(rdms) > 1 else 0.0)
    name = str(recording.provenance.get("network", "network"))
    system = System(name, network, 0, RDMs(rdms.dissimilarities, rdms.conditions, layers, rdms.distance))
    said = {
        "recordings": {network: dict(recording.provenance)},
        "parameters": {"distance": distance, "standardize": standardize},
    }
    ordered = {region: one.select(rdms.conditions) for region, one in regions.items()}
    return assemble([system], ordered, said)


ANALYSIS = Analysis(
    name="rsa",
    title="Representational similarity",
    description="Whether layers and areas of the ventral stream find the same objects alike",
    networks="networks that take square images with 3 channels",
    columns=TABLE,
    summary_columns=SUMMARY,
    sources=(
        Source("Kriegeskorte, Mur & Bandettini 2008, Representational similarity analysis, Front Syst Neurosci 2:4",
               "10.3389/neuro.06.004.2008"),
        Source("Nili et al. 2014, A toolbox for representational similarity analysis, PLoS Comput Biol 10:e1003553",
               "10.1371/journal.pcbi.1003553"),
        Source("Schütt et al. 2023, Statistical inference on representational geometries, eLife 12:e82566",
               "10.7554/eLife.82566"),
        Source("Cichy, Pantazis & Oliva 2014, Resolving human object recognition in space and time, Nat Neurosci "
               "17:455", "10.1038/nn.3635"),
        Source("Kriegeskorte et al. 2008, Matching categorical object representations in inferior temporal cortex of "
               "man and monkey, Neuron 60:1126", "10.1016/j.neuron.2008.10.043"),
        Source("Benjamini & Hochberg 1995, Controlling the false discovery rate, J R Stat Soc B 57:289",
               "10.1111/j.2517-6161.1995.tb02031.x"),
    ),
    measure=rsa,
    protocol=run_protocol,
    unasked=False,
)  # fmt: skip
