"""What each way of scoring finds in probes that are noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from probekit.analyses.studies.kuzovkin2018.probes import noise_probes
from probekit.analyses.studies.kuzovkin2018.scoring import PROCEDURES, PUBLISHED_ALPHA, score
from probekit.rsa import RDMs

N_PROBES = 100
NUMBERS = ("mean_r", "formula", "formula_low", "formula_high", "permutation", "counted", "counted_low", "counted_high")


def false_positives(layers: RDMs, *, n_permutations: int, seed: int) -> xr.DataArray:
    """Return what `PROCEDURES` find in `N_PROBES` noise probes.

    Parameters
    ----------
    layers : RDMs
        Of a network; those of which nothing is known are left out.
    n_permutations, seed : int

    Returns
    -------
    xarray.DataArray, dims (procedure, number)
        "mean_r"; "formula": share of probes and layers with r above 0 and p by the formula at most `PUBLISHED_ALPHA`,
        with its 95 % interval over probes; "permutation": share with p by permutation at most 0.05; "counted": share
        that counts in the end, with its interval.
    """
    alive = layers.rows(np.flatnonzero(~np.isnan(layers.dissimilarities).any(axis=1)))
    probes = noise_probes(layers.conditions, N_PROBES, seed=seed)
    found = []
    for procedure in PROCEDURES:
        scores = score(alive, probes, procedure, n_permutations=n_permutations, seed=seed)
        formula = (scores.r > 0) & (scores.formula_p <= PUBLISHED_ALPHA)
        by_permutation = float((scores.permutation_p <= 0.05).mean())
        counted = scores.significant(procedure)
        found.append((float(scores.r.mean()), *_share(formula), by_permutation, *_share(counted)))
    names = [one.name for one in PROCEDURES]
    return xr.DataArray(found, dims=("procedure", "number"), coords={"procedure": names, "number": list(NUMBERS)})


def r_of_diagonal(n: int) -> float:
    """Return Spearman's correlation that two unrelated square matrices owe to their common diagonal of zeros alone.

    Parameters
    ----------
    n : int
        Conditions; ties off the diagonal are left out of account.
    """
    entries, others = n * n, n * n - n
    ties = n**3 - n
    return 3 * n * others * entries / (entries**3 - entries - ties)


def _share(found: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    of_probe = found.mean(axis=1)
    share, half = float(of_probe.mean()), 1.96 * float(of_probe.std(ddof=1)) / np.sqrt(len(of_probe))
    return share, max(share - half, 0.0), share + half
