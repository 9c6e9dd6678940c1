"""What the hippocampal laboratory refuses, in words, and what it must not take for an answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import probekit as pk
from probekit.analyses.released_gridness import gridness_of
from probekit.errors import ModelError, UsageError
from probekit.navigation import NETWORK_MOTION, RAT_MOTION, Adapter, Arena, Navigation, Paths, Tracking, random_walk

BOX = Arena.square(1.0)
WALK = random_walk(BOX, RAT_MOTION, 60, 50, seed=0)
TRACKING = WALK.tracking()
ACTIVITY = np.random.default_rng(0).random((len(TRACKING), 3))
MAPS = np.random.default_rng(1).random((3, 10, 10))
STEPS = Adapter(lambda paths: torch.from_numpy(paths.displacements).float())


def navigation(activity=ACTIVITY, tracking=TRACKING):
    return Navigation(tracking, {"area": activity})


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: pk.spatial.rate_maps(ACTIVITY, None), "tracking is a NoneType; expected a Tracking"),
        (lambda: pk.spatial.rate_maps(ACTIVITY, TRACKING, smoothing="1"), "smoothing is '1'; expected bins"),
        (lambda: pk.spatial.rate_maps(ACTIVITY, TRACKING, smoothing=1e9), "smoothing is 1000000000.0; expected bins"),
        (lambda: pk.spatial.rate_maps(ACTIVITY, TRACKING, n_bins=10**9), "n_bins is 1000000000; expected at most 1000"),
        (lambda: pk.spatial.rate_maps(ACTIVITY, TRACKING, samples=[[1], [1, 2]]), "samples are no array"),
        (lambda: pk.spatial.rate_maps(ACTIVITY * 1e300, TRACKING, n_bins=5), r"activity of unit 0 holds .* beyond"),
        (lambda: pk.spatial.directional_tuning(ACTIVITY, WALK), "tracking is a Paths; expected a Tracking"),
        (lambda: pk.spatial.speed_score(ACTIVITY, TRACKING, smoothing=1e9), "smoothing is 1000000000.0; expected"),
        (lambda: pk.spatial.border_scores(MAPS, "box"), "arena is a str; expected a Arena"),
        (lambda: pk.spatial.place_fields(MAPS, BOX, threshold=None), "threshold is None; expected a share"),
        (lambda: pk.spatial.spatial_information(MAPS[:0], np.ones((10, 10))), r"maps have shape \(0, 10, 10\)"),
        (lambda: pk.spatial.spatial_information(MAPS, np.ones((10, 10)), method=np.ones(2)), "method is array"),
        (lambda: pk.spatial.pooled_p_values([1.0], [[np.inf]]), "null holds infinite values"),
        (lambda: pk.spatial.spike_rates(3, [0.0, 1.0]), "spike_times is a int; expected an array for each neuron"),
        (lambda: pk.spatial.realignment(MAPS, MAPS, "x"), "bin_size is 'x'; expected m, above 0"),
        (lambda: Arena("1", 1.0), "width is '1'; expected metres, above 0"),
        (lambda: Arena(1.0, 1.0, "rectangle", 3), "centre is 3; expected finite x and y"),
        (lambda: Tracking(TRACKING.positions, None, 0.1), "arena is a NoneType; expected a Arena"),
        (lambda: Tracking(TRACKING.positions, BOX, 0.1, np.linspace(0, 360, len(TRACKING))), "heading reaches 360"),
        (lambda: Paths(np.zeros((0, 3, 2)), np.zeros((0, 3)), BOX, 0.1), "expected at least one path of one step"),
        (lambda: navigation(ACTIVITY + 0j), "activity of 'area' is of type complex128; expected real numbers"),
        (lambda: navigation(torch.ones(3, requires_grad=True)), "activity of 'area' is Tensor; expected an array"),
        (lambda: Navigation(TRACKING, ACTIVITY), "activity is a ndarray; expected a Mapping"),
        (lambda: random_walk(BOX, "fast", 1, 1), "motion is a str; expected a Motion"),
        (lambda: pk.analyses.spatial(TRACKING), "navigation is a Tracking; expected a Navigation"),
        (lambda: pk.analyses.spatial(navigation(), n_nulls=19), "n_nulls is 19; expected at least 20"),
        (lambda: pk.analyses.spatial(navigation(), n_bins=4), "n_bins is 4, by which .* at least 5 along each"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_in_words(call, match):
    with pytest.raises(UsageError, match=match):
        call()


def test_a_path_that_covers_too_little_of_the_arena_is_refused_before_any_null():
    tracking = Tracking(TRACKING.positions, Arena.square(10.0), TRACKING.dt, path=TRACKING.path)
    with pytest.raises(UsageError, match=r"tracking covers .* expected at least a quarter"):
        pk.analyses.spatial(navigation(tracking=tracking))


def test_activity_may_be_a_list_or_a_tensor():
    given = ACTIVITY.tolist(), torch.from_numpy(ACTIVITY)
    assert all(np.array_equal(navigation(one)["area"], ACTIVITY) for one in given)


def test_gridness_knows_no_baseline_where_bins_were_never_visited():
    maps = MAPS.copy()
    maps[:, :3, :3] = np.nan
    # Pearson's r does not change with a constant, but for rounding.
    np.testing.assert_allclose(gridness_of(maps + 100), gridness_of(maps), atol=1e-9)


def test_fields_are_moved_where_bins_lie_far_from_all_visited_ones():
    maps = np.full((2, 20, 20), np.nan)
    maps[:, :8] = np.random.default_rng(2).random((2, 8, 20))
    assert np.isfinite(next(pk.spatial.replaced_fields(maps, 1, 0))[:, :8]).all()


class Loop(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = torch.nn.LSTMCell(2, 4)

    def forward(self, x):
        state, said = None, []
        for step in x.unbind(1):
            state = self.cell(step, state)
            said.append(state[0])
        return torch.stack(said, 1)


def test_a_layer_that_is_called_once_a_step_is_in_the_order_of_time():
    walked = pk.navigate(Loop(), BOX, STEPS, n_paths=3, n_steps=5, layers=["cell:0", "."])
    np.testing.assert_array_equal(walked["cell:0"], walked["."])


@pytest.mark.parametrize(
    ("network", "adapter", "error", "match"),
    [
        (torch.nn.GRU(2, 3), STEPS, ModelError, "depends on the other paths of the batch"),
        (Loop(), STEPS.encode, UsageError, "adapter is a function; expected a Adapter"),
        (Loop(), Adapter(lambda paths: 1 / 0), ModelError, "adapter.encode raised ZeroDivisionError"),
        (Loop(), Adapter(STEPS.encode, lambda out: out[..., :2] * torch.nan), ModelError, "decode gave nan"),
    ],
)
def test_networks_and_adapters_that_cannot_be_led_are_refused(network, adapter, error, match):
    layer = ".:output" if isinstance(network, torch.nn.GRU) else "."
    with pytest.raises(error, match=match):
        pk.navigate(network, BOX, adapter, motion=NETWORK_MOTION, n_paths=3, n_steps=5, layers=layer)


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (lambda: pk.spatial.grid_geometry(np.zeros((0, 39, 39)), 0.1), r"shape \(0, 39, 39\); expected one or more"),
        (
            lambda: pk.spatial.grid_geometry(np.ones((2, 1, 9)), 0.1),
            r"shape \(2, 1, 9\); expected one or more, of at least 5",
        ),
        (
            lambda: pk.spatial.autocorrelograms(np.full((1, 9, 9), 1e300)),
            "maps holds infinite values, or values beyond 1e",
        ),
        (
            lambda: pk.spatial.grid_modules(np.arange(1.0, 21), np.arange(20.0), alpha="x"),
            "alpha is 'x'; expected between 0",
        ),
    ],
)
def test_lattices_refuse_what_is_none(measure, message):
    with pytest.raises(UsageError, match=message):
        measure()


def test_no_unit_has_no_autocorrelogram():
    assert pk.spatial.autocorrelograms(np.zeros((0, 20, 20))).shape == (0, 39, 39)
