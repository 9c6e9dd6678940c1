"""Spike trains made into activity along a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from probekit.arguments import Floats, floats
from probekit.errors import UsageError

_JITTER = 0.1
"""How much steps of time may differ, as a share of a step."""
_OUTSIDE = 0.01
"""Share of spikes that may lie outside the tracked time: what is recorded before the camera starts."""


def spike_rates(spike_times: Sequence[Any], times: Any) -> Floats:
    """Return the rate of each neuron at each sample of the tracking.

    A spike belongs to the nearest sample: that at time t has those from t − dt/2 to t + dt/2.

    Parameters
    ----------
    spike_times : sequence of arrays, shape (spike,)
        Of each neuron, s, sorted, on the clock of `times`; empty for a silent one. Up to 1 % of all may lie outside
        the tracked time: they are left out.
    times : array, shape (sample,)
        Of the tracked samples, s, at equal steps (within a tenth of a step).

    Returns
    -------
    array, shape (sample, unit)
        Spikes/s: their number over the step.

    Raises
    ------
    UsageError
        If times are not finite or not sorted, steps are not equal, or more spikes lie outside: then the two have
        different clocks or units.

    Examples
    --------
    >>> spike_rates([[0.1, 0.45, 0.55], []], [0.0, 0.5, 1.0]).tolist()
    [[2.0, 0.0], [4.0, 0.0], [0.0, 0.0]]
    """
    clock, dt = _clock(times)
    trains = [_train(unit, train) for unit, train in enumerate(_sequence(spike_times))]
    if not trains:
        raise UsageError("spike_times is empty; expected an array for each neuron.")
    spikes = np.concatenate(trains)
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    inside = (spikes >= clock[0] - dt / 2) & (spikes < clock[-1] + dt / 2)
    if (~inside).sum() > _OUTSIDE * len(spikes):
        raise UsageError(
            f"spike_times: {(~inside).sum()} of {len(spikes)} spikes lie outside the tracked time; they run from "
            f"{spikes.min():g} to {spikes.max():g}, times from {clock[0]:g} to {clock[-1]:g}; expected seconds on one "
            "clock."
        )
    sample = np.searchsorted((clock[1:] + clock[:-1]) / 2, spikes[inside], side="right")
    counts = np.bincount(sample * len(trains) + unit[inside], minlength=len(clock) * len(trains))
    return np.asarray(counts.reshape(len(clock), len(trains)) / dt, dtype=np.float64)


def _sequence(spike_times: Any) -> list[Any]:
    try:
        return list(spike_times)
    except TypeError as err:
        raise UsageError(f"spike_times is a {type(spike_times).__name__}; expected an array for each neuron.") from err


def _clock(times: Any) -> tuple[Floats, float]:
    clock = floats("times", times)
    if clock.ndim != 1 or len(clock) < 2 or not np.isfinite(clock).all():
        raise UsageError(f"times have shape {clock.shape}; expected (sample,), at least 2 finite ones.")
    steps = np.diff(clock)
    dt = float(np.median(steps))
    uneven = np.abs(steps - dt) > _JITTER * dt
    if dt <= 0 or uneven.any():
        first = int(np.argmax(uneven))
        raise UsageError(
            f"times have a step of {steps[first]:g} s after sample {first} where most have {dt:g} s; expected rising "
            "times at equal steps. Fill gaps with samples whose positions are nan."
        )
    return clock, float((clock[-1] - clock[0]) / (len(clock) - 1))


def _train(unit: int, train: Any) -> Floats:
    spikes = floats(f"spike_times of unit {unit}", train)
    if spikes.ndim != 1 or not np.isfinite(spikes).all() or (np.diff(spikes) < 0).any():
        raise UsageError(f"spike_times of unit {unit} have shape {spikes.shape}; expected (spike,), finite and sorted.")
    return spikes
