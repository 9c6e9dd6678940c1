"""What an analysis found: tidy tables, named arrays, and where every number came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from probekit.errors import DataError
from probekit.tables import table_from_csv, table_to_csv, table_types

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of one analysis.

    Parameters
    ----------
    analysis : str
        Registered name of the analysis.
    table : pandas.DataFrame
        One row a unit (or comparison); columns as the analysis declares them.
    summary : pandas.DataFrame
        One row a layer and network, with the control beside the number it qualifies.
    arrays : mapping of str to xarray.DataArray
        Curves and distributions behind the tables, labelled.
    provenance : mapping
        JSON-ready: network, weights hash, stimuli hash, parameters, seed, versions.
    notes : tuple of str
        What was not computed, or is less than it could be, and why.
    """

    analysis: str
    table: pd.DataFrame
    summary: pd.DataFrame
    arrays: Mapping[str, xr.DataArray] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def equals(self, other: Result) -> bool:
        """Say whether tables, arrays, provenance and notes are the same, nan equal to nan."""
        return (
            self.analysis == other.analysis
            and self.table.equals(other.table)
            and self.summary.equals(other.summary)
            and self.arrays.keys() == other.arrays.keys()
            and all(array.identical(other.arrays[name]) for name, array in self.arrays.items())
            and _plain(self.provenance) == _plain(other.provenance)
            and self.notes == other.notes
        )

    def save(self, folder: str | Path) -> Path:
        """Write ``table.csv``, ``summary.csv``, ``arrays.npz`` and ``result.json`` into `folder`; return it."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tables = {"table": self.table, "summary": self.summary}
        for name, table in tables.items():
            (folder / f"{name}.csv").write_text(table_to_csv(table), encoding="utf-8", newline="")
        packed: dict[str, np.ndarray] = {}
        described: dict[str, Any] = {}
        for number, (name, array) in enumerate(self.arrays.items()):
            packed[f"{number}"] = array.values
            coords = {}
            for key, coord in array.coords.items():
                packed[f"{number}.{key}"] = _storable(coord.values)
                coords[str(key)] = list(coord.dims)
            described[name] = {"dims": list(array.dims), "coords": coords, "attrs": _plain(array.attrs)}
        np.savez_compressed(folder / "arrays.npz", allow_pickle=False, **packed)
        head = {
            "format": _FORMAT,
            "analysis": self.analysis,
            "notes": list(self.notes),
            "provenance": _plain(self.provenance),
            "types": {name: table_types(table) for name, table in tables.items()},
            "arrays": described,
        }
        (folder / "result.json").write_text(json.dumps(head, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read back what `save` wrote, equal to the last bit.

        Raises
        ------
        DataError
            If a file is missing or was written by another format.
        """
        folder = Path(folder)
        try:
            head = json.loads((folder / "result.json").read_text(encoding="utf-8"))
            tables = {
                name: table_from_csv((folder / f"{name}.csv").read_text(encoding="utf-8"), head["types"][name])
                for name in ("table", "summary")
            }
            with np.load(folder / "arrays.npz", allow_pickle=False) as packed:
                arrays = {
                    name: _read_array(packed, number, described)
                    for number, (name, described) in enumerate(head["arrays"].items())
                }
        except (OSError, KeyError, ValueError) as err:
            raise DataError(f"{folder} does not hold a saved result: {err}") from err
        return cls(
            head["analysis"], tables["table"], tables["summary"], arrays, head["provenance"], tuple(head["notes"])
        )


def _read_array(packed: Any, number: int, described: dict[str, Any]) -> xr.DataArray:
    coords = {key: (dims, packed[f"{number}.{key}"]) for key, dims in described["coords"].items()}
    return xr.DataArray(packed[f"{number}"], dims=described["dims"], coords=coords, attrs=described["attrs"])


def _storable(values: np.ndarray) -> np.ndarray:
    return values.astype(str) if values.dtype.kind == "O" else values


def _plain(value: Any) -> Any:
    """Return `value` as JSON knows it, so that what is saved and what is read back compare equal."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value
