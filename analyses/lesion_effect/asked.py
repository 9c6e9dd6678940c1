"""What the caller of the lesion analysis asked for, checked and laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.analyses.causal.design import Ranked
from probekit.arguments import Floats
from probekit.errors import UsageError, unknown_name
from probekit.result import Result
from probekit.tasks import AnyTask, Task


def tasks_of(task: Any) -> dict[str, AnyTask]:
    """Return name → task.

    Raises
    ------
    UsageError
        If it is neither a task, a function, nor a mapping of these.
    """
    named = dict(task) if isinstance(task, Mapping) else {_name(task): task}
    if not named:
        raise UsageError("task is an empty mapping; expected at least one task.")
    for name, one in named.items():
        if not callable(one):
            raise UsageError(
                f"task '{name}' is a {type(one).__name__}; expected a probekit.tasks.Task, or a function from a "
                "network to its scores, one a trial."
            )
    return {str(name): one for name, one in named.items()}


def ranked_by_layer(
    units: pd.DataFrame | Result | None, rank_by: Any, layer: str | None, match: Sequence[str], network: str
) -> dict[str, tuple[str, Ranked]]:
    """Return lesioned layer → what its units are ranked by, and the units in order.

    Raises
    ------
    UsageError
        If what is asked for is not in the table, or does not fit it.
    """
    table = _table(units, rank_by, layer, network)
    values, ranking = _values(table, rank_by)
    if isinstance(match, str):
        raise UsageError(f"match is '{match}'; expected a list of columns, [{match!r}].")
    for name in match:
        if name not in table:
            raise unknown_name("column of units to match", name, map(str, table.columns))
    layers = list(dict.fromkeys(table["layer"].astype(str)))
    if layer is not None and len(layers) > 1:
        raise UsageError(f"layer is '{layer}', and units are of {', '.join(layers)}; give the units of one layer.")
    found = {}
    for name in layers:
        here = (table["layer"] == name).to_numpy()
        covariates = table.loc[here, list(match)].to_numpy(dtype=np.float64)
        channels = table.loc[here, "channel"].to_numpy()
        if len(np.unique(channels)) < len(channels):
            raise UsageError(
                f"units hold several rows for a channel of '{name}'; expected one a unit. Choose one contrast, or "
                "record units with Units(space='mean')."
            )
        found[layer or name] = (ranking, Ranked.of(channels, values[here], covariates, match))
    return found


def single_number(task: AnyTask, n_trials: int) -> str:
    """Return a note where a task gives one number only, else nothing."""
    if n_trials > 1:
        return ""
    return f"Task '{_name(task)}' gives one number: its variance over trials is unknown; intervals are over shams only."


def _name(task: Any) -> str:
    return task.name if isinstance(task, Task) else getattr(task, "__name__", "task")


def _table(units: pd.DataFrame | Result | None, rank_by: Any, layer: str | None, network: str) -> pd.DataFrame:
    if units is None:
        if layer is None or isinstance(rank_by, str):
            raise UsageError("units are missing: give a table with layer and channel, or a layer and an array rank_by.")
        return pd.DataFrame({"layer": layer, "channel": np.arange(len(np.asarray(rank_by)))})
    table = units.table if isinstance(units, Result) else units
    if not isinstance(table, pd.DataFrame):
        raise UsageError(f"units is a {type(units).__name__}; expected a Result or its table.")
    missing = [name for name in ("layer", "channel") if name not in table]
    if missing:
        raise UsageError(f"units lack {' and '.join(missing)}; their columns: {', '.join(map(str, table.columns))}.")
    if "network" in table and table["network"].nunique() > 1:
        if network not in set(table["network"]):
            raise UsageError(f"units are of {', '.join(sorted(set(table['network'])))}, none of them '{network}'.")
        table = table[table["network"] == network]
    if table.empty:
        raise UsageError("units is an empty table.")
    return table.reset_index(drop=True)


def _values(table: pd.DataFrame, rank_by: Any) -> tuple[Floats, str]:
    if isinstance(rank_by, str):
        if rank_by not in table:
            raise unknown_name("column of units to rank by", rank_by, map(str, table.columns))
        return table[rank_by].to_numpy(dtype=np.float64), rank_by
    values: npt.NDArray[Any] = np.asarray(rank_by)
    if values.dtype.kind not in "biuf" or values.shape != (len(table),):
        raise UsageError(
            f"rank_by has shape {values.shape} and type {values.dtype}; expected a column's name or a number for each "
            f"of the {len(table)} units."
        )
    return values.astype(np.float64), str(getattr(rank_by, "name", None) or "given")
