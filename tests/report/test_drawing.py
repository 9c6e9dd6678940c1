"""The drawings: they show the numbers given, never fail on missing ones, and leave matplotlib as it was."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import partial

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from probekit.reports.figures import TRAINED, UNTRAINED, inline, render
from probekit.reports.labels import Curve, label_curves
from probekit.reports.sections.orientation import drawing
from probekit.reports.thumbnails import Trace, chart, rose

NAMES = ("a", "b", "c")
NAN = np.full(3, np.nan)
ONE = np.array([np.nan, 0.5, np.nan])
SOME = np.array([0.2, 0.5, 0.9])


def intervals(values):
    return drawing.Intervals(values, values - 0.1, values + 0.1)


def drawings(values, names=NAMES):
    angles = 180 * values
    profile = drawing.Profile(names, values, values / 2, np.nan, (0, 1))
    curves = [drawing.Distribution(drawing.Look("one", TRAINED, "-", 1), values, np.linspace(0, 1, len(values)))]
    shares = np.tile(values[:, None] if len(values) else np.empty((0, 1)), drawing.N_BINS)
    return {
        "profile": (partial(drawing.draw_profile, profile=profile, ylabel="share"), False),
        "distributions": (partial(drawing.draw_distributions, curves=curves, xlabel="x", limits=(0, 1)), False),
        "similarity": (
            partial(drawing.draw_similarity, names=names, measured=intervals(values), control=intervals(values)),
            False,
        ),
        "rose": (partial(drawing.draw_rose, measured=angles, control=angles), True),
        "map": (partial(drawing.draw_orientation_map, names=names, shares=shares), False),
    }


@pytest.mark.parametrize("kind", ["profile", "distributions", "similarity", "rose", "map"])
@pytest.mark.parametrize("values", [NAN, ONE, SOME, np.zeros(3)], ids=["nan", "one", "some", "zeros"])
def test_no_drawing_fails_on_missing_values(kind, values):
    draw, polar = drawings(values)[kind]
    svg = render(draw, polar=polar)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "nan" not in svg.lower()


@pytest.mark.parametrize("kind", ["profile", "distributions", "similarity", "rose", "map"])
def test_no_drawing_fails_on_nothing(kind):
    draw, polar = drawings(np.empty(0), ())[kind]
    assert ET.fromstring(render(draw, polar=polar)).tag.endswith("svg")


def test_difference_is_open_where_its_interval_holds_zero():
    gain = drawing.Intervals(np.array([0.1, 0.1, -0.3]), np.array([-0.1, 0.05, -0.4]), np.array([0.3, 0.2, -0.2]))
    axes = Figure().add_subplot()
    drawing.draw_difference(axes, NAMES, gain)
    filled, hollow = axes.collections[1:]
    assert filled.get_offsets().tolist() == [[0.1, 1.0], [-0.3, 2.0]]
    assert hollow.get_offsets().tolist() == [[0.1, 0.0]]


def test_profile_draws_the_numbers():
    axes = Figure().add_subplot()
    drawing.draw_profile(axes, drawing.Profile(NAMES, SOME, SOME / 2, 0.7, (0, 1)), "share")
    v1, twin, mine = axes.lines
    np.testing.assert_array_equal(v1.get_ydata(), [0.7, 0.7])
    np.testing.assert_array_equal(twin.get_ydata(), SOME / 2)
    np.testing.assert_array_equal(mine.get_ydata(), SOME)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(NAMES)
    assert {text.get_text() for text in axes.texts} == {"macaque V1", "trained", "untrained"}


def test_orientation_shares_agree_with_a_histogram_turned_by_half_a_bin():
    angles = np.random.default_rng(0).uniform(0, 180, 1000)
    half = 90 / drawing.N_BINS
    expected = np.histogram((angles + half) % 180, bins=drawing.N_BINS, range=(0, 180))[0] / 1000
    np.testing.assert_allclose(drawing.orientation_shares(angles), expected)
    assert np.isnan(drawing.orientation_shares(np.array([np.nan]))).all()


def test_rose_bars_are_the_shares_around_the_half_turn():
    angles = np.array([0.0, 179.0, 90.0, 90.0])
    axes = Figure().add_subplot(projection="polar")
    drawing.draw_rose(axes, angles, np.empty(0))
    heights = {round(np.rad2deg(bar.get_x()), 3): bar.get_height() for bar in axes.patches}
    assert heights.pop(0.0) == 50  # 0° and 179° fall into the bin around 0°, drawn at both ends
    assert heights.pop(172.5) == 50
    assert heights.pop(82.5) == 50
    assert set(heights.values()) == {0}


def test_same_drawing_same_bytes_and_matplotlib_as_it_was():
    before = dict(mpl.rcParams)
    draw, _ = drawings(SOME)["profile"]
    assert render(draw) == render(draw)
    assert dict(mpl.rcParams) == before


def test_many_layers_get_as_many_names_as_there_is_room_for():
    names = tuple(f"layer.{number}" for number in range(150))
    values = np.linspace(0, 1, 150)
    axes = Figure().add_subplot()
    drawing.draw_profile(axes, drawing.Profile(names, values, values, 0.5, (0, 1)), "share")
    assert 12 < len(axes.get_xticklabels()) <= 24


def test_names_in_a_figure_are_text_not_markup():
    profile = drawing.Profile(("<script>alert(1)</script>", "$\\frac$", "a&b"), SOME, SOME, np.nan, (0, 1))
    svg = render(lambda axes: drawing.draw_profile(axes, profile, "y"))
    texts = [node.text for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"<script>alert(1)…", "$\\frac$", "a&b"} & set(texts) >= {"$\\frac$", "a&b"}
    assert "<script" not in inline(svg, "p", "")


def test_ids_are_prefixed_and_every_reference_is_met():
    draw, _ = drawings(SOME)["similarity"]
    page = inline(render(draw), "left", "words") + inline(render(draw), "right", "words")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 0
    assert all(one.startswith(("left-", "right-")) for one in ids)
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)


def test_a_page_has_no_fixed_colour_a_file_has_no_variable():
    draw, _ = drawings(SOME)["profile"]
    svg = render(draw)
    assert "var(" not in svg
    shown = re.sub(r"var\(--[a-z-]+, #[0-9a-f]{6}\)", "", inline(svg, "p", "words"))
    assert re.findall(r"#[0-9a-f]{6}\b", shown) == []


def test_words_stand_for_the_picture():
    draw, _ = drawings(SOME)["profile"]
    assert 'role="img"' in inline(render(draw), "p", 'the "words"')
    assert 'aria-label="the &quot;words&quot;"' in inline(render(draw), "p", 'the "words"')
    assert 'aria-hidden="true"' in inline(render(draw), "p", "")


def test_labels_keep_clear_of_each_other_and_of_other_curves():
    x = np.linspace(0, 1, 50)
    curves = [Curve(name, x, height + 0 * x, TRAINED) for name, height in (("one", 0.2), ("two", 0.5), ("three", 0.8))]
    axes = Figure().add_subplot()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    label_curves(axes, curves, size=(240, 150))
    heights = np.array([text.get_position()[1] for text in axes.texts])
    assert np.diff(np.sort(heights)).min() * 150 > 9  # a line of text is about 9 points high
    for height, text in zip((0.2, 0.5, 0.8), axes.texts, strict=True):
        away = np.abs(text.get_position()[1] - np.array([0.2, 0.5, 0.8])) * 150
        assert away.min() > 5
        assert away.argmin() == [0.2, 0.5, 0.8].index(height)


def test_rose_thumbnail_turns_counter_clockwise_and_reaches_its_peak():
    angles = np.arange(0, 180, 45.0)
    path = re.search(r'd="M([^"]+)Z"', rose(angles, np.array([0, 0, 2.0, -1.0]), side=100))[1]
    points = np.array([[float(number) for number in pair.split()] for pair in path.split("L")])
    np.testing.assert_allclose(points[2], [50, 4])  # 90° points upwards on the page, 46 units from the middle
    np.testing.assert_allclose(points[6], [50, 96])  # and again half a turn on
    np.testing.assert_allclose(points[[0, 1, 3]], 50)


def test_chart_thumbnail_maps_limits_to_its_frame_and_leaves_nan_out():
    svg = chart([Trace(np.array([0, 0.5, 1.0]), np.array([0, np.nan, 1.0]))], x=(0, 1), y=(0, 1), size=(106, 56))
    assert 'points="3.0,53.0 103.0,3.0"' in svg


@pytest.mark.parametrize("response", [np.full(4, np.nan), np.zeros(4)])
def test_thumbnails_of_silent_units_are_empty_frames(response):
    assert "<path" not in rose(np.arange(0, 180, 45.0), response)


def test_colours_are_told_apart_in_greyscale():
    def lightness(color):
        red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2

    # Line style tells the two networks apart where lightness does not; both stand out from white and from black.
    for color in (TRAINED, UNTRAINED):
        assert 0.05 < lightness(color) < 0.25
