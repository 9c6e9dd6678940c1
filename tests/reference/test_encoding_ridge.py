"""Ridge with a penalty a target, beside the closed form in NumPy and scikit-learn's RidgeCV."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from himalaya.backend import get_backend, set_backend
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import PredefinedSplit

from probekit.encoding import fit_ridge
from probekit.encoding.folds import fold_labels, splits
from probekit.encoding.solver import numpy_backend
from probekit.errors import UsageError

ALPHAS = np.logspace(-1, 4, 11)


def made(n_stimuli=60, n_features=20, n_targets=6, seed=0):
    """Return features of unlike scales, and targets of unlike signal and scale."""
    rng = np.random.default_rng(seed)
    features = rng.normal(3, 1, (n_stimuli, n_features)) * rng.uniform(0.1, 10, n_features)
    signal = (features - features.mean(0)) / features.std(0) @ rng.normal(size=(n_features, n_targets))
    noise = rng.normal(size=signal.shape) * np.logspace(-1, 2, n_targets)
    return features, (signal + noise) * np.logspace(-2, 2, n_targets) + 5


def closed_form(features, targets, alphas, labels):
    """Return penalties, errors and weights by the normal equations, one target, penalty and fold at a time."""
    z = (features - features.mean(0)) / features.std(0)
    chosen, errors = np.empty(targets.shape[1]), np.empty(targets.shape[1])
    weights = np.empty((z.shape[1], targets.shape[1]))
    for t, y in enumerate(targets.T):
        losses = []
        for alpha in alphas:
            held = []
            for train, test in splits(labels):
                middle = z[train].mean(0)
                x = z[train] - middle
                b = np.linalg.solve(x.T @ x + alpha * np.eye(z.shape[1]), x.T @ (y[train] - y[train].mean()))
                held.append(np.mean((y[test] - (z[test] - middle) @ b - y[train].mean()) ** 2))
            losses.append(np.mean(held))
        chosen[t], errors[t] = alphas[np.argmin(losses)], min(losses)
        weights[:, t] = np.linalg.solve(z.T @ z + chosen[t] * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    return chosen, errors, weights


@pytest.mark.parametrize("n_features", [20, 150])
def test_closed_form(n_features):
    features, targets = made(n_features=n_features)
    chosen, errors, weights = closed_form(features, targets, ALPHAS, fold_labels(60, 5, seed=3))
    model = fit_ridge(features, targets, alphas=ALPHAS, folds=5, seed=3)
    assert (model.basis is None) == (n_features == 20)
    assert len(set(chosen)) > 1
    np.testing.assert_allclose(model.alphas, chosen, rtol=1e-12)  # grid values
    np.testing.assert_allclose(model.cv_errors, errors, rtol=1e-8)  # conditioning of the normal equations
    np.testing.assert_allclose(model.cv_scores, 1 - errors / targets.var(0), rtol=1e-8, atol=1e-10)
    new = made(n_stimuli=7, n_features=n_features, seed=1)[0]
    expected = (new - features.mean(0)) / features.std(0) @ weights + targets.mean(0)
    np.testing.assert_allclose(model.predict(new), expected, rtol=1e-7)  # as above


def test_scikit_learn():
    """RidgeCV with one penalty a target, on the same folds."""
    features, targets = made()
    z = (features - features.mean(0)) / features.std(0)
    labels = fold_labels(60, 4, seed=0)
    model = fit_ridge(features, targets, alphas=ALPHAS, folds=labels)
    for t in range(targets.shape[1]):  # RidgeCV has alpha_per_target for leave-one-out alone
        theirs = RidgeCV(alphas=ALPHAS, cv=PredefinedSplit(labels), scoring="neg_mean_squared_error").fit(
            z, targets[:, t]
        )
        assert model.alphas[t] == pytest.approx(theirs.alpha_, rel=1e-12)
        np.testing.assert_allclose(model.predict(features)[:, t], theirs.predict(z), rtol=1e-8)


def test_leave_one_out_is_scikit_learns():
    features, targets = made()
    z = (features - features.mean(0)) / features.std(0)
    theirs = RidgeCV(alphas=ALPHAS, alpha_per_target=True).fit(z, targets)
    model = fit_ridge(features, targets, alphas=ALPHAS, folds=len(z))
    np.testing.assert_allclose(model.alphas, theirs.alpha_, rtol=1e-12)
    np.testing.assert_allclose(model.predict(features), theirs.predict(z), rtol=1e-8)


def test_both_forms_are_the_same():
    """One stimulus more or less than features decides the form; a constant feature takes it across and does nothing."""
    features, targets = made(n_stimuli=40, n_features=40)
    more = np.concatenate([features, np.full((40, 1), 7.0)], axis=1)
    primal, kernel = fit_ridge(features, targets), fit_ridge(more, targets)
    assert primal.basis is None
    assert kernel.basis is not None
    np.testing.assert_allclose(primal.cv_errors, kernel.cv_errors, rtol=1e-7)
    np.testing.assert_allclose(primal.predict(features), kernel.predict(more), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n_features", [20, 150])
def test_units_of_targets_do_not_matter(n_features):
    """Also for magnetic fields in tesla, where himalaya's tie-break outweighs errors unless targets are rescaled."""
    features, targets = made(n_features=n_features)
    model, tiny = fit_ridge(features, targets, alphas=ALPHAS), fit_ridge(features, targets * 1e-13, alphas=ALPHAS)
    np.testing.assert_array_equal(tiny.alphas, model.alphas)
    np.testing.assert_allclose(tiny.predict(features), model.predict(features) * 1e-13, rtol=1e-9)
    np.testing.assert_allclose(tiny.cv_scores, model.cv_scores, rtol=1e-7)


