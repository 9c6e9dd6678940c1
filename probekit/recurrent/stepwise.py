"""torch's LSTM, GRU and RNN run one step at a time, so that a state or a gate can be changed before the next step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from probekit.errors import LayerError, UsageError
from probekit.recurrent.given import Steps, check_inputs, initial_states, padded, reversed_steps, time_major
from probekit.recurrent.places import (
    Place,
    Recurrent,
    checked,
    choose_parts,
    n_directions,
    places_of,
)

Edit = Callable[[Tensor, Tensor], Tensor]
"""Values of a part at one step, shape (copy, batch, unit), and the step of the input that each sequence is at, shape
(batch,) → what they are replaced by."""

_Changed = Callable[[str, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Stepped:
    """What a pass gave.

    Parameters
    ----------
    output, state
        As the module returns them; the batch is `n_copies` times as large, copy after copy.
    parts : mapping of str to tensor, shape (batch, time, unit)
        The parts asked for, at every step, batch first.
    """

    output: Any
    state: Any
    parts: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class _Direction:
    """What one direction of one layer works with."""

    mode: str
    hidden: list[Tensor]  # W_hh and, with biases, b_hh
    projection: Tensor | None
    n_copies: int


def step_by_step(
    module: nn.Module,
    inputs: Steps,
    hx: Tensor | tuple[Tensor, Tensor] | None = None,
    *,
    edits: Mapping[str, Edit] | None = None,
    parts: Collection[str] = (),
    n_copies: int = 1,
) -> Stepped:
    """Return what a recurrent module gives when states or gates are changed inside its recurrence.

    An edited hidden or cell state is what the next step starts from; an edited gate acts at its own step.

    Parameters
    ----------
    module : nn.LSTM, nn.GRU or nn.RNN
        Its hooks do not run; its weights are only read.
    inputs, hx
        As the module takes them.
    edits : mapping of str to callable, optional
        Part, named as in `part_names` but not "output", → edit. Default: none, and the pass equals the fused one.
    parts : collection of str
        Which parts to return as well.
    n_copies : int
        Run this many copies of the batch, which differ by what the edits do to them.

    Raises
    ------
    LayerError
        If the module is not recurrent, or drops units at random between its layers (training mode).
    UsageError
        If a part is unknown, or `inputs` or `hx` does not fit the module.

    Examples
    --------
    >>> lstm = nn.LSTM(3, 4)
    >>> steps = torch.randn(7, 2, 3)
    >>> torch.allclose(step_by_step(lstm, steps).output, lstm(steps)[0], atol=1e-6)
    True
    >>> silent = step_by_step(lstm, steps, edits={"h_l0": lambda h, step: torch.zeros_like(h)})
    >>> bool((silent.output == 0).all())
    True
    """
    recurrent = checked(module)
    if recurrent.training and recurrent.dropout > 0 and recurrent.num_layers > 1:
        raise LayerError(
            f"the {type(recurrent).__name__} is in training mode with dropout {recurrent.dropout}, so what its upper "
            "layers read is random; call eval() on it."
        )
    chosen, edited = choose_parts(recurrent, parts), _by_place(recurrent, edits or {})
    check_inputs(recurrent, inputs)
    packed = isinstance(inputs, PackedSequence)
    batched = isinstance(inputs, PackedSequence) or inputs.ndim == 3
    if n_copies > 1 and not batched:
        raise UsageError(f"n_copies is {n_copies}, and the inputs have no batch axis; give them one.")
    first = time_major(inputs, recurrent.batch_first)
    initial = initial_states(recurrent, first, hx, batched=batched)
    values, lengths = padded(first)
    kept: dict[Place, Tensor] = {}
    final: list[list[Tensor]] = [[] for _ in initial]
    for layer in range(recurrent.num_layers):
        outputs = []
        for direction in range(n_directions(recurrent)):
            row = layer * n_directions(recurrent) + direction
            here = {symbol: edit for (symbol, at, way), edit in edited.items() if (at, way) == (layer, direction)}
            wanted = {symbol for symbol, at, way in chosen.values() if (at, way) == (layer, direction)} - {"output"}
            h, last, found = _run(
                recurrent, row, values, [state[row] for state in initial], lengths, here, wanted, n_copies
            )
            outputs.append(h)
            kept |= {(symbol, layer, direction): steps for symbol, steps in found.items()}
            for states, state in zip(final, last, strict=True):
                states.append(state)
        values = torch.cat(outputs, -1) if len(outputs) > 1 else outputs[0]
    kept[places_of(recurrent)["output"]] = values
    last_states = [torch.stack(states) for states in final]
    return Stepped(
        _as_output(recurrent, inputs, values, lengths.repeat(n_copies) if packed else None, batched=batched),
        _as_state(last_states, batched=batched),
        {name: kept[place].transpose(0, 1) for name, place in chosen.items()},
    )


def _by_place(module: Recurrent, edits: Mapping[str, Edit]) -> dict[Place, Edit]:
    places = choose_parts(module, edits)
    if "output" in places:
        raise UsageError("edits name 'output', which is read after the pass; name h, such as 'h_l0'.")
    return {places[name]: edit for name, edit in edits.items()}


def _run(
    module: Recurrent,
    row: int,
    values: Tensor,
    initial: list[Tensor],
    lengths: Tensor,
    edits: Mapping[str, Edit],
    wanted: Collection[str],
    n_copies: int,
) -> tuple[Tensor, list[Tensor], dict[str, Tensor]]:
    """Run one direction of one layer; return h at every step, the last states, and the parts wanted, time first.

    `values` are (time, batch, unit), the batch that of the input or of all its copies.
    """
    backwards = bool(row % n_directions(module))
    n_steps, batch = len(values), len(lengths)
    weights: list[Tensor] = list(module.all_weights[row])
    projection = weights.pop() if module.proj_size else None
    if backwards:
        values = reversed_steps(values, lengths.repeat(values.shape[1] // batch))
    drive = functional.linear(values, weights[0], weights[2] if module.bias else None)
    drive = drive.view(n_steps, -1, batch, drive.shape[-1])  # copies of the input, or 1 that all share
    states = [state.expand(n_copies, *state.shape) for state in initial]
    work = _Direction(module.mode, weights[1::2], projection, n_copies)
    step_of = _steps(n_steps, lengths, backwards=backwards).to(values.device)
    whole = bool((lengths == n_steps).all())
    kept: dict[str, list[Tensor]] = {symbol: [] for symbol in {*wanted, "h"}}
    for step in range(n_steps):
        given: dict[str, Tensor] = {}

        def changed(symbol: str, now: Tensor, at: Tensor = step_of[step], given: dict[str, Tensor] = given) -> Tensor:
            now = edits[symbol](now, at) if symbol in edits else now
            if symbol in kept:
                given[symbol] = now
            return now

        after = _STEP[module.mode](work, drive[step], states, changed)
        if not whole:  # a sequence that has ended keeps its state
            going = (step < lengths).to(values.device)[:, None]
            after = [torch.where(going, new, old) for new, old in zip(after, states, strict=True)]
        states = after
        for symbol, steps in kept.items():
            steps.append(given[symbol])
    found = {symbol: torch.stack(steps).flatten(1, 2) for symbol, steps in kept.items()}
    if backwards:
        found = {symbol: reversed_steps(steps, lengths.repeat(n_copies)) for symbol, steps in found.items()}
    return found["h"], [state.reshape(n_copies * batch, -1) for state in states], found


def _steps(n_steps: int, lengths: Tensor, *, backwards: bool) -> Tensor:
    """Return which step of the input each sequence is at, shape (time, batch)."""
    step = torch.arange(n_steps)[:, None].expand(n_steps, len(lengths))
    return torch.where(step < lengths, lengths - 1 - step, step) if backwards else step


def _from_state(work: _Direction, h: Tensor) -> Tensor:
    return functional.linear(h, *work.hidden)


def _lstm(work: _Direction, drive: Tensor, states: list[Tensor], changed: _Changed) -> list[Tensor]:
    i, f, g, o = (drive + _from_state(work, states[0])).chunk(4, -1)
    i, f = changed("i", i.sigmoid()), changed("f", f.sigmoid())
    g, o = changed("g", g.tanh()), changed("o", o.sigmoid())
    c = changed("c", torch.addcmul(i * g, f, states[1]))
    h = o * c.tanh()
    return [changed("h", h if work.projection is None else functional.linear(h, work.projection)), c]


def _gru(work: _Direction, drive: Tensor, states: list[Tensor], changed: _Changed) -> list[Tensor]:
    (h,) = states
    read, held = drive.chunk(3, -1), _from_state(work, h).chunk(3, -1)
    r, z = changed("r", (read[0] + held[0]).sigmoid()), changed("z", (read[1] + held[1]).sigmoid())
    n = changed("n", torch.addcmul(read[2], r, held[2]).tanh())
    return [changed("h", torch.lerp(n, h, z))]


def _tanh(work: _Direction, drive: Tensor, states: list[Tensor], changed: _Changed) -> list[Tensor]:
    return [changed("h", _from_state(work, states[0]).add_(drive).tanh_())]


def _relu(work: _Direction, drive: Tensor, states: list[Tensor], changed: _Changed) -> list[Tensor]:
    return [changed("h", _from_state(work, states[0]).add_(drive).relu_())]


_STEP: Mapping[str, Callable[[_Direction, Tensor, list[Tensor], _Changed], list[Tensor]]] = {
    "LSTM": _lstm,
    "GRU": _gru,
    "RNN_TANH": _tanh,
    "RNN_RELU": _relu,
}


def _as_output(module: Recurrent, inputs: Steps, values: Tensor, lengths: Tensor | None, *, batched: bool) -> Any:
    if isinstance(inputs, PackedSequence):
        assert lengths is not None
        ordered = inputs.sorted_indices is None and len(lengths) == int(inputs.batch_sizes[0])
        return pack_padded_sequence(values, lengths, enforce_sorted=ordered)
    if not batched:
        return values[:, 0]
    return values.transpose(0, 1) if module.batch_first else values


def _as_state(state: list[Tensor], *, batched: bool) -> Any:
    states = state if batched else [one[:, 0] for one in state]
    return tuple(states) if len(states) == 2 else states[0]
