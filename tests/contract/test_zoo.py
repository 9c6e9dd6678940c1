"""What holds for every network that has a name of its own.

The stored activity is written by ``python tests/contract/test_zoo.py > tests/contract/zoo_activity.json``.
"""

import json
import sys
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import torch

from probekit import stimuli, zoo
from probekit.errors import DataError, UnknownNameError, UsageError
from probekit.layers import select
from probekit.navigation import random_walk
from probekit.network import Entry, Preprocess, weights_hash

STORED = Path(__file__).with_name("zoo_activity.json")
NAMES = zoo.NETWORKS.names()
each_network = pytest.mark.parametrize("name", NAMES)
each_learner = pytest.mark.parametrize("name", [name for name in NAMES if zoo.NETWORKS.get(name).build])
"""Networks that have weights to learn, and so a twin."""


@cache
def load(name):
    return zoo.load(name)


@torch.no_grad()
def activity(entry):
    """Return the network's output to nine gratings, or paths: the five largest on average, and its weights' hash."""
    if entry.task:
        paths = random_walk(entry.task.arena, entry.task.motion, 9, entry.task.n_steps, seed=1)
        output = entry.module(entry.task.adapter.encode(paths))[:, 4]  # rounding grows along a path
    else:
        shown = stimuli.gratings(
            size=entry.card.input_shape[-1], orientations=4, spatial_frequencies=[1 / 16], phases=2,
            channels=entry.card.input_shape[0],
        )  # fmt: skip
        output = entry.module(entry.preprocess(shown.batch(range(len(shown)))))
    largest = output.mean(0).topk(5).indices
    return {
        "weights_hash": weights_hash(entry.module),
        "largest": largest.tolist(),
        "output": [[round(value, 5) for value in row] for row in output[:, largest].tolist()],
    }


@each_network
def test_the_card_is_complete(name):
    card = zoo.NETWORKS.get(name).card
    assert card.name == name
    for field in ("kind", "trained_on", "accuracy", "source", "licence", "notes"):
        assert getattr(card, field), field
    assert all(size > 0 for size in card.input_shape)
    assert card.layers


@each_network
def test_the_card_counts_the_parameters(name):
    listed = zoo.NETWORKS.get(name).card.parameters
    assert listed == sum(parameter.numel() for parameter in load(name).module.parameters())
    assert load(name).card.parameters == listed


@each_network
def test_the_layers_on_the_card_exist(name):
    entry = load(name)
    assert len(select(entry.module, list(entry.card.layers))) == len(entry.card.layers)


@each_network
def test_the_forward_pass_works_on_the_input_shape(name):
    entry = load(name)
    with torch.no_grad():
        output = entry.module(entry.preprocess(torch.full((2, *entry.card.input_shape), 0.5)))
    assert output.shape[0] == 2
    assert torch.isfinite(output).all()


@each_learner
def test_the_module_is_ready_and_otherwise_as_built(name):
    module = load(name).module
    built = zoo.NETWORKS.get(name).build()
    assert not any(part.training for part in module.modules())
    assert [p.requires_grad for p in module.parameters()] == [p.requires_grad for p in built.parameters()]
    assert all(parameter.grad is None for parameter in module.parameters())


@each_network
def test_the_stored_activity_is_reproduced(name):
    stored = json.loads(STORED.read_text())[name]
    found = activity(load(name))
    assert found["weights_hash"] == stored["weights_hash"]
    assert found["largest"] == stored["largest"]
    # float32 convolutions differ between machines by their order of summation
    torch.testing.assert_close(torch.tensor(found["output"]), torch.tensor(stored["output"]), atol=1e-4, rtol=1e-4)


@each_network
def test_loading_twice_gives_the_same_network(name):
    assert weights_hash(zoo.load(name).module) == weights_hash(load(name).module)


@each_learner
def test_the_twin_has_the_architecture_and_its_seed_alone_sets_its_weights(name):
    entry = load(name)
    twin, again, other = entry.untrained(seed=0), entry.untrained(seed=0), entry.untrained(seed=1)
    assert str(twin.module) == str(entry.module)
    assert not any(part.training for part in twin.module.modules())
    hashes = [weights_hash(network.module) for network in (entry, twin, other)]
    assert len(set(hashes)) == 3
    assert weights_hash(again.module) == hashes[1]
    assert twin.preprocess == entry.preprocess
    assert twin.card.trained_on == "nothing (untrained)"
    assert twin.card.input_shape == entry.card.input_shape
    assert twin.card.layers == entry.card.layers
    assert twin.card.parameters == entry.card.parameters


