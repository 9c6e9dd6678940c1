"""Rate maps, spike trains, signed activity and stability, against plain loops, scipy, and what was planted."""

from __future__ import annotations

import tracemalloc
from importlib import import_module

import numpy as np
import pytest
import torch
from scipy import stats

from probekit.errors import UsageError
from probekit.navigation import Arena, Tracking
from probekit.spatial.correlation import map_correlation
from probekit.spatial.rate_maps import Bins, bin_samples, rate_maps
from probekit.spatial.signed import nonnegative, require_rates, signed_units
from probekit.spatial.spikes import spike_rates
from probekit.spatial.stability import split, stability

ARENAS = (Arena.square(1.0), Arena.circle(1.2, centre=(0.3, -0.2)), Arena(1.5, 0.7, centre=(5.0, 0.0)))


def wandering(arena, n=4000, seed=0, **options):
    """Return places drawn evenly: a path is not needed to bin it."""
    return Tracking(arena.uniform(n, np.random.default_rng(seed)), arena, dt=0.02, **options)


@pytest.mark.parametrize("arena", ARENAS, ids=lambda arena: f"{arena.shape}{arena.height}")
def test_maps_are_those_of_scipy(arena):
    tracking = wandering(arena)
    activity = np.random.default_rng(1).normal(size=(4000, 5))
    found = rate_maps(activity, tracking, n_bins=12)
    x, y = arena.edges(12)
    expected, counts = (
        stats.binned_statistic_2d(
            tracking.positions[:, 1], tracking.positions[:, 0], activity.T, statistic, bins=[y, x]
        ).statistic
        for statistic in ("mean", "count")
    )
    np.testing.assert_allclose(found.maps, expected, rtol=1e-10)
    np.testing.assert_allclose(found.occupancy, counts[0] * 0.02)
    np.testing.assert_array_equal(found.visited, np.isfinite(found.maps[0]))
    assert found.bin_size == pytest.approx(max(arena.width, arena.height) / 12)


def test_smoothing_is_of_sums_and_of_time_as_in_a_loop():
    arena = Arena(1.5, 0.7)
    tracking = wandering(arena, 150, seed=3)
    activity = np.random.default_rng(2).normal(size=(150, 2))
    found = rate_maps(activity, tracking, n_bins=15, smoothing=1.3).maps
    (x, y), reach = arena.edges(15), 5  # 4 standard deviations, rounded
    column = np.digitize(tracking.positions[:, 0], x) - 1
    row = np.digitize(tracking.positions[:, 1], y) - 1
    expected = np.full((2, 7, 15), np.nan)
    for i, j in set(zip(row, column, strict=True)):
        near = (np.abs(row - i) <= reach) & (np.abs(column - j) <= reach)
        weights = np.exp(-((row - i) ** 2 + (column - j) ** 2) / (2 * 1.3**2)) * near
        expected[:, i, j] = weights @ activity / weights.sum()
    assert np.isnan(expected).any()
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("arena", ARENAS, ids=lambda arena: f"{arena.shape}{arena.height}")
def test_walls_and_gaps_pull_no_rate_down(arena):
    found = rate_maps(np.full((300, 1), 3.5), wandering(arena, 300), n_bins=16, smoothing=2.0)
    assert (~found.visited & arena.floor(16)).any()
    np.testing.assert_allclose(found.maps[0][found.visited], 3.5, rtol=1e-12)


def test_a_map_of_x_grows_with_columns_and_one_of_y_with_rows():
    arena = Arena(2.0, 1.0, centre=(1.0, 3.0))
    tracking = wandering(arena, 60000)
    found = rate_maps(tracking.positions, tracking, n_bins=20)
    assert found.maps.shape == (2, 10, 20)
    # a bin's mean of 300 even draws errs by its side / sqrt(12 · 300); 200 bins are within 5 of these
    np.testing.assert_allclose(found.maps, np.moveaxis(arena.centres(20), -1, 0), atol=5 * 0.1 / np.sqrt(3600))


def test_what_stands_on_a_wall_is_in_the_bin_before_it():
    tracking = Tracking([[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.0, 0.0]], Arena.square(1.0), 1.0)
    np.testing.assert_array_equal(bin_samples(tracking, 2).counts, [[1, 1], [1, 2]])


