"""MEG: recorded, where a reader has the files; and planted, with layers that come one after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from probekit import data
from probekit.brains import cichy2016
from probekit.brains.cichy2016 import object_images
from probekit.rsa import RDMs, compute_rdms

__all__ = [
    "END_MS",
    "FILES",
    "ONSET_MS",
    "TIMES_MS",
    "is_here",
    "object_images",
    "planted",
    "planted_peaks",
    "recorded",
]

FILES = ("MEG_decoding_RDMs.mat", "118images.mat")
STEP_MS = 5
N_SUBJECTS = 15
TIMES_MS = np.arange(-100.0, 501.0, 10.0)
ONSET_MS, END_MS = 80.0, 280.0
"""When a planted brain follows the first layer, and when the last."""
_SIGNAL = 0.15
"""Of a planted RDM in standard deviations of its noise: a subject correlates that much with a layer, as in MEG."""
_UNITS = 30


def is_here() -> bool:
    """Say whether the MEG RDMs and the images that belong to them have been put where data are looked for."""
    return all((data.folder() / "cichy2016" / file).is_file() for file in FILES)


def recorded() -> RDMs:
    """Return the MEG RDMs over time of 15 people for the 118 objects (table: `subject`, `time_ms`)."""
    return cichy2016.meg(step_ms=STEP_MS)


def planted_peaks(depth: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return when a layer of some depth, 0 … 1, is followed, in ms."""
    return ONSET_MS + (END_MS - ONSET_MS) * np.asarray(depth, dtype=np.float64)


def planted(models: RDMs, *, signal: float = _SIGNAL, n_subjects: int = N_SUBJECTS, seed: int = 0) -> RDMs:
    """Return RDMs over time that follow one layer at each moment, the deeper the later.

    Parameters
    ----------
    models : RDMs
        Layers of a network by depth; those without distances are skipped.
    signal : float
        Of the layer's RDM beside noise of 1 standard deviation, every subject's and moment's own; 0 plants nothing.
    n_subjects : int
    seed : int

    Returns
    -------
    RDMs
        Table: `subject` 1 …, `time_ms` (`TIMES_MS`); all times of one subject, then the next.
    """
    rng = np.random.default_rng(seed)
    patterns = rng.standard_normal((n_subjects * len(TIMES_MS), models.n_conditions, _UNITS))
    noise = stats.zscore(compute_rdms(patterns).dissimilarities, axis=1).reshape(n_subjects, len(TIMES_MS), -1)
    alive = models.dissimilarities[~np.isnan(models.dissimilarities).any(axis=1)]
    followed = (TIMES_MS >= ONSET_MS) & (TIMES_MS <= END_MS)
    share = (TIMES_MS[followed] - ONSET_MS) / (END_MS - ONSET_MS)
    noise[:, followed] += signal * stats.zscore(alive[np.rint(share * (len(alive) - 1)).astype(int)], axis=1)
    index = pd.MultiIndex.from_product([range(1, n_subjects + 1), TIMES_MS], names=["subject", "time_ms"])
    return RDMs(noise.reshape(len(index), -1), models.conditions, index.to_frame(index=False), "planted")
