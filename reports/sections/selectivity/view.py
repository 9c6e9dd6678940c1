"""A selectivity result as its sentences and figures need it: each contrast in its best layer, beside every control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from probekit.analyses.selectivity.rule import ALPHA, REPLICATED_D_PRIME, SELECTIVE_D_PRIME
from probekit.reports.by_depth import DASHED, DOTTED, Dash
from probekit.reports.figures import AXIS, INK, TRAINED, UNLEARNED, UNTRAINED
from probekit.reports.tables import BASELINE, CONTROL, MEASURED
from probekit.result import Result

__all__ = ["ALPHA", "IT", "LOOKS", "PIXELS", "REPLICATED_D_PRIME", "SELECTIVE_D_PRIME", "View", "view_of"]

PIXELS, IT = "pixels", "IT"
LOOKS: dict[str, tuple[str, str, Dash]] = {
    MEASURED: ("trained", TRAINED, "-"),
    CONTROL: ("untrained twin", UNTRAINED, DASHED),
    BASELINE: ("Gabor filters", UNLEARNED, (0, (3, 1.2, 1, 1.2))),
    PIXELS: ("pixels", AXIS, DOTTED),
    IT: ("IT neurons", INK, "-"),
}
"""Network → how it is called, its colour and its dash."""


@dataclass(frozen=True, eq=False)
class View:
    """A result, seen contrast by contrast.

    Parameters
    ----------
    result : Result
    contrasts : tuple of str
        Of the measured network.
    layers : tuple of str
        Of the measured network, from input to output.
    """

    result: Result
    contrasts: tuple[str, ...]
    layers: tuple[str, ...]

    def rows(self, contrast: str, network: str = MEASURED) -> pd.DataFrame:
        """Return the summary of a contrast in a network, a row a layer, from input to output."""
        summary = self.result.summary
        of_it = summary[(summary["network"] == network) & (summary["contrast"] == contrast)]
        return of_it.sort_values("depth", kind="stable")

    def best(self, contrast: str, network: str = MEASURED) -> pd.Series | None:
        """Return the layer with the most selective units, the first of equals; None where none was measured."""
        rows = self.rows(contrast, network)
        return rows.iloc[int(rows["n_selective"].to_numpy().argmax())] if len(rows) else None

    def in_layer(self, contrast: str, layer: str, network: str) -> pd.Series | None:
        """Return what the summary says of a layer; of systems without layers, of the one they have."""
        rows = self.rows(contrast, network)
        rows = rows[rows["layer"] == layer] if network in (MEASURED, CONTROL) else rows
        return rows.iloc[0] if len(rows) else None

    def shares(self, contrast: str, network: str) -> np.ndarray:
        """Return the share of selective units in each layer, shape (layer,), nan where it was not measured."""
        rows = self.rows(contrast, network).set_index("layer")["selective_share"]
        return rows.reindex(list(self.layers)).to_numpy(dtype=float, na_value=np.nan)

    def units(self, contrast: str, network: str, layer: str = "") -> pd.DataFrame:
        """Return the units of a network for a contrast, those of one layer where it is named."""
        table = self.result.table
        chosen = (table["network"] == network) & (table["contrast"] == contrast)
        return table[chosen & (table["layer"] == layer)] if layer else table[chosen]

    def has(self, network: str) -> bool:
        """Say whether a network was measured."""
        return bool((self.result.summary["network"] == network).any())

    def beyond(self, contrast: str) -> bool:
        """Say whether more units of the best layer are selective than by chance and in every control.

        Fisher's exact test against the twin's same layer, corrected over all layers and contrasts, and a larger share
        than in the other controls.
        """
        mine = self.best(contrast)
        if mine is None or not mine["n_selective"] or not mine["p_selective"] <= ALPHA:
            return False
        others = [self.best(contrast, name) for name in (BASELINE, PIXELS)]
        less = all(one is None or one["selective_share"] < mine["selective_share"] for one in others)
        return less and (np.isnan(mine["q_vs_untrained"]) or mine["q_vs_untrained"] <= ALPHA)

    @property
    def trained(self) -> Mapping[str, Any]:
        """What is known of the recording of the network; empty where nothing is."""
        found = self.result.provenance.get("recordings", {}).get(MEASURED, {})
        return found if isinstance(found, Mapping) else {}

    @property
    def published(self) -> list[dict[str, Any]]:
        """Published figures, a mapping each."""
        return [dict(one) for one in self.result.provenance.get("published", ())]


def view_of(result: Result) -> View:
    """Return the view of a selectivity result."""
    mine = result.summary[result.summary["network"] == MEASURED]
    layers = mine.sort_values("depth", kind="stable")["layer"].astype(str).unique()
    return View(result, tuple(map(str, mine["contrast"].unique())), tuple(map(str, layers)))
