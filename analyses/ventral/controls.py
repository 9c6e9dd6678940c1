"""Systems that learned nothing or are no networks: pixels, Gabor energy, categories."""

from __future__ import annotations

import numpy as np
import pandas as pd

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
    found = [model_rdms.pixels(stimuli), model_rdms.gabor_energy(stimuli)]
    if "category" in stimuli.table:
        found.append(model_rdms.categories(stimuli.table))
    return [System(name, "control", 0, _without_depth(rdms)) for name, rdms in zip(CONTROLS, found, strict=False)]


def _without_depth(rdms: RDMs) -> RDMs:
    table = pd.DataFrame({"layer": rdms.table["model"], "depth": np.nan})
    return RDMs(rdms.dissimilarities, rdms.conditions, table, rdms.distance)
