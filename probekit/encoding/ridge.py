"""Ridge regression of many targets on one set of features, each target with its own penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from himalaya.kernel_ridge import solve_kernel_ridge_cv_eigenvalues
from himalaya.ridge import solve_ridge_cv_svd
from sklearn.model_selection import PredefinedSplit

from probekit.encoding.folds import Folds, fold_labels
from probekit.encoding.inputs import Floats, Standardization, check_alphas, check_features, check_targets
from probekit.encoding.solver import batches, errors, numpy_backend, one_scale

ALPHAS = np.logspace(-1, 7, 25)


@dataclass(frozen=True, eq=False)
class RidgeModel:
    """A fitted ridge regression.

    Parameters
    ----------
    alphas : array, shape (target,)
        Penalty of each target, of ‖Xb − y‖² + α‖b‖² with every feature standardised.
    cv_errors : array, shape (target,)
        Mean squared error on held-out training stimuli at that penalty, mean over folds; nan for a constant target.
    cv_scores : array, shape (target,)
        The same as R², 1 − error / variance of the training target: up to 1, below 0 if worse than the mean; nan for a
        constant target.
    coefficients : array, shape (feature, target) or (training stimulus, target)
        Weights of features; in the kernel form, of training stimuli.
    intercept : array, shape (target,)
    standardization : Standardization
        Of the features, over the training stimuli.
    basis : array, shape (training stimulus, feature), or None
        The standardised training features in the kernel form; None in the primal form.
    """

    alphas: Floats
    cv_errors: Floats
    cv_scores: Floats
    coefficients: Floats
    intercept: Floats
    standardization: Standardization
    basis: Floats | None

    def predict(self, features: npt.ArrayLike) -> Floats:
        """Return the predicted targets, shape (stimulus, target), for features of shape (stimulus, feature).

        Raises
        ------
        UsageError
            If the features are not as many as those of the fit, or not all finite.
        """
        given = check_features(features, n_features=len(self.standardization.mean))
        columns = self.standardization.apply(given)
        if self.basis is not None:
            columns = columns @ self.basis.T
        return columns @ self.coefficients + self.intercept


def fit_ridge(
    features: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    alphas: npt.ArrayLike = ALPHAS,
    folds: Folds = 5,
    seed: int = 0,
) -> RidgeModel:
    """Return the ridge regression of each target, its penalty chosen by cross-validation on these stimuli.

    Features are standardised over all training stimuli; features that are constant there do not count. The intercept
    is not penalised and is fitted anew in each fold. With more features than stimuli the kernel form is solved, else
    the primal one; both give the same predictions.

    Parameters
    ----------
    features : array, shape (stimulus, feature)
    targets : array, shape (stimulus, target) or (stimulus, repetition, target)
        Repetitions are averaged.
    alphas : array, shape (penalty,)
        Penalties to choose from, above 0. Of equally good ones the largest is taken.
    folds : int or array of int, shape (stimulus,)
        How many folds, or the fold of each stimulus.
    seed : int
        Of the drawn folds.

    Raises
    ------
    UsageError
        If shapes do not fit, values are nan or infinite, or there are fewer stimuli than folds.

    References
    ----------
    Hoerl & Kennard 1970, Technometrics 12:55, doi:10.1080/00401706.1970.10488634; solved by himalaya, Dupré la Tour
    et al. 2022, NeuroImage 264:119728, doi:10.1016/j.neuroimage.2022.119728

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> model = fit_ridge(x, x @ [[1.0], [2.0], [0.0]])
    >>> bool(model.cv_scores[0] > 0.99)
    True
    """
    given = check_features(features)
    measured = check_targets(targets, len(given))
    cv = PredefinedSplit(fold_labels(len(given), folds, seed=seed))
    standardization = Standardization.of(given)
    columns, penalties = standardization.apply(given), check_alphas(alphas)
    scaled, scaling = one_scale(measured)
    kernel = columns.shape[1] > columns.shape[0]
    held = batches(len(given), min(columns.shape) if kernel else max(columns.shape), len(penalties))
    with numpy_backend():
        if kernel:
            found = solve_kernel_ridge_cv_eigenvalues(
                columns @ columns.T, scaled, alphas=penalties, cv=cv, fit_intercept=True, **held
            )
        else:
            found = solve_ridge_cv_svd(columns, scaled, alphas=penalties, cv=cv, fit_intercept=True, **held)
    chosen, coefficients, scores, intercept = found
    varies, spread = scaling.varies, np.where(scaling.varies, scaling.scale, 0)
    relative = np.where(varies, errors(scores[0], chosen), np.nan)
    return RidgeModel(
        alphas=penalties[np.abs(np.log(penalties)[:, None] - np.log(chosen)).argmin(axis=0)],
        cv_errors=relative * spread**2,
        cv_scores=1 - relative,
        coefficients=coefficients * spread,
        intercept=intercept * spread + scaling.mean,
        standardization=standardization,
        basis=columns if kernel else None,
    )
