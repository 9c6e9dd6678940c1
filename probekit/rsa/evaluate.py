"""How near models are to subjects' brains, with bootstraps over conditions and subjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.arguments import generator, whole
from probekit.errors import UsageError, check_option
from probekit.rsa.bootstrap import draw_counts, resampled
from probekit.rsa.ceiling import NoiseCeiling, check_subjects
from probekit.rsa.compare import MEASURES, Measure
from probekit.rsa.evaluation import Bootstrap, Evaluation
from probekit.rsa.rdms import RDMs, check_same_conditions, n_conditions_of
from probekit.rsa.variance import Resampling, covariance_parts, noise_of_pairs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEAST_CONDITIONS = 5
"""With fewer, next to nothing is known of how scores vary with conditions."""


def evaluate(
    models: RDMs,
    subjects: RDMs,
    *,
    measure: Measure = "spearman",
    resample: Resampling = "both",
    n_resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Return how near each model is to the subjects, with bootstraps over conditions, subjects or both.

    All models, subjects and ceilings are compared on the same pairs: those that one of them does not know (nan) are
    left out of all. A model of which nothing is known, such as a dead layer, has nan scores and takes no part.

    Parameters
    ----------
    models, subjects : RDMs
        Of the same conditions in the same order; a subject's RDM a row.
    measure : str
        As `compare` takes it. "tau-a" and the whitened measures are slow.
    resample : str
        To what the result shall generalise: other "subjects" (with these conditions), other "conditions" (with these
        subjects), or "both".
    n_resamples : int
        0 if only `Evaluation.table` and `differences` are wanted, which take their variance from a jackknife.
    seed : int

    Raises
    ------
    UsageError
        If conditions differ, there are fewer than five, one subject where subjects are resampled, a subject whose
        dissimilarities are all the same, or an argument is none of the allowed.

    References
    ----------
    Schütt et al. 2023, eLife 12:e82566, doi:10.7554/eLife.82566;
    Nili et al. 2014, PLoS Comput Biol 10:e1003553, doi:10.1371/journal.pcbi.1003553
    """
    _check_arguments(measure, resample, n_resamples)
    check_subjects(subjects, at_least=1 if resample == "conditions" else 2)
    ours, theirs, living = _on_common_pairs(models, subjects)
    n, rows = ours.n_conditions, (ours.dissimilarities, theirs.dissimilarities)
    all_once = np.ones((1, 1, len(theirs)), dtype=np.int64)
    whole = resampled(*rows, np.ones((1, n), dtype=np.int64), all_once, measure=measure)
    left_out = resampled(*rows, 1 - np.eye(n, dtype=np.int64), _no_sets(n, len(theirs)), measure=measure).scores
    parts = covariance_parts(whole.scores[0], left_out, noise_of_pairs(*rows, measure))
    for_conditions, for_subjects = generator(seed).spawn(2)
    times_of_conditions = draw_counts(n, n_resamples, for_conditions)
    times_of_subjects = draw_counts(len(theirs), n_resamples, for_subjects)
    bootstraps: dict[str, Bootstrap] = {}
    if resample != "conditions":
        bootstraps["subjects"] = _over_subjects(rows, times_of_subjects, measure)
    if resample != "subjects":
        bootstraps |= _over_conditions(rows, times_of_conditions, times_of_subjects, measure)
    kept = {
        name: Bootstrap(_for_all(one.scores, living, axes=(1,)), one.ceilings)
        for name, one in bootstraps.items()
        if resample in ("both", name)
    }
    return Evaluation(
        models.table, _for_all(whole.scores[0], living, axes=(0,)), NoiseCeiling(*map(float, whole.ceilings[0, 0])),
        measure, resample, kept, _for_all(parts, living, axes=(1, 2)), n,
    )  # fmt: skip


