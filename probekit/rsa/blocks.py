"""Distances between patterns whose units come block by block, so that no more than a block need be in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg.blas import dsyrk
from scipy.stats import rankdata

from probekit.errors import UsageError

Floats = npt.NDArray[np.float64]

_BLOCK_VALUES, _LEAST_WIDTH, _RANK_ROWS, _STRIP = 2**21, 1024, 16, 64
_ROUNDING = 32 * np.finfo(np.float64).eps
"""A variation of this share of the values themselves is rounding: they are constant."""
_ZERO = 1e-13
"""A correlation or cosine distance below this is rounding: sums over a million units err by some 1e-14."""
_CLOSE = 1e-3
"""Squared distances below this share of the squared norms lose digits in a matrix product."""


class PatternDistances:
    """Distances between the patterns of one system, made from blocks of its units.

    Parameters
    ----------
    distance : str
        "correlation", "cosine", "squared_euclidean", "euclidean", or "spearman", which takes all units as one block.
    standardize : bool
        Whether each unit is z-scored over the conditions (population standard deviation); constant units are left out.
    """

    def __init__(self, distance: str, *, standardize: bool) -> None:
        self._distance, self._standardize = distance, standardize
        self._missing: npt.NDArray[np.bool_] | None = None
        self._sums: Floats = np.empty((0, 0))
        self._means: list[Floats] = []
        self._widths: list[int] = []

    def add(self, block: npt.NDArray[np.generic]) -> None:
        """Take in the units of a block, shape (condition, unit), of any real type; it is not written to.

        Raises
        ------
        UsageError
            If a pattern has nan in some of its units, or infinity.
        """
        missing = missing_patterns(block)
        if self._missing is not None and (missing != self._missing).any():
            raise _partly_missing(int(np.flatnonzero(missing != self._missing)[0]))
        self._missing = missing
        n_present = int((~missing).sum())
        if self._distance == "spearman":
            block = ranked(block, standardize=self._standardize)
        width = max(_LEAST_WIDTH, _BLOCK_VALUES // max(1, n_present))
        for start in range(0, block.shape[1], width):
            part = block[:, start : start + width]
            values = np.array(part[~missing] if missing.any() else part, dtype=np.float64, order="C")
            if self._standardize and self._distance != "spearman" and n_present:
                values = standardized(values)
            if n_present > 1 and values.shape[1]:
                self._take(values)

    def finish(self) -> Floats:
        """Return the distance of each pair of conditions, nan where a condition is missing or no unit is left."""
        if self._missing is None:
            raise UsageError("patterns have no units; expected at least one.")
        present = np.flatnonzero(~self._missing)
        n, n_all = len(present), len(self._missing)
        if n < 2 or not self._widths:
            return np.full(n_all * (n_all - 1) // 2, np.nan)
        finished = {"correlation": self._correlation, "spearman": self._correlation, "cosine": self._cosine}
        found = finished.get(self._distance, self._euclidean)()
        if n == n_all:
            return found
        square, rows, columns = np.full((n_all, n_all), np.nan), *np.triu_indices(n, 1)
        square[present[rows], present[columns]] = found
        return np.asarray(square[np.triu_indices(n_all, 1)])

    def _take(self, values: Floats) -> None:
        if not self._widths:
            self._sums = np.zeros((len(values), len(values)), order="F")
        self._widths.append(values.shape[1])
        if self._distance.endswith("euclidean"):
            values -= values.mean(0)
            _add_squared_distances(values, self._sums)
            return
        if self._distance != "cosine":
            self._means.append(values.mean(1))
            values -= self._means[-1][:, None]
        self._sums = _add_products(values, self._sums)

    def _correlation(self) -> Floats:
        widths = np.array(self._widths, dtype=np.float64)
        means = np.stack(self._means, axis=1)
        overall = means @ widths / widths.sum()
        if len(widths) > 1:  # sums of products about each block's mean, to those about the mean of all
            self._sums = _add_products((means - overall[:, None]) * np.sqrt(widths), self._sums)
        squared = self._sums.diagonal()
        constant = squared <= _ROUNDING**2 * (squared + widths.sum() * overall**2)
        return _one_minus(self._sums, np.where(constant, np.nan, squared))

    def _cosine(self) -> Floats:
        squared = self._sums.diagonal()
        return _one_minus(self._sums, np.where(squared == 0, np.nan, squared))

    def _euclidean(self) -> Floats:
        squared = _pairs(self._sums)
        return np.sqrt(squared, out=squared) if self._distance == "euclidean" else squared


def standardized(values: Floats) -> Floats:
    """Return patterns (condition, unit) with every unit z-scored over the conditions, without the constant units."""
    size = np.abs(values).max(0)
    centred = values - values.mean(0)
    deviation = np.sqrt(np.einsum("cu,cu->u", centred, centred) / len(values))
    varies = deviation > _ROUNDING * size
    if not varies.all():
        centred, deviation = centred[:, varies], deviation[varies]
    centred /= deviation
    return np.ascontiguousarray(centred)


def ranked(patterns: npt.NDArray[np.generic], *, standardize: bool) -> npt.NDArray[np.generic]:
    """Return the rank of each unit within its pattern; missing patterns stay nan."""
    missing = missing_patterns(patterns)
    present = patterns[~missing] if missing.any() else patterns
    if standardize and len(present):
        present = standardized(np.array(present, dtype=np.float64))
    ranks = np.full((len(patterns), present.shape[1]), np.nan)
    at = np.flatnonzero(~missing)
    for start in range(0, len(at), _RANK_ROWS):
        ranks[at[start : start + _RANK_ROWS]] = rankdata(present[start : start + _RANK_ROWS], axis=1)
    return ranks


def missing_patterns(block: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Return which rows are nan throughout.

    Raises
    ------
    UsageError
        If a row has nan in some units only, or infinity.
    """
    missing = np.zeros(len(block), dtype=bool)
    if block.dtype.kind != "f":
        return missing
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(block.sum(1, dtype=np.float64))
    for row in np.flatnonzero(~finite):
        missing[row] = np.isnan(block[row]).all()
        if not missing[row] and not np.isfinite(block[row]).all():
            raise _partly_missing(int(row))
    return missing


