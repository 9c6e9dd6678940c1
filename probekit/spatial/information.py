"""What the activity of a unit tells about the place, in terms of rates.

Measures of maps take any array (unit, …) with an occupancy of the shape (…): rate maps or tuning curves alike. Of
signed activity, `probekit.spatial.signed.nonnegative` makes rates; `mutual_information` needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from probekit.arguments import Floats, floats, infinite
from probekit.errors import UsageError, check_option
from probekit.spatial.signed import require_rates

Method = Literal["skaggs1993", "opexebo"]


@dataclass(frozen=True, eq=False)
class SpatialInformation:
    """What one spike, and one second of listening, tell about the place; nan for units that are silent.

    Parameters
    ----------
    bits_per_spike : array, shape (unit,)
        From 0, the same for all places; at most log2 of the number of bins where time is evenly spent.
    bits_per_second : array, shape (unit,)
        That times the mean rate. Of network units, whose activity is no rate, it has their unit.
    mean_rate : array, shape (unit,)
        Over the time in all bins.
    """

    bits_per_spike: Floats
    bits_per_second: Floats
    mean_rate: Floats


def spatial_information(maps: Any, occupancy: Any, *, method: Method = "skaggs1993") -> SpatialInformation:
    """Return the spatial information of rate maps.

    I = Σ p (r/r̄) log2(r/r̄) bits a spike, over bins of rate r in which the share p of the time is spent, with
    r̄ = Σ p r. Bins without a rate are left out, of r̄ too. A flat map has 0 bits, also one that is never silent.
    Maps of few samples have too much of it: compare with shifted activity (`Bins.shifted`).

    Parameters
    ----------
    maps : array, shape (unit, …)
        Rates, at least 0; nan where not known.
    occupancy : array, shape (…)
        Seconds, or any measure of time.
    method : {"skaggs1993", "opexebo"}
        "opexebo" takes the logarithm of at least 1, as that package does: bins below the mean rate count 0, which
        overestimates the information of units that are active everywhere.

    Returns
    -------
    SpatialInformation

    Raises
    ------
    UsageError
        If a rate is negative, or the shapes do not fit.

    References
    ----------
    Skaggs, McNaughton, Gothard & Markus 1993, An information-theoretic approach to deciphering the hippocampal code,
    NIPS 5:1030

    Examples
    --------
    >>> spatial_information([[0, 0, 0, 8], [4, 0, 4, 0]], [1, 1, 1, 1]).bits_per_spike.tolist()
    [2.0, 1.0]
    """
    check_option("method", method, ("skaggs1993", "opexebo"))
    rates, share = _rates_and_shares(maps, occupancy)
    mean = (share * rates).sum(1)
    ratio = _over(rates, mean[:, None])
    floor = 1.0 if method == "opexebo" else np.finfo(float).tiny
    bits = np.where(mean > 0, np.maximum((share * ratio * np.log2(np.maximum(ratio, floor))).sum(1), 0), np.nan)
    return SpatialInformation(bits, bits * mean, mean)


def sparsity(maps: Any, occupancy: Any) -> Floats:
    """Return r̄² / Σ p r²: over which share of the floor a unit is active, were it active there evenly.

    Parameters
    ----------
    maps, occupancy
        As `spatial_information` takes them.

    Returns
    -------
    array, shape (unit,)
        Above 0 (one small field) … 1 (flat); nan for silent units.

    Raises
    ------
    UsageError
        If a rate is negative, or the shapes do not fit.

    References
    ----------
    Skaggs, McNaughton, Wilson & Barnes 1996, Hippocampus 6:149,
    doi:10.1002/(SICI)1098-1063(1996)6:2<149::AID-HIPO6>3.0.CO;2-K

    Examples
    --------
    >>> sparsity([[0, 0, 0, 8], [4, 4, 4, 4]], [1, 1, 1, 1]).tolist()
    [0.25, 1.0]
    """
    rates, share = _rates_and_shares(maps, occupancy)
    mean = (share * rates).sum(1, keepdims=True)
    return _over(1.0, (share * _over(rates, mean) ** 2).sum(1))


def selectivity(maps: Any, occupancy: Any) -> Floats:
    """Return the greatest rate over the mean rate.

    Parameters
    ----------
    maps, occupancy
        As `spatial_information` takes them.

    Returns
    -------
    array, shape (unit,)
        1 (flat) … ; nan for silent units.

    Raises
    ------
    UsageError
        If a rate is negative, or the shapes do not fit.

    References
    ----------
    Skaggs, McNaughton, Wilson & Barnes 1996, Hippocampus 6:149,
    doi:10.1002/(SICI)1098-1063(1996)6:2<149::AID-HIPO6>3.0.CO;2-K

    Examples
    --------
    >>> selectivity([[0, 0, 0, 8], [4, 4, 4, 4]], [1, 1, 1, 1]).tolist()
    [4.0, 1.0]
    """
    rates, share = _rates_and_shares(maps, occupancy)
    return _over(np.where(share > 0, rates, 0).max(1, initial=0), (share * rates).sum(1))


def _rates_and_shares(maps: Any, occupancy: Any) -> tuple[Floats, Floats]:
    """Return rates, 0 where not known, and the share of time in each known bin, both (unit, bin)."""
    rates, time = require_rates("maps", maps), floats("occupancy", occupancy)
    if rates.shape[1:] != time.shape or infinite(time) or not (time >= 0).all():
        raise UsageError(
            f"occupancy has shape {time.shape}; expected {rates.shape[1:]}, as the maps have, of numbers from 0."
        )
    rates = rates.reshape(len(rates), -1)
    known = np.isfinite(rates)
    weights = np.where(known, time.ravel(), 0)
    return np.where(known, rates, 0), _over(weights, weights.sum(1, keepdims=True), where_0=0.0)


def _over(numerator: Any, denominator: Floats, *, where_0: float = np.nan) -> Floats:
    shape = np.broadcast_shapes(np.shape(numerator), denominator.shape)
    return np.asarray(np.divide(numerator, denominator, out=np.full(shape, where_0), where=denominator > 0))
