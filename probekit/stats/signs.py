"""Sign flips of subjects: all of them, or drawn, and the statistics of what they flip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats, generator, whole
from probekit.errors import UsageError, check_option
from probekit.stats.fdr import Floats

Statistic = Literal["mean", "t"]
Tail = Literal["greater", "less", "two-sided"]
STATISTICS: tuple[Statistic, ...] = ("mean", "t")
TAILS: tuple[Tail, ...] = ("greater", "less", "two-sided")
_BLOCK = 1_000_000  # statistics held at once
_LEVEL = 1e-12  # variance, as a share of the mean square, below which it is rounding


@dataclass(frozen=True, eq=False)
class SignFlips:
    """Which subjects are flipped in each permutation.

    Parameters
    ----------
    signs : array of int8, shape (permutation, subject)
        1 or −1.
    exact : bool
        Whether these are all that there are, the unflipped one among them.
    """

    signs: npt.NDArray[np.int8]
    exact: bool

    def blocks(self, width: int) -> Iterator[Floats]:
        """Yield the signs in blocks so small that `width` statistics of each permutation fit into memory."""
        step = max(16, _BLOCK // max(1, width))
        for start in range(0, len(self.signs), step):
            yield self.signs[start : start + step].astype(np.float64)

    def p(self, reached: npt.ArrayLike) -> Floats:
        """Return the p value when `reached` permutations are at least as extreme as what was observed.

        Drawn permutations count the observed one as well, so that p is never 0 (Phipson & Smyth 2010,
        doi:10.2202/1544-6115.1585).
        """
        more = 0 if self.exact else 1
        return np.asarray((np.asarray(reached) + more) / (len(self.signs) + more), dtype=np.float64)


def sign_flips(n_subjects: int, n_permutations: int, seed: int) -> SignFlips:
    """Return all 2ⁿ sign flips if they are at most `n_permutations`, else that many drawn ones."""
    n_permutations = whole("n_permutations", n_permutations, 1)
    if 2**n_subjects <= n_permutations:
        bits = np.arange(2**n_subjects)[:, None] >> np.arange(n_subjects) & 1
        return SignFlips((1 - 2 * bits).astype(np.int8), exact=True)
    drawn = generator(seed).integers(2, size=(n_permutations, n_subjects), dtype=np.int8)
    return SignFlips(1 - 2 * drawn, exact=False)


@dataclass(frozen=True, eq=False)
class Flippable:
    """Values of subjects, ready to be flipped and tested.

    Parameters
    ----------
    values : array, shape (subject, place)
        0 where missing.
    counts : array, shape (place,)
        Subjects that are not missing.
    statistic : {"mean", "t"}
    """

    values: Floats
    counts: Floats
    statistic: Statistic

    def flipped(self, signs: Floats) -> Floats:
        """Return the statistic of each permutation at each place, shape (permutation, place); nan without subjects.

        Flips keep the sum of squares, so that the variance that t needs follows from the mean. A variance of 0 gives a
        large but finite t, and nothing but zeros gives 0.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Floats = np.asarray(signs @ self.values)
            mean /= self.counts
            if self.statistic == "mean":
                return mean
            square = (self.values**2).sum(axis=0) / self.counts
            variance = np.maximum(square - mean**2, _LEVEL * square)
            mean /= np.sqrt(variance / (self.counts - 1))
        mean[:, square == 0] = 0
        mean[:, self.counts < 2] = np.nan
        return mean

    def observed(self) -> Floats:
        """Return the statistic of the unflipped values, shape (place,)."""
        return np.asarray(self.flipped(np.ones((1, len(self.values))))[0])


def flippable(values: npt.ArrayLike, statistic: Statistic) -> Flippable:
    """Return the values of subjects with all places in one row.

    Raises
    ------
    UsageError
        If there are fewer than two subjects, infinite values, or the statistic is not known.
    """
    check_option("statistic", statistic, STATISTICS)
    given = floats("values", values)
    if given.ndim < 1 or len(given) < 2:
        raise UsageError(f"values have shape {given.shape}; expected (subject, …) of two subjects or more.")
    if np.isinf(given).any():
        raise UsageError("values hold infinite numbers; expected finite ones, or nan for a missing subject.")
    rows = given.reshape(len(given), -1)
    return Flippable(np.nan_to_num(rows), np.isfinite(rows).sum(axis=0).astype(np.float64), statistic)
