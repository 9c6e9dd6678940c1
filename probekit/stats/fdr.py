"""False discovery rate of many tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats
from probekit.errors import UsageError

Floats = npt.NDArray[np.float64]


def benjamini_hochberg(p: npt.ArrayLike) -> Floats:
    """Return the false discovery rate q of each p value.

    Parameters
    ----------
    p : array, any shape
        p values, 0 … 1; nan is no test and does not count.

    Returns
    -------
    array of the same shape
        q, 0 … 1: the smallest false discovery rate at which the test is called significant; nan where p is.

    Raises
    ------
    UsageError
        If a number is outside 0 … 1.

    References
    ----------
    Benjamini & Hochberg 1995, J R Stat Soc B 57:289, doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> [float(q) for q in benjamini_hochberg([0.01, 0.04, 0.5])]
    [0.03, 0.06, 0.5]
    """
    given = floats("p", p)
    if (given < 0).any() or (given > 1).any():
        raise UsageError(f"p holds {np.nanmin(given):g} … {np.nanmax(given):g}; expected p values, 0 … 1.")
    q = np.full(given.shape, np.nan)
    tested = ~np.isnan(given)
    values = given[tested]
    order = np.argsort(values, kind="stable")[::-1]
    ranks = np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum.accumulate(values[order] * len(values) / ranks)
    q[tested] = adjusted
    return q
