"""How the maps of the same units differ between two environments: rates, places, and a common turn or shift.

Place cells remap their rates alone or their places too; grid cells of a module turn and shift together.

References
----------
Leutgeb et al. 2005, Independent codes for spatial and episodic memory in hippocampal neuronal ensembles,
Science 309:619, doi:10.1126/science.1114037;
Fyhn, Hafting, Treves, Moser & Moser 2007, Hippocampal remapping and grid realignment in entorhinal cortex,
Nature 446:190, doi:10.1038/nature05601
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, generator, infinite, whole
from probekit.errors import UsageError


@dataclass(frozen=True, eq=False)
class Remapping:
    """How alike two sets of maps are, beside what units matched at random give.

    Parameters
    ----------
    rate_overlap : array, shape (unit,)
        Lower mean rate divided by the higher one, 0 … 1; nan where both are 0.
    correlation : array, shape (unit,)
        Pearson's, of a unit's two maps; nan where one is constant.
    population : array, shape (y, x)
        Pearson's, over units, of the two population vectors of a bin; nan where not visited in both, or constant.
    null_rate_overlap, null_correlation, null_population : array, shape (shuffle,)
        Means, as `means` has them, with the second maps' units in random order.
    """

    rate_overlap: Floats
    correlation: Floats
    population: Floats
    null_rate_overlap: Floats
    null_correlation: Floats
    null_population: Floats

    @property
    def means(self) -> dict[str, float]:
        """Mean of each measure over units or bins, without nan."""
        return {name: _mean(getattr(self, name)) for name in _MEASURES}

    @property
    def p(self) -> dict[str, float]:
        """Share of shuffles, (1 + k) / (1 + n), in which the mean is as high: small where maps or rates are kept."""
        found = {}
        for name, value in self.means.items():
            null = getattr(self, f"null_{name}")
            found[name] = float((1 + (null >= value).sum()) / (1 + len(null)))
        return found


_MEASURES = ("rate_overlap", "correlation", "population")


def remapping(first: Any, second: Any, *, n_shuffles: int = 1000, seed: int = 0) -> Remapping:
    """Return how alike the maps of the same units are in two environments, or twice in one.

    Global remapping: neither correlation is above its shuffles. Rate remapping: correlations are, and rates overlap
    less than between two visits to one environment.

    Parameters
    ----------
    first, second : array, shape (unit, y, x)
        Rates, at least 0; nan where not visited. Bins count that both hold.
    n_shuffles : int
        Orders of the second maps' units.
    seed : int

    Returns
    -------
    Remapping

    Raises
    ------
    UsageError
        If shapes differ, fewer than 2 units or 3 bins are in both, or a rate is below 0 (`nonnegative` mends it).
    """
    a, b, common = _pair(first, second)
    for name, maps in (("first", a), ("second", b)):
        if infinite(maps):
            raise UsageError(f"{name} holds infinite values; expected finite rates.")
        if (maps < 0).any():
            raise UsageError(f"{name} holds values below 0; expected rates. `nonnegative` makes them of signed maps.")
    rng = generator(seed)
    orders = np.array([rng.permutation(len(a)) for _ in range(whole("n_shuffles", n_shuffles, 1))])
    overlaps, correlations = _overlaps(a.mean(1), b.mean(1)), _standard(a) @ _standard(b).T / a.shape[1]
    units = np.arange(len(a))
    by_bin = _standard(a.T)
    population = np.full(common.shape, np.nan)
    population[common] = (by_bin * _standard(b.T)).mean(1)
    return Remapping(
        rate_overlap=np.diagonal(overlaps).copy(),
        correlation=np.diagonal(correlations).copy(),
        population=population,
        null_rate_overlap=np.array([_mean(overlaps[units, order]) for order in orders]),
        null_correlation=np.array([_mean(correlations[units, order]) for order in orders]),
        null_population=np.array([_mean((by_bin * _standard(b[order].T)).mean(1)) for order in orders]),
    )


def _pair(first: Any, second: Any) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return both maps in the bins that all hold, shape (unit, bin), and which bins these are, shape (y, x)."""
    a, b = floats("first", first), floats("second", second)
    if a.ndim != 3 or a.shape != b.shape:
        raise UsageError(f"first and second have shapes {a.shape} and {b.shape}; expected one, (unit, y, x).")
    common = np.asarray(np.isfinite(a).all(0) & np.isfinite(b).all(0))
    if len(a) < 2 or common.sum() < 3:
        raise UsageError(f"first and second share {len(a)} units and {common.sum()} bins; expected at least 2 and 3.")
    return a[:, common], b[:, common], common


def _overlaps(first: Floats, second: Floats) -> Floats:
    """Return the rate overlap of each unit of the first with each of the second; nan where both are 0."""
    low, high = np.minimum.outer(first, second), np.maximum.outer(first, second)
    return np.asarray(np.divide(low, high, out=np.full(low.shape, np.nan), where=high > 0))


def _standard(rows: Floats) -> Floats:
    """Return rows of mean 0 and variance 1; nan where a row is constant."""
    centred = rows - rows.mean(1, keepdims=True)
    sd = centred.std(1, keepdims=True)
    constant = sd <= 1e-12 * np.abs(rows).max(1, keepdims=True)
    return np.asarray(np.divide(centred, sd, out=np.full(rows.shape, np.nan), where=~constant))


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
