"""Sign permutation against scipy, against a loop over all flips, on noise, and with effects that are planted."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from scipy.stats import permutation_test, ttest_1samp

from probekit.errors import UsageError
from probekit.stats import max_sign_permutation, sign_permutation
from probekit.stats import signs as signs_module

TAILS = ("greater", "less", "two-sided")


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("levels", [None, 4])
def test_all_flips_give_the_p_of_scipys_permutation_test(tail, levels):
    """scipy's exact test of paired samples flips signs; whole numbers give many tied sums."""
    rng = np.random.default_rng(1)
    values = rng.normal(0.3, 1, (8, 30)) if levels is None else rng.integers(-levels, levels + 1, (8, 30)) + 0.0
    for place, p in enumerate(sign_permutation(values, tail=tail)):
        theirs = permutation_test(
            (values[:, place],), np.mean, permutation_type="samples", n_resamples=np.inf, alternative=tail
        )
        assert p == pytest.approx(theirs.pvalue, abs=1e-12)


def naive_max_p(values, tail, statistic):
    """Return p by a loop over all flips, with scipy's t."""

    def of(flipped):
        found = np.mean(flipped, axis=0) if statistic == "mean" else ttest_1samp(flipped, 0).statistic
        return {"greater": found, "less": -found, "two-sided": np.abs(found)}[tail]

    observed = of(values)
    largest = [of(values * np.array(flip)[:, None]).max() for flip in itertools.product([1, -1], repeat=len(values))]
    return np.mean(np.array(largest)[:, None] >= observed * (1 - 1e-9 * np.sign(observed)), axis=0)


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("statistic", ["t", "mean"])
def test_largest_of_the_family_is_that_of_a_loop(tail, statistic):
    rng = np.random.default_rng(2)
    values = rng.normal(0.3, 1, (7, 12)) * rng.uniform(0.5, 3, 12)
    p = max_sign_permutation(values.reshape(7, 3, 4), tail=tail, statistic=statistic)
    assert p.shape == (3, 4)
    np.testing.assert_allclose(p.ravel(), naive_max_p(values, tail, statistic), atol=1e-12)


def test_drawn_flips_come_near_all_flips():
    values = np.random.default_rng(3).normal(0.3, 1, (14, 40))
    exact = sign_permutation(values, n_permutations=2**14)
    drawn = sign_permutation(values, n_permutations=2**14 - 1)
    assert (exact * 2**14 == np.round(exact * 2**14)).all()
    assert not np.array_equal(exact, drawn)
    standard_error = np.sqrt(exact * (1 - exact) / 2**14)
    assert (np.abs(drawn - exact) <= 4 * standard_error + 2**-13).all()


def test_p_by_hand():
    """Of the 16 sums of ±1 ±2 ±3 ±4 one is 10 and seven are at least 2; both sums of −1 −1 are at least −2."""
    np.testing.assert_array_equal(sign_permutation([[1.0], [2], [3], [4]]), [1 / 16])
    np.testing.assert_array_equal(sign_permutation([1.0, 2, 3, -4]), 7 / 16)
    np.testing.assert_array_equal(sign_permutation([-1.0, -1]), 1)
    np.testing.assert_array_equal(sign_permutation(np.zeros((5, 2)), tail="two-sided"), [1, 1])
    np.testing.assert_array_equal(max_sign_permutation(np.zeros((5, 2))), [1, 1])
    np.testing.assert_array_equal(max_sign_permutation(np.full((5, 2), 0.1)), [1 / 32, 1 / 32])


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize(("n_subjects", "n_permutations"), [(12, 4096), (20, 999)])
def test_noise_is_significant_in_five_percent(tail, n_subjects, n_permutations):
    """6,000 places of noise: the rate has a standard error of .3 %."""
    values = np.random.default_rng(4).standard_t(4, (n_subjects, 6000))
    p = sign_permutation(values, n_permutations=n_permutations, tail=tail, seed=5)
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("statistic", ["t", "mean"])
@pytest.mark.parametrize("tail", TAILS)
def test_noise_is_significant_anywhere_in_five_percent(statistic, tail):
    """Families of 20 places that share noise, 1,500 of them: the rate has a standard error of .6 %."""
    rng = np.random.default_rng(6)
    families = rng.normal(size=(1500, 12, 20)) + rng.normal(size=(1500, 12, 1))
    found = [
        max_sign_permutation(one, n_permutations=399, seed=seed, tail=tail, statistic=statistic).min() < 0.05
        for seed, one in enumerate(families)
    ]
    assert np.mean(found) == pytest.approx(0.05, abs=0.015)


