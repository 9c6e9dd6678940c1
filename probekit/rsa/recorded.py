"""RDMs of a recording, layer by layer; of a store that is larger than memory too, in one pass over its chunks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from probekit.errors import UsageError, check_option, unknown_name
from probekit.recording import Recording
from probekit.rsa.blocks import PatternDistances, group_sums
from probekit.rsa.distances import DISTANCES
from probekit.rsa.rdms import RDMs

Floats = npt.NDArray[np.float64]
Region = dict[Hashable, slice]

_REPEATED = ("call", "time")
"""Axes along which a layer has one RDM a step."""


def recording_rdms(
    recording: Recording,
    *,
    distance: str = "correlation",
    standardize: bool = False,
    layers: str | Sequence[str] | None = None,
    conditions: str | None = None,
    memory_gb: float = 2.0,
) -> RDMs:
    """Return the RDM of each layer, and of each call and time step where a layer has several.

    Parameters
    ----------
    recording : Recording
        In memory, or of a store. A store is read in one pass: every chunk once, all conditions of as many units at a
        time as a chunk holds. Only where these are more than `memory_gb` are chunks read again.
    distance : str
        As in `compute_rdms`, except "mahalanobis". "spearman" ranks the units of whole patterns, so that all of a layer
        must fit into `memory_gb`.
    standardize : bool
        Whether each unit is z-scored over the conditions first, see `compute_rdms`.
    layers : str or sequence of str, optional
        Default: all.
    conditions : str, optional
        Column of ``recording.stimuli`` whose values name the conditions; stimuli of the same condition are averaged,
        and conditions stand in the order of their first stimulus. Default: each stimulus is a condition, "0", "1", ….
    memory_gb : float
        Activity (GB) that is in memory at once, besides the RDMs themselves.

    Returns
    -------
    RDMs
        As `compute_rdms` gives on ``recording.responses(layer)``, up to rounding. Table columns: `layer`, and `call`
        and `time` if a layer has them, nan for the others.

    Raises
    ------
    UsageError
        If a name is not known, there are fewer than two conditions, activity has nan, or the layer is too large for
        "spearman".
    StoreError
        If a chunk that is read is missing or damaged.
    """
    check_option("distance", distance, [name for name in DISTANCES if name != "mahalanobis"])
    if not memory_gb > 0:
        raise UsageError(f"memory_gb is {memory_gb}; expected more than 0.")
    labels, groups = _conditions(recording, conditions)
    names = recording.layers if layers is None else [layers] if isinstance(layers, str) else list(layers)
    if not names:
        raise UsageError("layers are empty; expected at least one recorded layer.")
    found, rows = [], []
    for name in names:
        for step, distances in _layer(recording[name].rename(name), groups, distance, standardize, memory_gb * 1e9):
            found.append(distances)
            rows.append({"layer": name, **step})
    return RDMs(np.stack(found), labels, pd.DataFrame(rows), distance)


def _conditions(recording: Recording, column: str | None) -> tuple[tuple[str, ...], npt.NDArray[np.intp]]:
    """Return the labels of the conditions, and of each stimulus which condition it is."""
    if column is None:
        values = pd.Series(range(recording.n_stimuli))
    elif column in recording.stimuli:
        values = recording.stimuli[column]
    else:
        raise unknown_name("column of the stimulus table", column, map(str, recording.stimuli.columns))
    if values.isna().any():
        raise UsageError(f"conditions are in column '{column}', which is empty for {int(values.isna().sum())} stimuli.")
    groups, labels = pd.factorize(values.map(str))
    if len(labels) < 2:
        raise UsageError(f"the recording has {len(labels)} conditions; expected two or more.")
    return tuple(map(str, labels)), groups


def _layer(
    data: xr.DataArray, groups: npt.NDArray[np.intp], distance: str, standardize: bool, memory: float
) -> Iterator[tuple[dict[str, int], Floats]]:
    """Give what RDM it is and its dissimilarities, call by call and time by time."""
    steps = [dim for dim in data.dims if dim in _REPEATED]
    units = {dim: data.sizes[dim] for dim in data.dims if dim not in ("stimulus", *steps)}
    chunks = _chunks(data)
    n_conditions = int(groups.max()) + 1
    row_bytes = n_conditions * (data.dtype.itemsize if n_conditions == len(groups) else 8)
    for window in _regions({dim: data.sizes[dim] for dim in steps}, chunks):
        sizes = [part.stop - part.start for part in window.values()]
        room = memory / row_bytes / math.prod(sizes)
        if distance == "spearman" and math.prod(units.values()) > room:
            raise UsageError(
                f"distance is 'spearman', which needs all of layer '{data.name}' at once: "
                f"{math.prod(units.values()) / room * memory / 1e9:.3g} GB, more than memory_gb; raise it, or choose "
                "'correlation'."
            )
        parts = {dim: slice(0, size) for dim, size in units.items()}
        sums = {index: PatternDistances(distance, standardize=standardize) for index in np.ndindex(*sizes)}
        for region in [parts] if distance == "spearman" else _regions(units, _fitting(chunks, units, room)):
            block = _read(data, {**window, **region}, groups, chunks["stimulus"])
            for index, one in sums.items():
                one.add(block.isel(dict(zip(steps, index, strict=True))).values.reshape(n_conditions, -1))
        for index, one in sums.items():
            at = zip(window, index, strict=True)
            yield {str(dim): int(data[dim].values[window[dim].start + i]) for dim, i in at}, one.finish()


def _chunks(data: xr.DataArray) -> dict[Hashable, int]:
    """Return the length of a chunk along each axis; in memory, where nothing is read twice, one step at a time."""
    stored: Mapping[Hashable, int] = data.encoding.get("preferred_chunks", {})
    return {dim: stored.get(dim, 1 if dim in _REPEATED else size) for dim, size in data.sizes.items()}


def _fitting(chunks: Mapping[Hashable, int], units: Mapping[Hashable, int], room: float) -> dict[Hashable, int]:
    """Return chunks of units of which no more than `room` are in one, halved along the longest axis until they fit."""
    fitting = {dim: min(chunks[dim], size) for dim, size in units.items()}
    while math.prod(fitting.values()) > max(1.0, room):
        longest = max(fitting, key=lambda dim: fitting[dim])
        fitting[longest] = -(-fitting[longest] // 2)
    return fitting


def _regions(sizes: Mapping[Hashable, int], chunks: Mapping[Hashable, int]) -> Iterator[Region]:
    """Go through the chunks of some axes."""
    parts = [
        [slice(start, min(start + chunks[dim], size)) for start in range(0, size, chunks[dim])]
        for dim, size in sizes.items()
    ]
    for region in itertools.product(*parts):
        yield dict(zip(sizes, region, strict=True))


def _read(data: xr.DataArray, region: Region, groups: npt.NDArray[np.intp], length: int) -> xr.DataArray:
    """Return the activity of a region, averaged by condition, read `length` stimuli at a time."""
    part = data.isel(region)
    counts = np.bincount(groups)
    repeats = len(counts) < len(groups)
    if not repeats and length >= len(groups):
        return part.compute()
    shape = (len(counts), *(part.sizes[dim] for dim in part.dims if dim != "stimulus"))
    values = np.zeros(shape, dtype=np.float64 if repeats else data.dtype)
    for start in range(0, len(groups), length):
        some = slice(start, start + length)
        read = part.isel(stimulus=some).values
        if repeats:
            flat = group_sums(read.reshape(len(read), -1), groups[some], len(counts))
            values += flat.reshape(values.shape)
        else:
            values[some] = read
    if repeats:
        values /= counts.reshape(-1, *[1] * (values.ndim - 1))
    return xr.DataArray(values, dims=part.dims)
