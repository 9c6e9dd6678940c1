"""Heading, speed, place with heading: closed forms, plain loops, planted cells, noise, real head-direction cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.special import i0, i1
from scipy.stats import spearmanr

from probekit import data
from probekit.errors import NotApplicableError, UsageError
from probekit.navigation import Arena, Tracking
from probekit.spatial.conjunctive import PlaceByHeading, distributive, factorial_model, place_by_heading
from probekit.spatial.heading import (
    bin_headings,
    bin_middles,
    circular_sd,
    directional_curves,
    directional_tuning,
    mean_vectors,
    rayleigh_test,
)
from probekit.spatial.nulls.time_shifts import shifted_rows
from probekit.spatial.speed import smoothed_in_time, speed_score, speed_tuning


@pytest.fixture(scope="module")
def path():
    """Return twenty minutes in a box of 1 m, ten samples a second: a walk that wanders, and turns back at walls."""
    rng = np.random.default_rng(0)
    turn, stride, bounce = rng.normal(0, 0.35, 12_000), rng.gamma(4, 0.005, 12_000), rng.normal(0, 0.5, 12_000)
    place, heading = np.zeros(2), 0.0
    positions, headings = np.empty((12_000, 2)), np.empty(12_000)
    for i in range(12_000):
        heading += turn[i]
        place = place + stride[i] * np.array([np.cos(heading), np.sin(heading)])
        if np.abs(place).max() > 0.5:
            place = np.clip(place, -0.5, 0.5)
            heading = np.arctan2(-place[1], -place[0]) + bounce[i]
        positions[i], headings[i] = place, heading
    return Tracking(positions, Arena.square(1), 0.1, headings=np.angle(np.exp(1j * headings)))


@pytest.fixture(scope="module")
def circling(path):
    """Return the same walk, looking counter-clockwise around the middle give or take 45°: places have headings."""
    rng = np.random.default_rng(1)
    swing = np.zeros(len(path))
    for i in range(1, len(path)):
        swing[i] = 0.9 * swing[i - 1] + 0.35 * rng.normal()
    x, y = path.positions.T
    return replace(path, headings=np.angle(np.exp(1j * (np.arctan2(y, x) + np.pi / 2 + swing))))


def apart(a, b):
    """Return the angle between two directions, rad."""
    return np.abs(np.angle(np.exp(1j * (np.asarray(a) - np.asarray(b)))))


def slow_noise(n, n_units, memory, seed):
    """Return noise that forgets itself in `memory` samples."""
    rng = np.random.default_rng(seed)
    kept = np.exp(-1 / memory)
    values = rng.normal(size=(n, n_units))
    for i in range(1, n):
        values[i] = kept * values[i - 1] + np.sqrt(1 - kept**2) * values[i]
    return values


# --- heading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [0.1, 1.0, 2.0, 5.0])
def test_mean_vector_of_a_von_mises_curve(kappa):
    """I1(κ)/I0(κ), exact for 24 bins (sums of smooth periodic functions converge exponentially)."""
    angles = bin_middles(24)
    found = mean_vectors([np.exp(kappa * np.cos(angles - 1.2)), 7 * np.exp(kappa * np.cos(angles + 2))])
    np.testing.assert_allclose(found.length, i1(kappa) / i0(kappa), atol=1e-9)
    np.testing.assert_allclose(found.direction, [1.2, -2], atol=1e-9)


def test_circular_sds_at_kappa_2():
    """Of the table of definitions: .7775 is the angular deviation, .8484 the circular standard deviation."""
    length = i1(2) / i0(2)
    assert circular_sd(length, method="zar") == pytest.approx(0.7775, abs=5e-5)
    assert circular_sd(length) == pytest.approx(0.8484, abs=5e-5)
    assert circular_sd([0.0, 1.0, np.nan]).tolist()[:2] == [np.inf, 0]
    assert np.isnan(circular_sd([np.nan], method="zar")).all()


def test_correction_for_bin_width_undoes_the_mean_over_a_bin():
    """1 + cos θ, averaged over bins of width w, has R = ½ sin(w/2)/(w/2)."""
    for n in (4, 12, 24):
        half = np.pi / n
        curve = 1 + np.cos(bin_middles(n)) * np.sin(half) / half
        assert mean_vectors([curve]).length[0] == pytest.approx(0.5 * np.sin(half) / half)
        assert mean_vectors([curve], correction="bin_width").length[0] == pytest.approx(0.5)


def test_mean_vectors_without_a_direction():
    found = mean_vectors([np.zeros(8), np.full(8, 3.0), np.full(8, np.nan), np.eye(8)[2]])
    np.testing.assert_allclose(found.length, [np.nan, 0, np.nan, 1], atol=1e-12)
    np.testing.assert_allclose(found.direction, [np.nan, np.nan, np.nan, bin_middles(8)[2]])


def plain_tuning(activity, tracking, n_bins):
    sums, counts = np.zeros((activity.shape[1], n_bins)), np.zeros(n_bins)
    for i in range(len(tracking)):
        heading = tracking.headings[i]
        if np.isfinite(heading) and np.isfinite(tracking.positions[i]).all():
            k = int((np.degrees(heading) + 180 / n_bins) % 360 // (360 / n_bins))
            sums[:, k] += activity[i]
            counts[k] += 1
    return sums, counts


def test_directional_tuning_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    positions, headings = rng.uniform(-0.5, 0.5, (500, 2)), rng.uniform(-3, 9, 500)
    positions[::50], headings[7::60] = np.nan, np.nan
    headings[np.isfinite(headings) & ((np.degrees(headings) + 7.5) % 360 // 15 == 3)] = 0.1
    tracking = Tracking(positions, Arena.square(1), 0.04, headings=headings)
    activity = rng.normal(size=(500, 3))
    sums, counts = plain_tuning(activity, tracking, 24)
    found = directional_tuning(activity, tracking)
    assert np.isnan(found.curves[:, 3]).all()
    assert found.occupancy[3] == 0
    np.testing.assert_allclose(found.curves[:, counts > 0], sums[:, counts > 0] / counts[counts > 0])
    np.testing.assert_allclose(found.occupancy, 0.04 * counts)
    np.testing.assert_allclose(found.directions, np.radians(15 * np.arange(24)))
    offsets = np.arange(-8, 9)  # 4 standard deviations of 2 bins
    kernel = np.exp(-((offsets / 2) ** 2) / 2)
    wrapped = np.zeros((24, 24))
    for i in range(24):
        for offset, weight in zip(offsets, kernel, strict=True):
            wrapped[i, (i + offset) % 24] += weight
    smooth = directional_tuning(activity, tracking, smoothing=2).curves
    expected = (sums @ wrapped) / (counts @ wrapped)
    np.testing.assert_allclose(smooth[:, counts > 0], expected[:, counts > 0])
    assert np.isnan(smooth[:, 3]).all()


def test_directional_tuning_of_chosen_samples_and_well_faced_bins():
    headings = np.array([0.1, 0.2, 2.0, 3.0, 3.1, np.nan, -0.1])
    tracking = Tracking(np.zeros((7, 2)), Arena.square(1), 0.5, headings=headings)
    activity = np.arange(7.0)[:, None]
    found = directional_tuning(activity, tracking, n_bins=4, samples=np.arange(1, 7), min_occupancy=1.0)
    np.testing.assert_allclose(found.curves, [[3.5, np.nan, 3.5, np.nan]])
    np.testing.assert_allclose(found.occupancy, [1, 0, 1, 0])


def test_headings_along_a_wall_are_in_the_middle_of_a_bin():
    headings = np.array([0.0, -1e-17, 2 * np.pi, np.pi / 2, np.nextafter(np.pi / 2, 0), np.pi, -np.pi])
    tracking = Tracking(np.zeros((7, 2)), Arena.square(1), 1.0, headings=headings)
    np.testing.assert_array_equal(bin_headings(tracking, 24).index, [0, 0, 0, 6, 6, 12, 12])


def test_planted_head_direction_cells_are_recovered(path):
    """On the path no heading is rare: 2° and .02 allow for noise of spikes in bins of some 50 s."""
    preferred, kappa = np.linspace(-3, 3, 12), 2.0
    rates = 20 * np.exp(kappa * (np.cos(path.headings[:, None] - preferred) - 1))
    spikes = np.random.default_rng(5).poisson(rates * path.dt) / path.dt
    found = mean_vectors(directional_tuning(spikes, path).curves, correction="bin_width")
    assert np.degrees(apart(found.direction, preferred)).max() < 2
    np.testing.assert_allclose(found.length, i1(kappa) / i0(kappa), atol=0.02)


def test_turning_the_world_turns_the_preference_and_nothing_else(path):
    rates = np.exp(np.cos(path.headings[:, None] - np.array([0.3, 2.0])))
    turned = replace(path, headings=path.headings + 5 * 2 * np.pi / 24)
    here, there = (mean_vectors(directional_tuning(rates, one).curves) for one in (path, turned))
    np.testing.assert_allclose(there.length, here.length, atol=1e-9)
    np.testing.assert_allclose(apart(there.direction, here.direction), 5 * 2 * np.pi / 24, atol=1e-9)


def test_rayleigh_is_right_for_directions_drawn_one_by_one():
    """40,000 draws of 20 directions: the share at or beyond R has a standard error of .1 % at p = .05."""
    drawn = np.random.default_rng(1).uniform(0, 2 * np.pi, (40_000, 20))
    length = np.abs(np.exp(1j * drawn).mean(1))
    for r in (0.2, 0.387, 0.5):
        assert rayleigh_test(r, 20).p == pytest.approx(np.mean(length >= r), abs=0.006)
    assert np.mean(rayleigh_test(length, 20).p < 0.05) == pytest.approx(0.05, abs=0.004)
    assert rayleigh_test(0.5, 20).z == pytest.approx(5)
    nothing = rayleigh_test([np.nan, 0.0, 0.0], [5, 0, 9])
    np.testing.assert_allclose(nothing.p, [np.nan, np.nan, 1])


def test_rayleigh_is_wrong_for_slow_activity_and_shuffles_are_right(path):
    """Noise of 3 s memory that knows nothing of heading: 85 % of it passes Rayleigh's test, one in twenty the shuffle.

    With 200 units and 19 shuffles (p <= .05 for one of 20 ranks) the share has a standard error of 1.5 %.
    """
    noise = np.maximum(slow_noise(len(path), 200, 30, 2), 0)
    length = mean_vectors(directional_tuning(noise, path).curves).length
    assert np.mean(rayleigh_test(length, len(path)).p < 0.05) > 0.8
    null = [
        mean_vectors(directional_tuning(noise, replace(path, headings=path.headings[rows])).curves).length
        for rows in shifted_rows(path, 19, 0)
    ]
    p = (1 + (np.array(null) >= length).sum(0)) / 20
    assert np.mean(p <= 0.05) < 0.05 + 2 * 0.0154


def test_bins_shifted_in_time_give_the_curves_of_shifted_headings(path):
    activity = slow_noise(len(path), 2, 10, 0)
    shifted = directional_curves(bin_headings(path).shifted(700), activity)
    np.testing.assert_allclose(
        shifted, directional_tuning(activity, replace(path, headings=np.roll(path.headings, -700))).curves
    )


@pytest.mark.data
def test_head_direction_cells_of_a_mouse():
    """Peyrache et al. 2015, one mouse: 22 of 62 units above .5; preferences and κ as the authors fitted them.

    Their fit is of a von Mises curve, ours a mean vector: the two differ by up to .38 rad for curves that are not
    symmetric, by .10 in the median; ranks of κ and R agree to .989.
    """
    stored = loadmat(data.fetch("peyrache2015", "HDCells.mat")[0])
    curves, directions = stored["AngHisto"].T, stored["B"][:, 0]
    np.testing.assert_array_equal(curves[:, 0], curves[:, -1])
    found = mean_vectors(curves[:, :-1], directions[:-1])
    assert curves.shape == (62, 61)
    tuned = found.length > 0.5
    assert tuned.sum() == 22
    away = apart(found.direction, stored["hdCellStats"][:, 0])[tuned]
    assert away.max() < 0.4
    assert np.median(away) < 0.11
    assert spearmanr(found.length, stored["hdCellStats"][:, 2]).statistic > 0.98


def test_what_heading_refuses(path):
    rates = np.ones((len(path), 1))
    with pytest.raises(NotApplicableError, match="no headings"):
        directional_tuning(rates, replace(path, headings=None))
    with pytest.raises(UsageError, match="n_bins is 2"):
        directional_tuning(rates, path, n_bins=2)
    with pytest.raises(UsageError, match="no heading to bin: 0 of"):
        directional_tuning(rates, replace(path, headings=np.full(len(path), np.nan)))
    with pytest.raises(UsageError, match=r"no heading to bin.*min_occupancy is 1000000\.0"):
        directional_tuning(rates, path, min_occupancy=1e6)
    with pytest.raises(UsageError, match="min_occupancy is -1"):
        directional_tuning(rates, path, min_occupancy=-1)
    with pytest.raises(UsageError, match="smoothing is -1"):
        directional_tuning(rates, path, smoothing=-1)
    with pytest.raises(UsageError, match="negative somewhere"):
        mean_vectors([[1.0, -1.0, 0.0, 2.0]])
    with pytest.raises(UsageError, match="at least 3 directions"):
        mean_vectors([[1.0, 1.0]])
    with pytest.raises(UsageError, match="directions have shape"):
        mean_vectors([[1.0, 1.0, 2.0]], [0.0, 1.0])
    with pytest.raises(UsageError, match="correction is 'zar'"):
        mean_vectors([[1.0, 1.0, 2.0]], correction="zar")
    with pytest.raises(UsageError, match="length holds"):
        rayleigh_test(1.5, 3)
    with pytest.raises(UsageError, match="n holds -1"):
        rayleigh_test(0.5, -1)
    with pytest.raises(UsageError, match="length holds"):
        circular_sd([-0.1])
    with pytest.raises(UsageError, match="method is 'opexebo'"):
        circular_sd([0.1], method="opexebo")


# --- speed -----------------------------------------------------------------------------------------------------------


def test_speed_score_is_the_correlation(path):
    rng = np.random.default_rng(0)
    activity = np.c_[3 + 2 * path.speeds, -path.speeds, np.full(len(path), 4.0), rng.normal(size=(len(path), 3))]
    score = speed_score(activity, path)
    np.testing.assert_allclose(score[:2], [1, -1])
    assert np.isnan(score[2])
    expected = [np.corrcoef(path.speeds, activity[:, i])[0, 1] for i in (3, 4, 5)]
    np.testing.assert_allclose(score[3:], expected, atol=1e-12)
    fast = path.speeds >= 0.1
    np.testing.assert_allclose(
        speed_score(activity[:, 3:4], path, min_speed=0.1)[0], np.corrcoef(path.speeds[fast], activity[fast, 3])[0, 1]
    )
    assert np.isnan(speed_score(activity, replace(path, speeds=np.full(len(path), 0.2)))).all()


def test_speed_score_leaves_out_what_is_not_known(path):
    positions = path.positions.copy()
    positions[100:200] = np.nan
    torn = Tracking(positions, path.arena, path.dt)
    activity = np.random.default_rng(0).normal(size=(len(path), 2))
    known = np.isfinite(torn.speeds) & torn.valid
    assert known.sum() == len(path) - 100
    np.testing.assert_allclose(
        speed_score(activity, torn), [np.corrcoef(torn.speeds[known], activity[known, i])[0, 1] for i in (0, 1)]
    )


def test_smoothing_stays_within_a_path():
    rng = np.random.default_rng(0)
    numbers = np.repeat([0, 1, 2], 40)
    tracking = Tracking(
        rng.uniform(-0.4, 0.4, (120, 2)), Arena.square(1), 0.1, speeds=rng.uniform(0, 1, 120), path=numbers
    )
    activity = rng.normal(size=(120, 2))
    expected = np.zeros_like(activity)
    for i in range(120):
        near = (numbers == numbers[i]) & (np.abs(np.arange(120) - i) <= 10)  # 4 standard deviations of 2.5 samples
        weights = np.exp(-0.5 * ((np.arange(120) - i) / 2.5) ** 2) * near
        expected[i] = weights @ activity / weights.sum()
    np.testing.assert_allclose(smoothed_in_time(activity, tracking, 0.25), expected)
    found = speed_score(activity, tracking, smoothing=0.25)
    np.testing.assert_allclose(found, [np.corrcoef(tracking.speeds, expected[:, i])[0, 1] for i in (0, 1)])


def test_blocks_change_nothing(path, monkeypatch):
    """float32 in, and a mean a thousand times the deviation: sums are of float64, and of what is beyond one sample."""
    activity = (1000 + np.random.default_rng(0).normal(size=(len(path), 5))).astype(np.float32)
    whole, smooth = speed_score(activity, path), smoothed_in_time(activity, path, 0.2)
    expected = [np.corrcoef(path.speeds, activity[:, i].astype(float))[0, 1] for i in range(5)]
    np.testing.assert_allclose(whole, expected, atol=1e-12)
    monkeypatch.setattr("probekit.spatial.speed._BLOCK", 2 * len(path))
    np.testing.assert_allclose(speed_score(activity, path), whole, atol=1e-12)
    np.testing.assert_array_equal(smoothed_in_time(activity, path, 0.2), smooth)
    assert smooth.dtype == np.float32
    assert np.isnan(speed_score(np.full((len(path), 1), 0.1, np.float32), path, smoothing=0.2)).all()


def test_speed_tuning_is_that_of_a_plain_loop_and_its_slope_that_of_the_cell(path):
    rng = np.random.default_rng(0)
    activity = np.c_[1 + 30 * path.speeds, rng.poisson(3, len(path))]
    found = speed_tuning(activity, path, n_bins=8)
    assert found.edges[-1] == pytest.approx(np.percentile(path.speeds, 95))
    for k in range(8):
        last = path.speeds <= found.edges[-1] if k == 7 else path.speeds < found.edges[k + 1]
        inside = (path.speeds >= found.edges[k]) & last
        np.testing.assert_allclose(found.curves[:, k], activity[inside].mean(0))
        assert found.occupancy[k] == pytest.approx(0.1 * inside.sum())
        assert found.speeds[k] == pytest.approx(path.speeds[inside].mean())
    assert found.slope[0] == pytest.approx(30)
    assert found.intercept[0] == pytest.approx(1)
    used = path.speeds <= found.edges[-1]
    assert found.slope[1] == pytest.approx(np.polyfit(path.speeds[used], activity[used, 1], 1)[0], abs=0.3)


def test_speed_tuning_without_speeds_in_a_bin():
    tracking = Tracking(np.zeros((5, 2)), Arena.square(1), 0.1, speeds=np.array([0.05, 0.06, 0.31, 0.9, np.nan]))
    found = speed_tuning([[1.0], [3.0], [5.0], [9.0], [9.0]], tracking, n_bins=4, max_speed=0.4)
    np.testing.assert_allclose(found.curves, [[2, np.nan, np.nan, 5]])
    np.testing.assert_allclose(found.occupancy, [0.2, 0, 0, 0.1])
    assert found.slope[0] == pytest.approx(3 / (0.31 - 0.055))
    short = speed_tuning([[1.0], [3.0], [5.0], [9.0], [9.0]], tracking, n_bins=4, max_speed=0.4, min_occupancy=0.15)
    np.testing.assert_allclose(short.curves, [[2, np.nan, np.nan, np.nan]])
    assert np.isnan(short.slope).all()


def test_speed_scores_of_noise_are_significant_in_five_percent(path):
    """Both series are slow; time shifts keep that. The share has a standard error of 1.5 %."""
    noise = slow_noise(len(path), 200, 30, 4)
    score = speed_score(noise, path)
    null = [speed_score(noise, replace(path, speeds=path.speeds[rows])) for rows in shifted_rows(path, 19, 1)]
    p = (1 + (np.array(null) >= score).sum(0)) / 20
    assert np.mean(p <= 0.05) < 0.05 + 2 * 0.0154
    planted = speed_score(noise + 10 * path.speeds[:, None], path)
    assert np.mean((np.array(null) < planted).all(0)) > 0.95


def test_what_speed_refuses(path):
    rates = np.ones((len(path), 1))
    with pytest.raises(UsageError, match="smoothing is -1"):
        speed_score(rates, path, smoothing=-1)
    with pytest.raises(UsageError, match="seconds is 0"):
        smoothed_in_time(rates, path, 0)
    with pytest.raises(UsageError, match="min_speed is nan"):
        speed_score(rates, path, min_speed=float("nan"))
    with pytest.raises(UsageError, match="0 samples with a known speed of at least 99"):
        speed_score(rates, path, min_speed=99)
    with pytest.raises(UsageError, match="activity holds nan"):
        speed_score(rates * np.nan, path)
    with pytest.raises(UsageError, match="max_speed is 0"):
        speed_tuning(rates, path, max_speed=0)
    with pytest.raises(UsageError, match="n_bins is 1"):
        speed_tuning(rates, path, n_bins=1)


# --- place and heading -----------------------------------------------------------------------------------------------


def planted(tracking, seed):
    """Return rates of 20 place, 20 conjunctive and 20 head-direction units, spikes/s."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-0.4, 0.4, (20, 2))
    place = 15 * np.exp(-((tracking.positions[:, None] - middle) ** 2).sum(-1) / 2 / 0.15**2)
    heading = np.exp(np.cos(tracking.headings[:, None] - rng.uniform(0, 2 * np.pi, 20)) - 1)
    return np.c_[place, 2 * place * heading, 5 * heading**2]


