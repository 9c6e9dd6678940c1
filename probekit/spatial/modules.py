"""Modules of grid cells: clusters of spacing and orientation, and whether there is more than one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from probekit.arguments import Floats, floats, generator, real, whole
from probekit.errors import UsageError

_LEAST_SPACING_SD = 0.02
_LEAST_ORIENTATION_SD = 1.0
"""No module is narrower: 2 % in spacing, 1 deg in orientation. Else a mixture sits down on two equal units."""
_APART = 2.0
"""Ashman's D, in spacing or in orientation, above which two modules are apart (Ashman et al. 1994)."""
_RANDOM_STARTS = 2
_ITERATIONS = 30


@dataclass(frozen=True, eq=False)
class Modules:
    """The modules of some units.

    Parameters
    ----------
    n_modules : int
    labels : array of int (unit,)
        The module of each unit, from 0, by growing spacing.
    p : float
        Of one module only, against two: 0 … 1; nan if there are too few units for two.
    p_steps : array (step,)
        Of one module against two, then of two against three, …; the last is that which was not refused.
    spacing : array (module,)
        Geometric mean, m.
    spacing_sd : array (module,)
        Of the logarithm, so nearly a part of the spacing.
    orientation : array (module,)
        Circular mean modulo 60, deg.
    coherence : array (module,)
        Mean vector length of the orientations modulo 60: 0 for none in common, 1 for one and the same.
    """

    n_modules: int
    labels: npt.NDArray[np.int64]
    p: float
    p_steps: Floats
    spacing: Floats
    spacing_sd: Floats
    orientation: Floats
    coherence: Floats


