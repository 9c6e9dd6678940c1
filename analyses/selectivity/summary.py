"""From units to layers: how many are selective, how many are by chance, and how many stay so on other stimuli."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import fisher_exact

from probekit.analyses.selectivity.rule import REPLICATED_D_PRIME, SELECTIVE_D_PRIME
from probekit.arguments import Floats
from probekit.stats import benjamini_hochberg

INDEX = 1 / 3
_FEWEST = 3


def summary_row(
    units: pd.DataFrame, chosen: npt.NDArray[np.bool_], by_chance: npt.NDArray[np.int_]
) -> dict[str, object]:
    """Return the row of a layer and contrast.

    Parameters
    ----------
    units : pandas.DataFrame
        Its rows of the table.
    chosen : array of bool, shape (unit,)
        Units that the first half of the stimuli chooses.
    by_chance : array, shape (shuffle,)
        Selective units with shuffled labels.
    """
    size, first, second, index = (
        units[name].to_numpy(dtype=np.float64)
        for name in ("d_prime", "d_prime_selected", "d_prime_replicated", "selectivity_index")
    )
    n_selective, n_chosen = int(units["selective"].sum()), int(chosen.sum())
    n_replicated = int((chosen & (second >= REPLICATED_D_PRIME)).sum())
    known = index[np.isfinite(index)]
    return {
        "contrast": str(units["contrast"].iloc[0]) if len(units) else "",
        "n_units": len(units),
        "n_measured": int(np.isfinite(size).sum()),
        "n_selective": n_selective,
        "selective_share": n_selective / len(units) if len(units) else np.nan,
        "selective_by_chance": float(by_chance.mean()),
        "selective_by_chance_95": float(np.quantile(by_chance, 0.95)),
        "p_selective": float((1 + (by_chance >= n_selective).sum()) / (1 + len(by_chance))),
        "n_d_prime_1": int((size >= SELECTIVE_D_PRIME).sum()),
        "n_chosen": n_chosen,
        "n_replicated": n_replicated,
        "replicated_share": n_replicated / n_chosen if n_chosen else np.nan,
        "median_d_prime_chosen": _median(first[chosen]),
        "median_d_prime_other_half": _median(second[chosen]),
        "split_half_r": _correlation(first, second),
        "max_d_prime": float(np.nanmax(size)) if np.isfinite(size).any() else np.nan,
        "median_d_prime": _median(size),
        "index_share": float((known >= INDEX).mean()) if len(known) else np.nan,
    }


def against_twin(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the summary with the tests of the trained network's counts against the untrained twin's."""
    keys = ["layer", "contrast"]
    twin = summary[summary["network"] == "untrained"].set_index(keys)[["n_selective", "n_units"]]
    theirs = summary[keys].merge(twin, left_on=keys, right_index=True, how="left")
    p = np.full(len(summary), np.nan)
    for row in np.flatnonzero((summary["network"] == "trained") & theirs["n_units"].notna().to_numpy()):
        counted = [
            (int(of["n_selective"].iloc[row]), int(of["n_units"].iloc[row] - of["n_selective"].iloc[row]))
            for of in (summary, theirs)
        ]
        p[row] = float(fisher_exact(counted, alternative="greater").pvalue)
    return summary.assign(p_vs_untrained=p, q_vs_untrained=benjamini_hochberg(p))


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _correlation(one: Floats, other: Floats) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < _FEWEST or not one[both].std() or not other[both].std():
        return np.nan
    return float(np.corrcoef(one[both], other[both])[0, 1])
