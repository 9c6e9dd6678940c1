"""Cluster permutation against a loop over all flips and times, on noise, and with an effect that is planted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, label
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from probekit.errors import UsageError
from probekit.stats import cluster_permutation
from probekit.stats import signs as signs_module


def naive_clusters(values, limit, tail):
    """Return (layer, start, stop, mass) of every cluster of subjects' t, found with scipy.ndimage."""
    found = []
    for layer in range(values.shape[1]):
        t = ttest_1samp(values[:, layer], 0).statistic
        for sign in {"greater": (1,), "less": (-1,), "two-sided": (1, -1)}[tail]:
            places, n = label(sign * t > limit)
            for one in range(1, n + 1):
                (at,) = np.nonzero(places == one)
                found.append((layer, at[0], at[-1] + 1, t[at].sum()))
    return sorted(found)


@pytest.mark.parametrize("tail", ["greater", "less", "two-sided"])
def test_clusters_and_their_p_are_those_of_a_loop(tail):
    rng = np.random.default_rng(0)
    values = gaussian_filter1d(rng.normal(size=(7, 2, 40)), 1.5, axis=-1) + 0.3 * np.sin(np.arange(40) / 3)
    limit = student.isf(0.025 if tail == "two-sided" else 0.05, 6)
    expected = naive_clusters(values, limit, tail)
    flips = [np.array(flip)[:, None, None] for flip in itertools.product([1, -1], repeat=7)]
    null = np.array([max([abs(one[3]) for one in naive_clusters(values * f, limit, tail)] + [0]) for f in flips])
    found = cluster_permutation(values, tail=tail)
    assert len(expected) >= 3
    assert list(found.table.columns) == ["layer", "start", "stop", "mass", "p"]
    np.testing.assert_allclose(found.table[["layer", "start", "stop", "mass"]], expected, rtol=1e-9)
    p = [np.mean(null >= abs(mass) * (1 - 1e-9)) for *_, mass in expected]
    np.testing.assert_allclose(found.table["p"], p, atol=1e-12)
    np.testing.assert_allclose(found.statistic, ttest_1samp(values, 0).statistic, rtol=1e-9)


def test_clusters_by_hand():
    """Of 16 flips of four equal subjects, 2 keep the curve's size, 8 halve it (masses 2, 1.5, 3.5), 6 leave 0."""
    curve = np.array([0.0, 2, 2, 0, -3, 0, 5, 2])
    found = cluster_permutation(np.tile(curve, (4, 1)), threshold=0.9, tail="two-sided", statistic="mean")
    assert found.table.values.tolist() == [[0, 1, 3, 4, 1 / 8], [0, 4, 5, -3, 5 / 8], [0, 6, 8, 7, 1 / 8]]
    np.testing.assert_array_equal(found.p, [1, 1 / 8, 1 / 8, 1, 5 / 8, 1, 1 / 8, 1 / 8])
    np.testing.assert_array_equal(found.mask(0.2), [0, 1, 1, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(found.statistic, curve)


def test_clusters_do_not_run_from_one_layer_into_the_next():
    values = np.zeros((4, 2, 5))
    values[:, 0, 3:] = values[:, 1, :2] = 2
    found = cluster_permutation(values, threshold=1, statistic="mean")
    assert found.table[["layer", "start", "stop", "mass"]].values.tolist() == [[0, 3, 5, 4], [1, 0, 2, 4]]


@pytest.mark.parametrize("tail", ["greater", "less", "two-sided"])
@pytest.mark.parametrize("layers", [1, 3])
def test_noise_has_a_cluster_in_five_percent(tail, layers):
    """1,500 families of smooth noise: the rate has a standard error of .6 %."""
    noise = gaussian_filter1d(np.random.default_rng(layers).normal(size=(1500, 12, layers, 50)), 2, axis=-1)
    found = [
        cluster_permutation(one, n_permutations=399, seed=seed, tail=tail).mask().any()
        for seed, one in enumerate(noise)
    ]
    assert np.mean(found) == pytest.approx(0.05, abs=0.015)


def test_a_planted_effect_is_found_where_it_is():
    values = gaussian_filter1d(np.random.default_rng(3).normal(size=(15, 2, 100)), 1, axis=-1)
    values[:, 1, 40:60] += 1
    found = cluster_permutation(values, n_permutations=2000)
    mask = found.mask()
    assert not mask[0].any()
    assert mask[1, 42:58].all()
    assert not mask[1, :35].any()
    assert not mask[1, 65:].any()
    less = cluster_permutation(-values, n_permutations=2000, tail="less")
    np.testing.assert_array_equal(less.p, found.p)
    np.testing.assert_allclose(less.table["mass"], -found.table["mass"], rtol=1e-12)
    assert not cluster_permutation(-values, n_permutations=2000).mask().any()


def test_nothing_above_the_threshold_is_an_empty_table():
    found = cluster_permutation(np.random.default_rng(4).normal(size=(8, 30)), threshold=1e3)
    assert found.table.shape == (0, 5)
    assert (found.p == 1).all()
    assert not found.mask().any()


def test_missing_subjects_and_moments():
    values = np.random.default_rng(5).normal(2, 0.5, (8, 10))
    values[0, 2] = np.nan
    values[:, 5] = np.nan
    values[1:, 6] = np.nan
    found = cluster_permutation(values)
    assert found.table[["start", "stop"]].values.tolist() == [[0, 5], [7, 10]]
    assert found.statistic[2] == pytest.approx(ttest_1samp(values[1:, 2], 0).statistic)
    assert np.isnan(found.statistic[[5, 6]]).all()


def test_seeds_and_blocks(monkeypatch):
    values = np.random.default_rng(6).normal(0.2, 1, (20, 60))
    first = cluster_permutation(values, n_permutations=500, seed=1)
    monkeypatch.setattr(signs_module, "_BLOCK", 1000)
    np.testing.assert_array_equal(cluster_permutation(values, n_permutations=500, seed=1).p, first.p)
    assert not np.array_equal(cluster_permutation(values, n_permutations=500, seed=2).p, first.p)


def test_what_cannot_be_tested_is_refused():
    values = np.random.default_rng(7).normal(size=(5, 10))
    with pytest.raises(UsageError, match=r"values have shape \(5,\); expected \(subject, time\) or"):
        cluster_permutation(values[:, 0])
    with pytest.raises(UsageError, match="two subjects or more"):
        cluster_permutation(values[:1])
    with pytest.raises(UsageError, match="threshold is -1; expected a number above 0"):
        cluster_permutation(values, threshold=-1)
    with pytest.raises(UsageError, match="threshold is missing; the mean has no default"):
        cluster_permutation(values, statistic="mean")
    with pytest.raises(UsageError, match="tail is 'both'"):
        cluster_permutation(values, tail="both")
