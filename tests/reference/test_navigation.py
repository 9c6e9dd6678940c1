"""The world of navigation against closed forms, plain implementations and a real rat."""

import importlib.util

import numpy as np
import pytest
import torch
from scipy import stats

from probekit.errors import NotApplicableError, UsageError
from probekit.navigation import (
    NETWORK_MOTION,
    RAT_MOTION,
    Arena,
    HeadDirectionCells,
    Motion,
    Navigation,
    PlaceCells,
    Tracking,
    guess_error,
    path_error,
    path_statistics,
    random_walk,
    rat_path,
)

ARENAS = [Arena.square(2.2), Arena.circle(1.5, centre=(0.3, -0.2)), Arena(2.0, 0.7, centre=(1.0, 5.0))]
each_arena = pytest.mark.parametrize("arena", ARENAS, ids=["square", "circle", "rectangle"])
OPEN = Arena.square(1000.0)
"""So wide that no wall is met."""


@each_arena
def test_distances_to_walls_are_those_of_a_ray_that_is_followed_step_by_step(arena):
    rng = np.random.default_rng(0)
    places = arena.uniform(200, rng)
    assert arena.contains(places).all()
    directions = np.linspace(-np.pi, np.pi, 16, endpoint=False) + 0.1
    step = 1e-3
    reach = np.arange(0, 3.2, step)
    ahead = places[:, None, None] + reach[:, None] * np.stack([np.cos(directions), np.sin(directions)], -1)[:, None]
    steps_inside = arena.contains(ahead).sum(-1)
    np.testing.assert_allclose(arena.boundary_distance(places, directions), steps_inside * step, atol=2 * step)
    # the nearest wall is the nearest of many directions, up to their spacing, and lies where it is said to lie
    many = np.linspace(-np.pi, np.pi, 720, endpoint=False)
    np.testing.assert_allclose(arena.wall_distance(places), arena.boundary_distance(places, many).min(1), atol=1e-4)
    toward = arena.wall_direction(places)
    there = places + arena.wall_distance(places)[:, None] * np.stack([np.cos(toward), np.sin(toward)], -1)
    np.testing.assert_allclose(arena.wall_distance(there), 0, atol=1e-9)


@each_arena
def test_what_is_outside_is_moved_to_the_nearest_wall_and_the_rest_stays(arena):
    rng = np.random.default_rng(1)
    inside, outside = arena.uniform(50, rng), arena.centre + rng.normal(0, 5, (300, 2))
    np.testing.assert_array_equal(arena.clamped(inside), inside)
    moved = arena.clamped(outside)
    assert (arena.wall_distance(moved) >= 0).all()
    outline = arena.uniform(200_000, rng)
    nearest = np.array([np.linalg.norm(outline - place, axis=1).min() for place in outside[:20]])
    np.testing.assert_allclose(np.linalg.norm(moved - outside, axis=1)[:20], nearest, atol=0.03)  # grain of the draw


