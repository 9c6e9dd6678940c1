"""Representational dissimilarity matrices: how different a system finds each pair of conditions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.arguments import floats
from probekit.errors import UsageError, unknown_name

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RDMs:
    """Dissimilarities of the same conditions, seen by one or more systems: layers, subjects, moments.

    Parameters
    ----------
    dissimilarities : array, shape (rdm, pair)
        Pairs in the order of ``numpy.triu_indices(n_conditions, 1)``; nan where a dissimilarity is not known.
    conditions : tuple of str
        Label of each condition, none twice.
    table : pandas.DataFrame
        One row an RDM: what it is of, such as `layer`, `subject`, `region` or `time_ms`.
    distance : str
        Name of the dissimilarity, such as "correlation".

    Raises
    ------
    UsageError
        If shapes do not fit each other, labels repeat, or there are fewer than two conditions.
    """

    dissimilarities: Floats
    conditions: tuple[str, ...]
    table: pd.DataFrame
    distance: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "dissimilarities", floats("dissimilarities", self.dissimilarities))
        object.__setattr__(self, "conditions", tuple(self.conditions))
        n = len(self.conditions)
        repeated = [label for label, times in Counter(self.conditions).items() if times > 1]
        if repeated:
            raise UsageError(f"conditions repeat: {', '.join(repeated[:5])}; expected each label once.")
        expected = (len(self.table), n * (n - 1) // 2)
        if n < 2 or self.dissimilarities.shape != expected:
            raise UsageError(
                f"dissimilarities have shape {self.dissimilarities.shape}; {len(self.table)} rows of the table and {n} "
                f"conditions need {expected}, of two conditions or more."
            )

    def __len__(self) -> int:
        """Return the number of RDMs."""
        return len(self.dissimilarities)

    def __repr__(self) -> str:
        """Say what is in it."""
        return (
            f"{len(self)} RDMs of {len(self.conditions)} conditions, {self.distance} distance "
            f"({', '.join(map(str, self.table.columns))})"
        )

    @property
    def n_conditions(self) -> int:
        """Number of conditions."""
        return len(self.conditions)

    def square(self) -> Floats:
        """Return the dissimilarities as matrices, shape (rdm, condition, condition), 0 on the diagonal."""
        rows, columns = np.triu_indices(self.n_conditions, 1)
        full = np.zeros((len(self), self.n_conditions, self.n_conditions))
        full[:, rows, columns] = full[:, columns, rows] = self.dissimilarities
        return full

    def rows(self, which: Sequence[int] | npt.NDArray[np.bool_ | np.int_] | pd.Series) -> RDMs:
        """Return some of the RDMs, by their indices or by a mask over them.

        Raises
        ------
        UsageError
            If there is no such RDM, or the mask has another length.
        """
        asked = np.atleast_1d(np.asarray(which))
        try:
            chosen = np.arange(len(self))[asked if asked.size else asked.astype(np.intp)]
        except IndexError as err:
            raise UsageError(f"which is {which!r}; expected indices of {len(self)} RDMs, or a mask over them.") from err
        return RDMs(
            self.dissimilarities[chosen],
            self.conditions,
            self.table.iloc[chosen].reset_index(drop=True),
            self.distance,
        )

    def select(self, conditions: Sequence[str]) -> RDMs:
        """Return the RDMs of these conditions, in this order.

        Raises
        ------
        UnknownNameError
            If a condition is not among those of the RDMs; the message suggests the nearest.
        """
        place = {label: index for index, label in enumerate(self.conditions)}
        for label in conditions:
            if label not in place:
                raise unknown_name("condition", label, self.conditions)
        at = np.array([place[label] for label in conditions], dtype=np.intp)
        rows, columns = np.triu_indices(len(at), 1)
        return RDMs(
            self.dissimilarities[:, pair_index(at[rows], at[columns], self.n_conditions)],
            tuple(conditions),
            self.table,
            self.distance,
        )


def from_square(
    matrices: npt.ArrayLike, conditions: Sequence[str], *, distance: str, table: pd.DataFrame | None = None
) -> RDMs:
    """Return the RDMs of square matrices.

    Parameters
    ----------
    matrices : array, shape (rdm, condition, condition) or (condition, condition)
        Symmetric, up to rounding; the diagonal is not looked at.
    conditions : sequence of str
    distance : str
        Name of the dissimilarity.
    table : pandas.DataFrame, optional
        One row a matrix. Default: a column `rdm` that counts them.

    Raises
    ------
    UsageError
        If they are no numbers, or a matrix is not square or not symmetric.
    """
    given = floats("matrices", matrices)
    full = given[None] if given.ndim == 2 else given
    if full.ndim != 3 or full.shape[1] != full.shape[2]:
        raise UsageError(f"matrices have shape {np.shape(matrices)}; expected (rdm, condition, condition).")
    if not np.allclose(full, full.transpose(0, 2, 1), rtol=1e-6, atol=1e-9, equal_nan=True):
        raise UsageError("matrices are not symmetric; an RDM gives each pair of conditions one dissimilarity.")
    rows, columns = np.triu_indices(full.shape[1], 1)
    described = pd.DataFrame({"rdm": range(len(full))}) if table is None else table.reset_index(drop=True)
    return RDMs(np.ascontiguousarray(full[:, rows, columns]), tuple(map(str, conditions)), described, distance)


def stacked(rdms: Sequence[RDMs]) -> RDMs:
    """Return several sets of RDMs of the same conditions as one; columns that a table lacks are missing there.

    Raises
    ------
    UsageError
        If there is none, or conditions, their order or the distances differ.
    """
    if isinstance(rdms, RDMs):
        raise UsageError("rdms is one set of RDMs; put it into a list.")
    if not rdms:
        raise UsageError("rdms is empty; expected at least one set of RDMs.")
    first = rdms[0]
    for other in rdms[1:]:
        check_same_conditions(first, other)
        if other.distance != first.distance:
            raise UsageError(f"rdms have distances '{first.distance}' and '{other.distance}'; stack those of one.")
    return RDMs(
        np.concatenate([one.dissimilarities for one in rdms]),
        first.conditions,
        pd.concat([one.table for one in rdms], ignore_index=True),
        first.distance,
    )


def check_same_conditions(first: RDMs, second: RDMs) -> None:
    """Raise what differs, if two sets of RDMs are not of the same conditions in the same order.

    Raises
    ------
    UsageError
    """
    check_rdms(first)
    check_rdms(second)
    if first.conditions == second.conditions:
        return
    missing = sorted(set(first.conditions) ^ set(second.conditions))
    if missing:
        raise UsageError(
            f"the RDMs are of different conditions ({first.n_conditions} and {second.n_conditions}; not in both: "
            f"{', '.join(missing[:5])}); keep the common ones with select()."
        )
    raise UsageError("the RDMs have the same conditions in another order; bring one into the other's with select().")


def check_rdms(given: object) -> None:
    """Raise unless these are RDMs.

    Raises
    ------
    UsageError
    """
    if not isinstance(given, RDMs):
        raise UsageError(f"a {type(given).__name__} came where RDMs are expected, as of compute_rdms or from_square.")


def pair_index(first: npt.NDArray[np.int_], second: npt.NDArray[np.int_], n: int) -> npt.NDArray[np.int_]:
    """Return where pairs of two different conditions stand in the order of ``numpy.triu_indices(n, 1)``."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.asarray(low * (2 * n - low - 1) // 2 + high - low - 1)


def n_conditions_of(n_pairs: int) -> int:
    """Return of how many conditions `n_pairs` are all pairs.

    Raises
    ------
    UsageError
        If they are not all pairs of any number of conditions.
    """
    n = (1 + math.isqrt(1 + 8 * n_pairs)) // 2
    if n * (n - 1) // 2 != n_pairs:
        raise UsageError(f"{n_pairs} is not a number of pairs n(n − 1)/2 of n conditions.")
    return n
