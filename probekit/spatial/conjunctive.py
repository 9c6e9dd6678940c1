"""Place and heading together: which of the two a unit follows, where the path ties one to the other.

An animal faces walls that it runs to, so that heading is sampled unevenly in every place. A pure place cell then seems
tuned to heading, and a pure head-direction cell to place. Here both are seen in one table of place by heading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

from probekit.arguments import Floats, instance, real, whole
from probekit.errors import UsageError
from probekit.navigation import Tracking
from probekit.spatial.heading import bin_headings
from probekit.spatial.rate_maps import Bins, bin_samples
from probekit.spatial.signed import require_rates


@dataclass(frozen=True, eq=False)
class PlaceByHeading:
    """Activity of many units in each bin of place and heading.

    Parameters
    ----------
    rates : array, shape (unit, place, heading)
        Mean activity; nan where never. Places are the bins of a map, row by row.
    occupancy : array, shape (place, heading)
        Seconds; 0 where `rates` is nan.
    map_shape : (int, int)
        Bins of place along y and x.
    """

    rates: Floats
    occupancy: Floats
    map_shape: tuple[int, int]


@dataclass(frozen=True, eq=False)
class FactorialModel:
    """Activity as a product of one factor of place and one of heading.

    Each share is of the deviance that place by heading could explain at most; 0 … 1, and nan for a unit whose table is
    flat.

    Parameters
    ----------
    place : array, shape (unit, y, x)
        Factor of place in the units of the activity: the rate map as it would be with all headings faced alike. nan
        where never visited, 0 where visited with silent headings only.
    heading : array, shape (unit, heading)
        Factor of heading in the units of the activity, likewise.
    by_place, by_heading, by_both : array, shape (unit,)
        Share explained by place alone, by heading alone, and by the product.
    place_given_heading, heading_given_place : array, shape (unit,)
        What the product explains beyond heading alone, and beyond place alone: what the path cannot feign. Both are
        above 0 for any unit, as each factor fits some noise. Their null is activity shifted in time against place and
        heading together (`shifted_rows`, `activity[rows]`): then 5 % of noise is significant, also of slow noise. It is
        far more if headings alone are shifted, which changes how they go with places.
    converged : bool array, shape (unit,)
        Whether the fit came to rest.
    """

    place: Floats
    heading: Floats
    by_place: Floats
    by_heading: Floats
    by_both: Floats
    place_given_heading: Floats
    heading_given_place: Floats
    converged: np.ndarray


@dataclass(frozen=True, eq=False)
class Distributive:
    """Directional tuning beside the one that place and the path alone predict.

    Parameters
    ----------
    observed, predicted : array, shape (unit, heading)
        Tuning to heading, in the units of the activity; nan where never faced.
    ratio : array, shape (unit,)
        Mean of |ln((1 + observed) / (1 + predicted))| over the headings; 0: tuning is place and path alone. It depends
        on the units of the activity; those of the paper are spikes/s.
    explained : array, shape (unit,)
        Share of the variance of the observed tuning over headings, weighted by time, that the prediction explains: 1 at
        best, below 0 if a flat line does better, nan for flat tuning. It does not depend on the units of the activity.
    """

    observed: Floats
    predicted: Floats
    ratio: Floats
    explained: Floats


def place_by_heading(
    activity: Any, tracking: Tracking, *, n_bins: int = 10, n_headings: int = 12, samples: Any = None
) -> PlaceByHeading:
    """Return the mean activity of units in each bin of place and heading.

    Parameters
    ----------
    activity : array, shape (sample, unit)
        Spikes/s of neurons, or any finite numbers.
    tracking : Tracking
        With headings; samples that were not tracked, or whose heading is not known, are left out.
    n_bins : int
        Bins of place along the arena's longer side. Within wide bins place goes on to tell of heading; narrow ones are
        visited with few headings.
    n_headings : int
    samples : array, optional
        Which samples are used, as `bin_samples` takes them. Default: all.

    Raises
    ------
    NotApplicableError
        If the tracking has no headings.
    UsageError
        If arguments do not fit, or no sample is left.
    """
    bins, map_shape = bin_places_and_headings(tracking, n_bins=n_bins, n_headings=n_headings, samples=samples)
    return PlaceByHeading(bins.maps(activity), bins.occupancy, map_shape)


def bin_places_and_headings(
    tracking: Tracking, *, n_bins: int = 10, n_headings: int = 12, samples: Any = None
) -> tuple[Bins, tuple[int, int]]:
    """Return in which bin of place and heading each sample lies, and the bins of place along y and x.

    Parameters and errors are those of `place_by_heading`; `Bins.shifted` for a null.

    Returns
    -------
    bins : Bins
        Of shape (place, heading).
    map_shape : (int, int)
    """
    place, heading = bin_samples(tracking, n_bins, samples=samples), bin_headings(tracking, n_headings, samples=samples)
    n_places = place.shape[0] * place.shape[1]
    both = (place.index >= 0) & (heading.index >= 0)
    index = np.where(both, place.index * n_headings + heading.index, -1)
    return Bins(index, (n_places, n_headings), tracking.dt), place.shape


def factorial_model(table: PlaceByHeading, *, max_steps: int = 500, tolerance: float = 1e-7) -> FactorialModel:
    """Return the most likely product of a place map and a heading curve, if activity were Poisson counts.

    The two factors are fitted in turns: each bin's factor is its activity over the time spent there, each moment
    counted by the other factor. For activity that is no count the fit is the same, and makes the sums over each place
    and over each heading right; the deviance then is a distance and no likelihood.

    Parameters
    ----------
    table : PlaceByHeading
        Of rates, at least 0 (signed activity: `nonnegative`).
    max_steps : int
    tolerance : float
        The fit of a unit rests when no heading's factor moves by more than this share of the largest.

    Raises
    ------
    UsageError
        If rates are negative or options are out of range.

    References
    ----------
    Burgess, Cacucci, Lever & O'Keefe 2005, Hippocampus 15:149, doi:10.1002/hipo.20058; Cacucci et al. 2004, J Neurosci
    24:8265, doi:10.1523/JNEUROSCI.2635-04.2004

    Examples
    --------
    >>> rates = np.array([[[1.0, 2.0], [3.0, 6.0]]])  # heading doubles the rate, place triples it
    >>> model = factorial_model(PlaceByHeading(rates, np.array([[1.0, 3.0], [2.0, 1.0]]), (1, 2)))
    >>> model.by_both.round(6).tolist(), (model.heading[0, 1] / model.heading[0, 0]).round(4)
    ([1.0], np.float64(2.0))
    """
    tolerance = real("tolerance", tolerance, "a share above 0", above=0)
    sums, time = _sums(table)
    total = sums.sum((1, 2))
    place, heading, converged = _fitted(sums, time, whole("max_steps", max_steps, 1), tolerance)
    model = place[:, :, None] * heading[:, None]
    flat = np.broadcast_to((total / time.sum())[:, None, None], sums.shape)
    by_one = _ratio(sums.sum(2), time.sum(1))[:, :, None], _ratio(sums.sum(1), time.sum(0))[:, None, :]
    table_itself = _likelihood(sums, _ratio(sums, time), time)
    least, alone_p, alone_h, both = (
        _likelihood(sums, np.broadcast_to(rates, sums.shape), time) for rates in (flat, *by_one, model)
    )
    range_ = table_itself - least
    varies = range_ > 1e-9 * np.maximum(total, np.finfo(float).tiny)
    by_place, by_heading, by_both, beyond_h, beyond_p = (
        np.divide(gain, range_, out=np.full(len(sums), np.nan), where=varies)
        for gain in (alone_p - least, alone_h - least, both - least, both - alone_h, both - alone_p)
    )
    faced = np.where(time.sum(0) > 0, heading, np.nan)
    visited = np.where(time.sum(1) > 0, place, np.nan).reshape(-1, *table.map_shape)
    scale = _scales(total, time, place, heading)
    return FactorialModel(
        visited * scale[0][:, None, None],
        faced * scale[1][:, None],
        by_place,
        by_heading,
        by_both,
        beyond_h,
        beyond_p,
        converged,
    )


def distributive(table: PlaceByHeading) -> Distributive:
    """Return how far the directional tuning of units is what place and the path alone give.

    The distributive hypothesis: firing knows the place only, whatever the heading. The rate at a heading is then that
    of the places where it was faced, weighted by the time spent so.

    Parameters
    ----------
    table : PlaceByHeading
        Of rates, at least 0 (signed activity: `nonnegative`).

    Raises
    ------
    UsageError
        If rates are negative.

    References
    ----------
    Muller, Bostock, Taube & Kubie 1994, J Neurosci 14:7235, doi:10.1523/JNEUROSCI.14-12-07235.1994

    Examples
    --------
    >>> rates, time = np.array([[[4.0, 4.0], [0.0, 0.0]]]), np.array([[3.0, 1.0], [1.0, 3.0]])
    >>> found = distributive(PlaceByHeading(rates, time, (1, 2)))
    >>> found.observed.tolist(), found.ratio.tolist(), found.explained.tolist()
    ([[3.0, 1.0]], [0.0], [1.0])
    """
    sums, time = _sums(table)
    faced = time.sum(0)
    known = faced > 0
    observed = np.where(known, _ratio(sums.sum(1), faced), np.nan)
    by_place = _ratio(sums.sum(2), time.sum(1))
    predicted = np.where(known, _ratio(by_place @ time, faced), np.nan)
    away = np.abs(np.log1p(observed[:, known]) - np.log1p(predicted[:, known]))
    weights = faced[known] / faced.sum()
    spread = ((observed[:, known] - (observed[:, known] @ weights)[:, None]) ** 2) @ weights
    left = ((observed[:, known] - predicted[:, known]) ** 2) @ weights
    varies = spread > 1e-18 * (observed[:, known] ** 2) @ weights
    unexplained = np.divide(left, spread, out=np.full(len(left), np.nan), where=varies)
    return Distributive(observed, predicted, away.mean(1), 1 - unexplained)


def _sums(table: PlaceByHeading) -> tuple[Floats, Floats]:
    time = instance("table", table, PlaceByHeading).occupancy
    rates = require_rates("rates", table.rates)
    if rates.ndim != 3 or rates.shape[1:] != time.shape or math.prod(table.map_shape) != len(time):
        raise UsageError(
            f"rates have shape {rates.shape}, occupancy {time.shape}, the map {table.map_shape}; expected "
            "(unit, place, heading), (place, heading) and as many bins as places."
        )
    return np.where(time > 0, rates, 0) * time, time


def _fitted(sums: Floats, time: Floats, max_steps: int, tolerance: float) -> tuple[Floats, Floats, np.ndarray]:
    """Return the factors of place and of heading, the largest of the latter 1, and which units came to rest."""
    of_place, of_heading = sums.sum(2), sums.sum(1)
    heading = np.ones(of_heading.shape)
    moving = np.ones(len(sums), dtype=np.bool_)
    for _ in range(max_steps):
        place = _ratio(of_place[moving], heading[moving] @ time.T)
        after = _ratio(of_heading[moving], place @ time)
        largest = after.max(1, keepdims=True)
        after = np.divide(after, largest, out=np.zeros_like(after), where=largest > 0)
        step = np.abs(after - heading[moving]).max(1)
        heading[moving] = after
        moving[moving] = step > tolerance
        if not moving.any():
            break
    return _ratio(of_place, heading @ time.T), heading, ~moving


def _scales(total: Floats, time: Floats, place: Floats, heading: Floats) -> tuple[Floats, Floats]:
    """Return what brings each factor, alone over the whole path, to the activity that there was."""
    return _ratio(total, place @ time.sum(1)), _ratio(total, heading @ time.sum(0))


def _ratio(above: Floats, below: Floats) -> Floats:
    shape = np.broadcast_shapes(above.shape, below.shape)
    return np.divide(above, below, out=np.zeros(shape), where=np.broadcast_to(below > 0, shape))


def _likelihood(sums: Floats, rates: Floats, time: Floats) -> Floats:
    """Return the log likelihood of Poisson sums but for a constant, shape (unit,)."""
    return np.asarray((xlogy(sums, np.where(sums > 0, rates, 1)) - rates * time).sum((1, 2)), dtype=np.float64)
