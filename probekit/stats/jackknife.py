"""The jackknife: how much an estimate moves when one subject is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats, whole
from probekit.errors import UsageError
from probekit.stats.fdr import Floats


@dataclass(frozen=True, eq=False)
class Jackknife:
    """An estimate from all subjects, and those that each leave one out.

    Parameters
    ----------
    estimate : array, shape (...)
        From all subjects.
    left_out : array, shape (subject, ...)
        Without one subject each.
    """

    estimate: Floats
    left_out: Floats

    @property
    def se(self) -> Floats:
        """Standard error: √((n − 1)/n · Σ(estimate without one − their mean)²), of the shape of the estimate.

        nan where an estimate is nan with or without a subject.
        """
        n = len(self.left_out)
        deviations = self.left_out - self.left_out.mean(axis=0)
        return np.asarray(np.sqrt((n - 1) / n * (deviations**2).sum(axis=0)))

    def t(self, null: float = 0.0) -> Floats:
        """Return (estimate − null)/se, with n − 1 degrees of freedom; nan where nothing moves.

        This is Miller's t already. Only a t or F that a program took from the estimates without one subject, as if
        those were the subjects' own, needs `corrected_t` or `corrected_f`.
        """
        se = self.se
        t: Floats = np.divide(self.estimate - null, se, out=np.full(se.shape, np.nan), where=se > 0)
        return t


def jackknife(statistic: Callable[[Floats], npt.ArrayLike], values: npt.ArrayLike) -> Jackknife:
    """Return a statistic of all subjects, and without each of them.

    Parameters
    ----------
    statistic : callable
        From values of shape (subject, ...) to numbers of one shape; called once more than there are subjects.
    values : array, shape (subject, ...)

    Returns
    -------
    Jackknife

    Raises
    ------
    UsageError
        If there are fewer than two subjects, or infinite values.

    References
    ----------
    Efron & Stein 1981, Ann Stat 9:586, doi:10.1214/aos/1176345462

    Examples
    --------
    >>> jackknife(lambda values: values.mean(axis=0), [1, 2, 3, 4]).se.round(4)
    np.float64(0.6455)
    """
    given = _checked(values)
    left_out = [statistic(np.delete(given, subject, axis=0)) for subject in range(len(given))]
    return Jackknife(np.asarray(statistic(given), dtype=np.float64), np.asarray(left_out, dtype=np.float64))


def jackknife_of_mean(statistic: Callable[[Floats], npt.ArrayLike], curves: npt.ArrayLike) -> Jackknife:
    """Return a statistic, such as the latency, of the mean curve over all subjects, and over all but each of them.

    The latency of a mean curve is far less noisy than the mean of single subjects' latencies.

    Parameters
    ----------
    statistic : callable
        From mean curves of shape (..., *what a subject has*) to numbers of shape (..., *any*); called once for all
        subjects together, as ``lambda mean: onset_latency(mean, times)``.
    curves : array, shape (subject, ...)
        Such as (subject, time), or (subject, condition, time) for the difference of two latencies.

    Returns
    -------
    Jackknife

    Raises
    ------
    UsageError
        If there are fewer than two subjects, infinite values, or the statistic does not keep the first axis.

    References
    ----------
    Miller, Patterson & Ulrich 1998, Psychophysiology 35:99, doi:10.1111/1469-8986.3510099
    """
    given = _checked(curves)
    n, mean = len(given), given.mean(axis=0)
    means = np.concatenate([mean[None], mean + (mean - given) / (n - 1)])
    found = np.asarray(statistic(means), dtype=np.float64)
    if found.shape[:1] != (n + 1,):
        raise UsageError(f"statistic made shape {found.shape} of {means.shape}; expected it to keep the first axis.")
    return Jackknife(found[0], found[1:])


def corrected_t(t: npt.ArrayLike, n_subjects: int) -> Floats:
    """Return the t of a test on the estimates that leave one subject out each, corrected: t/(n − 1).

    References
    ----------
    Miller, Patterson & Ulrich 1998, Psychophysiology 35:99, doi:10.1111/1469-8986.3510099

    Examples
    --------
    >>> float(corrected_t(22.0, 12))
    2.0
    """
    return floats("t", t) / (whole("n_subjects", n_subjects, 2) - 1)


def corrected_f(f: npt.ArrayLike, n_subjects: int) -> Floats:
    """Return the F of an analysis of variance of estimates that leave one subject out each, corrected: F/(n − 1)².

    With several groups, `n_subjects` is the number in each group, the same in all.

    References
    ----------
    Ulrich & Miller 2001, Psychophysiology 38:816, doi:10.1111/1469-8986.3850816

    Examples
    --------
    >>> float(corrected_f(484.0, 12))
    4.0
    """
    return floats("f", f) / (whole("n_subjects", n_subjects, 2) - 1) ** 2


def _checked(values: npt.ArrayLike) -> Floats:
    given = floats("values", values)
    if given.ndim < 1 or len(given) < 2:
        raise UsageError(f"values have shape {given.shape}; expected (subject, ...) of two subjects or more.")
    if np.isinf(given).any():
        raise UsageError("values hold infinite numbers; expected finite ones, or nan where one is missing.")
    return given
