"""A targeted lesion against its controls: effect, interval, p, and what could have been found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from probekit.arguments import Floats
from probekit.stats.permutation import two_sided_p

_POWER, _ALPHA = norm.ppf(0.8), norm.ppf(0.975)
ROUNDING = 1e-6
"""Of the largest score: differences that single precision makes, and no lesion."""


@dataclass(frozen=True)
class Comparison:
    """What became of one target; scores are in the unit of the task.

    Parameters
    ----------
    effect, low, high : float
        Targeted minus mean sham, and its 95 % bootstrap interval over trials and shams.
    effect_size : float
        Effect over the standard deviation of the shams; nan where these score alike.
    adjusted : float
        Targeted minus what controls with its covariates would have, by regression.
    p : float
        Two-sided, of the adjusted effect among those of sets drawn alike from all units.
    p_random : float
        Two-sided, of the targeted score among those of sets drawn at random from all units.
    detectable : float
        Effect that would be significant with a probability of .8, if it were that of the targeted units, each adding a
        part; infinite where the targeted are so many of those alike that none would be.
    """

    effect: float
    low: float
    high: float
    effect_size: float
    adjusted: float
    p: float
    p_random: float
    detectable: float


def compare_with_controls(
    targeted: Floats,
    sham: Floats | None,
    permuted: Floats,
    random: Floats,
    *,
    covariates: tuple[Floats, Floats, Floats],
    overlap: Floats,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> Comparison:
    r"""Return how a targeted lesion differs from its controls.

    Shams are drawn of what is left of the layer, so that under a random ranking the target differs from them by more
    than they do from each other, the more so the larger the dose (by :math:`\sqrt{N / (N - 2k)}` for k of N units whose
    effects add up). p therefore comes from sets of all units, targets included, which under a random ranking are as
    good as the target; within strata of the covariates, and adjusted by a regression of the scores on the sets' mean
    covariates, for what the strata leave.

    Parameters
    ----------
    targeted : array, shape (trial,)
    sham : array, shape (set, trial), or None
        None where there is no honest sham.
    permuted, random : array, shape (set, trial)
    covariates : (array, array, array), shapes (variable,), (set, variable), (set, variable)
        Mean covariates of the target, the permuted and the random sets.
    overlap : array, shape (set,)
        Share of the target's units that are in each permuted set.
    rng : numpy.random.Generator
    n_resamples : int
    """
    score, at_random = float(targeted.mean()), random.mean(1)
    adjusted, null, rounding = adjusted_effect(score, permuted.mean(1), at_random, covariates)
    effect = low = high = size = np.nan
    if sham is not None:
        means = sham.mean(1)
        effect = score - float(means.mean())
        size = effect / float(means.std(ddof=1)) if np.ptp(means) > rounding else np.nan
        low, high = _interval(targeted, sham, rng, n_resamples)
    return Comparison(
        effect,
        low,
        high,
        size,
        adjusted,
        two_sided_p(adjusted, null, within=rounding),
        two_sided_p(score, at_random, within=rounding),
        _detectable(float(null.std(ddof=1)), overlap),
    )


def adjusted_effect(
    score: float, permuted: Floats, random: Floats, covariates: tuple[Floats, Floats, Floats]
) -> tuple[float, Floats, float]:
    """Return the target's effect and those of permuted sets, both less what their covariates predict, and rounding.

    Parameters
    ----------
    score : float
        Of the target.
    permuted, random : array, shape (set,)
    covariates : (array, array, array), shapes (variable,), (set, variable), (set, variable)
        Mean covariates of the target, the permuted and the random sets.
    """
    predict = _prediction(np.concatenate([covariates[1], covariates[2]]), np.concatenate([permuted, random]))
    rounding = ROUNDING * max(abs(score), float(np.abs(permuted).max()), float(np.abs(random).max()))
    return score - float(predict(covariates[0][None])[0]), permuted - predict(covariates[1]), rounding


def _detectable(deviation: float, overlap: Floats) -> float:
    """Return the effect d that exceeds a null, which it widens itself, by as much as a power of .8 needs.

    Sets that hold a share o of the target have o d of it, so that d (1 - mean o) has to be
    1.96 (deviation² + d² var o)^½ + .84 deviation.
    """
    beyond, widening = 1 - float(overlap.mean()), float(overlap.var(ddof=1)) * _ALPHA**2
    a, b, c = beyond**2 - widening, beyond * _POWER * deviation, (_POWER**2 - _ALPHA**2) * deviation**2
    return float((b + np.sqrt(b**2 - a * c)) / a) if a > 0 else np.inf


def _prediction(covariates: Floats, scores: Floats) -> Callable[[Floats], Floats]:
    design = np.column_stack([np.ones(len(covariates)), covariates])
    weights = np.linalg.lstsq(design, scores, rcond=None)[0]

    def predict(of: Floats) -> Floats:
        return np.asarray(weights[0] + of @ weights[1:])

    return predict


def _interval(targeted: Floats, sham: Floats, rng: np.random.Generator, n: int) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of the effect over resampled trials and shams.

    The same trials are drawn for the target and all shams, as all went through the same ones.
    """
    n_sets, n_trials = sham.shape
    trials = rng.multinomial(n_trials, np.full(n_trials, 1 / n_trials), size=n) / n_trials
    sets = rng.multinomial(n_sets, np.full(n_sets, 1 / n_sets), size=n) / n_sets
    effects = trials @ targeted - ((trials @ sham.T) * sets).sum(1)
    low, high = np.percentile(effects, [2.5, 97.5])
    return float(low), float(high)
