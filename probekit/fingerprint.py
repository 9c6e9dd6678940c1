"""Whether two pieces of code do the same: a hash of what a function, a module or a small object is made of."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import types
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn

from probekit.errors import UsageError
from probekit.network import weights_hash

_PLAIN = (bool, int, float, complex, str, bytes, type(None), type, np.generic)


@runtime_checkable
class SaysWhatItIs(Protocol):
    """Something that holds more than what makes it this one and no other."""

    def identity(self) -> Any:
        """Return what it is made of."""


def fingerprint(thing: Any) -> str:
    """Return a hash that is the same, in any process, exactly when `thing` is made of the same parts.

    Whatever has a method ``identity`` counts by what that returns. Functions count by their code, defaults,
    closures and the plain globals that they name; modules by class, weights and plain attributes; dataclasses,
    containers, arrays and tensors by content.

    Raises
    ------
    UsageError
        If it holds something that has no content to compare, such as an open file.

    Examples
    --------
    >>> fingerprint(lambda x: x + 1) == fingerprint(lambda x: x + 1)
    True
    >>> fingerprint(lambda x: x + 1) == fingerprint(lambda x: x + 2)
    False
    """
    digest = hashlib.sha256()
    for part in _parts(thing, ()):
        digest.update(part + b"\0")
    return digest.hexdigest()


def network_fingerprint(network: nn.Module) -> str:
    """Return a hash of all of a network that is not in its state dict: structure, attributes, buffers, user hooks."""
    return fingerprint([str(network), [_module_extras(module) for module in network.modules()]])


def _module_extras(module: nn.Module) -> list[Any]:
    plain = {name: value for name, value in vars(module).items() if name != "training" and _is_plain(value)}
    unsaved = [module._buffers[name] for name in sorted(module._non_persistent_buffers_set)]
    hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    return [type(module).__qualname__, plain, unsaved, hooks]


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(_is_plain(item) for item in value)
    return isinstance(value, _PLAIN)


def _parts(thing: Any, above: tuple[int, ...]) -> Iterable[bytes]:
    if id(thing) in above:
        return
    above = (*above, id(thing))
    yield type(thing).__qualname__.encode()
    if isinstance(thing, type):
        yield f"{thing.__module__}.{thing.__qualname__}".encode()
    elif isinstance(thing, _PLAIN):
        yield repr(thing).encode()
    elif isinstance(thing, Tensor):
        yield from _parts(thing.detach().cpu().numpy() if thing.layout.__str__() == "torch.strided" else None, above)
    elif isinstance(thing, np.ndarray):
        yield f"{thing.dtype}{thing.shape}".encode()
        yield np.ascontiguousarray(thing).tobytes()
    else:
        for item in _content(thing):
            yield from _parts(item, above)


def _content(thing: Any) -> Iterable[Any]:
    if isinstance(thing, SaysWhatItIs):
        return [thing.identity()]
    if isinstance(thing, nn.Module):
        return [weights_hash(thing), str(thing), [_module_extras(module) for module in thing.modules()]]
    if isinstance(thing, types.FunctionType):
        return [thing.__code__, thing.__defaults__, thing.__kwdefaults__, _closure(thing), _globals(thing)]
    if isinstance(thing, types.CodeType):
        return [thing.co_code, thing.co_names, thing.co_varnames, thing.co_consts]
    if isinstance(thing, types.MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, types.BuiltinFunctionType | types.ModuleType):
        return [thing.__name__]
    if isinstance(thing, functools.partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, Mapping):
        return [item for pair in thing.items() for item in pair]
    if isinstance(thing, tuple | list):
        return thing
    if isinstance(thing, set | frozenset):
        return sorted(fingerprint(item) for item in thing)
    if dataclasses.is_dataclass(thing):
        return [getattr(thing, field.name) for field in dataclasses.fields(thing)]
    if vars_of := getattr(thing, "__dict__", None):
        return [type(thing).__call__ if callable(thing) else None, vars_of]
    raise UsageError(
        f"a store must know whether the same code ran, and {thing!r} has no content to compare; give a function, a "
        "dataclass or an nn.Module."
    )


def _closure(function: types.FunctionType) -> list[Any]:
    return [cell.cell_contents for cell in function.__closure__ or ()]


def _globals(function: types.FunctionType) -> dict[str, Any]:
    known = function.__globals__
    return {name: known[name] for name in function.__code__.co_names if name in known and _is_plain(known[name])}
