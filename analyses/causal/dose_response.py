"""How a score changes with the size of a lesion, monotonically, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probekit.arguments import Floats
from probekit.stats.isotonic import isotonic


def dose_response(
    scores: Sequence[Floats], *, falls: bool, rng: np.random.Generator, n_resamples: int = 1000
) -> Floats:
    """Return a monotone fit of the mean score at each dose, and its 95 % bootstrap interval.

    Trials are resampled, the same ones at every dose; where a dose has several lesions, these as well.

    Parameters
    ----------
    scores : sequence of array, shape (lesion, trial)
        One a dose in order, the intact network first.
    falls : bool
        Whether damage lowers the score.
    rng : numpy.random.Generator
    n_resamples : int

    Returns
    -------
    array, shape (3, dose)
        Fit, lower and upper end.
    """
    means = np.array([one.mean() for one in scores])
    n_trials = scores[0].shape[1]
    trials = rng.multinomial(n_trials, np.full(n_trials, 1 / n_trials), size=n_resamples) / n_trials
    resampled = np.empty((n_resamples, len(scores)))
    for dose, one in enumerate(scores):
        sets = rng.multinomial(len(one), np.full(len(one), 1 / len(one)), size=n_resamples) / len(one)
        resampled[:, dose] = ((trials @ one.T) * sets).sum(1)
    ends = np.percentile(isotonic(resampled, increasing=not falls), [2.5, 97.5], axis=0)
    return np.stack([isotonic(means, increasing=not falls), *ends])
