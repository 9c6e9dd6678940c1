"""The images that drive the most selective unit of each contrast."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from torch.nn import functional

from probekit.recording import Recording
from probekit.stimuli import Stimuli

_N = 9
_SIDE_PX = 96


def top_images(recording: Recording, stimuli: Stimuli, table: pd.DataFrame) -> dict[str, xr.DataArray]:
    """Return the images with the largest responses of the selective unit with the largest d′, for each contrast.

    Parameters
    ----------
    recording : Recording
        Of the stimuli, without a time axis or with one that is averaged over.
    stimuli : Stimuli
        Images.
    table : pandas.DataFrame
        As of the analysis, of this recording alone.

    Returns
    -------
    dict
        `top_images` (contrast, rank, y, x), uint8, contrasts that have a selective unit; its `address` along contrast.
        Empty if there is none.
    """
    selective = table[table["selective"]]
    if selective.empty:
        return {}
    best = selective.loc[selective.groupby("contrast", sort=False)["d_prime"].idxmax()]
    places = {address: row for row, address in enumerate(recording.units["address"])}
    offsets = {layer: int((recording.units["layer"] == layer).to_numpy().argmax()) for layer in best["layer"]}
    shown = []
    for layer, address in zip(best["layer"], best["address"], strict=True):
        responses = recording.responses(layer)
        of_unit = responses[..., places[address] - offsets[layer]]
        mean = of_unit.mean(axis=1) if of_unit.ndim == 2 else of_unit
        chosen = np.argsort(-mean, kind="stable")[:_N]
        pictures = stimuli.batch(chosen).mean(1, keepdim=True)
        small = functional.interpolate(pictures, size=(_SIDE_PX, _SIDE_PX), mode="area")[:, 0]
        shown.append(np.rint(255 * small.numpy()).astype(np.uint8))
    array = xr.DataArray(
        np.stack(shown),
        dims=("contrast", "rank", "y", "x"),
        coords={"contrast": list(best["contrast"]), "address": ("contrast", list(best["address"]))},
    )
    return {"top_images": array}
