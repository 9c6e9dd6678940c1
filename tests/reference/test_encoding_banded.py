"""Banded ridge beside the closed form, himalaya called by hand, and plain ridge; its split of R² by band."""

from __future__ import annotations

import numpy as np
import pytest
from himalaya.kernel_ridge import MultipleKernelRidgeCV
from himalaya.scoring import r2_score_split
from sklearn.model_selection import PredefinedSplit

from probekit.encoding import fit_banded, fit_ridge, r2_per_target, r2_split
from probekit.encoding.folds import fold_labels, splits
from probekit.errors import UnknownNameError, UsageError

ALPHAS = np.logspace(-3, 3, 7)


def made(n_stimuli=80, n_targets=9, noise=0.3, seed=0):
    """Return three bands of unlike size, and targets that are thirds of band a, of band b, and of both equally."""
    rng = np.random.default_rng(seed)
    bands = {name: rng.normal(2, 3, (n_stimuli, n)) for name, n in (("a", 10), ("b", 30), ("c", 5))}
    from_a, from_b = ((bands[name] - 2) / 3 @ rng.normal(size=(bands[name].shape[1], n_targets)) for name in ("a", "b"))
    from_a, from_b = from_a / from_a.std(0), from_b / from_b.std(0)
    kind = np.arange(n_targets) % 3
    targets = np.where(kind == 0, from_a, np.where(kind == 1, from_b, (from_a + from_b) / np.sqrt(2)))
    return bands, targets + noise * rng.normal(size=targets.shape) + 1, kind


def z_bands(bands):
    return {name: (x - x.mean(0)) / x.std(0) / np.sqrt(x.shape[1]) for name, x in bands.items()}


def test_closed_form_with_the_penalties_found():
    """Prediction, parts and cross-validated error of each target from the normal equations in feature space."""
    bands, targets, _ = made()
    model = fit_banded(bands, targets, alphas=ALPHAS, n_iter=10, seed=1)
    np.testing.assert_allclose(model.weights.sum(0), 1, rtol=1e-12)
    z = z_bands(bands)
    sizes = [x.shape[1] for x in bands.values()]
    parts = model.predict_bands(bands)
    for t, y in enumerate(targets.T):
        penalty = model.alphas[t] / np.repeat(model.weights[:, t], sizes)
        x = np.concatenate(list(z.values()), axis=1)
        b = np.linalg.solve(x.T @ x + np.diag(penalty), x.T @ (y - y.mean()))
        np.testing.assert_allclose(model.predict(bands)[:, t], x @ b + y.mean(), rtol=1e-6)  # 1e-3 … 1e3 / weights
        for number, columns in enumerate(np.split(np.arange(len(b)), np.cumsum(sizes)[:-1])):
            np.testing.assert_allclose(parts[number, :, t], x[:, columns] @ b[columns], rtol=1e-5, atol=1e-8)
        held = []
        for train, test in splits(fold_labels(80, 5, seed=1)):
            middle = x[train].mean(0)
            c = x[train] - middle
            b = np.linalg.solve(c.T @ c + np.diag(penalty), c.T @ (y[train] - y[train].mean()))
            held.append(np.mean((y[test] - y[train].mean() - (x[test] - middle) @ b) ** 2))
        assert model.cv_errors[t] == pytest.approx(np.mean(held), rel=1e-6)


def test_himalaya_by_hand():
    bands, targets, _ = made()
    z = z_bands(bands)
    y = (targets - targets.mean(0)) / targets.std(0)
    theirs = MultipleKernelRidgeCV(
        kernels="precomputed",
        solver="random_search",
        solver_params={"n_iter": 12, "alphas": ALPHAS, "progress_bar": False},
        cv=PredefinedSplit(fold_labels(80, 5, seed=4)),
        fit_intercept=True,
        random_state=4,
    ).fit(np.stack([x @ x.T for x in z.values()]), y)
    model = fit_banded(bands, targets, alphas=ALPHAS, n_iter=12, seed=4)
    expected = theirs.predict(np.stack([x @ x.T for x in z.values()])) * targets.std(0) + targets.mean(0)
    np.testing.assert_allclose(model.predict(bands), expected, rtol=1e-9)
    np.testing.assert_allclose(np.exp(theirs.deltas_), model.weights / model.alphas, rtol=1e-9)


