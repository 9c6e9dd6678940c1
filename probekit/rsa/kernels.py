"""How alike two sets of responses to the same stimuli are, without dissimilarities: CKA and Procrustes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from probekit.arguments import floats
from probekit.errors import UsageError

Floats = npt.NDArray[np.float64]


def cka(x: npt.ArrayLike, y: npt.ArrayLike, *, debiased: bool = True) -> float:
    """Return the linear centred kernel alignment of two sets of responses.

    Parameters
    ----------
    x, y : array, shape (stimulus, unit)
        Responses to the same stimuli in the same order; numbers of units may differ.
    debiased : bool
        Whether to put the unbiased estimator of the Hilbert–Schmidt independence criterion in all three places. The
        biased one grows with the number of units over that of stimuli even between unrelated noises.

    Returns
    -------
    float
        1 when the responses are the same up to rotation, shift and one scale. 0 … 1 when biased. When debiased,
        unrelated responses are around 0 and can be below it. nan if all stimuli have the same response in `x` or `y`
        (debiased: or are all equally far from each other).

    Raises
    ------
    UsageError
        If shapes do not fit, a response is not finite, or there are fewer stimuli than 2 (biased) or 4 (debiased).

    References
    ----------
    Kornblith et al. 2019, ICML, arXiv:1905.00414, eq. 4; Song et al. 2012, JMLR 13:1393, eq. 5 (unbiased criterion);
    Nguyen et al. 2021, ICLR, arXiv:2010.15327 (its use in CKA)

    Examples
    --------
    >>> round(cka([[0.0], [1.0], [2.0], [5.0]], [[1.0, 0.0], [3.0, 0.0], [5.0, 0.0], [11.0, 0.0]]), 9)
    1.0
    """
    first, second = _centred(x, y, fewest=4 if debiased else 2)
    one, other = first @ first.T, second @ second.T
    rounding = len(first) * np.finfo(np.float64).eps * np.linalg.norm(one) * np.linalg.norm(other)
    if debiased:
        one, other = _u_centred(one), _u_centred(other)
    length = np.linalg.norm(one) * np.linalg.norm(other)
    return float(np.vdot(one, other) / length) if length > rounding else float("nan")


def procrustes_similarity(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return how alike two sets of responses are after the best rotation of one onto the other.

    Responses are centred and brought to Frobenius norm 1; the similarity is the nuclear norm of XᵀY: the cosine of the
    angle that is left, and one minus half the Procrustes distance of Ding et al.

    Parameters
    ----------
    x, y : array, shape (stimulus, unit)
        Responses to the same stimuli in the same order; numbers of units may differ.

    Returns
    -------
    float
        0 … 1 (the same up to rotation, reflection, shift and one scale). nan if all stimuli have the same response in
        `x` or `y`.

    Raises
    ------
    UsageError
        If shapes do not fit, a response is not finite, or there are fewer than 2 stimuli.

    References
    ----------
    Ding et al. 2021, NeurIPS, arXiv:2108.01661, eq. 1; Williams et al. 2021, NeurIPS, arXiv:2110.14739

    Examples
    --------
    >>> round(procrustes_similarity([[0.0, 1.0], [2.0, 5.0], [4.0, 0.0]], [[1.0, 0.0], [5.0, -2.0], [0.0, -4.0]]), 9)
    1.0
    """
    first, second = (_without_idle_dimensions(responses) for responses in _centred(x, y, fewest=2))
    length = np.linalg.norm(first) * np.linalg.norm(second)
    if length == 0:
        return float("nan")
    return min(float(np.linalg.norm(first.T @ second, ord="nuc") / length), 1.0)


def procrustes_angle(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return the angle between two sets of responses that no rotation takes away, a metric between representations.

    Parameters
    ----------
    x, y : array, shape (stimulus, unit)
        As in `procrustes_similarity`.

    Returns
    -------
    float
        The arc cosine of `procrustes_similarity`, radians: 0 (the same) … π/2. Rounding makes it up to 1e-7 for
        responses that are the same. nan if all stimuli have the same response in `x` or `y`.

    Raises
    ------
    UsageError
        As `procrustes_similarity`.

    References
    ----------
    Williams et al. 2021, NeurIPS, arXiv:2110.14739 (angular shape distance)

    Examples
    --------
    >>> round(procrustes_angle([[1.0], [-1.0], [0.0], [0.0]], [[0.0], [0.0], [1.0], [-1.0]]), 9)
    1.570796327
    """
    return float(np.arccos(procrustes_similarity(x, y)))


def _centred(x: npt.ArrayLike, y: npt.ArrayLike, *, fewest: int) -> tuple[Floats, Floats]:
    first, second = floats("x", x), floats("y", y)
    for name, responses in (("x", first), ("y", second)):
        if responses.ndim != 2:
            raise UsageError(f"{name} has shape {responses.shape}; expected (stimulus, unit).")
        if not np.isfinite(responses).all():
            raise UsageError(f"{name} has responses that are not finite; leave those stimuli or units out.")
    if len(first) != len(second):
        raise UsageError(f"x has {len(first)} stimuli and y {len(second)}; expected the same stimuli.")
    if len(first) < fewest:
        raise UsageError(f"x has {len(first)} stimuli; expected {fewest} or more.")
    return _less_mean(first), _less_mean(second)


def _less_mean(responses: Floats) -> Floats:
    """Take each unit's mean off, and leave no rounding where a unit is level."""
    level = np.ptp(responses, axis=0) == 0
    return np.asarray(np.where(level, 0, responses - responses.mean(axis=0)))


def _u_centred(kernel: Floats) -> Floats:
    """Off-diagonal sums of rows and columns 0; products of two over n(n − 3) are the unbiased criterion."""
    n = len(kernel)
    off = kernel - np.diag(np.diag(kernel))
    sums = off.sum(axis=0)
    centred = off - (sums[:, None] + sums) / (n - 2) + sums.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0)
    return np.asarray(centred)


def _without_idle_dimensions(responses: Floats) -> Floats:
    """Keep the geometry in no more dimensions than there are stimuli."""
    if responses.shape[1] <= len(responses):
        return responses
    return np.asarray(np.linalg.qr(responses.T, mode="r")).T
