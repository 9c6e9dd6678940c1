"""Place fields: floods by plain loops, planted fields, and units without any."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from probekit.errors import UsageError
from probekit.navigation import Arena
from probekit.spatial.place_fields import find_fields, place_fields

BOX = Arena.square(1)


def gaussians(middles, arena, n_bins, sd=0.06):
    """Return one map: a sum of Gaussian fields of peak 10."""
    centres = arena.centres(n_bins)
    return sum(10 * np.exp(-((centres - np.asarray(at)) ** 2).sum(-1) / 2 / sd**2) for at in middles)


def flood(rates, threshold, corners):
    """Return the fields of one map, in the order of their first bins, as sorted lists of bins."""
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)] + corners * [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    peak = np.nanmax(rates)
    fields, seen = [], set()
    for first in np.ndindex(rates.shape):
        if first in seen or not rates[first] > threshold * peak:
            continue
        field, edge = {first}, [first]
        while edge:
            i, j = edge.pop()
            for a, b in steps:
                near = (i + a, j + b)
                inside = 0 <= near[0] < rates.shape[0] and 0 <= near[1] < rates.shape[1]
                if inside and near not in field and rates[near] > threshold * peak:
                    field.add(near)
                    edge.append(near)
        seen |= field
        fields.append(sorted(field))
    return fields


@pytest.mark.parametrize("adjacency", ["edges", "corners"])
@pytest.mark.parametrize("arena", [BOX, Arena(0.9, 1.2, centre=(2.0, -3.0))])
def test_fields_are_those_of_a_flood(arena, adjacency):
    n = 20
    centres, bin_area = arena.centres(n), arena.bin_size(n) ** 2
    maps = gaussian_filter(np.random.default_rng(0).normal(size=(30, *centres.shape[:2])), (0, 1, 1))
    maps = np.maximum(maps, 0)
    maps[:, 4, 2:9], maps[7] = np.nan, 0
    found = place_fields(maps, arena, threshold=0.4, min_area=4 * bin_area, adjacency=adjacency)
    fields = found.fields
    k = 0
    for unit, rates in enumerate(maps):
        kept = [field for field in flood(rates, 0.4, adjacency == "corners") if len(field) >= 4]
        assert found.count[unit] == len(kept)
        for field in kept:
            at = tuple(np.array(field).T)
            k += 1
            assert sorted(map(tuple, np.argwhere(fields.labels[unit] == k))) == field
            assert fields.unit[k - 1] == unit
            assert fields.area[k - 1] == pytest.approx(len(field) * bin_area)
            assert fields.peak[k - 1] == rates[at].max()
            assert fields.mean[k - 1] == pytest.approx(rates[at].mean())
            np.testing.assert_allclose(fields.centre[k - 1], np.average(centres[at], axis=0, weights=rates[at]))
        if kept:
            inside = np.isin(np.arange(rates.size), [i * rates.shape[1] + j for field in kept for i, j in field])
            inside = inside.reshape(rates.shape)
            ratio = rates[inside].mean() / rates[~inside & np.isfinite(rates)].mean()
            assert found.in_out_ratio[unit] == pytest.approx(ratio)
            peaks = [rates[tuple(np.array(field).T)].max() for field in kept]
            assert found.peak[unit] == max(peaks)
            assert found.area[unit] == pytest.approx(len(kept[np.argmax(peaks)]) * bin_area)
    assert k == len(fields.unit) == found.count.sum()
    assert set(found.count) >= {0, 2, 3}
    assert (np.diff(fields.unit) >= 0).all()


def test_planted_fields_are_recovered():
    """Peaks far apart: their number, places to 1 cm, and size to the bins of an edge: a disc of sd √(2 ln 5)."""
    planted = [[(-0.25, 0.1)], [(-0.25, -0.25), (0.25, 0.25)], [(-0.3, 0.3), (0.3, 0.25), (0.05, -0.3)]]
    maps = np.stack([gaussians(middles, BOX, 40) for middles in planted])
    found = place_fields(maps, BOX)
    np.testing.assert_array_equal(found.count, [1, 2, 3])
    np.testing.assert_allclose(
        found.fields.centre, sorted(planted[0]) + planted[1] + [planted[2][2], *planted[2][1::-1]], atol=0.01
    )
    np.testing.assert_allclose(found.fields.area, np.pi * 0.06**2 * 2 * np.log(5), rtol=0.08)
    np.testing.assert_allclose(found.centre[0], planted[0][0], atol=0.01)
    # mean of a Gaussian above a fifth of its peak: 10 (1 - 1/5) / ln 5
    np.testing.assert_allclose(found.fields.mean, 8 / np.log(5), rtol=0.05)
    assert (found.in_out_ratio > 20).all()


def test_main_field_is_the_one_with_the_highest_peak_not_the_largest():
    one = np.zeros((20, 20))
    one[2:5, 2:5], one[10:18, 10:18] = 9, 3
    found = place_fields([one], BOX, min_area=0.0225)  # just the nine bins
    assert found.count.tolist() == [2]
    assert found.peak[0] == 9
    assert found.area[0] == pytest.approx(9 * 0.05**2)
    np.testing.assert_allclose(found.centre[0], [-0.325, -0.325])
    assert found.in_out_ratio[0] == np.inf
    assert place_fields([one], BOX, min_area=0.023).peak[0] == 3


def test_a_field_of_just_the_least_area_stays():
    """Eight bins of a box of 60 cm are 200 cm², which floats make .019999…"""
    one = np.zeros((12, 12))
    one[2:4, 2:6] = 1
    assert place_fields([one], Arena.square(0.6)).count[0] == 1
    one[2, 2] = 0
    assert place_fields([one], Arena.square(0.6)).count[0] == 0


def test_silent_unseen_and_flat_units():
    maps = np.zeros((3, 10, 10))
    maps[1], maps[2] = np.nan, 2
    found = place_fields(maps, BOX)
    np.testing.assert_array_equal(found.count, [0, 0, 1])
    for values in (found.area, found.peak, found.in_out_ratio, found.centre[:, 0], found.centre[:, 1]):
        assert np.isnan(values[:2]).all()
    assert found.area[2] == pytest.approx(1)
    np.testing.assert_allclose(found.centre[2], 0, atol=1e-12)
    assert np.isnan(found.in_out_ratio[2])
    assert not find_fields(maps[:2], BOX).labels.any()


def test_fields_touching_at_a_corner():
    one = np.zeros((10, 10))
    one[2:4, 2:4] = one[4:6, 4:6] = 1
    assert place_fields([one], BOX).count[0] == 2
    assert place_fields([one], BOX, adjacency="corners").count[0] == 1


def test_fields_of_different_units_never_join():
    """Every unit fires in the same bins: as many fields as units, not one through them all."""
    one = gaussians([(0, 0)], BOX, 20)
    found = place_fields(np.tile(one, (50, 1, 1)), BOX, adjacency="corners")
    np.testing.assert_array_equal(found.count, 1)
    np.testing.assert_array_equal(found.fields.unit, np.arange(50))
    np.testing.assert_allclose(found.in_out_ratio, found.in_out_ratio[0])


def test_inputs_are_left_alone_and_scale_does_not_matter():
    maps = np.maximum(gaussian_filter(np.random.default_rng(1).normal(size=(5, 20, 20)), (0, 1.5, 1.5)), 0)
    maps[:, 0, 0] = np.nan
    before = maps.copy()
    found = place_fields(maps, BOX)
    np.testing.assert_array_equal(maps, before)
    scaled = place_fields(7 * maps, BOX)
    np.testing.assert_array_equal(scaled.fields.labels, found.fields.labels)
    np.testing.assert_allclose(scaled.in_out_ratio, found.in_out_ratio)


def test_what_place_fields_refuse():
    maps = np.ones((2, 10, 10))
    with pytest.raises(UsageError, match="threshold is 1"):
        place_fields(maps, BOX, threshold=1)
    with pytest.raises(UsageError, match="min_area is -1"):
        place_fields(maps, BOX, min_area=-1)
    with pytest.raises(UsageError, match=r"adjacency is 'edge'.*Did you mean 'edges'"):
        place_fields(maps, BOX, adjacency="edge")
    with pytest.raises(UsageError, match="negative somewhere"):
        place_fields(-maps, BOX)
    with pytest.raises(UsageError, match=r"maps have shape \(10, 10\)"):
        place_fields(maps[0], BOX)
    with pytest.raises(UsageError, match="maps have 10 by 10 bins"):
        place_fields(maps, Arena(2, 1))
