"""Partial least squares regression, as Brain-Score maps layers to neurons."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cross_decomposition import PLSRegression

from probekit.arguments import whole
from probekit.encoding.inputs import Floats, Standardization, check_features, check_targets
from probekit.errors import UsageError


@dataclass(frozen=True, eq=False)
class PLSModel:
    """A fitted partial least squares regression.

    Parameters
    ----------
    coefficients : array, shape (feature, target)
    mean : array, shape (feature,)
        Of the features over the training stimuli.
    intercept : array, shape (target,)
    n_components : int
    """

    coefficients: Floats
    mean: Floats
    intercept: Floats
    n_components: int

    def predict(self, features: npt.ArrayLike) -> Floats:
        """Return the predicted targets, shape (stimulus, target), for features of shape (stimulus, feature).

        Raises
        ------
        UsageError
            If the features are not as many as those of the fit, or not all finite.
        """
        return (check_features(features, n_features=len(self.mean)) - self.mean) @ self.coefficients + self.intercept


def fit_pls(features: npt.ArrayLike, targets: npt.ArrayLike, n_components: int = 25) -> PLSModel:
    """Return the partial least squares regression (PLS2) of all targets together.

    Features and targets are centred and not scaled, as in Brain-Score, so that features and targets of large variance
    count more. Components are found by scikit-learn's power method at its own tolerance, also as there: where two are
    nearly as large they are right to some thousandths, not to rounding.

    Parameters
    ----------
    features : array, shape (stimulus, feature)
    targets : array, shape (stimulus, target) or (stimulus, repetition, target)
        Repetitions are averaged.
    n_components : int
        1 … the smaller of the number of features that vary and the number of stimuli − 1.

    Raises
    ------
    UsageError
        If shapes do not fit, values are nan or infinite, all targets are constant, or there are too many components.

    References
    ----------
    Wold et al. 2001, Chemometr Intell Lab 58:109, doi:10.1016/S0169-7439(01)00155-1; Yamins et al. 2014, PNAS
    111:8619, doi:10.1073/pnas.1403112111
    """
    given = check_features(features)
    measured = check_targets(targets, len(given))
    features_of, targets_of = Standardization.of(given), Standardization.of(measured)
    most = min(len(given) - 1, int(features_of.varies.sum()))
    if not 1 <= whole("n_components", n_components, 0) <= most:
        raise UsageError(
            f"n_components is {n_components}; {len(given)} stimuli and {features_of.varies.sum()} features that are "
            f"not constant allow 1 … {most}."
        )
    if not targets_of.varies.any():
        raise UsageError("targets are all constant over the stimuli; there is nothing to explain.")
    # scikit-learn takes columns below 2e-15 for zero, whatever the unit: one common factor, which changes nothing else
    feature_unit = features_of.scale[features_of.varies].max()
    target_unit = targets_of.scale[targets_of.varies].max()
    regression = PLSRegression(n_components=n_components, scale=False)
    with warnings.catch_warnings():
        # after what can be explained is, further components are empty and leave the fit as it is
        warnings.filterwarnings("ignore", message="y residual is constant at iteration", category=UserWarning)
        regression.fit((given - features_of.mean) / feature_unit, (measured - targets_of.mean) / target_unit)
    return PLSModel(
        coefficients=np.asarray(regression.coef_.T) * (target_unit / feature_unit),
        mean=features_of.mean,
        intercept=targets_of.mean,
        n_components=n_components,
    )
