"""Tasks of networks that are led along paths, against `navigate`, scikit-learn and places planted in a layer."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import probekit as pk
from probekit.errors import NotApplicableError, UsageError
from probekit.navigation import NETWORK_MOTION, Adapter, Arena, random_walk
from probekit.navigation import Task as Navigated
from probekit.network import weights_hash
from probekit.tasks import path_integration, position_decoding, scores_under

ARENA = Arena.square(1.5)


@pytest.fixture(scope="module")
def grid_rnn():
    return pk.zoo.load("grid-rnn")


def walks(network, n_paths, seed, n_steps=20):
    return random_walk(network.task.arena, network.task.motion, n_paths, n_steps, seed=seed)


class KnowsItsPlace(nn.Module):
    """Adds up steps; its layer `code` is a linear code of the place, `place` the place itself."""

    def __init__(self):
        super().__init__()
        self.code = nn.Linear(2, 7)
        self.place = nn.Identity()

    def forward(self, x):
        place = self.place(x[..., :2].cumsum(1) + x[:, :1, 2:])
        self.code(place)
        return place


def told(paths):
    start = np.broadcast_to(paths.positions[:, :1], paths.displacements.shape)
    return torch.from_numpy(np.concatenate([paths.displacements, start], -1)).float()


def entry(decode=lambda said: said, task=True, preprocess=None, encode=told):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = KnowsItsPlace().eval()
    navigated = Navigated(ARENA, NETWORK_MOTION, 12, Adapter(encode, decode)) if task else None
    return pk.Entry(module, preprocess, pk.Card("toy", "sum", (), "nothing", layers=("code",)), task=navigated)


# path integration


def test_path_integration_is_the_path_error_in_cm(grid_rnn):
    task = path_integration(grid_rnn, n_paths=40, seed=5)
    scores = task(grid_rnn)
    assert (task.unit, task.point, task.higher_is_better) == ("cm", "step", False)
    assert scores.shape == (40, 20)
    assert len(task.trials) == 40
    assert task.points.tolist() == list(range(1, 21))
    expected = pk.navigation.path_error(pk.navigate(grid_rnn, paths=walks(grid_rnn, 40, 5)))
    np.testing.assert_allclose(scores.mean(0) / 100, expected, atol=1e-4)  # 0.1 mm: float32 over 2 m
    assert 2 < scores.mean() < 8  # its card says 4.8 cm
    assert path_integration(grid_rnn, n_paths=3, n_steps=31)(grid_rnn).shape == (3, 31)


def test_path_integration_under_lesions_is_that_of_navigate_under_each(grid_rnn):
    lesions = [{"rnn:h_l0": list(range(start, start + 40))} for start in range(0, 240, 40)]
    lesions += [{"rnn:output": list(range(start, start + 40))} for start in range(0, 200, 40)] + [{}]
    before = weights_hash(grid_rnn.module)
    task = path_integration(grid_rnn, n_paths=30)
    found = scores_under(grid_rnn, task, lesions)
    assert found.shape == (12, 30, 20)
    paths = walks(grid_rnn, 30, 0)
    for lesion, scores in zip(lesions[:11], found, strict=False):
        with pk.lesion(grid_rnn, lesion):
            np.testing.assert_allclose(scores, task(grid_rnn), atol=0.01)  # cm: float32 over 2 m
    for which in (0, 6):
        with pk.lesion(grid_rnn, lesions[which]):
            expected = pk.navigation.path_error(pk.navigate(grid_rnn, paths=paths))
        np.testing.assert_allclose(found[which].mean(0) / 100, expected, atol=1e-4)
    assert (found[:11].mean((1, 2)) > found[11].mean()).all()
    assert weights_hash(grid_rnn.module) == before


def test_one_that_knows_its_place_makes_no_error_and_one_that_is_silenced_says_the_origin():
    network = entry()
    task = path_integration(network, n_paths=9)
    assert task(network).shape == (9, 12)
    assert task(network).max() < 1e-3  # cm: float32
    (silent,) = scores_under(network, task, [{"place": None}])
    paths = random_walk(ARENA, NETWORK_MOTION, 9, 12, seed=0)
    np.testing.assert_allclose(silent, 100 * np.linalg.norm(paths.positions[:, 1:], axis=-1), rtol=1e-5)


def test_paths_are_prepared_as_those_of_navigate():
    shifted = entry(preprocess=lambda told: told + torch.tensor([0, 0, 0.1, 0]))
    error = path_integration(shifted, n_paths=5)(shifted)
    np.testing.assert_allclose(error, 10, rtol=1e-4)  # started 10 cm off
    expected = pk.navigation.path_error(pk.navigate(shifted, paths=random_walk(ARENA, NETWORK_MOTION, 5, 12, seed=0)))
    np.testing.assert_allclose(error.mean(0) / 100, expected, atol=1e-5)


# decoding


def test_a_planted_linear_code_of_the_place_is_decoded():
    network = entry()
    for layer in (None, "code", "place"):
        task = position_decoding(network, layer, n_paths=20, n_training=60)
        scores = task(network)
        assert scores.shape == (20, 12)
        assert scores.max() < 0.2  # cm; a penalty of 1e-3 shrinks the place, at most 1 m from the mean, by a thousandth


def test_the_place_is_decoded_by_ridge_regression_that_was_trained_on_the_intact_network(grid_rnn):
    """The same by scikit-learn, whose prediction under the lesion shows that no weight has changed."""
    task = position_decoding(grid_rnn, n_paths=30, n_training=100, seed=3)
    intact, paths = pk.navigate(grid_rnn, paths=walks(grid_rnn, 100, 4), layers="rnn:output"), walks(grid_rnn, 30, 3)
    activity = intact["rnn:output"].astype(np.float64)
    decoder = make_pipeline(StandardScaler(), Ridge(alpha=1e-3 * len(activity)))
    decoder.fit(activity, intact.tracking.positions)
    lesions = [{}, {"rnn:h_l0": list(range(60))}, {"rnn:output": list(range(60))}, {"rnn:output": None}]
    for lesion, scores in zip(lesions, scores_under(grid_rnn, task, lesions), strict=True):
        if lesion:
            with pk.lesion(grid_rnn, lesion):
                walked = pk.navigate(grid_rnn, paths=paths, layers="rnn:output")
        else:
            walked = pk.navigate(grid_rnn, paths=paths, layers="rnn:output")
        away = decoder.predict(walked["rnn:output"]) - walked.tracking.positions
        expected = 100 * np.linalg.norm(away, axis=1).reshape(30, 20)
        np.testing.assert_allclose(scores, expected, atol=0.02)  # cm: float32 weights and activity


def test_the_layer_tells_the_place_better_than_one_of_other_places(grid_rnn):
    task = position_decoding(grid_rnn, "rnn:output", n_paths=50, n_training=150)
    intact = task(grid_rnn).mean()
    places = walks(grid_rnn, 50, 0).positions[:, 1:].reshape(-1, 2)
    shuffled = np.random.default_rng(0).permutation(places)
    assert intact < 0.25 * 100 * np.linalg.norm(places - shuffled, axis=1).mean()
    assert intact < 0.5 * 100 * np.linalg.norm(places - places.mean(0), axis=1).mean()  # who always says the centre


# what is refused


def test_networks_that_cannot_be_asked_are_refused():
    silent, lost = entry(decode=None), entry(task=False)
    with pytest.raises(NotApplicableError, match="'toy' does not say where it is: its adapter has no `decode`"):
        path_integration(silent)
    assert position_decoding(silent, n_paths=3, n_training=9)(silent).shape == (3, 12)
    for make in (path_integration, position_decoding):
        with pytest.raises(NotApplicableError, match="'toy' has no navigation task, so it cannot be led along paths"):
            make(lost)
        with pytest.raises(UsageError, match="network is a KnowsItsPlace; expected"):
            make(lost.module)
    for argument in ({"n_paths": 1}, {"n_steps": 0}):
        with pytest.raises(UsageError, match=next(iter(argument))):
            path_integration(entry(), **argument)


def test_places_that_are_not_one_a_step_are_refused():
    last = entry(decode=lambda said: said[:, -1])
    with pytest.raises(UsageError, match=r"'toy' gives places of shape \(5, 2\) for 5 paths; expected \(5, 12, 2\)"):
        path_integration(last, n_paths=5)(last)
    square = dataclasses.replace(last, task=dataclasses.replace(last.task, n_steps=5))  # which would broadcast
    with pytest.raises(UsageError, match=r"expected \(5, 5, 2\), one a step"):
        path_integration(square, n_paths=5)(square)


def test_layers_that_hold_several_parts_or_do_not_exist_are_refused(grid_rnn):
    with pytest.raises(UsageError, match="rnn:output"):
        position_decoding(grid_rnn, "rnn", n_paths=3, n_training=9)
    with pytest.raises(UsageError, match="no layer 'rnm'"):
        position_decoding(grid_rnn, "rnm", n_paths=3, n_training=9)
