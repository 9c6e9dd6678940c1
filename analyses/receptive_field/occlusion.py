"""Occlusion maps: how much a unit's response changes when a patch of the image is covered (Zeiler & Fergus 2014)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from probekit.analyses.receptive_field.maps import FieldMaps
from probekit.errors import NotApplicableError, UsageError
from probekit.recording import Recording

_COLUMNS = ("image", "occluded", "top_px", "left_px", "size_px")


def occlusion_fields(recording: Recording) -> dict[str, FieldMaps]:
    """Return layer → maps of |response to the image − response with the patch covered|, averaged over images.

    One cell a patch, at the middle of the patch. The patch blurs: the variance of its places along an axis,
    (size² − 1)/12, is given as `blur_px`, and `fit_gaussians` takes it off. That is exact for a unit that answers the
    sum of a Gaussian, and too little (by as much again) for one whose answer is the root of a sum of squares.

    Parameters
    ----------
    recording : Recording
        Of `probekit.stimuli.occlusions`; the units of every layer come from the one recording.

    Raises
    ------
    UsageError
        If the stimuli were others.
    NotApplicableError
        If a layer has a time axis.

    References
    ----------
    Zeiler & Fergus 2014, ECCV, doi:10.1007/978-3-319-10590-1_53 (a grey square over the image).
    """
    if not isinstance(recording, Recording):
        raise UsageError(f"recording is a {type(recording).__name__}; expected what probekit.record returns.")
    grid = _grid(recording.stimuli)
    maps = {}
    for layer, units in recording.units.groupby("layer", sort=False):
        drops = response_drops(recording, str(layer))
        values = np.abs(drops).mean(0, dtype=np.float64).astype(np.float32).transpose(2, 0, 1)
        maps[str(layer)] = FieldMaps(units.reset_index(drop=True), np.ascontiguousarray(values), **grid)
    return maps


def response_drops(recording: Recording, layer: str) -> np.ndarray:
    """Return response to the whole image − response with the patch covered, shape (image, patch y, patch x, unit).

    What captum's Occlusion gives each pixel is the mean of this over the patches that cover the pixel.
    """
    _grid(recording.stimuli)
    responses = recording.responses(layer)
    if responses.ndim != 2:
        raise NotApplicableError(f"layer '{layer}' has a time axis; occlusion maps are of one response an image.")
    table = recording.stimuli
    n_images, n_y, n_x = (table.loc[table["occluded"], name].nunique() for name in ("image", "top_px", "left_px"))
    shown = responses.reshape(n_images, 1 + n_y * n_x, -1)
    drops: np.ndarray = shown[:, :1] - shown[:, 1:]
    return drops.reshape(n_images, n_y, n_x, -1)


def _grid(table: pd.DataFrame) -> dict[str, float]:
    """Return where the patches' middles are, as `FieldMaps` says it."""
    missing = [column for column in _COLUMNS if column not in table]
    if missing:
        raise UsageError(
            f"the stimuli have no column {', '.join(missing)}; occlusion maps need a recording of "
            "probekit.stimuli.occlusions."
        )
    covered = table[table["occluded"]]
    size = int(covered["size_px"].iloc[0])
    tops, lefts = np.unique(covered["top_px"]), np.unique(covered["left_px"])
    steps = {*np.diff(tops).tolist(), *np.diff(lefts).tolist()}
    complete = len(table) == covered["image"].nunique() * (1 + len(tops) * len(lefts))
    if len(steps) > 1 or not complete:
        raise UsageError("the patches are not a whole grid; record every row of probekit.stimuli.occlusions.")
    middle = (size - 1) / 2
    return {
        "top_px": float(tops[0] + middle),
        "left_px": float(lefts[0] + middle),
        "step_px": float(min(steps, default=size)),
        "blur_px": math.sqrt((size**2 - 1) / 12),
    }
