"""What a brain should be compared with besides a network: pixels, a Gabor model of V1, categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from probekit.errors import UsageError, unknown_name
from probekit.gabor import N_ORIENTATIONS, GaborPyramid, gabor_pyramid
from probekit.rsa.distances import compute_rdms
from probekit.rsa.rdms import RDMs
from probekit.stimuli.base import Stimuli, check_images

CATEGORY_COLUMNS = ("animal", "human", "face", "natural", "category")
_BATCH = 16
_EVERY_PX = 2
"""Half of a wavelength between neighbouring cells."""


def pixels(stimuli: Stimuli, *, distance: str = "correlation", standardize: bool = False) -> RDMs:
    """Return the RDM of the images themselves, all colours and places in one pattern.

    Parameters
    ----------
    stimuli : Stimuli
        Images; their table's column `condition`, if there is one, names the conditions.
    distance, standardize
        As of `probekit.rsa.distances.compute_rdms`.

    Returns
    -------
    RDMs
        One RDM; table: `model` ("pixels").

    Raises
    ------
    StimulusError
        If the stimuli are not images.
    """
    check_images("stimuli", stimuli)
    patterns = np.concatenate([batch.flatten(1).numpy() for batch in _batches(stimuli)])
    return _rdm("pixels", patterns, stimuli, distance=distance, standardize=standardize)


def gabor_energy(stimuli: Stimuli, *, distance: str = "correlation", standardize: bool = False) -> RDMs:
    """Return the RDM of a model of V1: complex cells at every half wavelength of the images, 8 orientations, octaves.

    The cells are those of `probekit.gabor.GaborPyramid` (the energy of a quadrature pair one octave wide), in their
    places instead of averaged over them. Colours are averaged, and an image goes on beyond its edge as it is there, so
    that its border is no contour.

    Parameters
    ----------
    stimuli : Stimuli
        Images of at least 16 pixels; their table's column `condition`, if there is one, names the conditions.
    distance, standardize
        As of `probekit.rsa.distances.compute_rdms`.

    Returns
    -------
    RDMs
        One RDM; table: `model` ("Gabor energy").

    Raises
    ------
    StimulusError
        If the stimuli are not images.
    UsageError
        If they are too small.

    References
    ----------
    Kay et al. 2008, Nature 452:352, doi:10.1038/nature06713
    """
    check_images("stimuli", stimuli)
    pyramid = cast(GaborPyramid, gabor_pyramid(stimuli.shape).module)
    with torch.no_grad():
        patterns = np.concatenate([_energies(pyramid, batch).numpy() for batch in _batches(stimuli)])
    return _rdm("Gabor energy", patterns, stimuli, distance=distance, standardize=standardize)


def categories(table: pd.DataFrame, columns: Sequence[str] | None = None) -> RDMs:
    """Return an RDM a column: 0 where two conditions are the same in it, 1 where they are not.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a condition, such as that of `probekit.brains.kriegeskorte2008.objects`; column `condition` names them.
    columns : sequence of str, optional
        Default: those of `CATEGORY_COLUMNS` that the table has.

    Returns
    -------
    RDMs
        Table: `model` (name of the column); distance "category".

    Raises
    ------
    UsageError
        If there is no such column, or a column is the same for all conditions.
    """
    chosen = [name for name in CATEGORY_COLUMNS if name in table] if columns is None else list(columns)
    for name in ("condition", *chosen):
        if name not in table:
            raise unknown_name("column of the table", name, map(str, table.columns))
    if not chosen:
        raise UsageError(f"columns is empty; expected some of {', '.join(map(str, table.columns))}.")
    alike = [name for name in chosen if table[name].nunique(dropna=False) < 2]
    if alike:
        raise UsageError(f"the conditions do not differ in {', '.join(alike)}: there is no RDM of it.")
    first, second = np.triu_indices(len(table), 1)
    codes = [pd.factorize(table[name], use_na_sentinel=False)[0] for name in chosen]
    different = np.array([(code[first] != code[second]) for code in codes], dtype=np.float64)
    return RDMs(different, tuple(map(str, table["condition"])), pd.DataFrame({"model": chosen}), "category")


def _batches(stimuli: Stimuli) -> Iterator[Tensor]:
    for start in range(0, len(stimuli), _BATCH):
        yield stimuli.batch(range(start, min(start + _BATCH, len(stimuli))))


def _energies(pyramid: GaborPyramid, images: Tensor) -> Tensor:
    image = images.mean(1, keepdim=True)
    radius = pyramid.levels[0].get_buffer("filters").shape[-1] // 2
    found = []
    for number, level in enumerate(pyramid.levels):
        if number:
            wider = functional.pad(image, (1, 1, 1, 1), mode="replicate")
            image = functional.conv2d(wider, pyramid.get_buffer("blur"), stride=2)
        wider = functional.pad(image, (radius,) * 4, mode="replicate")
        energy = level(wider)[:, -N_ORIENTATIONS:, radius:-radius, radius:-radius]
        found.append(energy[..., ::_EVERY_PX, ::_EVERY_PX].flatten(1))
    return torch.cat(found, dim=1)


def _rdm(model: str, patterns: npt.NDArray[np.float32], stimuli: Stimuli, *, distance: str, standardize: bool) -> RDMs:
    given = stimuli.table
    labels = given["condition"] if "condition" in given else [f"stimulus_{row}" for row in range(len(stimuli))]
    return compute_rdms(
        patterns,
        distance=distance,
        standardize=standardize,
        conditions=[str(label) for label in labels],
        table=pd.DataFrame({"model": [model]}),
    )
