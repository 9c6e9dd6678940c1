"""Encoding models: how well the features of a network's layers predict measured responses, target by target.

A layer's features are an array (stimulus, feature), several layers a mapping of names to such arrays; targets, such as
voxels or neurons, are (stimulus, target) or (stimulus, repetition, target). Whatever is chosen, such as a penalty or a
layer, is chosen by cross-validation on the stimuli that are given to the fit.
"""

from __future__ import annotations

from probekit.encoding.assignment import LayerAssignment, assign_layers
from probekit.encoding.banded import Band, BandedModel, fit_banded
from probekit.encoding.ceiling import noise_ceiled
from probekit.encoding.gradient import Gradient, layer_gradient
from probekit.encoding.partition import Partition, commonalities, variance_partition
from probekit.encoding.planted import PlantedVoxels, null_voxels, planted_voxels
from probekit.encoding.pls import PLSModel, fit_pls
from probekit.encoding.reduction import Reduction, fit_reduction, recording_features
from probekit.encoding.ridge import RidgeModel, fit_ridge
from probekit.encoding.scores import pearson_per_target, permutation_p, r2_per_target, r2_split, score_table

__all__ = [
    "Band",
    "BandedModel",
    "Gradient",
    "LayerAssignment",
    "PLSModel",
    "Partition",
    "PlantedVoxels",
    "Reduction",
    "RidgeModel",
    "assign_layers",
    "commonalities",
    "fit_banded",
    "fit_pls",
    "fit_reduction",
    "fit_ridge",
    "layer_gradient",
    "noise_ceiled",
    "null_voxels",
    "pearson_per_target",
    "permutation_p",
    "planted_voxels",
    "r2_per_target",
    "r2_split",
    "recording_features",
    "score_table",
    "variance_partition",
]