@each_learner
def test_untrained_is_the_same_twin(name):
    direct = zoo.load(name, untrained=True, seed=3)
    twin = load(name).untrained(seed=3)
    assert weights_hash(direct.module) == weights_hash(twin.module)
    assert direct.card == twin.card
    assert weights_hash(direct.untrained(seed=4).module) == weights_hash(load(name).untrained(seed=4).module)


@each_learner
@pytest.mark.parametrize("untrained", [False, True])
def test_loading_leaves_the_random_state(name, untrained):
    before = torch.get_rng_state()
    zoo.load(name, untrained=untrained)
    assert torch.equal(torch.get_rng_state(), before)


@each_learner
def test_weights_from_a_file_take_the_place_of_its_own(name, tmp_path):
    twin = load(name).untrained(seed=5)
    torch.save(twin.module.state_dict(), tmp_path / "mine.pt")
    entry = zoo.load(name, weights=tmp_path / "mine.pt")
    assert weights_hash(entry.module) == weights_hash(twin.module)
    assert entry.card.trained_on == "unknown to probekit (weights of mine.pt)"
    assert entry.card.accuracy == ""


@each_learner
def test_weights_of_another_network_are_refused(name, tmp_path):
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "other.pt")
    with pytest.raises(DataError, match=r"other\.pt does not fit the network: missing are .*; unexpected are weight"):
        zoo.load(name, weights=tmp_path / "other.pt")


def test_the_catalogue_lists_every_network():
    table = zoo.catalogue()
    assert list(table.columns) == ["name", "kind", "parameters", "trained_on", "accuracy", "weights", "source"]
    assert table["name"].tolist() == NAMES
    assert table["weights"].isin(["here", "to be fetched"]).all()
    assert pd.api.types.is_integer_dtype(table["parameters"])
    assert table.set_index("name").loc["efficientnet-lite0", "weights"] == "here"


def test_input_shape_and_normalisation_can_be_replaced():
    entry = zoo.load("efficientnet-lite0", input_shape=(3, 64, 64), mean=[0.5], std=[0.1, 0.2, 0.3], untrained=True)
    assert entry.card.input_shape == (3, 64, 64)
    assert entry.preprocess == Preprocess((0.5,), (0.1, 0.2, 0.3))
    assert isinstance(entry, Entry)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"untrained": True, "weights": "x.pt"}, "untrained and weights exclude each other"),
        ({"input_shape": (3, 0, 4)}, r"input_shape is \(3, 0, 4\); expected sizes of at least 1"),
        ({"input_shape": ()}, r"input_shape is \(\); expected sizes"),
        ({"mean": [0.5, 0.5]}, r"mean is \(0\.5, 0\.5\); expected 3 finite numbers"),
        ({"std": [0.0]}, r"std is \(0\.0,\); expected numbers above 0"),
        ({"std": [float("nan")]}, r"std is \(nan,\); expected 3 finite numbers"),
        ({"mean": [0.5], "input_shape": (8,)}, r"mean and std are for images; stimuli of shape \(8,\)"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        zoo.load("efficientnet-lite0", **options)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("efficientnet-lit0", r"no network called 'efficientnet-lit0'\. Did you mean 'efficientnet-lite0'"),
        ("resnet18", r"no network called 'resnet18'.*Also: 'torchvision/resnet18'"),
        ("zzz", r"Also: torchvision/NAME, timm/NAME, package\.module:factory"),
        ("torchvision/resnet19", r"no torchvision network called 'resnet19'\. Did you mean 'resnet18'"),
        ("timm/resnet_18", r"no timm network called 'resnet_18'\. Did you mean 'resnet18'"),
        ("timm/resnet18.a1_in2k", r"Did you mean 'resnet18\.a1_in1k'"),
    ],
)
def test_unknown_names_suggest_the_nearest(name, message):
    with pytest.raises(UnknownNameError, match=message):
        zoo.load(name)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {name for name in NAMES if zoo.NETWORKS.get(name).build}))
def test_what_cannot_learn_says_that_it_has_neither_twin_nor_weights(name, tmp_path):
    with pytest.raises(UsageError, match=f"'{name}' has no untrained twin"):
        zoo.load(name, untrained=True)
    with pytest.raises(UsageError, match="no weights to load from"):
        zoo.load(name, weights=tmp_path / "some.pt")


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: activity(load(name)) for name in NAMES}) + "\n")
