"""The nulls of maps: what they keep, what they lose, how often they call chance significant, and what they are for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from probekit.errors import UsageError
from probekit.navigation import Arena, Tracking
from probekit.navigation.ensembles import PlaceCells
from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.gridness import gridness
from probekit.spatial.nulls import matched_spectrum, replaced_fields, shifted_rows, time_shifts, watershed
from probekit.spatial.nulls.matched_spectrum import radial_power
from probekit.spatial.rate_maps import bin_samples, rate_maps
from probekit.spatial.significance import CLASSIC_THRESHOLDS, null_scores, p_values

BOX = Arena.square(2.2)
N_SHUFFLES = 19  # p is at most .05 where a score beats all of them: the level is exactly .05


def score(maps):
    return gridness(autocorrelograms(maps, method="banino2018")).score_60


def significant(maps, null):
    p = p_values(score(maps), null_scores(score, null))
    return np.nan_to_num(p, nan=1.0) <= 0.05 + 1e-9


def smooth_noise(n_units, n_bins=20, width=1.5, seed=0):
    return gaussian_filter(np.random.default_rng(seed).standard_normal((n_units, n_bins, n_bins)), (0, width, width))


def waves(n_units, angles, *, n_bins=20, seed=0):
    """Sums of plane waves at these angles, of random orientation, spacing and phase, with some noise; not below 0."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:n_bins, :n_bins] / n_bins
    turn, phase = rng.uniform(0, np.pi, (n_units, 1, 1)), rng.uniform(0, 2 * np.pi, (len(angles), n_units, 1, 1))
    wave_number = 4 * np.pi / np.sqrt(3) / rng.uniform(0.3, 0.5, (n_units, 1, 1))
    total = sum(
        np.cos(wave_number * (x * np.cos(turn + angle) + y * np.sin(turn + angle)) + phase[k] * (len(angles) < 3))
        for k, angle in enumerate(np.deg2rad(angles))
    )
    return np.maximum(total / len(angles) + smooth_noise(n_units, n_bins, 1, seed) / 3 + 0.3, 0)


def read_out_maps(n_units, *, rectified=True, seed=0, n_bins=20):
    """Random sums of a place code."""
    middles = (np.arange(n_bins) + 0.5) / n_bins * 2.2 - 1.1
    places = np.stack(np.meshgrid(middles, middles), -1).reshape(-1, 2)
    cells = PlaceCells.random(BOX, 512, 0.12, "difference_of_gaussians", seed=seed)
    code = cells.activity(torch.from_numpy(places).float()).numpy().astype(np.float64)
    total = (code - code.mean(0)) @ np.random.default_rng(seed).standard_normal((512, n_units))
    return (np.maximum(total, 0) if rectified else total).T.reshape(n_units, n_bins, n_bins)


