"""The shape of a population's states: planted tori, rings and sheets, and bars that are known by hand."""

import importlib
import sys

import numpy as np
import pytest

from probekit.errors import UsageError
from probekit.spatial.torus import Topology, topology

pytest.importorskip("ripser", reason="needs persistent homology: pip install ripser")


def even(n_shuffles, **longest):
    return np.tile([longest.get(name, 0.1) for name in ("h0", "h1", "h2")], (n_shuffles, 1))


def grid_module(places, n_units, spacing, rng):
    """Rectified sums of three plane waves, 60° apart: one module, phases everywhere."""
    angle = np.arange(3) * np.pi / 3
    waves = 4 * np.pi / (np.sqrt(3) * spacing) * np.stack([np.cos(angle), np.sin(angle)])
    return np.maximum(np.cos((places[:, None] - rng.random((n_units, 2)) * 10) @ waves).sum(-1), 0)


def place_cells(places, n_units, width, rng):
    centres = rng.random((n_units, 2)) * 2.2
    return np.exp(-((places[:, None] - centres) ** 2).sum(-1) / (2 * width**2))


def heading_cells(n, n_units, rng):
    heading = rng.random((n, 1)) * 2 * np.pi
    return np.exp(2 * np.cos(heading - rng.random(n_units) * 2 * np.pi)) / np.exp(2)


def planted(kind, seed, n=4000, n_units=80):
    rng = np.random.default_rng(seed)
    places = rng.random((n, 2)) * 2.2
    clean = {
        "grid": lambda: grid_module(places, n_units, 0.6, rng),
        "place": lambda: place_cells(places, n_units, 0.3, rng),
        "narrow place": lambda: place_cells(places, n_units, 0.12, rng),
        "heading": lambda: heading_cells(n, n_units, rng),
        "noise": lambda: np.zeros((n, n_units)),
    }[kind]()
    return clean + 0.2 * (clean.max() or 1) * rng.standard_normal(clean.shape)


@pytest.mark.parametrize(
    ("kind", "seed", "shapes"),
    [
        ("grid", 0, {"torus"}),
        ("grid", 1, {"torus"}),
        ("heading", 0, {"ring"}),
        ("place", 0, {"none", "other"}),
        ("place", 2, {"none", "other"}),
        ("narrow place", 0, {"none"}),
        ("noise", 0, {"none"}),
    ],
)
def test_populations_are_told_apart(kind, seed, shapes):
    found = topology(planted(kind, seed), n_points=100, n_shuffles=5, seed=seed)
    assert found.shape in shapes
    if kind == "grid":
        assert found.p == pytest.approx(1 / 6)
        assert found.bars[1][1] > 2 * found.bars[1][2], "two loops stand out of all others"


def test_two_modules_of_unlike_spacing_make_no_torus():
    rng = np.random.default_rng(3)
    places = rng.random((4000, 2)) * 2.2
    both = np.hstack([grid_module(places, 40, spacing, rng) for spacing in (0.4, 0.75)])
    assert topology(both, n_points=100, n_shuffles=3).shape != "torus"


def test_a_circle_has_a_loop_of_known_length():
    """Of radius 1, joined at the chord of neighbours, and filled when the chord of a third of it is reached: √3."""
    angle = 2 * np.pi * np.arange(300) / 300
    wave = np.stack([np.cos(angle), np.sin(angle)], -1)
    found = topology(np.hstack([wave, wave]), n_dimensions=2, n_points=60, n_shuffles=1)
    assert found.explained == pytest.approx(1)
    # clusters are arcs of about 5 samples: chords of up to some 10° at birth, and centres a little inside the circle
    assert np.sqrt(3) - 0.35 < found.bars[1][0] < np.sqrt(3)
    assert len(found.bars[0]) == 59, "all components but one end"


def test_the_verdict_counts_bars_beyond_the_margin():
    def found(h1, h2, margin=2.0):
        return Topology((np.array([0.1]), np.array(h1), np.array(h2)), even(3, h1=0.2, h2=0.1), 1.0, margin)

    assert found([0.9, 0.8, 0.3], [0.5, 0.1]).shape == "torus"
    assert found([0.9, 0.8, 0.3], [0.5, 0.1], margin=1.0).shape == "other"
    assert found([0.9, 0.3], [0.15]).shape == "ring"
    assert found([], []).shape == "none"
    assert found([0.9, 0.8], [0.5]).p == 0.25
    assert found([0.9, 0.1], [0.5]).p == 1.0
    assert (found([0.9, 0.8, 0.3], [0.5]).n_loops, found([0.9], [0.5]).n_cavities) == (2, 1)


def test_order_scale_and_silent_units_do_not_matter():
    activity = planted("heading", 5, n=800, n_units=30)
    first = topology(activity, n_points=60, n_shuffles=1)
    scaled = np.hstack([activity * 3 + 7, np.ones((800, 2))])
    second = topology(scaled, n_points=60, n_shuffles=1)
    # principal components of a cloud that differs by rounding alone
    np.testing.assert_allclose(first.bars[1][0], second.bars[1][0], rtol=1e-3)
    again = topology(activity, n_points=60, n_shuffles=1)
    assert np.array_equal(first.bars[1], again.bars[1])
    assert np.array_equal(first.null_longest, again.null_longest)


def test_what_has_no_shape_is_refused(monkeypatch):
    activity = planted("noise", 1, n=200, n_units=8)
    with pytest.raises(UsageError, match="activity has 8 units that vary; expected at least n_dimensions, 9"):
        topology(activity, n_dimensions=9)
    with pytest.raises(UsageError, match="activity has 200 samples; expected at least n_points, 201"):
        topology(activity, n_points=201)
    with pytest.raises(UsageError, match="has 2 states that differ; expected at least n_points, 20"):
        topology(np.eye(2)[np.arange(100) % 2], n_dimensions=2, n_points=20)
    with pytest.raises(UsageError, match=r"activity has shape \(200,\); expected \(sample, unit\)"):
        topology(activity[:, 0])
    with pytest.raises(UsageError, match=r"margin is 0\.5; expected at least 1"):
        topology(activity, margin=0.5)
    monkeypatch.setitem(sys.modules, "ripser", None)
    with pytest.raises(UsageError, match=r"pip install 'probekit-neuro\[topology\]'"):
        topology(activity)
    monkeypatch.undo()
    assert importlib.import_module("ripser")
