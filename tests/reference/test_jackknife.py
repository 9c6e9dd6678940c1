"""Jackknife and latencies: closed forms, loops, noise, and a shift in time that is planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.stats import f_oneway, sem, t, ttest_1samp

from probekit.errors import UsageError
from probekit.stats import corrected_f, corrected_t, jackknife, jackknife_of_mean, onset_latency, peak_latency

TIMES = np.arange(-100, 400, 10.0)


def curves(n_runs, n_subjects, shift, seed):
    """Return two smooth responses of each subject, the second later by `shift` ms: (run, subject, 2, time)."""
    rng = np.random.default_rng(seed)
    centre = 150 + rng.normal(0, 10, (n_runs, n_subjects, 2, 1)) + np.array([0, shift])[:, None]
    clean = np.exp(-(((TIMES - centre) / 60) ** 2) / 2)
    return clean + 0.5 * gaussian_filter1d(rng.normal(size=clean.shape), 2, axis=-1)


def later(mean):
    """Return by how much the second curve's onset is later."""
    onset = onset_latency(mean, TIMES)
    return onset[..., 1] - onset[..., 0]


def test_the_jackknife_of_a_mean_is_the_standard_error_and_t_of_the_mean():
    values = np.random.default_rng(0).normal(1, 1, (12, 5))
    for found in (
        jackknife(lambda kept: kept.mean(axis=0), values),
        jackknife_of_mean(lambda means: means, values),
    ):
        np.testing.assert_allclose(found.estimate, values.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.se, sem(values), rtol=1e-12)
        np.testing.assert_allclose(found.t(0.5), ttest_1samp(values, 0.5).statistic, rtol=1e-10)


def test_the_jackknife_of_a_quadratic_statistic_by_hand():
    """The variance (over n) of 1, 2, 4 is 14/9; without one each it is 1, 9/4 and 1/4."""
    found = jackknife(np.var, [1.0, 2, 4])
    assert found.estimate == pytest.approx(14 / 9)
    np.testing.assert_allclose(found.left_out, [1, 9 / 4, 1 / 4])
    assert found.se == pytest.approx(np.sqrt(2 / 3 * np.sum((np.array([1, 9 / 4, 1 / 4]) - 7 / 6) ** 2)))


def test_both_ways_to_leave_one_out_agree():
    values = curves(1, 9, 20, 1)[0]
    slow = jackknife(lambda kept: later(kept.mean(axis=0)), values)
    quick = jackknife_of_mean(later, values)
    np.testing.assert_allclose(quick.left_out, slow.left_out, rtol=1e-9)
    np.testing.assert_allclose(quick.se, slow.se, rtol=1e-9)


def test_corrected_t_and_f_are_those_of_the_subjects():
    """For means nothing is lost: the t and F of the jackknifed values, corrected, are those of the values."""
    values = np.random.default_rng(2).normal(0.5, 1, (10, 3))
    left_out = (values.sum(axis=0) - values) / 9
    t_of_left_out = ttest_1samp(left_out[:, 0], 0).statistic
    assert corrected_t(t_of_left_out, 10) == pytest.approx(ttest_1samp(values[:, 0], 0).statistic)
    assert corrected_f(f_oneway(*left_out.T).statistic, 10) == pytest.approx(f_oneway(*values.T).statistic)
    same = jackknife(lambda kept: kept.mean(axis=0), values[:, 0])
    assert same.t() == pytest.approx(corrected_t(t_of_left_out, 10))


def test_no_difference_of_latencies_is_significant_in_five_percent():
    """4,000 runs: the rate has a standard error of .3 %."""
    found = np.array([jackknife_of_mean(later, one).t() for one in curves(4000, 16, 0, 3)])
    p = 2 * t.sf(np.abs(found), 15)
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.015)


def test_a_planted_difference_of_latencies_is_found():
    found = [jackknife_of_mean(later, one) for one in curves(400, 16, 40, 4)]
    assert np.mean([one.estimate for one in found]) == pytest.approx(40, abs=2)
    assert np.std([one.estimate for one in found]) == pytest.approx(np.mean([one.se for one in found]), rel=0.15)
    assert np.mean([2 * t.sf(abs(one.t()), 15) < 0.05 for one in found]) > 0.9


def test_onset_is_the_first_moment_at_the_share_of_the_peak_that_lasts():
    curve = np.array([0, 0, 3, 0, 1, 2, 4, 4, 1.0])
    moments = np.arange(9) * 10.0
    assert onset_latency(curve, moments) == pytest.approx(10 + 20 / 3)
    assert onset_latency(curve, moments, n_kept=2) == 50
    assert onset_latency(curve, moments, n_kept=3, share=0.75) != onset_latency(curve, moments, n_kept=2, share=0.75)
    assert np.isnan(onset_latency(curve, moments, n_kept=3, share=0.75))
    assert onset_latency(curve + 7, moments, n_kept=2, baseline=7) == 50
    assert onset_latency(curve[6:], moments[6:]) == 60
    assert onset_latency(curve, moments, share=1) == 60
    assert peak_latency(curve, moments) == 60


def test_onset_of_many_curves_is_that_of_a_loop():
    many = curves(3, 5, 10, 5)
    found = onset_latency(many, TIMES, share=0.4, n_kept=3)
    assert found.shape == (3, 5, 2)
    for place in np.ndindex(3, 5, 2):
        curve = many[place]
        level = 0.4 * curve.max()
        first = next((i for i in range(len(curve) - 2) if (curve[i : i + 3] >= level).all()), None)
        if first is None:
            assert np.isnan(found[place])
            continue
        at = (
            TIMES[first] if first == 0 else np.interp(level, curve[first - 1 : first + 1], TIMES[first - 1 : first + 1])
        )
        assert found[place] == pytest.approx(at)
    np.testing.assert_array_equal(peak_latency(many, TIMES), TIMES[many.argmax(axis=-1)])


def test_no_onset_is_nan():
    moments = np.arange(3.0)
    found = onset_latency([[0, 0, 0], [-1, -2, -1], [0, np.nan, 1], [0, 0, 1]], moments)
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 1.5])
    np.testing.assert_array_equal(peak_latency([[0, 2, 2], [0, np.nan, 1]], moments), [1, np.nan])
    assert np.isnan(jackknife(np.mean, [2.0, 2, 2]).t())
    assert jackknife(np.mean, [2.0, 2, 2]).se == 0


def test_what_has_no_latency_is_refused():
    with pytest.raises(UsageError, match=r"curves have shape \(4,\) and times \(3,\)"):
        onset_latency(np.ones(4), np.arange(3))
    with pytest.raises(UsageError, match="times do not increase"):
        peak_latency(np.ones(3), [0, 2, 1])
    with pytest.raises(UsageError, match="share is 0; expected above 0, up to 1"):
        onset_latency(np.ones(3), np.arange(3), share=0)
    with pytest.raises(UsageError, match=r"n_kept is 4; expected 1 \.\.\. 3 samples"):
        onset_latency(np.ones(3), np.arange(3), n_kept=4)
    with pytest.raises(UsageError, match=r"values have shape \(1, 3\); expected \(subject, \.\.\.\) of two"):
        jackknife(np.mean, np.ones((1, 3)))
    with pytest.raises(UsageError, match=r"statistic made shape \(\) of \(5, 3\); expected it to keep"):
        jackknife_of_mean(np.mean, np.ones((4, 3)))
