"""From a recording to one row a unit: blocks of bounded memory, one pass over the activity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import xarray as xr

from probekit.analyses.orientation.columns import TABLE
from probekit.analyses.orientation.grid import Grid, grid_of
from probekit.analyses.orientation.permutation import permutation_p, shuffled_vectors
from probekit.analyses.orientation.tuning import Operators, Rectify, Smoothing, curves, measures, operators, rectified
from probekit.recording import Recording, unit_dims
from probekit.stats import benjamini_hochberg

RESPONSIVE_SHARE = 5 / 243.1
"""Of a layer's largest peak above blank (Marques 2021: 5 spikes/s of the 243.1 of the strongest neuron)."""
ENOUGH_ORIENTATIONS = 24
ENOUGH_PHASES = 16
_UNITS_AT_ONCE = 1024  # a block of 2304 gratings then fits the processor's cache
_NUMBERS_AT_ONCE = 2**28  # read from a store at once: 1 GiB in float32
_CURVES = ("tuning_curves", "sf_curves", "phase_curves")


@dataclass(frozen=True)
class Options:
    """How units are measured; see `probekit.analyses.orientation`."""

    rectify: Rectify = "half"
    smoothing: Smoothing = "ringach2002"
    n_permutations: int = 1000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Measured:
    """The units of one network: table, curves behind it, and what a reader must know."""

    table: pd.DataFrame
    arrays: dict[str, xr.DataArray]
    notes: tuple[str, ...]


def measure_units(recording: Recording, network: str, options: Options) -> Measured:
    """Return every unit of a recording, measured."""
    grid = grid_of(recording.stimuli)
    block = _Block(grid, operators(grid, options.smoothing), shuffled_vectors(
        grid.orientations_deg, len(grid.phases_deg), options.n_permutations, options.seed), options.rectify)
    parts = [block.read(responses) for data in recording.activity.values() for responses in _responses(data, grid)]
    found = {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
    table = _table(recording.units, found, network)
    coords = (("orientation_deg", grid.orientations_deg),
              ("spatial_frequency_cpp", grid.spatial_frequencies_cpp), ("phase_deg", grid.phases_deg))
    arrays = {
        name: xr.DataArray(found[name].T, dims=("unit", axis), coords={axis: values}, name=name)
        for name, (axis, values) in zip(_CURVES, coords, strict=True)
    }
    return Measured(table, arrays, _notes(recording, grid, table, options))


def coarse(grid: Grid) -> str:
    """Say what is too coarse about a grid of gratings, "" if nothing is."""
    orientations, _, phases = grid.shape
    if orientations >= ENOUGH_ORIENTATIONS and phases >= ENOUGH_PHASES:
        return ""
    return (
        f"Coarse gratings: {orientations} orientations and {phases} phases. Below {ENOUGH_ORIENTATIONS} orientations "
        f"narrow bandwidths come out too wide, below {ENOUGH_PHASES} phases F1/F0 comes out too high."
    )


@dataclass(frozen=True, eq=False)
class _Block:
    grid: Grid
    matrices: Operators
    vectors: torch.Tensor
    rectify: Rectify

    def read(self, responses: np.ndarray) -> dict[str, np.ndarray]:
        """Return what is found in responses, shape (grating, then blank; unit); units on the last axis."""
        raw = torch.from_numpy(responses)
        n = len(self.grid.rows)
        finite = torch.isfinite(raw).all(0)
        raw.masked_fill_(~finite, 0)
        negative = (raw[:n] < 0).float().mean(0)
        rates = rectified(raw, self.rectify)
        seen = curves(rates[:n], self.grid)
        n_blanks = len(self.grid.blank_rows)
        blank = rates[n:].mean(0) if n_blanks else torch.full_like(seen.peak, torch.nan)
        tuned = measures(seen, self.matrices)
        tuned["p_permutation"] = permutation_p(seen.strongest, self.vectors)
        missing = self._missing(seen.peak, seen.orientation, seen.phase, finite)
        for name in tuned:
            of_phase, of_curve = name == "f1_f0", name != "p_permutation"
            gone = missing["silent"] | (missing["phase"] if of_phase else missing["curve"] if of_curve else False)
            tuned[name] = tuned[name].masked_fill(gone | ~finite, torch.nan)
        frequency = torch.from_numpy(self.grid.spatial_frequencies_cpp)[seen.preferred[1]]
        plain = {"peak_response": seen.peak, "blank_response": blank, "negative_share": negative,
                 "preferred_spatial_frequency_cpp": frequency.masked_fill(missing["silent"], torch.nan)}
        shown = dict(zip(_CURVES, (seen.orientation, seen.spatial_frequency, seen.phase), strict=True))
        result = tuned | {name: values.masked_fill(~finite, torch.nan) for name, values in (plain | shown).items()}
        return {name: values.numpy() for name, values in result.items()} | {"reason": self._reason(missing, tuned)}
