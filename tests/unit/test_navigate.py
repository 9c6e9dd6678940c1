"""A network led along paths: recorded as it ran, left as it was, refused in words."""

import numpy as np
import pytest
import torch
from torch import nn

import probekit as pk
from probekit.errors import ModelError, UsageError
from probekit.navigation import NETWORK_MOTION, Adapter, Arena, Paths, Task, random_walk
from probekit.network import Card, Entry, weights_hash

BOX = Arena.square(1.0)


class Integrator(nn.Module):
    """Adds up steps: its output is where it is, if it is told the start."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(2, 2, nonlinearity="relu", bias=False, batch_first=True)
        self.wide = nn.Linear(2, 4)
        self.last = nn.Identity()
        with torch.no_grad():
            self.rnn.weight_ih_l0.copy_(torch.eye(2))
            self.rnn.weight_hh_l0.copy_(torch.eye(2))

    def forward(self, told):
        steps, start = told[..., :2], told[:, 0, 2:]
        summed, _ = self.rnn(steps, start[None] + 10)  # far from 0, where it would be rectified
        self.wide(summed)
        self.last(summed[:, -1])
        return summed - 10


def encode(paths: Paths):
    start = np.broadcast_to(paths.positions[:, :1], (len(paths), paths.n_steps, 2))
    return torch.from_numpy(np.concatenate([paths.displacements, start], -1)).float()


ADAPTER = Adapter(encode, lambda said: said)


def test_units_and_places_come_sample_by_sample_along_the_paths():
    walked = pk.navigate(Integrator(), BOX, ADAPTER, n_paths=30, n_steps=12, layers=["rnn:output", "wide"], seed=4)
    paths = random_walk(BOX, NETWORK_MOTION, 30, 12, seed=4)
    places = paths.positions[:, 1:].reshape(-1, 2)
    np.testing.assert_array_equal(walked.tracking.positions, places)
    np.testing.assert_allclose(walked["rnn:output"], places + 10, atol=1e-5)
    np.testing.assert_allclose(walked.decoded, places, atol=1e-5)
    assert walked["wide"].shape == (360, 4)
    assert list(walked.tracking.path[[0, 11, 12, -1]]) == [0, 0, 1, 29]
    assert walked.provenance["n_paths"] == 30
    assert "rnn:output: 2 units" in repr(walked)


def test_paths_of_an_animal_can_be_given():
    paths = random_walk(Arena.circle(0.8), NETWORK_MOTION, 7, 9, seed=1)
    walked = pk.navigate(Integrator(), None, ADAPTER, paths=paths, layers="rnn:output", batch_size=3)
    np.testing.assert_allclose(walked.decoded.reshape(7, 9, 2), paths.positions[:, 1:], atol=1e-5)
    assert walked.tracking.arena.shape == "circle"


def test_the_task_of_an_entry_is_what_is_not_given():
    task = Task(BOX, NETWORK_MOTION, 6, ADAPTER)
    entry = Entry(
        Integrator(), lambda batch: batch, Card("mine", "RNN", (6, 4), "nothing", ("rnn:output",)), None, task
    )
    walked = pk.navigate(entry, n_paths=5)
    assert walked["rnn:output"].shape == (30, 2)
    longer = pk.navigate(entry, n_paths=5, n_steps=11)
    assert longer["rnn:output"].shape == (55, 2)


def test_without_decode_nothing_is_decoded():
    walked = pk.navigate(Integrator(), BOX, Adapter(encode), n_paths=4, layers="rnn:output")
    assert walked.decoded is None
    assert len(walked.tracking) == 80


def test_the_network_is_left_as_it_was_also_when_it_raises():
    network = Integrator().train()
    before, state = weights_hash(network), torch.get_rng_state()
    pk.navigate(network, BOX, ADAPTER, n_paths=3, layers="rnn:output")

    def broken(said):
        raise ZeroDivisionError

    with pytest.raises(ModelError, match="raised ZeroDivisionError"):
        pk.navigate(network, BOX, Adapter(encode, broken), n_paths=3, layers="rnn:output")
    assert weights_hash(network) == before
    assert network.training
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"network": "mine"}, UsageError, "network is a str; expected a torch.nn.Module or an entry of the zoo"),
        (
            {"arena": None},
            UsageError,
            "arena is missing: 'Integrator' has no navigation task; give one, probekit.navig",
        ),
        ({"adapter": None}, UsageError, "adapter is missing: 'Integrator' has no navigation task"),
        ({"n_paths": 0}, UsageError, "n_paths is 0; expected at least 1"),
        ({"n_steps": 0}, UsageError, "n_steps is 0; expected at least 1"),
        (
            {"adapter": Adapter(lambda paths: encode(paths)[0])},
            UsageError,
            r"adapter.encode gave \(20, 4\); expected a",
        ),
        ({"adapter": Adapter(lambda paths: "no")}, UsageError, "adapter.encode gave str; expected a tensor of shape"),
        (
            {"adapter": Adapter(encode, lambda said: said[:, 0])},
            ModelError,
            r"adapter.decode gave \(2, 2\); expected a tensor of shape \(2, 20, 2\)",
        ),
        ({"layers": "last"}, UsageError, "expected a time axis of 20 steps"),
        (
            {"paths": random_walk(BOX, NETWORK_MOTION, 2, 3), "n_steps": 4},
            UsageError,
            "paths exclude n_paths, n_steps and motion",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(options, error, message):
    asked = {"network": Integrator(), "arena": BOX, "adapter": ADAPTER, "layers": "rnn:output"} | options
    if "paths" not in options:
        asked.setdefault("n_paths", 3)
    with pytest.raises(error, match=message):
        pk.navigate(asked.pop("network"), asked.pop("arena"), asked.pop("adapter"), **asked)
