"""Is a unit tuned to orientation at all? A permutation test of all units in one matrix product."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_TOLERANCE = 1e-5
"""Of Σ|r|. Single precision rounds a product of a few hundred terms to about 1e-6 of it; less is no tuning."""


def shuffled_vectors(orientations_deg: np.ndarray, n_phases: int, n_permutations: int, seed: int) -> Tensor:
    """Return exp(2iθ) of every grating of one spatial frequency, unshuffled first, then under every shuffle.

    Orientation labels are shuffled within each phase independently, so that under each shuffle every phase keeps its
    responses. The same shuffles serve all units.

    Returns
    -------
    tensor, shape (2 · (1 + n_permutations), orientation · phase)
        Cosines, then sines; phase varies fastest.
    """
    rng = np.random.default_rng(seed)
    n = len(orientations_deg)
    labels = np.broadcast_to(np.arange(n)[:, None], (n_permutations, n, n_phases))
    shuffled = np.concatenate([labels[:1], rng.permuted(labels, axis=1)])
    angle = 2 * np.deg2rad(orientations_deg)[shuffled].reshape(1 + n_permutations, -1)
    return torch.from_numpy(np.concatenate([np.cos(angle), np.sin(angle)]).astype(np.float32))


def permutation_p(responses: Tensor, vectors: Tensor) -> Tensor:
    """Return the permutation p of each unit's orientation tuning.

    The statistic is |Σ r exp(2iθ)| over orientations and phases at one spatial frequency, one-sided;
    p = (1 + shuffles at least as large) / (1 + shuffles), which is never 0 (Phipson & Smyth 2010).

    Parameters
    ----------
    responses : tensor, shape (orientation · phase, unit)
        At a spatial frequency chosen so that a shuffle would choose the same: the test is then exact.
    vectors : tensor
        As `shuffled_vectors` returns.

    Returns
    -------
    tensor, shape (unit,)
        1 / (1 + n_permutations) … 1; a unit whose responses are all equal has 1.

    References
    ----------
    Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585
    """
    cosines, sines = (vectors @ responses).view(2, -1, responses.shape[1])
    power = torch.addcmul(cosines.square(), sines, sines)
    least = (power[0].sqrt() - _TOLERANCE * responses.abs().sum(0)).clamp(min=0).square()
    reached = power[1:].ge_(least).sum(0)  # 1 and 0 in place
    return (1 + reached.double()) / len(power)
