"""Whether what is recorded is what the network computed: every layer replayed from its recorded inputs."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from probekit import hooks
from probekit.layers import LayerSpec, modules_by_name, select
from probekit.network import Entry
from probekit.session import Session
from probekit.stimuli import Stimuli
from probekit.survey import Forward, read

_SHOWN = 3


def fidelity(
    network: Entry | nn.Module,
    stimuli: Stimuli | np.ndarray | Tensor,
    *,
    layers: LayerSpec = "**",
    device: str | torch.device | None = None,
    forward: Forward | None = None,
) -> pd.DataFrame:
    """Replay every call of the chosen layers from its recorded inputs and compare with what was recorded.

    Parameters
    ----------
    network, stimuli, layers, device, forward
        As for `record`; the first few stimuli are shown.

    Returns
    -------
    pandas.DataFrame
        One row a call and part: `layer, call, part, max_abs_error, exact`. An error above rounding means that the
        recorded value is not what the module computed from its inputs (or that the module is random).
    """
    session = Session.begin(network, stimuli, layers, device, forward)
    modules = modules_by_name(session.module)
    watched = {wanted.name: modules[wanted.name] for wanted in select(session.module, session.layers)}
    inputs: dict[str, list[tuple[Any, dict[str, Any]]]] = {name: [] for name in watched}
    outputs: list[tuple[str, int, dict[str, Tensor]]] = []
    counts = dict.fromkeys(watched, 0)

    def before(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs[name].append(_copied((args, kwargs)))

    def after(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        taken = {part: tensor.detach().clone() for part, tensor in read(module, args, kwargs, output, ()).items()}
        outputs.append((name, counts[name], taken))
        counts[name] += 1

    rows = []
    with hooks.undisturbed(session.module):
        with hooks.tapped_before(watched, before), hooks.tapped(watched, after):
            session.run(np.arange(_SHOWN) % len(session.stimuli))
        for name, call, taken in outputs:
            args, kwargs = inputs[name][call]
            again = read(watched[name], args, kwargs, watched[name](*args, **kwargs), ())
            for part, tensor in taken.items():
                error = (again[part].double() - tensor.double()).nan_to_num().abs()
                same = torch.equal(again[part].isnan(), tensor.isnan())
                worst = float(error.max()) if error.numel() else 0.0
                rows.append((name, call, part, worst if same else math.inf, same and worst == 0))
    return pd.DataFrame(rows, columns=["layer", "call", "part", "max_abs_error", "exact"])


def _copied(value: Any) -> Any:
    """Return a deep copy; tensors that carry a graph, which deepcopy refuses, are detached first."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if type(value) in (tuple, list):
        return type(value)(_copied(item) for item in value)
    if type(value) is dict:
        return {key: _copied(item) for key, item in value.items()}
    return copy.deepcopy(value)
