"""Features of the layers of a recording, with fewer dimensions where there are many units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.random_projection import SparseRandomProjection

from probekit.arguments import whole
from probekit.encoding.inputs import Floats, check_features
from probekit.errors import UsageError, check_option
from probekit.recording import Recording

Method = Literal["pca", "projection"]


@dataclass(frozen=True, eq=False)
class Reduction:
    """How features are brought to fewer dimensions.

    Parameters
    ----------
    method : "pca" or "projection"
    n_features : int
        Before.
    n_dimensions : int
        After.
    """

    method: Method
    n_features: int
    n_dimensions: int
    _fitted: PCA | SparseRandomProjection

    def apply(self, features: npt.ArrayLike) -> Floats:
        """Return the features in fewer dimensions, shape (stimulus, dimension).

        Raises
        ------
        UsageError
            If the features are not as many as those of the fit, or not all finite.
        """
        return np.asarray(self._fitted.transform(check_features(features, n_features=self.n_features)))


def fit_reduction(
    features: npt.ArrayLike, n_dimensions: int, *, method: Method = "projection", seed: int = 0
) -> Reduction:
    """Return how to bring features to `n_dimensions`, from training stimuli alone.

    Kernel ridge needs no reduction, however many features there are; this is for what does, such as PLS.

    Parameters
    ----------
    features : array, shape (stimulus, feature)
        Of the training stimuli. A projection takes only the number of features from them.
    n_dimensions : int
        1 … number of features; for "pca" at most the number of stimuli too.
    method : "pca" or "projection"
        Principal components of the centred features; or a sparse random projection, which keeps distances within
        about √(8 ln n / n_dimensions) for n stimuli.
    seed : int

    Raises
    ------
    UsageError
        If the features are refused, or there are too many dimensions.

    References
    ----------
    Li et al. 2006, KDD 287, doi:10.1145/1150402.1150436
    """
    check_option("method", method, get_args(Method))
    given = check_features(features)
    most = min(given.shape) if method == "pca" else given.shape[1]
    whole("seed", seed, 0)
    if not 1 <= whole("n_dimensions", n_dimensions, 0) <= most:
        raise UsageError(f"n_dimensions is {n_dimensions}; features of shape {given.shape} allow 1 … {most}.")
    if method == "pca":
        reducer = PCA(n_components=n_dimensions, random_state=seed)
    else:
        reducer = SparseRandomProjection(n_components=n_dimensions, random_state=seed, dense_output=True)
    return Reduction(method, given.shape[1], n_dimensions, reducer.fit(given))


def recording_features(recording: Recording, layers: Sequence[str] | None = None) -> dict[str, Floats]:
    """Return layer → features of a recording, shape (stimulus, unit), in the order in which the layers ran.

    Parameters
    ----------
    recording : Recording
    layers : sequence of str, optional
        Which, and in which order. Default: all.

    Raises
    ------
    UnknownNameError
        If a layer was not recorded.
    UsageError
        If a layer's activity has a time axis, or values that are not finite.
    """
    features = {}
    for layer in recording.layers if layers is None else layers:
        if "time" in recording[layer].dims:
            raise UsageError(f"layer '{layer}' has a time axis; choose a moment, recording['{layer}'].isel(time=…).")
        features[layer] = check_features(recording.responses(layer), name=f"recording['{layer}']")
    return features
