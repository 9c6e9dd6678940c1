"""A Recording says of every value which stimulus, time and unit it belongs to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from probekit.errors import UnknownNameError, UsageError
from probekit.recording import UNIT_COLUMNS, Recording


def coded(dims: tuple[str, ...], shape: tuple[int, ...], **coords) -> xr.DataArray:
    return xr.DataArray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape), dims=dims, coords=coords)


def recording(layers: dict[str, xr.DataArray], table: pd.DataFrame | None = None) -> Recording:
    n = next(iter(layers.values())).shape[0] if layers else 0
    return Recording(layers, pd.DataFrame({"stimulus": range(n)}) if table is None else table)


CHOSEN = {"channel": ("channel", [7, 2]), "y": 5, "x": 6}
SAMPLED = {"channel": ("unit", [0, 3]), "y": ("unit", [9, 1]), "x": ("unit", [2, 2])}
ADDRESSES = {
    "vector": (coded(("stimulus", "unit"), (2, 3)), ["L[0]", "L[1]", "L[2]"]),
    "channels of a vector": (coded(("stimulus", "unit"), (2, 2), unit=[5, 9]), ["L[5]", "L[9]"]),
    "map": (
        coded(("stimulus", "channel", "y", "x"), (1, 2, 1, 2)), ["L[0,0,0]", "L[0,0,1]", "L[1,0,0]", "L[1,0,1]"]
    ),
    "one dimension": (coded(("stimulus", "channel", "x"), (1, 2, 2)), ["L[0,0]", "L[0,1]", "L[1,0]", "L[1,1]"]),
    "tokens": (coded(("stimulus", "token", "channel"), (1, 2, 2)), ["L[0,0]", "L[1,0]", "L[0,1]", "L[1,1]"]),
    "tokens alone": (coded(("stimulus", "token"), (1, 2)), ["L[0]", "L[1]"]),
    "attention": (
        coded(("stimulus", "head", "query", "key"), (1, 1, 2, 2)), ["L[0,0,0]", "L[0,0,1]", "L[0,1,0]", "L[0,1,1]"]
    ),
    "calls": (coded(("stimulus", "call", "unit"), (1, 2, 2)), ["L@0[0]", "L@0[1]", "L@1[0]", "L@1[1]"]),
    "time": (coded(("stimulus", "time", "unit"), (1, 4, 2)), ["L[0]", "L[1]"]),
    "calls and time": (
        coded(("stimulus", "call", "time", "channel", "y", "x"), (1, 2, 3, 1, 1, 2)),
        ["L@0[0,0,0]", "L@0[0,0,1]", "L@1[0,0,0]", "L@1[0,0,1]"],
    ),
    "the centre of chosen channels": (coded(("stimulus", "channel"), (1, 2), **CHOSEN), ["L[7,5,6]", "L[2,5,6]"]),
    "the centre of tokens": (coded(("stimulus", "channel"), (1, 2), token=3), ["L[0,3]", "L[1,3]"]),
    "a pooled map": (coded(("stimulus", "channel"), (1, 2)), ["L[0]", "L[1]"]),
    "sampled": (coded(("stimulus", "unit"), (1, 2), **SAMPLED), ["L[0,9,2]", "L[3,1,2]"]),
    "sampled in calls": (
        coded(("stimulus", "call", "unit"), (1, 2, 2), **SAMPLED),
        ["L@0[0,9,2]", "L@0[3,1,2]", "L@1[0,9,2]", "L@1[3,1,2]"],
    ),
    "sampled at the centre": (
        coded(("stimulus", "unit"), (1, 2), channel=("unit", [4, 8]), y=1, x=2), ["L[4,1,2]", "L[8,1,2]"]
    ),
    "sampled tokens": (
        coded(("stimulus", "unit"), (1, 2), token=("unit", [4, 8]), channel=("unit", [3, 0])), ["L[3,4]", "L[0,8]"]
    ),
    "sampled attention": (
        coded(("stimulus", "unit"), (1, 2), head=("unit", [1, 1]), query=("unit", [3, 4]), key=("unit", [0, 2])),
        ["L[1,3,0]", "L[1,4,2]"],
    ),
    "one unit": (coded(("stimulus",), (3,)), ["L"]),
    "one unit in time": (coded(("stimulus", "call", "time"), (3, 2, 4)), ["L@0", "L@1"]),
    "no units": (coded(("stimulus", "channel", "y", "x"), (2, 0, 3, 3)), []),
}  # fmt: skip


@pytest.mark.parametrize(("data", "addresses"), ADDRESSES.values(), ids=ADDRESSES)
def test_every_unit_has_its_address_and_its_column_of_responses(data: xr.DataArray, addresses: list[str]) -> None:
    one = recording({"L": data})
    assert list(one.units.address) == addresses
    assert list(one.units.columns) == list(UNIT_COLUMNS)
    times = (data.sizes["time"],) if "time" in data.dims else ()
    assert one.responses("L").shape == (data.sizes["stimulus"], *times, len(addresses))


def test_a_unit_without_a_place_has_minus_1_there() -> None:
    units = recording({"a": coded(("stimulus", "unit"), (1, 2)), "b": coded(("stimulus", "channel", "x"), (1, 1, 2))})
    assert units.units.equals(pd.DataFrame({
        "layer": ["a", "a", "b", "b"], "call": -1, "channel": [0, 1, 0, 0], "y": -1, "x": [-1, -1, 0, 1],
        "address": ["a[0]", "a[1]", "b[0,0]", "b[0,1]"],
    }))  # fmt: skip


def test_responses_are_stimulus_time_unit_whatever_the_order_of_axes() -> None:
    data = coded(("stimulus", "call", "time", "channel", "y", "x"), (2, 2, 3, 2, 1, 2))
    expected = data.values.transpose(0, 2, 1, 3, 4, 5).reshape(2, 3, 8)
    assert np.array_equal(recording({"L": data}).responses("L"), expected)
    assert np.array_equal(recording({"L": data.transpose("stimulus", "time", ...)}).responses("L"), expected)


def test_units_of_several_layers_follow_each_other() -> None:
    one = recording({"b": coded(("stimulus", "unit"), (1, 2)), "a": coded(("stimulus", "unit"), (1, 1))})
    assert one.layers == ["b", "a"]
    assert list(one.units.address) == ["b[0]", "b[1]", "a[0]"]
    assert list(one.units.index) == [0, 1, 2]


def test_a_recording_of_nothing_has_no_units() -> None:
    empty = recording({})
    assert (empty.layers, empty.n_stimuli, len(empty.units)) == ([], 0, 0)
    assert list(empty.units.columns) == list(UNIT_COLUMNS)


def test_more_than_three_unit_axes_are_refused() -> None:
    with pytest.raises(UsageError, match=r"unit axes are \['a', 'b', 'c', 'd'\]; expected at most three"):
        _ = recording({"L": coded(("stimulus", "a", "b", "c", "d"), (1, 1, 1, 1, 1))}).units


def test_an_unknown_layer_suggests_the_nearest() -> None:
    one = recording({"features.0": coded(("stimulus", "unit"), (1, 2))})
    with pytest.raises(UnknownNameError, match=r"no recorded layer called 'feature\.0'.* Did you mean 'features\.0'\?"):
        one["feature.0"]
    with pytest.raises(UnknownNameError, match=r"Known: features\.0\."):
        one.responses("nothing")


def test_to_xarray_labels_stimuli_and_leaves_the_recording_as_it_was() -> None:
    table = pd.DataFrame({"orientation_deg": [0.0, 90.0], "word": ["a", "b"]})
    one = recording({"L": coded(("stimulus", "channel", "y", "x"), (2, 1, 2, 2), channel=[4])}, table)
    labelled = one.to_xarray()["L"]
    assert list(labelled.orientation_deg.values) == [0, 90]
    assert list(labelled.word.values) == ["a", "b"]
    assert labelled.channel.item() == 4
    assert float(labelled.where(labelled.orientation_deg == 90, drop=True).mean()) == 5.5
    assert list(one["L"].coords) == ["channel"]
    assert labelled.drop_vars(["orientation_deg", "word"]).equals(one["L"])


def test_a_stimulus_column_named_as_an_axis_is_kept_under_another_name() -> None:
    table = pd.DataFrame({"stimulus": [8, 9], "x": [3.0, 4.0], "channel": ["r", "g"], "unit": [0, 1]})
    one = recording({
        "map": coded(("stimulus", "channel", "y", "x"), (2, 1, 2, 2)),
        "sampled": coded(("stimulus", "unit"), (2, 2), channel=("unit", [0, 1])),
    }, table)  # fmt: skip
    labelled = one.to_xarray()
    assert {key: list(value.values) for key, value in labelled["map"].coords.items()} == {
        "stimulus": [8, 9], "stimulus_x": [3, 4], "stimulus_channel": ["r", "g"], "unit": [0, 1]}  # fmt: skip
    assert set(labelled["sampled"].coords) == {"stimulus", "x", "channel", "stimulus_channel", "stimulus_unit"}
    assert list(labelled["sampled"].channel.values) == [0, 1]


def test_recordings_are_equal_when_layers_stimuli_and_values_are() -> None:
    data = coded(("stimulus", "unit"), (2, 2))
    data[0, 0] = np.nan
    one = recording({"a": data})
    assert one.equals(recording({"a": data.copy()}))
    assert not one.equals(recording({"b": data}))
    assert not one.equals(recording({"a": data, "b": data}))
    assert not one.equals(recording({"a": data + 1}))
    assert not one.equals(recording({"a": data}, pd.DataFrame({"stimulus": [1, 0]})))
    assert not one.equals(recording({"a": data.assign_coords(unit=[1, 0])}))
