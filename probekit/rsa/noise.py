"""Covariance of noise over units, shrunk so that it can be inverted, without ever making a unit × unit matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats
from probekit.errors import UsageError, check_option

Floats = npt.NDArray[np.float64]

TARGETS = ("diagonal", "identity")


@dataclass(frozen=True, eq=False)
class NoiseCovariance:
    """A covariance over units, as ``S (f I + B diag(v) Bᵀ) S`` with ``S`` diagonal and few orthonormal columns ``B``.

    Parameters
    ----------
    scale : array, shape (unit,)
        Diagonal of S: standard deviations for the diagonal target, else 1.
    floor : float
        f, above 0.
    basis : array, shape (unit, rank)
        B.
    variances : array, shape (rank,)
        v, above −f.
    shrinkage : float
        Weight of the target, 0 … 1.
    """

    scale: Floats
    floor: float
    basis: Floats
    variances: Floats
    shrinkage: float

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.scale)

    def whiten(self, patterns: npt.ArrayLike) -> Floats:
        """Return patterns (…, unit) whose inner products are those under the inverse of the covariance."""
        return self._powered(self._checked(patterns) / self.scale, -0.5)

    def inverse_product(self, patterns: npt.ArrayLike) -> Floats:
        """Return patterns (…, unit) times the inverse of the covariance."""
        return self._powered(self._checked(patterns) / self.scale, -1.0) / self.scale

    def matrix(self) -> Floats:
        """Return the covariance itself, shape (unit, unit): for few units."""
        inner = (self.basis * self.variances) @ self.basis.T + self.floor * np.eye(self.n_units)
        return np.asarray(inner * self.scale * self.scale[:, None])

    def _powered(self, scaled: Floats, power: float) -> Floats:
        least = self.floor**power
        along = (scaled @ self.basis) * ((self.floor + self.variances) ** power - least)
        return np.asarray(scaled * least + along @ self.basis.T)

    def _checked(self, patterns: npt.ArrayLike) -> Floats:
        given = np.asarray(patterns, dtype=np.float64)
        if given.ndim == 0 or given.shape[-1] != self.n_units:
            raise UsageError(f"patterns have shape {given.shape}; the covariance is of {self.n_units} units.")
        return given


def shrunk_covariance(
    residuals: npt.ArrayLike,
    *,
    target: str = "diagonal",
    shrinkage: float | None = None,
    degrees_of_freedom: int | None = None,
) -> NoiseCovariance:
    """Return the covariance of residuals over units, shrunk towards a simpler one.

    Parameters
    ----------
    residuals : array, shape (observation, unit)
        What a model of the responses leaves, such as responses minus the mean of their condition. The mean over all
        observations is taken off once more.
    target : str
        "diagonal": the units' own variances (Schäfer & Strimmer 2005); "identity": the mean variance times the
        identity (Ledoit & Wolf 2004).
    shrinkage : float, optional
        Weight of the target, 0 … 1. Default: the estimate of least expected squared error of that paper.
    degrees_of_freedom : int, optional
        Observations minus the number of means that were taken off. Default: observations − 1.

    Raises
    ------
    UsageError
        If there are fewer than two observations, nan or infinity, a unit without variance (diagonal target), or the
        shrinkage leaves a matrix that has no inverse.

    References
    ----------
    Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4; Schäfer & Strimmer 2005, doi:10.2202/1544-6115.1175.

    Notes
    -----
    The variance of a correlation is Schäfer & Strimmer's, with products about their mean over n observations;
    rsatoolbox takes their sum over n − 1, so that its shrinkage is lower by a share of order 1/n.
    """
    check_option("target", target, TARGETS)
    given = floats("residuals", residuals)
    if given.ndim != 2 or len(given) < 2 or given.shape[1] < 1 or not np.isfinite(given).all():
        raise UsageError(
            f"residuals have shape {given.shape}; expected (observation, unit), finite, of two observations or more."
        )
    if shrinkage is not None and not 0 <= shrinkage <= 1:
        raise UsageError(f"shrinkage is {shrinkage}; expected 0 … 1.")
    freedom = len(given) - 1 if degrees_of_freedom is None else degrees_of_freedom
    if not 0 < freedom < len(given):
        raise UsageError(f"degrees_of_freedom is {freedom}; expected 1 … {len(given) - 1}.")
    centred = given - given.mean(0)
    scale = np.ones(given.shape[1])
    if target == "diagonal":
        scale = np.sqrt(np.einsum("ou,ou->u", centred, centred) / freedom)
        _refuse_silent(scale, np.abs(given).max(0))
    centred /= scale
    level = float(np.einsum("ou,ou->", centred, centred)) / freedom / len(scale)
    products = centred @ centred.T
    if shrinkage is None:
        estimate = _correlation_shrinkage if target == "diagonal" else _identity_shrinkage
        shrinkage = estimate(centred, products)
    variances, basis = _principal_axes(centred, products)
    return _invertible(scale, shrinkage * level, basis, (1 - shrinkage) * variances / freedom, shrinkage)


def known_covariance(matrix: npt.ArrayLike) -> NoiseCovariance:
    """Return a covariance that is known, shape (unit, unit), in the form that whitens.

    Raises
    ------
    UsageError
        If it is not square, symmetric and positive definite.
    """
    given = floats("covariance", matrix)
    square = given.ndim == 2 and given.shape[0] == given.shape[1] > 0 and np.isfinite(given).all()
    if not square or not np.allclose(given, given.T, rtol=1e-9, atol=1e-12 * np.abs(given).max()):
        raise UsageError(f"covariance has shape {given.shape}; expected a symmetric matrix (unit, unit), finite.")
    variances, basis = np.linalg.eigh(given)
    if variances[0] <= len(given) * np.finfo(np.float64).eps * variances[-1]:
        raise UsageError(
            f"covariance is not positive definite (least eigenvalue {variances[0]:.3g}); see shrunk_covariance()."
        )
    return NoiseCovariance(np.ones(len(given)), float(variances[-1]), basis, variances - variances[-1], 0.0)


def _refuse_silent(deviation: Floats, size: Floats) -> None:
    silent = np.flatnonzero(deviation <= 32 * np.finfo(np.float64).eps * size)
    if len(silent):
        raise UsageError(
            f"residuals do not vary in {len(silent)} of {len(deviation)} units (the first is {silent[0]}); "
            'leave these out, or shrink to target="identity".'
        )


def _correlation_shrinkage(scaled: Floats, products: Floats) -> float:
    """Return the sum of the correlations' variances over the sum of their squares, off the diagonal."""
    n, n_units = scaled.shape
    freedom = n - 1
    own = np.einsum("ou,ou->u", scaled, scaled)
    squares = float(np.sum(products**2) - np.sum(own**2))
    fourth = float(np.sum(products.diagonal() ** 2) - np.sum(scaled**4))
    if n_units == 1 or squares <= 0:
        return 1.0
    return float(np.clip(n / freedom * (fourth - squares / n) / squares, 0, 1))