def test_untracked_and_unused_samples_are_left_out_whatever_they_hold():
    arena = Arena.square(1.0)
    places = arena.uniform(500, np.random.default_rng(0))
    activity = np.random.default_rng(1).normal(size=(500, 3))
    lost = np.arange(500) % 7 == 0
    spoilt = np.where(lost[:, None], np.nan, activity)
    expected = rate_maps(activity[~lost], Tracking(places[~lost], arena, 0.1), n_bins=8)
    untracked = Tracking(np.where(lost[:, None], np.nan, places), arena, 0.1)
    for found in (
        rate_maps(spoilt, untracked, n_bins=8),
        rate_maps(spoilt, Tracking(places, arena, 0.1), n_bins=8, samples=~lost),
        rate_maps(spoilt, Tracking(places, arena, 0.1), n_bins=8, samples=np.flatnonzero(~lost)[::-1]),
    ):
        np.testing.assert_allclose(found.maps, expected.maps, rtol=1e-10)
        np.testing.assert_allclose(found.occupancy, expected.occupancy)


def test_bins_of_less_than_the_least_occupancy_were_never_visited():
    tracking = wandering(Arena.square(1.0), 300)
    activity = np.random.default_rng(1).normal(size=(300, 1))
    everywhere = rate_maps(activity, tracking, n_bins=8)
    found = rate_maps(activity, tracking, n_bins=8, min_occupancy=0.08)
    kept = everywhere.occupancy >= 0.08
    assert kept.sum() not in (0, everywhere.visited.sum())
    np.testing.assert_array_equal(found.occupancy, np.where(kept, everywhere.occupancy, 0))
    np.testing.assert_array_equal(found.maps, np.where(kept, everywhere.maps, np.nan))


def test_one_visit_a_bin_gives_the_activity_itself():
    arena = Arena.square(1.0)
    tracking = Tracking(arena.centres(6).reshape(-1, 2), arena, 0.1)
    activity = np.random.default_rng(0).normal(size=(36, 2))
    np.testing.assert_array_equal(rate_maps(activity, tracking, n_bins=6).maps, activity.T.reshape(2, 6, 6))


def test_shifted_bins_map_as_shifted_activity():
    arena = Arena.circle(1.0)
    places = arena.uniform(400, np.random.default_rng(0))
    places[[5, 6, 399]] = np.nan
    tracking = Tracking(places, arena, 0.1)
    activity = np.random.default_rng(1).normal(size=(400, 3))
    bins = bin_samples(tracking, 6)
    used = tracking.valid
    for steps in (1, 57, -3):
        rolled = activity.copy()
        rolled[used] = np.roll(activity[used], steps, axis=0)
        shifted = bins.shifted(steps)
        np.testing.assert_allclose(shifted.maps(activity), bins.maps(rolled), rtol=1e-10)
        np.testing.assert_array_equal(shifted.counts, bins.counts)
    np.testing.assert_array_equal(bins.shifted(0).index, bins.index)


def test_types_and_blocks_do_not_matter_and_inputs_stay(monkeypatch):
    tracking = wandering(Arena.square(1.0), 2000)
    activity = np.random.default_rng(1).integers(0, 9, (2000, 4))
    kept = activity.copy()
    expected = rate_maps(activity.astype(np.float64), tracking).maps
    monkeypatch.setattr(import_module("probekit.spatial.rate_maps"), "_BLOCK", 400)  # a function has the same name
    for kind in (np.int64, np.float32, np.uint8):
        np.testing.assert_allclose(rate_maps(activity.astype(kind), tracking).maps, expected, rtol=1e-12)
    np.testing.assert_allclose(rate_maps(torch.from_numpy(activity), tracking).maps, expected, rtol=1e-12)
    np.testing.assert_array_equal(activity, kept)


def test_sums_of_float32_lose_nothing_and_no_double_of_the_activity_is_made():
    n, n_units = 60_000, 256
    tracking = wandering(Arena.square(1.0), n)
    activity = np.full((n, n_units), 0.1, dtype=np.float32)
    tracemalloc.start()
    found = rate_maps(activity, tracking, n_bins=2).maps
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(found, np.float64(np.float32(0.1)), rtol=1e-12)
    assert peak < 60e6  # blocks of 32 MB; the activity as float64 would be 123 MB


