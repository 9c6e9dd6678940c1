"""What the figures need beyond the tables, labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import rankdata

from probekit.analyses.studies.khaligh_razavi2014.contest import Contest
from probekit.analyses.studies.khaligh_razavi2014.found import Measured
from probekit.analyses.studies.khaligh_razavi2014.parts import Estimate
from probekit.analyses.ventral.fits import all_rdms
from probekit.analyses.ventral.systems import System
from probekit.rsa import RDMs, compare

_BOUNDS = ("value", "low", "high")


def as_published(systems: Sequence[System], regions: Mapping[str, RDMs], targets: Sequence[str]) -> xr.DataArray:
    """Return tau-a of raw activity, mean over subjects, in the order of the rows of the summary; nan if no target."""
    models = all_rdms(systems)
    scores = [
        compare(models, subjects, measure="tau-a").mean(axis=1) if region in targets else np.full(len(models), np.nan)
        for region, subjects in regions.items()
    ]
    return xr.DataArray(np.concatenate(scores), dims="row")


def of_parts(found: Mapping[str, Sequence[Measured]]) -> xr.DataArray:
    """Return what is explained, dims (model, region, part, bound)."""
    return _stacked(
        {model: {one.target.region: one.parts for one in regions} for model, regions in found.items()}, "part"
    )


def of_mixed(found: Mapping[str, Sequence[Measured]]) -> xr.DataArray | None:
    """Return scores on held-out images, dims (model, region, number, bound); None where no region has subjects."""
    numbers = {
        model: {one.target.region: one.mixed.numbers for one in regions if one.mixed is not None}
        for model, regions in found.items()
    }
    return _stacked(numbers, "number") if all(numbers.values()) else None


def of_clusters(found: Mapping[str, Mapping[str, Contest]]) -> xr.DataArray:
    """Return how the layer and its nearest rival divide the images, dims (model, division, number)."""
    first = next(iter(found.values()))
    names = ("score", "rival_score", "difference", "low", "high")
    values = [[[getattr(one, name) for name in names] for one in divisions.values()] for divisions in found.values()]
    coords = {"model": list(found), "division": list(first), "number": list(names)}
    return xr.DataArray(np.array(values), coords, ("model", "division", "number"))


def pictures(regions: Mapping[str, RDMs], layers: Mapping[str, RDMs], table: pd.DataFrame) -> xr.DataArray:
    """Return mean RDMs as percentiles of their ranks, images in the order of categories.

    Parameters
    ----------
    regions, layers : mapping of str to RDMs
        What is shown; of several RDMs, the mean of their ranks.
    table : pandas.DataFrame
        Of the stimuli; column `category`.

    Returns
    -------
    xarray.DataArray
        Dims (system, image, other), 0 … 100; coordinate `category`.
    """
    order = np.argsort(pd.Categorical(table["category"], categories=table["category"].unique()).codes, kind="stable")
    shown = {name: _percentiles(rdms)[np.ix_(order, order)] for name, rdms in {**regions, **layers}.items()}
    coords = {"system": list(shown), "category": ("image", table["category"].astype(str).to_numpy()[order])}
    return xr.DataArray(np.stack(list(shown.values())).astype(np.float32), coords, ("system", "image", "other"))


def _percentiles(rdms: RDMs) -> np.ndarray:
    ranks = rankdata(rankdata(rdms.dissimilarities, axis=1).mean(axis=0))
    pairs = 100 * (ranks - 1) / (len(ranks) - 1)
    full = np.zeros((rdms.n_conditions, rdms.n_conditions))
    full[np.triu_indices(rdms.n_conditions, 1)] = pairs
    return np.asarray(full + full.T)


def _stacked(found: Mapping[str, Mapping[str, Mapping[str, Estimate]]], dim: str) -> xr.DataArray:
    first = next(iter(found.values()))
    names = list(next(iter(first.values())))
    values = [
        [[[getattr(numbers[name], bound) for bound in _BOUNDS] for name in names] for numbers in regions.values()]
        for regions in found.values()
    ]
    coords = {"model": list(found), "region": list(first), dim: names, "bound": list(_BOUNDS)}
    return xr.DataArray(np.array(values), coords, ("model", "region", dim, "bound"))
