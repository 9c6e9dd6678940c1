"""Which layers: by dotted name, pattern, module type or predicate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import nn

from probekit.errors import LayerError, UsageError, nearest

Pick: TypeAlias = str | type[nn.Module] | Callable[[str, nn.Module], bool]
LayerSpec: TypeAlias = Pick | Sequence[Pick] | None
ROOT = "."
"""Name of the whole network among its layers."""

_NO_ACTIVATION = (nn.MultiheadAttention, nn.Softmax, nn.LogSoftmax, nn.Softmax2d, nn.Softmin)
_PARAMETRIC = (nn.modules.conv._ConvNd, nn.Linear, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)


@dataclass(frozen=True)
class Wanted:
    """A layer that was asked for.

    Parameters
    ----------
    name : str
        Dotted name, "." for the whole network.
    parts : tuple of str
        Patterns of the parts of its output; empty: all that the forward pass gives.
    exact : bool
        Whether it was asked for by its own name, so that it must be recordable.
    """

    name: str
    parts: tuple[str, ...]
    exact: bool


def modules_by_name(network: nn.Module) -> dict[str, nn.Module]:
    """Return dotted name → module, in order of definition; the network itself is ".", a shared module has each name."""
    return {name or ROOT: module for name, module in network.named_modules(remove_duplicate=False)}


def select(network: nn.Module, spec: LayerSpec) -> list[Wanted]:
    """Return the layers that `spec` asks for.

    Parameters
    ----------
    network : nn.Module
    spec : str, type, predicate, or a list of these; or None
        A dotted name ("layer4.1.conv2"); a pattern, in which ``*`` stands for anything but a dot and ``**`` for
        anything ("blocks.*", "**.conv1"); a module type (``nn.Conv2d``); a function of name and module; each string may
        end in ":part", itself a pattern ("lstm:c_l*"). A module with several names is given once a pattern, type or
        predicate, under the first name that fits. None takes every activation function, or, if there is
        none, every convolution, linear, recurrent and attention layer.

    Raises
    ------
    LayerError
        If a name or pattern matches nothing; the message suggests the nearest name.
    """
    known = modules_by_name(network)
    unique = {name or ROOT: module for name, module in network.named_modules()}
    if spec is None:
        return _default(unique)
    picks = [spec] if isinstance(spec, str | type) or not isinstance(spec, Sequence) else list(spec)
    if not picks:
        raise LayerError("layers is an empty list; name at least one layer, or give None for probekit's choice.")
    found: dict[str, Wanted] = {}
    for pick in picks:
        for wanted in _match(pick, known, unique):
            before = found.get(wanted.name)
            found[wanted.name] = _merge(before, wanted) if before else wanted
    return list(found.values())


def matches(pattern: str, name: str) -> bool:
    """Say whether `name` fits: ``*`` is anything but a dot, ``**`` anything, ``**.`` any number of levels or none.

    >>> matches("blocks.*", "blocks.0"), matches("blocks.*", "blocks.0.conv"), matches("**.conv", "blocks.0.conv")
    (True, False, True)
    >>> matches("**.conv", "conv"), matches("**.conv", "upconv")
    (True, False)
    """
    parts = re.split(r"(\*\*\.|\*\*|\*|\?)", pattern)
    meaning = {"**.": r"(?:.*\.)?", "**": ".*", "*": r"[^.]*", "?": r"[^.]"}
    return re.fullmatch("".join(meaning.get(part, re.escape(part)) for part in parts), name, re.DOTALL) is not None


def _match(pick: Pick, known: dict[str, nn.Module], unique: dict[str, nn.Module]) -> list[Wanted]:
    if isinstance(pick, str):
        return _match_name(pick, known)
    if isinstance(pick, type):
        names = [name for name, module in unique.items() if isinstance(module, pick)]
        described = f"layers asks for modules of type {pick.__name__}"
    elif callable(pick) and not isinstance(pick, nn.Module):
        names = [name for name, module in unique.items() if pick("" if name == ROOT else name, module)]
        described = "layers gives a predicate"
    else:
        raise UsageError(f"layers holds {pick!r}; expected a name, a pattern, a module type or a predicate.")
    if not names:
        raise LayerError(f"{described}; the network has none that fits.")
    return [Wanted(name, (), exact=False) for name in names]


def _match_name(pick: str, known: dict[str, nn.Module]) -> list[Wanted]:
    if pick in known:
        return [Wanted(pick, (), exact=True)]
    name, colon, part = pick.rpartition(":")
    if not colon:
        name, part = pick, ""
    parts = (part,) if part else ()
    if name in known:
        return [Wanted(name, parts, exact=True)]
    names: dict[nn.Module, str] = {}
    for candidate, module in known.items():
        if candidate != ROOT and matches(name, candidate):
            names.setdefault(module, candidate)
    if not names and name == "**":
        names = {known[ROOT]: ROOT}
    if not names:
        raise LayerError(
            f"The network has no layer '{name}'.{nearest(name, known)} Its layers: {_shown(known)}. "
            "(`probekit layers MODEL` lists them; * stands for one level, ** for any number.)"
        )
    return [Wanted(candidate, parts, exact=False) for candidate in names.values()]


def _merge(one: Wanted, other: Wanted) -> Wanted:
    parts = (*one.parts, *other.parts) if one.parts and other.parts else ()
    return Wanted(one.name, parts, one.exact or other.exact)


def _default(unique: dict[str, nn.Module]) -> list[Wanted]:
    leaves = {name: module for name, module in unique.items() if not list(module.children())}
    activations = [
        name
        for name, module in leaves.items()
        if type(module).__module__ == "torch.nn.modules.activation" and not isinstance(module, _NO_ACTIVATION)
    ]
    parametric = [name for name, module in unique.items() if isinstance(module, _PARAMETRIC)]
    names = activations or parametric or list(leaves) or list(unique)
    return [Wanted(name, (), exact=False) for name in names]


def _shown(names: Iterable[str]) -> str:
    listed = [name for name in names if name != ROOT]
    return ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
