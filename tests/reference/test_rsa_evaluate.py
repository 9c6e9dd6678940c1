"""Evaluation: resamples beside literal copies and rsatoolbox, variances beside the truth, tests under the null."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr, ttest_1samp

from probekit.errors import UsageError
from probekit.rsa.bootstrap import draw_counts, resampled, twice_midranks
from probekit.rsa.compare import compare
from probekit.rsa.evaluate import evaluate, resampled_scores
from probekit.rsa.rdms import RDMs
from probekit.rsa.variance import dual_variance, noise_of_pairs

their_inference = pytest.importorskip("rsatoolbox.inference.evaluate")
their_rdm = pytest.importorskip("rsatoolbox.rdm")
their_model = pytest.importorskip("rsatoolbox.model")

THEIR_NAMES = {
    "spearman": "spearman", "rho-a": "rho-a", "pearson": "corr", "cosine": "cosine",
    "whitened_pearson": "corr_cov", "whitened_cosine": "cosine_cov",
}  # fmt: skip


def made(rows, **columns):
    rows = np.atleast_2d(rows)
    n = int((1 + np.sqrt(1 + 8 * rows.shape[1])) / 2)
    table = pd.DataFrame(columns or {"rdm": range(len(rows))})
    return RDMs(rows, tuple(f"c{i}" for i in range(n)), table, "correlation")


def planted(n_subjects=6, n_conditions=12, seed=0):
    """Return three models, the first near to the subjects, the second with ties; and the subjects."""
    rng = np.random.default_rng(seed)
    n_pairs = n_conditions * (n_conditions - 1) // 2
    true = rng.random(n_pairs)
    models = np.stack([true + 0.2 * rng.random(n_pairs), np.round(3 * rng.random(n_pairs)), rng.random(n_pairs)])
    return models, true + rng.random((n_subjects, n_pairs))


def noise_rdms(n_rdms, n_conditions, rng, n_units=40):
    """Return correlation distances of unrelated patterns."""
    patterns = rng.standard_normal((n_rdms, n_conditions, n_units))
    patterns -= patterns.mean(axis=2, keepdims=True)
    patterns /= np.linalg.norm(patterns, axis=2, keepdims=True)
    rows, columns = np.triu_indices(n_conditions, 1)
    return 1 - (patterns @ patterns.transpose(0, 2, 1))[:, rows, columns]


@pytest.mark.parametrize(("measure", "by_scipy"), [("spearman", spearmanr), ("pearson", pearsonr)])
def test_counts_give_what_copies_give(measure, by_scipy):
    models, subjects = planted()
    square, of_subjects = made(models).square(), made(subjects).square()
    counts = draw_counts(12, 25, np.random.default_rng(1))
    found = resampled(models, subjects, counts, np.empty((0, 25, 6), dtype=int), measure=measure).scores
    for scores, times in zip(found, counts, strict=True):
        drawn = np.repeat(np.arange(12), times)
        first, second = (drawn[side] for side in np.triu_indices(12, 1))
        kept = first != second
        at = first[kept], second[kept]
        expected = [[by_scipy(model[at], subject[at]).statistic for subject in of_subjects] for model in square]
        # sums of 66 products in another order
        np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


def test_ranks_are_those_of_copies():
    rng = np.random.default_rng(0)
    rows, weights = rng.integers(0, 20, (4, 50)), rng.integers(1, 5, 50)
    copies = np.repeat(np.arange(50), weights)
    found = twice_midranks(rows, weights.astype(float))
    np.testing.assert_array_equal(found[:, copies], 2 * rankdata(rows[:, copies], axis=1))


def theirs(kind, measure, monkeypatch, n_resamples):
    """Return the result of rsatoolbox, and how often it drew each condition and subject."""
    models, subjects = planted()
    draws = {"conditions": [], "subjects": []}

    def recorded(name, where):
        original = getattr(their_inference, name)

        def sample(*args, **options):
            found = original(*args, **options)
            for what, at in where.items():
                draws[what].append(np.bincount(found[at], minlength={"conditions": 12, "subjects": 6}[what]))
            return found

        monkeypatch.setattr(their_inference, name, sample)

    recorded("bootstrap_sample", {"subjects": 1, "conditions": 2})
    recorded("bootstrap_sample_rdm", {"subjects": 1})
    recorded("bootstrap_sample_pattern", {"conditions": 1})
    state = np.random.get_state()
    np.random.seed(3)
    given = [their_model.ModelFixed(str(index), their_rdm.RDMs(row[None])) for index, row in enumerate(models)]
    found = getattr(their_inference, kind)(given, their_rdm.RDMs(subjects), method=measure, N=n_resamples)
    np.random.set_state(state)
    return found, {what: np.array(counts) for what, counts in draws.items() if counts}


@pytest.mark.parametrize("measure", THEIR_NAMES)
def test_bootstrap_of_conditions_is_that_of_rsatoolbox(measure, monkeypatch):
    found, draws = theirs("eval_bootstrap_pattern", THEIR_NAMES[measure], monkeypatch, 15)
    ours = resampled(*planted(), draws["conditions"], np.ones((1, 15, 6), dtype=int), measure=measure)
    np.testing.assert_allclose(ours.scores.mean(axis=2), found.evaluations, rtol=0, atol=1e-10)
    np.testing.assert_allclose(ours.ceilings[0].T, found.noise_ceiling, rtol=0, atol=1e-10)


@pytest.mark.parametrize("measure", ["spearman", "rho-a", "pearson", "cosine"])
def test_dual_bootstrap_is_that_of_rsatoolbox(measure, monkeypatch):
    found, draws = theirs("eval_dual_bootstrap", THEIR_NAMES[measure], monkeypatch, 40)
    models, subjects = planted()
    sets = np.stack([draws["subjects"], np.ones_like(draws["subjects"])])
    ours = resampled(models, subjects, draws["conditions"], sets, measure=measure)
    all_once = np.ones((1, 12), dtype=int)
    fixed = resampled(models, subjects, all_once, draws["subjects"][:, None], measure=measure)
    means = [
        np.einsum("rms,rs->rm", scores, draws["subjects"]) / 6 for scores in (ours.scores, fixed.scores.repeat(40, 0))
    ] + [ours.scores.mean(axis=2)]
    np.testing.assert_allclose(np.stack(means, axis=-1), found.evaluations[:, :, 0, 0], rtol=0, atol=1e-10)
    ceilings = np.stack([ours.ceilings[0], fixed.ceilings[:, 0], ours.ceilings[1]], axis=-1)
    np.testing.assert_allclose(ceilings.transpose(1, 0, 2), found.noise_ceiling[:, :, 0], rtol=0, atol=1e-10)
    spread = tuple(mean.var(axis=0, ddof=1) for mean in means)
    np.testing.assert_allclose(dual_variance(spread, 6, 12), found.model_var, rtol=1e-9)


@pytest.mark.parametrize(
    ("resample", "kind"),
    [("both", "eval_dual_bootstrap"), ("conditions", "eval_bootstrap_pattern"), ("subjects", "eval_bootstrap_rdm")],
)
def test_bootstrap_variance_is_that_of_rsatoolbox_with_other_draws(resample, kind, monkeypatch):
    found, _ = theirs(kind, "corr", monkeypatch, 400)
    models, subjects = planted()
    ours = evaluate(made(models), made(subjects), measure="pearson", resample=resample, n_resamples=4000)
    # a variance of 400 draws has a relative standard error of 7 %; the dual one is a difference of three
    np.testing.assert_allclose(ours.bootstrap_variance, found.model_var, rtol=0.3)


def test_scores_and_variance_over_subjects_are_plain():
    models, subjects = planted()
    found = evaluate(made(models), made(subjects), resample="subjects", n_resamples=4000)
    np.testing.assert_allclose(found.scores, compare(made(models), made(subjects)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.variance, found.scores.var(axis=1, ddof=1) / 6, rtol=1e-12)
    np.testing.assert_allclose(found.table()["p"], ttest_1samp(found.scores, 0, axis=1, alternative="greater").pvalue)
    # 4,000 draws: relative standard error 2.2 %
    np.testing.assert_allclose(found.bootstrap_variance, found.variance, rtol=0.1)
    differs = found.differences()
    np.testing.assert_allclose(differs["p"][0], ttest_1samp(found.scores[0] - found.scores[1], 0).pvalue)
    table = found.table(level=0.9)
    low, high = ttest_1samp(found.scores[0], 0).confidence_interval(0.9)
    assert (table["ci_low"][0], table["ci_high"][0]) == pytest.approx((low, high))


def test_noise_of_pairs_is_counted_once():
    """With unrelated dissimilarities all that varies is pairs: 1/n_pairs. rsatoolbox's form has it about thrice."""
    rng = np.random.default_rng(0)
    n_pairs = 435  # of 30 conditions
    true, bootstrapped, pairs = [], [], []
    for run in range(150):
        model, subject = rng.standard_normal((2, 1, n_pairs))
        found = evaluate(
            made(model), made(subject), measure="pearson", resample="conditions", n_resamples=100, seed=run
        )
        true.append(found.scores[0, 0])
        bootstrapped.append(found.bootstrap_variance[0])
        pairs.append(noise_of_pairs(model, subject, "pearson")[0][0, 0])
    assert np.var(true) == pytest.approx(1 / n_pairs, rel=0.25)  # 150 draws: 12 %
    assert np.mean(pairs) == pytest.approx(1 / n_pairs, rel=0.05)  # 150 draws and linearised: 3 %
    assert 2.3 / n_pairs < np.mean(bootstrapped) < 3.2 / n_pairs


