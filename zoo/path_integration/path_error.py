"""How far a network is from where it says that it is."""

from __future__ import annotations

import numpy as np
import torch

from probekit.arguments import Floats
from probekit.navigation import Motion, Paths, random_walk
from probekit.zoo.path_integration.architecture import PathIntegrator

_HELD_OUT_SEED = 2**31
"""Of the paths that every network is examined on; no training draws from it."""


def held_out_paths(module: PathIntegrator, motion: Motion, n_paths: int, n_steps: int) -> Paths:
    """Return paths that no training has seen."""
    return random_walk(module.design.arena, motion, n_paths, n_steps, seed=_HELD_OUT_SEED)


@torch.no_grad()
def path_error(module: PathIntegrator, paths: Paths) -> Floats:
    """Return the mean distance between decoded and true position at each step, shape (time,), m; leaves eval mode."""
    module.eval()
    device = next(module.parameters()).device
    said = module.decode(module(module.encode(paths).to(device))).cpu().numpy()
    return np.asarray(np.linalg.norm(said - paths.positions[:, 1:], axis=-1).mean(0))
