"""Recordings of animals from pynapple and NWB: the same numbers as by hand, and words for what does not fit."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from probekit.errors import DataError, UnknownNameError, UsageError
from probekit.navigation import Arena
from probekit.navigation.interchange import from_nwb, from_pynapple

BOX = Arena.square(1.0, centre=(0.5, 0.5))


@dataclass
class Series:
    """As much of pynapple's objects as is read."""

    t: np.ndarray
    d: np.ndarray | None = None


@dataclass
class Spikes:
    t: np.ndarray


def session(seed=0, n=500, dt=0.04, start=100.0):
    """Return a path, a heading and the spike times of three units, one of them silent."""
    rng = np.random.default_rng(seed)
    times = start + np.arange(n) * dt
    places = 0.5 + 0.45 * np.tanh(np.cumsum(rng.standard_normal((n, 2)) * 0.1, axis=0))
    trains = {3: np.sort(rng.uniform(times[0], times[-1], 200)), 8: np.zeros(0), 11: np.sort(rng.uniform(100, 120, 50))}
    return Series(times, places), Series(times, rng.uniform(-np.pi, np.pi, n)), trains


def by_hand(train, times, dt):
    return np.array([np.sum((train >= t - dt / 2) & (train < t + dt / 2)) for t in times]) / dt


# spikes


def test_spikes_are_counted_around_each_tracked_time():
    position, heading, trains = session()
    found = from_pynapple(position, {name: Spikes(t) for name, t in trains.items()}, BOX, heading=heading, area="CA1")
    assert found.tracking.dt == pytest.approx(0.04)
    assert found["CA1"].shape == (500, 3)
    for column, train in enumerate(trains.values()):
        np.testing.assert_allclose(found["CA1"][:, column], by_hand(train, position.t, 0.04), rtol=1e-9)
    assert np.array_equal(found.tracking.positions, position.d)
    assert np.array_equal(found.tracking.headings, heading.d)
    assert found.provenance["units"] == ["3", "8", "11"]
    late = np.r_[trains[3], trains[11]] > position.t[-1] + 0.02
    assert found.provenance["spikes_outside"] == pytest.approx(late.mean())


def test_epochs_are_paths_and_spikes_between_them_are_left_out():
    position, _, _ = session()
    kept = np.r_[0:200, 300:500]
    between = position.t[250]
    trains = {0: Spikes(np.sort(np.r_[position.t[[5, 5, 199, 300]], between, position.t[199] + 0.0201]))}
    found = from_pynapple(Series(position.t[kept], position.d[kept]), trains, BOX)
    assert np.unique(found.tracking.path, return_counts=True)[1].tolist() == [200, 200]
    counts = found["units"][:, 0] * found.tracking.dt
    assert counts.sum() == pytest.approx(4)
    assert np.flatnonzero(counts).tolist() == [5, 199, 200]
    assert found.provenance["spikes_outside"] == pytest.approx(2 / 6)


def test_a_cameras_jitter_makes_no_gap():
    position, _, trains = session()
    jitter = np.random.default_rng(1).uniform(-0.004, 0.004, 500)
    found = from_pynapple(Series(position.t + jitter, position.d), {3: Spikes(trains[3])}, BOX)
    assert not found.tracking.path.any()
    assert (found["units"] * found.tracking.dt).sum() == pytest.approx(200, abs=1)


def test_centimetres_and_no_arena():
    position, _, trains = session()
    found = from_pynapple(Series(position.t, position.d * 100), {3: Spikes(trains[3])}, metres=0.01)
    np.testing.assert_allclose(found.tracking.positions, position.d, rtol=1e-12)
    assert found.tracking.arena == Arena.around(position.d * 100 * 0.01)
    with pytest.raises(UsageError, match="lie outside the arena"):
        from_pynapple(Series(position.t, position.d * 100), {3: Spikes(trains[3])}, BOX)
    with pytest.raises(UsageError, match="metres is 0; expected"):
        from_pynapple(position, {3: Spikes(trains[3])}, metres=0)


# continuous activity


def test_continuous_activity_is_taken_as_it_is():
    position, _, _ = session()
    calcium = np.random.default_rng(2).standard_normal((500, 4))
    found = from_pynapple(position, Series(position.t + 0.001, calcium), BOX)
    assert np.array_equal(found["units"], calcium)
    assert np.array_equal(from_pynapple(position, Series(position.t, calcium[:, 0]), BOX)["units"], calcium[:, :1])


# what does not fit


def test_clocks_that_differ_are_refused():
    position, heading, trains = session()
    spikes = {3: Spikes(trains[3])}
    with pytest.raises(UsageError, match=r"0 of 200 spikes fall into the tracked time: spikes run from 1\d+ to 1\d+ s"):
        from_pynapple(position, {3: Spikes(trains[3] * 1000)}, BOX)
    with pytest.raises(UsageError, match=r"times of activity are not those of the positions: 499 from 100 to 119.92"):
        from_pynapple(position, Series(position.t[:-1], np.ones((499, 2))), BOX)
    with pytest.raises(UsageError, match=r"times of heading are not those .* with heading\.interpolate\(position\)"):
        from_pynapple(position, spikes, BOX, heading=Series(heading.t + 0.03, heading.d))
    with pytest.raises(UsageError, match="times of position are uneven"):
        from_pynapple(Series(np.sort(np.r_[position.t, 100.001]), np.ones((501, 2))), spikes, BOX)
    with pytest.raises(UsageError, match="expected finite seconds that rise"):
        from_pynapple(Series(position.t[::-1], position.d), spikes, BOX)