def spikes_of(rates, dt, seed):
    return np.random.default_rng(seed).poisson(rates * dt) / dt


def plain_factors(sums, time, n_steps):
    """Return the factors of one unit by loops, the largest of heading 1."""
    n_places, n_headings = time.shape
    heading = [1.0] * n_headings
    place = [0.0] * n_places
    for _ in range(n_steps):
        for i in range(n_places):
            spent = sum(time[i, j] * heading[j] for j in range(n_headings))
            place[i] = sums[i].sum() / spent if spent else 0.0
        for j in range(n_headings):
            spent = sum(time[i, j] * place[i] for i in range(n_places))
            heading[j] = sums[:, j].sum() / spent if spent else 0.0
        heading = [value / max(heading) for value in heading]
    return np.array(place), np.array(heading)


def test_table_of_place_and_heading_is_that_of_a_plain_loop(path):
    activity = np.random.default_rng(0).normal(size=(len(path), 2))
    found = place_by_heading(activity, path, n_bins=5, n_headings=4)
    columns = np.clip(np.floor((path.positions + 0.5) / 0.2).astype(int), 0, 4)
    place, heading = 5 * columns[:, 1] + columns[:, 0], np.floor((path.headings / (np.pi / 2) + 0.5) % 4).astype(int)
    assert found.map_shape == (5, 5)
    for i in range(25):
        for j in range(4):
            here = (place == i) & (heading == j)
            assert found.occupancy[i, j] == pytest.approx(here.sum() * 0.1)
            np.testing.assert_allclose(found.rates[:, i, j], activity[here].mean(0) if here.any() else np.nan)


