"""Mutual information of the place and the level of activity, which may be signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from probekit.arguments import Floats, generator, infinite, instance, whole
from probekit.errors import UsageError, check_option
from probekit.spatial.rate_maps import Bins, checked_activity

Bias = Literal["miller-madow", "shift"]

_BLOCK = 16_000_000
"""Numbers of which quantiles are taken at once."""


@dataclass(frozen=True, eq=False)
class MutualInformation:
    """Mutual information of the level of activity and the bin of the place, in bits a sample.

    Parameters
    ----------
    bits : array, shape (unit,)
        As counted: few samples make it too large. 0 for a constant unit.
    bias : array, shape (unit,)
        By how much, as estimated.
    """

    bits: Floats
    bias: Floats

    @property
    def corrected(self) -> Floats:
        """What is left without the bias, shape (unit,); around 0, also below, for a unit that tells nothing."""
        return np.asarray(self.bits - self.bias, dtype=np.float64)


def mutual_information(
    activity: Any, bins: Bins, *, n_levels: int = 4, bias: Bias = "shift", n_shifts: int = 20, seed: int = 0
) -> MutualInformation:
    """Return the mutual information of place and activity, which may be signed.

    Activity is cut at its own quantiles into levels that are as even as equal values allow: any growing function of it
    has the same information. Spikes that are mostly none have fewer levels.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        Finite numbers.
    bins : Bins
        Of `bin_samples`.
    n_levels : int
        At least 2. More need more samples.
    bias : {"shift", "miller-madow"}
        "shift": the mean over `n_shifts` circular shifts of the activity by random steps, which keeps its slowness;
        "miller-madow": (Σ (levels met in a bin − 1) − (levels met − 1)) / (2 n ln 2), which takes all n samples for
        independent, and along a path they are not; it is also too small with few samples a bin.
    n_shifts : int
        At least 1; each is by 1/20 to 19/20 of the samples.
    seed : int
        Of the shifts.

    Returns
    -------
    MutualInformation

    Raises
    ------
    UsageError
        If arguments do not fit, activity is not finite, or fewer than 40 samples are there to shift.

    References
    ----------
    Panzeri & Treves 1996, Network 7:87, doi:10.1080/0954898X.1996.11978656 (the bias, there with an estimate of the
    levels possible in a bin)
    """
    check_option("bias", bias, ("miller-madow", "shift"))
    values = checked_activity(activity, instance("bins", bins, Bins).index)
    n_levels, n_used = whole("n_levels", n_levels, 2), int((bins.index >= 0).sum())
    steps = _random_steps(n_used, whole("n_shifts", n_shifts, 1), seed) if bias == "shift" else np.zeros(0, dtype=int)
    parts = []
    for part in _unit_parts(values):
        above = _above_quantiles(values[:, part], bins.index >= 0, n_levels)
        counts = _level_counts(above, bins)
        found = _bits(counts)
        if bias == "shift":
            subtracted = np.mean([_bits(_level_counts(above, bins.shifted(int(step)))) for step in steps], 0)
        else:
            subtracted = _miller_madow(counts)
        parts.append((found, subtracted))
    found, subtracted = (np.concatenate(each) for each in zip(*parts, strict=True))
    return MutualInformation(found, subtracted)


def _random_steps(n_used: int, n_shifts: int, seed: int) -> np.ndarray:
    if n_used < 40:
        raise UsageError(f"bins hold {n_used} samples; expected at least 40 for shifts.")
    return generator(seed).integers(n_used // 20, n_used - n_used // 20, n_shifts)


def _unit_parts(values: np.ndarray) -> Iterator[slice]:
    size = max(1, _BLOCK // len(values))
    return (slice(start, start + size) for start in range(0, values.shape[1], size))


def _above_quantiles(values: np.ndarray, used: np.ndarray, n_levels: int) -> list[np.ndarray]:
    """Return for each inner quantile which samples lie above; equal values go where the share is nearest."""
    known = values[used]
    if infinite(known) or np.isnan(known).any():
        raise UsageError("activity holds nan or infinite values; expected finite numbers.")
    shares = np.arange(1, n_levels) / n_levels
    ranks = -(-np.arange(1, n_levels) * len(known) // n_levels) - 1
    cuts = np.partition(np.ascontiguousarray(known.T), ranks, axis=1)[:, ranks].T
    above = []
    for share, cut in zip(shares, cuts, strict=True):
        lower, upper = (known < cut).mean(0), (known <= cut).mean(0)
        with_equal = np.abs(lower - share) < np.abs(upper - share)
        above.append((values > cut) | ((values == cut) & with_equal))
    return above


def _level_counts(above: list[np.ndarray], bins: Bins) -> Floats:
    """Return samples by level, unit and bin."""
    counts = bins.counts.ravel()
    visited = counts > 0
    in_bins = counts[visited]
    at_least = [np.broadcast_to(in_bins, (above[0].shape[1], len(in_bins)))]
    for higher in above:
        shares = bins.maps(higher).reshape(higher.shape[1], -1)[:, visited]
        at_least.append(np.rint(shares * in_bins))
    return -np.diff([*at_least, np.zeros_like(at_least[0])], axis=0)


def _bits(counts: Floats) -> Floats:
    """I = H(level) + H(bin) − H(level, bin), of counts (level, unit, bin)."""
    joint = _entropy(counts.transpose(1, 0, 2).reshape(counts.shape[1], -1))
    found = _entropy(counts.sum(2).T) + _entropy(counts.sum(0)) - joint
    return np.asarray(np.maximum(found, 0), dtype=np.float64)


def _entropy(counts: Floats) -> Floats:
    p = counts / counts.sum(1, keepdims=True)
    return np.asarray(-(p * np.log2(np.where(p > 0, p, 1))).sum(1), dtype=np.float64)


def _miller_madow(counts: Floats) -> Floats:
    in_bins = (counts > 0).sum(0)
    levels = (counts.sum(2) > 0).sum(0)
    total = counts.sum((0, 2))
    return np.asarray(((in_bins - 1).sum(1) - (levels - 1)) / (2 * total * np.log(2)), dtype=np.float64)
