"""Direct labels: each curve is named beside itself, where the other curves leave room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

_SIZE = 8.0
_LETTER = 0.68
_GAP = 4.0
_PLACES = 33


@dataclass(frozen=True)
class Curve:
    """A curve as it was plotted, in data coordinates, and its name."""

    label: str
    x: np.ndarray
    y: np.ndarray
    color: str


def label_curves(axes: Axes, curves: list[Curve], *, size: tuple[float, float]) -> Axes:
    """Write each curve's name in its colour where it hides least; return the axes.

    Parameters
    ----------
    axes : Axes
        With its final limits.
    curves : list of Curve
        Those without a finite point are left out.
    size : (float, float)
        Width and height of the plotting area in points, roughly.
    """
    drawn = [curve for curve in curves if np.isfinite(curve.x * curve.y).any()]
    paths = [_dense(axes, curve, size) for curve in drawn]
    taken: list[np.ndarray] = []
    for curve, path in zip(drawn, paths, strict=True):
        boxes = _candidates(path, curve.label)
        best = boxes[int(np.argmin(_costs(boxes, path, paths, taken, size)))]
        taken.append(best)
        axes.text(
            (best[0] + best[2]) / 2 / size[0],
            (best[1] + best[3]) / 2 / size[1],
            curve.label,
            color=curve.color,
            fontsize=_SIZE,
            fontweight="bold",
            ha="center",
            va="center",
            transform=axes.transAxes,
        )
    return axes


def _dense(axes: Axes, curve: Curve, size: tuple[float, float]) -> np.ndarray:
    """Return the curve in points of the plotting area, evenly dense along its length, shape (place, 2)."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    keep = np.isfinite(curve.x * curve.y)
    x = (curve.x[keep] - left) / (right - left) * size[0]
    y = (curve.y[keep] - bottom) / (top - bottom) * size[1]
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    at = np.linspace(0, length[-1], 6 * _PLACES)
    return np.column_stack([np.interp(at, length, x), np.interp(at, length, y)])


def _candidates(path: np.ndarray, label: str) -> np.ndarray:
    """Return boxes (left, bottom, right, top) around places of the curve, shape (candidate, 4)."""
    half = np.array([_LETTER * _SIZE * len(label), _SIZE * 1.15]) / 2
    places = path[:: len(path) // _PLACES]
    boxes = []
    for dx, dy in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (-1, 1), (1, -1)):
        center = places + np.array([dx, dy]) * (half + _GAP)
        boxes.append(np.column_stack([center - half, center + half]))
    return np.concatenate(boxes)


def _costs(
    boxes: np.ndarray, own: np.ndarray, paths: list[np.ndarray], taken: list[np.ndarray], size: tuple[float, float]
) -> np.ndarray:
    """Return what each box hides: points of curves, other labels, and what lies outside of the plotting area."""
    outside = np.maximum(0, np.hstack([-boxes[:, :2], boxes[:, 2:] - np.array(size)])).sum(1)
    cost: np.ndarray = 40.0 * outside
    for path in paths:
        near = 0.0 if path is own else 10.0
        cost += 10 * _inside(boxes, path, pad=1.5) + 0.4 * _inside(boxes, path, pad=near)
    for other in taken:
        apart = (boxes[:, :2] > other[2:] + 2).any(1) | (boxes[:, 2:] < other[:2] - 2).any(1)
        cost += 1000 * ~apart
    return cost


def _inside(boxes: np.ndarray, path: np.ndarray, *, pad: float) -> np.ndarray:
    low, high = boxes[:, None, :2] - pad, boxes[:, None, 2:] + pad
    return np.asarray(((path >= low) & (path <= high)).all(-1).sum(-1))