def group_sums(values: npt.NDArray[np.generic], groups: npt.NDArray[np.intp], n_groups: int) -> Floats:
    """Return the sum of the rows of each group, shape (group, unit), in float64."""
    belongs = sparse.csr_array((np.ones(len(groups)), (groups, np.arange(len(groups)))), shape=(n_groups, len(groups)))
    return np.asarray(belongs @ values.astype(np.float64, copy=False))


def _partly_missing(row: int) -> UsageError:
    return UsageError(
        f"the pattern of condition {row} (counted from 0) has nan or infinity in some of its units; expected finite "
        "values, or nan in all units of a condition that is missing. Leave out the units concerned."
    )


def _add_products(values: Floats, sums: Floats) -> Floats:
    """Add the inner products of rows to the lower triangle of `sums`, which must be in Fortran order."""
    return np.asarray(dsyrk(1.0, values.T, beta=1.0, c=sums, trans=1, lower=1, overwrite_c=1))


def _add_squared_distances(values: Floats, sums: Floats) -> None:
    """Add the squared distances of rows to the lower triangle of `sums`, those of near rows from their differences."""
    n = len(values)
    products = _add_products(values, np.zeros((n, n), order="F")).T
    squared = products.diagonal().copy()
    for start in range(0, n, _STRIP):
        stop = start + _STRIP
        both = squared[start:stop, None] + squared[start:]
        found = both - 2 * products[start:stop, start:]
        close = np.argwhere(np.triu(found <= _CLOSE * both, 1))
        for pairs in np.array_split(close, 1 + len(close) // _STRIP):
            gap = values[start + pairs[:, 0]] - values[start + pairs[:, 1]]
            found[pairs[:, 0], pairs[:, 1]] = np.einsum("cu,cu->c", gap, gap)
        sums.T[start:stop, start:] += found


def _one_minus(products: Floats, squared: Floats) -> Floats:
    """Return 1 − products over norms for each pair, from the products' lower triangle, which is written to."""
    scale = 1 / np.sqrt(squared)
    products *= scale
    products *= scale[:, None]
    distances = _pairs(products)
    np.subtract(1, distances, out=distances)
    distances[distances < _ZERO] = 0
    return np.minimum(distances, 2, out=distances)


def _pairs(square: Floats) -> Floats:
    """Return the lower triangle of a matrix in Fortran order, pair by pair."""
    n = len(square)
    pairs = np.empty(n * (n - 1) // 2)
    end = 0
    for first in range(n - 1):
        start, end = end, end + n - 1 - first
        pairs[start:end] = square[first + 1 :, first]
    return pairs
