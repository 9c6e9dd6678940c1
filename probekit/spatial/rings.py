"""Correlations of autocorrelograms with their rotated selves inside rings, each unit with rings of its own."""

from __future__ import annotations

from typing import Literal

import numpy as np

from probekit.arguments import Floats

_FLAT = 1e-12
"""Variance of correlations in a ring below which it counts as constant."""


def ring_correlations(
    plain: Floats,
    rotated: Floats,
    radius: Floats,
    *,
    inner: Floats,
    outer: Floats,
    last: Literal["closed", "open"] = "closed",
) -> Floats:
    """Return the Pearson correlation of plain and rotated bins inside each ring.

    Parameters
    ----------
    plain : array (bin, unit)
    rotated : array (angle, bin, unit)
    radius : array (bin,)
        Growing.
    inner : array (unit,)
        Bins count that are further away than this.
    outer : array (ring, unit)
        And up to this; nan for no ring.
    last : {"closed", "open"}
        Whether bins at `outer` itself belong to the ring.

    Returns
    -------
    array (angle, ring, unit)
        -1 … 1; nan where there is no ring, it is empty, or constant.

    Examples
    --------
    >>> plain = np.array([[9.0], [1.0], [2.0], [4.0]])
    >>> edges = {"inner": np.array([0.5]), "outer": np.array([[3.0]])}
    >>> ring_correlations(plain, -plain[None], np.arange(4.0), **edges).round(6).tolist()
    [[[-1.0]]]
    """
    none = np.isnan(inner + outer)
    first = np.searchsorted(radius, np.where(none, 0.0, inner), side="right")
    end = np.searchsorted(radius, np.where(none, 0.0, outer), side="right" if last == "closed" else "left")
    end = np.maximum(end, first)
    units = np.arange(plain.shape[-1])

    def sums(values: Floats) -> Floats:
        total = np.zeros((*values.shape[:-2], values.shape[-2] + 1, values.shape[-1]))
        np.cumsum(values, axis=-2, out=total[..., 1:, :])
        found: Floats = total[..., end, units] - total[..., first, units]
        return found

    n = np.where(none | (end - first < 2), np.nan, end - first)
    mean, mean_rotated = sums(plain) / n, sums(rotated) / n
    variance = sums(plain**2) / n - mean**2
    variance_rotated = sums(rotated**2) / n - mean_rotated**2
    covariance = sums(plain * rotated) / n - mean * mean_rotated
    constant = ~((variance > _FLAT) & (variance_rotated > _FLAT))
    found: Floats = covariance / np.sqrt(np.where(constant, np.nan, variance * variance_rotated))
    return found


def ring_means(values: Floats, radius: Floats, edges: Floats) -> Floats:
    """Return means inside rings that all units share and that begin at the same edge.

    Parameters
    ----------
    values : array (..., bin, unit)
    radius : array (bin,)
        Growing.
    edges : array (1 + ring,)
        The inner edge, whose bins do not belong to the rings, and the outer ones, whose bins do; growing.

    Returns
    -------
    array (..., ring, unit)

    Examples
    --------
    >>> ring_means(np.array([[9.0], [1.0], [2.0], [4.0]]), np.arange(4.0), np.array([0.0, 2.0, 3.0])).tolist()
    [[1.5], [2.3333333333333335]]
    """
    first, *ends = np.searchsorted(radius, edges, side="right")
    sums = np.add.reduceat(values[..., : ends[-1], :], [first, *ends[:-1]], axis=-2)
    found: Floats = sums.cumsum(-2) / np.subtract(ends, first)[:, None]
    return found
