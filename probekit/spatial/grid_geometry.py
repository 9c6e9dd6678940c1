"""Spacing, orientation, ellipticity and phase of grids, from the six inner peaks of their autocorrelograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats
from probekit.errors import UsageError
from probekit.spatial.autocorrelation import chunks, map_stack
from probekit.spatial.peaks import central_radius, six_peaks

NO_CENTRE = "the autocorrelogram is undefined, or its central peak does not end"
_CHUNK = 4_000_000
_LEAST_BINS = 5
FEW_PEAKS = "fewer than six peaks around the central one"
NO_ELLIPSE = "no ellipse goes through the six peaks"


@dataclass(frozen=True, eq=False)
class GridGeometry:
    """The lattice of each unit.

    Parameters
    ----------
    spacing : array (unit,)
        Mean distance of the six inner peaks from the middle, m.
    orientation : array (unit,)
        Of the grid's axes, deg, 0 … 60 counter-clockwise from +x: the mean of the three axes, each modulo 60. Of a
        regular grid it is that of the first axis.
    axes : array (unit, 3, 2)
        x and y of three neighbouring peaks, m, by angle from 0 to below 180 degrees; the other three are opposite.
    ellipticity : array (unit,)
        Long over short axis of the ellipse through the six peaks, 1 or more.
    ellipse_tilt : array (unit,)
        Of its long axis, deg, 0 … 180 counter-clockwise from +x. Of no meaning where the ellipticity is near 1.
    phase : array (unit, 2)
        x and y of the field inside the unit cell that the first two axes span from the map's lower left corner, m from
        that corner; nan without maps.
    phase_cell : array (unit, 2)
        The same as parts of the first and second axis, 0 … 1.
    reason : array of str (unit,)
        Why a unit's numbers are nan; "" where they are not.
    """

    spacing: Floats
    orientation: Floats
    axes: Floats
    ellipticity: Floats
    ellipse_tilt: Floats
    phase: Floats
    phase_cell: Floats
    reason: npt.NDArray[np.str_]


def grid_geometry(
    autocorrelograms: npt.ArrayLike, bin_size: float, *, maps: npt.ArrayLike | None = None
) -> GridGeometry:
    """Return the lattice of each unit.

    Every autocorrelogram with six peaks has these numbers, a grid or not: ask gridness first.

    Parameters
    ----------
    autocorrelograms : array (unit, 2y-1, 2x-1)
    bin_size : float
        m.
    maps : array (unit, y, x), optional
        The rate maps, for the phase; nan where never visited.

    Returns
    -------
    GridGeometry
        nan, with its reason, for units with fewer than six peaks. Ellipticity and its tilt are also nan, with the
        reason, where the peaks lie on no ellipse.

    Raises
    ------
    UsageError
        If shapes do not fit each other or the bin size is not above 0.

    References
    ----------
    Hafting et al. 2005, Nature 436:801, doi:10.1038/nature03721 (spacing, orientation, phase);
    Stensola et al. 2012, Nature 492:72, doi:10.1038/nature11649 (ellipse)

    Examples
    --------
    >>> y, x = np.mgrid[-19:20, -19:20] * 0.05
    >>> waves = [np.cos(16.0 * (x * np.cos(a) + y * np.sin(a))) for a in np.deg2rad([40, 100, 160])]
    >>> found = grid_geometry(np.sum(waves, 0)[None] / 3, 0.05)
    >>> round(float(found.spacing[0]), 2), round(float(found.orientation[0])), round(float(found.ellipticity[0]), 2)
    (0.45, 10, 1.0)
    """
    stack = map_stack("autocorrelograms", autocorrelograms)
    if not (isinstance(bin_size, int | float | np.number) and 0 < bin_size < np.inf):
        raise UsageError(f"bin_size is {bin_size!r}; expected metres, above 0.")
    if not len(stack) or min(stack.shape[1:]) < _LEAST_BINS:
        raise UsageError(
            f"autocorrelograms have shape {stack.shape}; expected one or more, of at least {_LEAST_BINS} x "
            f"{_LEAST_BINS} bins."
        )
    central = central_radius(stack)
    axes = six_peaks(stack, central) * float(bin_size)
    length, angle = np.hypot(axes[..., 0], axes[..., 1]), np.arctan2(axes[..., 1], axes[..., 0])
    turns = np.exp(6j * angle).mean(1)
    ellipticity, tilt = _ellipses(axes)
    phase_cell = _phases(stack, maps, axes, float(bin_size))
    reason = np.where(np.isnan(ellipticity), NO_ELLIPSE, "")
    reason = np.where(np.isnan(length[:, 0]), FEW_PEAKS, reason)
    reason = np.where(np.isnan(central) | np.isnan(_middle(stack)), NO_CENTRE, reason)
    return GridGeometry(
        spacing=length.mean(1),
        orientation=np.rad2deg(np.angle(turns)) % 360 / 6,
        axes=axes,
        ellipticity=ellipticity,
        ellipse_tilt=tilt,
        phase=(phase_cell[:, :, None] * axes[:, :2]).sum(1),
        phase_cell=phase_cell,
        reason=reason,
    )


def _middle(maps: Floats) -> Floats:
    return maps[:, maps.shape[1] // 2, maps.shape[2] // 2]


def _ellipses(axes: Floats) -> tuple[Floats, Floats]:
    # a x² + b xy + c y² = 1 through three points and their opposites: three equations, exact.
    x, y = axes[..., 0], axes[..., 1]
    rows = np.stack([x**2, x * y, y**2], -1)
    scale = np.abs(rows).max((1, 2))
    solvable = np.abs(np.linalg.det(np.nan_to_num(rows / scale[:, None, None]))) > 1e-9
    found = np.full((len(axes), 3), np.nan)
    found[solvable] = np.linalg.solve(rows[solvable], np.ones((solvable.sum(), 3, 1)))[..., 0]
    a, b, c = found.T
    middle, spread = (a + c) / 2, np.hypot((a - c) / 2, b / 2)
    closed = middle > spread
    ratio = np.sqrt((middle + spread) / np.where(closed, middle - spread, np.nan))
    long_axis = np.rad2deg(np.arctan2(b, a - c)) / 2 + 90  # the short axis is where the form is steepest
    return ratio, np.where(closed, long_axis % 180, np.nan)


def _phases(autocorrelograms: Floats, maps: Any, axes: Floats, bin_size: float) -> Floats:
    found = np.full((len(axes), 2), np.nan)
    if maps is None:
        return found
    stack = map_stack("maps", maps)
    n_units, n_y, n_x = stack.shape
    if autocorrelograms.shape != (n_units, 2 * n_y - 1, 2 * n_x - 1):
        given = autocorrelograms.shape
        raise UsageError(f"maps have shape {stack.shape}, which does not fit autocorrelograms {given}.")
    full = np.flatnonzero(~np.isnan(axes).any((1, 2)) & ~np.isnan(_middle(autocorrelograms)))
    for part in chunks(len(full), 7 * n_y * n_x, _CHUNK):
        found[full[part]] = _phase_of_waves(stack[full[part]], axes[full[part], :2], bin_size)
    return found


def _phase_of_waves(maps: Floats, axes: Floats, bin_size: float) -> Floats:
    # As parts of the two axes. The waves are fitted by least squares; what their phases disagree by is shared out.
    y, x = (np.mgrid[: maps.shape[1], : maps.shape[2]] + 0.5) * bin_size
    first, second = np.moveaxis(2 * np.pi * np.linalg.inv(axes), -1, 0)
    waves = np.stack([first, second, first + second], 1)
    angles = np.einsum("uwd,db->uwb", waves, np.stack([x.ravel(), y.ravel()]))
    visited = ~np.isnan(maps).reshape(len(maps), 1, -1)
    design = np.concatenate([np.ones_like(angles[:, :1]), np.cos(angles), np.sin(angles)], 1) * visited
    values = np.nan_to_num(maps).reshape(len(maps), -1, 1)
    weights = np.linalg.pinv(design @ design.transpose(0, 2, 1), hermitian=True) @ (design @ values)
    phases = np.arctan2(weights[:, 4:, 0], weights[:, 1:4, 0])
    excess = (phases[:, 0] + phases[:, 1] - phases[:, 2] + np.pi) % (2 * np.pi) - np.pi
    found: Floats = (phases[:, :2] - excess[:, None] / 3) / (2 * np.pi) % 1.0
    return found
