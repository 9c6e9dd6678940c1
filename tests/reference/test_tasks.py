"""Tasks against scores that can be worked out, against torch's own losses, and against misuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import probekit as pk
from probekit.errors import LayerError, ModelError, UsageError
from probekit.network import weights_hash
from probekit.tasks import Task, cross_entropy, reconstruction, trial_scores


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        yield


def convolutional():
    return nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(5, 4, 3), nn.Flatten()).eval()


class Recurrent(nn.Module):
    def __init__(self, kind=nn.LSTM):
        super().__init__()
        self.rnn = kind(3, 5, batch_first=True)
        self.read = nn.Linear(5, 2)
        self.idle = nn.Linear(5, 2)

    def forward(self, x):
        return self.read(self.rnn(x)[0])


def mean_task(inputs, layer=""):
    """Return the task of being as active as can be: the mean over everything but the stimulus."""
    return Task("mean", "", inputs, lambda said, _: said.flatten(1).mean(1), True, layer=layer)


# scores


def test_an_intact_network_has_the_scores_that_its_output_says():
    right = torch.tensor([0, 2, 1, 1])
    network = nn.Linear(3, 3, bias=False).eval()
    network.weight.copy_(torch.eye(3))
    task = Task("accuracy", "", torch.eye(3)[[0, 2, 0, 1]], lambda said, rows: said.argmax(1) == right[rows], True)
    scores = task(network)
    assert scores.tolist() == [1, 1, 0, 1]
    assert scores.dtype == np.float64
    assert task.n_stimuli == 4


def test_a_trial_is_scored_the_same_whatever_the_batch():
    network, x, wanted = convolutional(), torch.rand(11, 3, 8, 8), torch.randn(11)
    task = Task("far", "", x, lambda said, rows: said.mean(1) - wanted[rows], False)
    expected = (network(x).mean(1) - wanted).numpy()
    for batch_size in (1, 3, 11, 256):  # sums of float32 in another order differ by some 1e-7
        np.testing.assert_allclose(task(network, batch_size=batch_size), expected, atol=1e-6)
    with pytest.raises(UsageError, match="batch_size is 0"):
        task(network, batch_size=0)


def test_layers_and_parts_of_layers_are_read_as_they_are_recorded():
    for network, x, layer in (
        (convolutional(), torch.rand(6, 3, 8, 8), "0"),  # which the rectification after it overwrites
        (convolutional(), torch.rand(6, 3, 8, 8), "1"),
        (Recurrent().eval(), torch.randn(6, 7, 3), "rnn:output"),
        (Recurrent().eval(), torch.randn(6, 7, 3), "rnn:h_l0"),
        (Recurrent().eval(), torch.randn(6, 7, 3), "rnn:f_l0"),
        (Recurrent(nn.GRU).eval(), torch.randn(6, 7, 3), "rnn:z_l0"),
    ):
        recorded = pk.record(network, x, layers=layer)[layer].values
        expected = recorded.astype(np.float64).reshape(6, -1).mean(1)
        np.testing.assert_allclose(mean_task(x, layer)(network), expected, atol=1e-6, err_msg=layer)  # float32


def test_points_of_a_trial():
    network, x = Recurrent().eval(), torch.randn(6, 7, 3)
    task = Task("steps", "", x, lambda said, _: said[..., 0], True, points=np.arange(7), point="step")
    scores = task(network)
    np.testing.assert_allclose(scores, network(x)[..., 0].numpy(), atol=1e-6)
    np.testing.assert_allclose(trial_scores(scores[None]), [scores.mean(1)])
    np.testing.assert_array_equal(trial_scores(scores[:, 0][None]), [scores[:, 0]])


def test_a_score_of_all_stimuli_sees_all_of_them():
    network, x = convolutional(), torch.rand(7, 3, 8, 8)
    task = Task("spread", "", x, lambda said, _: said.std(0)[:3], True, over_set=True)
    np.testing.assert_allclose(task(network, batch_size=2), network(x).std(0)[:3].numpy(), rtol=1e-5)  # float32


def test_the_scores_of_a_lesioned_network_are_those_under_the_lesion():
    network, x = convolutional(), torch.rand(6, 3, 8, 8)
    task, inside = mean_task(x), mean_task(x, "1")
    intact = task(network)
    with pk.lesion(network, {"1": [0, 3]}):
        lesioned, seen = task(network), inside(network)
    hidden = network[0](x).relu()
    hidden[:, [0, 3]] = 0
    np.testing.assert_allclose(lesioned, network[2:](hidden).mean(1).numpy(), atol=1e-6)
    np.testing.assert_allclose(seen, hidden.flatten(1).mean(1).numpy(), atol=1e-6)
    np.testing.assert_array_equal(task(network), intact)


@pytest.mark.parametrize("layer", ["", "1"])
def test_nothing_is_left_behind(layer):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())  # in training mode
    task = mean_task(torch.rand(5, 3, 8, 8), layer)
    before, random_state = weights_hash(network), torch.get_rng_state()
    np.testing.assert_array_equal(task(network), task(network))
    assert weights_hash(network) == before
    assert all(module.training for module in network.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert torch.equal(torch.get_rng_state(), random_state)


# what is refused


class Fails(nn.Linear):
    def forward(self, x):
        raise ValueError("out of ideas")


class Twins(nn.Linear):
    def forward(self, x):
        return super().forward(x), x


class TimeFirst(nn.GRU):
    def forward(self, x):
        return super().forward(x.transpose(0, 1))[0]


@pytest.mark.parametrize(
    ("network", "shape", "layer", "kind", "match"),
    [
        (Recurrent(), (6, 7, 3), "idle", LayerError, "layer 'idle', which task 'mean' reads, never ran"),
        (Recurrent(), (6, 7, 3), "rnn", LayerError, "gives output, h_l0, c_l0, .* as in 'rnn:output'"),
        (Recurrent(), (6, 7, 3), "rnn:q", LayerError, "layer 'rnn' gives no tensor 'q'"),
        (Recurrent(), (6, 7, 3), "?*", LayerError, r"'\?\*' is 3 layers; task 'mean' reads one"),
        (Recurrent(), (6, 7, 3), "raed", LayerError, "no layer 'raed'.*Did you mean 'read'"),
        (Recurrent(), (6, 7, 4), "", ModelError, r"Recurrent raised RuntimeError in task 'mean' on inputs of shape"),
        (Fails(3, 2), (6, 3), "", ModelError, "Fails raised ValueError in task 'mean' .*: out of ideas"),
        (Twins(3, 2), (6, 3), "", ModelError, "returns a tuple; task 'mean' reads one tensor. Name a layer"),
        (nn.Sequential(Twins(3, 2)), (6, 3), "0", LayerError, "gives 0, 1; .* as in '0:0'"),
        (TimeFirst(3, 2), (6, 7, 3), "", ModelError, r"reads \(7, 6, 2\) of 6 stimuli; expected a row each"),
        ("network", (6, 3), "", UsageError, "network is a str; expected a torch.nn.Module or an entry of the zoo"),
    ],
)
def test_networks_and_layers_that_do_not_fit_are_refused_in_words(network, shape, layer, kind, match):
    task = mean_task(torch.rand(shape), layer)
    with pytest.raises(kind, match=match):
        task(network)
    if isinstance(network, nn.Module):
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_scores_that_are_not_one_a_trial_are_refused():
    x = torch.rand(4, 3)
    for score, match in (
        (lambda said, _: said.mean(), r"gave \(\); expected a tensor of shape \(4,\) or \(4, point\)"),
        (lambda said, _: said[:1, 0], r"gave \(1,\)"),
        (lambda said, _: said[..., None], r"gave \(4, 3, 1\)"),
        (lambda said, _: 3.0, "gave float"),
    ):
        with pytest.raises(UsageError, match=match):
            Task("odd", "", x, score, True)(nn.Identity())
    with pytest.raises(UsageError, match=r"gave \(\); expected a tensor of shape \(trial,\)"):
        Task("odd", "", x, lambda said, _: said.mean(), True, over_set=True)(nn.Identity())
    for inputs in (torch.zeros(0, 3), torch.tensor(1.0), np.zeros((2, 3))):
        with pytest.raises(UsageError, match="task 'odd' has no inputs"):
            Task("odd", "", inputs, lambda said, _: said[:, 0], True)


# tasks that the output answers


def test_cross_entropy_is_that_of_torch():
    network, x = Recurrent().eval(), torch.randn(6, 7, 3)
    said = network(x)
    classes, soft = torch.randint(2, (6, 7)), torch.rand(6, 7, 2).softmax(-1)
    hard = functional.cross_entropy(said.movedim(-1, 1), classes, reduction="none")
    np.testing.assert_allclose(cross_entropy(x, classes)(network), hard.numpy(), rtol=1e-5)  # float32
    expected = functional.cross_entropy(said.movedim(-1, 1), soft.movedim(-1, 1), reduction="none")
    np.testing.assert_allclose(cross_entropy(x, soft)(network), expected.numpy(), rtol=1e-5)
    assert cross_entropy(x, soft)(network).shape == (6, 7)
    for kind in (torch.int64, torch.int32, torch.uint8, torch.bool):
        np.testing.assert_allclose(cross_entropy(x, classes.to(kind))(network), hard.numpy(), rtol=1e-5)

    flat, images = convolutional(), torch.rand(6, 3, 8, 8)
    for targets in (torch.randint(144, (6,)), torch.rand(6, 144).softmax(-1)):
        expected = functional.cross_entropy(flat(images), targets, reduction="none")
        np.testing.assert_allclose(cross_entropy(images, targets)(flat), expected.numpy(), rtol=1e-5)
    inner = cross_entropy(x, torch.randint(5, (6, 7)), layer="rnn:output")
    assert inner(network).shape == (6, 7)


def test_reconstruction_is_the_mean_squared_error():
    network, x, targets = convolutional(), torch.rand(6, 3, 8, 8), torch.rand(6, 144)
    expected = functional.mse_loss(network(x), targets, reduction="none").mean(1)
    np.testing.assert_allclose(reconstruction(x, targets)(network), expected.numpy(), rtol=1e-5)  # float32
    same = reconstruction(x, layer="0")
    assert same(nn.Sequential(nn.Identity())).tolist() == [0] * 6
    double = nn.Conv2d(3, 3, 1, bias=False).eval()
    double.weight.copy_(2 * torch.eye(3)[..., None, None])
    np.testing.assert_allclose(reconstruction(x)(double), x.square().flatten(1).mean(1), rtol=1e-5)


def test_targets_that_do_not_fit_are_refused():
    x = torch.rand(4, 3)
    identity = nn.Identity()
    for task, match in (
        (cross_entropy(x, torch.zeros(4, 2, dtype=torch.long)), r"what is read is \(\) a trial; targets are \(2,\)"),
        (cross_entropy(x, torch.full((4,), 3)), "targets hold classes 3 … 3; what is read has 3, counted from 0"),
        (cross_entropy(x, torch.full((4,), -1)), "targets hold classes -1 … -1"),
        (cross_entropy(x, torch.rand(4, 1)), r"what is read is \(3,\) a trial; targets are \(1,\)"),
        (cross_entropy(x, torch.rand(4)), r"what is read is \(3,\) a trial; targets are \(\)"),
        (reconstruction(x, torch.rand(4, 1)), r"what is read is \(3,\) a trial; targets are \(1,\)"),
    ):
        with pytest.raises(UsageError, match=match):
            task(identity)
    for inputs, targets, match in (
        (x, torch.rand(3, 3), r"inputs are \(4, 3\), targets \(3, 3\); expected tensors with a row each a trial"),
        (x, torch.tensor(1.0), r"targets \(\)"),
        (x, [0, 1, 2, 0], "targets list"),
        (x.numpy(), torch.zeros(4), "inputs are ndarray"),
    ):
        for make in (cross_entropy, reconstruction):
            with pytest.raises(UsageError, match=match):
                make(inputs, targets)
