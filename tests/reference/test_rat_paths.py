"""Real paths of rats, and the numbers of any path: closed forms, planted memory, and what the authors say."""

import importlib.util
import math

import numpy as np
import pytest

from probekit.errors import DataError, UnknownNameError, UsageError
from probekit.navigation import Arena, Tracking
from probekit.navigation.path_statistics import path_statistics
from probekit.navigation.rat_paths import cut_paths, rat_path

needs_rats = pytest.mark.skipif(
    importlib.util.find_spec("ratinabox") is None, reason="needs the paths of ratinabox: pip install ratinabox"
)
BOX = Arena.square(2.0)


def ring(radius=0.5, period=10.0, dt=0.05, turns=4):
    angle = 2 * np.pi * np.arange(0, turns * period, dt) / period
    return Tracking(radius * np.stack([np.cos(angle), np.sin(angle)], -1), BOX, dt)


def forgetting(memory_s, dt, n, seed):
    """Return a standard normal series whose autocorrelation falls to 1/e in `memory_s`."""
    kept = math.exp(-dt / memory_s)
    series = np.random.default_rng(seed).standard_normal(n)
    for step in range(1, n):
        series[step] = kept * series[step - 1] + math.sqrt(1 - kept**2) * series[step]
    return series


# statistics


def test_a_circle_has_one_speed_and_one_turn():
    found = path_statistics(ring(), step_s=0.05)
    chord = 2 * 0.5 * math.sin(math.pi * 0.05 / 10) / 0.05
    assert found.mean_speed == pytest.approx(chord, rel=1e-9)
    assert found.speed_deciles == pytest.approx([chord] * 9, rel=1e-9)
    assert found.rayleigh_scale == pytest.approx(chord / math.sqrt(2), rel=1e-9)
    assert found.turn_sd == pytest.approx(0, abs=1e-9)
    assert (found.wall_share, found.duration_s) == (0.0, pytest.approx(40))


def test_speeds_drawn_from_a_rayleigh_distribution_give_its_scale_and_memory():
    """Steps on a line: a speed of known memory, and paths of many starts."""
    dt, n = 0.1, 40_000
    parts = [forgetting(0.8, dt, n, seed) for seed in (1, 2)]
    speed = 0.2 * np.hypot(*parts)  # its own memory is about half of that of its parts
    x = np.cumsum(speed * dt)
    tracking = Tracking(np.stack([x, 0 * x], -1), Arena(2 * x[-1] + 1, 1.0), dt)
    found = path_statistics(tracking, step_s=dt)
    assert found.rayleigh_scale == pytest.approx(0.2, rel=0.03)  # 1/√(independent samples, about 5,000), twice
    assert found.mean_speed == pytest.approx(0.2 * math.sqrt(math.pi / 2), rel=0.03)
    lags = np.arange(1, 30)
    centred = speed - speed.mean()
    correlation = [np.mean(centred[lag:] * centred[:-lag]) / centred.var() for lag in lags]
    crossing = np.flatnonzero(np.array(correlation) < 1 / math.e)[0]
    assert lags[crossing - 1] * dt < found.speed_time < lags[crossing] * dt


def test_angular_velocity_is_that_of_the_movement():
    dt, n = 0.1, 40_000
    turn = 0.7 * forgetting(0.5, dt, n, 3)
    direction = np.cumsum(turn * dt)
    places = np.cumsum(np.stack([np.cos(direction), np.sin(direction)], -1) * 0.02, axis=0)
    tracking = Tracking(places, Arena.around(places), dt)
    found = path_statistics(tracking, step_s=dt)
    assert found.turn_sd == pytest.approx(0.7, rel=0.05)  # 8,000 independent samples
    assert found.turn_time == pytest.approx(0.5, rel=0.1)
    rested = Tracking(np.repeat(places[:2000], 2, axis=0), tracking.arena, dt)
    assert math.isnan(path_statistics(rested, step_s=dt).turn_sd), "each step beside a rest has no angular velocity"


def test_places_spread_evenly_fill_the_floor_and_stay_near_walls_in_proportion():
    places = BOX.uniform(60_000, np.random.default_rng(0))
    found = path_statistics(Tracking(places, BOX, 0.1))
    assert found.coverage == 1
    assert found.wall_share == pytest.approx(1 - 0.9**2, abs=0.01)  # 1/√60,000 is .004
    assert found.wall_deciles == pytest.approx([1 - math.sqrt(1 - share / 10) for share in range(1, 10)], abs=0.01)
    half = Tracking(places[places[:, 0] < 0], BOX, 0.1)
    assert path_statistics(half).coverage == 0.5


