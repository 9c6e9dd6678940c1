"""Latencies of curves over time: when a curve rises, and when it is highest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats
from probekit.errors import UsageError
from probekit.stats.fdr import Floats


def onset_latency(
    curves: npt.ArrayLike, times: npt.ArrayLike, *, share: float = 0.5, n_kept: int = 1, baseline: float = 0.0
) -> Floats:
    """Return when each curve first reaches a share of its peak and stays there.

    Between the sample before and the one that reaches it, the moment is interpolated linearly, as latencies of
    jackknifed curves differ by less than a sample.

    Parameters
    ----------
    curves : array, shape (..., time)
    times : array, shape (time,)
        Moments, increasing; the latency has their unit.
    share : float
        Of the height of the peak above the baseline, above 0 up to 1.
    n_kept : int
        How many samples in a row have to reach it.
    baseline : float
        Height of a curve where nothing happens, such as chance.

    Returns
    -------
    array, shape (...,)
        Latencies; nan where a curve holds nan, is never above the baseline, or never stays so long. A curve that starts
        there has the first moment.

    Raises
    ------
    UsageError
        If shapes do not fit, times do not increase, or an option is out of its range.

    References
    ----------
    Miller, Patterson & Ulrich 1998, Psychophysiology 35:99, doi:10.1111/1469-8986.3510099

    Examples
    --------
    >>> float(onset_latency([0, 0, 1, 2, 1], [0, 10, 20, 30, 40], share=0.25))
    15.0
    """
    if not 0 < share <= 1:
        raise UsageError(f"share is {share}; expected above 0, up to 1.")
    heights, moments = _checked(curves, times)
    if not 1 <= n_kept <= len(moments):
        raise UsageError(f"n_kept is {n_kept}; expected 1 ... {len(moments)} samples, as many as there are times.")
    rows = heights.reshape(-1, len(moments)) - baseline
    peak = rows.max(axis=1)
    level = share * peak[:, None]
    high = rows >= level
    kept = np.logical_and.reduce([high[:, at : len(moments) - n_kept + 1 + at] for at in range(n_kept)])
    reached, each = kept.argmax(axis=1), np.arange(len(rows))
    before = np.maximum(reached - 1, 0)
    rise = rows[each, reached] - rows[each, before]
    part = np.divide(rows[each, reached] - level[:, 0], rise, out=np.zeros(len(rows)), where=rise > 0)
    latency = moments[reached] - part * (moments[reached] - moments[before])
    return np.where(kept.any(axis=1) & (peak > 0), latency, np.nan).reshape(heights.shape[:-1])


def peak_latency(curves: npt.ArrayLike, times: npt.ArrayLike) -> Floats:
    """Return when each curve is highest; the first such moment if there are several.

    Parameters
    ----------
    curves : array, shape (..., time)
    times : array, shape (time,)
        Moments, increasing; the latency has their unit.

    Returns
    -------
    array, shape (...,)
        Latencies; nan where a curve holds nan.

    Raises
    ------
    UsageError
        If shapes do not fit, or times do not increase.
    """
    heights, moments = _checked(curves, times)
    return np.where(np.isnan(heights.max(axis=-1)), np.nan, moments[heights.argmax(axis=-1)])


def _checked(curves: npt.ArrayLike, times: npt.ArrayLike) -> tuple[Floats, Floats]:
    heights, moments = floats("curves", curves), floats("times", times)
    if heights.ndim < 1 or moments.shape != heights.shape[-1:] or not len(moments):
        raise UsageError(
            f"curves have shape {heights.shape} and times {moments.shape}; expected (..., time) and (time,)."
        )
    if not (np.diff(moments) > 0).all():
        raise UsageError("times do not increase; expected each moment once, in order.")
    return heights, moments
