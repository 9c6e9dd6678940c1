"""A first look: the network is shown a few stimuli once, to learn what each layer returns and how its axes lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from probekit import hooks, recurrent
from probekit.errors import LayerError, ModelError, ProbekitError
from probekit.layers import ROOT, Wanted, matches, modules_by_name
from probekit.outputs import Layout, Layouts, canonical, label, named_tensors

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

    if _is_fused(module):
        inputs = args[0] if args else kwargs["input"]
        start = args[1] if len(args) > 1 else kwargs.get("hx")
        chosen = [part for part in recurrent.part_names(module) if asked(part)]
        changed = hooks.inside(module)
        if changed is not None:
            found = changed.states(module, args, kwargs, [part for part in chosen if part != "output"])
            given = recurrent.states(module, inputs, start, output, [part for part in chosen if part == "output"])
            return {part: (given.parts if part == "output" else found)[part] for part in chosen}
        return dict(recurrent.states(module, inputs, start, output, chosen).parts)
    if _is_attention(module):
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
    network: nn.Module,
    wanted: list[Wanted],
    run: Callable[[int], object],
    *,
    batch: int,
    n_times: int | None,
    thorough: bool = True,
) -> Survey:
    """Show the network `batch` stimuli and return what each wanted layer gives.

    Parameters
    ----------
    network : nn.Module
    wanted : list of Wanted
    run : callable
        Runs the network on that many stimuli.
    batch : int
        How many; an axis of that size, before or after the first, is taken for the batch.
    thorough : bool
        Look again with another number of stimuli, and take for the batch only what has changed with it. Otherwise that
        is done where the first look leaves a doubt, and the caller checks at its first batch.
    n_times : int or None
        Time steps of a stimulus, if it has any.

    Raises
    ------
    LayerError
        If a layer asked for by name never ran, or cannot be recorded, or if nothing can.
    """
    scripted = [name for name, module in modules_by_name(network).items() if isinstance(module, torch.jit.ScriptModule)]
    seen = _look(network, wanted, run, batch)
    again = _second_look(network, wanted, run, batch) if thorough or _is_doubtful(seen) else None
    signals: list[Signal] = []
    refused: dict[str, str] = {}
    for layer in wanted:
        if layer.name not in seen.outputs:
            refused[layer.name] = (
                "it is a TorchScript module, whose outputs torch does not show"
                if layer.name in scripted
                else "it never ran during a forward pass"
            )
            continue
        try:
            signals += _signals(layer, seen, again, n_times)
        except LayerError as reason:
            refused[layer.name] = str(reason)
    exact = [layer.name for layer in wanted if layer.exact and layer.name in refused]
    if exact or not signals:
        shown = "; ".join(f"'{name}': {refused[name]}" for name in exact or list(refused)[:5])
        raise LayerError(f"cannot be recorded: {shown}.")
    names = [signal.name for signal in signals]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise LayerError(f"two layers or parts would both be called '{twice[0]}'; record them apart.")
    order = list(seen.outputs)
    return Survey(tuple(sorted(signals, key=lambda signal: order.index(signal.layer))), refused, seen.values)


@dataclass(frozen=True)
class _Shape:
    size: tuple[int, ...]
    layout: Layout
    batch_first: bool
    """Known to be so, because probekit built the tensor."""
    kind: str
    packed: bool


@dataclass
class _Look:
    batch: int
    outputs: dict[str, list[dict[str, _Shape]]]
    """Layer → one entry a call → part → shape."""
    values: dict[tuple[str, int, str], Tensor]


def _look(network: nn.Module, wanted: list[Wanted], run: Callable[[int], object], batch: int) -> _Look:
    parts = {layer.name: layer.parts for layer in wanted}
    modules = modules_by_name(network)
    watched = {name or ROOT: module for name, module in network.named_modules()}
    watched |= {name: modules[name] for name in parts}
    watched = {name: module for name, module in watched.items() if not isinstance(module, torch.jit.ScriptModule)}
    look = _Look(batch, {}, {})
    layouts = Layouts()

    def receive(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        known = _is_fused(module)
        packed = any(isinstance(value, PackedSequence) for value in [*args[:1], *kwargs.values()])
        tensors = read(module, args, kwargs, output, parts.get(name, ()) if name in parts or not known else ("output",))
        shapes = {}
        for part, tensor in tensors.items():
            layout = layouts.see(name, module, tensor, [*args, *kwargs.values()])
            kind = "weights" if part == "weights" and _is_attention(module) else _kind(tensor)
            batch_first = known or kind == "weights"
            shapes[part] = _Shape(tuple(tensor.shape), "last" if known else layout, batch_first, kind, packed)
        if name in parts:
            if not shapes:
                shapes[""] = _Shape((), "first", False, _nothing(output, parts[name]), False)
            calls = look.outputs.setdefault(name, [])
            look.values |= {(name, len(calls), part): tensor.clone() for part, tensor in tensors.items()}
            calls.append(shapes)

    with hooks.tapped(watched, receive):
        run(batch)
    return look


def _is_doubtful(look: _Look) -> bool:
    shapes = [shape for calls in look.outputs.values() for call in calls for shape in call.values()]
    return any(shape.size[:1] != (look.batch,) or shape.size[:2].count(look.batch) > 1 for shape in shapes)


def _second_look(network: nn.Module, wanted: list[Wanted], run: Callable[[int], object], batch: int) -> _Look | None:
    """Look with one stimulus, or with one more for a network that cannot take one."""
    if batch == 1:
        return None
    try:
        return _look(network, wanted, run, batch - 1)
    except ModelError:
        return _look(network, wanted, run, batch + 1)


def _signals(layer: Wanted, seen: _Look, again: _Look | None, n_times: int | None) -> list[Signal]:
    calls = seen.outputs[layer.name]
    others = again.outputs.get(layer.name, []) if again else calls
    if len(others) != len(calls):
        raise LayerError(f"it runs {len(calls)} times for {seen.batch} stimuli and {len(others)} for another number")
    signals = []
    for part in dict.fromkeys(part for call in calls for part in call):
        if any(part not in call for call in [*calls, *others]):
            raise LayerError(f"only some of its {len(calls)} calls return '{part}'")
        shapes = [call[part] for call in calls]
        alike = all(shape.size == shapes[0].size for shape in shapes)
        for call, shape in enumerate(shapes[:1] if alike else shapes):
            other = (others[call][part].size, again.batch) if again else None
            axis = _batch_axis(shape, other, seen.batch)
            rest = shape.size[:axis] + shape.size[axis + 1 :]
            raw = _raw_dims(shape, rest, n_times)
            dims = canonical(raw) if raw else ("unit",)
            sizes = tuple(rest[raw.index(dim)] for dim in dims) if raw else (1,)
            if shape.packed and n_times and dims[0] == "time":
                sizes = (max(n_times, sizes[0]), *sizes[1:])
            signals.append(Signal(layer.name, part, len(calls), None if alike else call, axis, raw, dims, sizes))
    return signals


def _raw_dims(shape: _Shape, rest: tuple[int, ...], n_times: int | None) -> tuple[str, ...]:
    if shape.kind == "weights":
        return ("head", "query", "key")
    if shape.batch_first:
        return ("time", "unit")
    return label(rest, shape.layout, n_times)


def _batch_axis(shape: _Shape, other: tuple[tuple[int, ...], int] | None, batch: int) -> int:
    if not shape.size:
        if shape.kind.startswith("torch."):
            raise LayerError("its output is one number, without a batch axis")
        raise LayerError(f"its output {shape.kind}")
    if not shape.kind.startswith(("torch.", "weights")) or "complex" in shape.kind:
        raise LayerError(f"its output is {shape.kind.replace('torch.', '')}, which cannot be recorded")
    if shape.batch_first and shape.size[0] == batch:
        return 0
    axes = [axis for axis, size in enumerate(shape.size[:2]) if size == batch]
    if other is not None:
        size, shown = other
        folded = shape.size[0] * shown == size[0] * batch if size else False
        if len(size) == len(shape.size):
            axes = [axis for axis in axes if size[axis] == shown]
        if not axes and folded:
            raise LayerError(
                f"its output folds the batch into an axis of {shape.size[0] // batch} more "
                f"(shape {shape.size} for {batch} stimuli), so it has no batch axis of its own"
            )
    if not axes:
        raise LayerError(f"its output has shape {shape.size} for {batch} stimuli: no batch axis")
    return axes[0]


def _is_fused(module: nn.Module) -> bool:
    """Say whether a module is one of torch's own recurrent ones; a subclass may return anything."""
    return type(module).forward in (nn.LSTM.forward, nn.GRU.forward, nn.RNN.forward)


def _is_attention(module: nn.Module) -> bool:
    return type(module).forward is nn.MultiheadAttention.forward


def _kind(tensor: Tensor) -> str:
    if tensor.layout is not torch.strided:
        return "a sparse tensor"
    return "a quantised tensor" if tensor.is_quantized else str(tensor.dtype)


def _nothing(output: Any, parts: tuple[str, ...]) -> str:
    returned = [] if isinstance(output, Tensor) else list(named_tensors(output))
    if parts and (returned or isinstance(output, Tensor)):
        return f"has no part '{', '.join(parts)}'; its parts: {', '.join(returned) or 'none, it is one tensor'}"
    return f"is a {type(output).__name__}, which holds no tensor"


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
            f"{tuple(inputs.shape[1:])} ({inputs.dtype}): {err} (If it takes input of another shape, say so: "
            "input_shape, or --input at the command line.)"
        ) from err
