"""What the images give by themselves: their pixels, and filters that learned nothing, as if they were units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional

from probekit.gabor import SMALLEST_PX, gabor_pyramid
from probekit.recording import Recording
from probekit.stimuli import Stimuli

PIXELS, PYRAMID = "pixels", "gabor-pyramid"
_SIDE_PX = 32
_BATCH = 32


def low_level(stimuli: Stimuli) -> dict[str, Recording]:
    """Return recordings of systems that learned nothing.

    Parameters
    ----------
    stimuli : Stimuli
        Square images.

    Returns
    -------
    dict
        "pixels": colours averaged, at most 32 × 32 places, each a unit. "gabor-pyramid": simple and complex cells of
        8 orientations and octaves of spatial frequency, each averaged over places; not of images under 16 pixels.
    """
    places = np.concatenate([_shrunk(batch).numpy() for batch in _batches(stimuli)])
    found = {PIXELS: _recording(PIXELS, xr.DataArray(places, dims=("stimulus", "channel", "y", "x")), stimuli)}
    if stimuli.shape[-1] >= SMALLEST_PX:
        pyramid = gabor_pyramid(stimuli.shape)
        with torch.no_grad():
            cells = [pyramid.module(pyramid.preprocess(batch)).numpy() for batch in _batches(stimuli)]
        found[PYRAMID] = _recording(PYRAMID, xr.DataArray(np.concatenate(cells), dims=("stimulus", "unit")), stimuli)
    return found


def _shrunk(batch: Tensor) -> Tensor:
    side = min(_SIDE_PX, batch.shape[-1])
    return functional.interpolate(batch.mean(1, keepdim=True), size=(side, side), mode="area")


def _batches(stimuli: Stimuli) -> Iterator[Tensor]:
    for start in range(0, len(stimuli), _BATCH):
        yield stimuli.batch(np.arange(start, min(start + _BATCH, len(stimuli))))


def _recording(name: str, activity: xr.DataArray, stimuli: Stimuli) -> Recording:
    return Recording({name: activity}, stimuli.table, {"network": name, "stimuli_sha256": stimuli.sha256})
