"""Ensembles of cells that know the place or the heading: what networks are given, and what they are to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from probekit.arguments import floats, generator, instance, real, whole
from probekit.errors import UsageError
from probekit.navigation.arena import Arena

Tuning = Literal["gaussian", "difference_of_gaussians"]
_TUNINGS = ("gaussian", "difference_of_gaussians")
_SURROUND = 2.0
"""Variance of the surround of a difference of Gaussians, over that of the centre."""


@dataclass(frozen=True, eq=False)
class PlaceCells:
    r"""Cells with one field each; their activities add up to 1.

    With d the distance to a cell's centre, "gaussian" is the softmax over cells of :math:`-d^2 / 2\sigma^2`;
    "difference_of_gaussians" takes from it the same with twice the variance, shifts the least to 0 and divides by the
    sum.

    Parameters
    ----------
    centres : Tensor, shape (cell, 2)
        m.
    sigma : Tensor, shape (cell,)
        Width of each field, m.
    tuning : {"gaussian", "difference_of_gaussians"}

    References
    ----------
    Banino et al. 2018, Nature 557:429, doi:10.1038/s41586-018-0102-6;
    Sorscher et al. 2023, Neuron 111:121, doi:10.1016/j.neuron.2022.10.003
    """

    centres: Tensor
    sigma: Tensor
    tuning: Tuning = "gaussian"

    @classmethod
    def random(
        cls,
        arena: Arena,
        n: int,
        sigma: float | tuple[float, ...],
        tuning: Tuning = "gaussian",
        *,
        seed: int = 0,
    ) -> PlaceCells:
        """Return `n` cells at random places; of several widths, each cell has one, in turn.

        Raises
        ------
        UsageError
            If a width is not above 0, or there is no such tuning.
        """
        whole("n", n, 1)
        widths = floats("sigma", sigma).ravel()
        if not widths.size or not (np.isfinite(widths) & (widths > 0)).all():
            raise UsageError(f"sigma is {sigma}; expected metres, above 0.")
        if not isinstance(tuning, str) or tuning not in _TUNINGS:
            raise UsageError(f"tuning is {tuning!r}; expected one of {', '.join(_TUNINGS)}.")
        instance("arena", arena, Arena)
        centres = torch.from_numpy(arena.uniform(n, generator(seed))).float()
        return cls(centres, torch.tensor(np.resize(widths, n), dtype=torch.float32), tuning)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.centres)

    def to(self, device: torch.device) -> PlaceCells:
        """Return the same cells on a device."""
        return PlaceCells(self.centres.to(device), self.sigma.to(device), self.tuning)

    def activity(self, positions: Tensor) -> Tensor:
        """Return the activity of each cell at positions of shape (…, 2), m; shape (…, cell), sums of 1."""
        if instance("positions", positions, Tensor).shape[-1:] != (2,):
            raise UsageError(f"positions have shape {tuple(positions.shape)}; expected (…, 2), m.")
        squared = _squared(positions, self.centres)
        centre = (-squared / (2 * self.sigma.square())).softmax(-1)
        if self.tuning == "gaussian":
            return centre
        surround = (-squared / (2 * _SURROUND * self.sigma.square())).softmax(-1)
        difference = centre - surround
        shifted = difference - difference.amin(-1, keepdim=True)
        return shifted / shifted.sum(-1, keepdim=True)

    def decode(self, activity: Tensor, n_best: int = 3) -> Tensor:
        """Return the mean centre of the most active cells, shape (…, 2), m, of activity or scores (…, cell)."""
        whole("n_best", n_best, 1)
        if len(self) < n_best or instance("activity", activity, Tensor).shape[-1:] != (len(self),):
            raise UsageError(
                f"activity has shape {tuple(activity.shape)}, n_best is {n_best}; expected (…, {len(self)}), one for "
                "each cell, and at most as many."
            )
        return self.centres[activity.topk(n_best, -1).indices].mean(-2)


@dataclass(frozen=True, eq=False)
class HeadDirectionCells:
    r"""Cells with one preferred heading each: the softmax over cells of :math:`\kappa \cos(\theta - \mu)`.

    Parameters
    ----------
    preferred : Tensor, shape (cell,)
        rad.
    kappa : float
        Concentration.
    """

    preferred: Tensor
    kappa: float = 20.0

    @classmethod
    def random(cls, n: int, kappa: float = 20.0, *, seed: int = 0) -> HeadDirectionCells:
        """Return `n` cells with random preferred headings."""
        kappa = real("kappa", kappa, "a concentration, at least 0", least=0)
        drawn = generator(seed).uniform(-np.pi, np.pi, whole("n", n, 1))
        return cls(torch.from_numpy(drawn).float(), kappa)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.preferred)

    def activity(self, headings: Tensor) -> Tensor:
        """Return the activity of each cell at headings of shape (…), rad; shape (…, cell), sums of 1."""
        return (self.kappa * (instance("headings", headings, Tensor)[..., None] - self.preferred).cos()).softmax(-1)


def _squared(positions: Tensor, centres: Tensor) -> Tensor:
    """Return squared distances by one matrix product."""
    both = positions.square().sum(-1, keepdim=True) + centres.square().sum(-1)
    return (both - 2 * positions @ centres.T).clamp_min(0)
