"""Which units count as selective, in the data and by chance: one rule, applied to both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.analyses.selectivity.contrasts import Bools, Design
from probekit.analyses.selectivity.scores import Responses, Sums, d_prime, welch
from probekit.arguments import Floats
from probekit.stats import benjamini_hochberg

ALPHA = 0.05
SELECTIVE_D_PRIME = 1.0
REPLICATED_D_PRIME = 0.5
"""What is left of it at least, in each half of the stimuli."""

_HELD = 1_000_000
"""Numbers held at once while labels are shuffled."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A contrast, or many shuffles of one, judged by the rule.

    Parameters
    ----------
    d_prime, first, second : array, shape (..., unit)
        Of all stimuli, and of each half.
    t, p, q : array, shape (..., unit)
        q is nan in shuffles in which no unit has the size that is asked for.
    selective : array of bool, shape (..., unit)
    """

    d_prime: Floats
    first: Floats
    second: Floats
    t: Floats
    p: Floats
    q: Floats
    selective: Bools


def judge(responses: Responses, sides: Bools, scrambled: Sums | None) -> Judged:
    """Return the verdicts on contrasts.

    Parameters
    ----------
    responses : Responses
        Of the units of one layer.
    sides : array of bool, shape (..., half, side, stimulus)
        As of `Design.sides` or `Design.shuffled`.
    scrambled : Sums, optional
        Of the scrambled stimuli, to which a selective unit responds less.

    Returns
    -------
    Judged
        A unit is selective with q ≤ .05 (one-sided Welch test, false discovery rate over the units), d′ ≥ 1, d′ ≥ .5
        in each half, and a larger mean response to the preferred than to scrambled stimuli.
    """
    sums = responses.sums(sides)
    halves = [[sums[..., half, side, :] for side in (0, 1)] for half in (0, 1)]
    preferred, against = (halves[0][side] + halves[1][side] for side in (0, 1))
    size, first, second = d_prime(preferred, against), *(d_prime(*half) for half in halves)
    large = (size >= SELECTIVE_D_PRIME) & (np.minimum(first, second) >= REPLICATED_D_PRIME)
    if scrambled is not None:
        large &= preferred.mean > scrambled.mean
    t, p = welch(preferred, against)
    q = _rates(p, large)
    return Judged(size, first, second, t, p, q, large & (q <= ALPHA))


def chosen_by_first_half(responses: Responses, sides: Bools) -> npt.NDArray[np.bool_]:
    """Return which units the first half alone would call selective (q ≤ .05, d′ ≥ 1), shape (unit,)."""
    sums = responses.sums(sides[0])
    _, p = welch(sums[0], sums[1])
    return np.asarray((benjamini_hochberg(p) <= ALPHA) & (d_prime(sums[0], sums[1]) >= SELECTIVE_D_PRIME))


def counts_by_chance(
    responses: Responses,
    design: Design,
    contrast: int,
    scrambled: Sums | None,
    n_shuffles: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int_]:
    """Return how many units are selective with shuffled labels, shape (shuffle,)."""
    sides = design.shuffled(contrast, n_shuffles, rng)
    step = max(1, _HELD // (4 * max(responses.centred.shape[1], 1)))
    found = [
        judge(responses, sides[at : at + step], scrambled).selective.sum(axis=-1) for at in range(0, n_shuffles, step)
    ]
    return np.concatenate(found)


def _rates(p: Floats, large: Bools) -> Floats:
    """Return the false discovery rates over units; of many shuffles, only where a unit is large enough to matter."""
    if p.ndim == 1:
        return benjamini_hochberg(p)
    q = np.full(p.shape, np.nan)
    for shuffle in np.flatnonzero(large.any(axis=-1)):
        q[shuffle] = benjamini_hochberg(p[shuffle])
    return q