def test_nothing_is_computed_across_the_end_of_a_path_or_a_gap():
    there, back = ring().positions[:100], ring().positions[:100][::-1] * 0.2
    joined = Tracking(np.vstack([there, back]), BOX, 0.05, path=np.repeat([0, 1], 100))
    apart = [path_statistics(Tracking(part, BOX, 0.05), step_s=0.1) for part in (there, back)]
    found = path_statistics(joined, step_s=0.1)
    assert found.mean_speed == pytest.approx(np.mean([one.mean_speed for one in apart]), rel=1e-9)
    assert found.turn_sd == pytest.approx(np.abs(2 * np.pi / 10), rel=1e-3), "one turns left, the other right"
    gap = there.copy()
    gap[50] = np.nan
    assert path_statistics(Tracking(gap, BOX, 0.05), step_s=0.05).mean_speed == pytest.approx(
        path_statistics(Tracking(there, BOX, 0.05), step_s=0.05).mean_speed, rel=1e-9
    )


def test_the_order_of_whole_paths_does_not_matter():
    walk = np.cumsum(np.random.default_rng(5).standard_normal((6, 50, 2)) * 0.01, axis=1)
    path = np.repeat(np.arange(6), 50)
    orders = ([0, 1, 2, 3, 4, 5], [3, 1, 5, 0, 4, 2])
    first, second = (Tracking(walk[order].reshape(-1, 2), BOX, 0.1, path=path) for order in orders)
    assert path_statistics(first).turn_sd == pytest.approx(path_statistics(second).turn_sd)
    assert path_statistics(first).speed_time == pytest.approx(path_statistics(second).speed_time)


def test_too_short_paths_and_bad_options_are_refused():
    with pytest.raises(UsageError, match="expected at least 3 without interruption"):
        path_statistics(Tracking(ring().positions[:8], BOX, 0.05, path=np.repeat([0, 1, 2, 3], 2)), step_s=0.05)
    with pytest.raises(UsageError, match="min_speed is -1; expected at least 0"):
        path_statistics(ring(), min_speed=-1)


# rats


@needs_rats
@pytest.mark.parametrize(("name", "minutes", "arena"), [("sargolini2006", 10, (1, 1)), ("tanni2022", 122, (3.5, 2.5))])
def test_rats_stay_in_their_boxes_for_as_long_as_published(name, minutes, arena):
    tracking = rat_path(name)
    assert (tracking.arena.width, tracking.arena.height) == arena
    assert tracking.duration / 60 == pytest.approx(minutes, abs=0.1)
    assert tracking.arena.contains(tracking.positions).all()
    found = path_statistics(tracking)
    assert 0.08 < found.mean_speed < 0.25  # m/s
    assert found.coverage > 0.95
    even = 1 - np.prod([1 - 0.2 / side for side in arena])
    assert found.wall_share > 0.7 * even
    assert len(np.unique(tracking.path)) > 1, "the camera lost the rat"


@needs_rats
def test_pieces_of_a_rats_path_are_as_it_walked():
    tracking = rat_path()
    pieces = cut_paths(tracking, 200, 40, seed=3)
    assert (len(pieces), pieces.n_steps, pieces.dt) == (200, 40, 0.02)
    assert np.array_equal(pieces.positions, cut_paths(tracking, 200, 40, seed=3).positions)
    known = {tuple(place) for place in tracking.positions}
    assert all(tuple(place) in known for place in pieces.positions.reshape(-1, 2))
    assert pieces.speeds.max() < 1.5  # m/s; a jump over a gap would be more
    moving = pieces.speeds > 0
    steps = pieces.displacements[moving]
    direction = np.arctan2(steps[:, 1], steps[:, 0])
    assert np.array_equal(pieces.headings[:, 1:][moving], direction)


def test_pieces_hold_no_gap_and_keep_their_heading_at_rest():
    line = np.stack([np.arange(20) * 0.01, np.zeros(20)], -1)
    line[5:8] = line[4]
    line[14] = np.nan
    pieces = cut_paths(Tracking(line, BOX, 0.1), 30, 5, seed=0)
    assert np.isfinite(pieces.positions).all()
    assert (pieces.headings == 0).all(), "along x, also at rest"
    with pytest.raises(UsageError, match="n_steps is 13; no stretch of the tracking has that many"):
        cut_paths(Tracking(line, BOX, 0.1), 30, 13)


def test_an_unknown_path_and_a_missing_package_are_named(monkeypatch):
    with pytest.raises(UnknownNameError, match=r"no rat path called 'sargolini'. Did you mean 'sargolini2006'"):
        rat_path("sargolini")
    monkeypatch.setattr("probekit.navigation.rat_paths.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'probekit-neuro\[rats\]'"):
        rat_path()
