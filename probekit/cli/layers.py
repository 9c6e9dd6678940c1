"""A network's layers as a table, from one look at a blank stimulus."""

from __future__ import annotations

import math
from collections.abc import Container

import pandas as pd
import torch

import probekit as pk
from probekit.layers import LayerSpec, modules_by_name
from probekit.network import Entry


def layer_table(entry: Entry, layers: LayerSpec = "**") -> pd.DataFrame:
    """Return the layers of a network, in the order in which they run, and then those that cannot be recorded.

    Parameters
    ----------
    entry : Entry
    layers : str, type, predicate or list of these
        See `probekit.layers.select`. Default: all.

    Returns
    -------
    pandas.DataFrame
        One row a recordable array: `layer`, `type` (of the module), `axes` and `shape` of its activity to one
        stimulus (tuples), `units` (places that respond: all axes but time), `note` (why it cannot be recorded, and
        then neither axes nor units).
    """
    blank = pk.stimuli.array(torch.full((1, *entry.card.input_shape), 0.5))
    planned = pk.plan(entry, blank, layers=layers)
    kinds = {name: type(module).__name__ for name, module in modules_by_name(entry.module).items()}
    rows = []
    for name, dims, shape in planned.layers[["layer", "dims", "shape"]].itertuples(index=False):
        axes = dict(zip(dims[1:], shape[1:], strict=True))
        units = math.prod(size for axis, size in axes.items() if axis != "time")
        rows.append((name, kinds[_module(name, kinds)], tuple(axes), tuple(axes.values()), units, ""))
    rows += [(name, kinds[_module(name, kinds)], (), (), 0, reason) for name, reason in planned.skipped.items()]
    return pd.DataFrame(rows, columns=["layer", "type", "axes", "shape", "units", "note"])


def _module(layer: str, modules: Container[str]) -> str:
    """Return the module behind ``module``, ``module@call``, ``module:part`` or ``module@call:part``."""
    name = layer if layer in modules else layer.rpartition(":")[0] or layer
    return name if name in modules else name.rpartition("@")[0]
