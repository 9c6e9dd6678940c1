"""Layer assignment and its gradient over areas: planted voxels, noise, and each number made another way."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from probekit.encoding import assign_layers, fit_ridge, layer_gradient, null_voxels, planted_voxels
from probekit.errors import UnknownNameError, UsageError

ALPHAS = np.logspace(0, 4, 7)
N_TRAIN = 150


def layers(n_stimuli=230, seed=0):
    """Return five layers, each a nonlinear mixture of the one before, so that neighbours are alike."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_stimuli, 25))
    made = {}
    for number, n_units in enumerate((30, 40, 300, 40, 25)):
        x = np.maximum(x @ rng.normal(size=(x.shape[1], n_units)) + rng.normal(size=n_units), 0)
        x = (x - x.mean(0)) / x.std(0).clip(1e-6)
        made[f"layer{number}"] = x
    return made


def halves(features):
    return {n: x[:N_TRAIN] for n, x in features.items()}, {n: x[N_TRAIN:] for n, x in features.items()}


@pytest.fixture(scope="module")
def planted():
    features = layers()
    voxels = planted_voxels(features, n_voxels_per_layer=40, noise=0.5, seed=1)
    train, test = halves(features)
    assigned = assign_layers(train, voxels.responses[:N_TRAIN], alphas=ALPHAS)
    return voxels, train, test, assigned


def test_planted_layers_are_recovered(planted):
    voxels, _, test, assigned = planted
    right = assigned.layer_index == voxels.layer_index
    assert right.mean() > 0.9  # chance is .2
    table = assigned.score(test, voxels.responses[N_TRAIN:])
    assert (table["q"] < 0.05).mean() > 0.9
    assert (table["layer"] == np.array(assigned.layers)[assigned.layer_index]).all()
    found = layer_gradient(table, voxels.areas, voxels.order)
    truth = pd.Series(voxels.layer_index).groupby(voxels.areas).mean()
    np.testing.assert_allclose(found.by_area["mean_layer"], truth, atol=0.35)  # a tenth are wrong, by a layer or two
    assert found.rho > 0.85
    assert found.p_targets == 1 / 1001
    assert found.p_areas == 1 / 24