def _identity_shrinkage(centred: Floats, products: Floats) -> float:
    n, n_units = centred.shape
    mean = float(np.trace(products)) / n / n_units
    norm = float(np.sum(products**2)) / n**2
    distance = norm - n_units * mean**2
    error = (float(np.sum(products.diagonal() ** 2)) / n - norm) / n
    return float(np.clip(error / distance, 0, 1)) if distance > 0 else 1.0


def _principal_axes(centred: Floats, products: Floats) -> tuple[Floats, Floats]:
    if centred.shape[1] <= len(centred):
        squared, basis = np.linalg.eigh(centred.T @ centred)
        return np.maximum(squared, 0), basis
    squared, left = np.linalg.eigh(products)
    kept = squared > len(squared) * np.finfo(np.float64).eps * squared[-1]
    return squared[kept], centred.T @ (left[:, kept] / np.sqrt(squared[kept]))


def _invertible(scale: Floats, floor: float, basis: Floats, variances: Floats, shrinkage: float) -> NoiseCovariance:
    """Return the covariance if it has an inverse; without a floor it must have a variance along every axis."""
    largest = max(floor, float(variances.max(initial=0)))
    rank_is_full = basis.shape[1] == len(scale)
    least = floor + (float(variances.min()) if rank_is_full else 0.0)
    if not math.isfinite(largest) or least <= len(scale) * np.finfo(np.float64).eps * largest:
        raise UsageError(
            f"shrinkage is {shrinkage:.3g}, which leaves a covariance of {len(scale)} units without an inverse; "
            "expected more of it, more observations, or residuals that vary."
        )
    if rank_is_full:
        top = floor + float(variances.max())
        return NoiseCovariance(scale, top, basis, floor + variances - top, shrinkage)
    return NoiseCovariance(scale, floor, basis, variances, shrinkage)
