"""What a recurrent module is given: steps in one order whatever the module's, initial states, lengths."""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from probekit.errors import UsageError
from probekit.recurrent.places import STATES, Recurrent, n_directions

Steps: TypeAlias = Tensor | PackedSequence


def check_inputs(module: Recurrent, inputs: Steps) -> None:
    """Refuse what the module cannot take, in words."""
    if not isinstance(inputs, Tensor | PackedSequence):
        raise UsageError(f"inputs is of type {type(inputs).__name__}; expected a tensor or a PackedSequence.")
    shape = tuple(inputs.data.shape)
    if len(shape) not in {2, 3} or shape[-1] != module.input_size:
        axes = "(batch, time, unit)" if module.batch_first else "(time, batch, unit)"
        raise UsageError(
            f"inputs have shape {shape}; this {type(module).__name__} takes {axes}, or (time, unit) without a batch, "
            f"with {module.input_size} units."
        )


def initial_states(module: Recurrent, inputs: Steps, hx: object, *, batched: bool) -> list[Tensor]:
    """Return h0, and c0 of an LSTM, shape (layer and direction, batch, unit), for inputs that are time first."""
    rows = module.num_layers * n_directions(module)
    batch = int(inputs.batch_sizes[0]) if isinstance(inputs, PackedSequence) else inputs.shape[1]
    widths = [module.proj_size or module.hidden_size, module.hidden_size][: len(STATES[module.mode])]
    if hx is None:
        return [inputs.data.new_zeros(rows, batch, width) for width in widths]
    given: list[Any] = list(hx) if isinstance(hx, tuple | list) else [hx]
    expected = [(rows, batch, width) if batched else (rows, width) for width in widths]
    shapes = [tuple(state.shape) if isinstance(state, Tensor) else type(state).__name__ for state in given]
    if shapes != expected:
        raise UsageError(f"hx has shapes {shapes}; this {type(module).__name__} takes {expected} for these inputs.")
    return [state.reshape(rows, batch, -1) for state in given]


def time_major(steps: Steps, batch_first: bool) -> Steps:
    """Return the steps as (time, batch, unit); packed ones as they are."""
    if isinstance(steps, PackedSequence):
        return steps
    if steps.ndim == 2:
        return steps[:, None]
    return steps.transpose(0, 1) if batch_first else steps


def padded(steps: Steps) -> tuple[Tensor, Tensor]:
    """Return steps as (time, batch, unit) and the length of each sequence, on the CPU."""
    if isinstance(steps, PackedSequence):
        return pad_packed_sequence(steps)
    return steps, torch.full((steps.shape[1],), steps.shape[0], device="cpu")


def reversed_steps(values: Tensor, lengths: Tensor) -> Tensor:
    """Return values, (time, batch, unit), with each sequence turned around within its own length."""
    sequence = torch.arange(len(lengths), device=lengths.device)
    step = torch.arange(len(values), device=lengths.device)[:, None]
    order = torch.where(step < lengths, lengths - 1 - step, step)
    return values[order.to(values.device), sequence.to(values.device)]


def nan_past_end(values: Tensor, lengths: Tensor) -> Tensor:
    """Return values, (time, batch, unit), with nan past the end of each sequence."""
    step = torch.arange(len(values), device=lengths.device)[:, None, None]
    return values.masked_fill((step >= lengths[:, None]).to(values.device), torch.nan)