def test_one_band_is_ridge():
    """With kernels of mean diagonal 1, alpha is the plain one divided by the number of features."""
    bands, targets, _ = made()
    banded = fit_banded({"b": bands["b"]}, targets, alphas=ALPHAS)
    plain = fit_ridge(bands["b"], targets, alphas=ALPHAS * 30)
    np.testing.assert_allclose(banded.alphas * 30, plain.alphas, rtol=1e-9)
    np.testing.assert_allclose(banded.predict({"b": bands["b"]}), plain.predict(bands["b"]), rtol=1e-7)
    np.testing.assert_allclose(banded.cv_errors, plain.cv_errors, rtol=1e-7)


def test_planted_split_is_recovered():
    """Half of 400 stimuli are held out; noise .3 leaves R² of 1/1.09 = .917 to be had."""
    bands, targets, kind = made(n_stimuli=400, n_targets=30, seed=5)
    train, test = {n: x[:200] for n, x in bands.items()}, {n: x[200:] for n, x in bands.items()}
    model = fit_banded(train, targets[:200], n_iter=50)
    split = model.split_r2(test, targets[200:])
    for number, expected in enumerate(([0.917, 0, 0], [0, 0.917, 0], [0.459, 0.459, 0])):
        # .03 standard error of a mean of 10 targets over 200 stimuli, and the shrinkage of 45 features on 200
        np.testing.assert_allclose(split[:, kind == number].mean(1), expected, atol=0.08)
    predicted = model.predict(test)
    centred = predicted - predicted.mean(0) + targets[200:].mean(0)
    np.testing.assert_allclose(split.sum(0), r2_per_target(targets[200:], centred), rtol=1e-9)


def test_split_is_himalayas():
    rng = np.random.default_rng(0)
    targets, parts = rng.normal(size=(50, 4)), rng.normal(size=(3, 50, 4))
    centred, parts = targets - targets.mean(0), parts - parts.mean(1, keepdims=True)
    np.testing.assert_allclose(r2_split(targets, parts), r2_score_split(centred, parts.copy()), rtol=1e-9)


def test_edges():
    bands, targets, _ = made()
    targets[:, 0] = 3.0
    model = fit_banded({**bands, "dead": np.full((80, 4), 0.3)}, targets, n_iter=5)
    assert np.isnan(model.cv_scores).tolist() == [True] + [False] * 8
    parts = model.predict_bands({**bands, "dead": np.full((80, 4), 0.3), "more": bands["a"]})
    np.testing.assert_array_equal(parts[3], 0)
    np.testing.assert_allclose(parts[:, :, 0], 0, atol=1e-12)
    assert np.isnan(model.split_r2({**bands, "dead": np.zeros((80, 4))}, targets)[:, 0]).all()
    tiny = fit_banded(bands, targets * 1e-13, n_iter=5)
    np.testing.assert_array_equal(tiny.weights, fit_banded(bands, targets, n_iter=5).weights)


def test_errors(capsys):
    bands, targets, _ = made()
    model = fit_banded(bands, targets, n_iter=2)
    assert capsys.readouterr().out == ""
    with pytest.raises(UnknownNameError, match="no layer among the features called 'c'"):
        model.predict({"a": bands["a"], "b": bands["b"]})
    with pytest.raises(UsageError, match=r"features\['a'\] has 5 features; the model was fitted on 10"):
        model.predict({**bands, "a": bands["c"]})
    with pytest.raises(UsageError, match="bands have different numbers of stimuli"):
        fit_banded({**bands, "a": bands["a"][1:]}, targets)
    with pytest.raises(UsageError, match="bands is ndarray; expected a mapping"):
        fit_banded(bands["a"], targets)
    with pytest.raises(UsageError, match="n_iter is 0"):
        fit_banded(bands, targets, n_iter=0)
    with pytest.raises(UsageError, match=r"bands\['c'\] has nan"):
        fit_banded({**bands, "c": bands["c"] * np.nan}, targets)
