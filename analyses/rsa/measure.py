"""Representational similarity of recorded layers and regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import probekit
from probekit.analyses.rsa.columns import SUMMARY
from probekit.analyses.ventral.fits import fits
from probekit.analyses.ventral.systems import System
from probekit.result import Result
from probekit.rsa import RDMs

_KEYS = ["model", "network", "seed", "layer", "depth"]
_ALPHA = 0.05


def assemble(
    systems: Sequence[System],
    regions: Mapping[str, RDMs],
    said: Mapping[str, Any],
    *,
    notes: tuple[str, ...] = (),
) -> Result:
    """Return the result of comparing systems with regions; `said` goes into its provenance."""
    table = fits(systems, regions)
    provenance = {"probekit": probekit.__version__, **said}
    return Result("rsa", table, _summary(table), _arrays(regions), provenance, notes)


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    share = (table["score"] / table["ceiling_low"].where(table["ceiling_low"] > 0)).fillna(table["score"])
    ordered = table.assign(share=share, significant=table["q"] < _ALPHA)
    rows = []
    for keys, group in ordered.groupby(_KEYS, sort=False, dropna=False):
        best = group.iloc[int(group["share"].fillna(-np.inf).argmax())]
        rows.append((*keys, best["region"], *best[["score", "score_low", "score_high"]], group["significant"].sum()))
    return pd.DataFrame(rows, columns=[column.name for column in SUMMARY]).astype({"n_significant": int})


def _arrays(regions: Mapping[str, RDMs]) -> dict[str, xr.DataArray]:
    """Return the mean RDM of each region over its subjects, each scaled to ranks of 0 … 1, to be drawn."""
    conditions = list(next(iter(regions.values())).conditions)
    ranked = []
    for rdms in regions.values():
        mean = np.nanmean(rdms.dissimilarities, axis=0)
        order = np.asarray(pd.Series(mean).rank(pct=True), dtype=np.float64)[None]
        ranked.append(RDMs(order, rdms.conditions, pd.DataFrame({"rdm": [0]}), rdms.distance).square()[0])
    array = xr.DataArray(
        np.stack(ranked),
        dims=("region", "condition", "other_condition"),
        coords={"region": list(regions), "condition": conditions, "other_condition": conditions},
    )
    return {"region_rdm": array}
