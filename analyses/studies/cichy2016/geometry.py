"""RSA over time of single neurons: how far objects and positions lie apart, and which of the two comes first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from probekit.brains.zhang2011 import CONDITIONS, OBJECTS, POSITIONS, Spikes
from probekit.rsa import RDMs, partial_correlation
from probekit.stats import Clusters, cluster_permutation, jackknife_of_mean, onset_latency, peak_latency

Floats = npt.NDArray[np.float64]
MODELS = ("object", "position")
LATENCIES = ("onset", "peak")
WINDOW_MS, STEP_MS = 50, 10
FIRST_MS, LAST_MS = -150.0, 450.0
N_FOLDS = 3
N_PERMUTATIONS = 2000
_N_KEPT = 3
"""Windows in a row that must stay above half of the peak."""


@dataclass(frozen=True)
class Latency:
    """When information is there, and how sure that is, in ms.

    Parameters
    ----------
    object, object_se, position, position_se : float
    difference, low, high, p : float
        Position less object, its 95 % interval, and the two-sided p of the difference; nan where one has no latency.
    """

    object: float
    object_se: float
    position: float
    position_se: float
    difference: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, eq=False)
class Geometry:
    """How conditions lie to each other over time.

    Parameters
    ----------
    times_ms : array, shape (time,)
        Middles of the windows.
    movie : RDMs
        Crossnobis distances of the whole population (table: `time_ms`).
    correlation : array, shape (model, time)
        Pearson correlation of the movie with each of `MODELS`, the other held constant.
    apart : array, shape (model, time)
        How much farther than two conditions of the same object (position) those of different ones lie apart, in
        squared standard deviations of the noise of a neuron, mean over neurons. On average 0 without information.
    apart_se : array, shape (model, time)
        Standard error over neurons.
    clusters : Clusters
        Of `apart` above 0, neurons' signs flipped.
    latency : dict of str to Latency
        `LATENCIES`: when `apart` reaches half of its peak, with a jackknife over neurons; and when it peaks, with a
        bootstrap over neurons, as a peak jumps from window to window and the jackknife does not see that.
    n_neurons : int
    """

    times_ms: Floats
    movie: RDMs
    correlation: Floats
    apart: Floats
    apart_se: Floats
    clusters: Clusters
    latency: dict[str, Latency]
    n_neurons: int

    def p(self, model: str) -> float:
        """Return the p of the cluster after onset that says most of `model`; 1 without any."""
        return float(self.clusters.p[MODELS.index(model), self.times_ms >= 0].min())

    @property
    def correlation_peak(self) -> Floats:
        """Highest correlation with each of `MODELS` after onset."""
        return np.asarray(self.correlation[:, self.times_ms >= 0].max(axis=1))


def measured_geometry(spikes: Spikes, *, n_resamples: int = 1000, seed: int = 0) -> Geometry:
    """Return how the population tells the 21 conditions apart over time.

    Parameters
    ----------
    spikes : Spikes
        Repetitions are divided into three parts, between which distances are cross-validated. A neuron without any
        spike that varies is left out.
    n_resamples : int
        Of the bootstrap over neurons.
    seed : int
    """
    population = spikes.population(WINDOW_MS, STEP_MS)
    kept = (population.times_ms >= FIRST_MS) & (population.times_ms <= LAST_MS)
    times = population.times_ms[kept]
    distances = unit_distances(population.counts[:, :, kept].astype(np.float64))
    table = pd.DataFrame({"time_ms": times})
    movie = RDMs(distances.mean(axis=0), CONDITIONS, table, "crossnobis")
    models = model_rdms()
    curves = np.einsum("mp,utp->umt", regression_weights(models), distances)
    correlation = [
        partial_correlation(models.rows([at]), movie, models.rows([1 - at]), measure="pearson")[0] for at in (0, 1)
    ]
    clusters = cluster_permutation(curves, n_permutations=N_PERMUTATIONS, seed=seed)
    return Geometry(
        times, movie, np.stack(correlation), curves.mean(axis=0), stats.sem(curves, axis=0), clusters,
        {"onset": _onset(curves, times), "peak": _peak(curves[..., times >= 0], times[times >= 0], n_resamples, seed)},
        len(curves),
    )  # fmt: skip


def unit_distances(counts: Floats) -> Floats:
    """Return each unit's own crossnobis distances, whose mean over units is that of the population.

    Parameters
    ----------
    counts : array, shape (repetition, condition, window, unit)
        Brought to a noise of 1 standard deviation within conditions, unit by unit.

    Returns
    -------
    array, shape (unit, window, pair)
        Units without noise are left out.
    """
    noise = np.sqrt(counts.var(axis=0, ddof=1).mean(axis=(0, 1)))
    scaled = counts[..., noise > 0] / noise[noise > 0]
    means = np.stack([part.mean(axis=0) for part in np.array_split(scaled, N_FOLDS)])
    first, second = np.triu_indices(counts.shape[1], 1)
    apart = means[:, first] - means[:, second]
    products = (apart.sum(axis=0) ** 2 - (apart**2).sum(axis=0)) / (N_FOLDS * (N_FOLDS - 1))
    return np.ascontiguousarray(products.transpose(2, 1, 0))


def model_rdms() -> RDMs:
    """Return the RDMs of object identity and of position: 0 where the same, 1 where not (table: `model`)."""
    first, second = np.triu_indices(len(CONDITIONS), 1)
    objects, positions = np.divmod(np.arange(len(OBJECTS) * len(POSITIONS)), len(POSITIONS))
    different = np.stack([labels[first] != labels[second] for labels in (objects, positions)]).astype(np.float64)
    return RDMs(different, CONDITIONS, pd.DataFrame({"model": MODELS}), "category")


def regression_weights(models: RDMs) -> Floats:
    """Return what takes distances to their regression on both models, shape (model, pair)."""
    design = np.concatenate([np.ones((1, models.dissimilarities.shape[1])), models.dissimilarities])
    return np.asarray(np.linalg.pinv(design.T)[1:])


def _onset(curves: Floats, times: Floats) -> Latency:
    found = jackknife_of_mean(lambda mean: _both(onset_latency(mean, times, n_kept=_N_KEPT)), curves)
    degrees = len(curves) - 1
    half = float(stats.t.ppf(0.975, degrees) * found.se[2])
    difference = float(found.estimate[2])
    p = float(2 * stats.t.sf(abs(found.t()[2]), degrees))
    return _latency(found.estimate, found.se, (difference - half, difference + half), p)


def _peak(curves: Floats, times: Floats, n_resamples: int, seed: int) -> Latency:
    n = len(curves)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=n_resamples)
    drawn = _both(peak_latency(np.tensordot(counts / n, curves, axes=1), times))
    low, high = np.percentile(drawn[:, 2], [2.5, 97.5])
    beyond = min((drawn[:, 2] <= 0).sum(), (drawn[:, 2] >= 0).sum())
    p = min(1.0, 2 * (1 + float(beyond)) / (1 + n_resamples))
    estimate = _both(peak_latency(curves.mean(axis=0), times))
    return _latency(estimate, drawn.std(axis=0, ddof=1), (float(low), float(high)), p)


def _both(latencies: Floats) -> Floats:
    """Return latencies of object and position (…, 2), and behind them position less object."""
    return np.concatenate([latencies, latencies[..., 1:] - latencies[..., :1]], axis=-1)


def _latency(estimate: Floats, se: Floats, ends: tuple[float, float], p: float) -> Latency:
    objects, positions, difference = map(float, estimate)
    return Latency(objects, float(se[0]), positions, float(se[1]), difference, *ends, p)
