"""What a module returned, taken apart: every tensor by name, its batch axis found and its axes labelled."""

from __future__ import annotations

import dataclasses
import math
import weakref
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from probekit.errors import LayerError

Layout = Literal["first", "last"]
"""Whether the channel axis comes right after the batch, or last."""

_CHANNEL_FIRST = (
    nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd, nn.modules.pooling._AdaptiveAvgPoolNd, nn.modules.pooling._AdaptiveMaxPoolNd,
    nn.GroupNorm, nn.Upsample, nn.PixelShuffle, nn.modules.dropout.Dropout2d,
)  # fmt: skip
_DIMS: dict[tuple[int, Layout], tuple[str, ...]] = {
    (1, "first"): ("unit",),
    (1, "last"): ("unit",),
    (2, "first"): ("channel", "x"),
    (2, "last"): ("token", "channel"),
    (3, "first"): ("channel", "y", "x"),
    (3, "last"): ("y", "x", "channel"),
    (4, "first"): ("channel", "time", "y", "x"),
    (4, "last"): ("time", "y", "x", "channel"),
}
_ORDER = ("time", "token", "channel", "y", "x", "unit", "head", "query", "key")


def named_tensors(output: Any) -> dict[str, Tensor]:
    """Return every tensor in a module's output by name; a bare tensor's name is "".

    Tuples and lists count from 0, named tuples, dicts and dataclasses use their own names, nesting joins with a dot.
    Packed sequences come padded, batch first. Numbers and None are passed over.

    >>> import torch
    >>> list(named_tensors((torch.zeros(1), {"c": torch.zeros(1), "n": 3})))
    ['0', '1.c']
    """
    found = list(_walk("", output))
    if len({name for name, _ in found}) < len(found):
        raise LayerError("two of its outputs have the same name")
    return dict(found)


def _walk(name: str, value: Any) -> Iterable[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, PackedSequence):
        past_end = math.nan if value.data.is_floating_point() else 0
        yield name, pad_packed_sequence(value, batch_first=True, padding_value=past_end)[0]
    else:
        prefix = f"{name}." if name else ""
        for key, item in _items(value):
            yield from _walk(f"{prefix}{key}", item)


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, tuple | list):
        names = getattr(value, "_fields", range(len(value)))
        return [(str(key), item) for key, item in zip(names, value, strict=True)]
    return []


def with_tensor(output: Any, name: str, tensor: Tensor) -> Any:
    """Return a module's output with one of its tensors, named as in `named_tensors`, replaced.

    >>> import torch
    >>> with_tensor((torch.zeros(1), {"c": torch.zeros(1)}), "1.c", torch.ones(1))
    (tensor([0.]), {'c': tensor([1.])})
    """
    if not name:
        return _packed_like(output, tensor) if isinstance(output, PackedSequence) else tensor
    key, _, rest = name.partition(".")
    items = [(one, with_tensor(item, rest, tensor) if one == key else item) for one, item in _items(output)]
    values = [item for _, item in items]
    if isinstance(output, Mapping):
        return type(output)(zip(output, values, strict=True))  # type: ignore[call-arg]  # dict and the like
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        return dataclasses.replace(output, **dict(items))
    return type(output)(*values) if hasattr(output, "_fields") else type(output)(values)


def _packed_like(packed: PackedSequence, padded: Tensor) -> PackedSequence:
    lengths = pad_packed_sequence(packed)[1]
    return pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=packed.sorted_indices is None)


def layout_of(module: nn.Module, inherited: Layout | None, n_dims: int) -> Layout:
    """Return where the channel axis of a module's output is, given what it inherits from its input or children.

    Convolutions, batch normalisation and pooling put channels first; `nn.Linear` and `nn.LayerNorm` last; everything
    else leaves them where they were. Unknown origin counts as images, channels first, but for 2-axis outputs, which
    count as (token, channel).
    """
    if isinstance(module, _CHANNEL_FIRST):
        return "first"
    if type(module).forward in (nn.Linear.forward, nn.LayerNorm.forward, nn.Embedding.forward):
        return "last"
    order = tuple(getattr(module, "dims", ()))
    if order == (0, 2, 3, 1):
        return "last"
    if order == (0, 3, 1, 2):
        return "first"
    return inherited or ("last" if n_dims == 2 else "first")


class Layouts:
    """Where the channels are in what modules return, followed through one forward pass."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[weakref.ref[Tensor], Layout]] = {}  # holds no activity longer than the network does
        self._recent: list[tuple[str, tuple[int, ...], Layout]] = []

    def see(self, name: str, module: nn.Module, tensor: Tensor, inputs: list[Any]) -> Layout:
        """Return the layout of a tensor that the module `name` made of its inputs, and remember it."""
        layout = self._known(tensor) or self._inherited(name, module, tensor, inputs)
        self._of[id(tensor)] = (weakref.ref(tensor), layout)
        self._recent.append((name, tuple(tensor.shape), layout))
        return layout

    def _known(self, tensor: Tensor) -> Layout | None:
        seen, layout = self._of.get(id(tensor), (None, None))
        return layout if seen is not None and seen() is tensor else None

    def _inherited(self, name: str, module: nn.Module, tensor: Tensor, inputs: list[Any]) -> Layout:
        near: Layout | None = None
        far: Layout | None = None
        for value in reversed([value for value in inputs if isinstance(value, Tensor)]):
            known = self._known(value) if value.ndim == tensor.ndim else None
            if known:
                far = known
                near = known if value.shape == tensor.shape else near
        prefix = f"{name}.".lstrip(".")  # the whole network is called "."
        shape = tuple(tensor.shape)
        inside = [layout for child, size, layout in self._recent if child.startswith(prefix) and size == shape]
        return layout_of(module, near or (inside[-1] if inside else None) or far, tensor.ndim - 1)


def label(shape: tuple[int, ...], layout: Layout, n_times: int | None) -> tuple[str, ...]:
    """Return the names of a tensor's axes after the batch.

    Parameters
    ----------
    shape : tuple of int
        Without the batch axis.
    layout : {"first", "last"}
        Where its channels are.
    n_times : int or None
        Time steps of a stimulus, if it has any: an axis of that length before the features is time, not tokens.

    Raises
    ------
    LayerError
        If the output has more than four axes.
    """
    if len(shape) == 0:
        return ()
    if len(shape) > 4:
        raise LayerError(f"its output has {len(shape)} axes after the batch; probekit labels up to 4")
    if len(shape) == 2 and layout == "last" and shape[0] == n_times:
        return ("time", "unit")
    if len(shape) == 4 and layout == "first" and shape[0] == n_times != shape[1]:
        return ("time", "channel", "y", "x")
    return _DIMS[len(shape), layout]


def canonical(dims: tuple[str, ...]) -> tuple[str, ...]:
    """Return the axes in the order in which they are recorded.

    >>> canonical(("y", "x", "channel"))
    ('channel', 'y', 'x')
    """
    return tuple(sorted(dims, key=_ORDER.index))
