"""What is compared with what: the stimuli on either side of each contrast, and the halves in which it is repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.arguments import generator
from probekit.errors import UsageError, unknown_name

Bools = npt.NDArray[np.bool_]
Labels: TypeAlias = str | list[str]
Contrasts: TypeAlias = Mapping[str, Labels | tuple[Labels, Labels]]
"""Name → a label or a list of labels that are preferred, or a tuple of these and of those they are compared with."""


@dataclass(frozen=True, eq=False)
class Design:
    """The stimuli of each contrast.

    Parameters
    ----------
    names : tuple of str
        Of the contrasts.
    preferred, against : array of bool, shape (contrast, stimulus)
        Which stimuli are on which side.
    scrambled : array of bool, shape (stimulus,)
        None is where there are no scrambled stimuli.
    first_half : array of bool, shape (stimulus,)
        Every label is split at random into halves, which differ by one stimulus at most.
    labels : tuple of str
        All but that of scrambled stimuli, sorted.
    of_label : array of bool, shape (label, stimulus)
    """

    names: tuple[str, ...]
    preferred: Bools
    against: Bools
    scrambled: Bools
    first_half: Bools
    labels: tuple[str, ...]
    of_label: Bools

    def sides(self, contrast: int) -> Bools:
        """Return preferred and against in the first half, then in the second, shape (half, side, stimulus)."""
        both = np.stack([self.preferred[contrast], self.against[contrast]])
        return np.stack([both & self.first_half, both & ~self.first_half])

    def shuffled(self, contrast: int, n_shuffles: int, rng: np.random.Generator) -> Bools:
        """Return `sides` with the labels shuffled over the contrast's stimuli, shape (shuffle, half, side, stimulus).

        A stimulus changes half and side together, so that every shuffle has as many of each as the contrast itself.
        """
        sides = self.sides(contrast)
        rows = np.flatnonzero(self.preferred[contrast] | self.against[contrast])
        order = rng.permuted(np.tile(rows, (n_shuffles, 1)), axis=1)
        mixed = np.zeros((n_shuffles, *sides.shape), dtype=bool)
        mixed[..., rows] = np.moveaxis(sides[..., order], 2, 0)
        return mixed


def design_of(stimuli: pd.DataFrame, *, label: str, contrasts: Contrasts | None, scrambled: str, seed: int) -> Design:
    """Return the sides of each contrast.

    Raises
    ------
    UnknownNameError
        If the table has no such column, or no stimulus has a label that a contrast names.
    UsageError
        If labels are missing, there are fewer than two, or a contrast has a label on both sides or nothing on one.
    """
    if label not in stimuli:
        raise unknown_name("column of the stimulus table", label, map(str, stimuli.columns))
    given = stimuli[label]
    if given.isna().any():
        raise UsageError(
            f"label '{label}' is missing for {int(given.isna().sum())} of {len(given)} stimuli; expected one for each."
        )
    values = given.astype(str).to_numpy(dtype=object)
    known = sorted({str(one) for one in values} - {scrambled})
    if len(known) < 2:
        raise UsageError(
            f"label '{label}' is {', '.join(known) or 'nothing'} for all stimuli (but '{scrambled}'); selectivity "
            "compares two labels or more."
        )
    of_label = np.stack([values == one for one in known])
    sides = {
        name: _sides(name, one, known)
        for name, one in ({one: one for one in known} if contrasts is None else contrasts).items()
    }
    if not sides:
        raise UsageError("contrasts is empty; expected a mapping such as {'faces': 'faces'}, or None for all labels.")
    preferred, against = (np.stack([np.isin(values, [*side[which]]) for side in sides.values()]) for which in (0, 1))
    return Design(
        tuple(sides), preferred, against, values == scrambled, _halves(of_label, values == scrambled, seed),
        tuple(known), of_label,
    )  # fmt: skip


def _sides(name: str, given: Labels | tuple[Labels, Labels], known: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the labels that are preferred, and those that they are compared with."""
    if isinstance(given, tuple) and len(given) != 2:
        raise UsageError(
            f"contrast '{name}' is a tuple of {len(given)}; expected a list of labels that are preferred, or a pair of "
            "such lists: preferred, and what they are compared with."
        )
    preferred = _listed(given[0] if isinstance(given, tuple) else given)
    against = _listed(given[1]) if isinstance(given, tuple) else [one for one in known if one not in preferred]
    for one in (*preferred, *against):
        if one not in known:
            raise unknown_name(f"label of contrast '{name}'", str(one), known)
    both = sorted(set(preferred) & set(against))
    if both or not preferred or not against:
        raise UsageError(
            f"contrast '{name}' compares {preferred} with {against}; expected at least one label on each side, and "
            "none on both."
        )
    return preferred, against


def _listed(given: Labels) -> list[str]:
    return [given] if isinstance(given, str) else [str(one) for one in given]


def _halves(of_label: Bools, scrambled: Bools, seed: int) -> Bools:
    """Return which stimuli are in the first half, shape (stimulus,)."""
    order = generator(seed).permutation(of_label.shape[1])
    groups = np.concatenate([of_label, scrambled[None]])[:, order]
    place = np.cumsum(groups, axis=1) - 1
    first = np.empty(len(order), dtype=bool)
    first[order] = ((place % 2 == 0) & groups).any(axis=0)
    return first
