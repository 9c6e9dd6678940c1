"""Folds of a path for cross-validation, in which what is held out was never next to what is fitted.

Neighbouring samples are nearly the same place and the same activity: folds of single samples would decode anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import whole
from probekit.errors import UsageError

_HEAD, _BODY, _TAIL = range(3)


@dataclass(frozen=True, eq=False)
class PathFolds:
    """Blocks of samples in the order of time; `path_folds` makes them.

    Parameters
    ----------
    fold : int array, shape (sample,)
        Fold of each sample, rising from 0.
    part : int array, shape (sample,)
        ``3 * fold`` plus 0 for samples nearer to the block's start than the gap, 2 for those nearer to its end than
        the gap, 1 for all others: what can be left out together.
    """

    fold: npt.NDArray[np.int64]
    part: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of folds."""
        return int(self.fold[-1]) + 1

    @property
    def n_parts(self) -> int:
        """Number of parts, three a fold."""
        return 3 * len(self)

    def training(self, *held_out: int) -> npt.NDArray[np.bool_]:
        """Say of each part whether it is fitted when these folds are held out: neither theirs nor in a gap beside."""
        fitted = np.ones(self.n_parts, dtype=bool)
        for fold in held_out:
            fitted[3 * fold : 3 * fold + 3] = False
            if fold > 0:
                fitted[3 * (fold - 1) + _TAIL] = False
            if fold < len(self) - 1:
                fitted[3 * (fold + 1) + _HEAD] = False
        return fitted


def path_folds(path: npt.NDArray[np.int64], n_folds: int, gap: int) -> PathFolds:
    """Return folds of about equal size.

    Parameters
    ----------
    path : int array, shape (sample,)
        Number of the trajectory of each sample, never falling.
    n_folds : int
        At least 3: one is held out, and one more to choose the penalty.
    gap : int
        Samples on either side of a held-out block that are not fitted either.

    Returns
    -------
    PathFolds
        Folds begin and end with whole trajectories where there are at least two trajectories a fold, else anywhere.

    Raises
    ------
    UsageError
        If a fold would be shorter than two gaps.

    Examples
    --------
    >>> path_folds(np.repeat(np.arange(6), 4), 3, 2).part.tolist()
    [0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 6, 6, 7, 7, 7, 7, 8, 8]
    """
    n_folds, gap, n = whole("n_folds", n_folds, 3), whole("gap", gap, 0), len(path)
    _, first, sizes = np.unique(path, return_index=True, return_counts=True)
    if len(sizes) >= 2 * n_folds:
        fold = np.repeat((first + (sizes - 1) / 2) * n_folds // n, sizes).astype(np.int64)
    else:
        fold = np.arange(n) * n_folds // n
    length = np.bincount(fold, minlength=n_folds)
    if length.min() < max(2 * gap, 1):
        raise UsageError(
            f"n_folds is {n_folds}, of which the shortest has {length.min()} samples; expected at least two gaps of "
            f"{gap} samples. Take fewer folds or a shorter gap."
        )
    begin = (np.cumsum(length) - length)[fold]
    after, before = np.arange(n) - begin, begin + length[fold] - 1 - np.arange(n)
    place = np.where(after < gap, _HEAD, np.where(before < gap, _TAIL, _BODY))
    return PathFolds(fold, 3 * fold + place)
