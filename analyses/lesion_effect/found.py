"""What a ready experiment hands on: measured layers, its tasks, and arrays beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from probekit.analyses.lesion_effect.measure import Measured
from probekit.tasks import Task


@dataclass(frozen=True, eq=False)
class Found:
    """Measured layers of one network, the tasks, and what is drawn beside the distributions."""

    measured: list[Measured]
    tasks: dict[str, Task]
    arrays: dict[str, xr.DataArray]


def as_array(table: pd.DataFrame, **said: Any) -> xr.DataArray:
    """Return a recovery table as an array, dims (lesion, amount, end); what else is `said` becomes attributes."""
    lesions, amounts = list(dict.fromkeys(table["lesion"])), list(dict.fromkeys(table["amount"]))
    values = table[["score", "score_low", "score_high"]].to_numpy().reshape(len(lesions), len(amounts), 3)
    return xr.DataArray(
        values,
        dims=("lesion", "amount", "end"),
        coords={"lesion": lesions, "amount": amounts, "end": ["score", "low", "high"]},
        attrs=said,
    )
