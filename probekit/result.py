"""What an analysis found: tidy tables, named arrays, and where every number came from."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from probekit.errors import DataError, UsageError
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
        One row a unit (or comparison); columns as the analysis declares them. An index says nothing and is not saved.
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

    def __repr__(self) -> str:
        """Say in a few lines what is in it."""
        notes = "".join(f"\n  note: {note}" for note in self.notes)
        return (
            f"Result of {self.analysis}: {len(self.table)} rows × {len(self.table.columns)} columns (.table), "
            f"{len(self.summary)} rows (.summary), arrays {', '.join(self.arrays) or 'none'}{notes}"
        )

    def equals(self, other: Result) -> bool:
        """Say whether tables, arrays, provenance and notes are the same, nan equal to nan."""
        return (
            self.analysis == other.analysis
            and self.table.reset_index(drop=True).equals(other.table.reset_index(drop=True))
            and self.summary.reset_index(drop=True).equals(other.summary.reset_index(drop=True))
            and _described(self.arrays) == _described(other.arrays)
            and all(array.equals(other.arrays[name]) for name, array in self.arrays.items())
            and _plain(self.provenance) == _plain(other.provenance)
            and self.notes == other.notes
        )

    def save(self, folder: str | Path) -> Path:
        """Write ``table.csv``, ``summary.csv``, ``arrays.npz`` and ``result.json`` into `folder`; return it.

        Raises
        ------
        UsageError
            If a table, an array or the provenance holds what would not be read back the same; nothing is written then.
        """
        files = {
            "table.csv": table_to_csv(self.table).encode(),
            "summary.csv": table_to_csv(self.summary).encode(),
            "arrays.npz": _packed(self.arrays),
        }
        head = {
            "format": _FORMAT,
            "analysis": self.analysis,
            "notes": list(self.notes),
            "provenance": _plain(self.provenance),
            "types": {"table": table_types(self.table), "summary": table_types(self.summary)},
            "arrays": _described(self.arrays),
            "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }
        files["result.json"] = (json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read back what `save` wrote, equal to the last bit.

        Raises
        ------
        DataError
            If a file is missing, was changed since, or was written by another format.
        """
        folder = Path(folder)
        try:
            head = json.loads((folder / "result.json").read_bytes())
            if head["format"] != _FORMAT:
                raise ValueError(f"its format is {head['format']}; this version of probekit reads {_FORMAT}")
            files = {name: _unchanged(folder / name, sha256) for name, sha256 in head["sha256"].items()}
            tables = {
                name: table_from_csv(files[f"{name}.csv"].decode(), types) for name, types in head["types"].items()
            }
            with np.load(io.BytesIO(files["arrays.npz"]), allow_pickle=False) as packed:
                arrays = {
                    name: _read_array(packed, number, described)
                    for number, (name, described) in enumerate(head["arrays"].items())
                }
            return cls(
                head["analysis"], tables["table"], tables["summary"], arrays, head["provenance"], tuple(head["notes"])
            )
        except (OSError, KeyError, ValueError, TypeError, AttributeError) as err:
            reason = f"result.json lacks {err}" if isinstance(err, KeyError) else err
            raise DataError(f"{folder} does not hold a saved result: {reason}") from err


def _unchanged(file: Path, sha256: str) -> bytes:
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{file.name} was changed since it was saved")
    return content


def _packed(arrays: Mapping[str, xr.DataArray]) -> bytes:
    parts: dict[str, np.ndarray] = {}
    for number, (name, array) in enumerate(arrays.items()):
        parts[f"{number}"] = _storable(name, array.values)
        parts |= {f"{number}.{key}": _storable(f"{name}.{key}", coord.values) for key, coord in array.coords.items()}
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **parts)
    return packed.getvalue()


def _described(arrays: Mapping[str, xr.DataArray]) -> dict[str, Any]:
    """Return what an array is besides its values."""
    return {
        name: {
            "name": array.name,
            "dims": list(array.dims),
            "attrs": _plain(array.attrs),
            "coords": {
                str(key): {"dims": list(coord.dims), "attrs": _plain(coord.attrs)}
                for key, coord in array.coords.items()
            },
        }
        for name, array in arrays.items()
    }


def _read_array(packed: Any, number: int, described: dict[str, Any]) -> xr.DataArray:
    coords = {
        key: (coord["dims"], packed[f"{number}.{key}"], coord["attrs"]) for key, coord in described["coords"].items()
    }
    return xr.DataArray(
        packed[f"{number}"], dims=described["dims"], coords=coords, attrs=described["attrs"], name=described["name"]
    )


def _storable(name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "OT":
        return values
    if not all(isinstance(value, str) for value in values.flat):
        raise UsageError(f"array '{name}' holds Python objects; to be saved, it needs numbers, booleans or text.")
    return values.astype(str)


def _plain(value: Any) -> Any:
    """Return `value` as JSON knows it, so that what is saved and what is read back compare equal."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UsageError(
        f"provenance or attributes hold a {type(value).__name__}; "
        "expected None, booleans, numbers, text, lists and mappings."
    )
