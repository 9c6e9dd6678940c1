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
    if isinstance(match, str) or not isinstance(match, Sequence):
        raise UsageError(f"match is {match!r}; expected a list of columns, such as ['mean_activity'].")
    matched = [_numbers(table, name, "match") for name in match]
    every = np.column_stack(matched) if matched else np.empty((len(table), 0))
    layers = list(dict.fromkeys(table["layer"]))
    if layer is not None and len(layers) > 1:
        raise UsageError(f"layer is '{layer}', and units are of {', '.join(layers)}; give the units of one layer.")
    found = {}
    for name in layers:
        here = (table["layer"] == name).to_numpy()
        channels = table.loc[here, "channel"].to_numpy()
        if channels.dtype.kind not in "iu":
            raise UsageError(f"channel holds {channels.dtype}; expected numbers of units, from 0.")
        if len(np.unique(channels)) < len(channels):
            raise UsageError(
                f"units hold several rows for a channel of '{name}'; expected one a unit. Choose one contrast, or "
                "record units with Units(space='mean')."
            )
        found[layer or name] = (ranking, Ranked.of(channels, values[here], every[here], match))
    return found


def checked_groups(groups: str, tasks: Mapping[str, AnyTask]) -> str:
    """Return the column of groups, which at least one task has.

    Raises
    ------
    UsageError
        If none has it.
    """
    known = {str(one) for task in tasks.values() if isinstance(task, Task) for one in task.trials}
    if groups and groups not in known:
        raise unknown_name("column of trials for groups", groups, known)
    return groups


def single_number(name: str, n_trials: int) -> str:
    """Return a note where a task gives one number only, else nothing."""
    if n_trials > 1:
        return ""
    return f"Task '{name}' gives one number: its variance over trials is unknown; intervals are over shams only."


def _name(task: Any) -> str:
    return task.name if isinstance(task, Task) else getattr(task, "__name__", "task")


def _table(units: pd.DataFrame | Result | None, rank_by: Any, layer: str | None, network: str) -> pd.DataFrame:
    if units is None:
        if layer is None or isinstance(rank_by, str):
            raise UsageError("units are missing: give a table with layer and channel, or a layer and an array rank_by.")
        return pd.DataFrame({"layer": layer, "channel": np.arange(np.size(rank_by))})
    table = units.table if isinstance(units, Result) else units
    if not isinstance(table, pd.DataFrame):
        raise UsageError(f"units is a {type(units).__name__}; expected a Result or its table.")
    if "layer" not in table and layer is not None:
        table = table.assign(layer=layer)
    missing = [name for name in ("layer", "channel") if name not in table]
    if missing:
        raise UsageError(f"units lack {' and '.join(missing)}; their columns: {', '.join(map(str, table.columns))}.")
    if "network" in table and table["network"].nunique() > 1:
        if network not in set(table["network"]):
            raise UsageError(f"units are of {', '.join(sorted(set(table['network'])))}, none of them '{network}'.")
        table = table[table["network"] == network]
    if table.empty:
        raise UsageError("units is an empty table.")
    return table.assign(layer=table["layer"].astype(str)).reset_index(drop=True)


def _values(table: pd.DataFrame, rank_by: Any) -> tuple[Floats, str]:
    if isinstance(rank_by, str):
        rank_by = pd.Series(_numbers(table, rank_by, "rank by"), name=rank_by)
    values: npt.NDArray[Any] = np.asarray(rank_by)
    if values.dtype.kind not in "biuf" or values.shape != (len(table),):
        raise UsageError(
            f"rank_by has shape {values.shape} and type {values.dtype}; expected a column's name or a number for each "
            f"of the {len(table)} units."
        )
    known = values[np.isfinite(values.astype(np.float64))]
    if known.size > 1 and np.ptp(known.astype(np.float64)) == 0:
        raise UsageError(f"rank_by is {known[0]} for all units; expected numbers that rank them.")
    return values.astype(np.float64), str(getattr(rank_by, "name", None) or "given")


def _numbers(table: pd.DataFrame, name: str, use: str) -> Floats:
    if name not in table:
        raise unknown_name(f"column of units to {use}", name, map(str, table.columns))
    if table[name].dtype.kind not in "biuf":
        raise UsageError(f"column '{name}' holds {table[name].dtype}; expected numbers to {use}.")
    return table[name].to_numpy(dtype=np.float64, na_value=np.nan)
