"""From measured layers to one Result: false discovery rates, verdicts, distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd
import xarray as xr

import probekit
from probekit.analyses.causal.rows import ALPHA, overall, verdict_of
from probekit.analyses.lesion_effect.columns import SUMMARY, TABLE
from probekit.analyses.lesion_effect.distributions import arrays_of
from probekit.analyses.lesion_effect.measure import Measured, Options, is_higher_better
from probekit.lesions.change import Change
from probekit.result import Result
from probekit.stats.fdr import benjamini_hochberg
from probekit.tasks import AnyTask

_KEYS = ["network", "task", "layer", "ranking"]


def assemble(
    measured: Sequence[Measured],
    tasks: Mapping[str, AnyTask],
    options: Options,
    recordings: Mapping[str, Mapping[str, Any]],
    *,
    arrays: Mapping[str, xr.DataArray] | None = None,
    notes: Sequence[str] = (),
) -> Result:
    """Return the result of all layers of all networks.

    Parameters
    ----------
    measured : sequence of Measured
    tasks : mapping of str to task
    options : Options
    recordings : mapping
        Network → what is said of it.
    arrays : mapping, optional
        What stands beside the distributions.
    notes : sequence of str
    """
    table = pd.DataFrame([row for one in measured for row in one.rows])
    for _, rows in table.groupby("network"):
        table.loc[rows.index, "q"] = benjamini_hochberg(rows["p"].to_numpy())
    better = {name: is_higher_better(task) for name, task in tasks.items()}
    table["verdict"] = [
        verdict_of(row["q"], row["effect_adjusted"], higher_is_better=better[row["task"]])
        for row in table.to_dict("records")
    ]
    table["nan_reason"] = [_reason(row) for row in table.to_dict("records")]
    summary = pd.DataFrame([row for one in measured for row in one.summaries])
    verdicts = table.groupby(_KEYS, sort=False)["verdict"].agg(list)
    listed = [verdicts[tuple(row[key] for key in _KEYS)] for row in summary.to_dict("records")]
    summary["n_doses"] = [sum(one != "not tested" for one in each) for each in listed]
    summary["n_more"] = [each.count("more") for each in listed]
    summary["n_less"] = [each.count("less") for each in listed]
    summary["verdict"] = [overall(each) for each in listed]
    said = asdict(replace(options, change={}))
    provenance = {
        "probekit": probekit.__version__,
        "seed": said.pop("seed"),
        "parameters": said | {"change": _change(options)},
        "tasks": {name: {"higher_is_better": better[name]} for name in tasks},
        "recordings": {network: dict(one) for network, one in recordings.items()},
    }
    return Result(
        "lesion_effect",
        table[[column.name for column in TABLE]],
        summary[[column.name for column in SUMMARY]],
        arrays_of([one for each in measured for one in each.drawn]) | dict(arrays or {}),
        provenance,
        tuple(dict.fromkeys([*notes, *(note for one in measured for note in one.notes), *_too_few(table, options)])),
    )


def _change(options: Options) -> dict[str, Any]:
    given = {"amount": None, "reference": None, "seed": 0} | dict(options.change)
    return Change.checked(options.how, given["amount"], given["reference"], given["seed"]).said


def _too_few(table: pd.DataFrame, options: Options) -> list[str]:
    """Return a note where a single difference among all tests could not be called one."""
    most = int(table.groupby("network")["p"].count().max())
    needed = math.ceil(2 * most / ALPHA) - 1
    drawn = options.n_sham + options.n_more
    if drawn >= needed:
        return []
    return [
        f"With {drawn} permuted sets p is at least {2 / (drawn + 1):.2g}: a difference in one "
        f"of {most} tests alone cannot reach q ≤ {ALPHA:g}, for which {needed} sets are needed."
    ]


def _reason(row: Mapping[Any, Any]) -> str:
    if row["nan_reason"] or pd.notna(row["effect_size"]):
        return str(row["nan_reason"])
    return "all shams score alike"
