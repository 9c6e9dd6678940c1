"""The hooks of lesions: on what a module returns, inside its recurrence, or on its heads of attention."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from probekit import hooks
from probekit.errors import LayerError, ModelError, unknown_name
from probekit.lesions.sites import Pass, Site
from probekit.outputs import label, named_tensors, with_tensor
from probekit.recurrent import Edit, part_names, step_by_step

HEADS = "heads"
_PROJECTIONS = ("proj", "out_proj", "o_proj", "c_proj", "to_out")


class ModuleLesion(hooks.Inside):
    """The hook on one lesioned module.

    Of several on one recurrent or attention module the last acts for all, since each changes what the next starts from.

    Parameters
    ----------
    layer : str
    sites : sequence of Site
        Parts of this module.
    now : Pass
    said : dict
        What is said of the lesion in the provenance of recordings.
    """

    def __init__(self, layer: str, sites: Sequence[Site], now: Pass, said: dict[str, Any]) -> None:
        self.layer, self.sites, self.now, self.said = layer, sites, now, said

    def identity(self) -> list[Any]:
        """Return what tells it from another lesion, to whom a store asks."""
        return [self.layer, self.said]

    def __call__(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        """Return the output as the lesion leaves it."""
        self.now.ran.add(self.layer)
        everyone = lesions_on(module)
        if _is_recurrent(module) or is_attention(module):
            if everyone[-1] is not self:
                return None
            return self._from_inside(module, args, kwargs, output, [site for one in everyone for site in one.sites])
        call = self.now.calls.get(self.layer, 0)
        self.now.calls[self.layer] = call + 1
        for site in self.sites:
            output = self._changed(site, module, [*args, *kwargs.values()], output, call)
        return output

    def states(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], parts: Collection[str]
    ) -> dict[str, Tensor]:
        """Return what a recurrent module held at every step of the lesioned pass."""
        sites = [site for one in lesions_on(module) for site in one.sites if site.part != "output"]
        inputs, hx = _given(args, kwargs)
        found = step_by_step(module, inputs, hx, edits=_edits(sites, inputs, module), parts=parts)
        return dict(found.parts)

    def _from_inside(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any, sites: list[Site]
    ) -> Any:
        known = part_names(module) if _is_recurrent(module) else ["output", HEADS]
        for site in sites:
            if site.part not in known:
                raise _no_part(site, known, module)
        outer = [site for site in sites if site.part == "output"]
        inner = [site for site in sites if site.part != "output"]
        if inner and _is_recurrent(module):
            inputs, hx = _given(args, kwargs)
            carrying = [site.now for site in inner if not site.now.is_copied]
            n_copies = max((now.n_lesions for now in carrying), default=1)
            found = step_by_step(module, inputs, hx, edits=_edits(inner, inputs, module), n_copies=n_copies)
            output = (found.output, found.state)
            for now in carrying:
                now.is_copied = True
        elif inner:
            output = _with_heads(module, args, kwargs, output, inner)
        for site in outer:
            output = self._changed(site, module, [], output, 0, "0")
        return output

    def _changed(
        self, site: Site, module: nn.Module, inputs: list[Any], output: Any, call: int, name: str | None = None
    ) -> Any:
        tensors = named_tensors(output)
        if name is None:
            name = next(iter(tensors)) if not site.part and len(tensors) == 1 else site.part
        if name not in tensors:
            raise _no_part(site, list(tensors), module)
        now, values = site.now, tensors[name]
        axis = 1 if _is_time_first(module, values, now) else 0
        rows = values.movedim(axis, 0)
        if _is_recurrent(module):
            dims: tuple[str, ...] = ("time", "unit")
        else:
            layout = now.layouts.see(self.layer, module, values, inputs)
            dims = label(tuple(rows.shape[1:]), layout, now.n_times)
        was_copied = now.is_copied
        if _is_recurrent(module) and values.ndim == 2:  # no batch axis
            changed = site.alter(rows[None], dims, call)[0]
        else:
            changed = site.alter(rows, dims, call).movedim(0, axis)
        output = with_tensor(output, name, changed)
        if not was_copied:
            now.is_copied = True
            for other, tensor in tensors.items():
                if other != name:
                    output = with_tensor(output, other, _repeated(tensor, now, int(_is_recurrent(module))))
        return output


class HeadLesion:
    """The hook before the projection that joins the heads of an attention layer.

    Parameters
    ----------
    layer : str
        The attention layer.
    n_heads : int
    sites : sequence of Site
    now : Pass
    said : dict
    """

    def __init__(self, layer: str, n_heads: int, sites: Sequence[Site], now: Pass, said: dict[str, Any]) -> None:
        self.layer, self.n_heads, self.sites, self.now, self.said = layer, n_heads, sites, now, said

    def identity(self) -> list[Any]:
        """Return what tells it from another lesion, to whom a store asks."""
        return [self.layer, self.said]

    def __call__(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the projection is given, some heads changed."""
        self.now.ran.add(self.layer)
        joined = args[0]
        for site in self.sites:
            joined = _altered_heads(joined, self.n_heads, site)
        return (joined, *args[1:]), kwargs


def lesions_on(module: nn.Module) -> list[ModuleLesion]:
    """Return the lesions of what a module returns, in the order in which they came."""
    return [hook for hook in module._forward_hooks.values() if isinstance(hook, ModuleLesion)]


