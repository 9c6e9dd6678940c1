"""Brains that were never recorded: regions that follow a chosen layer, and regions of noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from probekit.errors import NotApplicableError
from probekit.rsa import RDMs

N_SUBJECTS = 15
NOISE = 1.5
"""Standard deviation of a subject's own pattern, in those of the layer's; gives noise ceilings like those of fMRI."""
_UNITS = 60


def planted_regions(
    models: RDMs, depths: Mapping[str, float], *, n_subjects: int = N_SUBJECTS, noise: float = NOISE, seed: int = 0
) -> dict[str, RDMs]:
    """Return regions of which each follows the layer at a chosen depth, with noise of every subject's own.

    Parameters
    ----------
    models : RDMs
        Layers of a network, by depth.
    depths : mapping of str to float
        Region → depth, 0 (first layer) … 1 (last).
    n_subjects : int
    noise : float
        Standard deviation of what is a subject's own, in those of the layer's.
    seed : int

    Returns
    -------
    dict of str to RDMs
        One RDM a subject, table columns `subject` and `region`.

    Raises
    ------
    NotApplicableError
        If a layer to follow is dead.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for region, depth in depths.items():
        at = round(depth * (len(models) - 1))
        layer = models.dissimilarities[at]
        if not np.ptp(layer) > 0:
            raise NotApplicableError(
                f"{region} is to follow layer '{models.table['layer'].iloc[at]}', whose RDM is "
                f"{'not known' if np.isnan(layer).any() else 'level'}: the layer is dead, or gives nan. Planted brains "
                "need a network whose layers tell the stimuli apart."
            )
        own = _noise(models.n_conditions, n_subjects, rng)
        found[region] = _of_subjects(stats.zscore(layer)[None] + noise * own, region, models.conditions)
    return found


def noise_regions(
    conditions: Sequence[str], names: Sequence[str], *, n_subjects: int = N_SUBJECTS, seed: int = 0
) -> dict[str, RDMs]:
    """Return regions that tell nothing: every subject's RDM is that of random patterns."""
    rng = np.random.default_rng(seed)
    return {name: _of_subjects(_noise(len(conditions), n_subjects, rng), name, tuple(conditions)) for name in names}


def _noise(n_conditions: int, n_subjects: int, rng: np.random.Generator) -> np.ndarray:
    pairs = np.triu_indices(n_conditions, 1)
    patterns = rng.standard_normal((n_subjects, n_conditions, _UNITS))
    rdms = np.stack([1 - np.corrcoef(one)[pairs] for one in patterns])
    return np.asarray(stats.zscore(rdms, axis=1))


def _of_subjects(dissimilarities: np.ndarray, region: str, conditions: tuple[str, ...]) -> RDMs:
    table = pd.DataFrame({"subject": range(1, len(dissimilarities) + 1), "region": region})
    return RDMs(dissimilarities, conditions, table, "correlation")
