"""Units of networks that are led along paths: what they are ranked by, and what shams are matched on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from probekit import hooks
from probekit.analyses.released_gridness import gridness_of
from probekit.arguments import Floats
from probekit.layers import modules_by_name, select
from probekit.navigation import Navigation, random_walk
from probekit.network import Entry
from probekit.spatial import (
    border_scores,
    directional_tuning,
    mean_vectors,
    nonnegative,
    rate_maps,
    spatial_information,
)
from probekit.survey import read

N_BINS = 20
MATCHES = {
    "activity": ("mean_activity",),
    "information": ("information_bits_per_spike",),
    "read-out drive": ("readout_drive",),
}
"""What shams are matched on, one variable at a time; and all of them together."""


def navigating_units(network: Entry, walked: Navigation, layer: str, *, label: str = "trained") -> pd.DataFrame:
    """Return a row a unit of a layer.

    Returns
    -------
    pandas.DataFrame
        `network`, `layer`, `channel`; `gridness` (Banino 2018), `border_score` (Solstad 2008), `mean_vector_length` of
        the directional tuning, `information_bits_per_spike` (Skaggs 1993), all nan for silent units;
        `mean_activity`; `readout_drive`: mean absolute activity times the length of the unit's outgoing weights to the
        linear layers that read it, nan where there is none.
    """
    activity = np.asarray(walked[layer], dtype=np.float64)
    found = rate_maps(activity, walked.tracking, n_bins=N_BINS)
    rates = nonnegative(found.maps)
    headings = mean_vectors(nonnegative(directional_tuning(activity, walked.tracking).curves))
    lengths = outgoing_lengths(network, layer, activity.shape[1])
    return pd.DataFrame(
        {
            "network": label,
            "layer": layer,
            "channel": np.arange(activity.shape[1]),
            "gridness": gridness_of(found.maps),
            "border_score": border_scores(rates, walked.tracking.arena).score,
            "mean_vector_length": headings.length,
            "information_bits_per_spike": spatial_information(rates, found.occupancy).bits_per_spike,
            "mean_activity": activity.mean(0),
            "readout_drive": np.abs(activity).mean(0) * lengths,
        }
    )


@torch.no_grad()
def outgoing_lengths(network: Entry, layer: str, n_units: int) -> Floats:
    """Return the length of each unit's outgoing weights, shape (unit,): over all linear layers that take the layer.

    Which do is found out by showing one path: those whose input is what the layer gave. nan where there are none.
    """
    assert network.task is not None
    task, module = network.task, network.module
    inputs = task.adapter.encode(random_walk(task.arena, task.motion, 2, task.n_steps))
    (wanted,) = select(module, layer)
    known = modules_by_name(module)
    given: list[Tensor] = []
    taken: list[tuple[nn.Linear, Tensor]] = []

    def receive(name: str, one: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if name == wanted.name:
            given.extend(read(one, args, kwargs, output, wanted.parts or ("",)).values())
        if isinstance(one, nn.Linear) and args and one.in_features == n_units:
            taken.append((one, args[0]))

    with hooks.undisturbed(module), hooks.tapped(known, receive):
        module(inputs)
    squared = [
        one.weight.square().sum(0).double().cpu().numpy()
        for one, seen in taken
        if any(seen.shape == values.shape and torch.equal(seen, values) for values in given)
    ]
    return np.sqrt(np.sum(squared, 0)) if squared else np.full(n_units, np.nan)
