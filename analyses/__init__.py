"""Analyses: what can be measured on a recording, each with its protocol and its controls."""

if __name__ != "probekit.analyses":
    raise ImportError(
        f"This folder is the package probekit.analyses and cannot be imported as '{__name__}'. Import "
        "probekit.analyses; if that fails, the checkout lacks the link probekit/analyses -> ../analyses (a system "
        "whose git makes no links): install probekit from a wheel."
    )

import pandas as pd

from probekit.analyses.lesion_effect import lesion_effect
from probekit.analyses.orientation import orientation
from probekit.analyses.receptive_field import receptive_field
from probekit.analyses.rsa import rsa
from probekit.analyses.selectivity import selectivity
from probekit.analyses.spatial import spatial
from probekit.analyses.tuning import tuning
from probekit.analysis import Analysis, Protocol
from probekit.errors import UsageError
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.registry import Registry
from probekit.result import Result

__all__ = [
    "REGISTRY",
    "analyse",
    "catalogue",
    "lesion_effect",
    "orientation",
    "receptive_field",
    "rsa",
    "selectivity",
    "spatial",
    "tuning",
]

REGISTRY = Registry(
    "analysis",
    "probekit.analyses",
    {
        "lesion_effect": "probekit.analyses.lesion_effect:ANALYSIS",
        "orientation": "probekit.analyses.orientation:ANALYSIS",
        "receptive_field": "probekit.analyses.receptive_field:ANALYSIS",
        "rsa": "probekit.analyses.rsa:ANALYSIS",
        "selectivity": "probekit.analyses.selectivity:ANALYSIS",
        "spatial": "probekit.analyses.spatial:ANALYSIS",
        "tuning": "probekit.analyses.tuning:ANALYSIS",
    },
    Analysis,
)


def analyse(
    name: str,
    network: Entry,
    *,
    layers: str | list[str] | None = None,
    seed: int = 0,
    quick: bool = False,
    device: str = "cpu",
    batch_size: int = 64,
    progress: Progress = silent,
) -> Result:
    """Return what an analysis finds in a network: stimuli shown, network and controls recorded, all measured.

    Parameters
    ----------
    name : str
        Of the analysis; `catalogue` lists them.
    network : Entry
        As `probekit.zoo.load` gives.
    layers : str, list of str, optional
        Names or patterns. Default: those that the network's card names.
    seed : int
        Seeds everything random: the untrained twin, permutations, bootstraps.
    quick : bool
        Fewer stimuli and resamples, for a first look; the notes of the result say so.
    device : str
        Torch device of the forward passes.
    batch_size : int
        Stimuli in one forward pass.
    progress : Progress
        Told how far the work is.

    Returns
    -------
    Result
        Tables as the analysis declares them.

    Raises
    ------
    UnknownNameError
        If there is no such analysis; the message suggests the nearest.
    UsageError
        If the network is not an `Entry`, or not of the kind that the analysis takes.
    """
    analysis = REGISTRY.get(name)
    if not isinstance(network, Entry):
        raise UsageError(
            f"network is a {type(network).__name__}; expected an Entry, such as probekit.zoo.load(NAME) gives or "
            "probekit.Entry(module, preprocess, card) makes."
        )
    chosen = Protocol(layers, seed, quick, device, batch_size, progress)
    return analysis.check(analysis.protocol(network, chosen))


def catalogue() -> pd.DataFrame:
    """Return one row an analysis: `name, title, networks, description, sources`."""
    found = REGISTRY.available().values()
    return pd.DataFrame(
        {
            "name": [analysis.name for analysis in found],
            "title": [analysis.title for analysis in found],
            "networks": [analysis.networks for analysis in found],
            "description": [analysis.description for analysis in found],
            "sources": ["; ".join(f"{one.citation} doi:{one.doi}" for one in analysis.sources) for analysis in found],
        }
    )
