"""Spikes that were never recorded: of neurons that follow objects and positions from chosen moments on, or nothing."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from probekit.brains.zhang2011 import OBJECTS, ONSET_SAMPLE, POSITIONS, Spikes

OBJECT_ONSET_MS, POSITION_ONSET_MS = 100.0, 150.0
_N_NEURONS = 40
_N_REPETITIONS = 18
_N_SAMPLES = 1000
_BASE_HZ, _GAIN_HZ = 12.0, 24.0
_RISE_MS = 40.0


def planted_spikes(*, informed: bool = True, seed: int = 0) -> Spikes:
    """Return spikes of neurons whose rates follow objects from 100 ms and positions from 150 ms after onset.

    Parameters
    ----------
    informed : bool
        False: rates rise after onset, but for all stimuli alike.
    seed : int

    Returns
    -------
    Spikes
        As `probekit.brains.zhang2011.load` returns them.
    """
    rng = np.random.default_rng(seed)
    times_ms = np.arange(1.0, _N_SAMPLES + 1) - ONSET_SAMPLE
    shown = np.array(list(product(range(len(OBJECTS)), range(len(POSITIONS)))) * _N_REPETITIONS)
    rises = [np.clip((times_ms - onset) / _RISE_MS, 0, 1) for onset in (OBJECT_ONSET_MS, POSITION_ONSET_MS)]
    spikes = []
    for _ in range(_N_NEURONS):
        liked = [rng.random(len(names)) for names in (OBJECTS, POSITIONS)]
        gains = [
            likes[column] if informed else np.full(len(shown), 0.5)
            for likes, column in zip(liked, shown.T, strict=True)
        ]
        rate = _BASE_HZ + _GAIN_HZ * sum(gain[:, None] * rise for gain, rise in zip(gains, rises, strict=True))
        spikes.append((rng.random((len(shown), _N_SAMPLES)) < rate / 1000).astype(np.uint8))
    objects, positions = np.array(OBJECTS)[shown[:, 0]], np.array(POSITIONS)[shown[:, 1]]
    names = [f"planted_{number:02d}" for number in range(1, _N_NEURONS + 1)]
    units = pd.DataFrame({"unit": names, "session": names, "channel": 1, "letter": "A", "n_trials": len(shown)})
    n = _N_NEURONS
    return Spikes(tuple(spikes), (objects,) * n, (positions,) * n, times_ms, units)