def resampled_scores(
    models: RDMs,
    brains: Mapping[str, RDMs],
    *,
    measure: Measure = "spearman",
    resample: Resampling = "both",
    n_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Floats]:
    """Return the mean scores of models for several brains in the same resamples, such as regions.

    Conditions are drawn once for all brains; so are subjects, where tables of brains have the same column `subject`.
    So statistics of two brains, as the best layer of each, can be compared resample by resample.

    Parameters
    ----------
    models : RDMs
    brains : mapping of str to RDMs
        Subjects' RDMs of each, of the same conditions in the same order. Pairs that any RDM lacks are left out of all.
    measure, resample, n_resamples, seed
        As `evaluate` takes them; of one brain, the draws are the same as there.

    Returns
    -------
    dict of str to array, shape (resample, model)
        nan as in `Bootstrap`, and for a model of which nothing is known.

    Raises
    ------
    UsageError
        As `evaluate` does.
    """
    _check_arguments(measure, resample, n_resamples)
    if not isinstance(brains, Mapping):
        raise UsageError(f"brains is {type(brains).__name__}; expected a mapping of name to subjects' RDMs.")
    if not brains:
        raise UsageError("brains is empty; expected subjects' RDMs of one brain or more.")
    for subjects in brains.values():
        check_same_conditions(models, subjects)
        check_subjects(subjects, at_least=1 if resample == "conditions" else 2)
    rows = np.concatenate([one.dissimilarities for one in brains.values()])
    all_subjects = RDMs(rows, models.conditions, pd.DataFrame(index=range(len(rows))), "any")
    ours, theirs, living = _on_common_pairs(models, all_subjects)
    n = ours.n_conditions
    for_conditions, for_subjects = generator(seed).spawn(2)
    counts = draw_counts(n, n_resamples, for_conditions)
    if resample == "subjects":
        counts = np.ones((1, n), dtype=np.int64)
    none = _no_sets(len(counts), len(rows))
    scores = resampled(ours.dissimilarities, theirs.dissimilarities, counts, none, measure=measure).scores
    scores = _for_all(scores, living, axes=(1,))
    drawn: dict[object, Ints] = {}
    found, start = {}, 0
    for name, subjects in brains.items():
        who = tuple(subjects.table["subject"]) if "subject" in subjects.table else name
        own = scores[:, :, start : start + len(subjects)]
        if who not in drawn:
            drawn[who] = draw_counts(len(subjects), n_resamples, for_subjects)
        found[name] = own.mean(axis=2) if resample == "conditions" else _mean_of_drawn(own, drawn[who])
        start += len(subjects)
    return found


_Rows = tuple[Floats, Floats]


def _over_subjects(rows: _Rows, times: Ints, measure: Measure) -> Bootstrap:
    n = n_conditions_of(rows[0].shape[1])
    found = resampled(*rows, np.ones((1, n), dtype=np.int64), times[:, None], measure=measure)
    return Bootstrap(_mean_of_drawn(found.scores, times), found.ceilings[:, 0])


def _over_conditions(rows: _Rows, times: Ints, times_of_subjects: Ints, measure: Measure) -> dict[str, Bootstrap]:
    found = resampled(*rows, times, np.stack([np.ones_like(times_of_subjects), times_of_subjects]), measure=measure)
    return {
        "conditions": Bootstrap(found.scores.mean(axis=2), found.ceilings[0]),
        "both": Bootstrap(_mean_of_drawn(found.scores, times_of_subjects), found.ceilings[1]),
    }


def _mean_of_drawn(scores: Floats, times: Ints) -> Floats:
    return np.asarray((scores * times[:, None]).sum(axis=2) / times.shape[1])


def _on_common_pairs(models: RDMs, subjects: RDMs) -> tuple[RDMs, RDMs, npt.NDArray[np.bool_]]:
    """Return living models and subjects with the same pairs nan, without conditions that have none; and who lives."""
    check_same_conditions(models, subjects)
    if np.isinf(models.dissimilarities).any() or np.isinf(subjects.dissimilarities).any():
        raise UsageError("models or subjects have infinite dissimilarities; give nan where one is not known.")
    living = np.asarray(~np.isnan(models.dissimilarities).all(axis=1))
    if not living.any():
        raise UsageError("models know no dissimilarity at all; expected one model or more that does.")
    both = np.concatenate([models.dissimilarities[living], subjects.dissimilarities])
    known = ~np.isnan(both).any(axis=0)
    ends = np.stack(np.triu_indices(models.n_conditions, 1))[:, known]
    kept = [models.conditions[at] for at in np.unique(ends)]
    if len(kept) < LEAST_CONDITIONS or known.sum() <= len(kept):
        raise UsageError(
            f"models and subjects have {known.sum()} pairs of {len(kept)} conditions in common; expected those of "
            f"{LEAST_CONDITIONS} conditions or more, and more pairs than conditions."
        )
    ours, theirs = (
        RDMs(np.where(known, rdms.dissimilarities, np.nan), rdms.conditions, rdms.table, rdms.distance).select(kept)
        for rdms in (models.rows(living), subjects)
    )
    return ours, theirs, living


def _for_all(values: Floats, living: npt.NDArray[np.bool_], *, axes: tuple[int, ...]) -> Floats:
    """Return values of living models at their places among all, nan for the others."""
    shape = tuple(len(living) if axis in axes else size for axis, size in enumerate(values.shape))
    full = np.full(shape, np.nan)
    at = np.flatnonzero(living)
    full[np.ix_(*(at if axis in axes else np.arange(size) for axis, size in enumerate(shape)))] = values
    return full


def _no_sets(n_resamples: int, n_subjects: int) -> Ints:
    return np.empty((0, n_resamples, n_subjects), dtype=np.int64)


def _check_arguments(measure: str, resample: str, n_resamples: int) -> None:
    check_option("measure", measure, MEASURES)
    check_option("resample", resample, get_args(Resampling))
    if whole("n_resamples", n_resamples, 0) == 1:
        raise UsageError(f"n_resamples is {n_resamples}; expected 2 or more, or 0 for none.")
