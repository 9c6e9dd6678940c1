"""A first look: the network is shown a few stimuli once, to learn what each layer returns and how its axes lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from probekit import hooks, recurrent
from probekit.errors import LayerError, ModelError, ProbekitError
from probekit.layers import ROOT, Wanted, matches, modules_by_name
from probekit.outputs import Layout, canonical, label, layout_of, named_tensors

Forward = Callable[[nn.Module, Tensor, pd.DataFrame], object]
"""Runs the network on prepared inputs, given the table rows of the stimuli that they are."""


@dataclass(frozen=True)
class Signal:
    """One tensor that a layer returns.

    Parameters
    ----------
    layer, part : str
        Where it comes from; `part` is "" for a bare tensor.
    n_calls : int
        Times that the module runs in one forward pass.
    call : int or None
        The one call that this is, where calls differ in shape; None for all of them, as an axis if more than one.
    batch_axis : int
        Which axis of the tensor is the batch.
    raw_dims, dims : tuple of str
        Axes after the batch, as returned and as recorded.
    shape : tuple of int
        Sizes along `dims`.
    """

    layer: str
    part: str
    n_calls: int
    call: int | None
    batch_axis: int
    raw_dims: tuple[str, ...]
    dims: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        """How the recording calls it: ``layer``, ``layer@call``, ``layer:part``."""
        call = "" if self.call is None else f"@{self.call}"
        return f"{self.layer}{call}:{self.part}" if self.part else f"{self.layer}{call}"

    def arrange(self, value: Tensor) -> Tensor:
        """Return the tensor with the batch first and its axes in recorded order (a view)."""
        value = value.movedim(self.batch_axis, 0)
        if not self.raw_dims:
            return value[:, None]
        return value.permute(0, *(1 + self.raw_dims.index(dim) for dim in self.dims))


@dataclass(frozen=True)
class Survey:
    """What was learnt.

    Parameters
    ----------
    signals : tuple of Signal
        Of the wanted layers, in order of first run.
    refused : dict
        Layer → why it cannot be recorded.
    values : dict
        (layer, call, part) → the tensor that was returned for the stimuli shown.
    """

    signals: tuple[Signal, ...]
    refused: dict[str, str]
    values: dict[tuple[str, int, str], Tensor]


def read(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any, parts: tuple[str, ...]
) -> dict[str, Tensor]:
    """Return part → tensor of what a module returned, rebuilding what fused modules keep to themselves.

    Parameters
    ----------
    module, args, kwargs, output
        A module, its inputs and its output.
    parts : tuple of str
        Patterns of the parts wanted; empty takes all but attention weights, which cost a second pass.
    """

    def asked(part: str) -> bool:
        return not parts or any(matches(pattern, part) for pattern in parts)

    if isinstance(module, recurrent.RECURRENT):
        inputs = args[0] if args else kwargs["input"]
        start = args[1] if len(args) > 1 else kwargs.get("hx")
        chosen = [part for part in recurrent.part_names(module) if asked(part)]
        return dict(recurrent.states(module, inputs, start, output, chosen).parts)
    if isinstance(module, nn.MultiheadAttention):
        tensors = {"output": output[0]}
        if parts and asked("weights"):
            again = (
                dict(
                    zip(("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask"), args, strict=False)
                )
                | kwargs
            )
            again |= {"need_weights": True, "average_attn_weights": False}
            tensors["weights"] = module.forward(**again)[1]
    else:
        tensors = named_tensors(output)
    return {part: tensor for part, tensor in tensors.items() if asked(part)}


def survey(
    network: nn.Module, wanted: list[Wanted], run: Callable[[int], object], *, batch: int, n_times: int | None
) -> Survey:
    """Show the network `batch` stimuli and return what each wanted layer gives.

    Parameters
    ----------
    network : nn.Module
    wanted : list of Wanted
    run : callable
        Runs the network on that many stimuli.
    batch : int
        How many; an axis of that size is the batch. Where that leaves a doubt, a second look with one less decides.
    n_times : int or None
        Time steps of a stimulus, if it has any.

    Raises
    ------
    LayerError
        If a layer asked for by name never ran, or cannot be recorded, or if nothing can.
    """
    seen = _look(network, wanted, run, batch)
    again = _look(network, wanted, run, batch - 1) if batch > 1 and _doubtful(seen, batch) else None
    signals: list[Signal] = []
    refused: dict[str, str] = {}
    for layer in wanted:
        if layer.name not in seen.outputs:
            refused[layer.name] = "it never ran during a forward pass"
            continue
        try:
            other = again.outputs[layer.name] if again else None
            signals += _signals(layer.name, seen.outputs[layer.name], other, batch, n_times)
        except LayerError as reason:
            refused[layer.name] = str(reason)
    exact = [layer.name for layer in wanted if layer.exact and layer.name in refused]
    if exact or not signals:
        shown = "; ".join(f"'{name}': {refused[name]}" for name in exact or list(refused)[:5])
        raise LayerError(f"cannot be recorded: {shown}.")
    order = list(seen.outputs)
    return Survey(tuple(sorted(signals, key=lambda signal: order.index(signal.layer))), refused, seen.values)


@dataclass(frozen=True)
class _Shape:
    size: tuple[int, ...]
    layout: Layout
    batch_first: bool
    """Known to be so, because probekit built the tensor."""
    kind: str


@dataclass
class _Look:
    outputs: dict[str, list[dict[str, _Shape]]]
    """Layer → one entry a call → part → shape."""
    values: dict[tuple[str, int, str], Tensor]


def _look(network: nn.Module, wanted: list[Wanted], run: Callable[[int], object], batch: int) -> _Look:
    parts = {layer.name: layer.parts for layer in wanted}
    modules = modules_by_name(network)
    watched = {name or ROOT: module for name, module in network.named_modules()}
    watched |= {name: modules[name] for name in parts}
    look = _Look({}, {})
    layouts: dict[int, tuple[Tensor, Layout]] = {}
    recent: list[tuple[str, tuple[int, ...], Layout]] = []

    def receive(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        known = isinstance(module, recurrent.RECURRENT)
        tensors = read(module, args, kwargs, output, parts.get(name, ()) if name in parts or not known else ("output",))
        shapes = {}
        for part, tensor in tensors.items():
            layout = _layout(name, module, tensor, [*args, *kwargs.values()], layouts, recent)
            layouts[id(tensor)] = (tensor, layout)
            recent.append((name, tuple(tensor.shape), layout))
            kind = "weights" if part == "weights" and isinstance(module, nn.MultiheadAttention) else str(tensor.dtype)
            batch_first = known or kind == "weights"
            shapes[part] = _Shape(tuple(tensor.shape), "last" if known else layout, batch_first, kind)
        if name in parts:
            if not shapes:
                shapes[""] = _Shape((), "first", False, type(output).__name__)
            calls = look.outputs.setdefault(name, [])
            look.values |= {(name, len(calls), part): tensor.clone() for part, tensor in tensors.items()}
            calls.append(shapes)

    with hooks.tapped(watched, receive):
        run(batch)
    return look


def _layout(
    name: str,
    module: nn.Module,
    tensor: Tensor,
    inputs: list[Any],
    layouts: dict[int, tuple[Tensor, Layout]],
    recent: list[tuple[str, tuple[int, ...], Layout]],
) -> Layout:
    if id(tensor) in layouts:
        return layouts[id(tensor)][1]
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    near: Layout | None = None
    far: Layout | None = None
    for value in reversed(tensors):
        if id(value) in layouts and value.ndim == tensor.ndim:
            far = layouts[id(value)][1]
            if value.shape == tensor.shape:
                near = far
    prefix = "" if name == ROOT else f"{name}."
    inside = [layout for child, shape, layout in recent if child.startswith(prefix) and shape == tuple(tensor.shape)]
    inherited = near or (inside[-1] if inside else None) or far
    return layout_of(module, inherited, tensor.ndim - 1)


def _doubtful(look: _Look, batch: int) -> bool:
    return any(
        not shape.batch_first and (shape.size[:1] != (batch,) or shape.size[:2].count(batch) > 1)
        for calls in look.outputs.values()
        for call in calls
        for shape in call.values()
    )


def _signals(
    layer: str, calls: list[dict[str, _Shape]], again: list[dict[str, _Shape]] | None, batch: int, n_times: int | None
) -> list[Signal]:
    signals = []
    for part in dict.fromkeys(part for call in calls for part in call):
        if any(part not in call for call in calls):
            raise LayerError(f"only some of its {len(calls)} calls return '{part}'")
        shapes = [call[part] for call in calls]
        others = [call[part] for call in again] if again else [None] * len(shapes)
        alike = all(shape.size == shapes[0].size for shape in shapes)
        for call, (shape, other) in enumerate(zip(shapes, others, strict=True)):
            if call and alike:
                break
            axis = _batch_axis(shape, other, batch)
            rest = shape.size[:axis] + shape.size[axis + 1 :]
            raw = _raw_dims(shape, rest, n_times)
            dims = canonical(raw) if raw else ("unit",)
            sizes = tuple(rest[raw.index(dim)] for dim in dims) if raw else (1,)
            signals.append(Signal(layer, part, len(calls), None if alike else call, axis, raw, dims, sizes))
    return signals


def _raw_dims(shape: _Shape, rest: tuple[int, ...], n_times: int | None) -> tuple[str, ...]:
    if shape.kind == "weights":
        return ("head", "query", "key")
    if shape.batch_first:
        return ("time", "unit")
    return label(rest, shape.layout, n_times)


def _batch_axis(shape: _Shape, other: _Shape | None, batch: int) -> int:
    if not shape.size:
        if shape.kind.startswith("torch."):
            raise LayerError("its output is one number, without a batch axis")
        raise LayerError(f"its output is a {shape.kind}, which holds no tensor")
    if "complex" in shape.kind:
        raise LayerError("its output is complex")
    if shape.batch_first:
        return 0
    axes = [axis for axis, size in enumerate(shape.size[:2]) if size == batch]
    if other is not None and len(other.size) == len(shape.size):
        axes = [axis for axis in axes if other.size[axis] == batch - 1]
        folded = shape.size[0] * (batch - 1) == other.size[0] * batch
        if not axes and folded:
            raise LayerError(
                f"its output folds the batch into an axis of {shape.size[0] // batch} more "
                f"(shape {shape.size} for {batch} stimuli), so it has no batch axis of its own"
            )
    if not axes:
        raise LayerError(f"its output has shape {shape.size} for {batch} stimuli: no batch axis")
    return axes[0]


def run_network(network: nn.Module, inputs: Tensor, rows: pd.DataFrame, forward: Forward | None) -> object:
    """Run the network; whatever it raises comes as a ModelError that says on what.

    Raises
    ------
    ModelError
        If the network raises.
    """
    try:
        return forward(network, inputs, rows) if forward else network(inputs)
    except ProbekitError:
        raise
    except torch.OutOfMemoryError as err:
        raise ModelError(
            f"out of memory on {inputs.device} with {len(inputs)} stimuli at once; lower batch_size."
        ) from err
    except Exception as err:
        raise ModelError(
            f"{type(network).__name__} raised {type(err).__name__} on {len(inputs)} stimuli of shape "
            f"{tuple(inputs.shape[1:])} ({inputs.dtype}): {err}"
        ) from err
