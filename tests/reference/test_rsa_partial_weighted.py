"""Partial correlation of RDMs and weighted combinations of models against regression, planted truth and noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import rankdata, ttest_1samp

from probekit.errors import UsageError
from probekit.rsa.compare import MEASURES, compare, similarities
from probekit.rsa.partial import partial_correlation
from probekit.rsa.rdms import RDMs
from probekit.rsa.weighted import combination_p, weighted_combination

ROUNDING = 1e-12
"""A few thousand sums of numbers around 1 in float64."""


def rdms(values) -> RDMs:
    values = np.atleast_2d(np.asarray(values, dtype=float))
    n = round((1 + np.sqrt(1 + 8 * values.shape[1])) / 2)
    table = pd.DataFrame({"layer": [f"layer{at}" for at in range(len(values))]})
    return RDMs(values, tuple(map(str, range(n))), table, "correlation")


def noise(rng, count, n) -> np.ndarray:
    return rng.normal(size=(count, n * (n - 1) // 2))


def partial_by_regression(x, y, given):
    """Correlation of the residuals of two least-squares fits."""
    known = ~np.isnan(np.vstack([x, y, *given])).any(axis=0)
    design = np.column_stack([np.ones(known.sum()), *(row[known] for row in given)])
    left = [row[known] - design @ np.linalg.lstsq(design, row[known], rcond=None)[0] for row in (x, y)]
    return np.corrcoef(*left)[0, 1]


@pytest.mark.parametrize("held", [1, 3])
def test_partial_correlation_is_that_of_residuals(held):
    rng = np.random.default_rng(0)
    given = noise(rng, held, 10)
    models, brains = (noise(rng, 3, 10) + weight * given.sum(axis=0) for weight in (1, 0.5))
    models[1, [2, 8]] = np.nan
    brains[2, 20:30] = np.nan
    given[0, 44] = np.nan
    got = partial_correlation(rdms(models), rdms(brains), rdms(given), measure="pearson")
    expected = [[partial_by_regression(x, y, given) for y in brains] for x in models]
    assert got == pytest.approx(np.array(expected), abs=ROUNDING)


def test_partial_spearman_is_partial_pearson_of_ranks():
    rng = np.random.default_rng(1)
    models, brains, given = (noise(rng, count, 9).round(1) for count in (2, 3, 2))
    ranked = [rdms(rankdata(rows, axis=1)) for rows in (models, brains, given)]
    expected = partial_correlation(*ranked, measure="pearson")
    assert partial_correlation(rdms(models), rdms(brains), rdms(given)) == pytest.approx(expected, abs=ROUNDING)
    assert partial_correlation(rdms(np.exp(models)), rdms(brains), rdms(given)) == pytest.approx(expected, abs=ROUNDING)


def test_one_given_rdm_is_the_textbook_formula():
    rng = np.random.default_rng(2)
    x, y, z = noise(rng, 3, 8)
    (r_xy,), (r_xz,), (r_yz,) = (similarities(a[None], b[None], "pearson")[0] for a, b in ((x, y), (x, z), (y, z)))
    expected = (r_xy - r_xz * r_yz) / np.sqrt((1 - r_xz**2) * (1 - r_yz**2))
    assert partial_correlation(rdms(x), rdms(y), rdms(z), measure="pearson").item() == pytest.approx(
        expected, abs=1e-12
    )


def test_what_is_given_twice_or_level_changes_nothing_and_what_it_explains_has_no_value():
    rng = np.random.default_rng(3)
    models, brains, given = (noise(rng, count, 9) for count in (2, 2, 2))
    once = partial_correlation(rdms(models), rdms(brains), rdms(given), measure="pearson")
    more = np.vstack([given, given[0] * 2 + 1, np.full(36, 0.1)])
    again = partial_correlation(rdms(models), rdms(brains), rdms(more), measure="pearson")
    assert again == pytest.approx(once, abs=ROUNDING)
    level = partial_correlation(rdms(models), rdms(brains), rdms(np.full(36, 0.1)))
    assert level == pytest.approx(compare(rdms(models), rdms(brains)), abs=ROUNDING)
    explained = rdms(np.vstack([given[0] - 3 * given[1], models[0], np.full(36, 0.1)]))
    got = partial_correlation(explained, rdms(brains), rdms(given), measure="pearson")
    assert np.isnan(got[[0, 2]]).all()
    assert got[1] == pytest.approx(once[0], abs=ROUNDING)


@pytest.mark.parametrize("measure", ["pearson", "spearman"])
def test_a_model_that_shares_only_what_is_given_has_no_partial_correlation_and_its_own_part_is_found(measure):
    runs, n_subjects = 20, 12
    p_given, p_plain, p_own = [], [], []

    def p_of(values):
        """Each model is tested with subjects of its own."""
        own_subjects = values.reshape(runs, runs, n_subjects)[np.arange(runs), np.arange(runs)]
        return ttest_1samp(own_subjects, 0, axis=1).pvalue

    for seed in range(200):
        rng = np.random.default_rng(seed)
        given, own = noise(rng, 2, 10)
        # ranks keep a little of what they share with `given` (next test), so that only the model has it for them
        subjects = noise(rng, runs * n_subjects, 10) + (given if measure == "pearson" else 0)
        models = given + noise(rng, runs, 10)
        p_given.extend(p_of(partial_correlation(rdms(models), rdms(subjects), rdms(given), measure=measure)))
        p_plain.extend(p_of(compare(rdms(models), rdms(subjects), measure=measure)))
        with_own = partial_correlation(rdms(models + own), rdms(subjects + own), rdms(given), measure=measure)
        p_own.extend(p_of(with_own))
    # 4000 runs: 5 % with a standard error of .34 %
    assert 0.035 <= np.mean(np.array(p_given) < 0.05) <= 0.065
    assert np.mean(np.array(p_own) < 0.05) > 0.99
    if measure == "pearson":
        assert np.mean(np.array(p_plain) < 0.05) > 0.99


def test_ranks_leave_a_little_of_what_is_given():
    rng = np.random.default_rng(5)
    given = noise(rng, 1, 200)
    model, brain = given + noise(rng, 1, 200), given + noise(rng, 1, 200)

    def rank_correlation(r):
        return 6 / np.pi * np.arcsin(r / 2)

    to_given, to_each_other = rank_correlation(np.sqrt(0.5)), rank_correlation(0.5)
    expected = (to_each_other - to_given**2) / (1 - to_given**2)
    assert expected == pytest.approx(0.012, abs=1e-4)
    # 19 900 pairs: standard error .007
    got = partial_correlation(rdms(model), rdms(brain), rdms(given)).item()
    assert got == pytest.approx(expected, abs=0.02)
    assert compare(rdms(model), rdms(brain)).item() == pytest.approx(to_each_other, abs=0.02)


def test_wrong_arguments_of_partial_correlation_are_refused():
    rng = np.random.default_rng(4)
    one, other = rdms(noise(rng, 2, 8)), rdms(noise(rng, 2, 8))
    with pytest.raises(UsageError, match="measure is 'cosine'; allowed: 'spearman', 'pearson'"):
        partial_correlation(one, other, one, measure="cosine")
    with pytest.raises(UsageError, match="given has no RDMs"):
        partial_correlation(one, other, one.rows(np.zeros(2, dtype=bool)))
    with pytest.raises(UsageError, match="in another order"):
        partial_correlation(one, other, one.select(one.conditions[::-1]))
    with pytest.raises(UsageError, match="given has infinite"):
        partial_correlation(one, other, rdms(np.full(28, np.inf)))
    many = rdms(noise(rng, 26, 8))
    assert np.isnan(partial_correlation(one, other, many)).all()


FOLDS = {"n_folds_conditions": 3, "n_folds_subjects": 4}


@pytest.mark.parametrize("measure", MEASURES)
def test_planted_weights_are_found(measure):
    rng = np.random.default_rng(5)
    models = np.abs(noise(rng, 4, 30)) + 0.1
    planted = np.array([0.0, 1.0, 0.0, 2.0])
    lengths = np.linalg.norm(models - models.mean(axis=1, keepdims=True), axis=1)
    if measure.endswith("cosine"):
        lengths = np.linalg.norm(models, axis=1)
    noisy = (planted / lengths) @ models * np.mean(lengths) + 0.05 * noise(rng, 8, 30)
    found = weighted_combination(rdms(models), rdms(noisy), measure=measure, **FOLDS)
    relative = found.weights / found.weights[..., 3:]
    # noise of .05 against .6, mean of six subjects over 190 pairs: weights are known to about .01; lengths of a model
    # differ by about .05 from one set of conditions to another and more when whitened
    assert relative[..., 1] == pytest.approx(0.5, abs=0.12)
    assert relative[..., [0, 2]] == pytest.approx(0, abs=0.06)
    assert (found.weights >= 0).all()
    assert (found.chosen == 3).all()
    assert (found.scores > found.single_scores).all()
    assert found.scores.min() > 0.8
    table = found.table()
    assert list(table.columns) == ["layer", "weight", "chosen_share"]
    assert table.chosen_share.tolist() == [0, 0, 0, 1]
    assert (found.subject_scores().difference > 0).all()


def test_weights_are_the_best_nonnegative_ones_of_training_data_only():
    rng = np.random.default_rng(6)
    models, subjects = noise(rng, 3, 16), noise(rng, 5, 16)
    subjects += models[0] - models[1]
    settings = {"measure": "pearson", "n_folds_conditions": 2, "n_folds_subjects": 5, "seed": 3}
    found = weighted_combination(rdms(models), rdms(subjects), **settings)
    folds = np.random.default_rng(3).permutation(np.arange(16) % 2)
    first, second = np.triu_indices(16, 1)
    for i, j in np.ndindex(found.weights.shape[:2]):
        train = (folds[first] != i) & (folds[second] != i)
        test = (folds[first] == i) & (folds[second] == i)
        centred = [rows[:, train] - rows[:, train].mean(axis=1, keepdims=True) for rows in (models, subjects)]
        unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in centred]
        target = unit[1][found.subject_folds != j].mean(axis=0)
        target /= np.linalg.norm(target)
        best = minimize(
            lambda w, unit=unit, target=target: np.sum((w @ unit[0] - target) ** 2),
            np.ones(3),
            bounds=[(0, None)] * 3,
            tol=1e-12,
        )
        # what L-BFGS-B finds by numerical gradients is good to about 1e-6
        assert found.weights[i, j] == pytest.approx(best.x, abs=1e-5)
        predicted = (found.weights[i, j] / np.linalg.norm(centred[0], axis=1)) @ models[:, test]
        for subject in np.flatnonzero(found.subject_folds == j):
            expected = np.corrcoef(predicted, subjects[subject, test])[0, 1]
            assert found.scores[i, subject] == pytest.approx(expected, abs=ROUNDING)
            alone = np.corrcoef(models[found.chosen[i, j], test], subjects[subject, test])[0, 1]
            assert found.single_scores[i, subject] == pytest.approx(alone, abs=ROUNDING)


def test_held_out_dissimilarities_and_subjects_do_not_touch_the_weights():
    rng = np.random.default_rng(7)
    models, subjects = noise(rng, 3, 12), noise(rng, 4, 12)
    settings = {"measure": "pearson", "n_folds_conditions": 2, "n_folds_subjects": 4}
    before = weighted_combination(rdms(models), rdms(subjects), **settings)
    changed = subjects.copy()
    changed[2] = noise(rng, 1, 12)
    after = weighted_combination(rdms(models), rdms(changed), **settings)
    same = before.subject_folds[2]
    assert np.array_equal(before.weights[:, same], after.weights[:, same])
    assert not np.allclose(before.weights, after.weights)
    again = weighted_combination(rdms(models), rdms(subjects), **settings)
    assert np.array_equal(before.scores, again.scores)
    assert not np.array_equal(
        before.subject_folds, weighted_combination(rdms(models), rdms(subjects), seed=1, **settings).subject_folds
    ) or not np.array_equal(
        before.scores, weighted_combination(rdms(models), rdms(subjects), seed=1, **settings).scores
    )


@pytest.mark.parametrize("measure", ["spearman", "cosine"])
def test_models_of_noise_predict_nothing_on_average(measure):
    scores = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        models, subjects = rdms(noise(rng, 3, 24)), rdms(noise(rng, 8, 24))
        found = weighted_combination(models, subjects, measure=measure, seed=seed, **FOLDS)
        assert found.score == pytest.approx(found.subject_scores().score.mean(), abs=ROUNDING)
        scores.append(found.score)
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(400)


def test_the_score_of_noise_is_significant_in_five_of_a_hundred_and_a_planted_one_always():
    settings = {"measure": "pearson", "n_folds_conditions": 2, "n_folds_subjects": 2}
    p_noise, p_planted = [], []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        models, shared = noise(rng, 2, 16), noise(rng, 1, 16)
        # subjects are alike, so that they are not independent witnesses of a chance likeness to a model
        subjects = noise(rng, 5, 16) + shared
        found = weighted_combination(rdms(models), rdms(subjects), seed=seed, **settings)
        p_noise.append(combination_p(found, rdms(models), rdms(subjects), n_permutations=19, seed=1000 + seed))
        if seed < 20:
            planted = rdms(subjects + models.sum(axis=0))
            found = weighted_combination(rdms(models), planted, seed=seed, **settings)
            p_planted.append(combination_p(found, rdms(models), planted, n_permutations=19, seed=1000 + seed))
    # 19 permutations make p = .05 the smallest, with probability .05; 400 runs: a standard error of 1.1 %
    assert 0.035 <= np.mean(np.array(p_noise) <= 0.05) <= 0.065
    assert p_planted == [0.05] * 20


def test_noise_added_to_a_true_model_gains_nothing():
    gains = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        true = noise(rng, 1, 24)
        models = np.vstack([true, noise(rng, 4, 24)])
        found = weighted_combination(rdms(models), rdms(true + noise(rng, 8, 24)), seed=seed, **FOLDS)
        gains.append(found.subject_scores().difference.mean())
    assert np.mean(gains) < 0


def test_missing_pairs_and_level_models_are_left_out():
    rng = np.random.default_rng(8)
    models = noise(rng, 3, 20)
    subjects = models[0] + models[1] + 0.3 * noise(rng, 4, 20)
    whole = weighted_combination(rdms(models), rdms(subjects), measure="pearson", n_folds_conditions=2)
    holes, patchy = models.copy(), subjects.copy()
    holes[2, :3] = np.nan
    patchy[1, 50:60] = np.nan
    levelled = np.vstack([holes, np.full(190, 0.1)])
    found = weighted_combination(rdms(levelled), rdms(patchy), measure="pearson", n_folds_conditions=2)
    assert np.isfinite(found.scores).all()
    # 13 of 190 pairs are missing: the scores stay as high
    assert found.scores.mean() == pytest.approx(whole.scores.mean(), abs=0.03)
    assert (found.weights[..., 3] == 0).all()


def test_a_combination_without_weights_scores_nothing_and_a_level_subject_has_no_score():
    rng = np.random.default_rng(9)
    opposite = noise(rng, 1, 16)
    subjects = np.vstack([-opposite + 0.1 * noise(rng, 4, 16), np.full(120, 0.1)])
    found = weighted_combination(rdms(opposite), rdms(subjects), n_folds_conditions=2, n_folds_subjects=5)
    assert (found.weights == 0).all()
    assert (found.scores[:, :4] == 0).all()
    assert np.isnan(found.scores[:, 4]).all()
    assert (found.single_scores[:, :4] < -0.5).all()
    assert found.subject_scores().score.isna().tolist() == [False] * 4 + [True]


def test_wrong_arguments_of_a_combination_are_refused():
    rng = np.random.default_rng(10)
    models, subjects = rdms(noise(rng, 2, 16)), rdms(noise(rng, 4, 16))
    with pytest.raises(UsageError, match=r"n_folds_conditions is 5; 16 conditions allow 2 … 4, so that each fold"):
        weighted_combination(models, subjects, n_folds_conditions=5)
    with pytest.raises(UsageError, match="there are too few conditions"):
        weighted_combination(models.select(["0", "1", "2", "3"]), subjects.select(["0", "1", "2", "3"]))
    with pytest.raises(UsageError, match="n_folds_subjects is 5; 4 subjects allow 2 … 4"):
        weighted_combination(models, subjects, n_folds_subjects=5)
    with pytest.raises(UsageError, match="there are too few subjects"):
        weighted_combination(models, subjects.rows([0]))
    with pytest.raises(UsageError, match="measure is 'pearsn'; allowed"):
        weighted_combination(models, subjects, measure="pearsn")
    with pytest.raises(UsageError, match="in another order"):
        weighted_combination(models, subjects.select(subjects.conditions[::-1]))
    dead = np.vstack([models.dissimilarities, np.full(120, np.nan)])
    with pytest.raises(UsageError, match="model 2 knows no dissimilarity"):
        weighted_combination(rdms(dead), subjects)
    with pytest.raises(UsageError, match="every model is the same for all training pairs"):
        weighted_combination(rdms(np.ones((2, 120))), subjects)
    with pytest.raises(UsageError, match="training folds have 0 known pairs"):
        weighted_combination(models, rdms(np.ones((4, 120))))
    with pytest.raises(UsageError, match="training folds have 66 known pairs for 70 models"):
        weighted_combination(rdms(noise(rng, 70, 16)), subjects)
    found = weighted_combination(models, subjects)
    with pytest.raises(UsageError, match=r"found has \(16, 4, 2\) conditions, subjects and models"):
        combination_p(found, models, subjects.rows([0, 1]))
    with pytest.raises(UsageError, match="n_permutations is 0; expected at least 1"):
        combination_p(found, models, subjects, n_permutations=0)
