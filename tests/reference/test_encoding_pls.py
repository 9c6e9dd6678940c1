"""PLS beside scikit-learn's on unscaled data, and beside least squares where it must be that."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression

from probekit.encoding import fit_pls
from probekit.errors import UsageError


def made(seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(1, 2, (90, 40)) * rng.uniform(0.5, 2, 40)
    return features, features @ rng.normal(size=(40, 7)) + rng.normal(size=(90, 7)) * 5 + 3


def test_scikit_learn():
    features, targets = made()
    new = made(1)[0]
    for n_components in (1, 5, 25):
        theirs = PLSRegression(n_components=n_components, scale=False).fit(features, targets)
        # the power method ends at a relative change of 1e-6, and the two are on another scale
        np.testing.assert_allclose(
            fit_pls(features, targets, n_components).predict(new), theirs.predict(new), rtol=1e-4, atol=1e-4
        )


def test_all_components_are_least_squares():
    features, targets = made()
    design = np.column_stack([np.ones(len(features)), features])
    weights = np.linalg.lstsq(design, targets, rcond=None)[0]
    np.testing.assert_allclose(fit_pls(features, targets, 40).predict(features), design @ weights, rtol=1e-7)


def test_first_component_is_the_leading_covariance():
    """With one component, scores are the features along the first singular vector of their covariance with targets."""
    features, targets = made()
    x, y = features - features.mean(0), targets - targets.mean(0)
    scores = x @ np.linalg.svd(x.T @ y)[0][:, 0]
    expected = np.outer(scores, scores @ y / (scores @ scores)) + targets.mean(0)
    predicted = fit_pls(features, targets, 1).predict(features)
    # the power method ends when a weight vector of length 1 moves by less than 1e-3
    np.testing.assert_allclose(predicted, expected, atol=5e-3 * targets.std())


def test_units_do_not_matter():
    """Scikit-learn alone takes targets in tesla for constant ones."""
    features, targets = made()
    tiny = fit_pls(features * 1e-9, targets * 1e-16)
    np.testing.assert_allclose(
        tiny.predict(features * 1e-9), fit_pls(features, targets).predict(features) * 1e-16, rtol=1e-7
    )


def test_what_is_explained_by_few_components():
    """Targets of rank 2, from two orthogonal features, need two components; the rest are empty, without a warning."""
    features = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 6)))[0]
    features -= features.mean(0)
    targets = features[:, :1] @ np.array([[2.0, 0.0, 1.0]])
    np.testing.assert_allclose(fit_pls(features, targets, 5).predict(features), targets, atol=1e-9)


def test_errors():
    features, targets = made()
    with pytest.raises(UsageError, match=r"n_components is 25; 90 stimuli and 10 features .* allow 1 … 10"):
        fit_pls(features[:, :10], targets)
    with pytest.raises(UsageError, match=r"n_components is 25; 20 stimuli .* allow 1 … 19"):
        fit_pls(features[:20], targets[:20])
    with pytest.raises(UsageError, match="targets are all constant"):
        fit_pls(features, np.ones_like(targets))
    with pytest.raises(UsageError, match="targets has nan"):
        fit_pls(features, targets * np.nan)
    with pytest.raises(UsageError, match="features has 3 features; the model was fitted on 40"):
        fit_pls(features, targets, 2).predict(features[:, :3])
    constant = targets.copy()
    constant[:, 1] = 2.0
    np.testing.assert_allclose(fit_pls(features, constant, 5).predict(features)[:, 1], 2, rtol=1e-9)
