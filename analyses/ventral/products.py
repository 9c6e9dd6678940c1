"""Several distances of the same patterns from one look at them: inner products hold all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from probekit.rsa.blocks import standardized

Floats = npt.NDArray[np.float64]

FROM_PRODUCTS = ("correlation", "cosine", "euclidean", "squared_euclidean")
"""Distances that inner products and sums determine."""

_VALUES_AT_ONCE = 2**18
"""Of a block in float64: stays in the processor's cache."""
_DIGITS = 1e-8
"""A difference that is a smaller share of what it is taken from has lost too many digits."""


@dataclass(frozen=True, eq=False)
class Products:
    """Inner products of patterns.

    Parameters
    ----------
    products : array, shape (condition, condition)
    sums : array, shape (condition,)
        Of each pattern over its units.
    n_units : int
        Without those that standardising leaves out.
    """

    products: Floats
    sums: Floats
    n_units: int

    def distances(self, distance: str) -> Floats | None:
        """Return the distance of each pair, None where it cannot be had from products without loss of digits.

        Parameters
        ----------
        distance : str
            One of `FROM_PRODUCTS`, as `probekit.rsa.compute_rdms` defines it.
        """
        if not self.n_units:
            return None
        squared = self.products.diagonal()
        first, second = np.triu_indices(len(squared), 1)
        if distance.endswith("euclidean"):
            both = squared[first] + squared[second]
            found = both - 2 * self.products[first, second]
            if (found <= _DIGITS * both).any():
                return None
            return np.sqrt(found) if distance == "euclidean" else found
        products = self.products
        if distance == "correlation":
            products = products - np.outer(self.sums, self.sums) / self.n_units
        variation = products.diagonal()
        if (variation <= _DIGITS * squared).any():
            return None
        found = 1 - products[first, second] / np.sqrt(variation[first] * variation[second])
        return None if (found <= _DIGITS).any() else found


def inner_products(patterns: npt.NDArray[np.generic], treatments: Sequence[tuple[bool, bool]]) -> list[Products]:
    """Return the inner products of patterns after each treatment.

    Parameters
    ----------
    patterns : array, shape (condition, unit)
        Finite; not written to.
    treatments : sequence of (bool, bool)
        Whether every unit is z-scored over the conditions, where units that are constant are left out; and whether
        what is below 0 is taken as 0 before all else.
    """
    # blocks are too small for BLAS to share among threads: treatments are shared instead
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda treatment: _treated(patterns, *treatment), treatments))


def _treated(patterns: npt.NDArray[np.generic], standardize: bool, rectify: bool) -> Products:
    n = len(patterns)
    products, sums, n_units = np.zeros((n, n)), np.zeros(n), 0
    for values in _blocks(patterns):
        if rectify:
            np.maximum(values, 0, out=values)
        if standardize:
            values = standardized(values)
        products += values @ values.T
        sums += values.sum(axis=1)
        n_units += values.shape[1]
    return Products(products, sums, n_units)


def _blocks(patterns: npt.NDArray[np.generic]) -> Iterator[Floats]:
    width = max(1, _VALUES_AT_ONCE // len(patterns))
    for start in range(0, patterns.shape[1], width):
        yield np.array(patterns[:, start : start + width], dtype=np.float64, order="C")
