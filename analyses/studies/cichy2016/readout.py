"""What neurons tell of the object and of its position over time, and whether the code holds at other positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.brains.decoding import Design, decode_over_time, decode_shuffled
from probekit.brains.zhang2011 import OBJECTS, POSITIONS, Counts, Spikes

Floats = npt.NDArray[np.float64]
WINDOW_MS, STEP_MS = 50, 25
FIRST_MS, LAST_MS = -150.0, 450.0
LATE_WINDOW_MS = (100, 300)
CURVES = ("object", "position", "object elsewhere")
CHANCE = {"object": 1 / len(OBJECTS), "position": 1 / len(POSITIONS), "object elsewhere": 1 / len(OBJECTS)}
N_FOLDS, N_PER_FOLD = 3, 6
_N_RESAMPLES = 8


@dataclass(frozen=True, eq=False)
class Readout:
    """What was decoded.

    Parameters
    ----------
    times_ms : array, shape (time,)
        Middles of the windows.
    accuracy : array, shape (curve, time)
        `CURVES`: share of pseudo-trials found; "object elsewhere" is taught at one position and tested at others.
    highest_null : array, shape (2, shuffle)
        Highest accuracy over all times after the labels were shuffled, for the first two curves.
    p : array, shape (2, time)
        Of the first two curves, corrected for the number of windows.
    invariance : array, shape (position taught, position tested)
        Accuracy for objects, `LATE_WINDOW_MS` after onset.
    generalisation, generalisation_p : float
        Mean of `invariance` where the positions differ, and its p from shuffled labels.
    """

    times_ms: Floats
    accuracy: Floats
    highest_null: Floats
    p: Floats
    invariance: Floats
    generalisation: float
    generalisation_p: float

    def peak(self, curve: str) -> tuple[float, float, float]:
        """Return the highest accuracy of a curve, when it is, and its p (nan where it has none)."""
        at = CURVES.index(curve)
        best = int(self.accuracy[at].argmax())
        p = float(self.p[at, best]) if at < len(self.p) else float("nan")
        return float(self.accuracy[at, best]), float(self.times_ms[best]), p


def decoded(spikes: Spikes, *, n_shuffles: int = 100, seed: int = 0) -> Readout:
    """Return what is decoded from pseudo-populations, over time and across positions.

    Parameters
    ----------
    spikes : Spikes
    n_shuffles : int
        Data sets with shuffled labels behind each p.
    seed : int
    """
    binned = spikes.binned(WINDOW_MS, STEP_MS)
    kept = (binned.times_ms >= FIRST_MS) & (binned.times_ms <= LAST_MS)
    counts = [one[:, kept] for one in binned.counts]
    whole = Design(n_folds=N_FOLDS, n_per_fold=N_PER_FOLD)
    tasks = ((spikes.objects, spikes.positions), (spikes.positions, spikes.objects))
    curves, nulls = [], []
    for labels, groups in tasks:
        found = decode_over_time(counts, labels, whole, groups=groups, n_resamples=_N_RESAMPLES, seed=seed)
        curves.append(found.mean(axis=0))
        null = decode_shuffled(
            counts, labels, whole, groups=groups, n_shuffles=n_shuffles, n_resamples=1, seed=seed + 1
        )
        nulls.append(null.max(axis=1))
    across = [
        decode_over_time(counts, spikes.objects, _across(place), groups=spikes.positions, n_resamples=2, seed=seed)
        for place in POSITIONS
    ]
    curves.append(np.mean(across, axis=(0, 1)))
    reached = [(null[:, None] >= curve).sum(axis=0) for null, curve in zip(nulls, curves, strict=False)]
    matrix, shuffled = _invariance(spikes, n_shuffles, seed)
    generalisation = float(_between(matrix[None])[0])
    return Readout(
        binned.times_ms[kept],
        np.stack(curves),
        np.stack(nulls),
        (1 + np.stack(reached)) / (1 + n_shuffles),
        matrix,
        generalisation,
        float((1 + (_between(shuffled) >= generalisation).sum()) / (1 + n_shuffles)),
    )


def _across(place: str) -> Design:
    others = tuple(other for other in POSITIONS if other != place)
    return Design((place,), others, n_folds=N_FOLDS, n_per_fold=N_PER_FOLD)


def _invariance(spikes: Spikes, n_shuffles: int, seed: int) -> tuple[Floats, Floats]:
    """Return accuracies (taught, tested), and (shuffle, taught, tested)."""
    start, stop = LATE_WINDOW_MS
    counts = _late(spikes.binned(stop - start, 100), (start + stop) / 2)
    n = len(POSITIONS)
    matrix, shuffled = np.empty((n, n)), np.empty((n_shuffles, n, n))
    for at in np.ndindex(n, n):
        taught, tested = (POSITIONS[place] for place in at)
        design = Design((taught,), (tested,), n_folds=N_FOLDS, n_per_fold=N_PER_FOLD)
        given = (counts, spikes.objects, design)
        matrix[at] = decode_over_time(*given, groups=spikes.positions, n_resamples=20, seed=seed).mean()
        null = decode_shuffled(*given, groups=spikes.positions, n_shuffles=n_shuffles, n_resamples=1, seed=seed + 1)
        shuffled[(slice(None), *at)] = null[:, 0]
    return matrix, shuffled


def _late(binned: Counts, middle_ms: float) -> Sequence[npt.NDArray[np.int32]]:
    at = int(np.flatnonzero(np.isclose(binned.times_ms, middle_ms))[0])
    return [one[:, at : at + 1] for one in binned.counts]


def _between(matrices: Floats) -> Floats:
    """Return the mean over different positions of matrices (…, taught, tested)."""
    return np.asarray(matrices[:, ~np.eye(len(POSITIONS), dtype=bool)].mean(axis=1))
