"""Where in a network the layer is that fits a region best, and whether one region's lies deeper than another's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from probekit.errors import NotApplicableError
from probekit.rsa import RDMs, compare, resampled_scores
from probekit.rsa.compare import Measure


@dataclass(frozen=True, eq=False)
class Depths:
    """The best layer of two regions, and how sure the order is.

    Parameters
    ----------
    layers : tuple of str
        By depth.
    shallow, deep : str
        The regions: the one that is expected to fit early layers, and the one that is expected to fit late ones.
    best : dict of str to int
        Region → index of its best layer.
    difference : array, shape (resample,)
        Best layer of `deep` minus best layer of `shallow`, in layers.
    trend : array, shape (resample,)
        Rank correlation of depth with the difference of the two regions' scores; nan where all differences are equal.
    observed_trend : float
    """

    layers: tuple[str, ...]
    shallow: str
    deep: str
    best: dict[str, int]
    difference: np.ndarray
    trend: np.ndarray
    observed_trend: float

    @property
    def observed(self) -> int:
        """Best layer of `deep` minus best layer of `shallow`, in layers."""
        return self.best[self.deep] - self.best[self.shallow]

    def interval(self, values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval of one of the bootstrapped numbers."""
        tail = 100 * (1 - level) / 2
        low, high = np.nanpercentile(values, [tail, 100 - tail])
        return float(low), float(high)


def depths(
    models: RDMs,
    regions: Mapping[str, RDMs],
    *,
    shallow: str,
    deep: str,
    measure: Measure = "spearman",
    n_resamples: int = 1000,
    seed: int = 0,
) -> Depths:
    """Return where the best layers of two regions lie, over a bootstrap of stimuli and subjects.

    Parameters
    ----------
    models : RDMs
        Layers of one network by depth; table column `layer`.
    regions : mapping of str to RDMs
        One RDM a subject, the same stimuli.
    shallow, deep : str
        Names of two of the regions.
    measure : str
    n_resamples : int
    seed : int
        The same stimuli, and where the subjects are the same people the same subjects, are drawn for both regions.

    Raises
    ------
    NotApplicableError
        If fewer than two layers tell the stimuli apart.
    """
    both = {name: regions[name] for name in (shallow, deep)}
    observed = {name: compare(models, rdms, measure=measure).mean(axis=1) for name, rdms in both.items()}
    alive = sum(not np.isnan(scores).any() for scores in zip(*observed.values(), strict=True))
    if alive < 2:
        raise NotApplicableError(f"{alive} of {len(models)} layers tells the stimuli apart; a depth needs two or more.")
    drawn = resampled_scores(models, both, measure=measure, resample="both", n_resamples=n_resamples, seed=seed)
    best = {name: int(np.nanargmax(scores)) for name, scores in observed.items()}
    chosen = {name: _best(scores) for name, scores in drawn.items()}
    return Depths(
        tuple(map(str, models.table["layer"])),
        shallow,
        deep,
        best,
        chosen[deep] - chosen[shallow],
        _trend(drawn[deep] - drawn[shallow]),
        float(_trend((observed[deep] - observed[shallow])[None])[0]),
    )


def _best(scores: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(np.isnan(scores), -np.inf, scores).argmax(axis=1))


def _trend(differences: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of each row with its index, missing layers left out alike in all rows."""
    kept = ~np.isnan(differences).any(axis=0)
    ranks = stats.rankdata(differences[:, kept], axis=1)
    depth = stats.rankdata(np.flatnonzero(kept))
    ranks -= ranks.mean(axis=1, keepdims=True)
    depth = depth - depth.mean()
    norm = np.linalg.norm(ranks, axis=1) * np.linalg.norm(depth)
    return np.asarray(ranks @ depth / np.where(norm > 0, norm, np.nan))
