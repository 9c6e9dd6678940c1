"""What representational similarity, encoding and their statistics do with what they cannot use."""

import numpy as np
import pandas as pd
import pytest
import torch

from probekit.analyses.ventral.depths import depths
from probekit.analyses.ventral.planted import planted_regions
from probekit.analyses.ventral.ranking import ranking
from probekit.analyses.ventral.systems import System
from probekit.arguments import floats, generator, whole
from probekit.encoding import fit_banded, fit_ridge, noise_ceiled, pearson_per_target, permutation_p
from probekit.errors import NotApplicableError, UsageError
from probekit.rsa import (
    RDMs,
    cka,
    compare,
    compute_rdms,
    crossnobis_rdms,
    evaluate,
    from_square,
    label_permutation,
    noise_ceiling,
    rdm_movie,
    resampled_scores,
    shrunk_covariance,
    stacked,
    weighted_combination,
)
from probekit.stats import (
    benjamini_hochberg,
    cluster_permutation,
    corrected_t,
    jackknife_of_mean,
    sign_permutation,
    spearman_brown,
    split_half,
)

RNG = np.random.default_rng(0)
PATTERNS = RNG.normal(size=(7, 8, 20))


def rdms_of(patterns, **columns):
    n = len(patterns)
    return compute_rdms(patterns, table=pd.DataFrame({"layer": [f"l{i}" for i in range(n)], **columns}))


MODELS, SUBJECTS = rdms_of(PATTERNS[:3]), rdms_of(PATTERNS[3:])


def with_row(rdms, row, value):
    changed = rdms.dissimilarities.copy()
    changed[row] = value
    return RDMs(changed, rdms.conditions, rdms.table, rdms.distance)


@pytest.mark.parametrize("distance", ["correlation", "spearman", "cosine", "euclidean", "squared_euclidean"])
def test_patterns_that_are_all_missing_have_no_distance_standardized_or_not(distance):
    for standardize in (False, True):
        found = compute_rdms(np.full((4, 5), np.nan), distance=distance, standardize=standardize)
        assert np.isnan(found.dissimilarities).all()
    moments = np.random.default_rng(1).normal(size=(5, 3, 4))
    moments[:, 1] = np.nan
    movie = rdm_movie(moments, [0, 1, 2], distance=distance, standardize=True)
    np.testing.assert_array_equal(np.isnan(movie.dissimilarities).all(axis=1), [False, True, False])


@pytest.mark.parametrize(
    "wrong",
    [
        torch.eye(4).to_sparse(),
        torch.ones(4, 5, device="meta"),
        [torch.ones(5, requires_grad=True), torch.zeros(5)],
    ],
)
def test_tensors_without_plain_numbers_are_refused(wrong):
    with pytest.raises(UsageError, match=r"patterns are (Tensor|list); expected an array or a dense tensor"):
        compute_rdms(wrong)


def test_rdms_take_lists_and_refuse_what_is_not_there():
    made = RDMs([[1, 2, 3]], ["a", "b", "c"], pd.DataFrame({"rdm": [0]}), "x")
    assert made.conditions == ("a", "b", "c")
    assert made.dissimilarities.dtype == np.float64
    with pytest.raises(UsageError, match=r"which is .*; expected indices of 3 RDMs"):
        MODELS.rows([3])
    with pytest.raises(UsageError, match=r"which is .*; expected indices of 3 RDMs"):
        MODELS.rows([True])
    with pytest.raises(UsageError, match="0 conditions need"):
        MODELS.select([])
    with pytest.raises(UsageError, match="put it into a list"):
        stacked(MODELS)
    with pytest.raises(UsageError, match="matrices is list; expected an array of numbers"):
        from_square([[1, 2], [3]], ["a", "b"], distance="x")
    with pytest.raises(UsageError, match="table is dict; expected a pandas"):
        compute_rdms(PATTERNS[0], table={"layer": ["a"]})


@pytest.mark.parametrize("function", [compare, evaluate, label_permutation, weighted_combination])
def test_an_array_is_no_rdms(function):
    with pytest.raises(UsageError, match="a ndarray came where RDMs are expected"):
        function(MODELS.dissimilarities, SUBJECTS)
    with pytest.raises(UsageError, match="a NoneType came where RDMs are expected"):
        function(MODELS, None)


def test_percentiles_need_resamples():
    found = evaluate(MODELS, SUBJECTS, n_resamples=0)
    assert np.isfinite(found.table()["ci_low"]).all()
    with pytest.raises(UsageError, match="interval is 'percentile', but n_resamples was 0"):
        found.table(interval="percentile")
    with pytest.raises(UsageError, match="level is 'a'; expected a number between 0 and 1"):
        found.table(level="a")


@pytest.mark.parametrize("wrong", [-1, 1.5, "a", None, True])
def test_seeds_and_numbers_of_draws_are_whole(wrong):
    for call in (
        lambda: evaluate(MODELS, SUBJECTS, n_resamples=2, seed=wrong),
        lambda: label_permutation(MODELS, SUBJECTS, n_permutations=2, seed=wrong),
        lambda: split_half(PATTERNS, seed=wrong),
        lambda: fit_ridge(PATTERNS[0], PATTERNS[1], seed=wrong),
    ):
        with pytest.raises(UsageError, match=r"seed is .*; expected at least 0, a whole number"):
            call()
    with pytest.raises(UsageError, match="n_resamples is"):
        evaluate(MODELS, SUBJECTS, n_resamples=wrong)
    with pytest.raises(UsageError, match="n_permutations is"):
        sign_permutation(np.ones((40, 2)), n_permutations=0.5 if wrong is True else wrong)
    with pytest.raises(UsageError, match="n_iter is"):
        fit_banded({"a": PATTERNS[0]}, PATTERNS[1], n_iter=wrong)