def test_bins_are_square_and_cover_the_floor():
    arena = Arena(2.0, 0.7, centre=(1.0, 5.0))
    x, y = arena.edges(20)
    np.testing.assert_allclose(np.diff(x), 0.1)
    np.testing.assert_allclose(np.diff(y), 0.1)
    assert (x[0], x[-1], len(y)) == (0.0, 2.0, 8)
    assert arena.floor(20).shape == (7, 20)
    assert arena.floor(20).all()
    assert Arena.circle(1.0).floor(200).mean() == pytest.approx(np.pi / 4, abs=2e-3)
    assert Arena.circle(2.0).area == pytest.approx(np.pi)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Arena.square(0.0), "width is 0.0; expected metres, above 0"),
        (lambda: Arena(1.0, 2.0, "circle"), "a circle has one diameter"),
        (lambda: Arena(1.0, 1.0, "triangle"), "shape is 'triangle'; expected one of rectangle, circle"),
        (lambda: Arena.square(1.0).wall_distance([1.0, 2.0, 3.0]), r"positions have shape \(3,\); expected \(…, 2\)"),
        (lambda: Arena.square(1.0).edges(1), "n_bins is 1; expected at least 2"),
        (lambda: Motion(-1.0, 1.0), "mean_speed is -1.0; expected at least 0"),
        (lambda: Motion(1.0, 1.0, dt=0.0), "dt is 0.0; expected seconds, above 0"),
        (lambda: random_walk(ARENAS[0], RAT_MOTION, 0, 5), "n_paths is 0; expected at least 1"),
        (lambda: random_walk(ARENAS[0], RAT_MOTION, 5, 5, seed=-1), "seed is -1"),
        (lambda: PlaceCells.random(ARENAS[0], 5, 0.0), "sigma is 0.0; expected metres, above 0"),
        (lambda: PlaceCells.random(ARENAS[0], 5, 0.1, "dog"), "tuning is 'dog'; expected one of gaussian"),
        (lambda: Tracking(np.zeros((5, 3)), OPEN, 0.1), r"positions have shape \(5, 3\); expected \(sample, 2\)"),
        (lambda: Tracking(np.zeros((5, 2)), OPEN, 0.0), "dt is 0.0; expected seconds a sample"),
        (lambda: Tracking(np.full((5, 2), 3.0), ARENAS[0], 0.1), "5 of 5 lie outside the arena, the first is sample 0"),
        (
            lambda: Tracking(np.zeros((5, 2)), OPEN, 0.1, headings=np.zeros(4)),
            r"headings have shape \(4,\); there are 5",
        ),
        (lambda: Tracking(np.zeros((3, 2)), OPEN, 0.1, path=np.array([1, 0, 0])), "numbers that never fall"),
        (lambda: Navigation(Tracking(np.zeros((3, 2)), OPEN, 0.1), {}), "activity is empty"),
        (
            lambda: Navigation(Tracking(np.zeros((3, 2)), OPEN, 0.1), {"a": np.full((3, 1), np.nan)}),
            "activity of 'a' holds nan or infinite",
        ),
        (
            lambda: Navigation(Tracking(np.zeros((3, 2)), OPEN, 0.1), {"a": np.zeros((4, 1))}),
            r"activity of 'a' has shape \(4, 1\); expected \(sample, unit\) with 3 samples",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@each_arena
@pytest.mark.parametrize("motion", [NETWORK_MOTION, RAT_MOTION], ids=["network", "rat"])
def test_walks_stay_inside_and_reach_every_place(arena, motion):
    paths = random_walk(arena, motion, 500, 400, seed=3)
    assert arena.contains(paths.positions).all()
    longest = paths.speeds.max()
    assert longest < 8 * motion.mean_speed
    found = path_statistics(paths.tracking(), n_bins=10)
    assert found.coverage == 1.0


def test_away_from_walls_speeds_are_rayleigh_and_turns_normal_with_the_memory_asked_for():
    motion = Motion(mean_speed=0.3, turn_sd=2.0, speed_time=0.4, turn_time=0.2, dt=0.05)
    paths = random_walk(OPEN, motion, 4000, 60, seed=4)
    scale = 0.3 / np.sqrt(np.pi / 2)
    assert stats.kstest(paths.speeds[:, 30], stats.rayleigh(scale=scale).cdf).pvalue > 0.01
    assert stats.kstest(paths.turns[:, 30] / motion.dt, stats.norm(scale=2.0).cdf).pvalue > 0.01
    for series, memory, tolerance in ((paths.speeds, 0.4, 0.05), (paths.turns, 0.2, 0.02)):
        lag = round(memory / motion.dt)
        after = np.corrcoef(series[:, 20], series[:, 20 + lag])[0, 1]
        assert after == pytest.approx(np.exp(-1), abs=tolerance)  # the Rayleigh length forgets a little faster
    # a heading is the direction of the step that led there
    step = paths.displacements
    away = np.arctan2(step[..., 1], step[..., 0]) - paths.headings[:, 1:]
    np.testing.assert_allclose(np.abs(np.exp(1j * away) - 1), 0, atol=1e-9)


def test_the_seed_alone_decides_a_walk():
    one, again, other = (random_walk(ARENAS[1], NETWORK_MOTION, 5, 30, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.positions, again.positions)
    assert not np.array_equal(one.positions, other.positions)


@pytest.mark.skipif(importlib.util.find_spec("ratinabox") is None, reason="needs the rat's path of package ratinabox")
def test_the_rat_walk_moves_like_the_rat_of_sargolini():
    rat = rat_path("sargolini2006")
    n_steps = round(rat.duration / RAT_MOTION.dt / 10)
    agent = path_statistics(random_walk(rat.arena, RAT_MOTION, 10, n_steps, seed=1).tracking())
    real = path_statistics(rat)
    for name, tolerance in (
        ("mean_speed", 0.1),
        ("median_speed", 0.1),
        ("rayleigh_scale", 0.12),
        ("turn_sd", 0.2),  # a camera's noise turns the real path more
        ("speed_time", 0.2),
        ("wall_share", 0.2),
        ("coverage", 0.1),
    ):
        assert getattr(agent, name) == pytest.approx(getattr(real, name), rel=tolerance), name
    np.testing.assert_allclose(agent.wall_deciles, real.wall_deciles, atol=0.04)
    np.testing.assert_allclose(agent.speed_deciles, real.speed_deciles, atol=0.03)


def test_place_cells_are_what_their_formula_says():
    cells = PlaceCells.random(ARENAS[0], 40, (0.1, 0.2), "difference_of_gaussians", seed=2)
    place = np.array([0.2, -0.4])
    squared = ((cells.centres.numpy() - place) ** 2).sum(1)
    sigma = np.tile([0.1, 0.2], 20)

    def softmax(scores):
        return np.exp(scores) / np.exp(scores).sum()

    difference = softmax(-squared / (2 * sigma**2)) - softmax(-squared / (4 * sigma**2))
    expected = difference - difference.min()
    found = cells.activity(torch.tensor(place, dtype=torch.float32)[None])[0]
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-6)
    gaussian = PlaceCells(cells.centres, cells.sigma).activity(torch.tensor(place, dtype=torch.float32)[None])[0]
    np.testing.assert_allclose(gaussian, softmax(-squared / (2 * sigma**2)), atol=1e-6)


def test_the_place_code_itself_can_be_read_to_four_centimetres():
    cells = PlaceCells.random(Arena.square(2.2), 512, 0.12, "difference_of_gaussians")
    places = torch.from_numpy(Arena.square(2.2).uniform(5000, np.random.default_rng(0))).float()
    away = (cells.decode(cells.activity(places)) - places).norm(dim=-1).mean()
    assert float(away) == pytest.approx(0.044, abs=0.004)  # known from another implementation of the code


def test_head_direction_cells_follow_von_mises():
    cells = HeadDirectionCells.random(12, kappa=5.0)
    turned = torch.linspace(-3, 3, 50)
    found = cells.activity(turned)
    torch.testing.assert_close(found.sum(-1), torch.ones(50))
    ratio = found[:, 0] / found[:, 1]
    expected = (5.0 * ((turned - cells.preferred[0]).cos() - (turned - cells.preferred[1]).cos())).exp()
    torch.testing.assert_close(ratio, expected, rtol=1e-4, atol=0)


def test_speeds_of_a_tracking_do_not_cross_the_end_of_a_path():
    positions = np.array([[0, 0], [1, 0], [2, 0], [10, 10], [10, 12]], dtype=float)
    tracked = Tracking(positions, OPEN, 0.5, path=np.array([0, 0, 0, 4, 4]))
    np.testing.assert_allclose(tracked.speeds, [2, 2, 2, 4, 4])
    lost = Tracking(np.where([[1], [0], [1], [1], [1]], positions, np.nan), OPEN, 0.5)
    assert list(lost.valid) == [True, False, True, True, True]
    assert lost.duration == 2.0
    part = tracked.part(np.array([False, False, True, True, True]))
    np.testing.assert_allclose(part.speeds, [2, 4, 4])
    assert list(part.path) == [0, 4, 4]


def test_a_path_error_is_the_mean_distance_by_step():
    paths = random_walk(Arena.square(1.0), NETWORK_MOTION, 50, 8, seed=5)
    tracked = paths.tracking()
    off = np.tile([[0.0, 0.03]], (8, 1)) * np.arange(1, 9)[:, None]
    said = Navigation(tracked, {"a": np.ones((400, 1))}, tracked.positions + np.tile(off, (50, 1)))
    np.testing.assert_allclose(path_error(said), 0.03 * np.arange(1, 9))
    guess = np.linalg.norm(paths.positions[:, 1:] - paths.positions[:, :1], axis=-1).mean(0)
    np.testing.assert_allclose(guess_error(paths), guess)
    with pytest.raises(NotApplicableError, match="path_error needs a network that says where it is"):
        path_error(Navigation(tracked, {"a": np.ones((400, 1))}))
