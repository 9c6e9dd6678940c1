"""Layers beside moments: when the brain is most like each layer, and whether that is later for deeper ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.analyses.studies.cichy2016.space import SubjectTrend, rank_correlations, subject_test
from probekit.rsa import RDMs, compare
from probekit.stats import Clusters, cluster_permutation, peak_latency

Floats = npt.NDArray[np.float64]
ALPHA = 0.05
LEAST_LAYERS = 3
"""With fewer that the brain follows at all, there is no order to speak of."""
N_PERMUTATIONS = 2000


@dataclass(frozen=True, eq=False)
class Timing:
    """When layers are most like the brain.

    Parameters
    ----------
    layers : tuple of str
        By depth.
    depth : array, shape (layer,)
    times_ms : array, shape (time,)
    scores : array, shape (layer, time)
        Mean over subjects.
    clusters : Clusters
        Over (layer, time), above 0.
    peak_ms, peak_low, peak_high : array, shape (layer,)
        Peak of the mean after onset with its 95 % bootstrap interval over subjects; nan for a layer without a cluster
        after onset.
    trend : float
        Rank correlation of depth with `peak_ms`; nan where fewer than `LEAST_LAYERS` layers have a peak.
    trend_low, trend_high : float
        Its 95 % bootstrap interval over subjects.
    test : SubjectTrend or None
        Of the subjects' own rank correlations; None where `trend` is nan.
    """

    layers: tuple[str, ...]
    depth: Floats
    times_ms: Floats
    scores: Floats
    clusters: Clusters
    peak_ms: Floats
    peak_low: Floats
    peak_high: Floats
    trend: float
    trend_low: float
    trend_high: float
    test: SubjectTrend | None

    @property
    def n_followed(self) -> int:
        """How many layers the brain is like at some moment after onset."""
        return int(np.isfinite(self.peak_ms).sum())


def layer_by_time(models: RDMs, movie: RDMs) -> tuple[Floats, Floats]:
    """Return how like each layer each subject is at each moment, shape (subject, layer, time), and the times in ms."""
    times = np.unique(movie.table["time_ms"].to_numpy(float))
    scores = compare(models, movie)
    return np.ascontiguousarray(scores.reshape(len(models), -1, len(times)).swapaxes(0, 1)), times


def timed(models: RDMs, movie: RDMs, *, n_resamples: int = 1000, seed: int = 0) -> Timing:
    """Return when the brain is most like each layer.

    Parameters
    ----------
    models : RDMs
        Layers of one network; table columns `layer` and `depth`.
    movie : RDMs
        Table: `subject`, `time_ms`; all times of one subject, then the next.
    n_resamples : int
        Of the bootstrap over subjects.
    seed : int
    """
    values, times = layer_by_time(models, movie)
    return timing_of(
        values, times, models.table["depth"].to_numpy(float), tuple(map(str, models.table["layer"])),
        n_resamples=n_resamples, seed=seed,
    )  # fmt: skip


def timing_of(
    values: Floats, times_ms: Floats, depth: Floats, layers: tuple[str, ...], *, n_resamples: int, seed: int
) -> Timing:
    """Return the same from scores of shape (subject, layer, time)."""
    clusters = cluster_permutation(values, n_permutations=N_PERMUTATIONS, seed=seed)
    after = times_ms >= 0
    followed = (clusters.mask(ALPHA) & after).any(axis=1)
    mean = values.mean(axis=0)
    n_layers = values.shape[1]
    drawn = _resampled(values[:, followed][:, :, after], n_resamples, seed)
    peaks = peak_latency(drawn, times_ms[after])
    peak, low, high = (np.full(n_layers, np.nan) for _ in range(3))
    peak[followed] = peak_latency(mean[followed][:, after], times_ms[after])
    trend = trend_low = trend_high = np.nan
    test = None
    if followed.any():
        low[followed], high[followed] = np.percentile(peaks, [2.5, 97.5], axis=0)
    if followed.sum() >= LEAST_LAYERS:
        trend = float(rank_correlations(depth[followed], peak[None, followed])[0])
        trend_low, trend_high = map(float, np.percentile(rank_correlations(depth[followed], peaks), [2.5, 97.5]))
        test = subject_test(subject_orders(values[:, followed][:, :, after], times_ms[after], depth[followed]), seed)
    return Timing(layers, depth, times_ms, mean, clusters, peak, low, high, trend, trend_low, trend_high, test)


def subject_orders(values: Floats, times_ms: Floats, depth: Floats) -> Floats:
    """Return each subject's own rank correlation of depth with peak latency; values are (subject, layer, time)."""
    return rank_correlations(depth, peak_latency(values, times_ms))


def _resampled(values: Floats, n_resamples: int, seed: int) -> Floats:
    """Return the mean over drawn subjects, shape (resample, layer, time)."""
    n = len(values)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_resamples)
    return np.asarray(np.tensordot(counts / n, values, axes=1))