def test_small_batches_change_nothing(monkeypatch):
    features, targets = made(n_features=150)
    whole = fit_ridge(features, targets, alphas=ALPHAS)
    monkeypatch.setattr("probekit.encoding.solver._HELD", 8_000)
    parts = fit_ridge(features, targets, alphas=ALPHAS)
    np.testing.assert_allclose(parts.predict(features), whole.predict(features), rtol=1e-9)
    np.testing.assert_allclose(parts.cv_errors, whole.cv_errors, rtol=1e-9)


def test_repetitions_are_averaged():
    features, targets = made()
    repeated = np.stack([targets - 1, targets + 1, np.full_like(targets, np.nan)], axis=1)
    np.testing.assert_allclose(
        fit_ridge(features, repeated).predict(features), fit_ridge(features, targets).predict(features), rtol=1e-9
    )


@pytest.mark.parametrize("n_features", [20, 150])
def test_constant_targets_and_dead_layers(n_features):
    features, targets = made(n_features=n_features)
    targets[:, 2] = 4.0
    model = fit_ridge(features, targets)
    assert np.isnan(model.cv_scores).tolist() == [False, False, True, False, False, False]
    assert np.isnan(model.cv_errors[2])
    np.testing.assert_allclose(model.predict(features)[:, 2], 4.0, rtol=1e-12)
    dead = fit_ridge(np.full_like(features, 0.1), targets)
    np.testing.assert_allclose(dead.predict(features), np.broadcast_to(targets.mean(0), targets.shape), rtol=1e-12)
    assert (dead.cv_scores[[0, 1, 3, 4, 5]] < 0).all()


def test_noise_is_not_explained():
    """Of noise, held-out stimuli are predicted no better than by the mean: the largest penalties are the best."""
    rng = np.random.default_rng(0)
    model = fit_ridge(rng.normal(size=(80, 100)), rng.normal(size=(80, 500)))
    assert abs(np.median(model.cv_scores)) < 0.05  # −1/64 expected from the folds' means, and the best of 25 penalties
    assert model.cv_scores.max() < 0.5


def test_inputs_and_global_states_stay():
    features, targets = made(n_features=150)
    kept = features.copy(), targets.copy()
    before = np.random.get_state()[1].copy()
    fit_ridge(features, targets).predict(features)
    np.testing.assert_array_equal(features, kept[0])
    np.testing.assert_array_equal(targets, kept[1])
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_the_users_backend_is_put_back(capsys):
    before = get_backend().name
    set_backend("torch")
    try:
        model = fit_ridge(*made())
        assert get_backend().name == "torch"
        assert isinstance(model.alphas, np.ndarray)
        with pytest.raises(ZeroDivisionError, match="ours"), numpy_backend():
            raise ZeroDivisionError("ours")
        assert get_backend().name == "torch"
    finally:
        set_backend(before)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_errors():
    features, targets = made()
    model = fit_ridge(features, targets)
    holed = targets.copy()
    holed[3, 4] = np.nan
    with pytest.raises(UsageError, match=r"targets has nan or infinite values in 1 of 6 targets \(first: 4\)"):
        fit_ridge(features, holed)
    with pytest.raises(UsageError, match="features has nan or infinite values in 20 of 20 features"):
        fit_ridge(features * np.inf, targets)
    with pytest.raises(UsageError, match="folds is 5; 4 stimuli allow 2 … 4"):
        fit_ridge(features[:4], targets[:4])
    with pytest.raises(UsageError, match="targets has 59 stimuli, the features 60"):
        fit_ridge(features, targets[:-1])
    with pytest.raises(UsageError, match=r"features has shape \(60,\)"):
        fit_ridge(features[:, 0], targets)
    with pytest.raises(UsageError, match=r"targets has shape \(60,\)"):
        fit_ridge(features, targets[:, 0])
    with pytest.raises(UsageError, match=r"alphas is .*; expected one or more numbers above 0"):
        fit_ridge(features, targets, alphas=[0, 1])
    with pytest.raises(UsageError, match="folds holds one label"):
        fit_ridge(features, targets, folds=np.zeros(60))
    with pytest.raises(UsageError, match=r"folds has shape \(3,\)"):
        fit_ridge(features, targets, folds=[0, 1, 2])
    with pytest.raises(UsageError, match="features has 19 features; the model was fitted on 20"):
        model.predict(features[:, 1:])
    with pytest.raises(UsageError, match="features is list; expected an array of numbers"):
        fit_ridge([["a"]], targets)
    with pytest.raises(UsageError, match="targets is Tensor; expected an array of numbers"):
        fit_ridge(torch.tensor(features), torch.tensor(targets, requires_grad=True))


def test_folds_are_even_seeded_and_hold_groups_together():
    labels = fold_labels(23, 5, seed=0)
    assert sorted(np.bincount(labels)) == [4, 4, 5, 5, 5]
    np.testing.assert_array_equal(labels, fold_labels(23, 5, seed=0))
    assert (labels != fold_labels(23, 5, seed=1)).any()
    groups = np.repeat([7, 3, 9], 4)
    for train, test in splits(fold_labels(12, groups, seed=0)):
        assert not set(groups[train]) & set(groups[test])
