"""Brains of animals that moved: the files agree with each other, with the publications and with a count by hand."""

import numpy as np
import pytest
import scipy.io

from probekit.brains import mouse_grids, peyrache2015, tampuu2019
from probekit.errors import DataError, UnknownNameError, UsageError
from probekit.navigation import Arena

needs_data = pytest.mark.data


def mean_vector_length(rates, angles):
    return np.abs((rates * np.exp(1j * angles)).sum(axis=1)) / rates.sum(axis=1)


# rats in a box


@needs_data
@pytest.mark.parametrize("rat", tampuu2019.RATS)
def test_the_rats_foraged_in_one_metre(rat):
    session = tampuu2019.load(rat)
    activity, tracking = session["CA1"], session.tracking
    assert activity.shape == (len(tracking), tampuu2019.N_UNITS[rat])
    counts = activity * tracking.dt
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)  # spikes are whole
    assert activity.min() == 0
    assert 15 * 60 < tracking.duration < 30 * 60
    assert min(tracking.arena.width, tracking.arena.height) > 0.98
    assert max(tracking.arena.width, tracking.arena.height) < 1.05
    assert 0.1 < np.median(tracking.speeds) < 0.2  # m/s: a foraging rat
    assert 0.1 < np.median(activity.mean(axis=0)) < 1  # spikes/s: CA1 pyramidal cells


@needs_data
def test_fine_counts_make_the_coarse_ones():
    fine = tampuu2019.fine_counts()
    coarse = tampuu2019.load("R2192")["CA1"] * tampuu2019.WINDOW_S
    assert np.array_equal(fine.reshape(len(coarse), 10, -1).sum(axis=1), coarse.round())


@needs_data
def test_place_cells_fire_at_places_and_not_so_with_positions_of_another_time():
    session = tampuu2019.load("R2192")
    low = session.tracking.positions.min(axis=0)
    square = ((session.tracking.positions - low) / 0.1011).astype(int)
    place = square @ [10, 1]

    def bits(activity):
        seconds = np.bincount(place, minlength=100)
        rates = np.stack([np.bincount(place, unit, 100) for unit in activity.T]) / np.maximum(seconds, 1)
        share = seconds / seconds.sum()
        relative = rates / (rates @ share)[:, None]
        return (share * relative * np.log2(np.where(relative > 0, relative, 1))).sum(axis=1)

    assert seconds_everywhere(place)
    true, shifted = bits(session["CA1"]), bits(np.roll(session["CA1"], 1000, axis=0))
    assert np.median(true) > 1  # the publication's own maps, smoothed otherwise, give 1.35
    assert np.mean(true > shifted) > 0.85


def seconds_everywhere(place):
    return len(np.unique(place)) == 100


def test_a_rat_that_is_none_is_named():
    with pytest.raises(UnknownNameError, match=r"There is no rat called 'R2191'\. Did you mean 'R2192'"):
        tampuu2019.load("R2191")


def test_files_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"R2192_1x200_at5_step200_bin100-RAW_feat\.dat does not exist"):
        tampuu2019.load("R2192", tmp_path)
    stem = tmp_path / "R2192_1x200_at5_step200_bin100-RAW"
    np.savetxt(f"{stem}_feat.dat", np.zeros((5, 62)))
    np.savetxt(f"{stem}_pos.dat", np.zeros((5, 2)))
    with pytest.raises(DataError, match=r"counts \(5, 62\) and positions \(5, 2\); expected \(sample, 63\)"):
        tampuu2019.load("R2192", tmp_path)
    (tmp_path / f"{stem.name}_feat.dat").write_text("spikes\n")
    with pytest.raises(DataError, match="is not a table of numbers"):
        tampuu2019.load("R2192", tmp_path)
    scipy.io.savemat(tmp_path / "R2192_20ms.mat", {"mm": np.zeros((5, 63), np.uint8)})
    with pytest.raises(DataError, match=r"uint8 of shape \(5, 63\); expected uint8, \(63, window\)"):
        tampuu2019.fine_counts(tmp_path)


# a mouse's head


@needs_data
def test_22_of_62_units_have_a_mean_vector_above_one_half():
    cells = peyrache2015.tuning()
    length = mean_vector_length(cells.rates, cells.angles)
    assert (len(cells), int((length > 0.5).sum())) == (62, 22)
    np.testing.assert_allclose(cells.angles, np.arange(60) * 2 * np.pi / 60, atol=1e-12)
    np.testing.assert_allclose(cells.rates.max(axis=1), cells.units["peak_hz"], rtol=1e-12)


@needs_data
def test_the_stored_verdict_is_of_concentration_and_peak():
    units = peyrache2015.tuning().units
    assert units["head_direction"].sum() == 20
    assert ((units["concentration"] > 1) & (units["peak_hz"] > 1)).equals(units["head_direction"])


