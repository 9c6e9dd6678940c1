"""How unusual a number is among those that chance gave."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats
from probekit.errors import UsageError


def two_sided_p(observed: float, null: npt.ArrayLike, *, within: float = 0.0) -> float:
    """Return twice the smaller share of chance values that reach the observed one from either side.

    Exact for any distribution, skewed ones too: with the observed value counted among n + 1, noise gives p ≤ α no more
    often than α.

    Parameters
    ----------
    observed : float
    null : array, shape (draw,)
        nan are left out.
    within : float
        Values that differ by no more are equal: rounding decides no tie.

    Returns
    -------
    float
        2 / (n + 1) … 1; nan where the observed value is nan, or no draw is left.

    Raises
    ------
    UsageError
        If the null has more than one axis.

    References
    ----------
    Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585

    Examples
    --------
    >>> two_sided_p(9.0, range(9)), two_sided_p(4.0, range(9))
    (0.2, 1.0)
    """
    drawn = floats("null", list(null) if isinstance(null, range) else null)
    if drawn.ndim != 1:
        raise UsageError(f"null has shape {drawn.shape}; expected (draw,).")
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(observed) or not len(drawn):
        return float("nan")
    above = 1 + np.count_nonzero(drawn >= observed - within)
    below = 1 + np.count_nonzero(drawn <= observed + within)
    return float(min(1.0, 2 * min(above, below) / (len(drawn) + 1)))
