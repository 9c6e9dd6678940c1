"""Geometry of planted grids, and modules of planted populations."""

from __future__ import annotations

import numpy as np
import pytest

from probekit.errors import UsageError
from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.grid_geometry import FEW_PEAKS, NO_CENTRE, grid_geometry
from probekit.spatial.modules import grid_modules

BOX_M = 2.0


def planted(
    n_bins: int, spacing: float, orientation: np.ndarray, phase: np.ndarray, *, stretch: float = 1.0, tilt: float = 0.0
) -> np.ndarray:
    """Rectified sums of three waves: maps (unit, y, x) with a field at each unit's phase, stretched along `tilt`."""
    x, y = np.meshgrid(*[(np.arange(n_bins) + 0.5) / n_bins * BOX_M] * 2)
    from_field = np.stack([x, y], -1) - phase[:, None, None]
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    from_field = from_field @ (turn @ np.diag([1 / stretch, 1]) @ turn.T).T
    angles = np.deg2rad(orientation)[:, None] + np.deg2rad([30, 90, 150])
    along = np.einsum("uyxd,uwd->uwyx", from_field, np.stack([np.cos(angles), np.sin(angles)], -1))
    return np.maximum(np.cos(4 * np.pi / np.sqrt(3) / spacing * along).sum(1), 0)


def population(n_units: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 60, n_units), rng.uniform(0, BOX_M, (n_units, 2))


def turned_by(found: np.ndarray, expected: np.ndarray, period: float) -> np.ndarray:
    return np.abs((found - expected + period / 2) % period - period / 2)


