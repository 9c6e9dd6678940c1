"""Layers are chosen by name, pattern, type or predicate, each once, and what fits nothing is said."""

from __future__ import annotations

import re
from collections import OrderedDict

import pytest
import torch
from torch import nn

from probekit.errors import LayerError, UsageError
from probekit.layers import Wanted, matches, modules_by_name, select


def block() -> nn.Module:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 3, 1), act=nn.ReLU()))


@pytest.fixture
def net() -> nn.Module:
    blocks = nn.Sequential(block(), block())
    return nn.Sequential(OrderedDict(stem=nn.Conv2d(3, 3, 1), blocks=blocks, head=nn.Linear(3, 2)))


class Tied(nn.Module):
    """The same linear layer and the same block under two names each."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
        self.decoder = nn.Sequential(self.encoder[0], nn.Sigmoid())
        self.twin = self.encoder


def names(network: nn.Module, spec) -> list[str]:
    return [wanted.name for wanted in select(network, spec)]


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("blocks.*", "blocks.0", True), ("blocks.*", "blocks.0.conv", False), ("blocks.**", "blocks.0.conv", True),
        ("**.conv", "blocks.0.conv", True), ("**.conv", "conv", True), ("**conv", "conv", True), ("*", "", True),
        ("layer?", "layer4", True), ("layer?", "layer", False), ("layer?", "layer.", False), ("a.b", "axb", False),
        ("*.*", "a.b", True), ("*.*", "a.b.c", False), ("**", "a.b.c", True), ("***", "a.b", True), ("", "", True),
        ("[a-z]", "b", False), ("[a-z]", "[a-z]", True), ("a+", "aa", False), ("a+", "a+", True), ("(a|b)", "a", False),
        ("^a$", "a", False), ("a\\d", "a1", False), ("a*c", "abc", True), ("a*c", "a\nc", True), ("a*", "a\n", True),
        ("A", "a", False), ("a", "a\n", False),
    ],
)  # fmt: skip
def test_patterns_stand_for_levels_and_nothing_else(pattern: str, name: str, fits: bool) -> None:
    assert matches(pattern, name) is fits


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("stem", ["stem"]),
        (".", ["."]),
        ("*", ["stem", "blocks", "head"]),
        ("b**", ["blocks", "blocks.0", "blocks.0.conv", "blocks.0.act", "blocks.1", "blocks.1.conv", "blocks.1.act"]),
        ("blocks.*.conv", ["blocks.0.conv", "blocks.1.conv"]),
        (nn.Conv2d, ["stem", "blocks.0.conv", "blocks.1.conv"]),
        (nn.Sequential, [".", "blocks", "blocks.0", "blocks.1"]),
        (lambda name, module: name.endswith("act") and isinstance(module, nn.ReLU), ["blocks.0.act", "blocks.1.act"]),
        (lambda name, _: name == "", ["."]),
        (["head", nn.ReLU, "stem"], ["head", "blocks.0.act", "blocks.1.act", "stem"]),
        (("head", "h*", "head"), ["head"]),
        (None, ["blocks.0.act", "blocks.1.act"]),
    ],
)  # fmt: skip
def test_layers_are_chosen_once_each_in_order(net: nn.Module, spec, expected: list[str]) -> None:
    assert names(net, spec) == expected


def test_only_a_layers_own_name_asks_for_it_exactly(net: nn.Module) -> None:
    exact = {wanted.name: wanted.exact for wanted in select(net, ["*", "blocks.0", nn.ReLU, "stem", "."])}
    assert [name for name, said in exact.items() if said] == ["stem", "blocks.0", "."]


def test_parts_are_kept_and_joined_and_the_whole_wins(net: nn.Module) -> None:
    assert select(net, "head:0") == [Wanted("head", ("0",), exact=True)]
    assert select(net, "**.conv:c_*") == [
        Wanted("blocks.0.conv", ("c_*",), exact=False), Wanted("blocks.1.conv", ("c_*",), exact=False)
    ]  # fmt: skip
    assert select(net, ["head:a", "h*:b"]) == [Wanted("head", ("a", "b"), exact=True)]
    assert select(net, ["head:a", "head"]) == select(net, ["head", "head:a"]) == [Wanted("head", (), exact=True)]
    assert select(net, "head:") == [Wanted("head", (), exact=True)]


def test_names_with_signs_of_patterns_and_parts_are_names() -> None:
    odd = nn.Sequential(OrderedDict({"a*": nn.ReLU(), "ab": nn.ReLU(), "x:y": nn.ReLU(), "[0]+": nn.ReLU()}))
    assert select(odd, "a*") == [Wanted("a*", (), exact=True)]
    assert select(odd, "x:y") == [Wanted("x:y", (), exact=True)]
    assert select(odd, "x:y:z") == [Wanted("x:y", ("z",), exact=True)]
    assert names(odd, "[0]*") == ["[0]+"]
    assert names(odd, "??") == ["a*", "ab"]


def test_a_shared_module_is_found_under_each_of_its_names() -> None:
    tied = Tied()
    assert list(modules_by_name(tied)) == [
        ".", "encoder", "encoder.0", "encoder.1", "decoder", "decoder.0", "decoder.1", "twin", "twin.0", "twin.1"
    ]  # fmt: skip
    for name in ("decoder.0", "twin.1", "twin"):
        assert select(tied, name) == [Wanted(name, (), exact=True)]
    assert names(tied, "decoder.*") == ["decoder.0", "decoder.1"]
    assert names(tied, "twin.*") == ["twin.0", "twin.1"]


def test_a_shared_module_is_given_once_a_pick() -> None:
    tied = Tied()
    assert names(tied, "**") == ["encoder", "encoder.0", "encoder.1", "decoder", "decoder.1"]
    assert names(tied, nn.Linear) == ["encoder.0"]
    assert names(tied, lambda _, module: isinstance(module, nn.Linear)) == ["encoder.0"]
    assert names(tied, ["encoder.0", "decoder.0"]) == ["encoder.0", "decoder.0"]  # each asked for by name


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nn.Sequential(nn.Conv2d(1, 1, 1), nn.GELU(), nn.Softmax(1)), ["1"]),
        (nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(1, 1), nn.LSTM(1, 1)), ["0", "2", "3"]),
        (nn.Sequential(nn.MultiheadAttention(2, 1), nn.LayerNorm(2)), ["0", "0.out_proj"]),
        (nn.Sequential(nn.Flatten(), nn.Identity()), ["0", "1"]),
        (nn.ReLU(), ["."]),
        (nn.LSTMCell(1, 1), ["."]),
    ],
)
def test_probekits_own_choice_is_activations_or_else_what_has_weights(network: nn.Module, expected: list[str]) -> None:
    assert names(network, None) == expected


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("steem", r"The network has no layer 'steem'\. Did you mean 'stem'\? Its layers: stem, blocks, blocks\.0, "),
        ("blocks.7", r"The network has no layer 'blocks\.7'\. Did you mean 'blocks\.[01]'\?"),
        ("", "The network has no layer ''"),
        ("zzz.*", r"has no layer 'zzz\.\*'\. Its layers: .*\(`probekit layers MODEL` lists them; \* stands for one"),
        ("nothing:part", "The network has no layer 'nothing'"),
        ("stem.*", r"has no layer 'stem\.\*'"),
        (["stem", "gone"], "The network has no layer 'gone'"),
        (nn.LSTM, "layers asks for modules of type LSTM; the network has none that fits"),
        (lambda *_: False, "layers gives a predicate; the network has none that fits"),
        ([], "layers is an empty list; name at least one layer, or give None"),
    ],
)
def test_what_fits_nothing_is_said(net: nn.Module, spec, text: str) -> None:
    with pytest.raises(LayerError, match=text):
        select(net, spec)


@pytest.mark.parametrize("spec", [3, [3.5], ["stem", None], {"stem"}, b"stem"])
def test_what_is_no_pick_is_said(net: nn.Module, spec) -> None:
    with pytest.raises(UsageError, match=r"layers holds .*; expected a name, a pattern, a module type or a predicate"):
        select(net, spec)


def test_a_module_itself_is_no_pick(net: nn.Module) -> None:
    with pytest.raises(UsageError, match=re.escape(f"layers holds {net.stem!r}; expected a name, a pattern")):
        select(net, net.stem)


def test_many_layers_are_not_all_listed() -> None:
    deep = nn.Sequential(*[nn.ReLU() for _ in range(20)])
    with pytest.raises(LayerError, match=r"Its layers: 0, 1, 2, .*, 11 and 8 more\."):
        select(deep, "x")


def test_choosing_leaves_the_network_alone(net: nn.Module) -> None:
    before = {name: value.clone() for name, value in net.state_dict().items()}
    select(net, ["**", nn.ReLU, lambda *_: True])
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())
