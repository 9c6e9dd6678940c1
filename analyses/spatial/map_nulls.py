"""Gridness and border scores of maps that look like a unit's own, and are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from probekit.analyses.spatial.walked import gridness_of
from probekit.arguments import Floats
from probekit.navigation import Arena
from probekit.progress import Progress
from probekit.spatial.border import border_scores
from probekit.spatial.nulls import matched_spectrum, replaced_fields
from probekit.spatial.signed import nonnegative

_TOGETHER = 4
"""Surrogates of all units that are scored at once."""


@dataclass(frozen=True, eq=False)
class MapNulls:
    """Scores of surrogate maps, shape (shuffle, unit); nan where a score is undefined.

    Parameters
    ----------
    grid_fields, border_fields : array
        Of the unit's own fields at random places.
    grid_spectrum : array
        Of random maps with the unit's power spectrum.
    """

    grid_fields: Floats
    border_fields: Floats
    grid_spectrum: Floats


def map_nulls(maps: Floats, arena: Arena, n: int, seed: int, progress: Progress) -> MapNulls:
    """Return the scores of `n` surrogate maps of each unit and kind."""
    rates = nonnegative(maps)
    fields = []
    for made in _batches(replaced_fields(rates, n, seed), n, "re-placed fields", progress):
        fields.append(np.stack([gridness_of(made), border_scores(made, arena).score]))
    spectra = [
        gridness_of(made)
        for made in _batches(matched_spectrum(maps, n, seed + 1), n, "maps with the same spectrum", progress)
    ]
    grid, border = np.concatenate(fields, 1).reshape(2, n, len(maps))
    return MapNulls(grid, border, np.concatenate(spectra).reshape(n, len(maps)))


def _batches(made: Iterator[Floats], n: int, task: str, progress: Progress) -> Iterator[Floats]:
    done = 0
    while several := list(islice(made, _TOGETHER)):
        yield np.concatenate(several)
        done += len(several)
        progress(task, done, n)
