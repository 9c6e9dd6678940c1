"""Studies: published comparisons of networks with the brain, made again on real data and on planted data."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from probekit.errors import UsageError
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.registry import Registry
from probekit.result import Result
from probekit.study import Study, StudyOptions

__all__ = ["REGISTRY", "catalogue", "reproduce"]

REGISTRY = Registry(
    "study",
    "probekit.studies",
    {
        "banino2018-lesion": "probekit.analyses.studies.banino2018_lesion:STUDY",
        "cichy2016": "probekit.analyses.studies.cichy2016:STUDY",
        "guclu2015": "probekit.analyses.studies.guclu2015:STUDY",
        "khaligh-razavi2014": "probekit.analyses.studies.khaligh_razavi2014:STUDY",
        "kuzovkin2018": "probekit.analyses.studies.kuzovkin2018:STUDY",
    },
    Study,
)


def reproduce(
    study: str,
    networks: Sequence[Entry],
    *,
    synthetic: bool = False,
    quick: bool = False,
    seed: int = 0,
    device: str = "cpu",
    batch_size: int = 64,
    progress: Progress = silent,
) -> Result:
    """Return what becomes of a published comparison of networks with the brain.

    Parameters
    ----------
    study : str
        Name, as `catalogue` lists it.
    networks : sequence of Entry
        As `probekit.zoo.load` gives; each is compared with its untrained twins as well.
    synthetic : bool
        Compare with planted brains instead of real ones: some that follow the layers, and some that are noise.
    quick : bool
        Fewer resamples, for a first look; the notes of the result say so.
    seed : int
        Seeds everything random.
    device : str
        Torch device of the forward passes.
    batch_size : int
        Stimuli in one forward pass.
    progress : Progress
        Told how far the work is.

    Returns
    -------
    Result
        `table` has one row a claim, theirs beside ours; `summary` one row a layer and region, with its controls.

    Raises
    ------
    UnknownNameError
        If there is no such study; the message suggests the nearest.
    UsageError
        If no network is given, or one twice, or something that is not one.
    DataError
        If the brain data are not here and cannot be fetched; planted ones are never taken for them.
    """
    chosen = REGISTRY.get(study)
    _check(networks)
    options = StudyOptions(synthetic, quick, seed, device, batch_size, progress)
    return chosen.check(chosen.run(networks, options))


def catalogue() -> pd.DataFrame:
    """Return one row a study: `name, title, claim, data, source`."""
    found = REGISTRY.available().values()
    return pd.DataFrame(
        {
            "name": [study.name for study in found],
            "title": [study.title for study in found],
            "claim": [study.claim for study in found],
            "data": [", ".join(study.data) for study in found],
            "source": [f"{study.sources[0].citation} doi:{study.sources[0].doi}" for study in found],
        }
    )


def _check(networks: Sequence[Entry]) -> None:
    if isinstance(networks, Entry):
        raise UsageError("networks is a single Entry; put it into a list.")
    if not networks:
        raise UsageError("networks is empty; expected at least one.")
    for network in networks:
        if not isinstance(network, Entry):
            raise UsageError(
                f"networks holds a {type(network).__name__}; expected entries, as probekit.zoo.load(NAME) gives."
            )
    names = [network.card.name for network in networks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"networks hold {', '.join(twice)} twice; each is compared once.")
