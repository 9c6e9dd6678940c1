"""The most probable place given the spikes, each neuron a Poisson process whose rate depends on the place alone.

References
----------
Zhang, Ginzburg, McNaughton & Sejnowski 1998, Interpreting neuronal population activity by reconstruction,
J Neurophysiol 79:1017, doi:10.1152/jn.1998.79.2.1017, eq. 36
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array

from probekit.arguments import Floats
from probekit.spatial.path_folds import PathFolds

SMOOTHING = 1.0
"""Standard deviation, in bins, of the Gaussian over spikes and seconds of the fitted maps."""

LEAST_HZ = 0.01
"""Rates below it count as it: one spike in a bin that had none must not exclude the bin."""


def poisson_decoded(
    counts: Floats, seconds: Floats, places: npt.NDArray[np.int64], shape: tuple[int, int], folds: PathFolds
) -> npt.NDArray[np.int64]:
    """Return the bin that each sample's spikes make most probable, by maps fitted to the other folds.

    The prior is the time spent in each bin; bins that were never visited are never answered.

    Parameters
    ----------
    counts : array, shape (sample, unit)
        Spikes.
    seconds : array, shape (sample,)
        In which they were counted.
    places : int array, shape (sample,)
        Bin of each sample, row by row.
    shape : (int, int)
        Bins along y and x.
    folds : PathFolds
    """
    n_bins = shape[0] * shape[1]
    row = folds.part * n_bins + places
    member = csr_array((np.ones(len(row)), (row, np.arange(len(row)))), shape=(folds.n_parts * n_bins, len(row)))
    spikes = (member @ counts).reshape(folds.n_parts, *shape, -1)
    time = (member @ seconds).reshape(folds.n_parts, *shape)
    answer = np.empty(len(places), dtype=np.int64)
    for fold in range(len(folds)):
        fitted = folds.training(fold)
        tested = folds.fold == fold
        spent = time[fitted].sum(0)
        rates = _rates(spikes[fitted].sum(0), spent).reshape(n_bins, -1)
        with np.errstate(divide="ignore"):
            prior = np.log(spent.ravel() / spent.sum())  # -inf where never visited
        posterior = counts[tested] @ np.log(rates).T - np.outer(seconds[tested], rates.sum(1)) + prior
        answer[tested] = posterior.argmax(1)
    return answer


def _rates(spikes: Floats, time: Floats) -> Floats:
    smooth_spikes = gaussian_filter(spikes, (SMOOTHING, SMOOTHING, 0))
    smooth_time = gaussian_filter(time, SMOOTHING)[..., None]
    rates = np.divide(smooth_spikes, smooth_time, out=np.zeros_like(spikes), where=smooth_time > 0)
    return np.asarray(np.maximum(rates, LEAST_HZ))
