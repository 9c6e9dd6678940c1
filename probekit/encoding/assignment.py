"""Which layer of a network each voxel or neuron belongs to, as in Güçlü & van Gerven 2015."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.encoding.folds import Folds, fold_labels
from probekit.encoding.inputs import Floats, check_fitted_layers, check_layers, check_targets
from probekit.encoding.ridge import ALPHAS, RidgeModel, fit_ridge
from probekit.encoding.scores import score_table


@dataclass(frozen=True, eq=False)
class LayerAssignment:
    """The layer of each target, chosen without any test stimulus, and the model that predicts the target from it.

    Parameters
    ----------
    layers : tuple of str
        In the order of the features given.
    layer_index : array of int, shape (target,)
        0 … number of layers − 1; −1 for a target that is constant over the training stimuli.
    cv_errors : array, shape (layer, target)
        Mean squared error on held-out training stimuli; nan for a constant target.
    models : mapping of str to RidgeModel
        Of each layer that has targets, for these alone, in their order.
    """

    layers: tuple[str, ...]
    layer_index: npt.NDArray[np.int64]
    cv_errors: Floats
    models: Mapping[str, RidgeModel]

    def predict(self, features: Mapping[str, npt.ArrayLike]) -> Floats:
        """Return each target as predicted from its layer, shape (stimulus, target); nan for one without a layer.

        Parameters
        ----------
        features : mapping of str to array, shape (stimulus, feature)
            Of other stimuli; every layer.

        Raises
        ------
        UnknownNameError
            If a layer is missing.
        UsageError
            If a layer's features are not those of the fit.
        """
        given = check_fitted_layers(features, self.layers)
        predicted = np.full((len(given[self.layers[0]]), len(self.layer_index)), np.nan)
        for layer, model in self.models.items():
            predicted[:, self.layer_index == self.layers.index(layer)] = model.predict(given[layer])
        return predicted

    def score(
        self,
        features: Mapping[str, npt.ArrayLike],
        targets: npt.ArrayLike,
        *,
        n_permutations: int = 1000,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return how well each target is predicted from its layer on test stimuli, one row a target.

        Parameters
        ----------
        features : mapping of str to array, shape (stimulus, feature)
            Of test stimuli that had no part in the assignment.
        targets : array, shape (stimulus, target) or (stimulus, repetition, target)
            Repetitions are averaged.
        n_permutations, seed
            As in `permutation_p`.

        Returns
        -------
        pandas.DataFrame
            target, layer, layer_index, cv_error, and r, r2, p, q of `score_table`; layer is "" and the rest nan for a
            target that was constant over the training stimuli.

        Raises
        ------
        UnknownNameError
            If a layer is missing.
        UsageError
            If shapes do not fit, or there are fewer than two stimuli.
        """
        predicted = self.predict(features)
        measured = check_targets(targets, len(predicted))
        table = score_table(measured, predicted, n_permutations=n_permutations, seed=seed)
        names = np.array([*self.layers, ""])
        table.insert(1, "layer", names[self.layer_index])
        table.insert(2, "layer_index", self.layer_index)
        table.insert(3, "cv_error", self.cv_errors.min(axis=0))
        return table


def assign_layers(
    features: Mapping[str, npt.ArrayLike],
    targets: npt.ArrayLike,
    *,
    alphas: npt.ArrayLike = ALPHAS,
    folds: Folds = 5,
    seed: int = 0,
) -> LayerAssignment:
    """Return for each target the layer that predicts it with the lowest cross-validated error.

    Every layer is a ridge regression with the same folds and a penalty of its own for each target; of layers that are
    equally good the first is taken. Only training stimuli belong here: the test stimuli come to `score`.

    Parameters
    ----------
    features : mapping of str to array, shape (stimulus, feature)
        Layer → features of the training stimuli, in the order of depth.
    targets : array, shape (stimulus, target) or (stimulus, repetition, target)
        Repetitions are averaged.
    alphas, folds, seed
        As in `fit_ridge`.

    Raises
    ------
    UsageError
        If shapes do not fit, values are nan or infinite, or there are fewer stimuli than folds.

    References
    ----------
    Güçlü & van Gerven 2015, J Neurosci 35:10005, doi:10.1523/JNEUROSCI.5023-14.2015
    """
    given = check_layers(features)
    layers = tuple(given)
    n_stimuli = len(given[layers[0]])
    measured = check_targets(targets, n_stimuli)
    labels = fold_labels(n_stimuli, folds, seed=seed)
    cv_errors = np.stack([fit_ridge(given[layer], measured, alphas=alphas, folds=labels).cv_errors for layer in layers])
    constant = np.isnan(cv_errors).any(axis=0)
    index = np.where(constant, -1, np.where(constant, np.inf, cv_errors).argmin(axis=0))
    models = {
        layer: fit_ridge(given[layer], measured[:, index == number], alphas=alphas, folds=labels)
        for number, layer in enumerate(layers)
        if (index == number).any()
    }
    return LayerAssignment(layers, index, cv_errors, models)
