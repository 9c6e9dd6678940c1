"""A recording on disk: Zarr, chunked, compressed, checksummed, written batch by batch, resumed after a kill.

Layout: ``probekit.json`` (what is recorded, of what, with which versions), ``stimuli.csv``, ``progress.json`` (how many
stimuli are finished), and one Zarr group a layer that holds the array ``activity``. Any Zarr reader can open it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import xarray as xr
import zarr
from xarray.backends import BackendArray
from xarray.core import indexing
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.storage import LocalStore

from probekit.errors import StoreError
from probekit.recording import Recording
from probekit.tables import table_from_csv, table_to_csv, table_types

_FORMAT = 1
_CHUNK_BYTES = 16 * 2**20
_FIRST_FILES = ("stimuli.csv", "stimuli.csv.new", "probekit.json.new")
"""What a kill can leave before there is a store."""


@dataclass(frozen=True)
class LayerSpace:
    """The room that one layer needs.

    Parameters
    ----------
    name : str
        As in the recording.
    dims, shape : tuple
        Axes of its activity, the stimulus first.
    coords : mapping
        Name → (dims, integer values).
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    coords: Mapping[str, tuple[tuple[str, ...], np.ndarray]]


@dataclass(frozen=True, eq=False)
class Store:
    """An open store: arrays to write into, and how many stimuli are finished.

    Parameters
    ----------
    path : Path
    arrays : mapping of str to zarr.Array
        Layer → activity on disk.
    batch_size : int
        Stimuli in one write; chunks have this length, so a resumed run must keep it.
    """

    path: Path
    arrays: Mapping[str, zarr.Array[Any]]
    batch_size: int

    @property
    def n_done(self) -> int:
        """Stimuli of which every layer is on disk."""
        return int(_read_json(self.path / "progress.json")["n_done"])

    def write(self, name: str, start: int, values: np.ndarray) -> None:
        """Write one layer's activity to the stimuli from `start` on.

        Raises
        ------
        StoreError
            If the disk is full or cannot be written; what was finished stays.
        """
        try:
            self.arrays[name][start : start + len(values)] = values
        except OSError as err:
            raise _cannot_write(self.path, err) from err

    def finish(self, n_done: int) -> None:
        """Note that the first `n_done` stimuli are on disk, so that a resumed run starts after them."""
        _write_json(self.path / "progress.json", {"n_done": n_done})


