"""Recorded activity, labelled: which stimulus, which unit, and where it came from."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from probekit.errors import UsageError, unknown_name

UNIT_COLUMNS = ("layer", "call", "channel", "y", "x", "address")
_NOT_A_PLACE = ("stimulus", "call", "time")


@dataclass(frozen=True, eq=False)
class Recording:
    """Activity of the chosen layers to a set of stimuli.

    Parameters
    ----------
    activity : mapping of str to xarray.DataArray
        Layer → activity, dims `(stimulus, [call], [time], channel, y, x)`, or with fewer or other unit axes:
        `(…, unit)` for vectors and sampled units, `(…, token, channel)` for transformers. A part of an output
        has its name after a colon: "lstm:c_l0". Arrays of a store are read when they are touched.
    stimuli : pandas.DataFrame
        One row a stimulus.
    provenance : mapping
        JSON-ready: network, hash of its weights, preprocessing, stimuli and their hash, layers, versions.
    skipped : mapping of str to str
        Layers that a pattern matched and that could not be recorded, with the reason.
    """

    activity: Mapping[str, xr.DataArray]
    stimuli: pd.DataFrame
    provenance: Mapping[str, Any] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the layers."""
        return iter(self.activity)

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self.activity)

    def __contains__(self, layer: object) -> bool:
        """Say whether a layer was recorded."""
        return layer in self.activity

    def __repr__(self) -> str:
        """Say in a line a layer what was recorded."""
        network = self.provenance.get("network", "a network")
        head = f"Recording of {network}: {self.n_stimuli} stimuli, {len(self)} layers"
        lines = [f"  {name} {dict(data.sizes)} {data.dtype}" for name, data in self.activity.items()]
        return "\n".join([head, *lines[:20], *([f"  and {len(lines) - 20} more"] if len(lines) > 20 else [])])

    def __getitem__(self, layer: str) -> xr.DataArray:
        """Return one layer's activity; unknown names suggest the nearest."""
        if layer not in self.activity:
            raise unknown_name("recorded layer", layer, self.activity)
        return self.activity[layer]

    @property
    def layers(self) -> list[str]:
        """Recorded layers, in the order in which they ran."""
        return list(self.activity)

    @property
    def n_stimuli(self) -> int:
        """Number of stimuli."""
        return len(self.stimuli)

    @cached_property
    def units(self) -> pd.DataFrame:
        """One row a unit, layer by layer: `layer, call, channel, y, x, address`; -1 where a unit has no such place.

        The address reads ``features.3[12,4,4]``, and ``relu@1[12,4,4]`` for the second call of a module. The last three
        unit axes stand under channel, y and x whatever their name; a token's index stands under x.
        """
        tables = [_unit_table(name, data) for name, data in self.activity.items()]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(UNIT_COLUMNS))

    def responses(self, layer: str) -> np.ndarray:
        """Return one layer's activity as a matrix, its units in the order of their rows in `units`.

        Returns
        -------
        array, shape (stimulus, unit) or (stimulus, time, unit)
        """
        data = self[layer]
        leading = ["stimulus", "time"] if "time" in data.dims else ["stimulus"]
        ordered = data.transpose(*leading, *unit_dims(data))
        return ordered.values.reshape(*(data.sizes[dim] for dim in leading), -1)

    def to_xarray(self) -> dict[str, xr.DataArray]:
        """Return layer → labelled activity, with the stimulus table as coordinates along `stimulus`.

        A column that has the name of another axis or coordinate of the layer, such as "x", becomes "stimulus_x".
        """
        labelled = {}
        for layer, data in self.activity.items():
            taken = {*data.dims, *data.coords} - {"stimulus"}
            labelled[layer] = data.assign_coords(
                {
                    f"stimulus_{name}" if name in taken else str(name): ("stimulus", values.to_numpy())
                    for name, values in self.stimuli.items()
                }
            )
        return labelled

    def equals(self, other: Recording) -> bool:
        """Say whether layers, stimulus tables and every value are the same, nan equal to nan."""
        return (
            self.layers == other.layers
            and self.stimuli.equals(other.stimuli)
            and all(data.equals(other.activity[name]) for name, data in self.activity.items())
        )


def unit_dims(data: xr.DataArray) -> list[Hashable]:
    """Return the axes along which units differ: the call, then the places, as in the unit table."""
    return [dim for dim in data.dims if dim == "call"] + [dim for dim in data.dims if dim not in _NOT_A_PLACE]


def _unit_table(layer: str, data: xr.DataArray) -> pd.DataFrame:
    dims = unit_dims(data)
    sizes = [data.sizes[dim] for dim in dims]
    at = dict(zip(dims, np.indices(sizes).reshape(len(dims), math.prod(sizes)), strict=True))
    table = pd.DataFrame({"layer": layer}, index=range(math.prod(sizes)))
    table["call"] = at.get("call", -1)
    sampled = [name for name, coord in data.coords.items() if coord.dims == ("unit",) and name != "unit"]
    for column, dim in _place_columns(sampled or [dim for dim in dims if dim != "call"]).items():
        table[column] = _place(data, at, column, dim)
    table["address"] = _addresses(table)
    return table[list(UNIT_COLUMNS)]


def _place_columns(places: list[Hashable]) -> dict[str, Hashable | None]:
    if len(places) > 3:
        raise UsageError(f"unit axes are {places}; expected at most three.")
    if "token" in places:
        return {"channel": "channel" if "channel" in places else None, "y": None, "x": "token"}
    if places == ["channel", "x"]:
        return {"channel": "channel", "y": None, "x": "x"}
    return dict(zip(("channel", "y", "x"), [*places, None, None, None][:3], strict=True))


def _place(
    data: xr.DataArray, at: Mapping[Hashable, np.ndarray], column: str, dim: Hashable | None
) -> np.ndarray | int:
    """Return one column of the unit table: from the coordinate of that name if units were chosen, else the index."""
    name = column if column in data.coords else ("token" if column == "x" and "token" in data.coords else dim)
    if name is None:
        return -1
    if name not in data.coords:
        return at[name]
    values = data.coords[name]
    return int(values) if values.ndim == 0 else np.asarray(values.values)[at[values.dims[0]]]


def _addresses(table: pd.DataFrame) -> list[str]:
    rows = zip(*(table[column] for column in ("layer", "call", "channel", "y", "x")), strict=True)
    named = []
    for layer, call, *places in rows:
        at = ",".join(str(place) for place in places if place >= 0)
        named.append(layer + (f"@{call}" if call >= 0 else "") + (f"[{at}]" if at else ""))
    return named