def test_what_cannot_be_mapped_is_refused():
    arena = Arena.square(1.0)
    tracking = wandering(arena, 100)
    activity = np.ones((100, 2))
    with pytest.raises(UsageError, match=r"activity has shape \(99, 2\); expected \(sample, unit\) with 100 samples"):
        rate_maps(activity[:-1], tracking)
    with pytest.raises(UsageError, match=r"activity has shape \(100,\)"):
        rate_maps(activity[:, 0], tracking)
    with pytest.raises(UsageError, match="activity of unit 1 holds nan or infinite values"):
        rate_maps(np.where(np.arange(2) == 1, np.nan, activity), tracking, n_bins=4)
    with pytest.raises(UsageError, match="activity is of type complex128; expected real numbers"):
        rate_maps(activity * 1j, tracking)
    with pytest.raises(UsageError, match="activity is list; expected an array of numbers"):
        rate_maps([[1.0], [1.0, 2.0]], tracking)
    with pytest.raises(UsageError, match=r"activity is Tensor; expected an array of numbers"):
        rate_maps(torch.ones((100, 2), requires_grad=True), tracking)
    with pytest.raises(UsageError, match="tracking has no sample to map: 0 of 3 were tracked"):
        rate_maps(np.ones((3, 1)), Tracking(np.full((3, 2), np.nan), arena, 0.1))
    with pytest.raises(
        UsageError, match=r"tracking covers \d+ of the 400 bins of the floor; expected at least a quarter"
    ):
        rate_maps(activity, tracking)
    with pytest.raises(UsageError, match="smoothing is -1; expected bins, at least 0"):
        rate_maps(activity, tracking, n_bins=4, smoothing=-1)
    with pytest.raises(UsageError, match="min_occupancy is nan; expected seconds"):
        rate_maps(activity, tracking, n_bins=4, min_occupancy=np.nan)
    with pytest.raises(UsageError, match="min_occupancy is 60 s; no bin was visited for so long"):
        rate_maps(activity, tracking, n_bins=4, min_occupancy=60)
    with pytest.raises(UsageError, match="n_bins is 1; expected at least 2"):
        rate_maps(activity, tracking, n_bins=1)
    with pytest.raises(UsageError, match="expected 100 bools, or numbers from 0 to 99"):
        rate_maps(activity, tracking, n_bins=4, samples=[0, 100])
    with pytest.raises(UsageError, match=r"samples are bool of shape \(3,\)"):
        rate_maps(activity, tracking, n_bins=4, samples=[True, False, True])


def test_spikes_fall_on_the_nearest_sample_as_in_a_loop():
    rng = np.random.default_rng(0)
    times = 3.0 + 0.04 * np.arange(500) + rng.uniform(-0.001, 0.001, 500)
    trains = [np.sort(rng.uniform(times[0], times[-1], n)) for n in (0, 40, 900)]
    dt = (times[-1] - times[0]) / 499
    expected = np.zeros((500, 3))
    for unit, train in enumerate(trains):
        for spike in train:
            expected[np.abs(times - spike).argmin(), unit] += 1 / dt
    found = spike_rates(trains, times)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(found.sum(0) * dt, [0, 40, 900])


def test_few_spikes_before_the_camera_are_left_out_and_other_clocks_are_refused():
    times = np.arange(0, 100, 0.1)
    spikes = np.sort(np.random.default_rng(0).uniform(0, 99.9, 990))
    found = spike_rates([np.r_[-3.0, spikes, 130.0]], times)
    assert found.sum() * 0.1 == pytest.approx(990)
    with pytest.raises(UsageError, match=r"spikes lie outside the tracked time; .* expected seconds on one clock"):
        spike_rates([spikes * 1000], times)
    with pytest.raises(UsageError, match=r"spike_times of unit 1 .* finite and sorted"):
        spike_rates([spikes, spikes[::-1]], times)
    with pytest.raises(UsageError, match=r"spike_times of unit 0 .* finite and sorted"):
        spike_rates([[np.nan]], times)
    with pytest.raises(UsageError, match=r"step of 50.1 s after sample 499 where most have 0.1 s"):
        spike_rates([spikes], np.r_[times[:500], times[500:] + 50])
    with pytest.raises(UsageError, match="expected rising times"):
        spike_rates([spikes], times[::-1])
    with pytest.raises(UsageError, match=r"times have shape \(1,\)"):
        spike_rates([spikes], [0.0])
    with pytest.raises(UsageError, match="spike_times is empty"):
        spike_rates([], times)


def test_signed_maps_become_rates_and_rates_stay():
    maps = np.array([[[-2.0, np.nan], [1.0, 0.0]], [[3.0, 4.0], [np.nan, 5.0]], [[np.nan] * 2] * 2])
    kept = maps.copy()
    nan = np.nan
    np.testing.assert_array_equal(nonnegative(maps)[:2], [[[0, nan], [3, 2]], [[3, 4], [nan, 5]]])
    np.testing.assert_array_equal(nonnegative(maps, "rectify")[:2], [[[0, nan], [1, 0]], [[3, 4], [nan, 5]]])
    assert np.isnan(nonnegative(maps)[2]).all()
    np.testing.assert_array_equal(signed_units(maps), [True, False, False])
    np.testing.assert_array_equal(maps, kept)
    with pytest.raises(UsageError, match=r"rule is 'shfit'; allowed: 'shift', 'rectify'. Did you mean 'shift'"):
        nonnegative(maps, "shfit")
    with pytest.raises(UsageError, match="maps of 1 of 3 units are negative somewhere, the first is unit 0"):
        require_rates("maps", maps)
    with pytest.raises(UsageError, match=r"values have shape \(2,\)"):
        nonnegative([1.0, 2.0])


