"""Do deeper layers go with higher areas: Kendall's tau over probes and the layers that count for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from probekit.rsa.bootstrap import draw_counts

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int_]
ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Alignment:
    """How layers and areas go together.

    Parameters
    ----------
    tau : float
        Kendall's tau-b over all (area, layer) of which a probe in the area counts for the layer, −1 … 1; nan where
        these are of one area or one layer only.
    low, high : float
        95 % percentile interval over people.
    p : float
        One-sided, over exchanges of a person's areas.
    formula_p : float
        Two-sided, by the formula that takes each (area, layer) for an independent observation.
    false_share : float
        In how many exchanges of areas, after which there is nothing to be found, `formula_p` is below 0.05.
    n_pairs : int
        Number of (area, layer).
    n_exchanges : int
        Behind `p` and `false_share`.
    drawn : array, shape (resample,)
        tau in each resample of people.
    """

    tau: float
    low: float
    high: float
    p: float
    formula_p: float
    false_share: float
    n_pairs: int
    n_exchanges: int
    drawn: Floats


def alignment(
    significant: Mask, areas: Ints, people: Ints, *, n_permutations: int, n_resamples: int, seed: int
) -> Alignment:
    """Return whether areas further along the stream go with deeper layers.

    Parameters
    ----------
    significant : array of bool, shape (probe, layer)
        Layers by depth.
    areas : array of int, shape (probe,)
        0 (first of the stream) … .
    people : array of int, shape (probe,)
        0 … ; areas are exchanged among the probes of a person, and people are drawn as a whole.
    n_permutations, n_resamples : int
    seed : int
        With the same people, the same are drawn.
    """
    for_areas, for_people = np.random.default_rng(seed).spawn(2)
    counts = _table(np.ones((1, len(areas))), areas[None], significant)
    tau, p = kendall(counts)
    exchanged = exchanged_areas(areas, people, n_permutations, for_areas)
    null_tau, null_p = kendall(_table(np.ones((n_permutations, len(areas))), exchanged, significant))
    times = draw_counts(int(people.max()) + 1, n_resamples, for_people)[:, people].astype(np.float64)
    drawn, _ = kendall(_table(times, np.broadcast_to(areas, times.shape), significant))
    known = drawn[~np.isnan(drawn)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) and not np.isnan(tau[0]) else (np.nan, np.nan)
    reached = 1 + int((np.nan_to_num(null_tau) >= tau[0] - 1e-12).sum())
    return Alignment(
        float(tau[0]),
        float(low),
        float(high),
        reached / (1 + n_permutations) if not np.isnan(tau[0]) else np.nan,
        float(p[0]),
        float((null_p < ALPHA).mean()),
        int(counts.sum()),
        n_permutations,
        drawn,
    )


def kendall(counts: Floats) -> tuple[Floats, Floats]:
    """Return Kendall's tau-b of tables of counts, and its two-sided p by the normal formula with ties.

    Parameters
    ----------
    counts : array, shape (table, row, column)

    Returns
    -------
    tau, p : array, shape (table,)
        nan where all counts are in one row or one column.
    """
    before = np.cumsum(counts, axis=2) - counts
    ahead = counts.sum(axis=2, keepdims=True) - 2 * before - counts  # in later columns less in earlier ones
    in_later_rows = ahead[:, ::-1].cumsum(axis=1)[:, ::-1] - ahead
    difference = np.einsum("tac,tac->t", counts, in_later_rows)
    rows, columns = counts.sum(axis=2), counts.sum(axis=1)
    n = counts.sum(axis=(1, 2))
    pairs, row_ties, column_ties = n * (n - 1), _falling(rows, 2), _falling(columns, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = 2 * difference / np.sqrt((pairs - row_ties) * (pairs - column_ties))
        variance = (
            (pairs * (2 * n + 5) - _weighted(rows) - _weighted(columns)) / 18
            + row_ties * column_ties / (2 * pairs)
            + _falling(rows, 3) * _falling(columns, 3) / (9 * pairs * (n - 2))
        )
        p = 2 * stats.norm.sf(np.abs(difference) / np.sqrt(variance))
    known = (pairs > row_ties) & (pairs > column_ties)
    return np.where(known, tau, np.nan), np.where(known, p, np.nan)


def exchanged_areas(areas: Ints, people: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Return areas dealt anew among the probes of each person, shape (n, probe)."""
    together = np.argsort(people, kind="stable")
    dealt = np.argsort(people + rng.random((n, len(people))), axis=1)
    found = np.empty((n, len(areas)), dtype=areas.dtype)
    found[:, together] = areas[dealt]
    return found


def _table(times: Floats, areas: Ints, significant: Mask) -> Floats:
    """Return how often each layer counts in each area, shape (draw, area, layer)."""
    in_area = areas[:, None] == np.arange(int(areas.max()) + 1)[:, None]
    return np.asarray((in_area * times[:, None]) @ significant.astype(np.float64))


def _falling(counts: Floats, degree: int) -> Floats:
    product = np.ones_like(counts)
    for less in range(degree):
        product = product * (counts - less)
    return np.asarray(product.sum(axis=1))


def _weighted(counts: Floats) -> Floats:
    return np.asarray((counts * (counts - 1) * (2 * counts + 5)).sum(axis=1))
