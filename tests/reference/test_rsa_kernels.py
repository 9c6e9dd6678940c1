"""CKA and Procrustes against definitions, scipy and known transformations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes as scipy_procrustes
from scipy.stats import ortho_group

from probekit.errors import UsageError
from probekit.rsa.compare import similarities
from probekit.rsa.kernels import cka, procrustes_angle, procrustes_similarity

ROUNDING = 1e-10
"""Products of a few hundred numbers around 1 in float64, once squared."""
BOTH = [cka, procrustes_similarity, procrustes_angle]


def responses(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape) + 3


def test_biased_cka_is_its_formula_in_units():
    x, y = responses(0, 12, 5), responses(1, 12, 30)
    x_, y_ = x - x.mean(axis=0), y - y.mean(axis=0)
    expected = np.sum((y_.T @ x_) ** 2) / (np.linalg.norm(x_.T @ x_) * np.linalg.norm(y_.T @ y_))
    assert cka(x, y, debiased=False) == pytest.approx(expected, abs=ROUNDING)


def test_biased_cka_is_the_whitened_cosine_of_squared_distances():
    x, y = responses(2, 12, 5), responses(3, 12, 30)
    first, second = np.triu_indices(12, 1)
    squared = [((z[first] - z[second]) ** 2).sum(axis=1)[None] for z in (x, y)]
    expected = similarities(*squared, "whitened_cosine").item()
    assert cka(x, y, debiased=False) == pytest.approx(expected, abs=ROUNDING)


def hsic_over_quadruples(one, other):
    """The unbiased criterion as a mean over all quadruples of different stimuli (Song et al. 2012, theorem 2)."""
    n = len(one)
    terms = [
        one[i, j] * (other[i, j] + other[q, r] - 2 * other[i, q]) for i, j, q, r in itertools.permutations(range(n), 4)
    ]
    return np.mean(terms)


def hsic_by_sums(one, other):
    """The unbiased criterion (Song et al. 2012, eq. 5)."""
    n = len(one)
    k, m = one - np.diag(np.diag(one)), other - np.diag(np.diag(other))
    return (np.trace(k @ m) + k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * np.sum(k @ m)) / (n * (n - 3))


@pytest.mark.parametrize(("hsic", "n"), [(hsic_over_quadruples, 7), (hsic_by_sums, 40)])
def test_debiased_cka_is_made_of_the_unbiased_criterion(hsic, n):
    x, y = responses(4, n, 3), responses(5, n, 6)
    y[:, :2] += x[:, :2]
    one, other = x @ x.T, y @ y.T
    expected = hsic(one, other) / np.sqrt(hsic(one, one) * hsic(other, other))
    assert cka(x, y) == pytest.approx(expected, abs=ROUNDING)


def test_many_units_of_noise_look_alike_only_when_biased():
    biased, debiased = [], []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(2, 20, 200))
        biased.append(cka(x, y, debiased=False))
        debiased.append(cka(x, y))
    assert min(biased) > 0.8
    assert abs(np.mean(debiased)) < 3 * np.std(debiased) / np.sqrt(400)
    # 190 pairs of stimuli less 20 means: sd of a correlation of about 1/√170
    assert np.std(debiased) == pytest.approx(1 / np.sqrt(170), rel=0.1)


def test_what_is_shared_is_found_by_debiased_cka_whatever_the_number_of_units():
    rng = np.random.default_rng(6)
    shared = rng.normal(size=(100, 5))
    values = []
    for units in (20, 2000):
        x, y = (shared @ rng.normal(size=(5, units)) + 3 * rng.normal(size=(100, units)) for _ in range(2))
        values.append((cka(x, y), cka(x, y, debiased=False)))
    assert values[1][0] > 0.9
    assert values[0][0] < values[1][0] < 1


@pytest.mark.parametrize("measure", BOTH)
@pytest.mark.parametrize("shape", [(10, 4), (6, 20)])
def test_rotation_shift_and_scale_do_not_matter(measure, shape):
    x, y = responses(7, *shape), responses(8, shape[0], 7)
    moved = 2.5 * x @ ortho_group.rvs(shape[1], random_state=0) + np.arange(shape[1])
    assert measure(moved, y) == pytest.approx(measure(x, y), abs=ROUNDING)
    assert measure(y, x) == pytest.approx(measure(x, y), abs=ROUNDING)
    # the arc cosine turns 1e-16 beside 1 into 1e-8
    assert measure(x, moved) == pytest.approx(0 if measure is procrustes_angle else 1, abs=1e-7)


@pytest.mark.parametrize("shape", [(12, 5), (5, 12)])
def test_procrustes_is_that_of_scipy(shape):
    x, y = responses(9, *shape), responses(10, *shape)
    _, _, disparity = scipy_procrustes(x, y)
    similarity = procrustes_similarity(x, y)
    assert 1 - similarity**2 == pytest.approx(disparity, abs=ROUNDING)
    unit = [(z - z.mean(axis=0)) / np.linalg.norm(z - z.mean(axis=0)) for z in (x, y)]
    rotation, _ = orthogonal_procrustes(*unit)
    distance = np.linalg.norm(unit[0] @ rotation - unit[1]) ** 2
    assert similarity == pytest.approx(1 - distance / 2, abs=ROUNDING)
    assert procrustes_angle(x, y) == pytest.approx(np.arccos(1 - distance / 2), abs=ROUNDING)


def test_the_angle_is_a_metric():
    angles = np.array(
        [[procrustes_angle(responses(i, 8, 3 + i), responses(j, 8, 3 + j)) for j in range(6)] for i in range(6)]
    )
    assert (angles[:, None, :] <= angles[:, :, None] + angles[None] + 1e-7).all()


def test_tensors_are_taken_and_inputs_left_alone():
    x, y = responses(11, 8, 3), responses(12, 8, 4)
    before = x.copy(), y.copy()
    for measure in BOTH:
        assert measure(torch.from_numpy(x), torch.from_numpy(y)) == measure(x, y)
    assert np.array_equal(x, before[0])
    assert np.array_equal(y, before[1])


@pytest.mark.parametrize("measure", [*BOTH, lambda x, y: cka(x, y, debiased=False)])
def test_dead_responses_have_no_value(measure):
    dead = np.full((8, 3), 0.1)  # its mean is rounded
    assert np.isnan(measure(dead, responses(13, 8, 3)))
    assert np.isnan(measure(responses(13, 8, 3), dead))


def test_stimuli_that_are_all_equally_far_have_no_debiased_value():
    assert np.isnan(cka(np.eye(9), responses(14, 9, 3)))
    assert cka(np.eye(9), responses(14, 9, 3), debiased=False) > 0


def test_wrong_arguments_are_refused():
    x = responses(15, 5, 3)
    for measure in BOTH:
        with pytest.raises(UsageError, match=r"y has shape \(5,\); expected \(stimulus, unit\)"):
            measure(x, x[:, 0])
        with pytest.raises(UsageError, match="x has 5 stimuli and y 4"):
            measure(x, x[:4])
        with pytest.raises(UsageError, match="y has responses that are not finite"):
            measure(x, np.where(x == x[2, 1], np.nan, x))
        with pytest.raises(UsageError, match="x has 1 stimuli; expected"):
            measure(x[:1], x[:1])
    with pytest.raises(UsageError, match="x has 3 stimuli; expected 4"):
        cka(x[:3], x[:3])
