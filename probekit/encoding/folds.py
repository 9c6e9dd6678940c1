"""Which stimuli are held out together in cross-validation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from probekit.arguments import generator
from probekit.errors import UsageError

Ints = npt.NDArray[np.int64]
Folds = int | npt.ArrayLike


def fold_labels(n_stimuli: int, folds: Folds, *, seed: int) -> Ints:
    """Return the fold of each stimulus.

    Parameters
    ----------
    n_stimuli : int
    folds : int or array of int, shape (stimulus,)
        How many folds, drawn at random and as equal in size as can be; or the fold of each stimulus, where some must
        be held out together (frames of one film, views of one object).
    seed : int

    Returns
    -------
    array of int, shape (stimulus,)
        0 … number of folds − 1.

    Raises
    ------
    UsageError
        If there are fewer than two folds, more folds than stimuli, or not one label a stimulus.

    Examples
    --------
    >>> fold_labels(4, ["a", "b", "b", "a"], seed=0)
    array([0, 1, 1, 0])
    """
    if isinstance(folds, int | np.integer):
        if not 2 <= folds <= n_stimuli:
            raise UsageError(f"folds is {folds}; {n_stimuli} stimuli allow 2 … {n_stimuli}.")
        return generator(seed).permutation(np.arange(n_stimuli, dtype=np.int64) % int(folds))
    given = np.asarray(folds)
    if given.shape != (n_stimuli,):
        raise UsageError(
            f"folds has shape {given.shape}; expected a number, or a label for each of {n_stimuli} stimuli."
        )
    names, labels = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise UsageError(f"folds holds one label, {names[0]!r}; expected two or more.")
    return np.asarray(labels, dtype=np.int64)


def splits(labels: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield the training and the held-out stimuli of each fold, as indices."""
    for fold in range(int(labels.max()) + 1):
        yield np.flatnonzero(labels != fold), np.flatnonzero(labels == fold)