def short_paths(n_paths, n_steps=20, seed=0):
    """Straight paths at random, about 40 cm long, held at the walls."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, n_paths)
    steps = 0.02 * np.stack([np.cos(angle), np.sin(angle)], -1)[:, None] * np.arange(n_steps)[None, :, None]
    places = np.clip(BOX.uniform(n_paths, rng)[:, None] + steps, -1.1, 1.1).reshape(-1, 2)
    return Tracking(places, BOX, 0.02, path=np.repeat(np.arange(n_paths), n_steps))


def masked(maps):
    """The same in a round arena."""
    y, x = np.indices(maps.shape[1:]) - (np.array(maps.shape[1:])[:, None, None] - 1) / 2
    return np.where(np.hypot(y, x) <= maps.shape[1] / 2, maps, np.nan)


NULLS = [replaced_fields, matched_spectrum, lambda *args: matched_spectrum(*args, values="moments")]
NAMES = ["replaced_fields", "matched_spectrum", "matched_moments"]


# What every null of maps promises


@pytest.mark.parametrize("null", NULLS, ids=NAMES)
def test_nulls_repeat_with_their_seed_and_leave_maps_alone(null):
    maps = masked(smooth_noise(5))
    before = maps.copy()
    first, again, other = (np.stack(list(null(maps, 3, seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(maps, before)
    assert first.shape == (3, 5, 20, 20)
    assert not np.array_equal(first, other, equal_nan=True)
    assert not np.array_equal(first[0], first[1], equal_nan=True)
    assert (np.isnan(first) == np.isnan(maps)).all()


@pytest.mark.parametrize("null", NULLS[:2], ids=NAMES[:2])
@pytest.mark.parametrize("maps", [masked(smooth_noise(4)), waves(4, (0, 60, 120)), np.ones((2, 9, 14))])
def test_each_surrogate_holds_the_values_of_its_unit(null, maps):
    own = np.sort(maps.reshape(len(maps), -1), axis=1)
    for surrogate in null(maps, 3, 0):
        np.testing.assert_array_equal(np.sort(surrogate.reshape(len(maps), -1), axis=1), own)


@pytest.mark.parametrize("null", NULLS, ids=NAMES)
def test_surrogates_follow_the_units_of_measurement(null):
    maps = smooth_noise(3)
    for plain, scaled in zip(
        null(maps, 3, 0), null(2 * maps + 8, 3, 0), strict=True
    ):  # exact powers of two: same ranks
        np.testing.assert_allclose(scaled, 2 * plain + 8, rtol=1e-5)  # "moments" is made in float32


@pytest.mark.parametrize("null", NULLS, ids=NAMES)
def test_nulls_refuse_what_is_no_map(null):
    with pytest.raises(UsageError, match=r"maps have shape \(4, 4\)"):
        null(np.ones((4, 4)), 1, 0)
    with pytest.raises(UsageError, match="infinite"):
        null(np.full((1, 4, 4), np.inf), 1, 0)
    with pytest.raises(UsageError, match="unit 1 and unit 0 are nan in different bins"):
        null(np.array([[[1.0, 2.0]], [[1.0, np.nan]]]), 1, 0)
    with pytest.raises(UsageError, match="n is 0"):
        null(np.ones((1, 4, 4)), 0, 0)
    with pytest.raises(UsageError, match="seed is -1"):
        null(np.ones((1, 4, 4)), 1, -1)


# Spectrum


def test_radial_power_is_the_mean_over_rings_by_another_way():
    maps = smooth_noise(2, n_bins=9)
    maps[:, 0, :4] = np.nan
    for one, found in zip(maps, radial_power(maps), strict=True):
        centred = np.nan_to_num(one - np.nanmean(one))
        size, rings = 18, {}  # twice 9, a good length for the FFT
        rows = np.exp(-2j * np.pi * np.outer(np.arange(size), np.arange(9)) / size)
        power = np.abs(rows @ centred @ rows.T) ** 2
        for u in range(size):
            for v in range(size):
                away = np.hypot(min(u, size - u), min(v, size - v))
                rings.setdefault(round(away), []).append(power[u, v])
        expected = [np.mean(rings[k]) for k in sorted(rings)]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * max(expected))  # float32


@pytest.mark.parametrize(("values", "tolerance"), [("moments", 0.02), ("rank", 0.06)])
def test_surrogates_have_the_radial_spectrum_of_the_map(values, tolerance):
    """Centroid of the spectrum; "rank" matches that of the map made Gaussian, whose values differ a little."""
    maps = read_out_maps(6, rectified=False)
    power = np.mean([radial_power(one) for one in matched_spectrum(maps, 200, 0, values=values)], axis=0)
    own, ring = radial_power(maps), np.arange(power.shape[1])
    np.testing.assert_allclose((power @ ring) / power.sum(1), (own @ ring) / own.sum(1), rtol=tolerance)
    for one, other in zip(power, own, strict=True):
        assert np.corrcoef(one, other)[0, 1] > 0.95  # measured .97 to .99: the window blurs it once more


def test_surrogates_have_no_direction_left():
    """Stripes vary along x alone; their surrogates as much along y. Tolerance: 4 standard errors of 400 fields."""
    stripes = np.broadcast_to(np.cos(2 * np.pi * np.arange(20) / 5), (1, 20, 20))
    roughness = np.array(
        [[np.square(np.diff(one[0], axis=axis)).mean() for axis in (0, 1)] for one in matched_spectrum(stripes, 400, 0)]
    )
    difference = roughness[:, 0] - roughness[:, 1]
    assert abs(difference.mean()) < 4 * difference.std() / 20
    assert roughness.mean(0).min() > 0.5  # of 1.38 along the stripes' own direction


def test_constant_maps_have_constant_surrogates():
    for values in ("rank", "moments"):
        for one in matched_spectrum(np.full((2, 8, 8), 3.0), 2, 0, values=values):
            np.testing.assert_array_equal(one, 3.0)


def test_unknown_values_name_the_choices():
    with pytest.raises(UsageError, match="'rank', 'moments'"):
        matched_spectrum(np.ones((1, 4, 4)), 1, 0, values="ranks")


# Fields


def test_watershed_is_steepest_ascent_bin_by_bin():
    maps = np.round(masked(smooth_noise(6, n_bins=12)), 1)  # rounded: ties
    found = watershed(maps, smoothing=0)
    for unit, one in enumerate(maps):
        for start in np.ndindex(one.shape):
            if np.isnan(one[start]):
                assert found[unit][start] == -1
                continue
            here = start
            while True:
                around = [
                    (here[0] + up, here[1] + right)
                    for up in (-1, 0, 1)
                    for right in (-1, 0, 1)
                    if 0 <= here[0] + up < 12 and 0 <= here[1] + right < 12
                ]
                best = max(
                    (place for place in around if not np.isnan(one[place])), key=lambda place: (one[place], place)
                )
                if best == here:
                    break
                here = best
            assert found[unit][start] == here[0] * 12 + here[1]


def test_smoothing_keeps_noise_from_breaking_fields_up():
    y, x = np.indices((40, 40))
    two = sum(np.exp(-((y - row) ** 2 + (x - 20) ** 2) / 50) for row in (10, 30))
    noisy = (two + 0.05 * np.random.default_rng(0).standard_normal((40, 40)))[None]
    high = two > 0.3
    assert len(np.unique(watershed(noisy, smoothing=3)[0][high])) == 2
    assert len(np.unique(watershed(noisy, smoothing=0)[0][high])) >= 6
    with pytest.raises(UsageError, match="smoothing is -1"):
        watershed(noisy, smoothing=-1)


def test_a_field_moves_as_a_whole_and_anywhere():
    field = np.zeros((200, 30, 30))
    field[:, 3:6, 4:8] = [[1, 2, 3, 1], [2, 5, 4, 2], [1, 2, 2, 1]]
    (moved,) = replaced_fields(field, 1, 0, smoothing=0)
    row, column = np.unravel_index(moved.reshape(200, -1).argmax(1), (30, 30))
    for along in (row, column):  # even from 0 to 29: sd of the mean of 200 is .61; 3 of them
        assert abs(along.mean() - 14.5) < 1.9
        assert along.min() <= 1
        assert along.max() >= 28
    shapes = {np.rot90(turned, k).tobytes() for turned in (field[0, 3:6, 4:8], field[0, 3:6, 7:3:-1]) for k in range(4)}
    seen = set()
    for one, r, c in zip(moved, row, column, strict=True):
        if 3 <= r <= 26 and 3 <= c <= 26:
            rows, columns = (np.flatnonzero(one.any(axis)) for axis in (1, 0))
            seen.add(one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].tobytes())
    assert seen == shapes  # as it was, in all eight orientations, with nothing lost or added


def test_fields_that_come_apart_stay_two():
    y, x = np.indices((40, 40))
    two = sum(np.exp(-((y - row) ** 2 + (x - 20) ** 2) / 8) for row in (12, 28))
    maps = np.broadcast_to(np.where(two > 0.05, two, 0), (100, 40, 40))
    (moved,) = replaced_fields(maps, 1, 0)
    fields = np.array([len(np.unique(basins[one > 0.5])) for basins, one in zip(watershed(moved), moved, strict=True)])
    # Above half their peak they are 2.4 bins in radius, in 1,600 bins: few touch. What walls cut off from them is
    # filled in beside them, and may make a peak of its own.
    assert (fields == 2).mean() > 0.8


# False and true positives


def test_gridness_of_the_null_itself_is_significant_one_time_in_twenty():
    """Tolerance: 3 standard deviations of the share of 1,000 units are .021."""
    bases = np.maximum(smooth_noise(1000, n_bins=12, width=1.2), 0)
    (maps,) = matched_spectrum(bases, 1, seed=100)
    assert abs(significant(maps, matched_spectrum(maps, N_SHUFFLES, seed=1)).mean() - 0.05) < 0.021


def test_random_read_outs_are_grid_cells_by_time_shifts_and_not_by_their_spectrum():
    """Random sums of a place code, never trained: why gridness is not tested by time shifts.

    Tolerance: 3 standard deviations of .05 in 200 units are .046. About a fifth of them pass the classic threshold.
    """
    tracking = short_paths(1000)
    maps = read_out_maps(200)
    activity = maps.reshape(200, -1).T[bin_samples(tracking, 20).index].astype(np.float32)
    by_time = significant(maps, time_shifts(activity, tracking, N_SHUFFLES, 0, least_s=1)).mean()
    by_spectrum = significant(maps, matched_spectrum(maps, N_SHUFFLES, 0)).mean()
    assert by_time > 0.15
    assert by_spectrum < 0.05 + 0.046
    assert 0.1 < (score(maps) > CLASSIC_THRESHOLDS["banino2018"]["grid"]).mean() < 0.35


def test_planted_grids_beat_both_nulls():
    maps = waves(40, (0, 60, 120))
    for null in (replaced_fields, matched_spectrum):
        assert significant(maps, null(maps, N_SHUFFLES, 0)).mean() > 0.95


@pytest.mark.parametrize(
    "maps",
    [waves(60, (0,)), waves(60, (0, 90)), np.exp(4 * smooth_noise(60, width=4)), smooth_noise(60, width=0.5)],
    ids=["stripes", "squares", "blobs", "noise"],
)
def test_other_patterns_are_no_grid_cells(maps):
    """Both nulls must be beaten; chance alone gives at most .05, and 3 standard deviations of 60 units are .084."""
    both = significant(maps, replaced_fields(maps, N_SHUFFLES, 0)) & significant(
        maps, matched_spectrum(maps, N_SHUFFLES, 0)
    )
    assert both.mean() < 0.05 + 0.084


# Time shifts


def test_shifts_keep_activity_that_knows_no_place_at_its_level():
    """Slow activity on a smooth walk, the variance of the map as the score; 3 sd of .05 in 300 units are .038."""
    rng = np.random.default_rng(0)
    n = 12_000
    walk = gaussian_filter(rng.standard_normal((n, 2)), (40, 0), mode="wrap")
    tracking = Tracking(np.clip(walk / walk.std(0) * 0.5, -1.1, 1.1), BOX, 0.1)
    activity = gaussian_filter(rng.standard_normal((n, 300)), (20, 0), mode="wrap")

    def variance(maps):
        return np.nanvar(maps, axis=(1, 2))

    observed = variance(rate_maps(activity, tracking, n_bins=10).maps)
    p = p_values(observed, null_scores(variance, time_shifts(activity, tracking, 39, 0, n_bins=10)))
    assert abs((p <= 0.05 + 1e-9).mean() - 0.05) < 0.038
    placed = activity + 2 * np.sin(3 * tracking.positions[:, :1])
    p = p_values(
        variance(rate_maps(placed, tracking, n_bins=10).maps),
        null_scores(variance, time_shifts(placed, tracking, 39, 0, n_bins=10)),
    )
    assert (p <= 0.05 + 1e-9).mean() > 0.95


def test_time_shifts_are_maps_of_shifted_rows():
    rng = np.random.default_rng(0)
    positions = BOX.uniform(3000, rng)
    positions[100:120] = np.nan
    tracking = Tracking(positions, BOX, 0.1)
    activity = rng.standard_normal((3000, 3))
    options = {"n_bins": 6, "smoothing": 1.0}
    maps = time_shifts(activity, tracking, 4, 7, **options)
    rows = list(shifted_rows(tracking, 4, 7))
    for one, order in zip(maps, rows, strict=True):
        assert (order[100:120] == np.arange(100, 120)).all()
        assert sorted(order) == list(range(3000))
        expected = rate_maps(activity[order], tracking, **options).maps
        np.testing.assert_allclose(one, expected, rtol=1e-9, atol=1e-12)  # the order of sums differs


def test_lags_are_long_and_differ():
    tracking = Tracking(BOX.uniform(1000, np.random.default_rng(0)), BOX, 0.1)
    lags = [int(np.flatnonzero(rows == 0)[0]) for rows in shifted_rows(tracking, 500, 0, least_s=20)]
    assert len(set(lags)) == 500
    assert min(lags) >= 200
    assert max(lags) <= 800
    with pytest.raises(UsageError, match=r"tracking lasts 100 s, which allows 601 lags .* n = 602"):
        shifted_rows(tracking, 602, 0, least_s=20)
    with pytest.raises(UsageError, match=r"least_s is 0"):
        shifted_rows(tracking, 5, 0, least_s=0)


def test_short_trajectories_are_shifted_whole():
    """Activity that depends on the step alone is the same in every shuffle: the step is no place."""
    tracking = short_paths(200, n_steps=20)
    step = np.tile(np.arange(20), 200)
    for rows in shifted_rows(tracking, 20, 0):
        assert (step[rows] == step).all()
        assert (np.diff(rows.reshape(200, 20), axis=1) == 1).all()
    uneven = Tracking(tracking.positions, BOX, 0.02, path=np.repeat([0, 1], [1500, 2500]))
    assert any((step[rows] != step).any() for rows in shifted_rows(uneven, 20, 0))
