"""The monotone curve nearest to some points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats
from probekit.errors import UsageError


def isotonic(values: npt.ArrayLike, *, increasing: bool = True) -> Floats:
    r"""Return the monotone sequence with the least squared distance to the values, for many rows at once.

    By the min-max formula, :math:`\max_{i \le k} \min_{j \ge k}` of the mean of :math:`y_i … y_j`: for the few doses of
    a dose-response curve, over all resamples of a bootstrap together.

    Parameters
    ----------
    values : array, shape (…, point)
        Finite.
    increasing : bool
        Whether it rises or falls.

    Returns
    -------
    array of the same shape

    Raises
    ------
    UsageError
        If there is no point.

    References
    ----------
    Barlow & Brunk 1972, J Am Stat Assoc 67:140, doi:10.1080/01621459.1972.10481216

    Examples
    --------
    >>> isotonic([1.0, 3.0, 2.0, 5.0]).tolist()
    [1.0, 2.5, 2.5, 5.0]
    """
    given = floats("values", values)
    if not given.ndim or not given.shape[-1]:
        raise UsageError(f"values have shape {given.shape}; expected (…, point), at least one point.")
    if not increasing:
        return -isotonic(-given)
    n = given.shape[-1]
    sums = np.concatenate([np.zeros((*given.shape[:-1], 1)), given.cumsum(-1)], -1)
    start, stop = np.arange(n)[:, None], np.arange(n)[None]
    means = (sums[..., stop + 1] - sums[..., start]) / np.maximum(stop - start + 1, 1)
    fitted = np.empty_like(given)
    for k in range(n):
        fitted[..., k] = means[..., : k + 1, k:].min(-1).max(-1)
    return fitted
