"""Which states and gates torch's recurrent modules have, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from torch import nn

from probekit.errors import LayerError, unknown_name

RECURRENT = (nn.LSTM, nn.GRU, nn.RNN)

Recurrent: TypeAlias = nn.LSTM | nn.GRU | nn.RNN
Place: TypeAlias = tuple[str, int, int]
"""Symbol, layer, direction."""

STATES = {"LSTM": "hc", "GRU": "h", "RNN_TANH": "h", "RNN_RELU": "h"}
GATES = {"LSTM": "ifgo", "GRU": "rzn", "RNN_TANH": "", "RNN_RELU": ""}
"""In the order of the rows of torch's weights."""


def part_names(module: nn.Module) -> list[str]:
    """Return the names of a recurrent module's parts.

    Parameters
    ----------
    module : nn.LSTM, nn.GRU or nn.RNN

    Returns
    -------
    list of str
        "output", then for each layer and direction, with the suffix of torch's weights, the hidden state h and

        - LSTM: the cell state c, the gates i (input), f (forget) and o (output), the candidate g;
        - GRU: the gates r (reset) and z (update), the candidate n.

    Raises
    ------
    LayerError
        If the module is none of these.

    Examples
    --------
    >>> part_names(nn.GRU(3, 4, bidirectional=True))
    ['output', 'h_l0', 'r_l0', 'z_l0', 'n_l0', 'h_l0_reverse', 'r_l0_reverse', 'z_l0_reverse', 'n_l0_reverse']
    """
    return list(places_of(checked(module)))


def checked(module: nn.Module) -> Recurrent:
    """Return a recurrent module, and refuse any other."""
    if not isinstance(module, RECURRENT):
        raise LayerError(f"the module is of type {type(module).__name__}; expected nn.LSTM, nn.GRU or nn.RNN.")
    return module


def places_of(module: Recurrent) -> dict[str, Place]:
    """Return name of a part → where it is; the output comes first."""
    places = {"output": ("output", module.num_layers - 1, 0)}
    for layer in range(module.num_layers):
        for direction in range(n_directions(module)):
            for symbol in STATES[module.mode] + GATES[module.mode]:
                places[f"{symbol}_l{layer}{'_reverse' if direction else ''}"] = (symbol, layer, direction)
    return places


def n_directions(module: Recurrent) -> int:
    """Return 2 if the module reads its input both ways, else 1."""
    return 2 if module.bidirectional else 1


def choose_parts(module: Recurrent, parts: Iterable[str] | None) -> dict[str, Place]:
    """Return the parts asked for, all for None; unknown names suggest the nearest."""
    places = places_of(module)
    chosen = list(places if parts is None else parts)
    for name in chosen:
        if name not in places:
            raise unknown_name(f"part of this {type(module).__name__}", name, places)
    return {name: places[name] for name in chosen}
