"""How well a weighted sum of model RDMs, such as those of a network's layers, predicts brains it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import nnls

from probekit.arguments import generator, whole
from probekit.errors import UsageError, check_option
from probekit.rsa.compare import MEASURES, Measure, groups_of_equal_nan, in_metric, similarities
from probekit.rsa.rdms import RDMs, check_same_conditions, pair_index

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int_]
FEWEST_HELD_OUT = 4
"""Conditions a fold must have: six pairs, the fewest over which a correlation says something."""
_FITTED_AS: dict[Measure, Measure] = {"spearman": "pearson", "rho-a": "pearson", "tau-a": "pearson"}
"""Measures of ranks are not linear in the weights: the fit is that of the correlation, the score their own."""


@dataclass(frozen=True, eq=False)
class WeightedCombination:
    """Cross-validated scores of a nonnegative combination of model RDMs and of the best single one.

    Parameters
    ----------
    scores : array, shape (condition fold, subject)
        Similarity of the combination to a subject over pairs of held-out conditions, by weights of neither that
        subject nor any of those conditions. 0 where the prediction is level, as when no model got a weight. nan where
        the subject's own dissimilarities are level or not known.
    single_scores : array, shape (condition fold, subject)
        The same of the one model that was best on the same training data.
    weights : array, shape (condition fold, subject fold, model)
        Not negative; of models brought to length one in the metric of the measure on the training pairs.
    chosen : array of int, shape (condition fold, subject fold)
        Row in the models' table of the best single model.
    condition_folds, subject_folds : array of int, shape (condition,) and (subject,)
        The fold that holds a condition or a subject out.
    models_table : pandas.DataFrame
        What each model is.
    measure : str
        Name of the measure.
    """

    scores: Floats
    single_scores: Floats
    weights: Floats
    chosen: Indices
    condition_folds: Indices
    subject_folds: Indices
    models_table: pd.DataFrame
    measure: Measure

    @property
    def score(self) -> float:
        """Mean over subjects of their mean over condition folds."""
        return float(_mean_of_known(_mean_of_known(self.scores.T)[None])[0])

    def table(self) -> pd.DataFrame:
        """Return one row a model: its columns, mean weight, and in what share of folds it was the best single one."""
        counts = np.bincount(self.chosen.ravel(), minlength=len(self.models_table))
        return self.models_table.assign(weight=self.weights.mean(axis=(0, 1)), chosen_share=counts / self.chosen.size)

    def subject_scores(self) -> pd.DataFrame:
        """Return one row a subject: mean `score` over condition folds, `single_score` and their `difference`."""
        score, single = _mean_of_known(self.scores.T), _mean_of_known(self.single_scores.T)
        return pd.DataFrame({"score": score, "single_score": single, "difference": score - single})


def weighted_combination(
    models: RDMs,
    subjects: RDMs,
    *,
    measure: Measure = "spearman",
    n_folds_conditions: int = 4,
    n_folds_subjects: int = 4,
    seed: int = 0,
) -> WeightedCombination:
    """Fit nonnegative weights of model RDMs on some conditions and subjects; score them on the others of both.

    In each fold the models, each of length one in the metric of the measure (centred, whitened), are fitted to the mean
    of the training subjects' RDMs, likewise of length one, by nonnegative least squares over the pairs of training
    conditions. Pairs of a training and a held-out condition are not used at all. For measures of ranks the fit is that
    of the Pearson correlation. With squared distances a weighted sum is the distance in the joint space of all models'
    units, each model's scaled by the root of its weight; with other distances it is a sum and no more.

    Parameters
    ----------
    models, subjects : RDMs
        Of the same conditions in the same order. Pairs that any model does not know (nan) are left out; those that a
        subject does not know are left out for that subject.
    measure : str
        As in `compare`.
    n_folds_conditions, n_folds_subjects : int
        2 or more. Conditions are held out `FEWEST_HELD_OUT` or more at a time.
    seed : int
        Of the random division into folds.

    Returns
    -------
    WeightedCombination

    Raises
    ------
    UsageError
        If conditions or their order differ, there are no models or too few conditions or subjects for the folds, a
        dissimilarity is infinite, a model knows no pair, fewer training pairs are known than there are models, all
        models or the mean subject are level over training pairs, or the measure is not known.

    References
    ----------
    Khaligh-Razavi & Kriegeskorte 2014, PLoS Comput Biol 10:e1003915, doi:10.1371/journal.pcbi.1003915
    """
    check_option("measure", measure, MEASURES)
    check_same_conditions(models, subjects)
    _check_folds(models.n_conditions, len(subjects), n_folds_conditions, n_folds_subjects)
    if not len(models):
        raise UsageError("models has no RDMs; expected one or more.")
    for name, rdms in (("models", models), ("subjects", subjects)):
        if np.isinf(rdms.dissimilarities).any():
            raise UsageError(f"{name} has infinite dissimilarities; give nan where one is not known.")
    for at in np.flatnonzero(np.isnan(models.dissimilarities).all(axis=1)):
        raise UsageError(f"model {at} knows no dissimilarity (all nan, as of a dead layer); leave it out with rows().")
    rng = generator(seed)
    condition_folds = rng.permutation(np.arange(models.n_conditions) % n_folds_conditions)
    subject_folds = rng.permutation(np.arange(len(subjects)) % n_folds_subjects)
    return _combined(models, subjects, condition_folds, subject_folds, measure)


def combination_p(
    found: WeightedCombination, models: RDMs, subjects: RDMs, *, n_permutations: int = 199, seed: int = 0
) -> float:
    """Return how often a combination of models with shuffled conditions scores as well as the one that was found.

    The conditions of all models are permuted together and everything is fitted and scored again in the same folds. (A
    t test over `subject_scores` calls models of noise significant a little too often, about 7 times of 100 at p < .05:
    a subject that is held out in one fold trains the weights for others in the next.)

    Parameters
    ----------
    found : WeightedCombination
        Of these models and subjects.
    models, subjects : RDMs
        As given to `weighted_combination`.
    n_permutations : int
        1 or more.
    seed : int
        Of the permutations.

    Returns
    -------
    float
        (1 + permutations whose mean score is no less) / (1 + permutations); nan if the mean score is.

    Raises
    ------
    UsageError
        If there are no permutations, or the combination is of other conditions, models or subjects.

    References
    ----------
    Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585
    """
    check_same_conditions(models, subjects)
    shape = (len(found.condition_folds), len(found.subject_folds), len(found.models_table))
    if shape != (models.n_conditions, len(subjects), len(models)):
        raise UsageError(f"found has {shape} conditions, subjects and models; models and subjects are others.")
    n_permutations = whole("n_permutations", n_permutations, 1)
    rng = generator(seed)
    folds = (found.condition_folds, found.subject_folds)
    first, second = np.triu_indices(models.n_conditions, 1)
    reached = 0
    for _ in range(n_permutations):
        order = rng.permutation(models.n_conditions)
        shuffled = models.dissimilarities[:, pair_index(order[first], order[second], models.n_conditions)]
        again = _combined(replace(models, dissimilarities=shuffled), subjects, *folds, found.measure)
        reached += again.score >= found.score
    return float("nan") if np.isnan(found.score) else (1 + reached) / (1 + n_permutations)


def _combined(
    models: RDMs, subjects: RDMs, condition_folds: Indices, subject_folds: Indices, measure: Measure
) -> WeightedCombination:
    n_folds = condition_folds.max() + 1, subject_folds.max() + 1
    scores, single_scores = (np.full((n_folds[0], len(subjects)), np.nan) for _ in range(2))
    weights, chosen = np.zeros((*n_folds, len(models))), np.zeros(n_folds, dtype=np.int_)
    for i in range(n_folds[0]):
        train_models, train_subjects = _within(models, subjects, np.flatnonzero(condition_folds != i))
        test_models, test_subjects = _within(models, subjects, np.flatnonzero(condition_folds == i))
        alone = similarities(train_models, train_subjects, measure)
        for j in range(n_folds[1]):
            held_out = subject_folds == j
            weights[i, j], length = _fit(train_models, train_subjects[~held_out], _FITTED_AS.get(measure, measure))
            chosen[i, j] = _best(alone[:, ~held_out])
            both = np.stack([(weights[i, j] / length) @ test_models, test_models[chosen[i, j]]])
            scores[i, held_out], single_scores[i, held_out] = _scored(both, test_subjects[held_out], measure)
    return WeightedCombination(
        scores, single_scores, weights, chosen, condition_folds, subject_folds, models.table, measure
    )


def _check_folds(n_conditions: int, n_subjects: int, n_folds_conditions: int, n_folds_subjects: int) -> None:
    for name, value in (("n_folds_conditions", n_folds_conditions), ("n_folds_subjects", n_folds_subjects)):
        whole(name, value, 0)
    most = n_conditions // FEWEST_HELD_OUT
    if not 2 <= n_folds_conditions <= most:
        raise UsageError(
            f"n_folds_conditions is {n_folds_conditions}; {n_conditions} conditions allow 2 … {most}, so that each "
            f"fold holds out {FEWEST_HELD_OUT} or more{'' if most >= 2 else ': there are too few conditions'}."
        )
    if not 2 <= n_folds_subjects <= n_subjects:
        raise UsageError(
            f"n_folds_subjects is {n_folds_subjects}; {n_subjects} subjects allow 2 … {n_subjects}"
            f"{'' if n_subjects >= 2 else ': there are too few subjects'}."
        )


def _within(models: RDMs, subjects: RDMs, conditions: Indices) -> tuple[Floats, Floats]:
    """Return the dissimilarities among these conditions; what a model does not know is nan in all."""
    first, second = np.triu_indices(len(conditions), 1)
    pairs = pair_index(conditions[first], conditions[second], models.n_conditions)
    ours, theirs = models.dissimilarities[:, pairs], subjects.dissimilarities[:, pairs]
    unknown = np.isnan(ours).any(axis=0)
    return np.where(unknown, np.nan, ours), np.where(unknown, np.nan, theirs)


def _scored(predictions: Floats, subjects: Floats, measure: Measure) -> Floats:
    """Return similarities, 0 where a prediction is level though the subject is not."""
    scores = similarities(predictions, subjects, measure)
    has_value = ~np.isnan(np.diag(similarities(subjects, subjects, measure)))
    return np.where(np.isnan(scores) & has_value, 0, scores)


def _fit(models: Floats, subjects: Floats, measure: Measure) -> tuple[Floats, Floats]:
    """Return the weight of each model brought to length one, and the lengths (1 of a level one, of weight 0)."""
    target = _mean_subject(subjects, measure)
    known = ~np.isnan(target) & ~np.isnan(models[0])
    if known.sum() < max(len(models), 2):
        raise UsageError(f"training folds have {known.sum()} known pairs for {len(models)} models; expected as many.")
    rows = in_metric(np.where(known, np.concatenate([models, target[None]]), np.nan), measure)
    length = np.linalg.norm(rows, axis=1)
    if length[-1] == 0 or not length[:-1].any():
        what = "the mean training subject" if length[-1] == 0 else "every model"
        raise UsageError(f"{what} is the same for all training pairs; there is nothing to fit.")
    length[length == 0] = 1
    triangle = np.asarray(np.linalg.qr((rows / length[:, None]).T, mode="r"))  # the same least squares in few rows
    weights, _ = nnls(triangle[:, :-1], triangle[:, -1])
    return np.asarray(weights), length[:-1]


def _mean_subject(subjects: Floats, measure: Measure) -> Floats:
    """Return the mean of what is known of subjects brought to length one; a level subject has no part in it."""
    rows = np.full(subjects.shape, np.nan)
    for which, known in groups_of_equal_nan(subjects):
        if known.sum() > 1:
            length = np.linalg.norm(in_metric(subjects[which], measure), axis=1, keepdims=True)
            length[length == 0] = np.nan
            mean = 0 if measure.endswith("cosine") else subjects[np.ix_(which, known)].mean(axis=1, keepdims=True)
            rows[which] = (subjects[which] - mean) / length
    return _mean_of_known(rows.T)


def _best(alone: Floats) -> int:
    mean = _mean_of_known(alone)
    return int(np.argmax(np.where(np.isnan(mean), -np.inf, mean)))


def _mean_of_known(rows: Floats) -> Floats:
    """Return the mean of each row over what is not nan; nan if all is."""
    known = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, rows, 0).sum(axis=1) / known.sum(axis=1))