def test_arguments_are_named():
    assert whole("n", np.int64(3), 1) == 3
    assert generator(np.int64(0)).random() == np.random.default_rng(0).random()
    with pytest.raises(UsageError, match=r"x is ndarray; expected an array of numbers \(complex\)"):
        floats("x", np.ones(2) * 1j)
    with pytest.raises(UsageError, match="x is Tensor; expected an array of numbers"):
        cka(torch.ones(5, 2, requires_grad=True), np.ones((5, 2)))
    with pytest.raises(UsageError, match="residuals is str"):
        shrunk_covariance("abc")
    with pytest.raises(UsageError, match="values is list"):
        cluster_permutation([[1, 2], [3]])


def test_subjects_and_models_that_are_infinite_or_none():
    with pytest.raises(UsageError, match="subjects have infinite dissimilarities"):
        noise_ceiling(with_row(SUBJECTS, 0, np.inf))
    with pytest.raises(UsageError, match="models has infinite dissimilarities"):
        weighted_combination(with_row(MODELS, 0, np.inf), SUBJECTS, n_folds_conditions=2, n_folds_subjects=2)
    with pytest.raises(UsageError, match="models has no RDMs"):
        weighted_combination(MODELS.rows([]), SUBJECTS, n_folds_conditions=2, n_folds_subjects=2)
    with pytest.raises(UsageError, match="brains is list; expected a mapping"):
        resampled_scores(MODELS, [SUBJECTS])


def test_two_subjects_that_contradict_each_other_have_no_upper_ceiling():
    one = SUBJECTS.dissimilarities[0]
    opposite = RDMs(np.stack([one, -one]), SUBJECTS.conditions, SUBJECTS.table[:2], "x")
    ceiling = evaluate(MODELS, opposite, measure="pearson", n_resamples=2).ceiling
    assert ceiling.lower == pytest.approx(-1)
    assert np.isnan(ceiling.upper)


def test_labels_of_several_columns_are_refused():
    with pytest.raises(UsageError, match=r"conditions have shape \(8, 2\); expected one label"):
        crossnobis_rdms(PATTERNS[0], [("a", 1), ("b", 2)] * 4, [0, 0, 1, 1, 2, 2, 3, 3])


def test_statistics_refuse_what_is_out_of_range():
    with pytest.raises(UsageError, match=r"p holds -1 … 2; expected p values"):
        benjamini_hochberg([0.1, 2, -1])
    with pytest.raises(UsageError, match="n_subjects is 1; expected at least 2"):
        corrected_t(3.0, 1)
    with pytest.raises(UsageError, match="values hold infinite numbers"):
        jackknife_of_mean(lambda mean: mean.max(axis=-1), [[1.0, np.inf], [1.0, 2.0]])
    with pytest.raises(UsageError, match=r"r has shape \(2,\) and times \(3,\)"):
        spearman_brown([0.1, 0.2], [2, 3, 4])
    with pytest.raises(UsageError, match=r"trials have shape \(4, 5, 0\)"):
        split_half(np.ones((4, 5, 0)))
    with pytest.raises(UsageError, match="predictions has infinite values"):
        pearson_per_target(PATTERNS[0], np.full((8, 20), np.inf))
    with pytest.raises(UsageError, match="targets has shape"):
        permutation_p(np.ones((8, 0)), np.ones((8, 0)))
    with pytest.raises(UsageError, match="repetitions is str"):
        noise_ceiled("abc", PATTERNS[0])
    model = fit_banded({"a": PATTERNS[0]}, PATTERNS[1], n_iter=1)
    with pytest.raises(UsageError, match="features is list; expected a mapping"):
        model.predict([PATTERNS[0]])


def test_planted_regions_do_not_follow_a_dead_layer():
    for value, said in ((np.nan, "not known"), (0.5, "level")):
        with pytest.raises(NotApplicableError, match=f"layer 'l1', whose RDM is {said}"):
            planted_regions(with_row(MODELS, 1, value), {"V4": 0.5})


def test_depths_and_ranks_leave_dead_layers_out():
    regions = {"EVC": SUBJECTS, "IT": rdms_of(PATTERNS[:4] + PATTERNS[3:])}
    dead = with_row(MODELS, 1, np.nan)
    found = depths(dead, regions, shallow="EVC", deep="IT", n_resamples=10)
    assert 1 not in found.best.values()
    with pytest.raises(NotApplicableError, match="1 of 3 layers tells the stimuli apart"):
        depths(with_row(dead, 0, np.nan), regions, shallow="EVC", deep="IT", n_resamples=10)
    systems = [System("one", "trained", 0, dead), System("other", "trained", 0, dead.rows([0, 2]))]
    ranked = ranking(systems, {"IT": SUBJECTS.rows([0, 1, 2, 3, 0, 1])})  # six, the fewest that are ranked
    assert ranked["score"].notna().all()
    assert ranked["score"].nunique() == 1
