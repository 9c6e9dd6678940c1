"""Layers beside regions: whether the layer that fits best lies deeper for IT than for early visual cortex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from probekit.analyses.ventral.columns import FITS
from probekit.analyses.ventral.depths import Depths, depths
from probekit.analyses.ventral.fits import fits
from probekit.analyses.ventral.planted import noise_regions, planted_regions
from probekit.analyses.ventral.systems import System
from probekit.analysis import Column
from probekit.brains import cichy2014
from probekit.rsa import RDMs, compare
from probekit.stats import benjamini_hochberg, sign_permutation

Floats = npt.NDArray[np.float64]
CLEAN, PUBLISHED = "clean", "as published"
PLANTED, NOISE = " (planted)", " (noise)"
SHALLOW, DEEP = "EVC", "IT"
PLANTED_DEPTHS = {SHALLOW + PLANTED: 0.2, DEEP + PLANTED: 0.8}
FITS_BY_VARIANT = (Column("variant", "str", '"as published" or "clean"'), *FITS)


@dataclass(frozen=True)
class SubjectTrend:
    """How a number of each subject differs from 0.

    Parameters
    ----------
    mean, low, high : float
        Mean over subjects and its 95 % interval (t).
    p : float
        Sign permutation over subjects, two-sided.
    """

    mean: float
    low: float
    high: float
    p: float


def regions(models: RDMs, *, synthetic: bool, seed: int) -> dict[str, RDMs]:
    """Return EVC and IT of 15 people; or, synthetic, regions that follow layers of a network, and noise."""
    if not synthetic:
        return {SHALLOW: cichy2014.evc(), DEEP: cichy2014.it()}
    noise = noise_regions(models.conditions, (SHALLOW + NOISE, DEEP + NOISE), seed=seed + 1)
    return planted_regions(models, PLANTED_DEPTHS, seed=seed) | noise


def suffixes(*, synthetic: bool) -> tuple[str, ...]:
    """Return what stands behind the names of regions."""
    return (PLANTED, NOISE) if synthetic else ("",)


def both_variants(
    clean: Sequence[System], published: Sequence[System], brains: Mapping[str, RDMs], seed: int
) -> pd.DataFrame:
    """Return the fits of all layers, columns as `FITS_BY_VARIANT`.

    "clean" generalises over stimuli and subjects; "as published" over subjects, with p from sign permutation.
    """
    careful = fits(clean, brains)
    theirs = fits(published, brains, resample="subjects")
    scores = [np.concatenate([compare(one.rdms, subjects) for one in published]) for subjects in brains.values()]
    theirs["p"] = np.concatenate([_p(one.T, seed) for one in scores])
    theirs["q"] = theirs.groupby(["model", "network", "seed", "region"])["p"].transform(benjamini_hochberg)
    both = pd.concat([careful.assign(variant=CLEAN), theirs.assign(variant=PUBLISHED)], ignore_index=True)
    return both[[column.name for column in FITS_BY_VARIANT]]


def clean_depths(system: System, brains: Mapping[str, RDMs], suffix: str, *, n_resamples: int, seed: int) -> Depths:
    """Return where the best layers lie, over a bootstrap of stimuli and subjects: the same draws for every system."""
    return depths(system.rdms, brains, shallow=SHALLOW + suffix, deep=DEEP + suffix, n_resamples=n_resamples, seed=seed)


def subject_trends(system: System, brains: Mapping[str, RDMs], suffix: str) -> Floats:
    """Return for each subject the rank correlation of depth with how much better a layer fits IT than EVC.

    0 where all differences are the same; layers of which nothing is known are left out.
    """
    differences = (compare(system.rdms, brains[DEEP + suffix]) - compare(system.rdms, brains[SHALLOW + suffix])).T
    return rank_correlations(system.rdms.table["depth"].to_numpy(float), differences)


def rank_correlations(order: npt.ArrayLike, rows: npt.ArrayLike) -> Floats:
    """Return Spearman's correlation of each row with `order`; 0 for a row that has no order, nan under two places.

    Parameters
    ----------
    order : array, shape (place,)
    rows : array, shape (row, place)
        Places at which a row is nan are left out of all.
    """
    given, along = np.asarray(rows, dtype=np.float64), np.asarray(order, dtype=np.float64)
    kept = ~np.isnan(given).any(axis=0)
    if kept.sum() < 2:
        return np.full(len(given), np.nan)
    ranks = stats.rankdata(given[:, kept], axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    along = stats.rankdata(along[kept])
    along -= along.mean()
    norm = np.linalg.norm(ranks, axis=1) * np.linalg.norm(along)
    found: Floats = np.divide(ranks @ along, norm, out=np.zeros(len(given)), where=norm > 0)
    return found


def subject_test(values: Floats, seed: int) -> SubjectTrend:
    """Return the mean over subjects, its interval, and whether it differs from 0."""
    mean, n = float(values.mean()), len(values)
    half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    p = sign_permutation(values[:, None], seed=seed, tail="two-sided")
    return SubjectTrend(mean, mean - half, mean + half, float(p[0]))


def _p(scores: Floats, seed: int) -> Floats:
    """Return p for scores (subject, layer); nan for a layer of which nothing is known."""
    known = ~np.isnan(scores).any(axis=0)
    p = np.full(scores.shape[1], np.nan)
    p[known] = sign_permutation(scores[:, known], seed=seed)
    return p