def said_of(module: nn.Module) -> list[dict[str, Any]]:
    """Return what is said of every lesion of a module."""
    hooks_there = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    return [hook.said for hook in hooks_there if isinstance(hook, ModuleLesion | HeadLesion)]


def projection_of(module: nn.Module, layer: str) -> tuple[nn.Module, int]:
    """Return the module that joins the heads of an attention layer, and their number.

    Raises
    ------
    LayerError
        If no heads can be told.
    """
    n_heads = getattr(module, "num_heads", None)
    for name in _PROJECTIONS:
        projection = getattr(module, name, None)
        if isinstance(n_heads, int) and isinstance(projection, nn.Linear) and projection.in_features % n_heads == 0:
            return projection, n_heads
    raise LayerError(
        f"layer '{layer}' has no heads that probekit knows: expected nn.MultiheadAttention, or a module with num_heads "
        f"and a linear layer called {', '.join(_PROJECTIONS)}."
    )


def is_attention(module: nn.Module) -> bool:
    """Say whether a module is torch's own attention; a subclass may do anything."""
    return type(module).forward is nn.MultiheadAttention.forward


def _is_recurrent(module: nn.Module) -> bool:
    return type(module).forward in (nn.LSTM.forward, nn.GRU.forward, nn.RNN.forward)


def _given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    return (args[0] if args else kwargs["input"]), (args[1] if len(args) > 1 else kwargs.get("hx"))


def _edits(sites: Sequence[Site], inputs: Any, module: nn.Module) -> dict[str, Edit]:
    if isinstance(inputs, PackedSequence):
        n_steps = len(inputs.batch_sizes)
    else:
        n_steps = inputs.shape[1 if inputs.ndim == 3 and getattr(module, "batch_first", False) else 0]

    def edit(part: str) -> Edit:
        def altered(values: Tensor, step: Tensor) -> Tensor:
            for site in sites:
                if site.part == part:
                    values = site.alter_step(values, step, n_steps)
            return values

        return altered

    return {site.part: edit(site.part) for site in sites}


def _is_time_first(module: nn.Module, values: Tensor, now: Pass) -> bool:
    if _is_recurrent(module) or is_attention(module):
        return values.ndim == 3 and not getattr(module, "batch_first", False)
    expected = now.batch * (now.n_lesions if now.is_copied else 1)
    return values.ndim > 1 and bool(now.batch) and values.shape[0] != expected == values.shape[1]


def _repeated(tensor: Tensor, now: Pass, first: int = 0) -> Tensor:
    """Return another tensor of the same output, copied for every lesion along its batch axis, `first` or later."""
    axis = next((axis for axis in range(first, min(2, tensor.ndim)) if tensor.shape[axis] == now.batch), None)
    if axis is None:
        raise ModelError("a lesioned module returns a tensor without a batch axis beside the lesioned one.")
    return torch.cat([tensor] * now.n_lesions, axis)


def _altered_heads(joined: Tensor, n_heads: int, site: Site) -> Tensor:
    """Return joined heads, shape (batch, token, head × unit), some of them changed."""
    apart = joined.reshape(*joined.shape[:-1], n_heads, -1)
    dims = ("token", "head", "unit") if apart.ndim == 4 else ("head", "unit")
    changed = site.alter(apart, dims, 0).flatten(-2)
    site.now.is_copied = True
    return changed


def _with_heads(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any, sites: Sequence[Site]
) -> Any:
    """Return the output of torch's attention, some heads changed before they are joined.

    A copy of the module that joins its heads by the identity gives them apart; weights are shared and only read.
    """
    assert isinstance(module, nn.MultiheadAttention)
    apart = copy.copy(module)
    apart._modules = dict(module._modules)
    apart._forward_hooks = type(module._forward_hooks)()
    joined = module.out_proj
    identity = nn.modules.linear.NonDynamicallyQuantizableLinear(module.embed_dim, module.embed_dim, bias=False)
    identity = identity.to(joined.weight.device, joined.weight.dtype).requires_grad_(False)
    with torch.no_grad():
        identity.weight.copy_(torch.eye(module.embed_dim))
    apart._modules["out_proj"] = identity
    heads = apart.forward(*args, **kwargs)[0]
    axis = 0 if module.batch_first or heads.ndim == 2 else 1
    rows = heads.movedim(axis, 0)
    was_copied = [site.now.is_copied for site in sites]
    for site in sites:
        rows = _altered_heads(rows, module.num_heads, site)
    weights = output[1]
    if weights is not None and not all(was_copied):
        weights = _repeated(weights, sites[0].now)
    return functional.linear(rows, joined.weight, joined.bias).movedim(0, axis), weights


def _no_part(site: Site, known: Sequence[str], module: nn.Module) -> LayerError:
    named = [part for part in known if part]
    if site.part:
        if not named:
            return LayerError(f"layer '{site.layer}' returns one tensor and has no part '{site.part}'.")
        return LayerError(str(unknown_name(f"part of '{site.layer}'", site.part, named)))
    inside = (
        f" '{site.layer}:output' is what later layers read, '{site.layer}:h_l0' the state inside the recurrence."
        if _is_recurrent(module)
        else ""
    )
    listed = ", ".join(f"'{site.layer}:{part}'" for part in named)
    return LayerError(f"layer '{site.layer}' has several parts; say which is lesioned: {listed}.{inside}")
