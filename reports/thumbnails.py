"""Pictures so small and so many that they are written as SVG by hand: tuning curves and distributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probekit.reports.figures import AXIS, GRID, INK, TRAINED

_OPEN = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'


@dataclass(frozen=True)
class Trace:
    """One line of a small chart; `dash` is an SVG dash pattern, "" for a full line."""

    x: np.ndarray
    y: np.ndarray
    color: str = TRAINED
    dash: str = ""
    width: float = 1.6


def chart(
    traces: list[Trace],
    *,
    x: tuple[float, float],
    y: tuple[float, float],
    size: tuple[int, int] = (120, 64),
    marks: tuple[float, ...] = (),
) -> str:
    """Return a small line chart as an SVG document; points that are not finite are left out.

    Parameters
    ----------
    traces : list of Trace
    x, y : (float, float)
        Limits of the axes.
    size : (int, int)
        Width and height in SVG units.
    marks : tuple of float
        Places on the x axis that get a faint vertical line.
    """
    width, height = size
    pad = 3.0

    def across(values: np.ndarray) -> np.ndarray:
        return pad + (values - x[0]) / ((x[1] - x[0]) or 1.0) * (width - 2 * pad)

    def up(values: np.ndarray) -> np.ndarray:
        return height - pad - (values - y[0]) / ((y[1] - y[0]) or 1.0) * (height - 2 * pad)

    lines = [_line(across(np.array([mark, mark])), np.array([pad, height - pad]), GRID, 1.0) for mark in marks]
    lines.append(_line(np.array([pad, width - pad]), np.full(2, height - pad), AXIS, 0.8))
    for trace in traces:
        lines.append(_line(across(trace.x), up(trace.y), trace.color, trace.width, trace.dash))
    return _OPEN.format(width=width, height=height) + "".join(lines) + "</svg>"


def rose(orientation_deg: np.ndarray, response: np.ndarray, *, side: int = 96) -> str:
    """Return a tuning curve drawn around a circle as an SVG document; the curve is repeated to close the turn.

    Parameters
    ----------
    orientation_deg : array, shape (orientation,)
        0 is horizontal, counter-clockwise; covers 180°.
    response : array, shape (orientation,)
        Negative responses are drawn as 0; the largest reaches the outer circle.
    side : int
        Width and height in SVG units.
    """
    middle, radius = side / 2, side / 2 - 4
    lines = [
        f'<circle cx="{middle:g}" cy="{middle:g}" r="{share * radius:g}" fill="none" stroke="{GRID}"/>'
        for share in (0.5, 1.0)
    ]
    peak = np.nanmax(response) if np.isfinite(response).any() else 0.0
    if peak > 0:
        angle = np.deg2rad(np.concatenate([orientation_deg, orientation_deg + 180]))
        far = np.tile(np.clip(np.nan_to_num(response), 0, None) / peak, 2) * radius
        around = zip(middle + far * np.cos(angle), middle - far * np.sin(angle), strict=True)
        path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in around) + "Z"
        lines.append(
            f'<path d="{path}" style="fill: {TRAINED}; fill-opacity: 0.16; stroke: {TRAINED}; '
            'stroke-width: 1.6; stroke-linejoin: round"/>'
        )
    lines.append(f'<circle cx="{middle:g}" cy="{middle:g}" r="1.2" fill="{INK}"/>')
    return _OPEN.format(width=side, height=side) + "".join(lines) + "</svg>"


def _line(px: np.ndarray, py: np.ndarray, color: str, width: float, dash: str = "") -> str:
    good = np.isfinite(px) & np.isfinite(py)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(px[good], py[good], strict=True))
    dashes = f"; stroke-dasharray: {dash}" if dash else ""
    return f'<polyline points="{points}" style="fill: none; stroke: {color}; stroke-width: {width:g}{dashes}"/>'
