"""Shared statistics against scipy and against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control, ks_2samp

from probekit.stats import benjamini_hochberg, bin_for_ks, ks_distance, resamples


@pytest.mark.parametrize("n", [1, 2, 17, 1000])
def test_benjamini_hochberg_is_scipys(n):
    p = np.random.default_rng(n).random(n) ** 2
    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p), rtol=1e-12)


def test_benjamini_hochberg_with_ties_and_in_any_shape():
    p = np.random.default_rng(0).integers(1, 20, (6, 7)) / 20
    np.testing.assert_allclose(benjamini_hochberg(p).ravel(), false_discovery_control(p.ravel()), rtol=1e-12)


def test_benjamini_hochberg_leaves_out_what_was_not_tested():
    p = np.array([0.01, np.nan, 0.2, np.nan, 0.03])
    q = benjamini_hochberg(p)
    assert np.isnan(q[[1, 3]]).all()
    np.testing.assert_allclose(q[[0, 2, 4]], false_discovery_control(p[[0, 2, 4]]))
    assert np.isnan(benjamini_hochberg([np.nan, np.nan])).all()
    assert benjamini_hochberg([]).shape == (0,)
    np.testing.assert_array_equal(p, [0.01, np.nan, 0.2, np.nan, 0.03])


@pytest.mark.parametrize(("n", "m", "levels"), [(5, 308, None), (400, 308, None), (60, 50, 8), (1, 1, 2)])
def test_ks_distance_is_scipys_with_and_without_ties(n, m, levels):
    rng = np.random.default_rng(n)
    for _ in range(20):
        sample, reference = (
            (rng.random(n), rng.beta(2, 3, m))
            if levels is None
            else (rng.integers(levels, size=n), rng.integers(levels, size=m) + 1)
        )
        assert ks_distance(sample, reference) == pytest.approx(ks_2samp(sample, reference).statistic, abs=1e-12)


def test_ks_distances_of_resamples_are_those_of_the_drawn_values():
    rng = np.random.default_rng(0)
    sample, reference = rng.random(70), rng.beta(2, 2, 90)
    sample[::7] = np.nan
    (draws,) = resamples(70, 40, np.random.default_rng(1))
    drawn = [sample[row][~np.isnan(sample[row])] for row in draws]
    expected = [ks_2samp(values, reference).statistic for values in drawn]
    np.testing.assert_allclose(bin_for_ks(sample, reference).distances(draws), expected, atol=1e-12)


def test_a_resample_without_an_observation_has_no_distance():
    binned = bin_for_ks([np.nan, 0.5], [0.1, 0.9])
    distances = binned.distances(np.array([[0, 0], [1, 0]], dtype=np.int32))
    assert np.isnan(distances[0])
    assert distances[1] == 0.5


def test_resamples_draw_each_observation_as_often_in_blocks_of_bounded_size():
    blocks = list(resamples(100, 9000, np.random.default_rng(0), size=50))
    assert len(blocks) > 1
    draws = np.concatenate(blocks)
    assert draws.shape == (9000, 50)
    times = np.bincount(draws.ravel(), minlength=100)
    assert len(times) == 100
    assert abs(times - 4500).max() < 5 * np.sqrt(4500)  # five standard deviations of a count
    again = np.concatenate(list(resamples(100, 9000, np.random.default_rng(0), size=50)))
    np.testing.assert_array_equal(draws, again)
