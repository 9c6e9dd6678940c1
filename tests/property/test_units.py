"""What is kept of a layer equals plain numpy indexing, for any axes and any choice."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from probekit.units import Units, choose

AXES = [
    ("unit",), ("token",), ("time", "token"), ("channel", "x"), ("channel", "y", "x"), ("token", "channel"),
    ("time", "unit"),
    ("time", "token", "channel"), ("time", "channel", "y", "x"), ("head", "query", "key"),
]  # fmt: skip
PLACES = ("token", "y", "x")


@st.composite
def choices(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[int, ...], Units]:
    dims = draw(st.sampled_from(AXES))
    shape = tuple(draw(st.integers(1, 6)) for _ in dims)
    channels = None
    if {"unit", "channel"} & set(dims):
        n = shape[dims.index("channel" if "channel" in dims else "unit")]
        channels = draw(st.none() | st.lists(st.integers(0, n - 1), min_size=1, max_size=5))
    space = draw(st.sampled_from(["all", "centre", "mean", "max"]))
    return dims, shape, Units(channels, space, draw(st.none() | st.integers(1, 30)), draw(st.integers(0, 5)))


def centre(dim: str, size: int) -> int:
    if dim != "token":
        return size // 2
    grids = {side * side + lead: lead + side // 2 * (side + 1) for lead in (1, 0) for side in range(2, 9)}
    return grids.get(size, size // 2)


def plain(values: np.ndarray, dims: list[str], units: Units) -> tuple[np.ndarray, list[str], dict]:
    """Return channels and space by numpy alone, with the axes left and where each of their indices was."""
    places = {dim: np.arange(size) for dim, size in zip(dims, values.shape[1:], strict=True)}
    if units.channels is not None:
        axis = "channel" if "channel" in dims else "unit"
        values = values.take(units.channels, 1 + dims.index(axis))
        places[axis] = np.array(units.channels)
    for dim in [dim for dim in dims if dim in PLACES and units.space != "all"]:
        axis = 1 + dims.index(dim)
        if units.space == "centre":
            values = values.take(centre(dim, values.shape[axis]), axis)
        else:
            values = values.mean(axis) if units.space == "mean" else values.max(axis)
        dims = [left for left in dims if left != dim]
    return values, dims, places


@settings(deadline=None, max_examples=200)
@given(choices())
def test_a_choice_is_plain_indexing(drawn: tuple[tuple[str, ...], tuple[int, ...], Units]) -> None:
    dims, shape, units = drawn
    values = np.random.default_rng(0).random((3, *shape))
    choice = choose(units, "layer", dims, shape)
    given_values = torch.from_numpy(values.copy())
    got = choice.apply(given_values).numpy()
    assert got.shape == (3, *choice.shape)
    assert np.array_equal(given_values, values)
    expected, left, places = plain(values, list(dims), units)
    spatial = [dim for dim in left if dim != "time"]
    if units.sample is None or not spatial:
        assert choice.dims == tuple(left)
        np.testing.assert_allclose(got, expected, rtol=1e-14)  # a mean of up to 36 float64 in another order
        return
    lead = left.count("time")
    assert choice.dims == ("time",) * lead + ("unit",)
    flat = expected.reshape(*expected.shape[: 1 + lead], -1)
    assert choice.shape[-1] == min(units.sample, flat.shape[-1])
    found = [int(np.argmin(np.abs(flat - column[..., None]).max(axis=tuple(range(flat.ndim - 1))))) for column in
             np.moveaxis(got, -1, 0)]  # fmt: skip
    np.testing.assert_allclose(got, flat[..., found], rtol=1e-14)
    if len(set(units.channels or ())) == len(units.channels or ()):
        assert found == sorted(set(found))  # in order, none twice
    at = np.unravel_index(found, [expected.shape[1 + left.index(dim)] for dim in spatial])
    for dim, index in zip(spatial, at, strict=True):
        on, values_there = choice.coords["channel" if dim == "unit" else dim]
        assert on == ("unit",)
        assert np.array_equal(values_there, places[dim][index])
