"""The control of every gridness: random sums of a place code, which nobody trained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from probekit.arguments import generator
from probekit.navigation import Arena, Navigation, PlaceCells, Tracking

_N_CELLS, _SIGMA_SHARE = 512, 0.12 / 2.2
_AT_ONCE = 20_000


def random_readout(
    tracking: Tracking, n_units: int, *, place_code: Callable[[Tensor], Tensor] | None = None, seed: int = 0
) -> Navigation:
    """Return rectified random sums of a place code along a path, as layer "place code".

    Each unit has a normally distributed weight for every cell; the code is taken minus its mean over the path.

    Parameters
    ----------
    tracking : Tracking
    n_units : int
    place_code : callable, optional
        Positions, shape (sample, 2), m → activity of cells, shape (sample, cell). Default: differences of Gaussians of
        512 place cells, as wide as those of grid-rnn in relation to the arena.
    seed : int
    """
    code = place_code or _default_code(tracking.arena)
    places = torch.from_numpy(np.nan_to_num(tracking.positions)).float()
    parts = [code(part) for part in torch.split(places, _AT_ONCE)]
    mean = torch.stack([part.sum(0) for part in parts]).sum(0) / len(places)
    drawn = generator(seed).standard_normal((len(mean), n_units))
    weights = torch.from_numpy(drawn).float()
    units = torch.cat([((part - mean) @ weights).relu() for part in parts])
    return Navigation(tracking, {"place code": (units / units.std()).numpy()})


def _default_code(arena: Arena) -> Callable[[Tensor], Tensor]:
    sigma = _SIGMA_SHARE * max(arena.width, arena.height)
    return PlaceCells.random(arena, _N_CELLS, sigma, "difference_of_gaussians").activity
