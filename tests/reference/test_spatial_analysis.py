"""The spatial analysis on planted cells: each is found to be what it is, noise is nothing, controls stand beside."""

import numpy as np
import pytest

import probekit as pk
from probekit.navigation import Arena, Motion, Navigation, Tracking, random_walk
from probekit.result import Result

BOX = Arena.square(1.0)
SLOW = Motion(mean_speed=0.3, turn_sd=4.0, speed_time=0.3, turn_time=0.1, dt=0.05)
WAVES = np.deg2rad([0, 60, 120])


def grid(places, spacing, tilt, phase):
    """Return three plane waves, rectified."""
    k = 4 * np.pi / (np.sqrt(3) * spacing)
    angles = WAVES + np.deg2rad(tilt) + np.pi / 2
    waves = sum(np.cos(k * ((places - phase) @ np.array([np.cos(a), np.sin(a)]))) for a in angles)
    return np.maximum(waves, 0)


@pytest.fixture(scope="module")
def walked():
    paths = random_walk(BOX, SLOW, 400, 100, seed=1)
    tracked = paths.tracking()
    rng = np.random.default_rng(0)
    places, heading, speed = tracked.positions, tracked.headings, tracked.speeds
    columns = {
        **{f"grid{i}": grid(places, 0.35, 10, rng.uniform(-0.2, 0.2, 2)) for i in range(8)},
        **{f"place{i}": np.exp(-((places - centre) ** 2).sum(1) / 0.02) for i, centre in
           enumerate(BOX.uniform(8, rng) * 0.6)},
        **{f"border{i}": (0.5 + sign * places[:, axis] < 0.06).astype(float)
           for i, (axis, sign) in enumerate([(0, 1), (0, -1), (1, 1), (1, -1)])},
        **{f"head{i}": np.exp(4 * (np.cos(heading - angle) - 1)) for i, angle in enumerate(rng.uniform(-3, 3, 6))},
        **{f"speed{i}": speed + 0.05 * rng.standard_normal(len(speed)) for i in range(4)},
        **{f"noise{i}": rng.random(len(speed)) for i in range(12)},
        "silent0": np.zeros(len(speed)),
    }  # fmt: skip
    names = list(columns)
    activity = np.stack(list(columns.values()), 1)
    noisy = np.maximum(activity + 0.02 * rng.standard_normal(activity.shape) * (activity.std(0) > 0), 0)
    return names, Navigation(tracked, {"planted": noisy})


@pytest.fixture(scope="module")
def result(walked):
    return pk.analyses.spatial(walked[1], n_nulls=40, seed=2)


@pytest.fixture(scope="module")
def units(walked, result):
    table = result.table[result.table["network"] == "trained"].reset_index(drop=True)
    return table.assign(planted=[name.rstrip("0123456789") for name in walked[0]])


def test_the_result_is_as_declared(result, tmp_path):
    assert pk.analyses.REGISTRY.get("spatial").check(result) is result
    assert Result.load(result.save(tmp_path)).equals(result)
    assert set(result.table["network"]) == {"trained", "random read-out"}


@pytest.mark.parametrize(("planted", "found", "least"), [
    ("grid", "grid", 8), ("place", "place", 7), ("head", "head_direction", 6), ("speed", "speed", 4),
    ("border", "border", 4),
])  # fmt: skip
def test_planted_cells_are_found_to_be_what_they_are(units, planted, found, least):
    kinds = units.loc[units["planted"] == planted, "cell_type"]
    # near a wall only some headings occur, so that a head-direction cell may be a border cell too
    also = ["mixed"] if planted == "head" else []
    assert kinds.isin([found, *also]).sum() >= least, kinds.tolist()
    assert (kinds == found).sum() >= 3


def test_place_and_heading_together_are_told_from_either_alone(walked, units):
    tracked = walked[1].tracking
    place = np.exp(-((tracked.positions - 0.2) ** 2).sum(1) / 0.03)
    heading = np.exp(2 * (np.cos(tracked.headings - 1) - 1))
    both = Navigation(tracked, {"a": np.stack([place * heading, place], 1)})
    table = pk.analyses.spatial(both, n_nulls=40).table
    assert table["q_conjunctive"][0] <= 0.05
    assert table["heading_given_place"][0] > 3 * table["heading_given_place"][1]
    assert table["q_information"][:2].max() <= 0.05


