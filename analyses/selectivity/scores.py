"""d′, Welch's t and the selectivity index, of all units at once, from sums over groups of stimuli."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from probekit.arguments import Floats

_LEVEL = 1e-12
"""Variance as a share of the unit's mean square over all stimuli, below which it is rounding."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Responses and their squares, summed over groups of stimuli.

    Parameters
    ----------
    n : array, shape (..., 1)
        Stimuli in each group.
    total, squares : array, shape (..., unit)
        Of responses less the unit's mean over all stimuli.
    middle, level : array, shape (unit,)
        That mean, and the variance below which there is nothing but rounding.
    """

    n: Floats
    total: Floats
    squares: Floats
    middle: Floats
    level: Floats

    def __add__(self, other: Sums) -> Sums:
        """Return the sums over both groups, of the same units."""
        return Sums(self.n + other.n, self.total + other.total, self.squares + other.squares, self.middle, self.level)

    def __getitem__(self, which: Any) -> Sums:
        """Return some of the groups, chosen along the first axes."""
        return Sums(self.n[which], self.total[which], self.squares[which], self.middle, self.level)

    @cached_property
    def mean(self) -> Floats:
        """Mean response, shape (..., unit); nan of an empty group."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.total / np.where(self.n > 0, self.n, np.nan) + self.middle)

    @cached_property
    def variance(self) -> Floats:
        """Variance over stimuli (n − 1), shape (..., unit); nan of fewer than two, 0 of rounding."""
        n = np.where(self.n > 1, self.n, np.nan)
        found = (self.squares - self.total**2 / n) / (n - 1)
        return np.where(found <= self.level, np.where(np.isnan(found), np.nan, 0.0), found)


@dataclass(frozen=True, eq=False)
class Responses:
    """Responses of some units, ready to be summed.

    Parameters
    ----------
    centred : array, shape (stimulus, unit)
        Less each unit's mean.
    middle, level : array, shape (unit,)
        As of `Sums`.
    """

    centred: Floats
    middle: Floats
    level: Floats

    @classmethod
    def of(cls, responses: npt.ArrayLike) -> Responses:
        """Return responses, shape (stimulus, unit), ready to be summed; units that are not finite become nan."""
        values = np.asarray(responses, dtype=np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            values = np.where(np.isfinite(values).all(axis=0), values, np.nan)
            middle = values.mean(axis=0)
            return cls(values - middle, middle, _LEVEL * (values**2).mean(axis=0))

    @cached_property
    def squares(self) -> Floats:
        """Squares of the centred responses, shape (stimulus, unit)."""
        return self.centred**2

    def sums(self, groups: npt.NDArray[np.bool_]) -> Sums:
        """Return the sums over groups of stimuli, given as shape (..., stimulus)."""
        flat = groups.reshape(-1, groups.shape[-1]).astype(np.float64)
        shape = (*groups.shape[:-1], self.centred.shape[1])
        total, squares = ((flat @ one).reshape(shape) for one in (self.centred, self.squares))
        return Sums(groups.sum(axis=-1)[..., None].astype(np.float64), total, squares, self.middle, self.level)

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Which units never vary."""
        return np.asarray(self.squares.mean(axis=0) <= self.level)


def d_prime(one: Sums, other: Sums) -> Floats:
    r"""Return :math:`d' = (m_1 - m_2) / \sqrt{(v_1 + v_2) / 2}`, shape (..., unit).

    Unbounded; 0 where both respond alike, 1 where the means are a standard deviation apart. nan where neither varies,
    or one has fewer than two stimuli.

    References
    ----------
    Green & Swets 1966, Signal Detection Theory and Psychophysics, Wiley
    """
    spread = np.sqrt((one.variance + other.variance) / 2)
    return _divided(one.mean - other.mean, spread)


def welch(one: Sums, other: Sums) -> tuple[Floats, Floats]:
    """Return Welch's t and its one-sided p, by which the first group responds more; both of shape (..., unit).

    nan where neither varies, or one has fewer than two stimuli.

    References
    ----------
    Welch 1947, The generalization of 'Student's' problem when several different population variances are involved,
    Biometrika 34:28, doi:10.1093/biomet/34.1-2.28
    """
    of_one, of_other = one.variance / one.n, other.variance / other.n
    error = of_one + of_other
    t = _divided(one.mean - other.mean, np.sqrt(error))
    freedom = _divided(error**2, of_one**2 / (one.n - 1) + of_other**2 / (other.n - 1))
    return t, np.asarray(stdtr(freedom, -t))


def selectivity_index(one: Sums, other: Sums) -> Floats:
    """Return (a − b) / (a + b) of the mean responses, shape (..., unit).

    −1: only to the second, 0: to both alike, 1: only to the first; 1/3 is twice the response. nan where both are 0.
    Where activity can be negative it means nothing; the caller knows.
    """
    return _divided(one.mean - other.mean, one.mean + other.mean)


def _divided(above: Floats, below: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)
