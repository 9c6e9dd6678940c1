"""Banded ridge regression: several sets of features at once, each with its own penalty for each target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from himalaya.kernel_ridge import solve_multiple_kernel_ridge_random_search
from sklearn.model_selection import PredefinedSplit

from probekit.arguments import whole
from probekit.encoding.folds import Folds, fold_labels
from probekit.encoding.inputs import (
    Floats,
    Standardization,
    check_alphas,
    check_fitted_layers,
    check_layers,
    check_targets,
)
from probekit.encoding.scores import r2_split
from probekit.encoding.solver import batches, errors, numpy_backend, one_scale
from probekit.errors import UsageError

ALPHAS = np.logspace(-4, 6, 21)


@dataclass(frozen=True, eq=False)
class Band:
    """One set of features as the model sees it.

    Parameters
    ----------
    standardization : Standardization
        Of the features, over the training stimuli.
    basis : array, shape (training stimulus, feature)
        Standardised training features, divided by the number of those that vary.
    """

    standardization: Standardization
    basis: Floats

    @classmethod
    def of(cls, features: Floats) -> Band:
        """Return the band of these training features, shape (stimulus, feature)."""
        standardization = Standardization.of(features)
        return cls(standardization, standardization.apply(features) / max(1, standardization.varies.sum()))

    def kernel(self, features: Floats) -> Floats:
        """Return the mean over features of the products of standardised features, shape (stimulus, training one)."""
        return self.standardization.apply(features) @ self.basis.T


@dataclass(frozen=True, eq=False)
class BandedModel:
    """A fitted banded ridge regression.

    Parameters
    ----------
    bands : mapping of str to Band
    weights : array, shape (band, target)
        Weight of each band's kernel for each target; they add up to 1.
    alphas : array, shape (target,)
        Penalty of each target; that of a band is alpha / weight.
    cv_errors, cv_scores : array, shape (target,)
        As in `RidgeModel`.
    coefficients : array, shape (training stimulus, target)
        Dual weights, common to the bands.
    intercept : array, shape (target,)
    """

    bands: Mapping[str, Band]
    weights: Floats
    alphas: Floats
    cv_errors: Floats
    cv_scores: Floats
    coefficients: Floats
    intercept: Floats

    def predict_bands(self, features: Mapping[str, npt.ArrayLike]) -> Floats:
        """Return each band's part of the prediction, shape (band, stimulus, target), in the order of `bands`.

        With the intercept they add up to `predict`.

        Raises
        ------
        UnknownNameError
            If a band is missing.
        UsageError
            If a band's features are not those of the fit.
        """
        return np.asarray((self._kernels(features) @ self.coefficients) * self.weights[:, None])

    def predict(self, features: Mapping[str, npt.ArrayLike]) -> Floats:
        """Return the predicted targets, shape (stimulus, target).

        Raises
        ------
        UnknownNameError
            If a band is missing.
        UsageError
            If a band's features are not those of the fit.
        """
        return np.asarray(self.predict_bands(features).sum(axis=0) + self.intercept)

    def split_r2(self, features: Mapping[str, npt.ArrayLike], targets: npt.ArrayLike) -> Floats:
        """Return each band's share of R² on these stimuli by the product measure, shape (band, target); see `r2_split`.

        Raises
        ------
        UsageError
            If shapes do not fit.
        """
        parts = self.predict_bands(features)
        return r2_split(check_targets(targets, parts.shape[1]), parts)

    def _kernels(self, features: Mapping[str, npt.ArrayLike]) -> Floats:
        given = check_fitted_layers(features, tuple(self.bands))
        for name, band in self.bands.items():
            expected = len(band.standardization.mean)
            if given[name].shape[1] != expected:
                raise UsageError(
                    f"features['{name}'] has {given[name].shape[1]} features; the model was fitted on {expected}."
                )
        return np.stack([band.kernel(given[name]) for name, band in self.bands.items()])


def fit_banded(
    bands: Mapping[str, npt.ArrayLike],
    targets: npt.ArrayLike,
    *,
    alphas: npt.ArrayLike = ALPHAS,
    n_iter: int = 100,
    folds: Folds = 5,
    seed: int = 0,
) -> BandedModel:
    """Return the banded ridge regression of each target, its penalties chosen by cross-validation on these stimuli.

    Weights of the bands are drawn at random, the first draw being equal weights, and each target keeps the draw and
    the alpha of least error. Features are standardised over all training stimuli and each band is divided by the
    square root of its number of features, so that large bands do not count more at the start. It is solved in the
    kernel form: time grows with the third power of the number of stimuli.

    Parameters
    ----------
    bands : mapping of str to array, shape (stimulus, feature)
    targets : array, shape (stimulus, target) or (stimulus, repetition, target)
        Repetitions are averaged.
    alphas : array, shape (penalty,)
        Penalties to choose from, above 0, beside kernels whose mean diagonal is 1.
    n_iter : int
        How many weights are tried. With one band, one is enough.
    folds : int or array of int, shape (stimulus,)
        How many folds, or the fold of each stimulus.
    seed : int
        Of the drawn folds and weights.

    Raises
    ------
    UsageError
        If shapes do not fit, values are nan or infinite, or there are fewer stimuli than folds.

    References
    ----------
    Nunez-Elizalde et al. 2019, NeuroImage 197:482, doi:10.1016/j.neuroimage.2019.04.012; solved by himalaya, Dupré la
    Tour et al. 2022, NeuroImage 264:119728, doi:10.1016/j.neuroimage.2022.119728
    """
    given = check_layers(bands, name="bands")
    n_stimuli = len(next(iter(given.values())))
    measured = check_targets(targets, n_stimuli)
    n_iter = whole("n_iter", n_iter, 1)
    cv = PredefinedSplit(fold_labels(n_stimuli, folds, seed=seed))
    fitted = {name: Band.of(features) for name, features in given.items()}
    kernels = np.stack([band.kernel(given[name]) for name, band in fitted.items()])
    penalties = check_alphas(alphas)
    scaled, scaling = one_scale(measured)
    with numpy_backend():
        deltas, dual, scores, chosen, intercept = solve_multiple_kernel_ridge_random_search(
            kernels,
            scaled,
            n_iter=1 if len(given) == 1 else n_iter,
            alphas=penalties,
            cv=cv,
            fit_intercept=True,
            return_weights="dual",
            return_alphas=True,
            random_state=seed,
            progress_bar=False,
            **batches(n_stimuli, n_stimuli, len(penalties)),
        )
    spread = np.where(scaling.varies, scaling.scale, 0)
    relative = np.where(scaling.varies, errors(scores.max(axis=0), chosen), np.nan)
    return BandedModel(
        bands=fitted,
        weights=np.exp(deltas) * chosen,
        alphas=chosen,
        cv_errors=relative * spread**2,
        cv_scores=1 - relative,
        coefficients=dual * (spread / chosen),
        intercept=intercept * spread + scaling.mean,
    )
