"""Which part of a layer to keep: chosen channels, the centre, a pooled map, a random sample of units."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from probekit.errors import UsageError, check_option

SPACES = ("all", "centre", "mean", "max")
PLACES = ("token", "y", "x")
"""Axes along which a feature is repeated over places, as against `channel`, `unit`, `time` and `call`."""


@dataclass(frozen=True)
class Units:
    """A choice of units, made while recording, so that nothing else is ever stored.

    Applied in this order: channels, then space, then the sample.

    Parameters
    ----------
    channels : sequence of int, optional
        Channels to keep (of a vector: units), from 0.
    space : {"all", "centre", "mean", "max"}
        Every place; the place at index size // 2 of each axis (of a square grid of tokens, with or without a class
        token before it, the token there; of other tokens the middle one); the mean or the maximum over places.
    sample : int, optional
        At most this many units, drawn without replacement and kept in order.
    seed : int
        Of the sample; each layer has its own draw.
    """

    channels: Sequence[int] | None = None
    space: Literal["all", "centre", "mean", "max"] = "all"
    sample: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values, and keep the channels as a tuple."""
        check_option("space", self.space, SPACES)
        if self.sample is not None and not _whole(self.sample, 1):
            raise UsageError(f"sample is {self.sample!r}; expected a whole number of units, at least 1.")
        if not _whole(self.seed, 0):
            raise UsageError(f"seed is {self.seed!r}; expected a whole number from 0.")
        if self.channels is not None:
            listed = list(self.channels) if isinstance(self.channels, Iterable) else []
            if not listed or not all(_whole(channel, 0) for channel in listed):
                raise UsageError(f"channels are {self.channels!r}; expected at least one whole number, each from 0.")
            object.__setattr__(self, "channels", tuple(int(channel) for channel in listed))


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


EVERY_UNIT = Units()


@dataclass(frozen=True)
class Choice:
    r"""What `Units` keeps of one layer.

    Parameters
    ----------
    dims, shape : tuple
        Axes of what is kept, without stimulus and call.
    coords : dict
        Name → (dims, values) for axes whose index no longer says the place.
    apply : callable
        Tensor (stimulus, \*full shape) → tensor (stimulus, \*shape).
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    coords: dict[str, tuple[tuple[str, ...], np.ndarray]]
    apply: Callable[[Tensor], Tensor]


def choose(units: Units, layer: str, dims: tuple[str, ...], shape: tuple[int, ...]) -> Choice:
    """Return what `units` keeps of a layer with these axes.

    Raises
    ------
    UsageError
        If a channel does not exist; the message names the layer and its number of channels.
    """
    steps: list[Callable[[Tensor], Tensor]] = []
    index = {dim: np.arange(size) for dim, size in zip(dims, shape, strict=True)}
    kept = list(dims)
    if units.channels is not None:
        axis = _feature_axis(layer, dims)
        chosen = _existing_channels(units.channels, layer, shape[dims.index(axis)])
        index[axis] = chosen
        steps.append(_selector(dims.index(axis) + 1, chosen))
    places = [dim for dim in dims if dim in PLACES]
    if units.space == "centre":
        for dim in places:
            index[dim] = index[dim][[_middle(len(index[dim]), dim)]]
            steps.append(_selector(dims.index(dim) + 1, index[dim]))
        steps.append(_squeezer([dims.index(dim) + 1 for dim in places]))
        kept = [dim for dim in dims if dim not in places]
    elif units.space in ("mean", "max") and places:
        axes = [dims.index(dim) + 1 for dim in places]
        steps.append(_pooler(units.space, axes))
        kept = [dim for dim in dims if dim not in places]
    coords = _coords(units, dims, kept, index, places)
    sizes = tuple(len(index[dim]) for dim in kept)
    if units.sample is not None and set(kept) - {"time"}:
        return _sampled(units, layer, (kept, sizes), index, coords, steps)
    return Choice(tuple(kept), sizes, coords, _chain(steps))


def _coords(
    units: Units, dims: tuple[str, ...], kept: list[str], index: dict[str, np.ndarray], places: list[str]
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    coords: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    if units.channels is not None:
        axis = next(dim for dim in ("channel", "unit") if dim in dims)
        coords[axis] = ((axis,), index[axis])
    if units.space == "centre":
        coords |= {dim: ((), index[dim][0]) for dim in places if dim not in kept}
    return coords


def _sampled(
    units: Units,
    layer: str,
    kept: tuple[list[str], tuple[int, ...]],
    index: dict[str, np.ndarray],
    coords: dict[str, tuple[tuple[str, ...], np.ndarray]],
    steps: list[Callable[[Tensor], Tensor]],
) -> Choice:
    dims, sizes = kept
    leading = 1 if "time" in dims else 0
    flat = math.prod(sizes[leading:])
    generator = np.random.default_rng([units.seed, zlib.crc32(layer.encode())])
    drawn = np.sort(generator.choice(flat, size=min(units.sample or flat, flat), replace=False))
    where = np.unravel_index(drawn, sizes[leading:])
    placed: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        ("channel" if dim == "unit" else dim): (("unit",), index[dim][at])
        for dim, at in zip(dims[leading:], where, strict=True)
    }
    scalars = {name: value for name, value in coords.items() if value[0] == ()}
    chosen = torch.from_numpy(drawn)

    def take(values: Tensor) -> Tensor:
        return values.flatten(1 + leading).index_select(1 + leading, chosen.to(values.device))

    return Choice((*dims[:leading], "unit"), (*sizes[:leading], len(drawn)), scalars | placed, _chain([*steps, take]))


def _feature_axis(layer: str, dims: tuple[str, ...]) -> str:
    for dim in ("channel", "unit"):
        if dim in dims:
            return dim
    raise UsageError(f"channels were asked of layer '{layer}', whose axes are {', '.join(dims)}: it has none.")


def _existing_channels(channels: Sequence[int], layer: str, n_channels: int) -> np.ndarray:
    missing = [channel for channel in channels if channel >= n_channels]
    if missing:
        raise UsageError(
            f"channels {missing} do not exist in layer '{layer}'; it has {n_channels}: 0 … {n_channels - 1}."
        )
    return np.asarray(channels, dtype=np.int64)


def _middle(size: int, dim: str) -> int:
    if dim != "token":
        return size // 2
    for lead in (0, 1):
        side = math.isqrt(size - lead)
        if side * side == size - lead and side > 1:
            return lead + (side // 2) * side + side // 2
    return size // 2


def _selector(axis: int, chosen: np.ndarray) -> Callable[[Tensor], Tensor]:
    if len(chosen) == 1:
        return lambda values: values.narrow(axis, int(chosen[0]), 1)
    index = torch.from_numpy(chosen)
    return lambda values: values.index_select(axis, index.to(values.device))


def _squeezer(axes: list[int]) -> Callable[[Tensor], Tensor]:
    return lambda values: values.squeeze(tuple(axes)) if axes else values


def _pooler(how: str, axes: list[int]) -> Callable[[Tensor], Tensor]:
    def pool(values: Tensor) -> Tensor:
        exact = values if values.dtype == torch.float64 else values.float()
        return exact.mean(axes) if how == "mean" else exact.amax(axes)

    return pool


def _chain(steps: list[Callable[[Tensor], Tensor]]) -> Callable[[Tensor], Tensor]:
    def apply(values: Tensor) -> Tensor:
        for step in steps:
            values = step(values)
        return values

    return apply
