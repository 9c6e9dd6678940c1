"""A spatial result as its sentences and figures need it: units by network, the layer that is drawn, the arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import fisher_exact

from probekit.reports.by_depth import Dash
from probekit.reports.figures import TRAINED, UNLEARNED, UNTRAINED
from probekit.reports.tables import CONTROL, MEASURED
from probekit.result import Result
from probekit.spatial.significance import CLASSIC_THRESHOLDS

ALPHA = 0.05
CLASSIC = CLASSIC_THRESHOLDS["banino2018"]["grid"]
READ_OUT = "random read-out"
CONTROLS = (CONTROL, READ_OUT)
LOOKS: dict[str, tuple[str, str, Dash]] = {
    MEASURED: ("trained", TRAINED, "-"),
    CONTROL: ("untrained twin", UNTRAINED, (0, (4, 2))),
    READ_OUT: ("random read-out", UNLEARNED, (0, (1, 1.4))),
}
"""Network → how it is called, its colour and its dash."""
KINDS = ("grid", "border", "head_direction", "place", "speed", "mixed", "none")


@dataclass(frozen=True, eq=False)
class View:
    """A result, seen network by network.

    Parameters
    ----------
    result : Result
    units : pandas.DataFrame
        The table, with the column `row` (place in the table).
    layers : tuple of str
        Of the trained network, in the order of the table.
    main : str
        The layer that is drawn: that with the most units above both strict nulls; "" where there is no layer.
    """

    result: Result
    units: pd.DataFrame
    layers: tuple[str, ...]
    main: str

    def of(self, network: str = MEASURED, layer: str = "") -> pd.DataFrame:
        """Return the units of a layer (default: of the one that is drawn); all of the random read-out."""
        units = self.units[self.units["network"] == network]
        return units if network == READ_OUT else units[units["layer"] == (layer or self.main)]

    def has(self, network: str, layer: str = "") -> bool:
        """Say whether the network was measured in that layer."""
        return bool(len(self.of(network, layer)))

    def values(self, column: str, network: str = MEASURED, layer: str = "") -> np.ndarray:
        """Return the finite values of a column."""
        units = self.of(network, layer)
        if column not in units:
            return np.empty(0)
        values = units[column].to_numpy(dtype=float, na_value=np.nan)
        return np.asarray(values[np.isfinite(values)])

    def said(self, column: str, network: str = MEASURED, layer: str = "") -> float:
        """Return a number of the summary, nan where there is none."""
        summary = self.result.summary
        rows = summary[summary["network"] == network]
        if network != READ_OUT:
            rows = rows[rows["layer"] == (layer or self.main)]
        return float(rows[column].iloc[0]) if len(rows) and column in rows else float("nan")

    def share(self, column: str, network: str = MEASURED, layer: str = "") -> float:
        """Return a count of the summary as a share of the units, nan where there are none."""
        n = self.said("n_units", network, layer)
        return self.said(column, network, layer) / n if n > 0 else float("nan")

    def grid_cells(self, network: str = MEASURED, layer: str = "") -> pd.DataFrame:
        """Return the units that beat both strict nulls after correction, the highest gridness first."""
        units = self.of(network, layer)
        return units[units["q_grid"] <= ALPHA].sort_values(["gridness", "row"], ascending=[False, True])

    def sorted_by(self, column: str, network: str = MEASURED, layer: str = "") -> pd.DataFrame:
        """Return the units that have a value, the highest first."""
        units = self.of(network, layer)
        return units[units[column].notna()].sort_values([column, "row"], ascending=[False, True])

    def array(self, name: str) -> xr.DataArray | None:
        """Return an array, None where it is not there or empty."""
        found = self.result.arrays.get(name)
        return found if found is not None and found.size else None

    def of_units(self, name: str) -> xr.DataArray | None:
        """Return an array that has a value a row of the table, None where it is not there or does not fit."""
        found = self.array(name)
        return found if found is not None and found.sizes.get("unit") == len(self.units) else None

    @property
    def trained(self) -> Mapping[str, Any]:
        """What is known of the recording of the network; empty where nothing is."""
        found = self.result.provenance.get("recordings", {}).get(MEASURED, {})
        return found if isinstance(found, Mapping) else {}

    def count(self, kind: str, network: str = MEASURED) -> float:
        """Return how many units are of a kind, nan where that is not known; grid cells count whatever else they are."""
        return float(len(self.grid_cells(network))) if kind == "grid" else self.said(f"n_{kind}", network)

    def found(self, kind: str) -> bool:
        """Say whether there are more units of a kind than in each control."""
        return self._beyond({name: int(self.count(kind, name)) for name in LOOKS if self.has(name)})

    def more(self, column: str) -> bool:
        """Say whether a count of the summary is larger than that of each control."""
        counts = {name: self.said(column, name) for name in LOOKS if self.has(name)}
        return bool(np.isfinite(list(counts.values())).all()) and self._beyond(
            {name: int(n) for name, n in counts.items()}
        )

    def _beyond(self, counts: Mapping[str, int]) -> bool:
        """Compare the network's count with each control's by Fisher's exact test, one-sided."""
        totals = {name: len(self.of(name)) for name in counts}
        n, total = counts[MEASURED], totals[MEASURED]
        return n > 0 and all(
            fisher_exact([[n, total - n], [k, totals[name] - k]], alternative="greater").pvalue < ALPHA
            for name, k in counts.items()
            if name != MEASURED
        )


def view_of(result: Result) -> View:
    """Return the view of a spatial result."""
    mine = result.summary[result.summary["network"] == MEASURED]
    ranked = mine.sort_values(["n_above_both", "median_gridness"], ascending=False, kind="stable")
    main = str(ranked["layer"].iloc[0]) if len(ranked) else ""
    units = result.table.assign(row=np.arange(len(result.table)))
    return View(result, units, tuple(dict.fromkeys(mine["layer"].astype(str))), main)