def test_noise_is_nothing_and_silence_has_its_reason(units):
    assert set(units.loc[units["planted"] == "noise", "cell_type"]) == {"none"}
    silent = units[units["planted"] == "silent"].iloc[0]
    assert (silent["cell_type"], silent["nan_reason"]) == ("none", "constant activity")
    assert np.isnan(silent["gridness"])


def test_spacing_orientation_and_the_one_module_are_recovered(units, result):
    grids = units[units["planted"] == "grid"]
    np.testing.assert_allclose(grids["grid_spacing_m"], 0.35, atol=0.02)  # bins of 5 cm
    away = (grids["grid_orientation_deg"] - 10 + 30) % 60 - 30
    assert away.abs().max() < 4
    assert set(grids["grid_module"]) == {0}
    assert (units.loc[units["planted"] != "grid", "grid_module"] == -1).all()
    row = result.summary.set_index("network").loc["trained"]
    assert row["n_grid"] == 8
    assert row["n_silent"] == 1
    assert row["median_spacing_m"] == pytest.approx(0.35, abs=0.02)


def test_the_place_is_decoded_and_shuffled_activity_decodes_nothing(result):
    row = result.summary.set_index("network").loc["trained"]
    assert row["decoding_error_m"] < 0.25
    assert row["decoding_error_shuffled_m"] == pytest.approx(0.38, abs=0.05)  # of places drawn anywhere in 1 m


def test_random_read_outs_stand_beside_and_some_pass_the_classic_threshold(result):
    row = result.summary.set_index("network").loc["random read-out"]
    assert row["n_units"] == result.summary["n_units"].iloc[0]
    assert row["n_classic"] >= 3
    assert row["n_above_both"] <= 0.25 * row["n_units"]


def test_the_seed_decides_and_inputs_are_not_written(walked):
    few = Navigation(walked[1].tracking, {"planted": walked[1]["planted"][:, :3].copy()})
    before = few["planted"].copy()
    one, again, other = (pk.analyses.spatial(few, n_nulls=20, seed=seed).table for seed in (1, 1, 2))
    np.testing.assert_array_equal(few["planted"], before)
    assert one.equals(again)
    assert not one["p_grid_fields"].equals(other["p_grid_fields"])


def test_without_headings_what_needs_them_is_missing_and_says_why(walked):
    tracked = walked[1].tracking
    blind = Tracking(tracked.positions, BOX, tracked.dt, path=tracked.path)
    table = pk.analyses.spatial(Navigation(blind, {"a": walked[1]["planted"][:, :4]}), n_nulls=20).table
    assert table["mean_vector_length"].isna().all()
    assert table["nan_reason"].str.contains("no headings were recorded").all()
    assert table["speed_score"].notna().all()


def test_noise_along_a_path_is_significant_no_more_often_than_it_says():
    tracked = random_walk(BOX, SLOW, 300, 100, seed=8).tracking()
    rng = np.random.default_rng(3)
    smooth = rng.standard_normal((len(tracked), 200))
    for step in range(1, len(smooth)):  # noise as slow as a path, within each path
        if tracked.path[step] == tracked.path[step - 1]:
            smooth[step] += 0.9 * smooth[step - 1]
    table = pk.analyses.spatial(Navigation(tracked, {"noise": np.maximum(smooth, 0)}), n_nulls=40).table
    noise = table[table["network"] == "trained"]
    for name in (
        "p_information",
        "p_heading",
        "p_speed",
        "p_grid_shift",
        "p_border",
        "p_grid_fields",
        "p_grid_spectrum",
    ):
        share = (noise[name] <= 0.05).mean()
        assert share <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 200), name  # one run in 200 is beyond
    assert (noise["cell_type"] == "none").mean() >= 0.99
