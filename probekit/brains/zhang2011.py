"""Spikes of 132 neurons of macaque IT while 7 objects were shown at 3 positions.

References
----------
Zhang, Meyers, Bichot, Serre, Poggio & Desimone 2011, Object decoding with attention in inferior temporal cortex,
PNAS 108:8850, doi:10.1073/pnas.1100999108
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit import data
from probekit.brains import matlab
from probekit.errors import DataError, UsageError
from probekit.stimuli.base import count

OBJECTS = ("car", "couch", "face", "flower", "guitar", "hand", "kiwi")
POSITIONS = ("lower", "middle", "upper")
CONDITIONS = tuple(f"{shown}_{place}" for shown, place in product(OBJECTS, POSITIONS))
"""Labels of the 21 conditions, object by object."""

ONSET_SAMPLE = 501
"""Millisecond of the recording, counted from 1, at which the stimulus comes on."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Spikes in windows, of neurons that were not all recorded together.

    Parameters
    ----------
    counts : tuple of arrays, shape (trial, window)
        Of each unit; trials are those of `Spikes`.
    times_ms : array, shape (window,)
        Middle of each window, from stimulus onset: a window takes in half its width before and half after.
    window_ms : int
        Width.
    """

    counts: tuple[npt.NDArray[np.int32], ...]
    times_ms: npt.NDArray[np.float64]
    window_ms: int


@dataclass(frozen=True, eq=False)
class Population:
    """Spike counts of all neurons as if they had been recorded together (a pseudo-population).

    Parameters
    ----------
    counts : array, shape (repetition, condition, window, unit)
        Repetition k of a condition joins each unit's k-th trial of it; units of different sessions share no noise.
    conditions : pandas.DataFrame
        One row a condition: `condition`, `object`, `position`.
    times_ms : array, shape (window,)
        Middle of each window, from stimulus onset.
    window_ms : int
        Width; ``counts * 1000 / window_ms`` are spikes a second.
    """

    counts: npt.NDArray[np.int32]
    conditions: pd.DataFrame
    times_ms: npt.NDArray[np.float64]
    window_ms: int


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spike trains by trial.

    Parameters
    ----------
    spikes : tuple of arrays, shape (trial, millisecond), uint8
        Of each unit, 0 or 1; units of one session share their trials.
    objects, positions : tuple of arrays of str, shape (trial,)
        What was shown in each trial, and where.
    times_ms : array, shape (millisecond,)
        From stimulus onset.
    units : pandas.DataFrame
        One row a unit: `unit` (such as "1001_01A"), `session`, `channel`, `letter`, `n_trials`.
    """

    spikes: tuple[npt.NDArray[np.uint8], ...]
    objects: tuple[npt.NDArray[np.str_], ...]
    positions: tuple[npt.NDArray[np.str_], ...]
    times_ms: npt.NDArray[np.float64]
    units: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.spikes)

    def binned(self, window_ms: int, step_ms: int) -> Counts:
        """Return spike counts in windows that lie wholly in the recording, the first at its start.

        Parameters
        ----------
        window_ms : int
            Width, 1 … 1000.
        step_ms : int
            From one window to the next.

        Raises
        ------
        UsageError
            If a number is not whole and positive, or the window is longer than the recording.
        """
        window_ms, step_ms = count("window_ms", window_ms, 1), count("step_ms", step_ms, 1)
        n_times = len(self.times_ms)
        if window_ms > n_times:
            raise UsageError(f"window_ms is {window_ms}; the recording lasts {n_times} ms.")
        starts = np.arange(0, n_times - window_ms + 1, step_ms)
        counts = tuple(_window_sums(spikes, starts, window_ms) for spikes in self.spikes)
        return Counts(counts, self.times_ms[starts] + window_ms / 2, window_ms)

    def population(self, window_ms: int, step_ms: int) -> Population:
        """Return counts of all units by condition, as many repetitions as every unit has of every condition.

        Raises
        ------
        UsageError
            As of `binned`.
        """
        binned = self.binned(window_ms, step_ms)
        trials = [_trials_by_condition(*labels) for labels in zip(self.objects, self.positions, strict=True)]
        n_repetitions = min(len(found) for unit in trials for found in unit)
        counts = np.stack(
            [
                unit_counts[np.stack([found[:n_repetitions] for found in unit], axis=1)]
                for unit_counts, unit in zip(binned.counts, trials, strict=True)
            ],
            axis=-1,
        )
        shown = pd.DataFrame(list(product(OBJECTS, POSITIONS)), columns=["object", "position"])
        shown.insert(0, "condition", CONDITIONS)
        return Population(counts, shown, binned.times_ms, window_ms)


def load(folder: str | Path | None = None) -> Spikes:
    """Return the spikes of all units.

    Parameters
    ----------
    folder : path, optional
        Holds the raster files ``bp*_raster_data.mat``. Default: where `probekit.data` has them.

    Raises
    ------
    DataError
        If the files are not there, or do not hold what is described.
    """
    files = data.fetch("zhang2011") if folder is None else sorted(Path(folder).expanduser().glob("*_raster_data.mat"))
    if not files:
        raise DataError(f"{folder} holds no file called *_raster_data.mat.")
    units = [_unit(file, matlab.read(file)) for file in files]
    spikes, objects, positions, rows = zip(*units, strict=True)
    times_ms = np.arange(spikes[0].shape[1]) + 1.0 - ONSET_SAMPLE
    return Spikes(spikes, objects, positions, times_ms, pd.DataFrame(list(rows)))


def _unit(file: Path, stored: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
    try:
        spikes, labels, site = stored["raster_data"], stored["raster_labels"], stored["raster_site_info"]
        objects, positions = (np.asarray(labels[name], dtype=str) for name in ("stimulus_ID", "stimulus_position"))
        onset = site["alignment_event_time"]
        session, channel, letter = site["session_ID"], site["recording_channel"], site["unit"]
        row = {"unit": f"{session}_{channel:02d}{letter}", "session": session, "channel": channel, "letter": letter}
    except (KeyError, TypeError, ValueError) as err:
        raise DataError(f"{file} is not a raster file of this data set: {err!r}.") from err
    unknown = (set(objects) - set(OBJECTS)) | (set(positions) - set(POSITIONS))
    if spikes.ndim != 2 or len({len(spikes), len(objects), len(positions)}) > 1 or unknown or onset != ONSET_SAMPLE:
        raise DataError(
            f"{file} has spikes {spikes.shape}, {len(objects)} objects, {len(positions)} positions, onset {onset}, "
            f"unknown labels {sorted(map(str, unknown))}; expected (trial, time), a label each, {ONSET_SAMPLE}, none."
        )
    return spikes, objects, positions, {**row, "n_trials": len(spikes)}


def _window_sums(spikes: np.ndarray, starts: np.ndarray, window: int) -> npt.NDArray[np.int32]:
    total = np.zeros((len(spikes), spikes.shape[1] + 1), dtype=np.int32)
    np.cumsum(spikes, axis=1, out=total[:, 1:])
    return np.asarray(total[:, starts + window] - total[:, starts])


def _trials_by_condition(objects: np.ndarray, positions: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero((objects == shown) & (positions == place)) for shown, place in product(OBJECTS, POSITIONS)]