def grid_modules(
    spacing: npt.ArrayLike,
    orientation: npt.ArrayLike,
    *,
    alpha: float = 0.01,
    least_units: int = 5,
    max_modules: int = 6,
    n_bootstraps: int = 199,
    seed: int = 0,
) -> Modules:
    """Return the modules of grid cells, as many as a test against one module fewer supports.

    Units are drawn from a mixture in which log spacing is normal and six times the orientation von Mises, independent
    within a module; fitted by expectation-maximisation from several starts. One module may so have any spread of
    orientations, the uniform one included. A mixture counts only if each module holds `least_units` and any two are
    apart: the difference of their means is above sqrt(2) times the root of the sum of their variances (Ashman's D above
    2), in log spacing or in orientation; so one cluster with heavy tails is one module.

    The test is a parametric bootstrap of the likelihood ratio (McLachlan 1987): units are drawn from the fitted mixture
    with one module fewer, and both are fitted anew. Where a module's log spacings are spread more evenly than a normal
    distribution, they are drawn from a generalised normal one with their kurtosis, up to a uniform one: an even spread
    is no two modules. From one module on, modules are added until p is above `alpha`.

    Parameters
    ----------
    spacing : array (unit,)
        Above 0; m, or any other unit.
    orientation : array (unit,)
        deg; 60 is the same as 0.
    alpha : float
    least_units : int
        Of a module. With fewer than twice as many units there is one module, and no test.
    max_modules, n_bootstraps, seed : int

    Returns
    -------
    Modules

    Raises
    ------
    UsageError
        If there are no units, numbers are not finite, a spacing is not above 0, or an option is out of range.

    References
    ----------
    Stensola et al. 2012, Nature 492:72, doi:10.1038/nature11649 (modules);
    McLachlan 1987, Appl Stat 36:318, doi:10.2307/2347790 (test);
    Ashman et al. 1994, Astron J 108:2348, doi:10.1086/117248 (D)

    Examples
    --------
    >>> found = grid_modules([0.4, 0.41, 0.39, 0.4, 0.42] * 4 + [0.7, 0.72, 0.69, 0.7, 0.71] * 4, [10.0, 11.0] * 20)
    >>> found.n_modules, found.spacing.round(2).tolist(), found.p
    (2, [0.4, 0.7], 0.005)
    """
    log_spacing, angle = _checked(spacing, orientation)
    real("alpha", alpha, "between 0 and 1", above=0, most=1)
    least = whole("least_units", least_units, 2)
    n_most = min(whole("max_modules", max_modules, 1), log_spacing.shape[1] // least)
    n_drawn = whole("n_bootstraps", n_bootstraps, 1)
    rng = generator(seed)
    fitted = _fit(log_spacing, angle, 1, least, rng)
    p_steps: list[float] = []
    while fitted.n_modules < n_most:
        more = _fit(log_spacing, angle, fitted.n_modules + 1, least, rng)
        p_steps.append(_p_of_fewer(fitted, more, _sufficient(log_spacing, angle), least, n_drawn, rng))
        if p_steps[-1] > alpha:
            break
        fitted = more
    return _modules(fitted, log_spacing, angle, p_steps)


def _checked(spacing: npt.ArrayLike, orientation: npt.ArrayLike) -> tuple[Floats, Floats]:
    spacings, orientations = floats("spacing", spacing), floats("orientation", orientation)
    if spacings.ndim != 1 or not len(spacings) or spacings.shape != orientations.shape:
        raise UsageError(
            f"spacing has shape {spacings.shape}, orientation {orientations.shape}; expected the same, (unit,), of at "
            "least one unit."
        )
    if not (np.isfinite(spacings).all() and np.isfinite(orientations).all() and (spacings > 0).all()):
        raise UsageError("spacing and orientation hold values that are no lattice; leave out units where they are nan.")
    return np.log(spacings)[None], np.deg2rad(6 * orientations)[None]


@dataclass(frozen=True, eq=False)
class _Mixture:
    # Of several data sets at once: arrays (set, module), likelihood (set,).
    weight: Floats
    mean: Floats
    sd: Floats
    direction: Floats
    length: Floats
    likelihood: Floats

    @property
    def n_modules(self) -> int:
        return int(self.weight.shape[1])

    def take(self, sets: npt.NDArray[np.int64]) -> _Mixture:
        parts = (self.weight, self.mean, self.sd, self.direction, self.length, self.likelihood)
        return _Mixture(*(part[sets] for part in parts))


def _fit(log_spacing: Floats, angle: Floats, n_modules: int, least: int, rng: np.random.Generator) -> _Mixture:
    # Of each data set (set, unit), the best of several starts; likelihood -inf where no start leaves valid modules.
    n_sets, n_units = log_spacing.shape
    values = _sufficient(log_spacing, angle)
    if n_modules == 1:
        return _estimate(values, np.ones((n_sets, n_units, 1)))[0]
    belonging = _starts(log_spacing, angle, n_modules, rng)
    n_starts = len(belonging) // n_sets
    values = np.tile(values, (n_starts, 1, 1))
    for _ in range(_ITERATIONS):
        found, belonging = _estimate(values, belonging)
    sizes = (belonging.argmax(2)[..., None] == np.arange(n_modules)).sum(1)
    valid = (sizes >= least).all(1) & _apart(found)
    likelihood = np.where(valid, found.likelihood, -np.inf).reshape(n_starts, n_sets)
    best = found.take(likelihood.argmax(0) * n_sets + np.arange(n_sets))
    return dataclasses.replace(best, likelihood=likelihood.max(0))


def _starts(log_spacing: Floats, angle: Floats, n_modules: int, rng: np.random.Generator) -> Floats:
    # Who belongs to which module at first, (start * set, unit, module): by rank of spacing; by rank of orientation from
    # the side where there is least; by the nearest of some units.
    n_sets, n_units = log_spacing.shape
    turned = (angle - np.angle(np.exp(1j * angle).mean(1, keepdims=True)) + np.pi) % (2 * np.pi)
    ranked = [values.argsort(1).argsort(1) * n_modules // n_units for values in (log_spacing, turned)]
    scale = np.maximum(log_spacing.std(1, keepdims=True), _LEAST_SPACING_SD)
    places = np.stack([log_spacing / scale, np.cos(angle), np.sin(angle)], -1)
    for _ in range(_RANDOM_STARTS):
        chosen = rng.random((n_sets, n_units)).argpartition(n_modules - 1, axis=1)[:, :n_modules]
        centres = np.take_along_axis(places, chosen[..., None], 1)
        ranked.append(((places[:, :, None] - centres[:, None]) ** 2).sum(-1).argmin(2))
    found: Floats = (np.concatenate(ranked)[..., None] == np.arange(n_modules)).astype(np.float64)
    return found


def _sufficient(log_spacing: Floats, angle: Floats) -> Floats:
    # (set, unit, 5): the log density of every module is linear in these.
    return np.stack([np.ones_like(angle), log_spacing, log_spacing**2, np.cos(angle), np.sin(angle)], -1)


def _estimate(values: Floats, belonging: Floats) -> tuple[_Mixture, Floats]:
    # One step of expectation-maximisation: the mixture that fits these shares, and the shares that follow from it.
    sums = belonging.transpose(0, 2, 1) @ values
    n = np.maximum(sums[..., 0], 1e-9)
    mean, square, cos, sin = np.moveaxis(sums[..., 1:] / n[..., None], -1, 0)
    found = _Mixture(
        weight=n / values.shape[1],
        mean=mean,
        sd=np.maximum(np.sqrt(np.maximum(square - mean**2, 0.0)), _LEAST_SPACING_SD),
        direction=np.arctan2(sin, cos),
        length=np.minimum(np.hypot(cos, sin), np.exp(-(np.deg2rad(6 * _LEAST_ORIENTATION_SD) ** 2) / 2)),
        likelihood=np.zeros(len(n)),
    )
    densities = _log_densities(found, values)
    highest = densities.max(2, keepdims=True)
    shares = np.exp(densities - highest)
    total = shares.sum(2, keepdims=True)
    return dataclasses.replace(found, likelihood=(highest + np.log(total)).sum((1, 2))), shares / total


def _log_densities(mixture: _Mixture, values: Floats) -> Floats:
    # (set, unit, module), with the weights.
    kappa, precision = _concentration(mixture.length), mixture.sd**-2
    constant = np.log(mixture.weight) - np.log(mixture.sd) - 1.5 * np.log(2 * np.pi)
    constant -= mixture.mean**2 * precision / 2 + np.log(special.i0e(kappa)) + kappa
    along, across = kappa * np.cos(mixture.direction), kappa * np.sin(mixture.direction)
    found: Floats = values @ np.stack([constant, mixture.mean * precision, -precision / 2, along, across], 1)
    return found


def _concentration(length: Floats) -> Floats:
    # kappa of a von Mises distribution with this mean vector length, to 1 % (Best & Fisher 1981).
    r = np.clip(length, 0.0, 1 - 1e-9)
    low = 2 * r + r**3 + 5 * r**5 / 6
    middle = -0.4 + 1.39 * r + 0.43 / (1 - r)
    high = 1 / np.maximum(r**3 - 4 * r**2 + 3 * r, 1e-9)
    return np.where(r < 0.53, low, np.where(r < 0.85, middle, high))


def _apart(mixture: _Mixture) -> npt.NDArray[np.bool_]:
    # (set,): whether any two modules are apart in spacing or in orientation.
    variance = -2 * np.log(np.maximum(mixture.length, 1e-9)) / 36
    turn = np.angle(np.exp(1j * (mixture.direction[:, :, None] - mixture.direction[:, None]))) / 6
    step = mixture.mean[:, :, None] - mixture.mean[:, None]
    in_spacing = 2 * step**2 > _APART**2 * (mixture.sd[:, :, None] ** 2 + mixture.sd[:, None] ** 2)
    in_turn = 2 * turn**2 > _APART**2 * (variance[:, :, None] + variance[:, None])
    found: npt.NDArray[np.bool_] = (in_spacing | in_turn | np.eye(mixture.n_modules, dtype=bool)).all((1, 2))
    return found


def _p_of_fewer(
    fewer: _Mixture, more: _Mixture, values: Floats, least: int, n_drawn: int, rng: np.random.Generator
) -> float:
    shape = _flatness(fewer, values)
    module = rng.choice(fewer.n_modules, (n_drawn, values.shape[1]), p=fewer.weight[0] / fewer.weight[0].sum())
    residual = stats.gennorm.rvs(shape[module], random_state=rng) / stats.gennorm.std(shape)[module]
    log_spacing = fewer.mean[0][module] + fewer.sd[0][module] * residual
    angle = rng.vonmises(fewer.direction[0][module], _concentration(fewer.length[0])[module])
    of_fewer = _fit(log_spacing, angle, fewer.n_modules, least, rng).likelihood
    of_more = _fit(log_spacing, angle, fewer.n_modules + 1, least, rng).likelihood
    drawn = np.maximum(of_more - np.where(np.isfinite(of_fewer), of_fewer, np.inf), 0.0)
    seen = max(float(more.likelihood[0] - fewer.likelihood[0]), 0.0)
    return (1 + int((drawn >= seen).sum())) / (1 + n_drawn)


def _flatness(mixture: _Mixture, values: Floats) -> Floats:
    # Exponent of the generalised normal distribution with the kurtosis of each module's log spacings: 2, the normal, to
    # 20, nearly uniform. Of nothing but a uniform spread, two normals would be a far better account than one.
    own = _log_densities(mixture, values)[0].argmax(1)[:, None] == np.arange(mixture.n_modules)
    residual = np.where(own, (values[0, :, 1:2] - mixture.mean[0]) / mixture.sd[0], 0.0)
    n = np.maximum(own.sum(0), 1)
    kurtosis = (residual**4).sum(0) / n / np.maximum((residual**2).sum(0) / n, 1e-9) ** 2
    exponents = np.geomspace(20, 2, 40)
    expected = special.gamma(5 / exponents) * special.gamma(1 / exponents) / special.gamma(3 / exponents) ** 2
    found: Floats = np.interp(kurtosis, expected, exponents)
    return found


def _modules(fitted: _Mixture, log_spacing: Floats, angle: Floats, p_steps: list[float]) -> Modules:
    order = fitted.mean[0].argsort()
    labels = order.argsort()[_log_densities(fitted, _sufficient(log_spacing, angle))[0].argmax(1)]
    return Modules(
        n_modules=fitted.n_modules,
        labels=labels.astype(np.int64),
        p=p_steps[0] if p_steps else float("nan"),
        p_steps=np.array(p_steps),
        spacing=np.exp(fitted.mean[0][order]),
        spacing_sd=fitted.sd[0][order],
        orientation=np.rad2deg(fitted.direction[0][order]) % 360 / 6,
        coherence=fitted.length[0][order],
    )