@needs_data
def test_the_stored_direction_is_that_of_the_curve():
    cells = peyrache2015.tuning()
    tuned = cells.units["head_direction"].to_numpy()
    mean = np.angle((cells.rates * np.exp(1j * cells.angles)).sum(axis=1))
    away = np.angle(np.exp(1j * (mean - cells.units["preferred_rad"])))
    assert np.abs(away[tuned]).max() < 0.4  # theirs was computed from spikes, before smoothing


@needs_data
def test_the_mouses_path_is_in_stretches_at_the_cameras_rate():
    tracking = peyrache2015.tracking()
    assert (len(tracking), len(np.unique(tracking.path))) == (40858, 468)
    table = np.loadtxt(peyrache2015.matlab.located("peyrache2015", "Mouse12-120806_PosHD.txt", None))
    longest = tracking.path == np.bincount(tracking.path).argmax()
    stored = table[longest, 0] - table[longest, 0][0]
    even = np.arange(longest.sum()) * tracking.dt
    assert np.abs(stored - even).max() < 0.1  # stored to .1 s; a rate of 39 or 39.2 Hz would be .04 or .08 s off more
    assert ((tracking.headings >= 0) & (tracking.headings < 2 * np.pi)).all()
    moved = np.diff(tracking.positions, axis=0)
    running = (tracking.speeds[1:] > 0.1) & (np.diff(tracking.path) == 0)
    ahead = np.exp(1j * (tracking.headings[1:] - np.arctan2(moved[:, 1], moved[:, 0])))[running].mean()
    assert np.abs(ahead) > 0.3  # a mouse runs where it looks …
    assert np.abs(np.angle(ahead)) < 0.35  # … within 20°


def test_a_tuning_file_of_another_size_is_refused(tmp_path):
    held = {"AngHisto": np.zeros((61, 61)), "B": np.zeros(61), "hdCellStats": np.zeros((62, 5))}
    scipy.io.savemat(tmp_path / "HDCells.mat", held)
    with pytest.raises(DataError, match=r"curves \(61, 61\), 61 angles and statistics \(62, 5\); expected \(61, 62\)"):
        peyrache2015.tuning(tmp_path)
    np.savetxt(tmp_path / "Mouse12-120806_PosHD.txt", np.zeros((4, 3)))
    with pytest.raises(DataError, match="has 3 columns; expected 4"):
        peyrache2015.tracking(tmp_path)


# mouse grid cells


@needs_data
def test_the_stored_autocorrelograms_are_those_of_the_stored_maps():
    """By the definition, shift by shift, bins that were not visited counting as 0, as theirs do."""
    cells = mouse_grids.load()
    for unit in (0, 1, 2, 6, 9):
        rates = np.nan_to_num(cells.maps[unit])
        for dy, dx in ((0, 0), (3, 5), (-7, 2), (10, -10), (16, 16)):
            here = rates[max(dy, 0) : 20 + min(dy, 0), max(dx, 0) : 20 + min(dx, 0)]
            there = rates[max(-dy, 0) : 20 + min(-dy, 0), max(-dx, 0) : 20 + min(-dx, 0)]
            expected = np.corrcoef(here.ravel(), there.ravel())[0, 1]
            assert cells.autocorrelograms[unit, 17 + dy, 17 + dx] == pytest.approx(expected, abs=1e-6)


@needs_data
def test_half_of_the_cells_have_a_grid():
    cells = mouse_grids.load()
    assert len(cells) == 10
    assert (cells.units["score_new"] > 0.37).tolist() == [True] * 5 + [False] * 5
    assert cells.units["score"].isna().tolist() == [True] + [False] * 9


def test_a_file_without_cells_is_refused(tmp_path):
    scipy.io.savemat(tmp_path / "mouse_grids.mat", {"rateMaps": np.zeros((3, 3))})
    with pytest.raises(DataError, match="does not hold maps, autocorrelograms and scores of 10 cells"):
        mouse_grids.load(tmp_path)


# arenas that were not measured


def test_an_arena_around_positions_holds_them_all():
    places = np.random.default_rng(0).random((50, 2)) * [2, 1] + [5, -3]
    arena = Arena.around(places)
    assert arena.contains(places).all() or arena.wall_distance(places).min() > -1e-12  # rounding of the middle
    assert (arena.width, arena.height) == tuple(np.ptp(places, axis=0))
    with_gap = np.vstack([places, [np.nan, 0]])
    assert Arena.around(with_gap) == arena
    with pytest.raises(UsageError, match="positions span no area"):
        Arena.around([[0.0, 1.0], [1.0, 1.0]])
