"""Every state and gate inside torch's fused LSTM, GRU and RNN, at every step, rebuilt after the pass.

The fused pass gives the last layer's hidden state at every step. A gate depends only on its layer's input and on the
hidden state one step before: given both, it is one matrix product over all steps, and only the cell state of an LSTM is
left to go through time, element by element. In a stack, the layers below run again, one by one, for their outputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from probekit.errors import LayerError, UsageError
from probekit.recurrent.given import (
    Steps,
    check_inputs,
    initial_states,
    nan_past_end,
    padded,
    reversed_steps,
    time_major,
)
from probekit.recurrent.places import GATES, Place, Recurrent, checked, choose_parts, n_directions

_FUSED: Mapping[str, Any] = {
    "LSTM": torch.lstm,
    "GRU": torch.gru,
    "RNN_TANH": torch.rnn_tanh,
    "RNN_RELU": torch.rnn_relu,
}
_FROM_OUTPUT = frozenset({"output", "h"})


@dataclass(frozen=True, eq=False)
class States:
    """What a recurrent module held at every step.

    Parameters
    ----------
    parts : mapping of str to tensor, shape (batch, time, unit)
        Part → values, batch first whatever the module's `batch_first`, batch and time in the order of the input. Past
        the end of a packed sequence all is nan. Tensors may share memory with the output that the module returned.
    lengths : tensor of int64 on the CPU, shape (batch,), or None
        Steps of each packed sequence; None if the input was not packed.
    batched : bool
        False if the input had no batch axis; the batch axis of `parts` then has size 1.
    """

    parts: Mapping[str, Tensor]
    lengths: Tensor | None
    batched: bool


@dataclass(frozen=True, eq=False)
class _Pass:
    module: Recurrent
    layers: Mapping[int, Tensor]  # 0: the input, k: the output of layer k - 1; (time, batch, unit)
    initial: Sequence[Tensor]  # h0, and c0 of an LSTM; (layer and direction, batch, unit)
    lengths: Tensor  # (batch,), on the CPU


@dataclass(frozen=True, eq=False)
class _Drive:
    """What reaches the gates of one direction, at all steps in the order of reading."""

    x: Tensor  # (time, batch, unit)
    before: Tensor  # h one step before; (time, batch, unit)
    weights: Sequence[Sequence[Tensor]]  # W_ih, W_hh and, with biases, b_ih, b_hh, each split by gate

    def from_input(self, gate: int) -> Tensor:
        return functional.linear(self.x, *[parts[gate] for parts in self.weights[0::2]])

    def from_state(self, gate: int) -> Tensor:
        return functional.linear(self.before, *[parts[gate] for parts in self.weights[1::2]])

    def total(self, gate: int) -> Tensor:
        return self.from_input(gate).add_(self.from_state(gate))


@torch.no_grad()
def states(
    module: nn.Module,
    inputs: Tensor | PackedSequence,
    hx: Tensor | tuple[Tensor, Tensor] | None = None,
    output: tuple[Any, Any] | None = None,
    parts: Iterable[str] | None = None,
) -> States:
    r"""Return the states and gates of a recurrent module at every step of a pass.

    With :math:`h'` and :math:`c'` the states one step before in the order of reading, they obey

    - LSTM: :math:`c = f c' + i g`, and :math:`h = o \tanh c`, or :math:`h = W_{hr} (o \tanh c)` with `proj_size`;
    - GRU: :math:`h = (1 - z) n + z h'` with :math:`n = \tanh(W_{in} x + b_{in} + r (W_{hn} h' + b_{hn}))`.

    Values of a reverse direction stand at the step of the input that they belong to, as in torch's output.

    Parameters
    ----------
    module : nn.LSTM, nn.GRU or nn.RNN
        Left as it is; its hooks do not run.
    inputs : tensor or PackedSequence
        What the module received.
    hx : tensor or tuple of two tensors, optional
        Initial state as the module took it: h0, or (h0, c0) for an LSTM. Default: zeros.
    output : tuple, optional
        What the module's forward returned for these inputs: (output, state). Default: the module is run.
    parts : iterable of str, optional
        Which of `part_names` to return. Default: all. What these do not need is not computed.

    Returns
    -------
    States
        In the output's dtype and on its device. Values are as precise as the fused pass: in float32 they equal a
        step-by-step computation to about 1e-6, less where the pass itself used half precision or TF32.

    Raises
    ------
    LayerError
        If the module is not recurrent, or drops units at random between its layers (training mode).
    UsageError
        If a part is unknown, or `inputs`, `hx` or `output` does not fit the module or the others.

    Examples
    --------
    >>> lstm = nn.LSTM(3, 4)
    >>> found = states(lstm, torch.zeros(7, 2, 3), parts=["h_l0", "c_l0", "o_l0"]).parts
    >>> found["c_l0"].shape
    torch.Size([2, 7, 4])
    >>> torch.allclose(found["h_l0"], found["o_l0"] * found["c_l0"].tanh(), atol=1e-6)
    True
    """
    recurrent = checked(module)
    chosen = choose_parts(recurrent, parts)
    _refuse_dropout(recurrent)
    check_inputs(recurrent, inputs)
    packed = isinstance(inputs, PackedSequence)
    batched = isinstance(inputs, PackedSequence) or inputs.ndim == 3
    first = _detached(time_major(inputs, recurrent.batch_first))
    initial = initial_states(recurrent, first, hx, batched=batched)
    forward: Callable[..., tuple[Any, Any]] = recurrent.forward
    result = forward(inputs, hx) if output is None else output
    _check_output(recurrent, inputs, result)
    last = _detached(time_major(result[0], recurrent.batch_first))
    with torch.autocast(last.data.device.type, enabled=False):
        run = _run_again(recurrent, first, last, initial, chosen.values())
        found = _rebuild(run, chosen.values())
    if packed:
        found = {place: nan_past_end(values, run.lengths) for place, values in found.items()}
    ordered = {name: found[place].transpose(0, 1) for name, place in chosen.items()}
    return States(ordered, run.lengths if packed else None, batched)


def _refuse_dropout(module: Recurrent) -> None:
    if module.training and module.dropout > 0 and module.num_layers > 1:
        raise LayerError(
            f"the {type(module).__name__} is in training mode with dropout {module.dropout}, so what its upper layers "
            "read is random; call eval() on it."
        )


def _check_output(module: Recurrent, inputs: Steps, output: object) -> None:
    fused = output[0] if isinstance(output, tuple) and len(output) == 2 else None
    shape = (*inputs.data.shape[:-1], n_directions(module) * (module.proj_size or module.hidden_size))
    kind = PackedSequence if isinstance(inputs, PackedSequence) else Tensor
    if not isinstance(fused, kind) or tuple(fused.data.shape) != shape:
        raise UsageError(
            f"output is not what this {type(module).__name__} returns for these inputs: expected (output, state), with "
            f"the output a {kind.__name__} of shape {shape}."
        )


def _run_again(
    module: Recurrent, first: Steps, last: Steps, initial: Sequence[Tensor], places: Collection[Place]
) -> _Pass:
    dtype = last.data.dtype  # under autocast not that of the weights: torch casts all to it, and so do we
    initial = [state.to(dtype).contiguous() for state in initial]
    read = {layer for symbol, layer, _ in places if symbol not in _FROM_OUTPUT}
    given = {layer + 1 for _, layer, _ in places}
    sequences = {0: first.to(dtype), module.num_layers: last}
    for layer in range(max((read | given) - {module.num_layers}, default=0)):
        sequences[layer + 1] = _run_layer(module, layer, sequences[layer], initial)
    filled = {layer: padded(sequences[layer]) for layer in read | given | {module.num_layers}}
    layers = {layer: values for layer, (values, _) in filled.items()}
    return _Pass(module, layers, initial, filled[module.num_layers][1])


def _run_layer(module: Recurrent, layer: int, steps: Steps, initial: Sequence[Tensor]) -> Steps:
    rows = slice(layer * n_directions(module), (layer + 1) * n_directions(module))
    weights = [weight.to(initial[0].dtype) for direction in module.all_weights[rows] for weight in direction]
    hx = [state[rows] for state in initial]
    # biases, layers, dropout, training, bidirectional, and for tensors batch_first
    options: tuple[Any, ...] = (module.bias, 1, 0.0, module.training, module.bidirectional, False)
    read: tuple[Tensor, ...] = (steps.data,)
    if isinstance(steps, PackedSequence):
        read, options = (steps.data, steps.batch_sizes), options[:-1]
        if steps.sorted_indices is not None:
            hx = [state.index_select(1, steps.sorted_indices) for state in hx]
    with warnings.catch_warnings():
        # on CUDA one layer's weights are a slice of the module's buffer, which cuDNN copies for this call
        warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")
        values: Tensor = _FUSED[module.mode](*read, hx if len(hx) == 2 else hx[0], weights, *options)[0]
    return PackedSequence(values, *steps[1:]) if isinstance(steps, PackedSequence) else values


def _rebuild(run: _Pass, places: Collection[Place]) -> dict[Place, Tensor]:
    found: dict[Place, Tensor] = {}
    for layer, direction in {place[1:] for place in places}:
        symbols = {place[0] for place in places if place[1:] == (layer, direction)}
        values = _direction(run, layer, direction, symbols)
        found |= {(symbol, layer, direction): values[symbol] for symbol in symbols}
    return found


def _direction(run: _Pass, layer: int, direction: int, symbols: set[str]) -> dict[str, Tensor]:
    module, index = run.module, layer * n_directions(run.module) + direction
    output, h0 = run.layers[layer + 1], run.initial[0][index]
    h = output.chunk(n_directions(module), -1)[direction]
    found = {"output": output, "h": h}
    if symbols <= _FROM_OUTPUT:
        return found

    def turn(values: Tensor) -> Tensor:
        return reversed_steps(values, run.lengths) if direction else values.contiguous()

    gates = len(GATES[module.mode])
    weights = [weight.to(h.dtype).chunk(gates) for weight in module.all_weights[index][: 4 if module.bias else 2]]
    drive = _Drive(turn(run.layers[layer]), torch.cat([h0[None], turn(h)[:-1]]), weights)
    rebuilt = _lstm(drive, run.initial[1][index], symbols) if module.mode == "LSTM" else _gru(drive, symbols)
    return found | {symbol: turn(values) for symbol, values in rebuilt.items() if symbol in symbols}


def _lstm(drive: _Drive, c0: Tensor, symbols: set[str]) -> dict[str, Tensor]:
    wanted = symbols | set("ifg") if "c" in symbols else symbols
    found = {symbol: drive.total(gate).sigmoid_() for gate, symbol in enumerate("ifgo") if symbol in wanted - {"g"}}
    if "g" in wanted:
        found["g"] = drive.total(2).tanh_()
    if "c" in wanted:
        found["c"] = found["i"] * found["g"]
        before = c0
        for c, f in zip(found["c"], found["f"], strict=True):
            before = c.addcmul_(f, before)
    return found


def _gru(drive: _Drive, symbols: set[str]) -> dict[str, Tensor]:
    found = {}
    if "z" in symbols:
        found["z"] = drive.total(1).sigmoid_()
    if symbols & {"r", "n"}:
        found["r"] = drive.total(0).sigmoid_()
    if "n" in symbols:
        found["n"] = drive.from_input(2).addcmul_(found["r"], drive.from_state(2)).tanh_()
    return found


def _detached(steps: Steps) -> Steps:
    return steps if isinstance(steps, PackedSequence) else steps.detach()
