"""Tasks: functions from a network to how well it does, trial by trial, intact or under lesions."""

from probekit.tasks.outputs import cross_entropy, reconstruction
from probekit.tasks.paths import path_integration, position_decoding
from probekit.tasks.readouts import Readout, classification, fit_readout
from probekit.tasks.similarity import similarity
from probekit.tasks.task import Task, trial_scores
from probekit.tasks.under_lesions import AnyTask, all_scores_under, scores_under

__all__ = [
    "AnyTask",
    "Readout",
    "Task",
    "all_scores_under",
    "classification",
    "cross_entropy",
    "fit_readout",
    "path_integration",
    "position_decoding",
    "reconstruction",
    "scores_under",
    "similarity",
    "trial_scores",
]
