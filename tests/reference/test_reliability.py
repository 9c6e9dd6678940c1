"""Reliability against the correlation of two measurements that were really made, and against a loop over splits."""

from __future__ import annotations

import numpy as np
import pytest

from probekit.errors import UsageError
from probekit.stats import reliability, spearman_brown, split_half


def simulated(n_trials, n_stimuli, n_units, noise, seed):
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=(n_stimuli, n_units))
    return signal + noise * rng.normal(size=(n_trials, n_stimuli, n_units))


def test_spearman_brown_by_hand():
    np.testing.assert_allclose(spearman_brown([0, 0.5, 1]), [0, 2 / 3, 1])
    np.testing.assert_allclose(spearman_brown(0.5, [1, 3, 0.5]), [0.5, 0.75, 1 / 3])
    np.testing.assert_allclose(spearman_brown(spearman_brown(0.3, 5), 1 / 5), 0.3)


def test_spearman_brown_of_too_negative_correlations_is_nan():
    np.testing.assert_array_equal(np.isnan(spearman_brown([-1, -0.9, np.nan])), [True, False, True])
    assert np.isnan(spearman_brown(-0.6, 3))


def test_spearman_brown_is_the_mean_of_k_parallel_measurements():
    """Two means of k parts that correlate r: their correlation is kr/(1 + (k − 1)r)."""
    k, r = 4, 0.2
    parts = np.full((2 * k, 2 * k), r) + (1 - r) * np.eye(2 * k)
    first, second = parts[:k, :k].sum(), parts[:k, k:].sum()
    assert spearman_brown(r, k) == pytest.approx(second / first)


@pytest.mark.parametrize(("n_trials", "noise"), [(8, 1.0), (8, 4.0), (7, 2.0), (2, 1.0)])
def test_split_half_is_the_correlation_with_as_many_new_trials(n_trials, noise):
    """By design 1/(1 + noise²/trials), also with an odd number; 1,000 units of 60 stimuli leave .01 of chance."""
    found = split_half(simulated(n_trials, 60, 1000, noise, 0), n_splits=50)
    assert found.mean() == pytest.approx(1 / (1 + noise**2 / n_trials), abs=0.02)


def test_split_half_of_all_splits_is_that_of_a_loop(monkeypatch):
    """Two trials have one split; more are drawn by the seed, and redone here with numpy.corrcoef."""
    trials = simulated(5, 12, 3, 1.0, 1)
    order = np.argsort(np.random.default_rng(7).random((20, 5)), axis=1)
    r = [
        [
            np.corrcoef(trials[one[:2], :, unit].mean(axis=0), trials[one[2:4], :, unit].mean(axis=0))[0, 1]
            for one in order
        ]
        for unit in range(3)
    ]
    expected = spearman_brown(np.mean(r, axis=1), 5 / 2)
    np.testing.assert_allclose(split_half(trials, n_splits=20, seed=7), expected, rtol=1e-12)
    monkeypatch.setattr(reliability, "_BLOCK", 100)
    np.testing.assert_allclose(split_half(trials, n_splits=20, seed=7), expected, rtol=1e-12)
    assert not np.allclose(split_half(trials, n_splits=20, seed=8), expected)


def test_noise_has_no_reliability_and_no_noise_has_all():
    """The correction is concave, so that noise of variance v in r costs 2v: .005 with 400 stimuli."""
    assert abs(split_half(simulated(6, 400, 500, 1e6, 2), n_splits=20).mean()) < 0.02
    np.testing.assert_allclose(split_half(simulated(6, 40, 10, 0, 3)), 1)


def test_units_are_measured_alone_and_their_scale_does_not_matter():
    trials = simulated(6, 20, 4, 1.0, 4)
    kept = trials.copy()
    found = split_half(trials)
    np.testing.assert_allclose(split_half(trials[:, :, 2:3]), found[2:3], rtol=1e-12)
    np.testing.assert_allclose(split_half(3 * trials[:, ::-1] + 5), found, rtol=1e-9)
    np.testing.assert_array_equal(trials, kept)


def test_missing_trials_and_stimuli_are_left_out():
    trials = simulated(8, 50, 200, 1.0, 5)
    trials[6:, ::2] = np.nan
    trials[:, 0] = np.nan
    found = split_half(trials)
    assert np.isfinite(found).all()
    assert found.mean() == pytest.approx(1 / (1 + 1 / 7), abs=0.03)
    absent = np.concatenate([trials, np.full((8, 5, 200), np.nan)], axis=1)
    np.testing.assert_allclose(split_half(absent), found, rtol=1e-9)


def test_complete_trials_have_the_same_reliability_either_way():
    """Trials with a gap are averaged, complete ones are not; one unit varies in two trials only, some halves do not."""
    trials = simulated(5, 30, 4, 1.0, 7)
    trials[:3, :, 2] = 0.1
    gap = np.concatenate([trials, np.full((5, 1, 4), np.nan)], axis=1)
    np.testing.assert_allclose(split_half(gap), split_half(trials), rtol=1e-9)
    assert np.isfinite(split_half(trials)).all()


def test_a_unit_that_never_varies_has_none():
    trials = simulated(4, 10, 3, 1.0, 6)
    trials[:, :, 1] = 0.1
    np.testing.assert_array_equal(np.isnan(split_half(trials)), [False, True, False])


def test_what_cannot_be_split_is_refused():
    with pytest.raises(UsageError, match=r"trials have shape \(1, 5, 2\); expected \(trial, stimulus, unit\)"):
        split_half(np.ones((1, 5, 2)))
    with pytest.raises(UsageError, match=r"trials have shape \(4, 5\)"):
        split_half(np.ones((4, 5)))
    with pytest.raises(UsageError, match="infinite numbers"):
        split_half(np.full((2, 3, 1), np.inf))
    with pytest.raises(UsageError, match="n_splits is 0; expected at least 1"):
        split_half(np.ones((2, 3, 1)), n_splits=0)
    with pytest.raises(UsageError, match=r"r is 1\.5; expected correlations"):
        spearman_brown([0.5, 1.5])
    with pytest.raises(UsageError, match=r"times is 0\.0; expected a number above 0"):
        spearman_brown(0.5, 0)
