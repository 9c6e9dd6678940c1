"""Scores beside NumPy, SciPy and scikit-learn one target at a time; the permutation test and the ceiling on noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import r2_score

from probekit.encoding import fit_ridge, noise_ceiled, pearson_per_target, permutation_p, r2_per_target, score_table
from probekit.encoding.scores import r2_split
from probekit.errors import UsageError

SIGNS = np.tile([1, -1], 4)


def made(seed=0):
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(30, 8)) * np.logspace(-3, 3, 8)
    return targets, targets * 0.7 + rng.normal(size=(3, 30, 8)) * np.logspace(-3, 3, 8) + 2


def test_scores_one_by_one():
    targets, predictions = made()
    r, r2 = pearson_per_target(targets, predictions), r2_per_target(targets, predictions)
    assert r.shape == r2.shape == (3, 8)
    for one in range(3):
        for t in range(8):
            assert r[one, t] == pytest.approx(stats.pearsonr(targets[:, t], predictions[one, :, t])[0], rel=1e-9)
        expected = r2_score(targets, predictions[one], multioutput="raw_values")
        np.testing.assert_allclose(r2[one], expected, rtol=1e-9)
    np.testing.assert_allclose(pearson_per_target(targets, predictions[0]), r[0], rtol=1e-12)


def test_constants_are_nan():
    targets, predictions = made()
    targets[:, 0] = 0.1
    predictions[1, :, 1] = 1e6 / 3  # its mean is not itself in floating point
    targets[:, 2] *= 1e-13
    with_nan = predictions.copy()
    with_nan[2, 4, 5] = np.nan
    r = pearson_per_target(targets, with_nan)
    assert np.argwhere(np.isnan(r)).tolist() == [[0, 0], [1, 0], [1, 1], [2, 0], [2, 5]]
    assert np.flatnonzero(np.isnan(r2_per_target(targets, predictions[1]))).tolist() == [0]
    assert np.isnan(permutation_p(targets, predictions[1], n_permutations=9)).tolist() == [True, True] + [False] * 6
    assert np.isnan(r2_split(targets, predictions)[:, 0]).all()


def test_permutation_p_one_by_one(monkeypatch):
    """The same permutations, by SciPy's r; also if they do not fit into one block."""
    targets, predictions = made()
    p = permutation_p(targets, predictions[0] * SIGNS, n_permutations=50, seed=4)
    orders = np.random.default_rng(4).permuted(np.tile(np.arange(30), (50, 1)), axis=1)
    for t in range(8):
        z = predictions[0, :, t] * SIGNS[t]
        r = stats.pearsonr(targets[:, t], z)[0]
        reached = sum(stats.pearsonr(targets[:, t], z[order])[0] >= r for order in orders)
        assert p[t] == (1 + reached) / 51
    assert p[0] == 1 / 51
    assert p[1] > 0.9
    monkeypatch.setattr("probekit.encoding.scores._BLOCK", 700)
    np.testing.assert_array_equal(permutation_p(targets, predictions[0] * SIGNS, n_permutations=50, seed=4), p)


def test_ties_count_against():
    """With two stimuli, half of the permutations give the same r."""
    p = permutation_p([[0.0], [1.0]], [[0.1], [0.3]], n_permutations=1000)
    assert p[0] == pytest.approx(0.5, abs=0.05)  # .016 is the standard error


def test_noise_is_significant_as_often_as_it_says():
    """2,000 noise targets, predicted for held-out stimuli by ridge fitted on others: p < .05 in 5 % ± 1.5 %."""
    rng = np.random.default_rng(1)
    features, targets = rng.normal(size=(100, 30)), rng.normal(size=(100, 2000))
    model = fit_ridge(features[:60], targets[:60], alphas=np.logspace(0, 4, 5))
    table = score_table(targets[60:], model.predict(features[60:]), n_permutations=500)
    assert (table["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (table["q"] < 0.05).sum() <= 1
    assert abs(table["r"].mean()) < 0.02  # 1/√40/√2000 = .0035


def test_signal_is_found():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(100, 30))
    signal = features @ rng.normal(size=(30, 200)) / np.sqrt(30)
    targets = np.concatenate([signal + 0.5 * rng.normal(size=signal.shape), rng.normal(size=signal.shape)], axis=1)
    model = fit_ridge(features[:60], targets[:60])
    table = score_table(targets[60:], model.predict(features[60:]))
    assert (table["q"][:200] < 0.05).mean() > 0.95
    assert (table["q"][200:] < 0.05).mean() < 0.06  # 5 % of the found ones may be false
    assert table.columns.tolist() == ["target", "r", "r2", "p", "q"]
    pd.testing.assert_frame_equal(table, score_table(targets[60:], model.predict(features[60:])))


def test_ceiling_of_planted_noise():
    """Signal of variance 1 and noise of variance 1 in 4 repetitions: reliability 4/5; a perfect model gets to 1."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(200, 300))
    repetitions = signal[:, None] + rng.normal(size=(200, 4, 300))
    table = noise_ceiled(repetitions, signal, n_splits=20)
    # standard error of the mean of 300 targets: .002
    assert table["reliability"].mean() == pytest.approx(0.8, abs=0.01)
    assert table["r"].mean() == pytest.approx(np.sqrt(0.8), abs=0.01)
    assert table["r_ceiled"].mean() == pytest.approx(1, abs=0.01)
    assert table["explained"].mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(table["ceiling"] ** 2, table["reliability"], rtol=1e-12)
    half = noise_ceiled(repetitions, signal + rng.normal(size=signal.shape), n_splits=20)
    assert half["explained"].mean() == pytest.approx(0.5, abs=0.01)


def test_noise_is_not_lifted_by_its_ceiling():
    rng = np.random.default_rng(0)
    table = noise_ceiled(rng.normal(size=(50, 4, 400)), rng.normal(size=(50, 400)), n_splits=20)
    assert np.isnan(table["ceiling"]).sum() == pytest.approx(200, abs=60)  # as many below 0 as above
    assert (table["explained"].isna() == table["ceiling"].isna()).all()
    assert abs(np.sign(table["explained"]).mean()) < 0.25
    missing = rng.normal(size=(50, 4, 3))
    missing[:10, 3] = np.nan
    assert noise_ceiled(missing, rng.normal(size=(50, 3)))["r"].notna().all()


def test_errors():
    targets, predictions = made()
    with pytest.raises(UsageError, match=r"targets has shape \(30, 8\) and predictions \(30, 7\)"):
        pearson_per_target(targets, predictions[0, :, 1:])
    with pytest.raises(UsageError, match="targets has 1 stimuli"):
        r2_per_target(targets[:1], predictions[0, :1])
    with pytest.raises(UsageError, match=r"predictions has shape \(3, 30, 8\)"):
        permutation_p(targets, predictions)
    with pytest.raises(UsageError, match="n_permutations is 0"):
        permutation_p(targets, predictions[0], n_permutations=0)
    with pytest.raises(UsageError, match=r"parts has shape \(30, 8\)"):
        r2_split(targets, predictions[0])
    with pytest.raises(UsageError, match=r"repetitions has shape \(30, 8\)"):
        noise_ceiled(targets, predictions[0])
    with pytest.raises(UsageError, match="trials have shape"):
        noise_ceiled(targets[:, None], predictions[0])
