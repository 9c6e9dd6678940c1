"""Is a model's RDM related to the brain's at all: a test that exchanges the labels of the model's conditions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.arguments import generator, whole
from probekit.errors import UsageError
from probekit.rsa.ceiling import check_subjects
from probekit.rsa.compare import Measure, compare, prepare, similarities
from probekit.rsa.rdms import RDMs, check_rdms, pair_index
from probekit.stats import benjamini_hochberg

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int_]
LEAST_CONDITIONS = 5
"""Fewer conditions have fewer than 120 orders."""
_ROUNDING = 1e-12
"""An order that gives the same score but for rounding is counted as one that reaches it."""


def label_permutation(
    models: RDMs, subjects: RDMs, *, measure: Measure = "spearman", n_permutations: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return how often a model with exchanged conditions is as near to the subjects as the model itself.

    It asks of these subjects and conditions only, and has no use for several subjects but their mean.

    Parameters
    ----------
    models, subjects : RDMs
        Of the same conditions in the same order.
    measure : str
        As `compare` takes it.
    n_permutations : int
        Random orders of the conditions, the same for all models.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row a model: columns of its table, `score` (mean over subjects), `p` (one-sided: (1 + orders that score as
        high or higher)/(1 + orders)), `q` (false discovery rate over models). nan where the score is.

    Raises
    ------
    UsageError
        If conditions differ, there are fewer than five, or `n_permutations` is below 1.

    References
    ----------
    Kriegeskorte et al. 2008, Front Syst Neurosci 2:4, doi:10.3389/neuro.06.004.2008
    """
    n_permutations = whole("n_permutations", n_permutations, 1)
    check_rdms(models)
    if models.n_conditions < LEAST_CONDITIONS:
        raise UsageError(f"models have {models.n_conditions} conditions; a permutation needs {LEAST_CONDITIONS}.")
    check_subjects(subjects, at_least=1)
    score = compare(models, subjects, measure=measure).mean(axis=1)
    n, rng = models.n_conditions, generator(seed)
    first, second = np.triu_indices(n, 1)
    reached = np.zeros(len(models), dtype=int)
    score_of = _mean_score(models.dissimilarities, subjects.dissimilarities, measure)
    for _ in range(n_permutations):
        order = rng.permutation(n)
        reached += score_of(pair_index(order[first], order[second], n)) >= score - _ROUNDING
    p = np.where(np.isnan(score), np.nan, (1 + reached) / (1 + n_permutations))
    return models.table.assign(score=score, p=p, q=benjamini_hochberg(p))


def _mean_score(models: Floats, subjects: Floats, measure: Measure) -> Callable[[Ints], Floats]:
    """Return a function from an order of the pairs to the mean score of each model with its pairs in that order."""
    plain = measure in ("spearman", "rho-a", "pearson", "cosine")
    living = ~np.isnan(models).all(axis=1)
    if not plain or np.isnan(models[living]).any() or np.isnan(subjects).any():
        return lambda pairs: similarities(models[:, pairs], subjects, measure).mean(axis=1)
    unit, mean = np.full(models.shape, np.nan), prepare(subjects, measure).mean(axis=0)
    unit[living] = prepare(models[living], measure)  # no order of the pairs changes ranks, means and lengths
    return lambda pairs: np.asarray(unit[:, pairs] @ mean)
