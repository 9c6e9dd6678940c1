"""Whether what units are ranked by goes with what they do: lesions of single units, and of pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from probekit.arguments import Floats
from probekit.stats.matching import Sets
from probekit.stats.permutation import two_sided_p

_SHUFFLES = 2000


@dataclass(frozen=True)
class RankCausality:
    """Rank correlation of the damage that single units do with what they are ranked by.

    Parameters
    ----------
    rho, p : float
        Spearman's, and its two-sided permutation p; nan where either is constant.
    partial_rho, partial_p : float
        The same with the ranks of the covariates regressed out of both.
    """

    rho: float
    p: float
    partial_rho: float
    partial_p: float


def rank_causality(harm: Floats, values: Floats, covariates: Floats, rng: np.random.Generator) -> RankCausality:
    """Return whether single units that rank higher do more.

    Parameters
    ----------
    harm : array, shape (unit,)
        How much worse the network is without the unit.
    values : array, shape (unit,)
        What units are ranked by.
    covariates : array, shape (unit, variable)
    rng : numpy.random.Generator
        Of the permutations.

    References
    ----------
    DiCiccio & Romano 2017, Robust permutation tests for correlation and regression coefficients,
    J Am Stat Assoc 112:1211, doi:10.1080/01621459.2016.1202117: the correlation over its standard error is permuted
    """
    plain = _correlation(rankdata(harm), rankdata(values), rng)
    if not covariates.shape[1]:
        return RankCausality(*plain, *plain)
    ranks = np.column_stack([np.ones(len(harm)), rankdata(covariates, axis=0)])

    def rest(of: Floats) -> Floats:
        ranked = rankdata(of)
        return np.asarray(ranked - ranks @ np.linalg.lstsq(ranks, ranked, rcond=None)[0])

    return RankCausality(*plain, *_correlation(rest(harm), rest(values), rng))


@dataclass(frozen=True)
class Redundancy:
    """What pairs of units do, against what their members do alone.

    Parameters
    ----------
    pairs, singles : float
        Mean damage of a pair, and of the two alone added up, in the unit of the task.
    excess, low, high : float
        Their difference and its 95 % bootstrap interval over pairs: above 0, units stand in for each other.
    """

    pairs: float
    singles: float
    excess: float
    low: float
    high: float


def drawn_pairs(units: Sets, n_pairs: int, rng: np.random.Generator) -> Sets:
    """Return pairs of different units, shape (pair, 2), none twice while there are enough."""
    first, second = np.triu_indices(len(units), 1)
    chosen = rng.permutation(len(first))[:n_pairs]
    return np.asarray(np.column_stack([units[first[chosen]], units[second[chosen]]]))


def redundancy(pair_harm: Floats, pairs: Sets, single_harm: Floats, rng: np.random.Generator) -> Redundancy:
    """Return what pairs do against their members; `pairs` index `single_harm`, shape (unit,)."""
    alone = single_harm[pairs].sum(1)
    excess = pair_harm - alone
    drawn = excess[rng.integers(len(excess), size=(_SHUFFLES, len(excess)))].mean(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Redundancy(float(pair_harm.mean()), float(alone.mean()), float(excess.mean()), float(low), float(high))


def _correlation(first: Floats, second: Floats, rng: np.random.Generator) -> tuple[float, float]:
    one, two = first - first.mean(), second - second.mean()
    size = np.sqrt((one**2).sum() * (two**2).sum())
    if not size > 1e-12 * len(one):
        return np.nan, np.nan
    shuffled = rng.permuted(np.broadcast_to(two, (_SHUFFLES, len(two))), axis=1)
    drawn = _studentized(one, np.concatenate([two[None], shuffled]))
    return float(one @ two / size), two_sided_p(float(drawn[0]), drawn[1:], within=1e-9)


def _studentized(one: Floats, many: Floats) -> Floats:
    """Return covariances over their standard errors: residuals that are both large at the same units pass as chance."""
    return np.asarray(many @ one / np.sqrt(np.maximum(many**2 @ one**2, 1e-300)))
