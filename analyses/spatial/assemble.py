"""From measured layers to one Result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import xarray as xr

import probekit
from probekit.analyses.spatial.layer import Layer
from probekit.analyses.spatial.measure import Options
from probekit.navigation import Arena
from probekit.result import Result


def assemble(
    layers: Sequence[Layer],
    arena: Arena,
    recorded: Mapping[str, Mapping[str, Any]],
    options: Options,
    *,
    arrays: Mapping[str, xr.DataArray] | None = None,
    notes: tuple[str, ...] = (),
) -> Result:
    """Return one Result of all layers of all networks.

    Parameters
    ----------
    layers : sequence of Layer
    arena : Arena
    recorded : mapping of str to mapping
        Network → provenance of its recording.
    options : Options
    arrays : mapping, optional
        What stands beside the arrays of the units.
    notes : tuple of str
    """
    table = pd.concat([one.measured.table for one in layers], ignore_index=True)
    summary = pd.concat([one.summary for one in layers], ignore_index=True)
    of_units = [one.measured.arrays for one in layers]
    shared = [name for name in of_units[0] if all(name in one for one in of_units)]
    joined = {name: xr.concat([one[name] for one in of_units], "unit") for name in shared}
    said = {
        "probekit": probekit.__version__,
        "seed": options.seed,
        "arena": asdict(arena),
        "parameters": {name: value for name, value in asdict(options).items() if name != "seed"},
        "recordings": {network: dict(one) for network, one in recorded.items()},
    }
    return Result("spatial", table, summary, joined | dict(arrays or {}), said, notes)
