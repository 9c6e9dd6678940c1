"""Variance partitioning beside the two-set formulae, least squares and planted shares."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from probekit.encoding import commonalities, variance_partition
from probekit.encoding.folds import fold_labels, splits
from probekit.errors import UsageError


def test_three_sets_are_a_venn_diagram():
    """R² of a subset is the size of the union of its sets; the parts must be the cells of the diagram."""
    cells = {("a",): 1, ("b",): 2, ("c",): 4, ("a", "b"): 8, ("a", "c"): 16, ("b", "c"): 32, ("a", "b", "c"): 64}
    r2 = {
        subset: np.array([sum(size for cell, size in cells.items() if set(cell) & set(subset))], float)
        for subset in cells
    }
    assert {subset: float(part[0]) for subset, part in commonalities(r2).items()} == cells


def planted(n_stimuli=400, seed=0):
    """Return two sets that have 4 features in common, and targets made of what one has, or both have, or noise."""
    rng = np.random.default_rng(seed)
    own_a, own_b, common = (rng.normal(size=(n_stimuli, 4)) for _ in range(3))
    mixed = [x @ rng.normal(size=(4, 5)) for x in (own_a, own_b, common)]
    mixed = [x / x.std(0) for x in mixed]
    noise = [0.5 * rng.normal(size=(n_stimuli, 5)) for _ in range(4)]
    targets = np.concatenate([mixed[0] + noise[0], mixed[1] + noise[1], mixed[2] + noise[2], 2 * noise[3]], axis=1)
    return {"a": np.hstack([own_a, common]), "b": np.hstack([common, own_b])}, targets


def test_planted_shares():
    """R² of 1/1.25 = .8 is there to be had, all of it in one part."""
    bands, targets = planted()
    found = variance_partition(bands, targets, alphas=[0.01, 0.1, 1.0], n_iter=3, folds=4)
    assert found.parts.columns.tolist() == ["a", "b", "a + b"]
    parts = found.parts.to_numpy().reshape(4, 5, 3).mean(1)
    expected = [[0.8, 0, 0], [0, 0.8, 0], [0, 0, 0.8], [0, 0, 0]]
    np.testing.assert_allclose(parts, expected, atol=0.04)  # 5 targets of 400 stimuli: .008; the rest is estimation
    np.testing.assert_allclose(found.parts.sum(axis=1), found.r2["a + b"], rtol=1e-9)
    np.testing.assert_allclose(found.parts["a"], found.r2["a + b"] - found.r2["b"], atol=1e-12)


def test_r2_is_least_squares_if_the_penalty_is_nothing():
    bands, targets = planted(n_stimuli=100)
    found = variance_partition(bands, targets, alphas=[1e-6], n_iter=1, folds=4, seed=2)
    for subset in ("a", "b"):
        predicted = np.empty_like(targets)
        for train, test in splits(fold_labels(100, 4, seed=2)):
            fitted = LinearRegression().fit(bands[subset][train], targets[train])
            predicted[test] = fitted.predict(bands[subset][test])
        expected = r2_score(targets, predicted, multioutput="raw_values")
        np.testing.assert_allclose(found.r2[subset], expected, atol=1e-4)  # what a penalty of 1e-6 does


def test_noise_is_explained_by_nothing():
    rng = np.random.default_rng(0)
    bands = {name: rng.normal(size=(60, 20)) for name in "abc"}
    found = variance_partition(bands, rng.normal(size=(60, 300)), n_iter=3)
    # R² of held-out noise is at most 0 on average; less by what the fit costs, more by no more than its standard error
    assert -0.1 < found.r2.to_numpy().mean() < 0.01
    assert (found.parts.mean().abs() < 0.1).all()


def test_edges():
    bands, targets = planted(n_stimuli=60)
    targets[:, 0] = 1
    groups = np.repeat(np.arange(6), 10)
    found = variance_partition(bands, targets, n_iter=2, folds=groups)
    assert found.r2.isna().all(axis=1).tolist() == [True] + [False] * 19
    with pytest.raises(UsageError, match="bands holds 1 sets; expected two or three"):
        variance_partition({"a": bands["a"]}, targets)
    with pytest.raises(UsageError, match="folds is 5; 4 stimuli"):
        variance_partition({name: x[:4] for name, x in bands.items()}, targets[:4])
    with pytest.raises(UsageError, match="folds holds one label"):
        variance_partition(bands, targets, folds=groups > 2)
