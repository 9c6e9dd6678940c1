"""Part of a layer is what plain indexing gives, and a choice that makes no sense is refused."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from probekit.errors import UsageError
from probekit.units import Units, choose

MAP = ("channel", "y", "x")


@pytest.mark.parametrize(
    ("size", "centre"),
    [
        (1, 0), (2, 1), (3, 1), (7, 3),
        (4, 3), (5, 4), (9, 4), (10, 5), (16, 10), (49, 24), (50, 25), (196, 105), (197, 106), (257, 137),
        (6, 3), (11, 5), (198, 99),
    ],
)  # fmt: skip
def test_the_centre_of_tokens_is_that_of_their_grid(size: int, centre: int) -> None:
    """A square grid of s × s has its centre at row s // 2, column s // 2; one token more is a class token in front."""
    choice = choose(Units(space="centre"), "layer", ("token", "channel"), (size, 2))
    assert choice.coords["token"] == ((), centre)
    values = torch.arange(size * 2.0).reshape(1, size, 2)
    assert torch.equal(choice.apply(values), values[:, centre])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 5), (4, 6), (14, 7)])
def test_the_centre_of_a_map_is_at_half_its_size(height: int, width: int) -> None:
    choice = choose(Units(space="centre"), "layer", MAP, (3, height, width))
    values = torch.rand(2, 3, height, width)
    assert torch.equal(choice.apply(values), values[:, :, height // 2, width // 2])
    assert (choice.dims, choice.shape) == (("channel",), (3,))
    assert choice.coords == {"y": ((), height // 2), "x": ((), width // 2)}


def test_every_unit_is_the_layer_itself() -> None:
    values = torch.rand(2, 3, 4, 5)
    choice = choose(Units(), "layer", MAP, (3, 4, 5))
    assert (choice.dims, choice.shape, choice.coords) == (MAP, (3, 4, 5), {})
    assert torch.equal(choice.apply(values), values)


def test_channels_keep_their_order_and_may_repeat() -> None:
    values = torch.rand(2, 4, 3)
    choice = choose(Units(channels=[3, 0, 3]), "layer", ("channel", "x"), (4, 3))
    assert torch.equal(choice.apply(values), values[:, [3, 0, 3]])
    assert list(choice.coords["channel"][1]) == [3, 0, 3]


def sampled(units: Units, layer: str = "layer", dims: tuple = MAP, shape: tuple = (8, 6, 6)) -> np.ndarray:
    choice = choose(units, layer, dims, shape)
    return np.stack([choice.coords[dim][1] for dim in dims], 1)


def test_a_sample_is_its_seeds_and_its_layers_and_of_no_global_state() -> None:
    torch_state, numpy_state = torch.get_rng_state(), str(np.random.get_state())
    first = sampled(Units(sample=20, seed=1))
    assert np.array_equal(first, sampled(Units(sample=20, seed=1)))
    assert not np.array_equal(first, sampled(Units(sample=20, seed=2)))
    assert not np.array_equal(first, sampled(Units(sample=20, seed=1), layer="other"))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert str(np.random.get_state()) == numpy_state


def test_a_sample_takes_every_unit_equally_often() -> None:
    """3 of 12 units, 4,000 seeds: each is drawn 1,000 times, give or take 4.5 binomial standard deviations (27)."""
    counts = np.zeros((3, 2, 2), int)
    for seed in range(4000):
        counts[tuple(sampled(Units(sample=3, seed=seed), shape=(3, 2, 2)).T)] += 1
    assert counts.sum() == 12_000
    assert np.abs(counts - 1000).max() < 4.5 * np.sqrt(4000 * 0.25 * 0.75)


def test_a_sample_of_more_than_there_are_is_all_of_them() -> None:
    places = sampled(Units(sample=10**6), shape=(2, 3, 4))
    assert np.array_equal(places, np.indices((2, 3, 4)).reshape(3, -1).T)


@pytest.mark.parametrize("channels", [[1, 2], (1, 2), range(1, 3), np.array([1, 2]), {1: "a", 2: "b"}.keys()])
def test_channels_may_come_in_any_collection(channels) -> None:
    units = Units(channels=channels)
    assert units == Units(channels=[1, 2])
    assert hash(units) == hash(Units(channels=(1, 2)))
    assert json.loads(json.dumps(asdict(units))) == {"channels": [1, 2], "space": "all", "sample": None, "seed": 0}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"space": "center"}, r"space is 'center'; allowed: 'all', 'centre', 'mean', 'max'\. Did you mean 'centre'\?"),
        ({"sample": 0}, "sample is 0; expected a whole number of units, at least 1"),
        ({"sample": 2.5}, r"sample is 2\.5; expected a whole number"),
        ({"sample": True}, "sample is True; expected a whole number"),
        ({"seed": -1}, "seed is -1; expected a whole number from 0"),
        ({"channels": []}, r"channels are \[\]; expected at least one whole number, each from 0"),
        ({"channels": [0, -1]}, r"channels are \[0, -1\]; expected at least one whole number, each from 0"),
        ({"channels": [1.5]}, r"channels are \[1\.5\]; expected"),
        ({"channels": np.array([True, False])}, r"channels are array\(\[ True, False\]\); expected"),
        ({"channels": [True, False]}, r"channels are \[True, False\]; expected"),
        ({"channels": 3}, "channels are 3; expected"),
        ({"channels": "12"}, "channels are '12'; expected"),
    ],
)
def test_units_that_make_no_sense_are_refused(options: dict, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Units(**options)


def test_channels_that_a_layer_has_not_are_named() -> None:
    with pytest.raises(UsageError, match=r"channels \[3, 9\] do not exist in layer 'conv'; it has 3: 0 … 2\."):
        choose(Units(channels=[0, 3, 9]), "conv", MAP, (3, 2, 2))
    with pytest.raises(UsageError, match="channels were asked of layer 'attn', whose axes are head, query, key"):
        choose(Units(channels=[0]), "attn", ("head", "query", "key"), (2, 4, 4))
