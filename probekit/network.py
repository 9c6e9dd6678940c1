"""A network as probekit handles it: the module, how its input is prepared, its card and its untrained twin."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from probekit import randomness
from probekit.errors import StimulusError, UsageError

if TYPE_CHECKING:
    from probekit.navigation import Task

_UNTRAINED = " (untrained, seed "
_BEYOND = 1e-3
"""How far images may leave 0 … 1: what resampling and rounding do."""


@dataclass(frozen=True)
class Preprocess:
    """Turns stimuli in [0, 1] into what the network was trained on: (x − mean) / std, channel by channel.

    Parameters
    ----------
    mean, std : tuple of float
        One number a channel, or one for all, in the units of the stimuli (0 … 1).
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the normalised batch, shape (stimulus, channel, y, x).

        Raises
        ------
        StimulusError
            If the images are integers, leave 0 … 1 by more than rounding, or have another number of channels.
        """
        if not batch.is_floating_point():
            raise StimulusError(f"images are {batch.dtype}; expected float in 0 … 1 (divide 0 … 255 by 255).")
        low, high = (float(value) for value in batch.aminmax())
        if low < -_BEYOND or high > 1 + _BEYOND:
            raise StimulusError(f"images range over {low:.4g} … {high:.4g}; expected 0 … 1, before normalisation.")
        if len(self.mean) not in (1, batch.shape[-3]):
            raise StimulusError(f"images have {batch.shape[-3]} channels; this network takes {len(self.mean)}.")
        mean = torch.tensor(self.mean, dtype=batch.dtype, device=batch.device)
        std = torch.tensor(self.std, dtype=batch.dtype, device=batch.device)
        return (batch - mean[:, None, None]) / std[:, None, None]


@dataclass(frozen=True)
class Card:
    """What is known about a network.

    Parameters
    ----------
    name : str
        Zoo name.
    kind : str
        Such as "CNN" or "LSTM".
    input_shape : tuple of int
        Shape of one stimulus, such as (3, 224, 224).
    trained_on : str
        Data and task; "nothing (untrained)" for a twin.
    accuracy : str
        Measured performance and on what, or "" if unknown.
    layers : tuple of str
        Patterns of the layers that an analysis looks at when none are named; empty: probekit chooses.
    source, licence : str
        Where architecture and weights come from.
    notes : str
        What a reader must know, such as how BatchNorm is treated.
    parameters : int
        Number of learned values; 0 if nobody has counted.
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    trained_on: str
    accuracy: str = ""
    layers: tuple[str, ...] = ()
    source: str = ""
    licence: str = ""
    notes: str = ""
    parameters: int = 0


@dataclass(frozen=True, eq=False)
class Entry:
    """A network ready to be recorded.

    Parameters
    ----------
    module : nn.Module
        In eval mode.
    preprocess : callable or None
        Stimuli batch → module input; None: the module takes the stimuli as they are.
    card : Card
    build : callable or None
        Returns a freshly initialised module of the same architecture, drawing from global
        random states; None where the architecture cannot be built anew.
    task : Task or None
        Of a network that finds its way: where it was trained, and how it is told of a path.
    """

    module: nn.Module
    preprocess: Callable[[Tensor], Tensor]
    card: Card
    build: Callable[[], nn.Module] | None = field(default=None, repr=False)
    task: Task | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if cast(object, self.preprocess) is None:
            object.__setattr__(self, "preprocess", _unchanged)

    def untrained(self, seed: int = 0) -> Entry:
        """Return the untrained twin: same architecture, initialised by its own rules from `seed`.

        BatchNorm keeps its initial statistics (mean 0, variance 1) and runs in eval mode, as in the
        trained network. Global random states are left as they were.

        Raises
        ------
        UsageError
            If the entry has no way to build its architecture anew.
        """
        if self.build is None:
            raise UsageError(
                f"'{self.card.name}' has no untrained twin: its entry gives no `build`. "
                "Give a factory (package.module:factory) instead of a module."
            )
        with randomness.seeded(seed):
            module = self.build().eval()
        card = replace(
            self.card,
            name=f"{self.card.name.partition(_UNTRAINED)[0]}{_UNTRAINED}{seed})",
            trained_on="nothing (untrained)",
            accuracy="",
            notes=f"Initialised by the architecture's own rules from seed {seed}; BatchNorm at its initial "
            "statistics (mean 0, variance 1), eval mode.",
        )
        return Entry(module, self.preprocess, card, self.build, self.task)


def module_of(network: Entry | nn.Module) -> nn.Module:
    """Return the module of an entry, or the module itself; refuse anything else."""
    module = network.module if isinstance(network, Entry) else network
    if not isinstance(module, nn.Module):
        raise UsageError(f"network is a {type(network).__name__}; expected a torch.nn.Module or an entry of the zoo.")
    return module


def _unchanged(batch: Tensor) -> Tensor:
    return batch


def weights_hash(module: nn.Module) -> str:
    """Return the sha256 of every parameter and buffer: name, type, shape and bytes, in state-dict order.

    Buffers that are not part of the state dict are made anew by the architecture, and are left out.
    """
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        if not isinstance(value, Tensor):
            continue
        digest.update(f"{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        flat = value.detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
    return digest.hexdigest()
