"""What sets of layers explain alone and what they share, by the R² of every subset of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.encoding.banded import ALPHAS, fit_banded
from probekit.encoding.folds import Folds, fold_labels, splits
from probekit.encoding.inputs import Floats, check_layers, check_targets
from probekit.encoding.scores import r2_per_target
from probekit.errors import UsageError

Subset = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Partition:
    """Variance of each target explained by sets of layers, alone and together.

    Parameters
    ----------
    r2 : pandas.DataFrame
        One row a target, one column a subset of the sets, named "a", "b", "a + b": its cross-validated R², up to 1; nan
        for a constant target.
    parts : pandas.DataFrame
        One row a target, the same columns: "a" is what `a` explains and no other does, "a + b" what each of the two
        explains and no third. They add up to R² of all. Below 0 by chance, or where sets complete each other.
    """

    r2: pd.DataFrame
    parts: pd.DataFrame


def variance_partition(
    bands: Mapping[str, npt.ArrayLike],
    targets: npt.ArrayLike,
    *,
    alphas: npt.ArrayLike = ALPHAS,
    n_iter: int = 20,
    folds: Folds = 5,
    seed: int = 0,
) -> Partition:
    """Return the unique and the shared R² of two or three sets of features.

    Each subset of the sets is a banded ridge regression. Every stimulus is predicted by a model fitted without its
    fold, whose penalties were chosen by cross-validation among the other folds' stimuli; R² is over all stimuli.

    Parameters
    ----------
    bands : mapping of str to array, shape (stimulus, feature)
        Two or three sets; the layers of a set side by side.
    targets : array, shape (stimulus, target) or (stimulus, repetition, target)
        Repetitions are averaged.
    alphas, n_iter
        As in `fit_banded`.
    folds : int or array of int, shape (stimulus,)
        Of both levels: how many, or the fold of each stimulus (three or more labels).
    seed : int

    Raises
    ------
    UsageError
        If there are not two or three sets, shapes do not fit, values are nan, or stimuli are fewer than folds.

    References
    ----------
    Borcard et al. 1992, Ecology 73:1045, doi:10.2307/1940179; de Heer et al. 2017, J Neurosci 37:6539,
    doi:10.1523/JNEUROSCI.3267-16.2017
    """
    given = check_layers(bands, name="bands")
    if not 2 <= len(given) <= 3:
        raise UsageError(f"bands holds {len(given)} sets; expected two or three.")
    n_stimuli = len(next(iter(given.values())))
    measured = check_targets(targets, n_stimuli)
    labels = fold_labels(n_stimuli, folds, seed=seed)
    predicted = {subset: np.empty_like(measured) for subset in _subsets(tuple(given))}
    for train, held_out in splits(labels):
        inner = folds if isinstance(folds, int | np.integer) else labels[train]
        for subset, prediction in predicted.items():
            model = fit_banded(
                {name: given[name][train] for name in subset},
                measured[train],
                alphas=alphas,
                n_iter=n_iter,
                folds=inner,
                seed=seed,
            )
            prediction[held_out] = model.predict({name: given[name][held_out] for name in subset})
    r2 = {subset: r2_per_target(measured, prediction) for subset, prediction in predicted.items()}
    return Partition(_table(r2), _table(commonalities(r2)))


def commonalities(r2: Mapping[Subset, Floats]) -> dict[Subset, Floats]:
    """Return what exactly each subset of the sets explains in common, from the R² of all subsets.

    Parameters
    ----------
    r2 : mapping of tuple of str to array
        R² of each subset but the empty one.

    Returns
    -------
    dict of tuple of str to array
        The same keys; the values add up to R² of the full set.

    References
    ----------
    Nimon et al. 2008, Behav Res Methods 40:457, doi:10.3758/BRM.40.2.457

    Examples
    --------
    >>> r2 = {("a",): np.array(0.5), ("b",): np.array(0.25), ("a", "b"): np.array(0.625)}
    >>> {" + ".join(subset): float(part) for subset, part in commonalities(r2).items()}
    {'a': 0.375, 'b': 0.125, 'a + b': 0.125}
    """
    names = max(r2, key=len)
    nothing = np.zeros_like(r2[names])
    parts = {}
    for subset in r2:
        others = {name for name in names if name not in subset}
        total = nothing.copy()
        for chosen in [(), *_subsets(subset)]:
            together = tuple(name for name in names if name in others.union(chosen))
            total -= (-1) ** len(chosen) * r2.get(together, nothing)
        parts[subset] = total
    return parts


def _subsets(names: Subset) -> Iterator[Subset]:
    for size in range(1, len(names) + 1):
        yield from combinations(names, size)


def _table(values: Mapping[Subset, Floats]) -> pd.DataFrame:
    table = pd.DataFrame({" + ".join(subset): value for subset, value in values.items()})
    return table.rename_axis(index="target")
