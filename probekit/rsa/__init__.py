"""Representational similarity analysis: RDMs, how alike they are, and how sure one can be."""

from probekit.rsa.bridge import from_rsatoolbox, to_rsatoolbox
from probekit.rsa.ceiling import NoiseCeiling, noise_ceiling
from probekit.rsa.compare import MEASURES, compare
from probekit.rsa.crossvalidated import crossnobis_rdms
from probekit.rsa.distances import DISTANCES, compute_rdms
from probekit.rsa.evaluate import evaluate, resampled_scores
from probekit.rsa.evaluation import Evaluation
from probekit.rsa.kernels import cka, procrustes_angle, procrustes_similarity
from probekit.rsa.movie import rdm_movie
from probekit.rsa.noise import shrunk_covariance
from probekit.rsa.partial import partial_correlation
from probekit.rsa.permutation import label_permutation
from probekit.rsa.rdms import RDMs, from_square, stacked
from probekit.rsa.recorded import recording_rdms
from probekit.rsa.weighted import WeightedCombination, combination_p, weighted_combination

__all__ = [
    "DISTANCES",
    "Evaluation",
    "MEASURES",
    "NoiseCeiling",
    "RDMs",
    "WeightedCombination",
    "cka",
    "combination_p",
    "compare",
    "compute_rdms",
    "crossnobis_rdms",
    "evaluate",
    "from_rsatoolbox",
    "from_square",
    "label_permutation",
    "noise_ceiling",
    "partial_correlation",
    "procrustes_angle",
    "procrustes_similarity",
    "rdm_movie",
    "recording_rdms",
    "resampled_scores",
    "shrunk_covariance",
    "stacked",
    "to_rsatoolbox",
    "weighted_combination",
]