def test_drawn_flips_count_the_observed_one():
    """None of 99 draws reaches twenty equal subjects, and p is 1 of 100, not 0."""
    values = np.ones((20, 2))
    np.testing.assert_array_equal(sign_permutation(values, n_permutations=99), 0.01)
    np.testing.assert_array_equal(max_sign_permutation(values, n_permutations=99), 0.01)


def test_planted_effects_are_found_and_only_those():
    values = np.random.default_rng(7).normal(size=(15, 30))
    values[:, :5] += 2
    assert (sign_permutation(values, seed=1)[:5] < 0.001).all()
    corrected = max_sign_permutation(values, seed=1)
    assert (corrected[:5] < 0.01).all()
    assert (corrected[5:] > 0.05).all()
    assert (max_sign_permutation(-values, seed=1, tail="less") == corrected).all()
    assert (max_sign_permutation(values, seed=1, tail="two-sided")[:5] >= corrected[:5]).all()


def test_a_missing_subject_is_left_out_where_it_is_missing():
    values = np.random.default_rng(8).normal(0.5, 1, (9, 3))
    values[2, 0] = np.nan
    values[1:, 1] = np.nan
    values[:, 2] = np.nan
    p = sign_permutation(values)
    assert p[0] == sign_permutation(np.delete(values[:, 0], 2))
    assert p[1] == (0.5 if values[0, 1] > 0 else 1)
    assert np.isnan(p[2])
    family = max_sign_permutation(values)
    assert family[0] == pytest.approx(p[0], abs=1e-12)
    assert np.isnan(family[1:]).all()


def test_scale_order_and_blocks_do_not_matter(monkeypatch):
    values = np.random.default_rng(9).normal(0.3, 1, (16, 50))
    kept = values.copy()
    state = random.getstate(), np.random.get_state(legacy=False)
    p, family = sign_permutation(values, seed=3), max_sign_permutation(values, seed=3)
    np.testing.assert_array_equal(sign_permutation(values * 1024, seed=3), p)
    np.testing.assert_array_equal(sign_permutation(values[:, ::-1], seed=3)[::-1], p)
    monkeypatch.setattr(signs_module, "_BLOCK", 900)
    np.testing.assert_array_equal(sign_permutation(values, seed=3), p)
    np.testing.assert_array_equal(max_sign_permutation(values, seed=3), family)
    assert not np.array_equal(sign_permutation(values, seed=4), p)
    np.testing.assert_array_equal(values, kept)
    assert repr((random.getstate(), np.random.get_state(legacy=False))) == repr(state)


@pytest.mark.parametrize("test", [sign_permutation, max_sign_permutation])
def test_what_cannot_be_tested_is_refused(test):
    with pytest.raises(UsageError, match=r"values have shape \(1, 4\); expected \(subject, …\) of two subjects"):
        test(np.ones((1, 4)))
    with pytest.raises(UsageError, match=r"values have shape \(\)"):
        test(1.0)
    with pytest.raises(UsageError, match="infinite numbers"):
        test([[1.0], [np.inf]])
    with pytest.raises(UsageError, match=r"tail is 'grater'; allowed: .* Did you mean 'greater'"):
        test(np.ones((3, 4)), tail="grater")
    with pytest.raises(UsageError, match="n_permutations is 0; expected at least 1"):
        test(np.ones((3, 4)), n_permutations=0)
    with pytest.raises(UsageError, match="statistic is 'median'"):
        max_sign_permutation(np.ones((3, 4)), statistic="median")
