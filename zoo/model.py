"""What a source of networks knows about one of them before it is built, and how an `Entry` is made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from probekit import randomness
from probekit.errors import UsageError
from probekit.navigation import Task
from probekit.network import Card, Entry, Preprocess
from probekit.progress import Progress


@dataclass(frozen=True)
class AsIs:
    """Hands stimuli that are not images to the network as they are."""

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the batch itself."""
        return batch


@dataclass(frozen=True)
class Clip(Preprocess):
    """Normalises clips channel by channel and puts the channels before the time, as video networks take them."""

    def __call__(self, batch: Tensor) -> Tensor:
        """Return the normalised batch: (stimulus, time, channel, y, x) → (stimulus, channel, time, y, x)."""
        return super().__call__(batch).transpose(1, 2)


class Train(Protocol):
    """Trains a network from the beginning, or from where it was stopped; see `probekit.zoo.train`."""

    def __call__(self, out: Path, *, seed: int, quick: bool, device: str, progress: Progress) -> Path:
        """Write the weights and return their file."""


@dataclass(frozen=True)
class Model:
    """A network that can be built: what an entry point in the group "probekit.networks" must give.

    Parameters
    ----------
    card : Card
        With its number of parameters, so that networks are listed without being built.
    preprocess : callable
        Stimuli batch → module input.
    build : callable or None
        Returns a freshly initialised module, drawing from torch's global random state; None where there is no way
        to one, and so no untrained twin.
    load : callable
        Takes a file of weights, or None for the network's own, and returns the module with these.
        Raises `DataError` if they cannot be had or do not fit.
    here : callable
        Whether the network's own weights are on this machine.
    train : callable, optional
        How the network is trained; None where probekit cannot.
    task : Task, optional
        Of a network that finds its way: where it was trained, and how it is told of a path.
    """

    card: Card
    preprocess: Callable[[Tensor], Tensor]
    build: Callable[[], nn.Module] | None
    load: Callable[[Path | None], nn.Module]
    here: Callable[[], bool]
    train: Train | None = None
    task: Task | None = None

    def adjusted(
        self, input_shape: Sequence[int] | None, mean: Sequence[float] | None, std: Sequence[float] | None
    ) -> Model:
        """Return the model with the caller's input shape and normalisation in place of its own; None keeps its own."""
        shape = self.card.input_shape if input_shape is None else tuple(input_shape)
        if not shape or not all(isinstance(size, int) and size > 0 for size in shape):
            raise UsageError(f"input_shape is {shape}; expected sizes of at least 1, such as (3, 224, 224).")
        preprocess = self.preprocess if len(shape) >= 3 else AsIs()
        if mean is not None or std is not None:
            if not isinstance(preprocess, Preprocess):
                raise UsageError(f"mean and std are for images; stimuli of shape {shape} have no channels.")
            preprocess = replace(
                preprocess,
                mean=preprocess.mean if mean is None else _per_channel("mean", mean, shape[-3]),
                std=preprocess.std if std is None else _per_channel("std", std, shape[-3]),
            )
        return replace(self, card=replace(self.card, input_shape=shape), preprocess=preprocess)

    def trained(self, weights: Path | None) -> Entry:
        """Return the network with its own weights, or with those in a file."""
        with randomness.kept():
            module = self.load(weights).eval()
        card = self.card
        if weights is not None:
            card = replace(card, trained_on=f"unknown to probekit (weights of {weights.name})", accuracy="")
        return Entry(module, self.preprocess, _counted(card, module), self.build, self.task)

    def untrained(self, seed: int) -> Entry:
        """Return the untrained twin without getting any weights."""
        if self.build is None:
            raise UsageError(f"'{self.card.name}' has no untrained twin. {self.card.notes}")
        # a twin is made of the card and `build`; the module it starts from is never run
        twin = Entry(nn.Identity(), self.preprocess, self.card, self.build, self.task).untrained(seed)
        return replace(twin, card=_counted(twin.card, twin.module))


def _counted(card: Card, module: nn.Module) -> Card:
    return replace(card, parameters=sum(parameter.numel() for parameter in module.parameters()))


def _per_channel(argument: str, values: Sequence[float], channels: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) not in {1, channels} or not all(math.isfinite(number) for number in numbers):
        raise UsageError(f"{argument} is {numbers}; expected {channels} finite numbers, one a channel, or 1 for all.")
    if argument == "std" and min(numbers) <= 0:
        raise UsageError(f"std is {numbers}; expected numbers above 0.")
    return numbers
