"""Patterns mean what an implementation without regular expressions says, on any names."""

from __future__ import annotations

from collections import OrderedDict
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from probekit.errors import LayerError
from probekit.layers import matches, select

SIGNS = st.sampled_from([*"ab01.*?", "**", *"[](){}+^$|\\-_ \n", "\\d", "é", ":"])


@cache
def fits(pattern: str, name: str) -> bool:
    """Take the pattern sign by sign: "**" anything, "*" anything but a dot, "?" one sign but a dot."""
    if not pattern:
        return not name
    if pattern.startswith("**."):
        ends = [at + 1 for at, sign in enumerate(name) if sign == "."]
        return any(fits(pattern[3:], name[at:]) for at in [0, *ends])
    if pattern.startswith("*"):
        rest = pattern.removeprefix("**") if pattern.startswith("**") else pattern[1:]
        takes_one_more = bool(name) and (pattern.startswith("**") or name[0] != ".")
        return fits(rest, name) or (takes_one_more and fits(pattern, name[1:]))
    if not name or (name[0] == "." if pattern[0] == "?" else name[0] != pattern[0]):
        return False
    return fits(pattern[1:], name[1:])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a name, and a pattern that was made of it by putting signs in place of parts, so that many fit."""
    name = draw(st.lists(SIGNS, max_size=8))
    pattern = [draw(st.sampled_from([sign, sign, sign, "*", "**", "?", ""])) for sign in name]
    return "".join(pattern), "".join(name)


@settings(deadline=None, max_examples=400)
@given(pairs() | st.tuples(st.lists(SIGNS, max_size=6).map("".join), st.lists(SIGNS, max_size=6).map("".join)))
def test_patterns_mean_what_they_say(pair: tuple[str, str]) -> None:
    assert matches(*pair) is fits(*pair)


def tree(children: dict) -> nn.Module:
    return nn.Sequential(OrderedDict((name, tree(below)) for name, below in children.items()))


NAMES = st.text("ab01*?[+:", min_size=1, max_size=3)
TREES = st.recursive(st.just({}), lambda below: st.dictionaries(NAMES, below, max_size=3), max_leaves=10)


@settings(deadline=None, max_examples=200)
@given(TREES.map(tree), pairs())
def test_a_pattern_gives_every_layer_that_fits_in_order(network: nn.Module, pair: tuple[str, str]) -> None:
    pattern = pair[0].replace(":", "")
    every = [name for name, _ in network.named_modules() if name]
    expected = [pattern] if pattern in every else [name for name in every if fits(pattern, name)]
    if pattern == "**" and not every:
        expected = ["."]
    try:
        found = [wanted.name for wanted in select(network, pattern)]
    except LayerError:
        found = []
    assert found == ([pattern] if pattern == "." else expected)


@settings(deadline=None, max_examples=100)
@given(TREES.map(tree))
def test_every_layer_is_found_by_its_own_name_and_by_two_stars(network: nn.Module) -> None:
    every = [name for name, _ in network.named_modules() if name]
    for name in every:
        assert [(wanted.name, wanted.exact, wanted.parts) for wanted in select(network, name)] == [(name, True, ())]
    if every and "**" not in every:
        assert [wanted.name for wanted in select(network, "**")] == every
        assert [wanted.name for wanted in select(network, [*reversed(every), "**"])] == every[::-1]
