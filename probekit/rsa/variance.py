"""How much scores would vary with other subjects and other conditions, and the tests that follow.

A score is a mean over subjects and over pairs of conditions. It varies with the subjects, with the conditions, and with
what a pair has beyond its two conditions. A bootstrap over conditions counts that noise of pairs thrice, a jackknife
twice: tests against such a variance find next to nothing where single conditions have no effects of their own, as with
correlation distances. Here it is estimated, and counted once.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.sparse import csr_array

from probekit.rsa.compare import Measure, in_metric
from probekit.rsa.rdms import n_conditions_of

Floats = npt.NDArray[np.float64]
Resampling = Literal["both", "conditions", "subjects"]


def covariance_parts(scores: Floats, left_out: Floats, of_pairs: tuple[Floats, Floats]) -> Floats:
    """Return the covariances of scores that `variance` puts together.

    Parameters
    ----------
    scores : array, shape (model, subject)
    left_out : array, shape (condition, model, subject)
        Scores without one condition each.
    of_pairs : two arrays, shape (model, model)
        As `noise_of_pairs` returns.

    Returns
    -------
    array, shape (5, model, model)
        Of the mean over subjects: with subjects; with conditions (jackknife); with pairs. Then the part of the last two
        that is due to how subjects differ.
    """
    n_conditions, n_models, n_subjects = left_out.shape
    among = np.full((n_models, n_models), np.nan)
    if n_subjects > 1:
        among = np.cov(scores).reshape(n_models, n_models) / n_subjects
    moved = left_out - left_out.mean(axis=0)
    mean = moved.mean(axis=2)
    own = (moved - mean[:, :, None]).transpose(1, 0, 2).reshape(n_models, -1)
    share = (n_conditions - 1) / n_conditions
    own_share = share / max(1, n_subjects * (n_subjects - 1))
    return np.stack([among, share * mean.T @ mean, of_pairs[0], own_share * own @ own.T, of_pairs[1]])


def noise_of_pairs(models: Floats, subjects: Floats, measure: Measure) -> tuple[Floats, Floats]:
    """Return the covariance of mean scores due to pairs, beyond their conditions; and the part of how subjects differ.

    The influence of each pair on a score, less the effects that its two conditions have on all their pairs, is noise of
    pairs. 0 for "tau-a" and the whitened measures, which are no means over pairs: their variance over conditions is the
    jackknife's, and tests are conservative.

    Parameters
    ----------
    models, subjects : array, shape (rdm, pair)
        nan at the same pairs in all.
    measure : str
        As `compare` takes it.

    Returns
    -------
    two arrays, shape (model, model)
    """
    if measure not in ("spearman", "rho-a", "pearson", "cosine"):
        return (np.zeros((len(models), len(models))),) * 2
    known = ~np.isnan(subjects[0])
    level = 1 if measure == "rho-a" else np.nan  # a constant RDM has a rho-a of 0, and no correlation
    first, second = (_unit(in_metric(rows[:, known], measure), level) for rows in (models, subjects))
    n, n_pairs = n_conditions_of(len(known)), int(known.sum())
    ends = np.stack(np.triu_indices(n, 1), axis=1)[known]
    within = csr_array((np.ones(ends.size), (np.repeat(np.arange(n_pairs), 2), ends.ravel())), shape=(n_pairs, n))
    solve = np.linalg.pinv((within.T @ within).toarray(), hermitian=True)
    mean, products = np.zeros_like(first), np.zeros((len(models), len(models)))
    for row in second:
        influence = first * row - (first @ row)[:, None] / 2 * (first**2 + row**2)
        influence -= (within @ (solve @ (within.T @ influence.T))).T
        mean += influence / len(second)
        products += influence @ influence.T
    scale = n_pairs / (n_pairs - n)
    of_mean = scale * mean @ mean.T
    times = len(second)
    return of_mean, (scale * products - times * of_mean) / max(1, times * (times - 1))


def variance_and_df(parts: Floats, n_subjects: int, n_conditions: int, resample: Resampling) -> tuple[Floats, Floats]:
    """Return the variance of statistics and its degrees of freedom, given the parts of each.

    The jackknife has effects of conditions once and noise of pairs 2(n − 1)/(n − 2) times. So what varies with
    conditions is J − P·n/(n − 2), where J is the jackknife's part and P that of pairs; and at least P. For both, the
    part of subjects is added to this; how subjects differ in conditions and pairs is in that part, so that only what
    they share in J and P counts.

    Parameters
    ----------
    parts : array, shape (5, statistic)
        As `covariance_parts` orders them.
    n_subjects, n_conditions : int
    resample : str
        "subjects", "conditions" or "both": what would be others.

    Returns
    -------
    variance : array, shape (statistic,)
    df : array, shape (statistic,)
        One less than there are subjects or conditions; for both, between them, as the sum of two variances has
        (Satterthwaite). nan where nothing varies.

    References
    ----------
    Efron & Stein 1981, Ann Stat 9:586, doi:10.1214/aos/1176345462;
    Satterthwaite 1946, Biometrics Bull 2:110, doi:10.2307/3002019
    """
    subjects, jackknife, pairs, own_jackknife, own_pairs = parts
    excess = n_conditions / (n_conditions - 2)
    if resample == "subjects":
        of_subjects, of_conditions = subjects, np.zeros_like(subjects)
    elif resample == "conditions":
        of_subjects, of_conditions = np.zeros_like(pairs), np.maximum(jackknife - excess * pairs, pairs)
    else:
        shared, least = jackknife - own_jackknife, np.maximum(pairs - own_pairs, 0)
        of_subjects, of_conditions = subjects, np.maximum(shared - excess * (pairs - own_pairs), least)
    total = of_subjects + of_conditions
    known = np.where(total > 0, total, np.nan)
    squares = (of_subjects / known) ** 2 / max(1, n_subjects - 1) + (of_conditions / known) ** 2 / (n_conditions - 1)
    return np.asarray(total), np.asarray(1 / squares)


def dual_variance(resampled: tuple[Floats, Floats, Floats], n_subjects: int, n_conditions: int) -> Floats:
    """Return the variance that a dual bootstrap gives, with the correction for few subjects and conditions.

    Parameters
    ----------
    resampled : three arrays
        Variances over resamples of both, of subjects, of conditions (with the same draws).
    n_subjects, n_conditions : int

    References
    ----------
    Schütt et al. 2023, eLife 12:e82566, doi:10.7554/eLife.82566
    """
    of_both, of_subjects, of_conditions = resampled
    more_subjects, more_conditions = n_subjects / (n_subjects - 1), n_conditions / (n_conditions - 1)
    subjects, conditions = more_subjects * of_subjects, more_conditions * of_conditions
    interaction = more_subjects * more_conditions * (of_both - of_subjects - of_conditions)
    estimate = np.maximum(subjects + conditions - interaction, np.maximum(subjects, conditions))
    return np.asarray(np.minimum(estimate, of_both))


def t_test(estimate: Floats, variances: Floats, df: Floats, *, two_sided: bool) -> Floats:
    """Return the p value of estimates against 0; one-sided: that they are greater. nan where nothing varies."""
    t = estimate / np.sqrt(np.where(variances > 0, variances, np.nan))
    return np.asarray(2 * stats.t.sf(np.abs(t), df) if two_sided else stats.t.sf(t, df))


def t_interval(estimate: Floats, variances: Floats, df: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the ends of the confidence interval of estimates."""
    half = stats.t.ppf((1 + level) / 2, df) * np.sqrt(variances)
    return estimate - half, estimate + half


def _unit(rows: Floats, level: float) -> Floats:
    squares = (rows**2).sum(axis=1, keepdims=True)
    return np.asarray(rows / np.sqrt(np.where(squares > 0, squares, level)))