def test_effects_of_conditions_have_their_variance():
    """A score that is a sum of effects of conditions varies as their mean does."""
    rng = np.random.default_rng(1)
    rows, columns = np.triu_indices(40, 1)
    scores, variances = [], []
    for _ in range(200):
        model, brain = (effects[rows] + effects[columns] for effects in rng.standard_normal((2, 40)))
        found = evaluate(made(model), made(brain), measure="pearson", resample="conditions", n_resamples=2)
        scores.append(found.scores[0, 0])
        variances.append(found.variance[0])
    # 200 draws of a variance: 10 %; the jackknife of a ratio of moments of 40 conditions is some per cent off
    assert np.mean(variances) == pytest.approx(np.var(scores), rel=0.3)


@pytest.fixture(scope="module")
def null_rates():
    """Share of p < .05 in 600 runs of pure noise: two models, 12 subjects, 60 conditions; p does not use resamples.

    Over conditions and over both, tests are cautious: a variance is never less than that of pairs. In 800 to 1,000 runs
    each of several kinds of noise, they called 2 to 6 % significant.
    """
    rng = np.random.default_rng(21)
    p = {(kind, over): [] for kind in ("score", "difference") for over in ("subjects", "conditions", "both")}
    for _ in range(600):
        noise = made(noise_rdms(14, 60, rng))
        found = evaluate(noise.rows([0, 1]), noise.rows(range(2, 14)), measure="pearson", n_resamples=2)
        for over in ("subjects", "conditions", "both"):
            only = replace(found, resample=over)
            p["score", over].append(only.table()["p"][0])
            p["difference", over].append(only.differences()["p"][0])
    return {name: np.mean(np.array(values) < 0.05) for name, values in p.items()}


