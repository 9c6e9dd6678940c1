"""Which of two models is nearer to the brain, for all pairs of models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.rsa.variance import Resampling, t_interval, t_test, variance_and_df
from probekit.stats import benjamini_hochberg

Floats = npt.NDArray[np.float64]


def pairwise_differences(
    scores: Floats, parts: Floats, n_conditions: int, *, resample: Resampling, level: float = 0.95
) -> pd.DataFrame:
    """Return the difference of the scores of every two models, with interval, p and q.

    Parameters
    ----------
    scores : array, shape (model, subject)
    parts : array, shape (5, model, model)
        Covariances as `variance.covariance_parts` returns them.
    n_conditions : int
    resample : str
        "subjects", "conditions" or "both": to what others the difference shall generalise.
    level : float
        Of the interval, 0 … 1.

    Returns
    -------
    pandas.DataFrame
        One row a pair: `first`, `second` (rows of the models), `difference` of their mean scores, `ci_low`, `ci_high`,
        `p` (two-sided t test), `q` (false discovery rate over all pairs). nan where a score is, or nothing varies.
    """
    first, second = np.triu_indices(len(scores), 1)
    mean = scores.mean(axis=1)
    difference = mean[first] - mean[second]
    between = parts[:, first, first] + parts[:, second, second] - 2 * parts[:, first, second]
    variances, df = variance_and_df(between, scores.shape[1], n_conditions, resample)
    low, high = t_interval(difference, variances, df, level)
    p = t_test(difference, variances, df, two_sided=True)
    columns = {"first": first, "second": second, "difference": difference, "ci_low": low, "ci_high": high, "p": p}
    return pd.DataFrame({**columns, "q": benjamini_hochberg(p)})
