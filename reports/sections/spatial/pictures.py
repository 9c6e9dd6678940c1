"""Pictures of single units as small SVG documents: rate map, autocorrelogram, directional tuning."""

from __future__ import annotations

import base64
from io import BytesIO

import matplotlib
import numpy as np
from PIL import Image

from probekit.reports.figures import GRID, INK, TRAINED

_SIDE, _GAP = 96.0, 6.0
_N_COLOURS = 64
_PALETTE = (255 * matplotlib.colormaps["viridis"](np.linspace(0, 1, _N_COLOURS))[:, :3]).round().astype(np.uint8)
_CORRELATION = (-0.5, 1.0)


def unit_picture(
    rate_map: np.ndarray,
    autocorrelogram: np.ndarray | None = None,
    heading: tuple[np.ndarray, np.ndarray] | None = None,
) -> str:
    """Return what is known of a unit as an SVG document.

    Parameters
    ----------
    rate_map : array, shape (y, x)
        nan is left empty; dark at its least, yellow at its largest value.
    autocorrelogram : array, shape (lag_y, lag_x), optional
        Dark at -.5 and below, yellow at 1.
    heading : (array, array), optional
        Directions in degrees and the activity at each, shape (heading,) both.
    """
    known = rate_map[np.isfinite(rate_map)]
    limits = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    parts, bottom = [], 0.0
    for values, ends in ((rate_map, limits), (autocorrelogram, _CORRELATION)):
        if values is not None:
            picture, height = _image(values, ends, bottom)
            parts.append(picture)
            bottom += height + _GAP
    if heading is not None:
        parts.append(f'<g transform="translate(0 {bottom:.1f})">{_compass(*heading)}</g>')
        bottom += _SIDE + _GAP
    return _document("".join(parts), bottom - _GAP)


def compass(heading_deg: np.ndarray, activity: np.ndarray) -> str:
    """Return a directional tuning curve around a circle as an SVG document; 0° to the right, counter-clockwise."""
    return _document(_compass(heading_deg, activity), _SIDE)


def _document(content: str, height: float) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE:g} {height:.1f}">{content}</svg>'


def _image(values: np.ndarray, limits: tuple[float, float], top: float) -> tuple[str, float]:
    """Return the values as a picture of the full width, y upwards, and its height."""
    low, high = limits
    share = (values[::-1] - low) / ((high - low) or 1.0)
    finite = np.isfinite(share)
    index = np.where(finite, np.clip(np.nan_to_num(share), 0, 1) * (_N_COLOURS - 1), _N_COLOURS).round()
    image = Image.fromarray(index.astype(np.uint8), mode="P")
    image.putpalette([*_PALETTE.ravel().tolist(), 255, 255, 255])
    kept = BytesIO()
    image.save(kept, format="PNG", optimize=True, transparency=_N_COLOURS)
    content = base64.b64encode(kept.getvalue()).decode()
    height = _SIDE * values.shape[0] / values.shape[1]
    return (
        f'<image href="data:image/png;base64,{content}" y="{top:.1f}" width="{_SIDE:g}" height="{height:.1f}" '
        'preserveAspectRatio="none" style="image-rendering: pixelated"/>',
        height,
    )


def _compass(heading_deg: np.ndarray, activity: np.ndarray) -> str:
    middle, radius = _SIDE / 2, _SIDE / 2 - 3
    lines = [
        f'<circle cx="{middle:g}" cy="{middle:g}" r="{share * radius:g}" fill="none" stroke="{GRID}"/>'
        for share in (0.5, 1.0)
    ]
    good = np.isfinite(activity)
    least, peak = (float(end(activity[good])) for end in (np.min, np.max)) if good.any() else (0.0, 0.0)
    if peak > min(least, 0.0):
        far = (activity[good] - min(least, 0.0)) / (peak - min(least, 0.0)) * radius
        angle = np.deg2rad(heading_deg[good])
        around = zip(middle + far * np.cos(angle), middle - far * np.sin(angle), strict=True)
        path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in around) + "Z"
        lines.append(
            f'<path d="{path}" style="fill: {TRAINED}; fill-opacity: 0.16; stroke: {TRAINED}; '
            'stroke-width: 1.6; stroke-linejoin: round"/>'
        )
    return "".join(lines) + f'<circle cx="{middle:g}" cy="{middle:g}" r="1.2" fill="{INK}"/>'
