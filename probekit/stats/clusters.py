"""Cluster permutation test over time: runs of moments at which subjects are above 0 together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from probekit.arguments import floats
from probekit.errors import UsageError, check_option
from probekit.stats.fdr import Floats
from probekit.stats.signs import TAILS, Flippable, Statistic, Tail, flippable, sign_flips

_P = 0.05  # of the threshold that makes clusters, unless another threshold is given
_ROUNDING = 1e-10  # masses nearer than this share are the same sum, added up in another order


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of moments, each with its mass and its p value.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a cluster, in the order of layer and time: `layer` (0 if there are none), `start` and `stop` (first
        index of time in it, and first behind it), `mass` (sum of the statistic, negative below 0), `p` (family-wise
        over all layers and moments).
    p : array, shape (time,) or (layer, time)
        p of the cluster that each moment is in, 1 outside of all.
    statistic : array of the same shape
        t or mean over subjects; nan where there are too few subjects.
    """

    table: pd.DataFrame
    p: Floats
    statistic: Floats

    def mask(self, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
        """Return which moments are in a cluster with p below `alpha`, of the shape of `p`."""
        return self.p < alpha


def cluster_permutation(
    values: npt.ArrayLike,
    *,
    threshold: float | None = None,
    n_permutations: int = 10_000,
    seed: int = 0,
    tail: Tail = "greater",
    statistic: Statistic = "t",
) -> Clusters:
    """Return the clusters of neighbouring moments above a threshold, tested by flipping subjects' signs.

    The p value belongs to the cluster as a whole; it does not say that its first moment is the onset of the effect.

    Parameters
    ----------
    values : array, shape (subject, time) or (subject, layer, time)
        What is 0 if there is no effect; nan is a missing subject. Clusters run along time only, and the test corrects
        for layers too.
    threshold : float, optional
        What the statistic has to exceed, above 0; with "two-sided", below minus that counts as well. Default: the t
        that has p = .05 for the subjects of that moment (.025 on each side with "two-sided").
    n_permutations : int
        Sign flips; all 2ⁿ if those are fewer.
    seed : int
    tail : {"greater", "less", "two-sided"}
        Which effect is looked for. Clusters below 0 have a negative mass.
    statistic : {"t", "mean"}

    Returns
    -------
    Clusters

    Raises
    ------
    UsageError
        If there are fewer than two subjects, infinite values, a threshold that is not above 0 or is missing for the
        mean, no permutations, or a name is not known.

    References
    ----------
    Maris & Oostenveld 2007, J Neurosci Methods 164:177, doi:10.1016/j.jneumeth.2007.03.024
    """
    check_option("tail", tail, TAILS)
    values = floats("values", values)
    shape = values.shape
    if len(shape) not in (2, 3) or 0 in shape:
        raise UsageError(f"values have shape {shape}; expected (subject, time) or (subject, layer, time), none empty.")
    given = flippable(values, statistic)
    limit = _limit(given, threshold, tail)
    flips = sign_flips(len(given.values), n_permutations, seed)
    null = np.concatenate(
        [
            _largest(_runs(given.flipped(signs), limit, tail, shape[-1]), len(signs))
            for signs in flips.blocks(limit.size)
        ]
    )
    observed = given.observed()
    found = _runs(observed[None], limit, tail, shape[-1])
    below = np.searchsorted(np.sort(null), np.abs(found.mass) * (1 - _ROUNDING), side="left")
    table = pd.DataFrame({"layer": found.layer, "start": found.start, "stop": found.stop, "mass": found.mass}).assign(
        p=flips.p(len(null) - below)
    )
    return Clusters(
        table.sort_values(["layer", "start"], ignore_index=True), _spread(table, shape[1:]), observed.reshape(shape[1:])
    )


def _limit(given: Flippable, threshold: float | None, tail: Tail) -> Floats:
    """Return the threshold at each place; nan where there is no t."""
    if threshold is not None:
        if not threshold > 0:
            raise UsageError(f"threshold is {threshold}; expected a number above 0.")
        return np.full(len(given.counts), float(threshold))
    if given.statistic == "mean":
        raise UsageError("threshold is missing; the mean has no default one, so give it in the unit of the values.")
    degrees = np.where(given.counts > 1, given.counts - 1, np.nan)
    return np.asarray(stdtrit(degrees, 1 - (_P / 2 if tail == "two-sided" else _P)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Runs:
    """Runs of moments beyond the threshold, in no order; arrays of shape (run,)."""

    permutation: npt.NDArray[np.int_]
    layer: npt.NDArray[np.int_]
    start: npt.NDArray[np.int_]
    stop: npt.NDArray[np.int_]
    mass: Floats


def _runs(statistics: Floats, limit: Floats, tail: Tail, n_times: int) -> _Runs:
    """Return the runs of each permutation in statistics of shape (permutation, place)."""
    if tail == "two-sided":
        above, below = (_runs(statistics, limit, one, n_times) for one in ("greater", "less"))
        return _Runs(*(np.concatenate(pair) for pair in zip(vars(above).values(), vars(below).values(), strict=True)))
    sign = -1 if tail == "less" else 1
    towards = sign * statistics
    parted = np.zeros((statistics.size // n_times, n_times + 1))  # a 0 behind each row parts it from the next
    parted[:, :-1] = np.where(towards > limit, towards, 0).reshape(-1, n_times)
    line = parted.ravel()
    edges = np.flatnonzero(np.diff(line > 0, prepend=False))
    mass = np.add.reduceat(line, edges)[::2] if len(edges) else np.empty(0)
    row, start = np.divmod(edges[::2], n_times + 1)
    permutation, layer = np.divmod(row, statistics.shape[1] // n_times)
    return _Runs(permutation, layer, start, edges[1::2] % (n_times + 1), sign * mass)


def _largest(runs: _Runs, n_permutations: int) -> Floats:
    """Return the largest mass of each permutation, without its sign; 0 without a cluster."""
    largest = np.zeros(n_permutations)
    np.maximum.at(largest, runs.permutation, np.abs(runs.mass))
    return largest


def _spread(table: pd.DataFrame, shape: tuple[int, ...]) -> Floats:
    """Return at each moment the p of its cluster, 1 outside of all."""
    p = np.ones((int(np.prod(shape[:-1], dtype=int)), shape[-1]))
    columns = (table[name].tolist() for name in ("layer", "start", "stop", "p"))
    for layer, start, stop, value in zip(*columns, strict=True):
        p[layer, start:stop] = value
    return p.reshape(shape)
