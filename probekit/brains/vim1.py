"""Voxels of two people's visual cortex that saw 1,870 grey photographs (vim-1).

The files are given out by CRCNS after a registration; ``probekit.data.fetch("vim-1")`` says where. Expected is what is
distributed: ``Stimuli.mat`` with `stimTrn` (1750, 128, 128) and `stimVal` (120, 128, 128), and
``EstimatedResponses.mat`` (MATLAB 7.3: needs h5py) with, for subject S1 and S2, `dataTrnS1` (voxel, 1750), `dataValS1`
(voxel, 120), `roiS1` (voxel, 1) and `voxIdxS1` (voxel, 1).

References
----------
Kay, Naselaris, Prenger & Gallant 2008, Identifying natural images from human brain activity, Nature 452:352,
doi:10.1038/nature06713
Kay, Naselaris & Gallant 2011, fMRI of human visual areas in response to natural images, CRCNS.org,
doi:10.6080/K0QN64NG
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from probekit.brains import matlab
from probekit.errors import DataError, check_option
from probekit.stimuli.arrays import array
from probekit.stimuli.base import Stimuli

AREAS = ("other", "V1", "V2", "V3", "V3A", "V3B", "V4", "LatOcc")
"""Names of the numbers 0 … 7 in the file."""

N_TRAINING, N_VALIDATION = 1750, 120
SUBJECTS = (1, 2)

_NAME = "vim-1"


@dataclass(frozen=True, eq=False)
class Vim1:
    """One person's responses, and the photographs.

    Parameters
    ----------
    training, validation : Stimuli
        1750 and 120 grey photographs as RGB in 0 … 1, 128 × 128 pixels: what the file holds, less the darkest value of
        both sets and over their range.
    training_responses, validation_responses : array, shape (voxel, stimulus)
        Peak of the BOLD response, each voxel in its own standard deviations.
    voxels : pandas.DataFrame
        One row a voxel: `area` (of `AREAS`) and `index`, its place in the scanned volume.
    n_dropped : int
        Voxels left out because a response of theirs is not a number.
    subject : int
    """

    training: Stimuli
    validation: Stimuli
    training_responses: npt.NDArray[np.float32]
    validation_responses: npt.NDArray[np.float32]
    voxels: pd.DataFrame
    n_dropped: int
    subject: int


def load(folder: str | Path | None = None, *, subject: int = 1) -> Vim1:
    """Return one person's data.

    Parameters
    ----------
    folder : path, optional
        Holds ``EstimatedResponses.mat`` and ``Stimuli.mat``. Default: where `probekit.data` looks.
    subject : {1, 2}

    Raises
    ------
    UsageError
        If there is no such subject.
    DataError
        If a file is not there or does not hold what is described, h5py is missing, or no voxel is left.
    """
    check_option("subject", subject, SUBJECTS)
    responses_path, stimuli_path = (
        matlab.located(_NAME, file, folder) for file in ("EstimatedResponses.mat", "Stimuli.mat")
    )
    training, validation, voxels = _responses(responses_path, subject)
    known = np.flatnonzero(np.isfinite(training).all(axis=1) & np.isfinite(validation).all(axis=1))
    if not len(known):
        raise DataError(f"{responses_path}: every voxel of subject {subject} has a response that is not a number.")
    shown, tested = _photographs(stimuli_path)
    return Vim1(
        shown,
        tested,
        training[known],
        validation[known],
        voxels.iloc[known].reset_index(drop=True),
        len(voxels) - len(known),
        subject,
    )


def _responses(path: Path, subject: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], pd.DataFrame]:
    names = [f"{name}S{subject}" for name in ("dataTrn", "dataVal", "roi", "voxIdx")]
    with matlab.opened(path, names) as stored:
        training, validation = (np.ascontiguousarray(stored[name][:], dtype=np.float32) for name in names[:2])
        areas, index = (np.asarray(stored[name][:]).ravel().astype(np.int64) for name in names[2:])
    shapes = (training.shape, validation.shape, areas.shape, index.shape)
    n_voxels = len(areas)
    if shapes != ((n_voxels, N_TRAINING), (n_voxels, N_VALIDATION), (n_voxels,), (n_voxels,)):
        raise DataError(
            f"{path}: {', '.join(names)} have shapes {shapes}; expected (voxel, {N_TRAINING}), (voxel, {N_VALIDATION}) "
            "and a number a voxel."
        )
    if not np.isin(areas, range(len(AREAS))).all():
        raise DataError(f"{path}: {names[2]} holds {sorted(set(areas.tolist()))}; expected 0 … {len(AREAS) - 1}.")
    return training, validation, pd.DataFrame({"area": np.array(AREAS)[areas], "index": index})


def _photographs(path: Path) -> tuple[Stimuli, Stimuli]:
    names = ("stimTrn", "stimVal")
    with matlab.opened(path, names) as stored:
        pictures = [np.asarray(stored[name][:], dtype=np.float32) for name in names]
    for name, values, n_expected in zip(names, pictures, (N_TRAINING, N_VALIDATION), strict=True):
        if values.ndim != 3 or len(values) != n_expected:
            raise DataError(f"{path}: {name} has shape {values.shape}; expected ({n_expected}, y, x).")
    darkest = min(float(values.min()) for values in pictures)
    spread = max(float(values.max()) for values in pictures) - darkest
    if not spread > 0:
        raise DataError(f"{path}: every pixel of the photographs is {darkest}; expected photographs.")
    training, validation = (
        _stimuli((values - darkest) / spread, name)
        for values, name in zip(pictures, ("training", "validation"), strict=True)
    )
    return training, validation


def _stimuli(grey: npt.NDArray[np.float32], name: str) -> Stimuli:
    rgb = torch.from_numpy(grey)[:, None].expand(-1, 3, -1, -1)  # three views of one plane
    table = pd.DataFrame({"condition": [f"{name}_{number:04d}" for number in range(1, len(grey) + 1)]})
    return replace(
        array(rgb, table, name=f"vim-1 {name}"), parameters={"kind": "vim-1", "set": name, "n_stimuli": len(grey)}
    )
