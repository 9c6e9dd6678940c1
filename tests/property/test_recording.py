"""Whatever the axes and whatever is kept of them, a row of `units` leads to its column of `responses`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from probekit.recording import Recording
from probekit.units import Units, choose

PLACES = {
    ("unit",): {"unit": "channel"},
    ("channel", "x"): {"channel": "channel", "x": "x"},
    ("channel", "y", "x"): {"channel": "channel", "y": "y", "x": "x"},
    ("token", "channel"): {"channel": "channel", "token": "x"},
    ("token",): {"token": "x"},
    ("head", "query", "key"): {"head": "channel", "query": "y", "key": "x"},
    ("channel",): {"channel": "channel"},
    (): {},
}  # the axes of a layer, and the column of the unit table in which each is found


@st.composite
def layers(draw: st.DrawFn) -> tuple[dict[str, int], Units]:
    """Draw the axes of a layer with their sizes, and a part of it to keep."""
    places = draw(st.sampled_from(list(PLACES)))
    leading = draw(st.sampled_from([(), ("call",), ("time",), ("call", "time")]))
    sizes = {dim: draw(st.integers(1, 4)) for dim in ("stimulus", *leading, *places)}
    feature = next((dim for dim in ("channel", "unit") if dim in places), None)
    some = st.lists(st.integers(0, sizes[feature] - 1), min_size=1, max_size=4) if feature else st.none()
    channels = draw(st.none() | some)
    space = draw(st.sampled_from(["all", "centre"]))
    sample = draw(st.none() | st.integers(1, 20))
    return sizes, Units(channels=channels, space=space, sample=sample, seed=draw(st.integers(0, 9)))


@settings(deadline=None, max_examples=150)
@given(layers())
def test_a_row_of_units_leads_to_its_responses(drawn: tuple[dict[str, int], Units]) -> None:
    sizes, units = drawn
    full = xr.DataArray(np.arange(np.prod(list(sizes.values()))).reshape(list(sizes.values())), dims=list(sizes))
    inner = tuple(dim for dim in sizes if dim not in ("stimulus", "call"))
    choice = choose(units, "layer", inner, tuple(sizes[dim] for dim in inner))
    calls = [dim for dim in sizes if dim == "call"]
    kept = np.stack([
        choice.apply(torch.from_numpy(np.ascontiguousarray(one))).numpy()
        for one in (full.values.swapaxes(0, 1) if calls else full.values[None])
    ], 1)  # fmt: skip
    data = xr.DataArray(
        kept if calls else kept[:, 0], dims=("stimulus", *calls, *choice.dims), coords=choice.coords, name="layer"
    )
    recording = Recording({"layer": data}, pd.DataFrame({"stimulus": range(sizes["stimulus"])}))
    responses, table = recording.responses("layer"), recording.units
    assert responses.shape[-1] == len(table)
    columns = PLACES[tuple(dim for dim in inner if dim != "time")] | ({"call": "call"} if calls else {})
    for column, (_, row) in zip(np.moveaxis(responses, -1, 0), table.iterrows(), strict=True):
        place = {dim: row[name] for dim, name in columns.items()}
        assert np.array_equal(column, full.isel(place))
        absent = {"call", "channel", "y", "x"} - set(columns.values())
        assert all(row[name] == -1 for name in absent)
    if not units.channels or len(set(units.channels)) == len(units.channels):
        assert table.address.is_unique