def test_objects_of_another_kind_are_refused():
    position, heading, trains = session()
    spikes = {3: Spikes(trains[3])}
    with pytest.raises(UsageError, match="position is ndarray, which has no times"):
        from_pynapple(position.d, spikes, BOX)
    with pytest.raises(UsageError, match="position is Spikes, which has no values"):
        from_pynapple(Spikes(position.t), spikes, BOX)
    with pytest.raises(UsageError, match="position has 3 columns; expected 2"):
        from_pynapple(Series(position.t, np.ones((500, 3))), spikes, BOX)
    with pytest.raises(UsageError, match="activity holds no units"):
        from_pynapple(position, {}, BOX)
    with pytest.raises(UsageError, match=r"heading reaches 180; expected rad, .* np.deg2rad"):
        from_pynapple(position, spikes, BOX, heading=Series(heading.t, np.linspace(0, 180, 500)))
    with pytest.raises(UsageError, match="position has 1 times; expected at least 2"):
        from_pynapple(Series(position.t[:1], position.d[:1]), spikes, BOX)


# files


def test_what_a_file_does_not_hold_is_named():
    position, _, trains = session()
    held = {"position": position, "units": {3: Spikes(trains[3])}}
    assert from_nwb(held, BOX)["units"].shape == (500, 1)
    with pytest.raises(UnknownNameError, match=r"no object in the file called 'positon'\. Did you mean 'position'"):
        from_nwb(held, BOX, position="positon")


def test_without_pynapple_or_a_file_the_way_out_is_named(monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "pynapple", None)
        with pytest.raises(UsageError, match=r"pip install 'probekit-neuro\[pynapple\]'"):
            from_nwb(tmp_path / "rat.nwb")
    pytest.importorskip("pynapple", reason="needs pynapple: pip install pynapple")
    with pytest.raises(DataError, match=r"rat\.nwb does not exist"):
        from_nwb(tmp_path / "rat.nwb")
    (tmp_path / "rat.nwb").write_text("no HDF5")
    with pytest.raises(DataError, match=r"rat\.nwb cannot be read as an NWB file"):
        from_nwb(tmp_path / "rat.nwb")


def test_pynapples_own_objects_give_the_same():
    nap = pytest.importorskip("pynapple", reason="needs pynapple: pip install pynapple")
    position, heading, trains = session()
    path = nap.TsdFrame(t=position.t, d=position.d, columns=["x", "y"])
    group = nap.TsGroup({name: nap.Ts(t) for name, t in trains.items()}, time_support=nap.IntervalSet(0, 200))
    found = from_pynapple(path, group, BOX, heading=nap.Tsd(t=heading.t, d=heading.d))
    expected = from_pynapple(position, {name: Spikes(t) for name, t in trains.items()}, BOX, heading=heading)
    assert np.array_equal(found["units"], expected["units"])
    assert np.array_equal(found.tracking.positions, expected.tracking.positions)
    assert np.array_equal(found.tracking.headings, expected.tracking.headings)
    awake = nap.IntervalSet(start=[100, 112], end=[107.99, 119.99])
    restricted = from_pynapple(path.restrict(awake), group, BOX)
    assert np.unique(restricted.tracking.path, return_counts=True)[1].tolist() == [200, 200]
    calcium = nap.TsdFrame(t=position.t, d=np.arange(1000.0).reshape(500, 2))
    assert np.array_equal(from_pynapple(path, calcium, BOX)["units"], calcium.d)


def test_an_nwb_file_gives_the_same(tmp_path):
    pytest.importorskip("pynapple", reason="needs pynapple: pip install pynapple")
    pynwb = pytest.importorskip("pynwb", reason="needs pynwb, which comes with pynapple")
    from pynwb.behavior import CompassDirection, Position, SpatialSeries

    position, heading, trains = session()
    file = pynwb.NWBFile("a rat in a box", "rat", datetime(2020, 1, 1, tzinfo=UTC))
    module = file.create_processing_module("behavior", "where the rat was")
    where = {"timestamps": position.t, "reference_frame": "the box"}
    module.add(Position(spatial_series=SpatialSeries(name="position", data=position.d, unit="meters", **where)))
    module.add(CompassDirection(spatial_series=SpatialSeries(name="heading", data=heading.d, unit="radians", **where)))
    for train in (trains[3], trains[11]):
        file.add_unit(spike_times=train)
    path = tmp_path / "rat.nwb"
    with pynwb.NWBHDF5IO(str(path), "w") as opened:
        opened.write(file)
    expected = from_pynapple(position, {0: Spikes(trains[3]), 1: Spikes(trains[11])}, BOX, heading=heading)
    for source in (path, str(path), file):
        found = from_nwb(source, BOX, heading="heading")
        np.testing.assert_allclose(found["units"], expected["units"], atol=1e-6)
        np.testing.assert_allclose(found.tracking.positions, position.d, atol=1e-12)
        np.testing.assert_allclose(found.tracking.headings, heading.d, atol=1e-12)
