"""Layers mixed with weights, beside the noise ceiling, on stimuli and subjects that were not used for the weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from probekit.analyses.studies.khaligh_razavi2014.parts import Estimate, estimate
from probekit.rsa import RDMs, stacked, weighted_combination
from probekit.rsa.bootstrap import draw_counts, resampled
from probekit.rsa.compare import in_metric
from probekit.rsa.weighted import WeightedCombination

Floats = npt.NDArray[np.float64]
KINDS = ("best single layer", "weighted layers", "weighted layers and categories")
NUMBERS = (*KINDS, "ceiling low", "ceiling high", "gain", *(f"{kind} less ceiling" for kind in KINDS))


@dataclass(frozen=True, eq=False)
class Mixed:
    """Scores on held-out stimuli and subjects.

    Parameters
    ----------
    numbers : dict of str to Estimate
        `NUMBERS`: mean over subjects and folds of the kinds, the noise ceiling over the same pairs, "gain" (weighted
        layers less the best single one) and each kind less the lower ceiling.
    weights : array, shape (layer,)
        Mean weight of each layer over folds, in the combination of layers alone.
    """

    numbers: dict[str, Estimate]
    weights: Floats


def mixed(layers: RDMs, categories: RDMs, subjects: RDMs, *, n_resamples: int, seed: int) -> Mixed:
    """Return how weighted layers, with and without categories, do beside the best single layer and the ceiling.

    Weights are fitted, and the single layer is chosen, on three quarters of the stimuli and of the subjects. Intervals
    are over resamples of the held-out stimuli and of the subjects, weights as they are.

    Parameters
    ----------
    layers, categories, subjects : RDMs
        Layers that are dead are left out.
    n_resamples, seed
        Of the bootstrap; `seed` also divides into folds.
    """
    alive = np.asarray(~np.isnan(layers.dissimilarities).all(axis=1))
    one_kind = "as each system's own"
    of_layers = replace(layers.rows(alive), distance=one_kind, table=_named(layers.rows(alive)))
    of_both = stacked([of_layers, replace(categories, distance=one_kind, table=_named(categories))])
    n_folds = min(4, len(subjects))
    plain, fuller = (
        weighted_combination(models, subjects, n_folds_subjects=n_folds, seed=seed) for models in (of_layers, of_both)
    )
    rng = np.random.default_rng(seed)
    people = np.concatenate([np.ones((1, len(subjects)), dtype=np.int64), draw_counts(len(subjects), n_resamples, rng)])
    folds = [
        _fold(fold, ((plain, of_layers), (fuller, of_both)), subjects, n_resamples, rng)
        for fold in range(int(plain.condition_folds.max()) + 1)
    ]
    drawn = (np.mean(folds, axis=0) * people[:, None]).sum(axis=2) / len(subjects)
    weights = np.zeros(len(layers))
    weights[alive] = plain.weights.mean(axis=(0, 1))
    return Mixed(_numbers(drawn), weights)


def _numbers(drawn: Floats) -> dict[str, Estimate]:
    """Return the numbers from draws, shape (resample, kind or ceiling), the first of which is no resample."""
    by_name = dict(zip((*KINDS, "ceiling low", "ceiling high"), drawn.T, strict=True))
    by_name["gain"] = by_name["weighted layers"] - by_name["best single layer"]
    by_name |= {f"{kind} less ceiling": by_name[kind] - by_name["ceiling low"] for kind in KINDS}
    return {name: estimate(float(values[0]), values[1:]) for name, values in by_name.items()}


def _fold(
    fold: int,
    fitted: tuple[tuple[WeightedCombination, RDMs], ...],
    subjects: RDMs,
    n_resamples: int,
    rng: np.random.Generator,
) -> Floats:
    """Return scores on the held-out stimuli, shape (resample, kind or ceiling, subject); the first is no resample.

    The ceilings of a subject are those of the mean of the others, and of all, as models. A pool of the subjects of a
    resample would lack up to half of the others, and make the ceiling too low.
    """
    plain, layers = fitted[0]
    labels = np.array(subjects.conditions)
    test, train = (list(labels[(plain.condition_folds == fold) == held_out]) for held_out in (True, False))
    single = layers.select(test).dissimilarities[plain.chosen[fold]]
    predictions = [single, *(_predicted(one.weights[fold], rdms, train, test) for one, rdms in fitted)]
    counts = np.concatenate([np.ones((1, len(test)), dtype=np.int64), draw_counts(len(test), n_resamples, rng)])
    rows = subjects.select(test).dissimilarities
    n, ranks = len(rows), np.asarray(rankdata(rows, axis=1))
    pools = [(ranks.sum(axis=0) - ranks) / (n - 1), ranks.mean(axis=0, keepdims=True)]
    no_ceilings = np.zeros((0, len(counts), n), dtype=np.int64)
    found = resampled(np.concatenate([*predictions, *pools]), rows, counts, no_ceilings, measure="spearman").scores
    n_folds, own = len(single), np.arange(n)
    models = [*(kind * n_folds + plain.subject_folds for kind in range(len(KINDS)))]
    models += [len(KINDS) * n_folds + own, np.full(n, len(KINDS) * n_folds + n)]
    return np.nan_to_num(found[:, np.stack(models), own])  # a level prediction tells nothing


def _predicted(weights: Floats, models: RDMs, train: list[str], test: list[str]) -> Floats:
    """Return the combination for each subject fold, shape (fold, pair of test stimuli)."""
    length = np.linalg.norm(in_metric(models.select(train).dissimilarities, "pearson"), axis=1)
    length[length == 0] = 1
    return np.asarray((weights / length) @ models.select(test).dissimilarities)


def _named(models: RDMs) -> pd.DataFrame:
    column = "layer" if "layer" in models.table else "model"
    return pd.DataFrame({"layer": list(map(str, models.table[column]))})