@pytest.mark.parametrize("kind", ["score", "difference"])
@pytest.mark.parametrize("over", ["subjects", "conditions", "both"])
def test_noise_is_significant_as_often_as_it_says(null_rates, kind, over):
    # standard error of 600 runs: .9 %
    least = 0.035 if over == "subjects" else 0.02
    assert least <= null_rates[kind, over] <= 0.065


def test_few_conditions_make_tests_of_noise_cautious_not_bold():
    """12 conditions, 6 subjects who share a brain that has nothing to do with the model."""
    rng = np.random.default_rng(12)
    p = []
    for _ in range(400):
        model, brain = noise_rdms(2, 12, rng)
        subjects = brain + 0.05 * rng.standard_normal((6, 66))
        p.append(evaluate(made(model), made(subjects), n_resamples=2).table()["p"][0])
    assert 0.005 < np.mean(np.array(p) < 0.05) < 0.065


@pytest.mark.parametrize("measure", ["spearman", "rho-a", "pearson"])
@pytest.mark.parametrize("resample", ["subjects", "conditions", "both"])
def test_a_planted_model_is_found_and_better_than_others(measure, resample):
    models, subjects = planted()
    found = evaluate(
        made(models, layer=["near", "tied", "far"]), made(subjects), measure=measure, resample=resample, n_resamples=200
    )
    table, differs = found.table().set_index("layer"), found.differences()
    assert table["q"]["near"] < 0.001
    assert table["ci_low"]["near"] > 0
    assert table["ceiling_lower"]["near"] < table["score"]["near"] < table["ceiling_upper"]["near"]
    assert table["share_of_ceiling"]["near"] == pytest.approx(found.scores[0].mean() / found.ceiling.upper)
    near = differs[differs["first_layer"] == "near"]
    assert (near["q"] < 0.01).all()
    assert (near["ci_low"] > 0).all()
    percentile = found.table(interval="percentile")
    low, high = np.quantile(found.resampled[:, 0], [0.025, 0.975])
    assert (percentile["ci_low"][0], percentile["ci_high"][0]) == pytest.approx((low, high))


