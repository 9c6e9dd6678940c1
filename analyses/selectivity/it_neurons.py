"""Macaque IT neurons as a recording, to be measured by the same code as the units of a network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from probekit.brains import zhang2011
from probekit.recording import Recording

LAYER = "macaque IT (Zhang 2011)"
LABEL = "object"
_WINDOW_MS, _STEP_MS, _MIDDLE_MS = 200, 100, 200
NOTE = (
    f"IT: 132 neurons, rates from {_MIDDLE_MS - _WINDOW_MS // 2} to {_MIDDLE_MS + _WINDOW_MS // 2} ms after onset. "
    "Each of 7 objects is a single picture at 3 positions, and what varies are trials: this is selectivity for an "
    "object, not for a category, and its d′ has the noise of neurons in it, which a network does not have."
)


def it_recording() -> Recording:
    """Return the rates of 132 neurons in single trials.

    Returns
    -------
    Recording
        One layer, spikes a second, shape (stimulus, unit): a stimulus is a trial, joined over neurons that were mostly
        not recorded together. Table: `object`, `position`, `repetition`.

    Raises
    ------
    DataError
        If the spikes are not here and cannot be fetched.

    References
    ----------
    Zhang et al. 2011, PNAS 108:8850, doi:10.1073/pnas.1100999108
    """
    population = zhang2011.load().population(_WINDOW_MS, _STEP_MS)
    window = int(np.flatnonzero(population.times_ms == _MIDDLE_MS)[0])
    counts = population.counts[:, :, window]
    n_repetitions, n_conditions, n_units = counts.shape
    shown = pd.concat(
        [population.conditions.assign(repetition=number) for number in range(n_repetitions)], ignore_index=True
    )[[LABEL, "position", "repetition"]]
    rates = counts.reshape(n_repetitions * n_conditions, n_units) * (1000 / _WINDOW_MS)
    said = {"network": LAYER, "window_ms": _WINDOW_MS, "middle_ms": _MIDDLE_MS, "doi": "10.1073/pnas.1100999108"}
    return Recording({LAYER: xr.DataArray(rates, dims=("stimulus", "unit"))}, shown, said)