def create_store(
    path: str | Path,
    spaces: list[LayerSpace],
    *,
    dtype: str,
    batch_size: int,
    stimuli: pd.DataFrame,
    identity: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> Store:
    """Return a store for these layers: a new one, or the one there if it was made by the very same recording.

    Parameters
    ----------
    path : path
        A folder, new or written by `probekit.record`.
    spaces : list of LayerSpace
    dtype : str
        Of the activity on disk.
    batch_size : int
        Of a new store; a store that is there keeps its own.
    stimuli : pandas.DataFrame
    identity : mapping
        What makes it this recording and no other: hashes of weights, stimuli and preprocessing, layers, version.
    provenance : mapping
        To be given to the `Recording`.

    Raises
    ------
    StoreError
        If the folder holds something else, or a recording that differs; the message says in what.
    """
    path = Path(path).absolute()  # a lazy read must not depend on the folder that one is in
    head = {
        "format": _FORMAT,
        "identity": dict(identity),
        "provenance": dict(provenance),
        "dtype": dtype,
        "batch_size": batch_size,
        "layers": [_describe(space) for space in spaces],
        "stimulus_types": table_types(stimuli),
    }
    head = json.loads(json.dumps(head))
    try:
        if (path / "probekit.json").is_file():
            before = _read_json(path / "probekit.json")
            _check_same(path, before, head)
            head["batch_size"] = before["batch_size"]
        elif path.exists() and any(file.name not in _FIRST_FILES for file in path.iterdir()):
            raise StoreError(f"store {path} holds files that are not a probekit recording; name a new folder.")
        else:
            path.mkdir(parents=True, exist_ok=True)
            _write_text(path / "stimuli.csv", table_to_csv(stimuli))
            _write_json(path / "probekit.json", head)
        return _lay_out(path, spaces, head)
    except OSError as err:
        raise err if isinstance(err, StoreError) else _cannot_write(path, err) from err


def open_store(path: str | Path) -> Recording:
    """Return the recording that a finished store holds; activity is read when it is touched.

    Parameters
    ----------
    path : path
        Folder written by ``record(..., store=path)``.

    Raises
    ------
    StoreError
        If there is no store, it is not finished, or, when read, a chunk is missing, truncated or altered.
    """
    path = Path(path).absolute()
    head = _read_json(path / "probekit.json")
    stimuli = _read_stimuli(path, head)
    n_done = int(_read_json(path / "progress.json")["n_done"])
    if n_done < len(stimuli):
        raise StoreError(
            f"store {path} is not finished: {n_done} of {len(stimuli)} stimuli. Run the same record again to resume it."
        )
    activity = {}
    for layer in head["layers"]:
        folder = path / _folder(layer["name"])
        array = _open_array(path, folder)
        lazy = indexing.LazilyIndexedArray(_Activity(array, folder))
        coords = {name: (dims, np.asarray(values)) for name, (dims, values) in layer["coords"].items()}
        data = xr.DataArray(lazy, dims=layer["dims"], coords=coords, name=layer["name"])
        data.encoding["preferred_chunks"] = dict(zip(layer["dims"], array.chunks, strict=True))
        activity[layer["name"]] = data
    return Recording(activity, stimuli, head["provenance"], head["provenance"].get("skipped", {}))


def verify(path: str | Path) -> None:
    """Read every chunk of a store and compare it with its checksum.

    Raises
    ------
    StoreError
        Naming the first chunk that is missing, truncated or altered.
    """
    for data in open_store(path).activity.values():
        for start in range(0, data.sizes["stimulus"], 256):
            _ = data[start : start + 256].values


def codecs() -> dict[str, Any]:
    """Return how activity is encoded: Zstandard after byte shuffling, then a CRC-32C of each chunk."""
    return {"compressors": [BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"), Crc32cCodec()]}


class _Activity(BackendArray):
    """Reads from disk what is asked for, and names the chunk that is damaged."""

    def __init__(self, array: zarr.Array[Any], folder: Path) -> None:
        self.array, self.folder = array, folder
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        self._check_present(key)
        try:
            return self.array.oindex[key]
        except (ValueError, RuntimeError, OSError) as err:
            raise StoreError(
                f"chunk {self._damaged()} is truncated or altered; delete the store and record again."
            ) from err

    def _check_present(self, key: tuple[Any, ...]) -> None:
        touched = [
            sorted(set(np.atleast_1d(np.arange(size)[part]) // chunk))
            for part, size, chunk in zip(key, self.shape, self.array.chunks, strict=True)
        ]
        for index in itertools.product(*touched):
            file = self._file(index)
            if not file.is_file():
                raise StoreError(f"chunk {file} is missing; delete the store and record again.")

    def _damaged(self) -> Path:
        counts = [-(-size // chunk) for size, chunk in zip(self.shape, self.array.chunks, strict=True)]
        for index in itertools.product(*map(range, counts)):
            region = tuple(slice(i * chunk, (i + 1) * chunk) for i, chunk in zip(index, self.array.chunks, strict=True))
            try:
                _ = self.array[region]
            except (ValueError, RuntimeError, OSError):
                return self._file(index)
        return self.folder

    def _file(self, index: tuple[int, ...]) -> Path:
        return self.folder.joinpath("activity", "c", *map(str, index))


def _lay_out(path: Path, spaces: list[LayerSpace], head: dict[str, Any]) -> Store:
    zarr.open_group(LocalStore(path), mode="a")
    arrays = {}
    for space in spaces:
        folder = path / _folder(space.name)
        if not (folder / "activity" / "zarr.json").is_file():
            group = zarr.open_group(LocalStore(folder), mode="a", attributes={"layer": space.name})
            group.create_array(
                "activity",
                shape=space.shape,
                dtype=head["dtype"],
                dimension_names=space.dims,
                overwrite=True,
                chunks=_chunks(space.shape, head["batch_size"], np.dtype(head["dtype"]).itemsize),
                **codecs(),
            )
        arrays[space.name] = _open_array(path, folder)
    if not (path / "progress.json").is_file():
        _write_json(path / "progress.json", {"n_done": 0})
    return Store(path, arrays, head["batch_size"])


def _open_array(path: Path, folder: Path) -> zarr.Array[Any]:
    try:
        with zarr.config.set({"array.write_empty_chunks": True}):  # so that a missing chunk is damage, not silence
            array = zarr.open_array(LocalStore(folder / "activity"), mode="r+")
    except (OSError, ValueError, KeyError) as err:
        raise StoreError(f"store {path} is damaged: {folder.name}/activity cannot be opened: {err}") from err
    return array


def _chunks(shape: tuple[int, ...], batch_size: int, itemsize: int) -> tuple[int, ...]:
    chunks = [min(batch_size, shape[0]), *shape[1:]]
    for axis in range(1, len(chunks)):
        while np.prod(chunks, dtype=np.int64) * itemsize > _CHUNK_BYTES and chunks[axis] > 1:
            chunks[axis] = -(-chunks[axis] // 2)
    return tuple(max(1, size) for size in chunks)


def _describe(space: LayerSpace) -> dict[str, Any]:
    coords = {name: [list(dims), np.asarray(values).tolist()] for name, (dims, values) in space.coords.items()}
    return {"name": space.name, "dims": list(space.dims), "shape": list(space.shape), "coords": coords}


def _check_same(path: Path, before: dict[str, Any], head: dict[str, Any]) -> None:
    keys = [*head["identity"], "dtype", "layers"]
    old = before.get("identity", {}) | {"dtype": before.get("dtype"), "layers": before.get("layers")}
    new = head["identity"] | {"dtype": head["dtype"], "layers": head["layers"]}
    differing = [key for key in keys if old.get(key) != new.get(key)]
    if before.get("format") != head["format"] or differing:
        raise StoreError(
            f"store {path} holds another recording: {', '.join(differing) or 'its format'} differ. "
            "Name a new folder, or delete this one."
        )


def _read_stimuli(path: Path, head: dict[str, Any]) -> pd.DataFrame:
    try:
        text = (path / "stimuli.csv").read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise StoreError(f"store {path} is damaged: stimuli.csv cannot be read.") from err
    if hashlib.sha256(text.encode()).hexdigest() != head["identity"].get("stimulus_table"):
        raise StoreError(f"store {path} is damaged: stimuli.csv was altered.")
    return table_from_csv(text, head["stimulus_types"])


def table_hash(stimuli: pd.DataFrame) -> str:
    """Return the sha256 of a stimulus table as the store writes it."""
    return hashlib.sha256(table_to_csv(stimuli).encode()).hexdigest()


def _folder(layer: str) -> str:
    name = quote(layer, safe="@,[]{}()+-_=")
    reserved = name.startswith(".") or name in ("probekit.json", "progress.json", "stimuli.csv", "zarr.json")
    return f"%{ord(name[0]):02X}{name[1:]}" if reserved else name


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        raise StoreError(f"{file.parent} is not a probekit store: it has no {file.name}.") from err
    except (OSError, ValueError) as err:
        raise StoreError(f"store {file.parent} is damaged: {file.name} cannot be read.") from err
    if not isinstance(content, dict):
        raise StoreError(f"store {file.parent} is damaged: {file.name} does not hold what probekit wrote.")
    return content


def _write_json(file: Path, content: Mapping[str, Any]) -> None:
    _write_text(file, json.dumps(content, ensure_ascii=False))


def _write_text(file: Path, text: str) -> None:
    """Write so that a kill leaves either the old content or the new, never half of one."""
    try:
        fresh = file.with_name(file.name + ".new")
        fresh.write_text(text, encoding="utf-8", newline="")
        Path(fresh).replace(file)
    except OSError as err:
        raise _cannot_write(file.parent, err) from err


def _cannot_write(path: Path, err: OSError) -> StoreError:
    return StoreError(
        f"store {path} cannot be written: {err.strerror or err}. What is finished stays, and the same "
        "record resumes it."
    )
