"""What every encoding model asks of its features and targets, and how features are standardised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats
from probekit.errors import UsageError, unknown_name

Floats = npt.NDArray[np.float64]
_ROUNDING = 1e-10  # a standard deviation below this share of the mean is rounding: the column is constant


@dataclass(frozen=True, eq=False)
class Standardization:
    """Mean and standard deviation of each column over the training stimuli.

    Parameters
    ----------
    mean : array, shape (column,)
    scale : array, shape (column,)
        Standard deviation (division by n); inf for a column that is constant, which so becomes 0 everywhere.
    """

    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, values: Floats) -> Standardization:
        """Return the one of these values, shape (stimulus, column)."""
        mean, spread = values.mean(axis=0), values.std(axis=0)
        return cls(mean, np.where(spread > _ROUNDING * np.abs(mean), spread, np.inf))

    @property
    def varies(self) -> npt.NDArray[np.bool_]:
        """Which columns are not constant over the training stimuli, shape (column,)."""
        return np.isfinite(self.scale)

    def apply(self, values: Floats) -> Floats:
        """Return the values with the training mean taken off, in training standard deviations."""
        return (values - self.mean) / self.scale


def check_features(features: npt.ArrayLike, *, name: str = "features", n_features: int | None = None) -> Floats:
    """Return features as float64.

    Parameters
    ----------
    features : array or tensor, shape (stimulus, feature)
    name : str
        What the error calls them.
    n_features : int, optional
        How many there must be: those that a model was fitted on.

    Raises
    ------
    UsageError
        If they are no numbers, not two-dimensional, empty, or not all finite.
    """
    given = floats(name, features)
    if given.ndim != 2 or 0 in given.shape:
        raise UsageError(f"{name} has shape {given.shape}; expected (stimulus, feature), neither of them 0.")
    if n_features is not None and given.shape[1] != n_features:
        raise UsageError(f"{name} has {given.shape[1]} features; the model was fitted on {n_features}.")
    _check_finite(given, name, "features")
    return given


def check_layers(features: Mapping[str, npt.ArrayLike], *, name: str = "features") -> dict[str, Floats]:
    """Return the features of each layer as float64, all of the same stimuli.

    Parameters
    ----------
    features : mapping of str to array, shape (stimulus, feature)
    name : str
        What the error calls them.

    Raises
    ------
    UsageError
        If it is no mapping, empty, a layer's features are refused, or layers differ in their number of stimuli.
    """
    if not isinstance(features, Mapping) or not features:
        raise UsageError(f"{name} is {type(features).__name__}; expected a mapping of layer to features, one or more.")
    layers = {str(layer): check_features(given, name=f"{name}['{layer}']") for layer, given in features.items()}
    counts = {layer: len(given) for layer, given in layers.items()}
    if len(set(counts.values())) > 1:
        raise UsageError(f"{name} have different numbers of stimuli: {counts}; expected the same stimuli in each.")
    return layers


def check_fitted_layers(features: Mapping[str, npt.ArrayLike], layers: tuple[str, ...]) -> dict[str, Floats]:
    """Return the features of the layers that a model was fitted on, in their order; others are left out.

    Raises
    ------
    UnknownNameError
        If one is missing; the message suggests the nearest.
    UsageError
        If it is no mapping, or as `check_layers`.
    """
    if not isinstance(features, Mapping):
        raise UsageError(f"features is {type(features).__name__}; expected a mapping of layer to features.")
    for layer in layers:
        if layer not in features:
            raise unknown_name("layer among the features", layer, map(str, features))
    return check_layers({layer: features[layer] for layer in layers})


def check_targets(targets: npt.ArrayLike, n_stimuli: int, *, name: str = "targets") -> Floats:
    """Return targets as float64, averaged over repetitions if there are any.

    Parameters
    ----------
    targets : array, shape (stimulus, target) or (stimulus, repetition, target)
        nan where a stimulus has fewer repetitions than others.
    n_stimuli : int
        How many stimuli the features have.
    name : str
        What the error calls them.

    Returns
    -------
    array, shape (stimulus, target)

    Raises
    ------
    UsageError
        If shape or number of stimuli do not fit, or a value is infinite or nan (with repetitions: all of a stimulus).
    """
    given = floats(name, targets)
    if given.ndim not in (2, 3) or 0 in given.shape:
        raise UsageError(
            f"{name} has shape {given.shape}; expected (stimulus, target) or (stimulus, repetition, target), none 0."
        )
    if len(given) != n_stimuli:
        raise UsageError(f"{name} has {len(given)} stimuli, the features {n_stimuli}; expected the same stimuli.")
    measured = given if given.ndim == 2 else _mean_over_repetitions(given)
    _check_finite(measured, name, "targets")
    return measured


def check_alphas(alphas: npt.ArrayLike) -> Floats:
    """Return penalties as an array in rising order.

    Raises
    ------
    UsageError
        If there is none, or one is not a number above 0.
    """
    given = np.sort(np.atleast_1d(floats("alphas", alphas)))
    if given.ndim != 1 or not given.size or not np.isfinite(given).all() or given[0] <= 0:
        raise UsageError(f"alphas is {alphas!r}; expected one or more numbers above 0.")
    return given


def _mean_over_repetitions(values: Floats) -> Floats:
    known = ~np.isnan(values)
    n = known.sum(axis=1)
    return np.asarray(np.where(known, values, 0).sum(axis=1) / np.where(n > 0, n, np.nan))


def _check_finite(values: Floats, name: str, columns: str) -> None:
    wrong = np.asarray(~np.isfinite(values).all(axis=0))
    if wrong.any():
        shown = ", ".join(map(str, np.flatnonzero(wrong)[:5]))
        raise UsageError(
            f"{name} has nan or infinite values in {wrong.sum()} of {len(wrong)} {columns} (first: {shown}); leave "
            f"those {columns} or the stimuli concerned out."
        )
