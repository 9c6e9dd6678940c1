"""From units to layers: medians, the similarity to V1 and the comparison with the untrained twin."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu

from probekit.analyses.orientation.columns import SUMMARY
from probekit.analyses.v1_reference import V1Reference
from probekit.stats import Draws, benjamini_hochberg, bin_for_ks, resamples

FEWEST_UNITS = 10
V1_LAYER = "macaque V1 (Ringach 2002)"
COMPARED = {
    "v1_similarity_circular_variance": "circular_variance",
    "v1_similarity_bandwidth": "bandwidth_smoothed_deg",
    "v1_similarity_f1_f0": "f1_f0",
}
"""Column of the summary → property of units and of neurons."""
_MEDIANS = ("circular_variance", "bandwidth_deg", "bandwidth_smoothed_deg", "orthogonal_preferred_ratio", "f1_f0")
Key: TypeAlias = tuple[str, str, int]
"""Network, layer and call."""
_MINUS = "v1_similarity_minus_untrained"


@dataclass(frozen=True, eq=False)
class Similarity:
    """How like V1 a layer is, in each property of `COMPARED` and, last, in their mean.

    Parameters
    ----------
    value : array, shape (property + 1,)
        nan where too few units have the property.
    resampled : array, shape (property + 1, resample)
        The same for bootstrap resamples of the layer's units.
    """

    value: np.ndarray
    resampled: np.ndarray


def summarise(table: pd.DataFrame, reference: V1Reference, *, n_resamples: int, seed: int) -> pd.DataFrame:
    """Return one row a network, layer and call, and one of V1.

    Parameters
    ----------
    table : pandas.DataFrame
        Units of one network, or of a network and its twin.
    reference : V1Reference
    n_resamples : int
        Bootstrap resamples of the units of each layer, and of the neurons for each ceiling.
    seed : int
    """
    depth = {layer: number for number, layer in enumerate(table["layer"].unique())}
    ceiling = _ceilings(reference, n_resamples, seed)
    rows, likeness, variances = [], {}, {}
    for _, units in table.groupby(["network", "layer", "call"], sort=False):
        responsive = units[units["responsive"]]
        first = units.iloc[0]
        key: Key = str(first["network"]), str(first["layer"]), int(first["call"])
        rng = np.random.default_rng([seed, zlib.crc32(repr(key).encode())])
        likeness[key] = _similarity(responsive, reference, ceiling, n_resamples, rng)
        variances[key] = responsive["circular_variance"].dropna().to_numpy(np.float64)
        rows.append(_place(key, depth[key[1]]) | _counts(units) | _medians(responsive) | _columns(likeness[key]))
    summary = pd.DataFrame([*rows, _v1_row(reference)]).reindex(columns=[column.name for column in SUMMARY])
    return _against_twin(summary, likeness, variances)


def _place(key: Key, depth: int) -> dict[str, object]:
    return {"network": key[0], "layer": key[1], "call": key[2], "depth": depth}


def _counts(units: pd.DataFrame) -> dict[str, float]:
    n_responsive, n_tuned = int(units["responsive"].sum()), int((units["q_fdr"] < 0.05).sum())
    return {
        "n_units": len(units),
        "n_responsive": n_responsive,
        "n_tuned": float(n_tuned),
        "tuned_share": n_tuned / n_responsive if n_responsive else np.nan,
    }


def _medians(units: pd.DataFrame) -> dict[str, float]:
    ratio = units["f1_f0"].dropna()
    medians = {f"median_{name}": float(units[name].astype(np.float64).median()) for name in _MEDIANS}
    return medians | {"complex_share": float((ratio < 1).mean()) if len(ratio) else np.nan}


def _v1_row(reference: V1Reference) -> dict[str, object]:
    values = reference.values
    medians = {f"median_{name}": float(np.median(values[name])) for name in _MEDIANS if name in values}
    return (
        _place(("V1", V1_LAYER, -1), -1)
        | medians
        | {
            "n_units": reference.n_neurons,
            "n_responsive": reference.n_neurons,
            "complex_share": float((values["f1_f0"] < 1).mean()),
        }
    )


def _ceilings(reference: V1Reference, n_resamples: int, seed: int) -> Callable[[str, int], float]:
    """Return a function that says how similar V1 is to a resample of itself of `n` neurons, on average."""
    known: dict[tuple[str, int], float] = {}

    def ceiling(name: str, n: int) -> float:
        if (name, n) not in known:
            neurons = reference.values[name]
            itself = bin_for_ks(neurons, neurons)
            rng = np.random.default_rng([seed, n])
            drawn = resamples(len(neurons), n_resamples, rng, size=n)
            known[name, n] = float(1 - np.concatenate([itself.distances(draws) for draws in drawn]).mean())
        return known[name, n]

    return ceiling


def _similarity(
    units: pd.DataFrame,
    reference: V1Reference,
    ceiling: Callable[[str, int], float],
    n_resamples: int,
    rng: np.random.Generator,
) -> Similarity:
    sample = {name: units[name].to_numpy(np.float64) for name in COMPARED.values()}
    n_present = {name: int((~np.isnan(values)).sum()) for name, values in sample.items()}
    top = np.array([ceiling(name, n) if n >= FEWEST_UNITS else np.nan for name, n in n_present.items()])
    if np.isnan(top).all():
        return Similarity(np.full(len(top) + 1, np.nan), np.full((len(top) + 1, n_resamples), np.nan))
    binned = [bin_for_ks(values, reference.values[name]) for name, values in sample.items()]
    all_units: Draws = np.arange(len(units), dtype=np.int32)[None]
    distances = np.concatenate(
        [
            [one.distances(draws) for one in binned]
            for draws in chain([all_units], resamples(len(units), n_resamples, rng))
        ],
        axis=1,
    )
    likeness = (1 - distances) / top[:, None]
    likeness = np.vstack([likeness, likeness.mean(0)])
    return Similarity(likeness[:, 0], likeness[:, 1:])


def _columns(found: Similarity) -> dict[str, float]:
    columns = {}
    for name, value, resampled in zip((*COMPARED, "v1_similarity"), found.value, found.resampled, strict=True):
        columns[name] = float(value)
        columns[f"{name}_low"], columns[f"{name}_high"] = _interval(resampled)
    return columns


def _interval(resampled: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile interval over the resamples that hold an observation."""
    present = resampled[~np.isnan(resampled)]
    low, high = np.quantile(present, [0.025, 0.975]) if len(present) else (np.nan, np.nan)
    return float(low), float(high)


def _against_twin(
    summary: pd.DataFrame, likeness: dict[Key, Similarity], variances: dict[Key, np.ndarray]
) -> pd.DataFrame:
    for row, (network, layer, call) in enumerate(
        zip(summary["network"], summary["layer"], summary["call"], strict=True)
    ):
        mine, twin = (network, layer, call), ("untrained", layer, call)
        if network != "trained" or twin not in likeness:
            continue
        if min(len(variances[mine]), len(variances[twin])) >= FEWEST_UNITS:
            test = mannwhitneyu(variances[mine], variances[twin], alternative="two-sided", method="asymptotic")
            summary.loc[row, "p_vs_untrained"] = test.pvalue
        difference = likeness[mine].resampled[-1] - likeness[twin].resampled[-1]
        summary.loc[row, _MINUS] = likeness[mine].value[-1] - likeness[twin].value[-1]
        for end, value in zip(("_low", "_high"), _interval(difference), strict=True):
            summary.loc[row, _MINUS + end] = value
    summary["q_vs_untrained"] = benjamini_hochberg(summary["p_vs_untrained"])
    return summary
