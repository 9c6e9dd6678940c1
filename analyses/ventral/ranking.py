"""Networks in the order in which they fit a region; those that cannot be told apart share a rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from probekit.analyses.ventral.systems import System
from probekit.rsa import RDMs, compare
from probekit.rsa.compare import Measure
from probekit.stats import benjamini_hochberg, sign_permutation

ALPHA = 0.05


def ranking(
    systems: Sequence[System], regions: Mapping[str, RDMs], *, measure: Measure = "spearman", seed: int = 0
) -> pd.DataFrame:
    """Return how systems rank in each region, by the layer that fits the other subjects best.

    A subject's score of a system is that of the layer with the highest mean over all other subjects, so that a system
    with more layers has no better chance. Systems are compared by sign permutation over subjects.

    Parameters
    ----------
    systems : sequence of System
    regions : mapping of str to RDMs
        One RDM a subject; regions of fewer than 6 subjects, with which no test can be significant, are left out.
    measure : str
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row a region and system, best first: `region, model, network, seed, score, rank`; `rank` is 1 and
        one more for each system that is significantly better (false discovery rate 0.05 over the pairs of a region).
    """
    tables = []
    for region, subjects in regions.items():
        if len(subjects) < 6:
            continue
        held_out = np.stack([_held_out(compare(one.rdms, subjects, measure=measure)) for one in systems])
        better = _significantly_better(held_out, seed)
        table = pd.DataFrame(
            {
                "region": region,
                "model": [one.model for one in systems],
                "network": [one.network for one in systems],
                "seed": [one.seed for one in systems],
                "score": held_out.mean(axis=1),
                "rank": 1 + better.sum(axis=0),
            }
        )
        tables.append(table.sort_values(["rank", "score"], ascending=[True, False], ignore_index=True))
    columns = ["region", "model", "network", "seed", "score", "rank"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def ranking_array(systems: Sequence[System], regions: Mapping[str, RDMs], *, seed: int = 0) -> xr.DataArray:
    """Return `ranking` as a study keeps it: dims (place, number), score and rank; who and where as coordinates."""
    ranked = ranking(systems, regions, seed=seed)
    words = ("region", "model", "network", "seed")
    coords = {name: ("place", ranked[name].astype(str).to_numpy(dtype=str)) for name in words}
    numbers = ["score", "rank"]
    return xr.DataArray(ranked[numbers].to_numpy(float), dims=("place", "number"), coords={**coords, "number": numbers})


def _held_out(scores: np.ndarray) -> np.ndarray:
    """Return each subject's score of the layer that fits the others best; scores are (layer, subject)."""
    others = scores.sum(axis=1, keepdims=True) - scores
    others[np.isnan(others).any(axis=1)] = -np.inf
    return np.asarray(scores[others.argmax(axis=0), np.arange(scores.shape[1])])


def _significantly_better(scores: np.ndarray, seed: int) -> np.ndarray:
    """Return which system (row) is significantly better than which (column)."""
    n = len(scores)
    first, second = np.triu_indices(n, 1)
    better = np.zeros((n, n), dtype=bool)
    if not len(first):
        return better
    differences = (scores[first] - scores[second]).T
    p = sign_permutation(differences, n_permutations=10_000, seed=seed, tail="two-sided")
    significant = benjamini_hochberg(p) < ALPHA
    above = differences.mean(axis=0) > 0
    better[first, second] = significant & above
    better[second, first] = significant & ~above
    return better
