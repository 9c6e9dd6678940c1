"""Systems that learned nothing or are no networks: pixels, Gabor energy, categories."""

from __future__ import annotations

import numpy as np

from probekit.analyses.ventral.systems import System
from probekit.brains import model_rdms
from probekit.rsa import RDMs
from probekit.stimuli import Stimuli

CONTROLS = ("pixels", "gabor energy", "categories")


def control_systems(stimuli: Stimuli) -> list[System]:
    """Return the controls for images of objects.

    Parameters
    ----------
    stimuli : Stimuli
        As `probekit.brains.object_images` gives them: table columns `condition`, `category` and the category flags.

    Returns
    -------
    list of System
        "pixels", "gabor energy", and "categories", of which each "layer" is one division into categories.
    """
    found = (model_rdms.pixels(stimuli), model_rdms.gabor_energy(stimuli), model_rdms.categories(stimuli.table))
    return [System(name, "control", 0, _without_depth(name, rdms)) for name, rdms in zip(CONTROLS, found, strict=True)]


def _without_depth(name: str, rdms: RDMs) -> RDMs:
    layers = rdms.table["layer"] if "layer" in rdms.table else [name] * len(rdms)
    table = rdms.table.assign(layer=layers, depth=np.nan)[["layer", "depth"]]
    return RDMs(rdms.dissimilarities, rdms.conditions, table, rdms.distance)
