"""Ridge regression of many targets at once on the folds of a path, from sums over parts alone.

The cross-products of activity and targets are summed once a part; any training set is a sum of parts, and so is the
squared error on held-out folds by which the penalty is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats
from probekit.spatial.path_folds import PathFolds

PENALTIES = np.logspace(-6, 2, 9)
"""On weights of standardised units, as a multiple of the number of samples."""


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the samples of a part; with one axis more in front, of each part."""

    n: Floats
    x: Floats
    y: Floats
    xx: Floats
    xy: Floats
    yy: Floats

    def of(self, parts: npt.NDArray[np.bool_]) -> _Sums:
        return _Sums(*(np.asarray(getattr(self, name)[parts].sum(0)) for name in ("n", "x", "y", "xx", "xy", "yy")))


def ridge_decoded(activity: Floats, targets: Floats, folds: PathFolds) -> Floats:
    """Return what each fold's activity says of the targets, by weights fitted to the other folds.

    The penalty of each target is the one of `PENALTIES` with the least error on folds held out of the fitted ones.
    Coordinates of a target share it. Memory: the square of the number of units, three times a fold.

    Parameters
    ----------
    activity : array, shape (sample, unit)
    targets : array, shape (sample, target, coordinate)
    folds : PathFolds

    Returns
    -------
    array, shape (sample, target, coordinate)
    """
    n, n_targets, n_coordinates = targets.shape
    x, middle = activity - activity.mean(0), targets.reshape(n, -1).mean(0)
    y = targets.reshape(n, -1) - middle  # both for the digits only: the intercept is fitted
    sums = _sums(x, y, folds)
    decoded = np.empty_like(y)
    for fold in range(len(folds)):
        error = np.zeros((len(PENALTIES), n_targets))
        for inner in range(len(folds)):
            if inner != fold:
                weights, intercepts = _fitted(sums.of(folds.training(fold, inner)))
                held = sums.of(np.arange(folds.n_parts) // 3 == inner)
                error += _squared_error(held, weights, intercepts).reshape(-1, n_targets, n_coordinates).sum(-1)
        weights, intercepts = _fitted(sums.of(folds.training(fold)))
        best = np.repeat(error.argmin(0), n_coordinates)
        columns = np.arange(len(best))
        tested = folds.fold == fold
        decoded[tested] = x[tested] @ weights[best, :, columns].T + intercepts[best, columns]
    return np.asarray((decoded + middle).reshape(targets.shape))


def _sums(x: Floats, y: Floats, folds: PathFolds) -> _Sums:
    rows = [np.flatnonzero(folds.part == part) for part in range(folds.n_parts)]
    pairs = [(x[row], y[row]) for row in rows]
    return _Sums(
        n=np.array([float(len(row)) for row in rows]),
        x=np.stack([a.sum(0) for a, _ in pairs]),
        y=np.stack([b.sum(0) for _, b in pairs]),
        xx=np.stack([a.T @ a for a, _ in pairs]),
        xy=np.stack([a.T @ b for a, b in pairs]),
        yy=np.stack([(b**2).sum(0) for _, b in pairs]),
    )


def _fitted(train: _Sums) -> tuple[Floats, Floats]:
    """Return weights, shape (penalty, unit, column), and intercepts, shape (penalty, column)."""
    x, y = train.x / train.n, train.y / train.n
    covariance = train.xx / train.n - np.outer(x, x)
    with_y = train.xy / train.n - np.outer(x, y)
    sd = np.sqrt(np.maximum(np.diag(covariance), 0))
    varies = sd > 1e-9 * max(float(sd.max(initial=0.0)), np.finfo(float).tiny)
    scale = np.where(varies, 1 / np.where(varies, sd, 1), 0)  # a constant unit says nothing
    values, vectors = np.linalg.eigh(covariance * np.outer(scale, scale))
    projected = vectors.T @ (scale[:, None] * with_y)
    shrunk = projected / (np.maximum(values, 0)[:, None] + PENALTIES[:, None, None])
    weights = scale[:, None] * (vectors @ shrunk)
    return weights, y - np.einsum("u,puc->pc", x, weights)


def _squared_error(held: _Sums, weights: Floats, intercepts: Floats) -> Floats:
    """Return the sum of squared errors, shape (penalty, column)."""
    crossed = (weights * (held.xx @ weights - 2 * held.xy)).sum(1)
    shifted = intercepts * (2 * np.einsum("u,puc->pc", held.x, weights) - 2 * held.y + held.n * intercepts)
    return np.asarray(held.yy + crossed + shifted)
