"""Recording: every chosen layer of any network in one forward pass a batch, true values, no trace left."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor, nn

from probekit import hooks, randomness
from probekit.errors import LayerError, ModelError, ProbekitError, ProbekitWarning, UsageError, check_option
from probekit.layers import LayerSpec, matches, modules_by_name, select
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.recording import Recording
from probekit.session import Session
from probekit.stimuli import Stimuli
from probekit.store import LayerSpace, Store, create_store, open_store
from probekit.survey import Forward, Signal, Survey, read, survey
from probekit.units import EVERY_UNIT, Choice, Units, choose

DTYPES = ("float16", "float32", "float64")
_FLOAT16_MAX = 65504.0
_SURVEYED = 2
"""Stimuli of the first look; an axis of that size is taken for the batch, and checked at the first batch."""
_SURVEY_SEED = 1_000_003


@dataclass(frozen=True)
class Channel:
    """One recorded array: where it comes from, what is kept of it, and the room that it takes."""

    signal: Signal
    choice: Choice
    space: LayerSpace


@dataclass(frozen=True, eq=False)
class _Planned:
    survey: Survey
    channels: list[Channel]
    batch_size: int
    dtype: str
    units: dict[str, Any]
    draws: bool
    """Whether the network drew random numbers in eval mode."""
    thorough: bool
    """Whether two looks told which axis is the batch."""


class _MisjudgedError(LayerError):
    """What one look took for the batch was another axis of the same size."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What a recording will take.

    Parameters
    ----------
    layers : pandas.DataFrame
        One row a layer: `layer, dims, shape, bytes` of its activity, uncompressed.
    n_stimuli, n_passes : int
        Stimuli, and forward passes that show them.
    skipped : mapping of str to str
        Layers that a pattern matched and that cannot be recorded, with the reason.
    """

    layers: pd.DataFrame
    n_stimuli: int
    n_passes: int
    skipped: Mapping[str, str]

    @property
    def bytes(self) -> int:
        """Size of the activity, uncompressed."""
        return int(self.layers["bytes"].sum())

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{len(self.layers)} layers, {self.n_stimuli} stimuli, {self.n_passes} forward passes, "
            f"{self.bytes / 1e6:,.1f} MB"
        )


def record(
    network: Entry | nn.Module,
    stimuli: Stimuli | np.ndarray | Tensor,
    *,
    layers: LayerSpec = None,
    units: Units | Mapping[str, Units] = EVERY_UNIT,
    batch_size: int = 64,
    device: str | torch.device | None = None,
    dtype: str = "float32",
    store: str | Path | None = None,
    forward: Forward | None = None,
    progress: Progress = silent,
) -> Recording:
    """Return the activity of the chosen layers to the stimuli.

    Values are copied as each module returns, so what the network does to them later does not change them. The network
    runs in eval mode; its weights, buffers, training flags and every global random state are afterwards as before, and
    the hooks are gone, also after an exception.

    Parameters
    ----------
    network : Entry or nn.Module
        A zoo entry, whose preprocessing is applied, or any module, which gets the stimuli as they are.
    stimuli : Stimuli, array or tensor
        What to show; an array has shape (stimulus, ...).
    layers : str, type, predicate or list of these, optional
        See `probekit.layers.select`. Default: those on the entry's card, else every activation function.
    units : Units or mapping of pattern to Units
        Which part of each layer to keep; with a mapping, the first pattern that fits a layer decides.
    batch_size : int
        Stimuli in one forward pass.
    device : str or torch.device, optional
        Default: where the network is. Elsewhere, a copy of the network runs.
    dtype : {"float32", "float16", "float64"}
        Of the recorded activity.
    store : path, optional
        Zarr folder to stream to, for recordings larger than memory; a finished one is read, an unfinished one resumed.
    forward : callable, optional
        ``forward(module, inputs, rows)`` runs the module in another way than ``module(inputs)``; `rows` are the table
        rows of the stimuli.
    progress : callable
        Told after every batch.

    Returns
    -------
    Recording
        In memory, or read lazily from the store.

    Raises
    ------
    LayerError
        If a layer does not exist, never runs, or its output has no batch axis or no tensor.
    StimulusError
        If there are no stimuli or they are not what the network's card says it takes.
    ModelError
        If the network raises.
    DeviceError
        If the device is not there.
    StoreError
        If the store cannot be written or belongs to another recording.

    Warns
    -----
    ProbekitWarning
        If the network is random in eval mode, or a pattern matched layers that cannot be recorded.
    """
    session = Session.begin(network, stimuli, layers, device, forward)
    with hooks.undisturbed(session.module):
        planned = _plan(session, units, batch_size, dtype, thorough=store is not None)
        if store is not None:
            _warn_of_refused(planned.survey)
            return _record_to_store(session, planned, Path(store), progress)
        try:
            buffers = _record_to_memory(session, planned, progress)
        except _MisjudgedError:
            planned = _plan(session, units, batch_size, dtype, thorough=True)
            buffers = _record_to_memory(session, planned, progress)
        _warn_of_refused(planned.survey)
    activity = {
        channel.space.name: xr.DataArray(
            buffers[channel.space.name].numpy(),
            dims=channel.space.dims,
            coords=channel.space.coords,
            name=channel.space.name,
        )
        for channel in planned.channels
    }
    return Recording(activity, session.stimuli.table, _provenance(session, planned), planned.survey.refused)


def plan(
    network: Entry | nn.Module,
    stimuli: Stimuli | np.ndarray | Tensor,
    *,
    layers: LayerSpec = None,
    units: Units | Mapping[str, Units] = EVERY_UNIT,
    batch_size: int = 64,
    device: str | torch.device | None = None,
    dtype: str = "float32",
    forward: Forward | None = None,
) -> Plan:
    """Return what `record` with the same arguments will take, from a look at a few stimuli."""
    session = Session.begin(network, stimuli, layers, device, forward)
    with hooks.undisturbed(session.module):
        planned = _plan(session, units, batch_size, dtype)
    rows = [
        (channel.space.name, channel.space.dims, channel.space.shape, _n_bytes(channel.space, dtype))
        for channel in planned.channels
    ]
    table = pd.DataFrame(rows, columns=["layer", "dims", "shape", "bytes"])
    return Plan(table, len(session.stimuli), math.ceil(len(session.stimuli) / batch_size), planned.survey.refused)


class _Run:
    """One passage over the stimuli: what hooks receive goes into buffers, one slice a batch."""

    def __init__(self, session: Session, planned: _Planned, buffers: dict[str, Tensor]) -> None:
        self.session, self.planned, self.buffers = session, planned, buffers
        self.by_layer: dict[str, list[Channel]] = {}
        for channel in planned.channels:
            self.by_layer.setdefault(channel.signal.layer, []).append(channel)
        self.start = self.stop = self.at = 0
        self.calls: dict[str, int] = {}
        self.waiting: list[tuple[Tensor, Tensor]] = []
        self.error: ProbekitError | None = None

    def all(self, first: int, batch_size: int, progress: Progress, store: Store | None = None) -> None:
        modules = modules_by_name(self.session.module)
        n = len(self.session.stimuli)
        progress("recording", first, n)
        with hooks.tapped({name: modules[name] for name in self.by_layer}, self.receive):
            for start in range(first, n, batch_size):
                self.start, self.stop = start, min(start + batch_size, n)
                self.at = 0 if store else start
                self.one_batch()
                if store:
                    for name, buffer in self.buffers.items():
                        store.write(name, start, buffer[: self.stop - start].numpy())
                    store.finish(self.stop)
                progress("recording", self.stop, n)

    def one_batch(self) -> None:
        self.calls = dict.fromkeys(self.by_layer, 0)
        self.session.seed(self.start)  # a network that draws draws the same when resumed
        self.error = None
        self.session.run(np.arange(self.start, self.stop))
        if self.error:  # raised in a hook, and caught by the network
            raise self.error
        if self.waiting:
            torch.cuda.synchronize(self.session.device)
        for host, buffer in self.waiting:
            buffer.copy_(host)
        self.waiting.clear()
        for name, channels in self.by_layer.items():
            if self.calls[name] != channels[0].signal.n_calls:
                raise ModelError(
                    f"layer '{name}' ran {self.calls[name]} times for stimuli {self.start} … {self.stop - 1}, and "
                    f"{channels[0].signal.n_calls} times for the first ones; record such stimuli apart."
                )
        if self.start == 0:
            self.compare_with_survey()

    def compare_with_survey(self) -> None:
        """Warn if the first stimulus, seen a second time, gave other values: the network is random."""
        tolerance = 1e-5 if self.planned.draws else 1e-3  # batches of two sizes differ by rounding
        for channel in self.planned.channels:
            signal = channel.signal
            call = signal.call or 0
            seen = self.planned.survey.values[signal.layer, call, signal.part]
            now = self.buffers[channel.space.name][:1]
            now = now[:, call] if "call" in channel.space.dims else now
            before = channel.choice.apply(signal.arrange(seen)[:1]).to("cpu", now.dtype)
            if before.shape != now.shape or now.dtype == torch.float16 or not before.numel():
                continue
            largest = before.abs().nan_to_num_().amax()
            if (now - before).abs_().nan_to_num_().amax() > tolerance * largest:
                warnings.warn(
                    f"the network is random in eval mode: layer '{signal.name}' differs when the same stimulus is "
                    "shown again. The recording is one draw.",
                    ProbekitWarning,
                    stacklevel=6,
                )
                return

    def receive(self, name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        call = self.calls[name]
        self.calls[name] = call + 1
        wanted = [channel for channel in self.by_layer[name] if channel.signal.call in (None, call)]
        if not wanted or call >= wanted[0].signal.n_calls:
            return
        try:
            tensors = read(module, args, kwargs, output, tuple(channel.signal.part for channel in wanted))
            for channel in wanted:
                self.take(channel, call, tensors.get(channel.signal.part))
        except ProbekitError as error:
            self.error = self.error or error
            raise

    def take(self, channel: Channel, call: int, value: Tensor | None) -> None:
        signal, n = channel.signal, self.stop - self.start
        if value is None:
            raise LayerError(f"'{signal.name}' was returned for the first stimuli and is not for {n}.")
        value = value.detach()
        if value.ndim != len(signal.raw_dims) + 1 or value.shape[signal.batch_axis] != n:
            misjudged = self.start == 0 and not self.planned.thorough
            raise (_MisjudgedError if misjudged else LayerError)(
                f"cannot be recorded: '{signal.name}': its output has shape {tuple(value.shape)} for {n} "
                "stimuli: no batch axis."
            )
        value = signal.arrange(value)
        buffer = self.buffers[channel.space.name][self.at : self.at + n]
        if "call" in channel.space.dims:
            buffer = buffer[:, call]
        if value.shape[1:] != signal.shape:
            value, buffer = _fit_time(signal, value, buffer)
        value = channel.choice.apply(value)
        if buffer.dtype == torch.float16 and bool(((value.float().abs() > _FLOAT16_MAX) & value.isfinite()).any()):
            raise UsageError(f"dtype float16 cannot hold the activity of '{signal.name}' (above 65,504); use float32.")
        if value.is_cuda:
            host = torch.empty(value.shape, dtype=buffer.dtype, pin_memory=True)
            self.waiting.append((host.copy_(value.to(buffer.dtype), non_blocking=True), buffer))
        else:
            buffer.copy_(value)


def _fit_time(signal: Signal, value: Tensor, buffer: Tensor) -> tuple[Tensor, Tensor]:
    """Packed sequences are as long as the longest of the batch: what is missing is nan."""
    if signal.dims[:1] != ("time",) or value.shape[2:] != signal.shape[1:] or value.shape[1] > signal.shape[0]:
        raise LayerError(
            f"layer '{signal.name}' gave shape {tuple(value.shape[1:])} and, for the first stimuli, {signal.shape}; "
            "record stimuli of one size at a time."
        )
    buffer.fill_(math.nan)
    return value, buffer[:, : value.shape[1]]


def _channel(signal: Signal, units: Units | Mapping[str, Units], n_stimuli: int) -> Channel:
    choice = choose(_units_for(signal, units), signal.name, signal.dims, signal.shape)
    calls = (signal.n_calls,) if signal.call is None and signal.n_calls > 1 else ()
    dims = ("stimulus", *("call" for _ in calls), *choice.dims)
    space = LayerSpace(signal.name, dims, (n_stimuli, *calls, *choice.shape), choice.coords)
    return Channel(signal, choice, space)


def _units_for(signal: Signal, units: Units | Mapping[str, Units]) -> Units:
    if isinstance(units, Units):
        return units
    fitting = [choice for pattern, choice in units.items() if signal.name == pattern or matches(pattern, signal.name)]
    return fitting[0] if fitting else EVERY_UNIT


def _record_to_memory(session: Session, planned: _Planned, progress: Progress) -> dict[str, Tensor]:
    _check_memory(planned)
    kind = getattr(torch, planned.dtype)
    buffers = {
        channel.space.name: torch.empty(channel.space.shape, dtype=kind, device="cpu") for channel in planned.channels
    }
    _Run(session, planned, buffers).all(0, planned.batch_size, progress)
    return buffers


def _record_to_store(session: Session, planned: _Planned, path: Path, progress: Progress) -> Recording:
    said = _provenance(session, planned)
    store = create_store(
        path,
        [channel.space for channel in planned.channels],
        dtype=planned.dtype,
        batch_size=planned.batch_size,
        stimuli=session.stimuli.table,
        identity=session.identity(said) | {"units": planned.units},
        provenance=said,
    )
    first = store.n_done
    if first < len(session.stimuli):
        buffers = {
            channel.space.name: torch.empty(
                (store.batch_size, *channel.space.shape[1:]), dtype=getattr(torch, planned.dtype), device="cpu"
            )
            for channel in planned.channels
        }
        _Run(session, planned, buffers).all(first, store.batch_size, progress, store)
    return open_store(path)


def _plan(
    session: Session, units: Units | Mapping[str, Units], batch_size: int, dtype: str, *, thorough: bool = True
) -> _Planned:
    check_option("dtype", dtype, DTYPES)
    batch_size = _at_least_one("batch_size", batch_size)
    n = len(session.stimuli)
    session.seed(_SURVEY_SEED)
    before = randomness.state()
    thorough = thorough or min(n, batch_size) <= _SURVEYED
    found = survey(
        session.module,
        select(session.module, session.layers),
        lambda size: session.run(np.arange(size) % n),
        batch=min(_SURVEYED, batch_size),
        n_times=session.n_times,
        thorough=thorough,
    )
    channels = [_channel(signal, units, n) for signal in found.signals]
    said = asdict(units) if isinstance(units, Units) else {pattern: asdict(part) for pattern, part in units.items()}
    return _Planned(found, channels, batch_size, dtype, said, draws=randomness.state() != before, thorough=thorough)


def _at_least_one(argument: str, value: int) -> int:
    if isinstance(value, int | np.integer) and value >= 1:
        return int(value)
    raise UsageError(f"{argument} is {value!r}; expected at least 1.")


def _provenance(session: Session, planned: _Planned) -> dict[str, Any]:
    return session.provenance() | {
        "layers": [channel.space.name for channel in planned.channels],
        "units": planned.units,
        "dtype": planned.dtype,
        "skipped": dict(planned.survey.refused),
    }


def _warn_of_refused(found: Survey) -> None:
    if found.refused:
        listed = [f"'{name}' ({reason})" for name, reason in list(found.refused.items())[:3]]
        more = f" and {len(found.refused) - 3} more" if len(found.refused) > 3 else ""
        warnings.warn(f"not recorded: {', '.join(listed)}{more}; see Recording.skipped.", ProbekitWarning, stacklevel=3)


def _check_memory(planned: _Planned) -> None:
    needed = sum(_n_bytes(channel.space, planned.dtype) for channel in planned.channels)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf
    if needed > there:
        raise UsageError(
            f"the recording takes {needed / 1e9:,.1f} GB and this machine has {there / 1e9:,.1f} GB of memory; give "
            "store='NAME.zarr' to stream to disk, or units=Units(...) to keep less."
        )


def _n_bytes(space: LayerSpace, dtype: str) -> int:
    return math.prod(space.shape) * np.dtype(dtype).itemsize
