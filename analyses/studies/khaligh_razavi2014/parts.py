"""What a layer and the categories each explain of a brain that the other does not, and what both do.

All of it follows from correlations of ranks: among the layer and the categories, and of these with the subjects. These
correlations are taken anew in each resample of stimuli and subjects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from probekit.rsa import RDMs
from probekit.rsa.bootstrap import draw_counts, resampled
from probekit.rsa.compare import prepare

Floats = npt.NDArray[np.float64]
PARTS = ("layer", "layer given categories", "categories", "categories given layer", "unique to layer",
         "unique to categories", "shared")  # fmt: skip
_LEVEL = 95.0


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % percentile interval over resamples."""

    value: float
    low: float
    high: float


def estimate(observed: float, drawn: Floats) -> Estimate:
    """Return a number with its interval; nan in some resamples are left out, in all of them there is no interval."""
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return Estimate(observed, np.nan, np.nan)
    low, high = np.percentile(known, [(100 - _LEVEL) / 2, (100 + _LEVEL) / 2])
    return Estimate(observed, float(low), float(high))


def parts(
    layer: RDMs, categories: RDMs, subjects: RDMs, chosen_on: RDMs, *, n_resamples: int, seed: int
) -> dict[str, Estimate]:
    """Return what the layer and the categories explain of subjects' RDMs, each mean over subjects.

    Parameters
    ----------
    layer : RDMs
        One.
    categories : RDMs
        One a division of the stimuli.
    subjects : RDMs
    chosen_on : RDMs
        Other individuals' RDMs, on which nonnegative weights make one RDM of all categories.
    n_resamples, seed
        Of the bootstrap over stimuli and, of more than one, subjects.

    Returns
    -------
    dict of str to Estimate
        `PARTS`: Spearman correlations of the layer and of the weighted categories, plain and partial (the layer's given
        all divisions, the weighted categories' given the layer); and shares of the variance of ranks (R²) that only the
        layer explains, only the categories, and both ("shared" can be below 0 where one hides the other). nan where
        there is nothing, as for categories of which none has a weight.
    """
    whole = _weighted(categories, chosen_on)
    models = np.concatenate([layer.dissimilarities, whole[None], categories.dissimilarities])
    rows = np.concatenate([models, subjects.dissimilarities])
    for_conditions, for_subjects = np.random.default_rng(seed).spawn(2)
    counts = np.concatenate(
        [np.ones((1, layer.n_conditions), dtype=np.int64), draw_counts(layer.n_conditions, n_resamples, for_conditions)]
    )
    no_ceilings = np.zeros((0, len(counts), len(rows)), dtype=np.int64)
    correlations = resampled(models, rows, counts, no_ceilings, measure="spearman").scores
    people = draw_counts(len(subjects), n_resamples, for_subjects)
    people = np.concatenate([np.ones((1, len(subjects)), dtype=np.int64), people])
    found = _from_correlations(correlations[:, :, : len(models)], correlations[:, :, len(models) :])
    means = {name: (values * people).sum(axis=1) / len(subjects) for name, values in found.items()}
    return {name: estimate(float(mean[0]), mean[1:]) for name, mean in means.items()}


def _weighted(categories: RDMs, chosen_on: RDMs) -> Floats:
    """Return the nonnegative sum of the categories that fits the mean ranks of individuals best."""
    target = prepare(chosen_on.dissimilarities, "spearman").mean(axis=0)
    centred = categories.dissimilarities - categories.dissimilarities.mean(axis=1, keepdims=True)
    weights, _ = nnls(centred.T, target)
    return np.asarray(weights @ categories.dissimilarities)


def _from_correlations(among: Floats, brain: Floats) -> dict[str, Floats]:
    """Return the parts, shape (resample, subject), from correlations among models and of models with subjects.

    Models are the layer, the weighted categories, and each division.
    """
    layer, whole = brain[:, 0], brain[:, 1]
    both = np.r_[0, 2 : among.shape[1]]
    of_divisions = _explained(among[:, 2:, 2:], brain[:, 2:])
    of_both = _explained(among[:, both[:, None], both], brain[:, both])
    layer_from_divisions = _explained(among[:, 2:, 2:], among[:, 2:, :1])
    fitted = np.einsum("rks,rkt->rst", among[:, 2:, :1], _solved(among[:, 2:, 2:], brain[:, 2:]))[:, 0]
    overlap = among[:, 0, 1, None]
    return {
        "layer": layer,
        "layer given categories": _ratio(layer - fitted, (1 - layer_from_divisions) * (1 - of_divisions)),
        "categories": whole,
        "categories given layer": _ratio(whole - overlap * layer, (1 - overlap**2) * (1 - layer**2)),
        "unique to layer": of_both - of_divisions,
        "unique to categories": of_both - layer**2,
        "shared": layer**2 + of_divisions - of_both,
    }


def _explained(among: Floats, brain: Floats) -> Floats:
    return np.asarray((brain * _solved(among, brain)).sum(axis=1))


def _solved(among: Floats, brain: Floats) -> Floats:
    """Return regression weights, by pseudo-inverse: divisions can coincide in a resample; nan where one is nan."""
    broken = np.asarray(np.isnan(among).any(axis=(1, 2)))
    inverse = np.linalg.pinv(np.where(broken[:, None, None], np.eye(among.shape[1]), among), hermitian=True)
    inverse[broken] = np.nan
    return np.asarray(inverse @ brain)


def _ratio(covariance: Floats, squared: Floats) -> Floats:
    return np.asarray(covariance / np.sqrt(np.where(squared > 0, squared, np.nan)))
