"""Gridness and border scores of maps that look like a unit's own, and are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from probekit.analyses.released_gridness import gridness_of
from probekit.analyses.spatial.walked import Walked
from probekit.arguments import Floats
from probekit.progress import Progress
from probekit.spatial.border import border_scores
from probekit.spatial.boundary_vectors import boundary_templates, fit_boundary_vectors
from probekit.spatial.nulls import matched_spectrum, replaced_fields
from probekit.spatial.signed import nonnegative
from probekit.spatial.significance import p_values

_TOGETHER = 1024
"""Surrogate maps that are scored at once."""
_PROMISING = 0.04
"""Units whose p is no larger after the first surrogates, or that none of them reaches, are given nine times as many."""


@dataclass(frozen=True, eq=False)
class MapNulls:
    """Gridness of surrogate maps, shape (shuffle, unit), and each unit's p, shape (unit,); nan where undefined.

    Parameters
    ----------
    grid_fields, p_fields : array
        Of the unit's own fields at random places.
    grid_spectrum, p_spectrum : array
        Of random maps with the unit's power spectrum.
    p_border, p_boundary : array
        Of the border score and of the likeness to a boundary-vector cell, against random maps with the unit's power
        spectrum.
    """

    grid_fields: Floats
    p_fields: Floats
    grid_spectrum: Floats
    p_spectrum: Floats
    p_border: Floats
    p_boundary: Floats


def map_nulls(maps: Floats, walked: Walked, n: int, seed: int, progress: Progress) -> MapNulls:
    """Return the scores of `n` surrogate maps of each unit and kind, and the p of the units' own.

    Units that few surrogates reach get 9 n more, so that their p can be small enough for a correction over units; the
    others stop, as in sequential Monte Carlo tests (Besag & Clifford 1991).
    """

    def grid(some: Floats) -> Floats:
        return gridness_of(some)[None]

    arena = walked.tracking.arena
    templates = boundary_templates(arena, walked.n_bins)

    def every(some: Floats) -> Floats:
        # without a field there is no border score: less than any
        border = border_scores(nonnegative(some), arena).score
        alike = fit_boundary_vectors(some, templates).score
        return np.stack([gridness_of(some), np.nan_to_num(border, nan=-1.0), alike])

    fields = _scored(replaced_fields(maps, n, seed), grid, n, "re-placed fields", progress)
    spectrum = _scored(matched_spectrum(maps, n, seed + 1), every, n, "maps with the same spectrum", progress)
    observed = every(maps)
    p_fields = p_values(observed[0], fields[0])
    p = np.stack([p_values(one, null) for one, null in zip(observed, spectrum, strict=True)])
    little = max(_PROMISING, 1 / (n + 1))
    promising = (np.maximum(p_fields, p[0]) <= little) | (p[1:] <= little).any(0)
    if promising.any():
        few = maps[promising]
        more = _scored(replaced_fields(few, 9 * n, seed + 2), grid, 9 * n, "more re-placed fields", progress)
        p_fields[promising] = _p_of_both(observed[0, promising], fields[0, :, promising].T, more[0])
        made = matched_spectrum(few, 9 * n, seed + 3)
        more = _scored(made, every, 9 * n, "more maps with the same spectrum", progress)
        for number in range(len(p)):
            first = spectrum[number, :, promising].T
            p[number, promising] = _p_of_both(observed[number, promising], first, more[number])
    silent = np.isnan(observed[0])
    return MapNulls(fields[0], p_fields, spectrum[0], p[0], np.where(silent, np.nan, p[1]), p[2])


def _p_of_both(scores: Floats, first: Floats, more: Floats) -> Floats:
    return p_values(scores, np.concatenate([first, more]))


def _scored(made: Iterator[Floats], score: Callable[[Floats], Floats], n: int, task: str, progress: Progress) -> Floats:
    """Return the scores of all surrogates, shape (score, shuffle, unit)."""
    scores: list[Floats] = []
    several = list(islice(made, 1))
    at_once = max(1, _TOGETHER // len(several[0]))
    while several:
        found = score(np.concatenate(several))
        scores.append(found.reshape(len(found), len(several), -1))
        progress(task, sum(part.shape[1] for part in scores), n)
        several = list(islice(made, at_once))
    return np.concatenate(scores, 1)