def test_a_place_is_stable_and_noise_is_not():
    """r of two maps of noise over 100 bins has a standard deviation of .1; its mean over 200 units one of .007."""
    tracking = wandering(Arena.square(1.0), 20000)
    rng = np.random.default_rng(1)
    place = np.exp(-((tracking.positions - 0.1) ** 2).sum(1) / 0.02)
    activity = np.c_[place, np.full(20000, 0.1), rng.normal(size=(20000, 200))]
    for halves in ("first-second", "alternating"):
        r = stability(activity, tracking, n_bins=10, halves=halves, block=1.0)
        assert r[0] > 0.99
        assert np.isnan(r[1])
        assert abs(r[2:].mean()) < 0.03
        assert r[2:].std() == pytest.approx(0.1, abs=0.02)


def test_a_field_that_moves_at_half_time_is_stable_only_over_alternating_blocks():
    tracking = wandering(Arena.square(1.0), 20000)
    late = np.arange(20000) >= 10000
    centre = np.where(late[:, None], 0.25, -0.25)
    activity = np.exp(-((tracking.positions - centre) ** 2).sum(1, keepdims=True) / 0.02)
    assert stability(activity, tracking, n_bins=10)[0] < 0
    # a bin's 100 samples of a half are of both fields, in shares that chance makes unequal
    assert stability(activity, tracking, n_bins=10, halves="alternating", block=10.0)[0] > 0.95


def test_halves_share_nothing_and_blocks_begin_with_a_trajectory():
    path = np.repeat([0, 1, 4, 5], [5, 3, 2, 6])
    tracking = wandering(Arena.square(1.0), 16, path=path)
    one, other = split(tracking, "alternating", block=0.06)
    np.testing.assert_array_equal(np.where(other, "b", "a"), list("aaabb" + "aaa" + "bb" + "aaabbb"))
    np.testing.assert_array_equal(one, ~other)
    places = tracking.positions.copy()
    places[[0, 1, 2, 9]] = np.nan
    one, other = split(Tracking(places, tracking.arena, 0.02))
    assert one.sum() == other.sum() == 6
    assert not (one | other)[[0, 1, 2, 9]].any()
    assert np.flatnonzero(one).max() < np.flatnonzero(other).min()


def test_stability_is_nan_without_common_bins_and_refused_without_halves():
    corners = np.repeat([[-0.4, -0.4], [0.4, 0.4]], 50, axis=0)
    tracking = Tracking(corners, Arena.square(1.0), 0.1)
    assert np.isnan(stability(np.random.default_rng(0).normal(size=(100, 3)), tracking)).all()
    with pytest.raises(UsageError, match="no two halves"):
        stability(np.ones((100, 1)), tracking, halves="alternating", block=60.0)
    with pytest.raises(UsageError, match=r"block is 0.01 s; expected at least a sample"):
        split(tracking, "alternating", block=0.01)
    with pytest.raises(UsageError, match="halves is 'odd'"):
        split(tracking, "odd")


def test_map_correlation_is_numpys_over_the_bins_of_both():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 4, 6, 5))
    first[rng.random((4, 6, 5)) < 0.2] = np.nan
    second[rng.random((4, 6, 5)) < 0.2] = np.nan
    second[3] = 0.1
    found = map_correlation(first, second, min_bins=5)
    for unit in range(3):
        both = np.isfinite(first[unit]) & np.isfinite(second[unit])
        assert found[unit] == pytest.approx(np.corrcoef(first[unit][both], second[unit][both])[0, 1], rel=1e-9)
    assert np.isnan(found[3])
    assert np.isnan(map_correlation(first, second, min_bins=31)).all()
    np.testing.assert_allclose(map_correlation(1e200 * first, first, min_bins=5), 1)
    with pytest.raises(UsageError, match=r"first and second have shapes \(4, 6, 5\) and \(3, 6, 5\)"):
        map_correlation(first, second[:3])


def test_bins_are_plain():
    bins = Bins(np.array([0, 0, -1, 3]), (2, 2), 0.5)
    np.testing.assert_array_equal(bins.occupancy, [[1.0, 0.0], [0.0, 0.5]])