def test_samples_without_a_heading_are_in_no_table(path):
    headings = path.headings.copy()
    headings[::3] = np.nan
    activity = np.random.default_rng(0).normal(size=(len(path), 1))
    kept = np.isfinite(headings)
    there = place_by_heading(activity, replace(path, headings=headings))
    np.testing.assert_allclose(there.rates, place_by_heading(activity, path, samples=kept).rates)
    assert there.occupancy.sum() == pytest.approx(0.1 * kept.sum())


def test_factorial_model_is_that_of_plain_loops_and_keeps_the_sums(circling):
    rates = spikes_of(planted(circling, 0), circling.dt, 0)[:, [0, 25, 45]]
    table = place_by_heading(rates, circling, n_bins=4, n_headings=6)
    model = factorial_model(table, tolerance=1e-13, max_steps=5000)
    sums = np.nan_to_num(table.rates) * table.occupancy
    for unit in range(3):
        place, heading = plain_factors(sums[unit], table.occupancy, 1000)
        np.testing.assert_allclose(model.heading[unit] / model.heading[unit].max(), heading, rtol=1e-6)
        found = model.place[unit].ravel()
        np.testing.assert_allclose(found / found.sum(), place / place.sum(), rtol=1e-6)
        predicted = place[:, None] * heading * table.occupancy
        predicted *= sums[unit].sum() / predicted.sum()
        np.testing.assert_allclose(predicted.sum(0), sums[unit].sum(0), rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(predicted.sum(1), sums[unit].sum(1), rtol=1e-6, atol=1e-9)
    faced, visited = table.occupancy.sum(0), table.occupancy.sum(1)
    np.testing.assert_allclose(model.heading @ faced, sums.sum((1, 2)))
    np.testing.assert_allclose(model.place.reshape(3, -1) @ visited, sums.sum((1, 2)))


def test_factors_are_recovered_where_the_path_ties_heading_to_place():
    """No noise: the product is found to the fit's tolerance, its shares are 1 and those of its parts what they are."""
    rng = np.random.default_rng(0)
    time = rng.uniform(0, 1, (12, 8)) * np.exp(2 * np.cos(np.arange(12)[:, None] / 2 - np.arange(8)))
    place, heading = rng.uniform(0, 5, 12), np.exp(np.cos(bin_middles(8)))
    rates = np.stack([np.outer(place, heading), np.outer(place, np.ones(8)), np.outer(np.ones(12), heading)])
    model = factorial_model(PlaceByHeading(rates, time, (3, 4)), tolerance=1e-12, max_steps=5000)
    assert model.converged.all()
    np.testing.assert_allclose(model.by_both, 1, atol=1e-9)
    np.testing.assert_allclose(
        model.place[:2].reshape(2, -1) / model.place[:2].sum((1, 2))[:, None], [place / place.sum()] * 2
    )
    np.testing.assert_allclose(model.heading[1] / model.heading[1, 0], 1, atol=1e-8)
    np.testing.assert_allclose(model.heading[2] / model.heading[2].sum(), heading / heading.sum())
    np.testing.assert_allclose([model.by_place[1], model.by_heading[2]], 1, atol=1e-9)
    np.testing.assert_allclose([model.heading_given_place[1], model.place_given_heading[2]], 0, atol=1e-9)
    assert model.by_heading[1] > 0.05  # what the path feigns


def test_a_place_unit_that_seems_tuned_to_heading_is_told_from_a_conjunctive_one(circling):
    """Every place has its heading here, and place units a mean vector of .6; the product model is not taken in."""
    spikes = spikes_of(planted(circling, 1), circling.dt, 1)
    table = place_by_heading(spikes, circling)
    model, naive = factorial_model(table), distributive(table)
    assert model.converged.all()
    place, both, heading = slice(0, 20), slice(20, 40), slice(40, 60)
    seeming, corrected = mean_vectors(naive.observed).length, mean_vectors(model.heading).length
    assert np.median(seeming[place]) > 0.5
    assert corrected[place].max() < 0.25
    assert corrected[both].min() > 0.3
    np.testing.assert_allclose(corrected[heading], i1(2) / i0(2), atol=0.06)
    assert model.by_heading[place].min() > 0.1
    assert model.heading_given_place[place].max() < 0.01
    assert model.heading_given_place[both].min() > 0.03
    assert model.heading_given_place[heading].min() > 0.2
    assert model.by_place[heading].min() > 0.2
    assert model.place_given_heading[heading].max() < 0.1
    assert model.place_given_heading[place].min() > 0.2
    assert naive.explained[place].min() > 0.9
    assert naive.ratio[place].max() < naive.ratio[heading].min()


def test_distributive_prediction_by_hand():
    """Two places with 4 and 0 spikes/s; heading 0 is faced 3 s in the first and 1 s in the other: (3·4 + 1·0) / 4."""
    time = np.array([[3.0, 1.0, 0.0], [1.0, 3.0, 0.0]])
    rates = np.array([[[4.0, 4.0, np.nan], [0.0, 0.0, np.nan]], [[6.0, 0.0, np.nan], [6.0, 0.0, np.nan]]])
    found = distributive(PlaceByHeading(rates, time, (1, 2)))
    np.testing.assert_allclose(found.predicted[0], [3, 1, np.nan])
    np.testing.assert_allclose(found.observed, [[3, 1, np.nan], [6, 0, np.nan]])
    np.testing.assert_allclose(found.predicted[1], [(3 * 4.5 + 1.5) / 4, (4.5 + 3 * 1.5) / 4, np.nan])
    np.testing.assert_allclose(found.ratio, [0, (np.log(7 / 4.75) + np.log(3.25)) / 2])
    np.testing.assert_allclose(found.explained, [1, 1 - (2.25**2 + 2.25**2) / (9 + 9)])


def significant(activity, tracking):
    """Return which units are tuned to heading given place, and to place given heading, p <= .05 of 19 time shifts."""

    def shares(values):
        model = factorial_model(place_by_heading(values, tracking), max_steps=100)
        return np.stack([model.heading_given_place, model.place_given_heading])

    found = shares(activity)
    null = np.stack([shares(activity[rows]) for rows in shifted_rows(tracking, 19, 0)])
    return (1 + (null >= found).sum(0)) / 20 <= 0.05


def test_noise_is_tuned_to_place_or_heading_in_five_percent(circling):
    """Spikes, and activity of 1 s memory, that know neither: of 200 units, the share has a standard error of 1.5 %."""
    spikes = np.random.default_rng(3).poisson(2.0, (len(circling), 200))
    slow = np.maximum(slow_noise(len(circling), 200, 10, 2), 0)
    for noise in (spikes.astype(float), slow):
        assert (significant(noise, circling).mean(1) < 0.05 + 2 * 0.0154).all()


def test_time_shifts_tell_place_units_from_conjunctive_ones(circling):
    """Also without noise, where the place within a bin tells of heading: no place unit is taken for conjunctive."""
    rates = planted(circling, 1)
    for activity in (spikes_of(rates, circling.dt, 1), rates):
        by_heading, by_place = significant(activity, circling).reshape(2, 3, 20).mean(2)
        assert by_heading[0] == by_place[2] == 0
        assert by_place[0] == by_heading[2] == 1
        assert min(by_heading[1], by_place[1]) > 0.6


def test_silent_and_constant_units_explain_nothing(path):
    model = factorial_model(place_by_heading(np.tile([0.0, 3.0], (len(path), 1)), path))
    for share in (
        model.by_place,
        model.by_heading,
        model.by_both,
        model.place_given_heading,
        model.heading_given_place,
    ):
        assert np.isnan(share).all()
    np.testing.assert_allclose(model.place[1][np.isfinite(model.place[1])], 3)
    np.testing.assert_allclose(model.heading, np.tile([[0.0], [3.0]], 12))
    found = distributive(place_by_heading(np.tile([0.0, 3.0], (len(path), 1)), path))
    np.testing.assert_allclose(found.ratio, 0, atol=1e-12)
    assert np.isnan(found.explained).all()


def test_what_place_by_heading_refuses(path):
    table = place_by_heading(np.ones((len(path), 1)), path)
    with pytest.raises(NotApplicableError, match="no headings"):
        place_by_heading(np.ones((len(path), 1)), replace(path, headings=None))
    with pytest.raises(UsageError, match="negative somewhere"):
        factorial_model(replace(table, rates=-table.rates))
    with pytest.raises(UsageError, match="negative somewhere"):
        distributive(replace(table, rates=-table.rates))
    with pytest.raises(UsageError, match="expected \\(unit, place, heading\\)"):
        factorial_model(replace(table, map_shape=(2, 2)))
    with pytest.raises(UsageError, match="tolerance is 0"):
        factorial_model(table, tolerance=0)
    with pytest.raises(UsageError, match="max_steps is 0"):
        factorial_model(table, max_steps=0)
