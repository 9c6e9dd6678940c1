"""Voxels whose layers are known, and voxels that are noise, to see what a pipeline finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import generator
from probekit.encoding.inputs import Floats, Standardization, check_layers
from probekit.errors import UsageError


@dataclass(frozen=True, eq=False)
class PlantedVoxels:
    """A made voxel population.

    Parameters
    ----------
    responses : array, shape (stimulus, repetition, voxel)
    signal : array, shape (stimulus, voxel)
        The responses without noise: mean 0 and variance 1 over stimuli, or 0 for noise voxels.
    layer_index : array of int, shape (voxel,)
        Layer that the voxel is a mixture of; −1 for noise voxels.
    areas : array of str, shape (voxel,)
        "area 1" … in the order of the layers; a layer's voxels are all of one area. Noise voxels have areas too.
    order : tuple of str
        The areas, first to last.
    """

    responses: Floats
    signal: Floats
    layer_index: npt.NDArray[np.int64]
    areas: npt.NDArray[np.str_]
    order: tuple[str, ...]


def planted_voxels(
    features: Mapping[str, npt.ArrayLike],
    *,
    n_voxels_per_layer: int = 100,
    noise: float = 1.0,
    n_areas: int = 4,
    n_repetitions: int = 2,
    seed: int = 0,
) -> PlantedVoxels:
    """Return voxels that are each a random mixture of the features of one layer, with noise.

    Parameters
    ----------
    features : mapping of str to array, shape (stimulus, feature)
        Layer → features, in the order of depth.
    n_voxels_per_layer : int
    noise : float
        Standard deviation of the noise of one repetition, with a signal of 1; Gaussian and independent.
    n_areas : int
        1 … number of layers: neighbouring layers share an area, as evenly as can be.
    n_repetitions : int
    seed : int

    Raises
    ------
    UsageError
        If the features are refused, a layer is constant, or a number is out of its range.
    """
    given = check_layers(features)
    if not 1 <= n_areas <= len(given):
        raise UsageError(f"n_areas is {n_areas}; {len(given)} layers allow 1 … {len(given)}.")
    if n_voxels_per_layer < 1:
        raise UsageError(f"n_voxels_per_layer is {n_voxels_per_layer}; expected at least 1.")
    rng = generator(seed)
    signal = np.concatenate(
        [_mixtures(layer, columns, n_voxels_per_layer, rng) for layer, columns in given.items()], axis=1
    )
    layer_index = np.repeat(np.arange(len(given)), n_voxels_per_layer)
    return _measured(signal, layer_index, layer_index * n_areas // len(given), noise, n_repetitions, rng)


def null_voxels(
    n_stimuli: int,
    *,
    n_voxels: int = 100,
    noise: float = 1.0,
    n_areas: int = 4,
    n_repetitions: int = 2,
    seed: int = 0,
) -> PlantedVoxels:
    """Return voxels that are noise alone, for which nothing should be found.

    Parameters
    ----------
    n_stimuli : int
    n_voxels : int
        `n_areas` or more, shared by the areas as evenly as can be.
    noise : float
        Standard deviation of one repetition.
    n_areas, n_repetitions, seed
        As in `planted_voxels`.

    Raises
    ------
    UsageError
        If a number is out of its range.
    """
    if n_stimuli < 1 or not 1 <= n_areas <= n_voxels:
        raise UsageError(
            f"n_stimuli is {n_stimuli}, n_areas {n_areas} and n_voxels {n_voxels}; expected 1 or more, and no more "
            "areas than voxels."
        )
    nothing = np.full(n_voxels, -1)
    area = np.arange(n_voxels) * n_areas // n_voxels
    rng = generator(seed)
    return _measured(np.zeros((n_stimuli, n_voxels)), nothing, area, noise, n_repetitions, rng)


def _mixtures(layer: str, columns: Floats, n_voxels: int, rng: np.random.Generator) -> Floats:
    standardized = Standardization.of(columns).apply(columns)
    mixed = standardized @ rng.normal(size=(columns.shape[1], n_voxels))
    if not mixed.any():
        raise UsageError(f"features['{layer}'] are constant over the stimuli; no voxel can be planted there.")
    return Standardization.of(mixed).apply(mixed)


def _measured(
    signal: Floats,
    layer_index: npt.NDArray[np.int64],
    area: npt.NDArray[np.int64],
    noise: float,
    n_repetitions: int,
    rng: np.random.Generator,
) -> PlantedVoxels:
    if not noise >= 0 or n_repetitions < 1:
        raise UsageError(f"noise is {noise} and n_repetitions {n_repetitions}; expected 0 or more, and 1 or more.")
    shape = (signal.shape[0], n_repetitions, signal.shape[1])
    order = tuple(f"area {number + 1}" for number in range(int(area.max()) + 1))
    return PlantedVoxels(
        responses=signal[:, None] + noise * rng.normal(size=shape),
        signal=signal,
        layer_index=layer_index,
        areas=np.array(order)[area],
        order=order,
    )
