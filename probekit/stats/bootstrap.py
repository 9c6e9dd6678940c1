"""Bootstrap draws in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Draws = npt.NDArray[np.int32]
_BLOCK = 250_000  # draws held at once while resampling


def resamples(
    n_observations: int, n_resamples: int, rng: np.random.Generator, *, size: int | None = None
) -> Iterator[Draws]:
    """Yield which observations are drawn in each bootstrap resample, in blocks of bounded memory.

    Parameters
    ----------
    n_observations : int
        How many there are to draw from, with replacement.
    n_resamples : int
        Rows of all blocks together.
    rng : numpy.random.Generator
    size : int, optional
        Draws in one resample. Default: `n_observations`.

    Yields
    ------
    array, shape (resample, draw)
        Indices, 0 … n_observations − 1.

    References
    ----------
    Efron 1979, Ann Stat 7:1, doi:10.1214/aos/1176344552
    """
    drawn = n_observations if size is None else size
    step = max(1, _BLOCK // drawn)
    for start in range(0, n_resamples, step):
        yield rng.integers(n_observations, size=(min(step, n_resamples - start), drawn), dtype=np.int32)
