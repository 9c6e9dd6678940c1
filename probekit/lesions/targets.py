"""What is to be lesioned: which layers, and which units, places and times of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from torch import Tensor, nn

from probekit.errors import LayerError, UsageError
from probekit.layers import select

Index: TypeAlias = int | slice | Sequence[int] | Sequence[bool] | np.ndarray | Tensor | pd.Series | None
"""Numbers from 0, a slice, or a mask; None is all."""
Key: TypeAlias = tuple[str, str]
"""Layer, and part of what it returns ("" where that is one tensor)."""

_FEATURES = ("head", "channel", "unit")
_AXES = {"y": ("y",), "x": ("x", "token")}
_TIMES = ("time", "token")


@dataclass(frozen=True, eq=False)
class Target:
    """Part of a layer.

    Parameters
    ----------
    units : int, sequence of int, mask or None
        Channels of a map, units of a vector, heads of attention, from 0; or a mask of them. A mask with several axes is
        one of the whole layer, `(channel, y, x)`, and excludes `y` and `x`. Default: all.
    y, x : int, slice, sequence of int, mask or None
        Rows and columns of a map; tokens are counted by `x`. Default: all.
    times : int, slice, sequence of int, mask or None
        Steps: along the time axis of the layer, of a recurrent pass, or the calls of a module that runs once a step.
        Default: all.

    Examples
    --------
    >>> Target([0, 3], y=slice(0, 4)).units
    array([0, 3])
    """

    units: Index = None
    y: Index = None
    x: Index = None
    times: Index = None

    def __post_init__(self) -> None:
        """Check what can be checked before a layer is seen."""
        for name in ("units", "y", "x", "times"):
            object.__setattr__(self, name, _index(name, getattr(self, name)))
        if isinstance(self.units, np.ndarray) and self.units.ndim > 1 and (self.y is not None or self.x is not None):
            raise UsageError("units is a mask of the whole layer; it excludes y and x.")

    @property
    def said(self) -> dict[str, Any]:
        """What is said of it in the provenance of recordings, JSON-ready."""
        given = {name: getattr(self, name) for name in ("units", "y", "x", "times")}
        return {name: _listed(index) for name, index in given.items() if index is not None}

    def mask(self, layer: str, dims: tuple[str, ...], sizes: tuple[int, ...]) -> np.ndarray:
        """Return which units it takes, shape `sizes` or 1 along axes of which it takes all.

        Raises
        ------
        UsageError
            If a unit or place does not exist, or the layer has no such axis.
        """
        places = [axis for axis, dim in enumerate(dims) if dim != "time"]
        if isinstance(self.units, np.ndarray) and self.units.ndim > 1:
            shape = tuple(sizes[axis] for axis in places)
            if self.units.shape != shape:
                named = ", ".join(dims[axis] for axis in places)
                raise UsageError(f"the mask of '{layer}' has shape {self.units.shape}; the layer is {shape} ({named}).")
            return np.asarray(self.units.reshape([size if axis in places else 1 for axis, size in enumerate(sizes)]))
        taken = np.ones([1] * len(dims), dtype=bool)
        for name, index, known in (
            ("units", self.units, _FEATURES), ("y", self.y, _AXES["y"]), ("x", self.x, _AXES["x"])
        ):  # fmt: skip
            if index is None:
                continue
            axis = next((dims.index(dim) for dim in known if dim in dims), None)
            if axis is None:
                raise UsageError(f"{name} was given for '{layer}', whose axes are {', '.join(dims) or 'none'}.")
            along = _taken(name, index, layer, dims[axis], sizes[axis])
            taken = taken & along.reshape([-1 if one == axis else 1 for one in range(len(dims))])
        return taken

    def steps(self, layer: str, n_steps: int) -> np.ndarray:
        """Return which steps it takes, shape (time,)."""
        every = np.ones(n_steps, dtype=bool)
        return every if self.times is None else _taken("times", self.times, layer, "time", n_steps)

    def takes(self, call: int) -> bool:
        """Say whether it takes this call of a module that runs once a step."""
        if self.times is None:
            return True
        if isinstance(self.times, slice):
            return call in range(*self.times.indices(call + 1))
        at = np.asarray(self.times)
        return bool(call < len(at) and at[call]) if at.dtype.kind == "b" else call in at


def time_axis(dims: tuple[str, ...]) -> int | None:
    """Return which axis is counted by `Target.times`, None if there is none."""
    if dims == ("channel", "x"):
        return 1
    return next((dims.index(dim) for dim in _TIMES if dim in dims), None)


def targets_of(network: nn.Module, targets: Any) -> dict[Key, Target]:
    """Return layer and part → what of it is lesioned.

    Parameters
    ----------
    network : nn.Module
    targets : mapping, DataFrame, str or sequence of str
        As `probekit.lesion` takes them.

    Raises
    ------
    LayerError
        If there is no such layer.
    UsageError
        If it is none of these, is empty, or names a layer twice.
    """
    if isinstance(targets, pd.DataFrame):
        targets = _of_table(targets)
    elif isinstance(targets, str):
        targets = {targets: None}
    elif isinstance(targets, list | tuple):
        strange = next((one for one in targets if not isinstance(one, str)), None)
        if strange is not None:
            raise UsageError(f"targets is a list that holds a {type(strange).__name__}; expected names of layers.")
        targets = dict.fromkeys(targets)
    if not isinstance(targets, Mapping):
        raise UsageError(
            f"targets is a {type(targets).__name__}; expected a mapping of layer to units, rows of a result's table, "
            "or names of layers."
        )
    if not targets:
        raise UsageError("targets is empty: there is nothing to lesion. Name at least one layer.")
    found: dict[Key, Target] = {}
    for spec, given in targets.items():
        target = given if isinstance(given, Target) else Target(given)
        for wanted in select(network, spec):
            for part in wanted.parts or ("",):
                if (wanted.name, part) in found:
                    raise UsageError(f"targets name '{':'.join(filter(None, (wanted.name, part)))}' twice.")
                found[wanted.name, part] = target
    return found


def _of_table(table: pd.DataFrame) -> dict[str, Target]:
    missing = [column for column in ("layer", "channel") if column not in table]
    if missing:
        raise UsageError(
            f"targets is a table without {' and '.join(missing)}; its columns: {', '.join(map(str, table.columns))}."
        )
    if table.empty:
        raise UsageError("targets is an empty table: no unit fits what it was chosen by.")
    networks = sorted(set(table["network"])) if "network" in table else []
    if len(networks) > 1:
        raise UsageError(
            f"targets is a table of several networks, {', '.join(networks)}; choose one: "
            "table.query(\"network == 'trained'\")."
        )
    if "call" in table and (table["call"] >= 0).any():
        raise UsageError("targets is a table of units of single calls; say which with Target(units, times=calls).")
    return {str(layer): _units_of(str(layer), rows) for layer, rows in table.groupby("layer", sort=False)}


def _units_of(layer: str, rows: pd.DataFrame) -> Target:
    places = rows[["channel", *(axis for axis in ("y", "x") if axis in rows)]]
    for name in places:
        values = pd.to_numeric(places[name], errors="coerce")
        if values.isna().any() or (values % 1 != 0).any():
            raise UsageError(f"column '{name}' of targets is no whole number for some units of '{layer}'.")
        places = places.assign(**{str(name): values.astype(np.int64)})
    placed = [axis for axis in places if axis != "channel" and (places[axis] >= 0).any()]
    channels = places["channel"].to_numpy()
    if not placed:
        if (channels < 0).any():
            raise UsageError(f"targets has units of '{layer}' without a channel.")
        return Target(np.unique(channels))
    return _Points(points={str(axis): places[axis].to_numpy() for axis in ("channel", *placed)})


@dataclass(frozen=True, eq=False)
class _Points(Target):
    """Single units of a map, each at its own place."""

    points: Mapping[str, np.ndarray] | None = None

    @property
    def said(self) -> dict[str, Any]:
        return {} if self.points is None else {name: at.tolist() for name, at in self.points.items()}

    def mask(self, layer: str, dims: tuple[str, ...], sizes: tuple[int, ...]) -> np.ndarray:
        assert self.points is not None
        taken = np.zeros([size if dim != "time" else 1 for dim, size in zip(dims, sizes, strict=True)], dtype=bool)
        index = []
        for dim, size in zip(dims, taken.shape, strict=True):
            name = {"unit": "channel", "token": "x"}.get(dim, dim)
            at = self.points.get(name, np.zeros(1, dtype=int))
            _refuse_beyond("units" if name == "channel" else name, at, layer, dim, size)
            index.append(at)
        absent = set(self.points) - {{"unit": "channel", "token": "x"}.get(dim, dim) for dim in dims}
        if absent:
            raise UsageError(
                f"targets has {', '.join(sorted(absent))} for '{layer}', whose axes are {', '.join(dims)}."
            )
        taken[tuple(np.broadcast_arrays(*index))] = True
        return taken


def _index(name: str, given: Any) -> Any:
    """Return numbers and masks as an array, slices as they are, and refuse what is no index."""
    if given is None or isinstance(given, slice):
        return given
    if given is Ellipsis:
        return None
    if isinstance(given, Tensor):
        given = given.detach().cpu().numpy()
    if isinstance(given, str) or not isinstance(given, int | np.integer | Iterable):
        raise UsageError(f"{name} is {given!r}; expected numbers from 0, a slice or a mask.")
    array = np.atleast_1d(np.asarray(list(given) if isinstance(given, range | set | frozenset) else given))
    if not array.size:
        raise UsageError(f"{name} is empty: there is nothing to lesion.")
    if array.dtype.kind == "b":
        if not array.any():
            raise UsageError(f"{name} is a mask that takes nothing: there is nothing to lesion.")
        return array
    if array.dtype.kind not in "iu" or array.ndim > 1:
        raise UsageError(
            f"{name} holds {array.dtype} of shape {array.shape}; expected whole numbers from 0, or a mask."
        )
    if (array < 0).any():
        raise UsageError(f"{name} holds {int(array.min())}; units are counted from 0.")
    return array


def _listed(index: Any) -> Any:
    if isinstance(index, slice):
        return str(index)
    return np.flatnonzero(index).tolist() if index.dtype.kind == "b" else index.tolist()


def _taken(name: str, index: Any, layer: str, dim: str, size: int) -> np.ndarray:
    taken = np.zeros(size, dtype=bool)
    if isinstance(index, slice):
        taken[index] = True
        if not taken.any():
            raise UsageError(f"{name} of '{layer}' is {index}, which takes nothing of its {size} along {dim}.")
        return taken
    if index.dtype.kind == "b":
        if len(index) != size:
            raise UsageError(f"{name} of '{layer}' is a mask of {len(index)}; the layer has {size} along {dim}.")
        return np.asarray(index)
    _refuse_beyond(name, index, layer, dim, size)
    taken[index] = True
    return taken


def _refuse_beyond(name: str, at: np.ndarray, layer: str, dim: str, size: int) -> None:
    beyond = np.unique(at[(at >= size) | (at < 0)])
    if beyond.size:
        listed = ", ".join(map(str, beyond[:5])) + (" …" if beyond.size > 5 else "")
        raise LayerError(f"{name} {listed} do not exist in layer '{layer}'; it has {size} along {dim}: 0 … {size - 1}.")
