"""Which shape the states of a population make together: a torus, a ring, or neither.

The activity of one module of grid cells lies on a torus (two loops and one cavity), that of head-direction cells on a
ring (one loop), that of place cells on a sheet (none). Persistent homology, by the package ripser, measures how long
loops (H1) and cavities (H2) last while points are joined at growing distances.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from probekit.arguments import Floats, floats, generator, infinite, real, whole
from probekit.errors import UsageError

Shape = Literal["torus", "ring", "none", "other"]
_SAMPLES = 20_000
"""Samples beyond which more do not change the points."""
_FIELD = 47
"""Homology with coefficients modulo this prime (Gardner 2022)."""


@dataclass(frozen=True, eq=False)
class Topology:
    """How long components, loops and cavities of a cloud of points last.

    Parameters
    ----------
    bars : tuple of 3 arrays
        Lengths of the finite bars of H0, H1 and H2, longest first; 1 is the root mean square distance of the samples
        from their mean.
    null_longest : array, shape (shuffle, 3)
        Longest bar of each when every unit's activity is shifted in time by an amount of its own.
    explained : float
        Share of the variance of the standardised units in the dimensions that were kept.
    margin : float
        How much longer than the longest shuffled bar a bar must be to count.
    """

    bars: tuple[Floats, Floats, Floats]
    null_longest: Floats
    explained: float
    margin: float

    @property
    def n_loops(self) -> int:
        """Bars of H1 longer than `margin` times the longest shuffled one."""
        return self._n_long(1)

    @property
    def n_cavities(self) -> int:
        """Bars of H2 longer than `margin` times the longest shuffled one."""
        return self._n_long(2)

    @property
    def shape(self) -> Shape:
        """Say "torus" of two loops and one cavity, "ring" of one loop, "none" of neither, else "other"."""
        known: dict[tuple[int, int], Shape] = {(2, 1): "torus", (1, 0): "ring", (0, 0): "none"}
        return known.get((self.n_loops, self.n_cavities), "other")

    @property
    def p(self) -> float:
        """Share of shuffles, (1 + k) / (1 + n), with as long a loop as the second longest or as long a cavity."""
        second = self.bars[1][1] if len(self.bars[1]) > 1 else 0.0
        cavity = self.bars[2][0] if len(self.bars[2]) else 0.0
        as_long = (self.null_longest[:, 1] >= second) | (self.null_longest[:, 2] >= cavity)
        return float((1 + as_long.sum()) / (1 + len(as_long)))

    def _n_long(self, degree: int) -> int:
        return int((self.bars[degree] > self.margin * self.null_longest[:, degree].max()).sum())


def topology(
    activity: Any,
    *,
    n_dimensions: int = 6,
    n_points: int = 120,
    n_shuffles: int = 20,
    margin: float = 2.5,
    seed: int = 0,
) -> Topology:
    """Return a hint at the shape that the states of a population make.

    Units are standardised, their principal components kept, and samples replaced by the centres of clusters (k-means),
    which thins them and averages noise out. Gardner 2022 thins by density and counts bars above the longest shuffled
    one (margin 1). Components of a sheet of place cells fold it: its loops and cavities last up to 2.3 and 2.9 times
    the longest shuffled one, those of a planted module 3 and 4 times, which the default margin stands between; a sheet
    with a stray cavity is "other". It is a hint: units of several spacings, or too few, make no torus although each is
    a grid cell.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        In the order of time. Units that never change are left out.
    n_dimensions : int
        Principal components.
    n_points : int
        Clusters; time grows with more than its third power: 120 take about a quarter of a second a shuffle.
    n_shuffles : int
        At least 1.
    margin : float
        At least 1.
    seed : int
        Of shuffles and clusters.

    Returns
    -------
    Topology

    Raises
    ------
    UsageError
        If ripser is not installed, if an argument is out of range, or if fewer units than dimensions vary or fewer
        states than points differ.

    References
    ----------
    Gardner et al. 2022, Toroidal topology of population activity in grid cells, Nature 602:123,
    doi:10.1038/s41586-021-04268-7
    """
    bars = _ripser()
    whole("n_shuffles", n_shuffles, 1)
    margin = real("margin", margin, "at least 1", least=1)
    values = _varying(activity, whole("n_dimensions", n_dimensions, 2), whole("n_points", n_points, 10))
    n, n_units = values.shape
    rng = generator(seed)
    rows = np.sort(rng.choice(n, min(n, _SAMPLES), replace=False))
    points, explained = _points(values[rows], n_dimensions, n_points, seed)
    null = []
    for _ in range(n_shuffles):
        shifted = values[(rows[:, None] + rng.integers(n, size=n_units)) % n, np.arange(n_units)]
        null.append([one.max(initial=0.0) for one in bars(_points(shifted, n_dimensions, n_points, seed)[0])])
    return Topology(bars(points), np.array(null), explained, margin)


def _varying(activity: Any, n_dimensions: int, n_points: int) -> Floats:
    values = floats("activity", activity)
    if values.ndim != 2 or infinite(values) or np.isnan(values).any():
        raise UsageError(f"activity has shape {values.shape}; expected (sample, unit), finite numbers.")
    values = values[:, values.std(0) > 0] if len(values) else values
    if values.shape[1] < n_dimensions:
        raise UsageError(
            f"activity has {values.shape[1]} units that vary; expected at least n_dimensions, {n_dimensions}."
        )
    if len(values) < n_points:
        raise UsageError(f"activity has {len(values)} samples; expected at least n_points, {n_points}.")
    return values


def _points(values: Floats, n_dimensions: int, n_points: int, seed: int) -> tuple[Floats, float]:
    """Return centres of clusters of the samples' principal components, and the share of variance in these."""
    centred = values - values.mean(0)
    sd = centred.std(0)
    standard = centred / np.where(sd > 0, sd, 1)
    variances, axes = np.linalg.eigh(standard.T @ standard / len(standard))
    projected = standard @ axes[:, -n_dimensions:]
    projected /= np.sqrt((projected**2).sum(1).mean())
    n_states = len(np.unique(projected.round(9), axis=0))
    if n_states < n_points:
        raise UsageError(f"activity has {n_states} states that differ; expected at least n_points, {n_points}.")
    clusters = KMeans(n_points, init="random", n_init=1, max_iter=10, random_state=seed).fit(projected)
    share = float(variances[-n_dimensions:].sum() / variances.sum())
    centres: npt.NDArray[np.float64] = clusters.cluster_centers_
    return centres, share


def _ripser() -> Any:
    try:
        ripser = importlib.import_module("ripser").ripser
    except ImportError as err:
        raise UsageError(
            "Persistent homology needs the package ripser, which is not installed: "
            f"pip install 'probekit-neuro[topology]' ({err})."
        ) from err

    def bars(points: Floats) -> tuple[Floats, Floats, Floats]:
        diagrams = ripser(points, maxdim=2, coeff=_FIELD)["dgms"]
        lengths = [births_deaths[:, 1] - births_deaths[:, 0] for births_deaths in diagrams]
        first, second, third = (np.sort(found[np.isfinite(found)])[::-1].astype(np.float64) for found in lengths)
        return first, second, third

    return bars