def test_regions_share_their_draws():
    """The best layer is the 2nd for EVC and the 5th for IT; the bootstrap of their difference says so."""
    rng = np.random.default_rng(4)
    layers = rng.random((6, 190))
    evc, it = (made(layers[best] + rng.random((5, 190)), subject=range(5)) for best in (1, 4))
    models = made(layers, layer=range(6))
    found = resampled_scores(models, {"EVC": evc, "IT": it}, n_resamples=200, seed=3)
    depth = found["IT"].argmax(axis=1) - found["EVC"].argmax(axis=1)
    assert (np.quantile(depth, [0.025, 0.975]) == 3).all()
    for resample in ("both", "conditions", "subjects"):
        one = resampled_scores(models, {"IT": it, "again": it}, resample=resample, n_resamples=20, seed=3)
        np.testing.assert_allclose(one["IT"], one["again"], rtol=0, atol=1e-12)  # BLAS may add in another order
        alone = evaluate(models, it, resample=resample, n_resamples=20, seed=3)
        np.testing.assert_allclose(one["IT"], alone.resampled, rtol=0, atol=1e-12)
    others = made(it.dissimilarities, subject=range(5, 10))
    apart = resampled_scores(models, {"IT": it, "others": others}, n_resamples=20, seed=3)
    assert (apart["IT"] != apart["others"]).any()


def test_dead_layers_and_missing_pairs():
    models, subjects = planted(n_conditions=14)
    models = np.concatenate([models, np.full((1, 91), np.nan), np.ones((1, 91))])
    subjects[0, :13] = np.nan  # the first condition is missing in one subject, and so in all
    subjects[1, 40] = np.nan
    found = evaluate(made(models), made(subjects), n_resamples=50)
    assert found.n_conditions == 13
    table = found.table()
    assert table["score"].isna().tolist() == table["p"].isna().tolist() == [False] * 3 + [True] * 2
    assert np.isnan(found.bootstrap_variance).tolist() == [False] * 3 + [True] * 2
    known = ~np.isnan(subjects).any(axis=0)
    assert table["score"][1] == pytest.approx(np.mean([spearmanr(models[1, known], s[known])[0] for s in subjects]))
    by_hand = evaluate(made(models[:3]), made(np.where(known, subjects, np.nan)), n_resamples=50)
    np.testing.assert_allclose(found.resampled[:, :3], by_hand.resampled, rtol=0, atol=1e-15)


def test_one_subject_can_be_evaluated_over_conditions_without_a_ceiling():
    models, subjects = planted()
    found = evaluate(made(models), made(subjects[:1]), resample="conditions", n_resamples=100)
    assert np.isnan(found.ceiling.lower)
    assert found.table()["p"][0] < 0.001
    assert found.variance[0] > 0


def test_seeds_repeat_and_nothing_else_is_touched():
    models, subjects = map(made, planted())
    kept = models.dissimilarities.copy(), subjects.dissimilarities.copy()
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    first, again, other = (evaluate(models, subjects, n_resamples=20, seed=seed) for seed in (1, 1, 2))
    assert (np.random.get_state()[1] == before).all()
    np.testing.assert_array_equal(first.resampled, again.resampled)
    assert (first.resampled != other.resampled).any()
    for rdms, rows in zip((models, subjects), kept, strict=True):
        np.testing.assert_array_equal(rdms.dissimilarities, rows)


def test_wrong_arguments_are_named():
    models, subjects = map(made, planted())
    for resample in ("both", "subjects"):
        with pytest.raises(UsageError, match="subjects has 1 RDM; expected 2 subjects or more"):
            evaluate(models, subjects.rows([0]), resample=resample)
    with pytest.raises(UsageError, match=r"resample is 'pattern'; allowed: 'both', 'conditions', 'subjects'"):
        evaluate(models, subjects, resample="pattern")
    with pytest.raises(UsageError, match=r"measure is 'kendall'"):
        evaluate(models, subjects, measure="kendall")
    with pytest.raises(UsageError, match="n_resamples is 1; expected 2 or more"):
        evaluate(models, subjects, n_resamples=1)
    with pytest.raises(UsageError, match="6 pairs of 4 conditions in common; expected those of 5 conditions or more"):
        evaluate(models.select(models.conditions[:4]), subjects.select(models.conditions[:4]))
    with pytest.raises(UsageError, match="the same conditions in another order"):
        evaluate(models, subjects.select(models.conditions[::-1]))
    with pytest.raises(UsageError, match="models know no dissimilarity at all"):
        evaluate(made(np.full((2, 66), np.nan)), subjects)
    with pytest.raises(UsageError, match="infinite dissimilarities"):
        evaluate(made(np.full((2, 66), np.inf)), subjects)
    with pytest.raises(UsageError, match="brains is empty"):
        resampled_scores(models, {})
    found = evaluate(models, subjects, n_resamples=5)
    with pytest.raises(UsageError, match=r"level is 95; expected a number between 0 and 1"):
        found.table(level=95)
    with pytest.raises(UsageError, match="interval is 'bca'"):
        found.table(interval="bca")
