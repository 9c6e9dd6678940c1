"""Gridness of maps that look like a unit's own, and are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from probekit.analyses.spatial.walked import gridness_of
from probekit.arguments import Floats
from probekit.progress import Progress
from probekit.spatial.nulls import matched_spectrum, replaced_fields

_TOGETHER = 4
"""Surrogates of all units that are scored at once."""


@dataclass(frozen=True, eq=False)
class MapNulls:
    """Scores of surrogate maps, shape (shuffle, unit); nan where a score is undefined.

    Parameters
    ----------
    grid_fields : array
        Of the unit's own fields at random places.
    grid_spectrum : array
        Of random maps with the unit's power spectrum.
    """

    grid_fields: Floats
    grid_spectrum: Floats


def map_nulls(maps: Floats, n: int, seed: int, progress: Progress) -> MapNulls:
    """Return the scores of `n` surrogate maps of each unit and kind."""
    fields = replaced_fields(maps, n, seed)
    spectra = matched_spectrum(maps, n, seed + 1)
    return MapNulls(
        _scored(fields, n, "re-placed fields", progress), _scored(spectra, n, "maps with the same spectrum", progress)
    )


def _scored(made: Iterator[Floats], n: int, task: str, progress: Progress) -> Floats:
    scores: list[Floats] = []
    while several := list(islice(made, _TOGETHER)):
        scores.append(gridness_of(np.concatenate(several)).reshape(len(several), -1))
        progress(task, sum(map(len, scores)), n)
    return np.concatenate(scores)
