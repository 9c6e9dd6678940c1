"""Cells of rats and mice, measured by the same functions, to stand beside artificial units."""

from __future__ import annotations

import numpy as np
import xarray as xr

from probekit import data
from probekit.brains import mouse_grids, peyrache2015, tampuu2019
from probekit.errors import ProbekitError
from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.gridness import gridness
from probekit.spatial.heading import mean_vectors
from probekit.spatial.information import spatial_information
from probekit.spatial.rate_maps import rate_maps

_BINS, _SMOOTHING = 20, 1.0
_SETS = (mouse_grids.DATASET, peyrache2015.DATASET, tampuu2019.DATASET)


def real_cells() -> tuple[dict[str, xr.DataArray], tuple[str, ...]]:
    """Return the scores of real cells as far as the data are here, and notes on what is not.

    Returns
    -------
    arrays : dict
        `reference_gridness` (cell) and `reference_grid_map` (cell, y, x) of mouse grid cells,
        `reference_mean_vector_length` (cell) of mouse head-direction cells, `reference_information` (cell), bits per
        spike, of rat CA1.
    notes : tuple of str
    """
    arrays: dict[str, xr.DataArray] = {}
    missing = []
    for name, measure in zip(_SETS, (_mouse_grid, _mouse_heading, _rat_place), strict=True):
        if not data.here(name):
            missing.append(f"{name} (probekit data fetch {name})")
            continue
        try:
            arrays |= measure()
        except ProbekitError as err:
            missing.append(f"{name} ({err})")
    notes = (f"Without these real cells beside the units: {'; '.join(missing)}.",) if missing else ()
    return arrays, notes


def _mouse_grid() -> dict[str, xr.DataArray]:
    maps = mouse_grids.load().maps
    scores = gridness(autocorrelograms(maps, method="banino2018")).score_60
    return {
        "reference_gridness": xr.DataArray(scores, dims="cell"),
        "reference_grid_map": xr.DataArray(maps, dims=("cell", "y", "x")),
    }


def _mouse_heading() -> dict[str, xr.DataArray]:
    lengths = mean_vectors(peyrache2015.tuning().rates).length
    return {"reference_mean_vector_length": xr.DataArray(lengths, dims="cell")}


def _rat_place() -> dict[str, xr.DataArray]:
    found = []
    for rat in tampuu2019.RATS:
        recorded = tampuu2019.load(rat)
        made = rate_maps(recorded[tampuu2019.AREA], recorded.tracking, n_bins=_BINS, smoothing=_SMOOTHING)
        found.append(spatial_information(made.maps, made.occupancy).bits_per_spike)
    return {"reference_information": xr.DataArray(np.concatenate(found), dims="cell")}