def test_errors_and_models_are_those_of_ridge(planted):
    voxels, train, test, assigned = planted
    for number, layer in enumerate(assigned.layers):
        model = fit_ridge(train[layer], voxels.responses[:N_TRAIN], alphas=ALPHAS)
        np.testing.assert_allclose(assigned.cv_errors[number], model.cv_errors, rtol=1e-9)
        mine = assigned.layer_index == number
        predicted = assigned.predict(test)[:, mine]
        np.testing.assert_allclose(predicted, model.predict(test[layer])[:, mine], rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(assigned.layer_index, assigned.cv_errors.argmin(0))


def test_test_stimuli_choose_nothing(planted):
    """Other test responses leave layers and predictions as they are, and change the scores."""
    voxels, _, test, assigned = planted
    first = assigned.score(test, voxels.responses[N_TRAIN:], n_permutations=19)
    other = assigned.score(test, -voxels.responses[N_TRAIN:], n_permutations=19)
    pd.testing.assert_frame_equal(
        first[["target", "layer", "layer_index", "cv_error"]], other[["target", "layer", "layer_index", "cv_error"]]
    )
    np.testing.assert_allclose(first["r"], -other["r"], rtol=1e-9)


def test_noise_voxels_are_significant_as_often_as_they_say():
    """1,000 noise voxels, their layer chosen among five on training stimuli: p < .05 in 5 % ± 1.5 %."""
    train, test = halves(layers())
    voxels = null_voxels(230, n_voxels=1000, seed=3)
    table = assign_layers(train, voxels.responses[:N_TRAIN], alphas=[1.0, 100.0, 10000.0]).score(
        test, voxels.responses[N_TRAIN:], n_permutations=400
    )
    assert (table["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    found = layer_gradient(table, voxels.areas, voxels.order)
    assert found.by_area["n_significant"].sum() <= 2


def scores(layer_index, q=0.0):
    return pd.DataFrame({"layer_index": layer_index, "q": np.broadcast_to(q, len(layer_index))})


@pytest.mark.parametrize(("n_areas", "orders"), [(3, 6), (5, 120)])
def test_gradient_one_order_at_a_time(n_areas, orders):
    rng = np.random.default_rng(0)
    place = rng.integers(n_areas, size=80)
    layer = np.clip(place + rng.integers(-2, 3, size=80), 0, n_areas)
    names = [f"area {chr(97 + n)}" for n in range(n_areas)]
    found = layer_gradient(scores(layer), np.array(names)[place], names, n_permutations=99)
    assert found.rho == pytest.approx(spearmanr(place, layer)[0], rel=1e-9)
    all_rho = [spearmanr(np.array(order)[place], layer)[0] for order in permutations(range(n_areas))]
    assert found.p_areas == pytest.approx(np.mean(np.array(all_rho) >= found.rho - 1e-9), rel=1e-12)
    assert len(all_rho) == orders
    expected = pd.Series(layer).groupby(place).agg(["size", "mean", "sem"])
    np.testing.assert_allclose(found.by_area[["n_significant", "mean_layer", "sem_layer"]], expected, rtol=1e-9)


def test_gradient_without_one():
    """Over 1,000 draws of layers that know nothing of 5 areas, each p is below .05 in 5 % ± 1.5 %."""
    rng = np.random.default_rng(0)
    names = list("abcde")
    areas = np.repeat(names, 12)
    found = [layer_gradient(scores(rng.integers(8, size=60)), areas, names, n_permutations=199) for _ in range(1000)]
    for p in ("p_targets", "p_areas"):
        # 5/120 is the largest p of the orders below .05
        assert np.mean([getattr(one, p) < 0.05 for one in found]) == pytest.approx(0.05, abs=0.015)


def test_neighbours_that_are_alike_fool_the_shuffle_of_targets_only():
    """60 voxels an area that all have the area's layer are 5 observations, not 300."""
    rng = np.random.default_rng(0)
    names = list("abcde")
    found = [
        layer_gradient(scores(np.repeat(rng.permutation(5), 60)), np.repeat(names, 60), names, n_permutations=99)
        for _ in range(400)
    ]
    assert np.mean([one.p_targets < 0.05 for one in found]) > 0.3
    assert np.mean([one.p_areas < 0.05 for one in found]) == pytest.approx(0.05, abs=0.015)


def test_many_areas_are_sampled():
    names = [f"{n}" for n in range(9)]
    found = layer_gradient(scores(np.repeat(np.arange(9), 5)), np.repeat(names, 5), names, n_permutations=99)
    assert found.p_areas == 1 / 100


def test_only_significant_targets_count():
    table = scores([0, 0, 5, 5, 9, -1], q=[0.01, 0.05, 0.02, np.nan, 0.5, np.nan])
    found = layer_gradient(table, list("aabbba"), ["a", "b"], n_permutations=19)
    assert found.by_area["n_targets"].tolist() == [3, 3]
    assert found.by_area["n_significant"].tolist() == [2, 1]
    assert found.by_area["mean_layer"].tolist() == [0, 5]
    assert found.rho == pytest.approx(1)
    nothing = layer_gradient(scores([0, 1, 2], q=1.0), list("aab"), ["a", "b"], n_permutations=19)
    assert np.isnan([nothing.rho, nothing.p_areas, nothing.p_targets]).all()
    assert nothing.by_area["mean_layer"].isna().all()


def test_constant_targets_and_ties():
    train, test = halves(layers())
    voxels = planted_voxels(layers(), n_voxels_per_layer=4)
    responses = voxels.responses.copy()
    responses[:N_TRAIN, :, 3] = 2.5
    twice = {"first": train["layer0"], "second": train["layer0"]}
    assigned = assign_layers(twice, responses[:N_TRAIN], alphas=ALPHAS)
    assert assigned.layer_index.tolist() == [0, 0, 0, -1] + [0] * 16
    table = assigned.score({"first": test["layer0"], "second": test["layer0"]}, responses[N_TRAIN:], n_permutations=9)
    assert table.loc[3, "layer"] == ""
    assert table.loc[3, ["cv_error", "r", "r2", "p", "q"]].isna().all()
    assert table.drop(index=3).notna().all(axis=None)


def test_errors(planted):
    voxels, _, test, assigned = planted
    with pytest.raises(UnknownNameError, match="no layer among the features called 'layer4'"):
        assigned.predict({name: x for name, x in test.items() if name != "layer4"})
    with pytest.raises(UsageError, match="targets has 150 stimuli, the features 80"):
        assigned.score(test, voxels.responses[:N_TRAIN])
    with pytest.raises(UsageError, match="features is dict; expected a mapping"):
        assign_layers({}, voxels.responses)
    table = scores([0, 1])
    with pytest.raises(UnknownNameError, match=r"no area among the targets called 'V11'\. Did you mean 'V1'"):
        layer_gradient(table, ["V1", "V2"], ["V11", "V2"])
    with pytest.raises(UsageError, match=r"order is .*two or more areas, each once"):
        layer_gradient(table, ["V1", "V2"], ["V1", "V1"])
    with pytest.raises(UsageError, match=r"areas has shape \(1,\)"):
        layer_gradient(table, ["V1"], ["V1", "V2"])
    with pytest.raises(UsageError, match="n_permutations is 0"):
        layer_gradient(table, ["V1", "V2"], ["V1", "V2"], n_permutations=0)
