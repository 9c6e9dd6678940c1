"""A lesion result as its sentences and figures need it: series of doses, their arrays, their twins, their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from probekit.analyses.causal.rows import ALPHA
from probekit.reports.sections.lesion_effect.scale import Scale, scale_of
from probekit.reports.tables import CONTROL, MEASURED
from probekit.result import Result

MOST_PANELS = 12
_STATED_DOSE = 0.1
_OWN = "d_prime_"
_KEYS = ("network", "task", "layer", "ranking")


@dataclass(frozen=True, eq=False)
class Series:
    """The doses of one task, layer and ranking in one network; `number` counts rows of the summary."""

    number: int
    network: str
    task: str
    layer: str
    ranking: str
    said: Mapping[str, Any]
    rows: pd.DataFrame
    scale: Scale

    @property
    def harm(self) -> np.ndarray:
        """How much worse than its shams the target is, shape (dose,); above 0 is worse."""
        return self.scale.sign * self.rows["effect"].to_numpy(dtype=float)

    @property
    def is_own(self) -> bool:
        """Whether units selective for something are asked about just that."""
        return self.ranking == f"{_OWN}{self.task}"


@dataclass(frozen=True, eq=False)
class View:
    """A result, seen series by series.

    Parameters
    ----------
    result : Result
    measured : str
        Name of the network; "" where there is none.
    every : tuple of Series
        In the order of the summary.
    """

    result: Result
    measured: str
    every: tuple[Series, ...]

    @property
    def series(self) -> tuple[Series, ...]:
        """Those of the network."""
        return tuple(one for one in self.every if one.network == self.measured)

    @property
    def twins(self) -> tuple[Series, ...]:
        """Those of the untrained twin."""
        return tuple(one for one in self.every if one.network == CONTROL and one.network != self.measured)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Return the tasks of the network in order."""
        return tuple(dict.fromkeys(one.task for one in self.series))

    @property
    def layers(self) -> tuple[str, ...]:
        """Return the lesioned layers of the network in order."""
        return tuple(dict.fromkeys(one.layer for one in self.series))

    @property
    def rankings(self) -> tuple[str, ...]:
        """Return the rankings of the network in order."""
        return tuple(dict.fromkeys(one.ranking for one in self.series))

    @property
    def rows(self) -> pd.DataFrame:
        """Rows of the network."""
        table = self.result.table
        return table[table["network"] == self.measured]

    def of(self, ranking: str, task: str = "") -> tuple[Series, ...]:
        """Return the series of a ranking, of one task where it is named."""
        return tuple(one for one in self.series if one.ranking == ranking and task in ("", one.task))

    def twin_of(self, one: Series) -> Series | None:
        """Return the same series of the untrained twin."""
        same = [
            twin for twin in self.twins
            if (twin.task, twin.layer, twin.ranking) == (one.task, one.layer, one.ranking)
        ]  # fmt: skip
        return same[0] if same else None

    def main_task(self, ranking: str) -> str:
        """Return the task that is told of: that which the units are selective for, else the first."""
        own = ranking.removeprefix(_OWN)
        return own if ranking.startswith(_OWN) and own in self.tasks else self.tasks[0]

    def chosen(self) -> tuple[Series, ...]:
        """Return the series that are drawn on the page itself; the others are in the folds.

        All where there are no more than `MOST_PANELS`, else those of the main tasks, at most as many.
        """
        if len(self.series) <= MOST_PANELS:
            return self.series
        main = {self.main_task(ranking) for ranking in self.rankings}
        return tuple(one for one in self.series if one.task in main)[:MOST_PANELS]

    def array(self, name: str, one: Series | None = None) -> xr.DataArray | None:
        """Return an array, or its part of a series; None where it is not there or empty."""
        found = self.result.arrays.get(name)
        if found is None or not found.size:
            return None
        if one is None:
            return found
        return found.isel(series=one.number) if found.sizes.get("series", 0) > one.number else None

    def numbered(self, kind: str, one: Series) -> xr.DataArray | None:
        """Return an array that is kept apart for each series, such as `curve_3`."""
        return self.array(f"{kind}_{one.number}")


def view_of(result: Result) -> View:
    """Return the view of a lesion result."""
    networks = list(dict.fromkeys(result.summary["network"].astype(str)))
    measured = MEASURED if MEASURED in networks else next((one for one in networks if one != CONTROL), "")
    measured = measured or (networks[0] if networks else "")
    said = result.provenance.get("tasks", {})
    return View(result, measured, tuple(_series(result, number, said) for number in range(len(result.summary))))


def _series(result: Result, number: int, said: Mapping[str, Any]) -> Series:
    row = {str(name): value for name, value in result.summary.iloc[number].to_dict().items()}
    network, name, layer, ranking = (str(row[key]) for key in _KEYS)
    table = result.table
    same = np.logical_and.reduce([(table[key] == row[key]).to_numpy() for key in _KEYS])
    task = said.get(name, {}) if isinstance(said, Mapping) else {}
    better = bool(task.get("higher_is_better", str(row["unit"]) not in ("cm", "nats")))
    scale = scale_of(str(row["unit"]), name, higher_is_better=better)
    return Series(number, network, name, layer, ranking, row, table[same].sort_values("dose"), scale)


def stated_dose(doses: Sequence[float], known: np.ndarray) -> int:
    """Return the place of the dose next to a tenth of the units, of those that are known if any is."""
    away = np.abs(np.log(np.asarray(doses, dtype=float) / _STATED_DOSE))
    return int(np.argmin(np.where(known, away, away + (100 if known.any() else 0))))


def significant(rows: pd.DataFrame) -> np.ndarray:
    """Return which rows have q ≤ .05, shape (row,)."""
    return np.asarray(rows["q"].to_numpy(dtype=float) <= ALPHA)
