"""Which units a lesion takes, by rank and dose, and which ones its controls take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, whole
from probekit.errors import UsageError
from probekit.stats.matching import Method, Sets, matched_sets, standardized_differences

CONTROLS = ("sham", "permuted", "random")
"""Sets drawn of untargeted units, matched; of all units within strata of the covariates; of all units at random."""
FAIR, POOR = 0.25, 0.5
"""Standardised differences up to which a match is good, and beyond which there is none."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """Units of a layer in the order in which they are lesioned.

    Parameters
    ----------
    units : array of int, shape (unit,)
        Numbers in the layer; units without a rank or a covariate are left out.
    values : array, shape (unit,)
        What they are ranked by; the highest is lesioned first.
    covariates : array, shape (unit, variable)
        What controls are matched by.
    variables : tuple of str
    """

    units: Sets
    values: Floats
    covariates: Floats
    variables: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.units)

    @classmethod
    def of(cls, units: npt.ArrayLike, values: npt.ArrayLike, covariates: Floats, variables: Sequence[str]) -> Ranked:
        """Return the units that have a rank and all covariates, by their numbers.

        Raises
        ------
        UsageError
            If fewer than 4 are left.
        """
        numbers, ranks = np.asarray(units, dtype=np.intp), np.asarray(values, dtype=np.float64)
        known = np.isfinite(ranks) & np.isfinite(covariates).all(1)
        if known.sum() < 4:
            raise UsageError(
                f"{int(known.sum())} of {len(numbers)} units have a finite rank and finite values of what is matched; "
                "expected at least 4."
            )
        order = np.flatnonzero(known)[np.argsort(numbers[known], kind="stable")]
        return cls(numbers[order], ranks[order], covariates[order], tuple(variables))

    def first(self, n: int) -> Sets:
        """Return which of the units rank highest, ties in the order of their numbers."""
        return np.asarray(np.argsort(-self.values, kind="stable")[:n])

    def cuts_ties(self, n: int) -> bool:
        """Say whether the last of the n that rank highest ranks like the first of the others."""
        in_order = np.sort(self.values)[::-1]
        return bool(n < len(self) and in_order[n - 1] == in_order[n])

    def last(self, n: int) -> Sets:
        """Return which of the units rank lowest."""
        return np.asarray(np.argsort(self.values, kind="stable")[:n])


@dataclass(frozen=True, eq=False)
class Dose:
    """The lesions of one dose; sets index `Ranked.units`.

    Parameters
    ----------
    share : float
        Of the units, 0 … 1.
    targeted, reversed : array of int, shape (k,)
        The highest and the lowest ranked.
    controls : mapping of str to array of int, shape (set, k)
        Of `CONTROLS`; those that cannot be drawn are missing.
    difference : array, shape (variable,)
        Standardised differences of the target from its shams; nan without shams.
    difference_before : array, shape (variable,)
        From all untargeted units.
    """

    share: float
    targeted: Sets
    reversed: Sets
    controls: dict[str, Sets]
    difference: Floats
    difference_before: Floats

    def mean_covariates(self, ranked: Ranked) -> tuple[Floats, Floats, Floats]:
        """Return the mean covariates of the target, the permuted and the random sets, shape (…, variable)."""
        sets = (self.targeted, self.controls["permuted"], self.controls["random"])
        target, permuted, random = (np.asarray(ranked.covariates[one].mean(-2)) for one in sets)
        return target, permuted, random

    @property
    def worst_difference(self) -> float:
        """Largest difference after matching; nan without shams, 0 where nothing is matched."""
        return float(np.abs(self.difference).max()) if len(self.difference) else 0.0


def dose_of(ranked: Ranked, share: float, n_sham: int, *, method: Method = "nearest", rng: np.random.Generator) -> Dose:
    """Return the lesions of a dose: as many shams as can be drawn honestly.

    Shams are drawn of the untargeted. Of these there must be more than targets, else only one set exists.
    """
    n = n_units(ranked, share)
    target, every = ranked.first(n), np.arange(len(ranked))
    rest = np.setdiff1d(every, target)
    covariates = ranked.covariates if ranked.variables else None
    controls = {"random": matched_sets(target, every, None, n_sham, seed=rng)}
    controls["permuted"] = controls["random"] if covariates is None else permuted_sets(ranked, target, n_sham, rng)
    before = standardized_differences(target, rest[None], ranked.covariates)
    after = np.full(len(ranked.variables), np.nan)
    if len(rest) > n:
        controls["sham"] = matched_sets(target, rest, covariates, n_sham, method=method, seed=rng)
        after = standardized_differences(target, controls["sham"], ranked.covariates)
    return Dose(share, target, ranked.last(n), controls, after, before)


def permuted_sets(ranked: Ranked, target: Sets, n_sets: int, rng: np.random.Generator) -> Sets:
    """Return sets of all units, targets included, as many in each stratum of the covariates as the target has."""
    covariates = ranked.covariates if ranked.variables else None
    return matched_sets(target, np.arange(len(ranked)), covariates, n_sets, method="stratified", seed=rng)


def n_units(ranked: Ranked, share: float) -> int:
    """Return how many units a dose takes, at least 1."""
    return max(1, round(share * len(ranked)))


def checked_doses(doses: Sequence[float], n: int) -> tuple[float, ...]:
    """Return the doses in order, each of another number of units.

    Raises
    ------
    UsageError
        If there is none, one is not above 0 and below 1, or a dose takes the whole layer.
    """
    given = floats("doses", doses)
    listed = sorted(set(given.ravel().tolist()))
    if given.ndim != 1 or not listed or not all(0 < dose < 1 for dose in listed):
        raise UsageError(f"doses are {doses!r}; expected shares of the layer's units, above 0 and below 1.")
    if max(1, round(listed[-1] * n)) >= n:
        raise UsageError(
            f"dose {listed[-1]:g} takes {max(1, round(listed[-1] * n))} of {n} units: a target as large as the layer "
            "has no sham."
        )
    by_size = {max(1, round(dose * n)): dose for dose in reversed(listed)}
    return tuple(sorted(by_size.values()))


def checked_shams(n_sham: int) -> int:
    """Return the number of shams, at least 20: fewer cannot tell a p of .1."""
    return whole("n_sham", n_sham, 20)
