"""Crossnobis distances are unbiased and equal rsatoolbox's; the shrunk covariance equals formulas on whole matrices."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from probekit.errors import UsageError
from probekit.rsa.crossvalidated import condition_residuals, crossnobis_rdms
from probekit.rsa.distances import compute_rdms
from probekit.rsa.noise import known_covariance, shrunk_covariance


def design(n_conditions: int, n_folds: int, repeats: int = 1) -> tuple[np.ndarray, np.ndarray]:
    conditions = np.tile(np.arange(n_conditions), n_folds * repeats)
    return conditions, np.repeat(np.arange(n_folds), n_conditions * repeats)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def test_equal_to_the_definition() -> None:
    conditions, folds = design(4, 3, repeats=2)
    patterns = noise(24, 10) + 5
    precision = np.linalg.inv(shrunk_covariance(noise(40, 10, seed=1)).matrix())
    found = crossnobis_rdms(patterns, conditions, folds, covariance=np.linalg.inv(precision))
    square = found.square()[0]
    means = np.array([[patterns[(folds == f) & (conditions == c)].mean(0) for c in range(4)] for f in range(3)])
    for i, j in ((0, 1), (1, 3)):
        gap = means[:, i] - means[:, j]
        products = [gap[f] @ precision @ gap[g] for f in range(3) for g in range(3) if f != g]
        assert square[i, j] == pytest.approx(np.mean(products) / 10, rel=1e-11)
    assert found.conditions == ("0", "1", "2", "3")
    assert found.distance == "crossnobis"


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rsatoolbox")  # its import of a private name of scipy
@pytest.mark.parametrize("noisy", [False, True])
def test_equal_to_rsatoolbox(noisy: bool) -> None:
    rsatoolbox = pytest.importorskip("rsatoolbox", reason="the peer")
    conditions, folds = design(8, 5)
    order = np.random.default_rng(4).permutation(40)
    conditions, folds = conditions[order].astype(float), folds[order].astype(float)  # it casts nan to whole numbers
    patterns = noise(40, 30)
    covariance = shrunk_covariance(noise(50, 30, seed=1)) if noisy else None
    data = rsatoolbox.data.Dataset(patterns, obs_descriptors={"condition": conditions, "fold": folds})
    theirs = rsatoolbox.rdm.calc_rdm(
        data, method="crossnobis", descriptor="condition", cv_descriptor="fold",
        noise=np.linalg.inv(covariance.matrix()) if covariance else None,
    )  # fmt: skip
    ours = crossnobis_rdms(patterns, conditions, folds, covariance=covariance)
    # up to rounding of sums of 30 products of size 1
    np.testing.assert_allclose(ours.dissimilarities, theirs.dissimilarities, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("noisy", [False, True])
def test_noise_averages_0_and_a_planted_distance_is_found(noisy: bool) -> None:
    conditions, folds = design(6, 4)
    planted = np.zeros((6, 20))
    planted[3] = 0.8
    covariance = np.diag(np.linspace(0.5, 2, 20))
    spread = np.sqrt(np.diag(covariance)) if noisy else 1.0
    found = np.array([
        crossnobis_rdms(noise(24, 20, seed=seed) * spread + planted[conditions], conditions, folds,
                        covariance=covariance if noisy else None).square()[0]
        for seed in range(400)
    ])  # fmt: skip
    mean, error = found.mean(0), found.std(0) / np.sqrt(400)
    null = np.delete(np.delete(mean, 3, 0), 3, 1)[np.triu_indices(5, 1)]
    null_error = np.delete(np.delete(error, 3, 0), 3, 1)[np.triu_indices(5, 1)]
    assert np.abs(null / null_error).max() < 3.5  # ten pairs: one in 200 such tests of true nulls would fail
    below = (np.delete(np.delete(found, 3, 1), 3, 2)[:, *np.triu_indices(5, 1)] < 0).mean()
    assert 0.45 < below < 0.6
    true = (planted[3] @ np.linalg.inv(covariance) @ planted[3] if noisy else planted[3] @ planted[3]) / 20
    others = [0, 1, 2, 4, 5]
    assert np.abs((mean[3, others] - true) / error[3, others]).max() < 3.5
    # the plain squared distance of the averages is not unbiased
    plain = compute_rdms(noise(4, 6, 20).mean(0), distance="squared_euclidean").dissimilarities / 20
    assert plain.mean() == pytest.approx(2 / 4, rel=0.3)


def test_without_noise_it_is_the_squared_distance() -> None:
    conditions, folds = design(5, 3)
    patterns = noise(5, 12) + 100
    found = crossnobis_rdms(patterns[conditions], conditions, folds)
    expected = compute_rdms(patterns, distance="squared_euclidean").dissimilarities / 12
    np.testing.assert_allclose(found.dissimilarities, expected, rtol=1e-11)


def test_residuals_of_conditions() -> None:
    conditions = ["b", "a", "b", "a", "c"]
    residuals, freedom = condition_residuals([[1.0], [5.0], [3.0], [5.0], [9.0]], conditions)
    assert residuals.ravel().tolist() == [-1, 0, 1, 0, 0]
    assert freedom == 2
    with pytest.raises(UsageError, match="one observation each"):
        condition_residuals(noise(3, 2), ["a", "b", "c"])


def test_identity_target_equals_scikit_learn() -> None:
    for shape in ((30, 8), (12, 50)):
        residuals = noise(*shape) * np.linspace(1, 3, shape[1])
        expected, shrinkage = ledoit_wolf(residuals)
        found = shrunk_covariance(residuals, target="identity")
        assert found.shrinkage == pytest.approx(shrinkage, rel=1e-10)
        n = shape[0]
        np.testing.assert_allclose(found.matrix(), expected * n / (n - 1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(30, 8), (12, 50), (300, 10)])
def test_diagonal_target_equals_schaefer_and_strimmer(shape: tuple[int, int]) -> None:
    n, n_units = shape
    residuals = noise(*shape) @ np.diag(np.linspace(1, 3, n_units)) + noise(n, 1, seed=1)
    standard = (residuals - residuals.mean(0)) / residuals.std(0, ddof=1)
    products = standard[:, :, None] * standard[:, None]
    correlation = products.sum(0) / (n - 1)
    variance = n / (n - 1) ** 3 * ((products - products.mean(0)) ** 2).sum(0)
    off = ~np.eye(n_units, dtype=bool)
    shrinkage = min(1.0, variance[off].sum() / (correlation[off] ** 2).sum())
    expected = np.cov(residuals.T) * np.where(off, 1 - shrinkage, 1)
    found = shrunk_covariance(residuals)
    assert found.shrinkage == pytest.approx(shrinkage, rel=1e-10)
    np.testing.assert_allclose(found.matrix(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rsatoolbox")  # its import of a private name of scipy
@pytest.mark.parametrize(("target", "theirs"), [("identity", "shrinkage_eye"), ("diagonal", "shrinkage_diag")])
def test_near_to_rsatoolbox(target: str, theirs: str) -> None:
    cov_from_residuals = pytest.importorskip("rsatoolbox.data.noise", reason="the peer").cov_from_residuals
    conditions = np.repeat(np.arange(10), 12)
    residuals, freedom = condition_residuals(noise(120, 6) + noise(120, 1, seed=1), conditions)
    found = shrunk_covariance(residuals, target=target, degrees_of_freedom=freedom).matrix()
    # for the diagonal target its weight differs by a share of order 1/n, see the notes of shrunk_covariance
    expected = cov_from_residuals(residuals, dof=freedom, method=theirs)
    np.testing.assert_allclose(found, expected, rtol=1e-10 if target == "identity" else 2e-2)


@pytest.mark.parametrize("target", ["diagonal", "identity"])
@pytest.mark.parametrize("shape", [(30, 8), (12, 50)])
def test_whitening_and_inverse_equal_the_matrix_inverse(target: str, shape: tuple[int, int]) -> None:
    covariance = shrunk_covariance(noise(*shape) * np.linspace(1, 5, shape[1]), target=target, shrinkage=0.3)
    precision, patterns = np.linalg.inv(covariance.matrix()), noise(4, shape[1], seed=2)
    np.testing.assert_allclose(covariance.inverse_product(patterns), patterns @ precision, rtol=1e-9, atol=1e-10)
    white = covariance.whiten(patterns)
    np.testing.assert_allclose(white @ white.T, patterns @ precision @ patterns.T, rtol=1e-9, atol=1e-10)
    known = known_covariance(covariance.matrix())
    np.testing.assert_allclose(known.matrix(), covariance.matrix(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(known.inverse_product(patterns[0]), patterns[0] @ precision, rtol=1e-9, atol=1e-10)


def test_many_units_never_make_a_square_of_units() -> None:
    conditions, folds = design(5, 4)
    patterns = noise(20, 100_000)
    tracemalloc.start()
    residuals, freedom = condition_residuals(patterns, conditions)
    covariance = shrunk_covariance(residuals, degrees_of_freedom=freedom)
    found = crossnobis_rdms(patterns, conditions, folds, covariance=covariance)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(found.dissimilarities).all()
    assert peak < 12 * patterns.nbytes  # a unit × unit matrix would be 5,000 times the patterns


def test_refusals() -> None:
    conditions, folds = design(4, 3)
    patterns = noise(12, 5)
    with pytest.raises(UsageError, match="condition '2' is not in fold '1'"):
        crossnobis_rdms(np.delete(patterns, 6, 0), np.delete(conditions, 6), np.delete(folds, 6))
    with pytest.raises(UsageError, match="folds are all the same"):
        crossnobis_rdms(patterns, conditions, np.zeros(12))
    with pytest.raises(UsageError, match="conditions are all the same"):
        crossnobis_rdms(patterns, np.zeros(12), folds)
    with pytest.raises(UsageError, match="conditions have 11 entries"):
        crossnobis_rdms(patterns, conditions[:-1], folds)
    with pytest.raises(UsageError, match="nan or infinity"):
        crossnobis_rdms(np.where(patterns > 1, np.nan, patterns), conditions, folds)
    with pytest.raises(UsageError, match="covariance is of 4 units"):
        crossnobis_rdms(patterns, conditions, folds, covariance=np.eye(4))
    with pytest.raises(UsageError, match="expected a symmetric matrix"):
        crossnobis_rdms(patterns, conditions, folds, covariance=np.arange(25.0).reshape(5, 5))
    with pytest.raises(UsageError, match="not positive definite"):
        known_covariance(np.ones((3, 3)))


def test_a_covariance_that_cannot_be_is_refused() -> None:
    residuals = noise(10, 20)
    with pytest.raises(UsageError, match=r"target is 'diag'.*Did you mean 'diagonal'"):
        shrunk_covariance(residuals, target="diag")
    with pytest.raises(UsageError, match="shrinkage is 0, which leaves a covariance of 20 units without an inverse"):
        shrunk_covariance(residuals, shrinkage=0)
    with pytest.raises(UsageError, match=r"shrinkage is 1\.5; expected 0 … 1"):
        shrunk_covariance(residuals, shrinkage=1.5)
    with pytest.raises(UsageError, match=r"degrees_of_freedom is 10; expected 1 … 9"):
        shrunk_covariance(residuals, degrees_of_freedom=10)
    with pytest.raises(UsageError, match=r"shape \(1, 20\)"):
        shrunk_covariance(residuals[:1])
    silent = residuals.copy()
    silent[:, 7] = 0.1
    with pytest.raises(UsageError, match=r"do not vary in 1 of 20 units \(the first is 7\)"):
        shrunk_covariance(silent)
    assert shrunk_covariance(silent, target="identity").n_units == 20
    with pytest.raises(UsageError, match="without an inverse"):
        shrunk_covariance(np.zeros((10, 20)), target="identity")
