"""RDMs over time: one for every moment of a response."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.arguments import floats
from probekit.errors import UsageError
from probekit.rsa.distances import Patterns, as_patterns, compute_rdms
from probekit.rsa.noise import NoiseCovariance
from probekit.rsa.rdms import RDMs


def rdm_movie(
    patterns: Patterns,
    times_ms: npt.ArrayLike,
    *,
    window_ms: float | None = None,
    distance: str = "correlation",
    standardize: bool = False,
    conditions: Sequence[str] | None = None,
    covariance: NoiseCovariance | npt.ArrayLike | None = None,
) -> RDMs:
    """Return one RDM a time, with its time in the table's column `time_ms`.

    Parameters
    ----------
    patterns : array or tensor, shape (condition, time, unit)
    times_ms : array, shape (time,)
        Increasing.
    window_ms : float, optional
        Patterns are first averaged over the samples within half of this of each time, both ends included; times whose
        window would reach beyond the first or last sample have no RDM. Default: each sample for itself.
    distance, standardize, conditions, covariance
        As in `compute_rdms`.

    Raises
    ------
    UsageError
        If times do not fit the patterns or do not increase, or the window is longer than the recording.
    """
    given = as_patterns("patterns", patterns, dims=("condition", "time", "unit"))
    times = floats("times_ms", times_ms)
    if times.shape != given.shape[1:2] or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise UsageError(f"times_ms have shape {times.shape}; expected {given.shape[1]} times that increase.")
    sets, kept = np.swapaxes(given, 0, 1), times
    if window_ms is not None:
        sets, kept = _windowed(given, times, window_ms)
    return compute_rdms(
        sets,
        distance=distance,
        standardize=standardize,
        conditions=conditions,
        table=pd.DataFrame({"time_ms": kept}),
        covariance=covariance,
    )


def _windowed(
    given: npt.NDArray[np.generic], times: npt.NDArray[np.float64], window: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if not 0 < window <= times[-1] - times[0]:
        raise UsageError(
            f"window_ms is {window}; expected above 0 and at most {times[-1] - times[0]:g}, the time given."
        )
    rounding = 1e-9 * window  # a sample on the border is within
    half = window / 2 + rounding
    kept = times[(times - half >= times[0] - 2 * rounding) & (times + half <= times[-1] + 2 * rounding)]
    first = np.searchsorted(times, kept - half)
    stop = np.searchsorted(times, kept + half, side="right")
    means = [given[:, start:end].mean(1, dtype=np.float64) for start, end in zip(first, stop, strict=True)]
    return np.stack(means), kept
