"""One part of one layer, and what of it each lesion changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from probekit.errors import ModelError
from probekit.lesions.change import Change, Draws
from probekit.lesions.targets import Target, time_axis
from probekit.outputs import Layouts


class Pass:
    """What the sites of one lesion know of the forward pass that is under way.

    Parameters
    ----------
    seed : int
    n_lesions : int
        Lesions that the pass carries, one copy of the batch after the other.
    """

    def __init__(self, seed: int, n_lesions: int = 1) -> None:
        self.seed, self.n_lesions = seed, n_lesions
        self.number = self.batch = 0
        self.n_times: int | None = None
        self.is_copied = n_lesions == 1
        self.copied_input = False
        self.draws = Draws(seed, 0)
        self.layouts = Layouts()
        self.calls: dict[str, int] = {}
        self.ran: set[str] = set()

    def identity(self) -> list[int]:
        """Return what does not change from pass to pass."""
        return [self.seed, self.n_lesions]

    def begin(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Begin a pass: a hook on the whole network."""
        first = next((one for one in [*args, *kwargs.values()] if isinstance(one, Tensor) and one.ndim), None)
        rows = 0 if first is None else len(first)
        self.number += 1
        self.is_copied = self.copied_input or self.n_lesions == 1
        self.batch = rows // self.n_lesions if self.copied_input else rows
        self.n_times = first.shape[1] if first is not None and first.ndim == 3 else None
        self.draws = Draws(self.seed, self.number)
        self.layouts = Layouts()
        self.calls = {}

    def copied(self, values: Tensor) -> Tensor:
        """Return values, shape (batch, …), as (lesion or 1, stimulus, …): 1 where they are the same for all lesions."""
        if len(values) % self.n_lesions and self.is_copied:
            raise ModelError(
                f"a lesioned layer gives {tuple(values.shape)} for {self.n_lesions} copies of a batch; many lesions at "
                "once need the stimulus first in what the network takes, and in what its layers give."
            )
        return values.reshape(self.n_lesions, -1, *values.shape[1:]) if self.is_copied else values[None]


class Site:
    """One part of one layer, and what of it each lesion changes.

    Parameters
    ----------
    layer, part : str
    targets : sequence of Target or None
        One a lesion; None takes nothing.
    change : Change
    now : Pass
        Shared by all sites of a lesion.
    """

    def __init__(self, layer: str, part: str, targets: Sequence[Target | None], change: Change, now: Pass) -> None:
        self.layer, self.part, self.targets, self.change, self.now = layer, part, targets, change, now
        self._known: dict[Any, tuple[Tensor, Tensor | None]] = {}
        self.acted = False
        """Whether any of its steps or calls came."""

    @property
    def name(self) -> str:
        """How a recording calls it."""
        return f"{self.layer}:{self.part}" if self.part else self.layer

    def alter(self, values: Tensor, dims: tuple[str, ...], call: int) -> Tensor:
        r"""Return what a call of the layer gave, shape (batch, \*dims), changed, and copied for lesions that differ."""
        mask, source = self._prepared(dims, tuple(values.shape[1:]), values)
        axis = time_axis(dims)
        self.acted = self.acted or not self._is_timed or axis is not None
        if self._is_timed and axis is not None:
            steps = self._steps(values.shape[1 + axis], values.device)
            mask = mask & steps.view(len(steps), 1, *[-1 if one == axis else 1 for one in range(len(dims))])
        elif self._is_timed:
            taken = [target is not None and target.takes(call) for target in self.targets]
            self.acted = self.acted or any(taken)
            mask = mask & torch.tensor(taken, device=values.device).view(-1, *[1] * values.ndim)
        copied = self.now.copied(values)
        if source is not None:
            source = self._filler(source, tuple(copied.shape[1:]), values, call)
        return self.change.apply(copied, mask, source).flatten(0, 1)

    def alter_step(self, values: Tensor, step: Tensor, n_steps: int) -> Tensor:
        """Return the values of one step inside a recurrent pass, shape (copy, stimulus, unit), changed.

        `step` is where in the input each stimulus is, shape (stimulus,), or that of every copy.
        """
        mask, source = self._prepared(("time", "unit"), (n_steps, values.shape[-1]), values)
        self.acted = True
        mask = mask[:, :, 0]
        copied = values.reshape(self.now.n_lesions, -1, values.shape[-1])
        rows = torch.arange(copied.shape[1], device=step.device)
        step = step[rows % len(step)]  # one a row, whether the input was copied, or another lesion's copies are rows
        if self._is_timed:
            mask = mask & self._steps(n_steps, values.device)[:, step][:, :, None]
        if source is not None and self.change.how == "resample":
            source = source[self.now.draws.rows(copied.shape[1], len(source)).to(values.device), step]
        elif source is not None:
            source = self._filler(source[:, 0], tuple(copied.shape[1:]), values, int(step[0]))
        return self.change.apply(copied, mask, source).reshape(values.shape)

    @property
    def _is_timed(self) -> bool:
        return any(target is not None and target.times is not None for target in self.targets)

    def _filler(self, source: Tensor, shape: tuple[int, ...], like: Tensor, step: int) -> Tensor:
        if self.change.how == "resample":
            return source[self.now.draws.rows(shape[0], len(source)).to(source.device)]
        if self.change.how == "noise":
            return source * self.now.draws.normal(shape, self.name, step).to(like.device, like.dtype)
        return source

    def _prepared(self, dims: tuple[str, ...], sizes: tuple[int, ...], like: Tensor) -> tuple[Tensor, Tensor | None]:
        r"""Return the mask, (lesion, 1, \*sizes or 1), and what the reference gives, (stimulus, \*sizes or 1)."""
        key = (dims, sizes, like.device, like.dtype)
        if key not in self._known:
            nothing = np.zeros([1] * len(dims), dtype=bool)
            masks = [nothing if one is None else one.mask(self.name, dims, sizes) for one in self.targets]
            shape = np.broadcast_shapes(*(mask.shape for mask in masks))
            stacked = np.stack([np.broadcast_to(mask, shape) for mask in masks])[:, None]
            source = self.change.source(self.name, dims, sizes)
            self._known[key] = (
                torch.from_numpy(stacked).to(like.device),
                None if source is None else source.to(like.device, like.dtype),
            )
        return self._known[key]

    def _steps(self, n_steps: int, device: torch.device) -> Tensor:
        """Return which steps each lesion takes, shape (lesion, time)."""
        none = np.zeros(n_steps, dtype=bool)
        taken = [none if one is None else one.steps(self.name, n_steps) for one in self.targets]
        return torch.from_numpy(np.stack(taken)).to(device)