def from_a_field(found: np.ndarray, phase: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Distance of points from the nearest field of the planted lattice."""
    cells = np.linalg.solve(axes.transpose(0, 2, 1), (found - phase)[..., None])[..., 0]
    rest = cells - np.round(cells)
    shifts = np.array([[a, b] for a in (-1, 0, 1) for b in (-1, 0, 1)])
    return np.linalg.norm((rest[:, None] + shifts) @ axes, axis=2).min(1)


@pytest.mark.parametrize("n_bins", [20, 40])
@pytest.mark.parametrize("spacing", [0.5, 0.7, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_spacing_orientation_and_phase_of_planted_grids_are_found(n_bins, spacing, noise):
    orientation, phase = population(60, seed=n_bins)
    maps = planted(n_bins, spacing, orientation, phase)
    maps = maps + noise * maps.std() * np.random.default_rng(0).normal(size=maps.shape)
    found = grid_geometry(autocorrelograms(maps), BOX_M / n_bins, maps=maps)
    assert (found.reason == "").all()
    # Without noise: what an eighth of a bin at six peaks comes to. With it, measured 95th percentiles, half again.
    np.testing.assert_allclose(found.spacing, spacing, rtol=0.04 if noise else 0.015)
    assert turned_by(found.orientation, orientation, 60).max() < (2.0 if noise else 0.6)
    assert found.ellipticity.max() < (1.08 if noise else 1.04)
    first = np.deg2rad(orientation)[:, None] + np.array([0, np.pi / 3])
    axes = spacing * np.stack([np.cos(first), np.sin(first)], -1)
    off = from_a_field(found.phase, phase, axes)
    assert off.max() < (0.09 if noise else 0.05) * spacing
    inside = np.einsum("uc,ucd->ud", found.phase_cell, found.axes[:, :2])
    np.testing.assert_allclose(inside, found.phase)
    assert ((found.phase_cell >= 0) & (found.phase_cell <= 1)).all()


@pytest.mark.parametrize(("stretch", "tilt"), [(1.1, 100.0), (1.2, 0.0), (1.2, 40.0)])
def test_ellipses_of_stretched_grids_are_found(stretch, tilt):
    orientation, phase = population(40, seed=3)
    maps = planted(40, 0.7, orientation, phase, stretch=stretch, tilt=np.deg2rad(tilt))
    found = grid_geometry(autocorrelograms(maps), BOX_M / 40)
    np.testing.assert_allclose(found.ellipticity, stretch, atol=0.015)
    assert turned_by(found.ellipse_tilt, np.full(40, tilt), 180).max() < 3  # deg; .01 of ellipticity at 1.1
    assert np.isnan(found.phase).all()


def test_axes_are_three_neighbouring_peaks_by_angle():
    found = grid_geometry(autocorrelograms(planted(40, 0.7, np.array([10.0]), np.array([[0.3, 0.4]]))), 0.05)
    angle = np.rad2deg(np.arctan2(found.axes[0, :, 1], found.axes[0, :, 0]))
    np.testing.assert_allclose(angle, [10, 70, 130], atol=0.5)
    np.testing.assert_allclose(np.linalg.norm(found.axes[0], axis=1), 0.7, rtol=0.015)


def test_phases_differ_by_how_far_the_grid_was_moved():
    moved = np.array([[0.6, 0.6], [0.65, 0.6], [0.6, 0.7]])
    maps = planted(40, 0.7, np.full(3, 15.0), moved)
    maps[:, :3, :4] = np.nan
    found = grid_geometry(autocorrelograms(maps), 0.05, maps=maps)
    axes = np.array([[[np.cos(a), np.sin(a)] for a in np.deg2rad([15, 75])]] * 3) * 0.7
    assert from_a_field(found.phase, moved, axes).max() < 0.02


def test_units_without_a_lattice_say_why():
    y, x = np.mgrid[:20, :20] / 20
    blob = np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) / 0.02)
    hexagon = planted(20, 0.7, np.array([10.0]), np.array([[0.3, 0.4]]))[0]
    found = grid_geometry(autocorrelograms(np.stack([np.ones((20, 20)), x, blob, hexagon])), 0.1)
    assert found.reason.tolist() == [NO_CENTRE, NO_CENTRE, FEW_PEAKS, ""]
    for numbers in (found.spacing, found.orientation, found.ellipticity, found.ellipse_tilt):
        assert np.isnan(numbers).tolist() == [True, True, True, False]


def test_wrong_geometry_input_is_refused_by_name():
    lags = autocorrelograms(planted(20, 0.7, np.array([10.0]), np.array([[0.3, 0.4]])))
    with pytest.raises(UsageError, match="bin_size is 0; expected metres, above 0"):
        grid_geometry(lags, 0)
    with pytest.raises(
        UsageError, match=r"maps have shape \(1, 19, 20\), which does not fit autocorrelograms \(1, 39, 39\)"
    ):
        grid_geometry(lags, 0.1, maps=np.ones((1, 19, 20)))
    with pytest.raises(UsageError, match=r"autocorrelograms has shape \(39, 39\)"):
        grid_geometry(lags[0], 0.1)


# --- modules ----------------------------------------------------------------------------------------------------------


def one_module(seed: int, *, common: bool, n_units: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    spacing = 0.9 * np.exp(0.06 * rng.normal(size=n_units))
    return spacing, rng.normal(58, 4, n_units) if common else rng.uniform(0, 60, n_units)


@pytest.mark.parametrize("common", [True, False])
def test_one_module_is_one_with_or_without_a_common_orientation(common):
    found = [grid_modules(*one_module(seed, common=common), n_bootstraps=99, seed=seed) for seed in range(12)]
    assert sum(modules.n_modules == 1 for modules in found) >= 11
    assert sum(modules.p <= 0.1 for modules in found) <= 4  # of 12 at 10 %: more in 1 of 200 runs (binomial)
    one = next(modules for modules in found if modules.n_modules == 1)
    assert one.spacing[0] == pytest.approx(0.9, rel=0.05)
    assert (one.labels == 0).all()
    assert (one.coherence[0] > 0.8) == common
    if common:
        assert turned_by(one.orientation, np.array([58.0]), 60)[0] < 2


def test_an_even_spread_is_one_module():
    rng = np.random.default_rng(0)
    found = [grid_modules(rng.uniform(0.7, 1.1, 60), rng.uniform(0, 60, 60), n_bootstraps=99) for _ in range(4)]
    assert [modules.n_modules for modules in found] == [1] * 4


@pytest.mark.parametrize("common", [True, False])
def test_two_modules_are_told_apart_by_spacing(common):
    for seed in range(3):
        (fine, first), (coarse, second) = (one_module(seed + part, common=common, n_units=40) for part in (0, 100))
        spacing = np.concatenate([coarse * 1.4, fine])
        found = grid_modules(spacing, np.concatenate([second, first]), n_bootstraps=99, seed=seed)
        assert found.n_modules == 2
        assert found.p == 0.01 < found.p_steps[1]
        np.testing.assert_allclose(found.spacing, [0.9, 1.26], rtol=0.06)  # three standard errors of 40 units
        assert (found.labels == np.repeat([1, 0], 40)).mean() > 0.9  # their middle is 2.8 sd away: 1 in 400 expected


def test_two_modules_are_told_apart_by_orientation():
    spacing, _ = one_module(1, common=True, n_units=80)
    orientation = np.random.default_rng(2).normal(np.repeat([3, 30], 40), 3) % 60
    found = grid_modules(spacing, orientation, n_bootstraps=99)
    assert found.n_modules == 2
    groups = found.labels[:40], found.labels[40:]
    assert (
        max((groups[0] == 0).mean() + (groups[1] == 1).mean(), (groups[0] == 1).mean() + (groups[1] == 0).mean()) > 1.9
    )


def test_few_units_are_one_module_without_a_test():
    found = grid_modules([0.5, 1.0, 0.7], [10, 20, 30])
    assert found.n_modules == 1
    assert np.isnan(found.p)
    assert len(found.p_steps) == 0


def test_modules_are_the_same_again_and_leave_global_randomness_alone():
    state = np.random.get_state()[1].copy()
    first, again = (grid_modules(*one_module(5, common=False), n_bootstraps=19, seed=3) for _ in range(2))
    assert first.p == again.p
    np.testing.assert_array_equal(first.labels, again.labels)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_wrong_modules_input_is_refused_by_name():
    with pytest.raises(UsageError, match=r"spacing has shape \(2,\), orientation \(3,\); expected the same"):
        grid_modules([1, 2], [1, 2, 3])
    with pytest.raises(UsageError, match="spacing has shape"):
        grid_modules([], [])
    with pytest.raises(UsageError, match="leave out units where they are nan"):
        grid_modules([1, np.nan], [1, 2])
    with pytest.raises(UsageError, match="leave out units where they are nan"):
        grid_modules([1, -1], [1, 2])
    with pytest.raises(UsageError, match="alpha is 0; expected between 0 and 1"):
        grid_modules([1, 2], [1, 2], alpha=0)
