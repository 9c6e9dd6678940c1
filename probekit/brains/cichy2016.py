"""The 118 objects on natural backgrounds: fMRI of early visual cortex and IT, and MEG over time, of 15 people.

The files are too large to lie with the others; ``probekit.data.fetch("cichy2016")`` says where each is to be had.
Expected is what is distributed, in either of MATLAB's formats:

- ``target_fmri.mat`` (Algonauts challenge 2019, folder ``118_Image_Set``): `EVC_RDMs` and `IT_RDMs`, (subject, image,
  image), 1 − Pearson over voxels, 0 on the diagonal;
- ``target_meg.mat`` (the same): `MEG_RDMs_early` and `MEG_RDMs_late`, (subject, time, image, image);
- ``118images.mat`` (the same): structure array `visual_stimuli` with `names` and `pixels`, (y, x, 3) from 0 to 255;
- ``MEG_decoding_RDMs.mat`` (the authors' page): `MEG_decoding_RDMs`, (subject, session, time, image, image), pairwise
  decoding accuracy each millisecond from −100 ms to 1000 ms, nan on the diagonal.

References
----------
Cichy, Khosla, Pantazis, Torralba & Oliva 2016, Comparison of deep neural networks to spatio-temporal cortical dynamics
of human visual object recognition reveals hierarchical correspondence, Sci Rep 6:27755, doi:10.1038/srep27755
Cichy, Pantazis & Oliva 2016, Cereb Cortex 26:3563, doi:10.1093/cercor/bhw135
Cichy et al. 2019, The Algonauts Project, arXiv:1905.05675
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from probekit.brains import matlab
from probekit.errors import DataError
from probekit.rsa.rdms import RDMs, from_square
from probekit.stimuli.arrays import array
from probekit.stimuli.base import Stimuli, count

N_IMAGES = 118
CONDITIONS = tuple(f"object_{number:03d}" for number in range(1, N_IMAGES + 1))
MEG_START_MS = -100
INTERVALS = ("early", "late")

_NAME = "cichy2016"


def evc(folder: str | Path | None = None) -> RDMs:
    """Return the RDMs of early visual cortex (table: `subject` 1 …, `region`).

    Parameters
    ----------
    folder : path, optional
        Holds ``target_fmri.mat``. Default: where `probekit.data` looks.

    Raises
    ------
    DataError
        If the file is not there or does not hold what is described; the message says what it holds.
    """
    return _fmri("EVC", folder)


def it(folder: str | Path | None = None) -> RDMs:
    """Return the RDMs of inferior temporal cortex (table: `subject` 1 …, `region`); else as `evc`."""
    return _fmri("IT", folder)


def meg_intervals(folder: str | Path | None = None) -> RDMs:
    """Return the MEG RDMs of the challenge's early and late interval, mean over the times in each.

    Parameters
    ----------
    folder : path, optional
        Holds ``target_meg.mat``. Default: where `probekit.data` looks.

    Returns
    -------
    RDMs
        Table: `subject` 1 …, `interval` ("early", then "late").

    Raises
    ------
    DataError
        If the file is not there or does not hold what is described.
    """
    path = matlab.located(_NAME, "target_meg.mat", folder)
    names = [f"MEG_RDMs_{interval}" for interval in INTERVALS]
    with matlab.opened(path, names) as stored:
        for name in names:
            _check(path, name, stored[name].shape, ("subject", "time", "image", "image"))
        means = [np.asarray(stored[name][:], dtype=np.float64).mean(axis=1) for name in names]
    table = pd.concat(
        [
            pd.DataFrame({"subject": range(1, len(mean) + 1), "interval": interval})
            for interval, mean in zip(INTERVALS, means, strict=True)
        ],
        ignore_index=True,
    )
    return from_square(np.concatenate(means), CONDITIONS, distance="decoding", table=table)


def meg(folder: str | Path | None = None, *, step_ms: int = 5) -> RDMs:
    """Return the MEG RDMs over time: pairwise decoding accuracy, mean over sessions.

    Parameters
    ----------
    folder : path, optional
        Holds ``MEG_decoding_RDMs.mat``. Default: where `probekit.data` looks.
    step_ms : int
        Every how many milliseconds a sample is taken, as it is; 1 takes all (some 0.9 GB).

    Returns
    -------
    RDMs
        Table: `subject` 1 …, `time_ms` from stimulus onset; all times of one subject, then the next.

    Raises
    ------
    DataError
        If the file is not there or does not hold what is described.
    """
    step = count("step_ms", step_ms, 1)
    path = matlab.located(_NAME, "MEG_decoding_RDMs.mat", folder)
    with matlab.opened(path, ["MEG_decoding_RDMs"]) as opened:
        stored = opened["MEG_decoding_RDMs"]
        _check(path, "MEG_decoding_RDMs", stored.shape, ("subject", "session", "time", "image", "image"))
        n_subjects, _, n_times = stored.shape[:3]
        rows, columns = np.triu_indices(N_IMAGES, 1)
        pairs = [  # a subject at a time: the file may be larger than memory
            np.asarray(stored[subject, :, ::step]).mean(axis=0)[:, rows, columns] for subject in range(n_subjects)
        ]
    times_ms = MEG_START_MS + np.arange(0, n_times, step)
    index = pd.MultiIndex.from_product([range(1, n_subjects + 1), times_ms], names=["subject", "time_ms"])
    return RDMs(np.concatenate(pairs).astype(np.float64), CONDITIONS, index.to_frame(index=False), "decoding")


def object_images(size: int, folder: str | Path | None = None) -> Stimuli:
    """Return the 118 images, RGB in 0 … 1, resized (bicubic, antialiased) to `size` × `size` pixels.

    Parameters
    ----------
    size : int
        Height and width in pixels.
    folder : path, optional
        Holds ``118images.mat``. Default: where `probekit.data` looks.

    Returns
    -------
    Stimuli
        Table: `condition` ("object_001" …), `file` (name of the image).

    Raises
    ------
    DataError
        If the file is not there or does not hold what is described.
    """
    size = count("size", size, 1)
    path = matlab.located(_NAME, "118images.mat", folder)
    try:
        shown = [(str(one["names"]), np.asarray(one["pixels"])) for one in matlab.read(path)["visual_stimuli"]]
    except (KeyError, TypeError, IndexError) as err:
        raise DataError(f"{path} has no structure array 'visual_stimuli' of 'names' and 'pixels': {err!r}.") from err
    wrong = [name for name, pixels in shown if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3]
    if len(shown) != N_IMAGES or wrong:
        raise DataError(
            f"{path} has {len(shown)} images, of which {len(wrong)} are not (y, x, 3) of uint8; expected {N_IMAGES} "
            "that are."
        )
    resized = [Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC) for _, pixels in shown]
    values = np.stack([np.asarray(one) for one in resized]).transpose(0, 3, 1, 2).astype(np.float32) / 255
    table = pd.DataFrame({"condition": CONDITIONS, "file": [name for name, _ in shown]})
    return replace(
        array(values, table, name="118 objects"), parameters={"kind": "118 objects", "size_px": size, "n_stimuli": 118}
    )


def _fmri(region: str, folder: str | Path | None) -> RDMs:
    path = matlab.located(_NAME, "target_fmri.mat", folder)
    name = f"{region}_RDMs"
    with matlab.opened(path, [name]) as stored:
        _check(path, name, stored[name].shape, ("subject", "image", "image"))
        squares = np.asarray(stored[name][:], dtype=np.float64)
    table = pd.DataFrame({"subject": range(1, len(squares) + 1), "region": region})
    return from_square(squares, CONDITIONS, distance="correlation", table=table)


def _check(path: Path, name: str, shape: tuple[int, ...], axes: tuple[str, ...]) -> None:
    if len(shape) != len(axes) or shape[-2:] != (N_IMAGES, N_IMAGES):
        raise DataError(
            f"{path}: {name} has shape {shape}; expected ({', '.join(axes)}) with {N_IMAGES} images. "
            "The set of 92 images is probekit.brains.cichy2014."
        )
