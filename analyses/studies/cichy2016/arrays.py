"""What the figures need beyond the tables, labelled."""

from __future__ import annotations

import numpy as np
import xarray as xr

from probekit.analyses.studies.cichy2016 import meg
from probekit.analyses.studies.cichy2016.geometry import LATENCIES, MODELS, Geometry
from probekit.analyses.studies.cichy2016.readout import CHANCE, CURVES, Readout
from probekit.analyses.studies.cichy2016.timing import ALPHA, Timing
from probekit.brains.zhang2011 import POSITIONS

PEAKS = ("depth", "peak_ms", "peak_low", "peak_high", "planted_ms")
LATENCY_NUMBERS = ("object", "object_se", "position", "position_se", "difference", "low", "high", "p")


def of_timing(kind: str, model: str, found: Timing) -> dict[str, xr.DataArray]:
    """Return scores and clusters (layer, time_ms), peaks (layer, number) and order, named "kind scores of model"."""
    names = {"layer": list(found.layers)}
    over_time = {**names, "time_ms": found.times_ms}
    planted = meg.planted_peaks(found.depth) if kind.startswith("planted") else np.full(len(found.layers), np.nan)
    peaks = np.stack([found.depth, found.peak_ms, found.peak_low, found.peak_high, planted], axis=1)
    attributes = {"trend": found.trend, "trend_low": found.trend_low, "trend_high": found.trend_high}
    attributes["p"] = np.nan if found.test is None else found.test.p
    attributes["mean_of_subjects"] = np.nan if found.test is None else found.test.mean
    numbers = np.array(list(attributes.values()))
    return {
        f"{kind}_scores of {model}": xr.DataArray(found.scores, dims=("layer", "time_ms"), coords=over_time),
        f"{kind}_in_cluster of {model}": xr.DataArray(
            found.clusters.mask(ALPHA), dims=("layer", "time_ms"), coords=over_time
        ),
        f"{kind}_peaks of {model}": xr.DataArray(
            peaks, dims=("layer", "number"), coords={**names, "number": list(PEAKS)}
        ),
        f"{kind}_order of {model}": xr.DataArray(numbers, dims=("number",), coords={"number": list(attributes)}),
    }


def of_neurons(kind: str, read: Readout, seen: Geometry) -> dict[str, xr.DataArray]:
    """Return decoding, its null, invariance, RSA over time and latencies, under names with `kind`."""
    decoded = {"curve": list(CURVES), "time_ms": read.times_ms, "chance": ("curve", [CHANCE[name] for name in CURVES])}
    told = {"model": list(MODELS), "time_ms": seen.times_ms}
    latency = [[getattr(seen.latency[name], number) for number in LATENCY_NUMBERS] for name in LATENCIES]
    spread = np.stack([seen.correlation, seen.apart, seen.apart_se, seen.clusters.p])
    return {
        f"{kind}_decoding": xr.DataArray(read.accuracy, dims=("curve", "time_ms"), coords=decoded),
        f"{kind}_decoding_p": xr.DataArray(
            read.p, dims=("curve", "time_ms"), coords={"curve": list(CURVES[:2]), "time_ms": read.times_ms}
        ),
        f"{kind}_decoding_null": xr.DataArray(
            read.highest_null, dims=("curve", "shuffle"), coords={"curve": list(CURVES[:2])}
        ),
        f"{kind}_invariance": xr.DataArray(
            read.invariance, dims=("taught", "tested"), coords={"taught": list(POSITIONS), "tested": list(POSITIONS)},
            attrs={"p": read.generalisation_p},
        ),
        f"{kind}_rsa": xr.DataArray(
            spread, dims=("quantity", "model", "time_ms"),
            coords={"quantity": ["correlation", "apart", "apart_se", "cluster_p"], **told},
        ),
        f"{kind}_latency": xr.DataArray(
            np.array(latency), dims=("latency", "number"),
            coords={"latency": list(LATENCIES), "number": list(LATENCY_NUMBERS)},
        ),
    }  # fmt: skip
