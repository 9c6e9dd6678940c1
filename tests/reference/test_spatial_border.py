"""Border scores and boundary vectors: a printed table, plain loops, planted cells, noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from probekit.errors import UsageError
from probekit.navigation import Arena
from probekit.spatial.border import border_scores
from probekit.spatial.boundary_vectors import boundary_templates, boundary_tuning, fit_boundary_vectors

BOX = Arena.square(1)


def band(width, n=40):
    """Return a map of ones along one wall, `width` bins wide."""
    found = np.zeros((n, n))
    found[:, :width] = 1
    return found


def blobs(n_units, shape, seed, sd=2.0):
    """Return smooth random maps, at least 0."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(n_units, *shape)), (0, sd, sd))
    return noise - noise.min((1, 2), keepdims=True)


# --- border score ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "printed"),
    [("opexebo", [0.905, 0.863, 0.788, 0.668]), ("diehl2017", [np.nan, 0.950, 0.862, 0.723])],
)
def test_bands_have_the_scores_that_the_packages_give(method, printed):
    """Bands of 1, 2, 4 and 8 of 40 bins, as opexebo 0.7.2 and spatial-maps score them (measured with the packages)."""
    maps = np.stack([band(width) for width in (1, 2, 4, 8)])
    np.testing.assert_allclose(border_scores(maps, BOX, method=method).score, printed, atol=5e-4)


def test_border_score_of_bands_by_hand():
    """A band of w <= ½ m along a whole wall of a box of 1 m: cM = 1; the distance integrates to w²/2 − w³/3.

    The last term is that of the two corners, where the side walls are nearer.
    """
    for bins in (1, 4, 16, 80):
        w = bins / 160
        found = border_scores(band(bins, 160)[None], BOX, min_area=0)
        distance = 2 * (w**2 / 2 - w**3 / 3) / w
        assert found.coverage[0] == 1
        assert found.distance[0] == pytest.approx(distance, rel=0.02)  # corners cut bins in halves
        assert found.score[0] == pytest.approx((1 - distance) / (1 + distance), abs=0.002)


def plain_fields(rates, threshold, least_bins):
    """Return the fields of one map as lists of bins: a flood that spreads over edges."""
    peak = max((rate for rate in rates.ravel() if np.isfinite(rate)), default=0)
    left = {(i, j) for i, j in np.ndindex(rates.shape) if rates[i, j] > threshold * peak}
    fields = []
    while left:
        edge = [left.pop()]
        field = list(edge)
        while edge:
            i, j = edge.pop()
            for near in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                if near in left:
                    left.remove(near)
                    edge.append(near)
                    field.append(near)
        if len(field) >= least_bins:
            fields.append(field)
    return fields


def plain_border(rates, method, threshold, least_bins):
    """Return score, coverage and distance of one map of square bins, over a rectangle with its middle at 0."""
    n_y, n_x = rates.shape
    fields = plain_fields(rates, threshold, least_bins)
    if not fields:
        return (-1.0 if method == "opexebo" else np.nan), np.nan, np.nan
    walls = {
        "south": [[(k, j) for k in range(n_y)] for j in range(n_x)],
        "north": [[(n_y - 1 - k, j) for k in range(n_y)] for j in range(n_x)],
        "west": [[(i, k) for k in range(n_x)] for i in range(n_y)],
        "east": [[(i, n_x - 1 - k) for k in range(n_x)] for i in range(n_y)],
    }
    coverage = 0.0
    for inward in walls.values():
        for field in map(set, fields):
            if method == "solstad2008":
                seen = [line[0] for line in inward if np.isfinite(rates[line[0]])]
                share = sum(at in field for at in seen) / len(seen) if seen else 0
            elif method == "opexebo":
                seen = [next((at for at in line[:8] if np.isfinite(rates[at])), None) for line in inward]
                seen = [at for at in seen if at is not None]
                share = sum(at in field for at in seen) / len(seen) if seen else 0
            else:
                share = sum(line[1] in field for line in inward[1:-1]) / len(inward)
            coverage = max(coverage, share)
    of_fields = {at for field in fields for at in field}
    above = below = 0.0
    for i, j in np.ndindex(rates.shape):
        near = min(i, j, n_y - 1 - i, n_x - 1 - j)
        if method == "solstad2008":
            away = (near + 0.5) / (min(n_y, n_x) / 2)
        elif method == "opexebo":
            away = 2 * (near + 1) / min(n_y, n_x)
        else:
            away = min(2 * min(i, n_y - 1 - i) / (n_y - 1), 2 * min(j, n_x - 1 - j) / (n_x - 1))
        rate = rates[i, j]
        if np.isfinite(rate) and (method == "diehl2017" or (i, j) in of_fields):
            above += rate * away
            below += rate
    distance = above / below
    return (coverage - distance) / (coverage + distance), coverage, distance


@pytest.mark.parametrize("method", ["solstad2008", "opexebo", "diehl2017"])
@pytest.mark.parametrize("arena", [BOX, Arena(1.0, 0.6, centre=(3.0, -1.0))])
def test_border_scores_are_those_of_plain_loops(method, arena):
    shape = (20, 20) if arena is BOX else (12, 20)
    maps = blobs(25, shape, 0) ** 3
    maps[:, 0, 3:6] = np.nan
    maps[:, :2, -4:] = np.nan
    maps[:, 5, 5] = np.nan
    maps[3] = 0
    found = border_scores(maps, arena, method=method, threshold=0.4, min_area=0.02)
    expected = np.array([plain_border(one, method, 0.4, 8) for one in maps]).T
    assert np.nanmin(found.coverage) < 0.2 < 0.4 < np.nanmax(found.coverage)
    np.testing.assert_allclose([found.score, found.coverage, found.distance], expected, atol=1e-12)


def test_unvisited_bins_along_a_wall():
    """Where the wall's own bins were never visited, opexebo looks inwards, and Solstad's counts those that were.

    In the second map the band has a gap behind them: two fields, of which the longer covers half of the wall.
    """
    one = band(2)
    one[10:20, 0] = np.nan
    for method, coverage in (("solstad2008", 1.0), ("opexebo", 1.0), ("diehl2017", 38 / 40)):
        assert border_scores(one[None], BOX, method=method).coverage[0] == pytest.approx(coverage)
    one[10:20, 1] = 0
    for method, coverage in (("solstad2008", 20 / 30), ("opexebo", 0.5), ("diehl2017", 19 / 40)):
        assert border_scores(one[None], BOX, method=method).coverage[0] == pytest.approx(coverage)


def test_opexebo_looks_for_a_visited_bin_among_eight():
    """Seven unvisited bins: the eighth counts. Eight: the line is left out, and the other half of the wall is all."""
    one = band(20)
    one[:20, :7] = np.nan
    one[:20, 7:20] = 0
    assert border_scores(one[None], BOX, method="opexebo").coverage[0] == pytest.approx(0.5)
    one[:20, 7] = np.nan
    assert border_scores(one[None], BOX, method="opexebo").coverage[0] == pytest.approx(1)


def test_each_field_covers_for_itself_and_units_do_not_mix():
    """Two fields cover 40 % of a wall each; a second unit fires just where the first does not."""
    one = np.zeros((20, 20))
    one[0:8, :2] = one[12:20, :2] = 1
    found = border_scores([one, 1 - one, np.zeros((20, 20)), np.full((20, 20), 4.0)], BOX)
    np.testing.assert_allclose(found.coverage, [0.4, 1, np.nan, 1])
    assert np.isnan(found.score[2])
    assert found.distance[3] == pytest.approx(1 / 3, rel=0.01)  # of a whole square, (side/6) / (side/2)
    assert border_scores(np.zeros((1, 20, 20)), BOX, method="opexebo").score[0] == -1


def test_border_scores_do_not_depend_on_scale_turn_or_order():
    maps = blobs(10, (20, 20), 1) ** 3
    score = border_scores(maps, BOX).score
    np.testing.assert_allclose(border_scores(maps * np.arange(1, 11)[:, None, None], BOX).score, score)
    np.testing.assert_allclose(border_scores(np.rot90(maps, 1, (1, 2)), BOX).score, score)
    np.testing.assert_allclose(border_scores(maps[::-1], BOX).score, score[::-1])


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_border_of_a_circle(share):
    """Firing within 5 cm of an arc: coverage is the share of the ring, the distance 2.5 cm of 50.

    An arc of square bins is known to about one bin in a hundred and twenty; distances to half a bin, 1 cm of 50.
    """
    round_box = Arena.circle(1)
    centres = round_box.centres(50)
    angle = np.arctan2(centres[..., 1], centres[..., 0]) % (2 * np.pi)
    away = round_box.wall_distance(centres)
    one = np.where((away >= 0) & (away < 0.05) & (angle < 2 * np.pi * share), 2.0, 0.0)
    one[away < 0] = np.nan
    found = border_scores([one], round_box)
    assert found.coverage[0] == pytest.approx(share, abs=0.02)
    assert found.distance[0] == pytest.approx(0.05, abs=0.01)
    middle = np.where(away > 0.3, 1.0, np.where(away < 0, np.nan, 0))
    assert border_scores([middle], round_box).score[0] == -1


def test_planted_border_cells_are_told_from_place_cells_and_noise():
    """Along each wall, with noise: above 99 % of smooth random maps. The classic threshold of .5 is no such thing.

    Of smooth random maps 32, 6 and 39 % are above .5, as a map that covers the whole floor has
    (1 − 1/3) / (1 + 1/3) = .5 by Solstad's definition.
    """
    x, y = np.moveaxis(BOX.centres(20), -1, 0)
    near = [np.exp(-(((0.5 - side) / 0.08) ** 2) / 2) for side in (x, -x, y, -y)]
    noise = 0.05 * np.random.default_rng(0).random((4, 20, 20))
    places = np.random.default_rng(1).uniform(-0.3, 0.3, (40, 2))
    middle = [np.exp(-((x - a) ** 2 + (y - b) ** 2) / 0.02) for a, b in places]
    for method, above in (("solstad2008", 0.32), ("opexebo", 0.06), ("diehl2017", 0.39)):
        planted_scores = border_scores(np.stack(near) + noise, BOX, method=method).score
        of_noise = border_scores(blobs(1000, (20, 20), 2), BOX, method=method).score
        assert planted_scores.min() > 0.7
        assert planted_scores.min() > np.quantile(of_noise, 0.99)
        assert border_scores(middle, BOX, method=method).score.max() < 0
        assert np.mean(of_noise > 0.5) == pytest.approx(above, abs=0.01)
    assert border_scores(np.ones((1, 40, 40)), BOX).score[0] == pytest.approx(0.5, abs=0.001)


def test_what_border_scores_refuse():
    maps = np.ones((2, 20, 20))
    with pytest.raises(UsageError, match=r"method is 'solstad'.*Did you mean 'solstad2008'"):
        border_scores(maps, BOX, method="solstad")
    with pytest.raises(UsageError, match="which knows rectangles only"):
        border_scores(maps, Arena.circle(1), method="opexebo")
    with pytest.raises(UsageError, match="maps have 20 by 20 bins"):
        border_scores(maps, Arena(2, 1))
    with pytest.raises(UsageError, match="negative somewhere"):
        border_scores(-maps, BOX)
    with pytest.raises(UsageError, match="threshold is 1"):
        border_scores(maps, BOX, threshold=1)


# --- boundary vectors ------------------------------------------------------------------------------------------------


def plain_template(arena, n_bins, distance, direction, sd0, beta, angular_sd, n_looks):
    """Return the map of one model cell by loops over bins and directions."""
    centres = arena.centres(n_bins)
    found = np.full(centres.shape[:2], np.nan)
    sd = sd0 * (distance / beta + 1)
    for at in np.ndindex(found.shape):
        if not arena.contains(centres[at]):
            continue
        total = 0.0
        for k in range(n_looks):
            theta = 2 * math.pi * k / n_looks
            reach = arena.boundary_distance(centres[at][None], [theta])[0, 0]
            off = math.remainder(theta - direction, 2 * math.pi)
            total += math.exp(-((reach - distance) ** 2) / 2 / sd**2 - off**2 / 2 / angular_sd**2) / sd / angular_sd
        found[at] = total / n_looks
    return found


@pytest.mark.parametrize("arena", [BOX, Arena(1.2, 0.8, centre=(1, 2)), Arena.circle(0.8)])
def test_templates_are_those_of_plain_loops(arena):
    found = boundary_templates(arena, 6, distances=[0.1, 0.3], n_directions=8)
    assert found.maps.shape[0] == 16
    for k in (0, 3, 9, 14):
        expected = plain_template(arena, 6, found.distance[k], found.direction[k], 0.122, 1.83, 0.2, 72)
        np.testing.assert_allclose(found.maps[k], expected, rtol=1e-9)


def planted(arena, n_bins, n, seed):
    """Return maps of cells with random vectors to the degree, none far beyond the templates, and their vectors."""
    rng = np.random.default_rng(seed)
    distance = rng.uniform(0.05, 0.4 * min(arena.width, arena.height), n)
    degree = rng.integers(0, 360, n)
    maps = np.stack(
        [
            boundary_templates(arena, n_bins, distances=[d], n_directions=360).maps[k]
            for d, k in zip(distance, degree, strict=True)
        ]
    )
    return maps, distance, np.radians(degree)


@pytest.mark.parametrize("arena", [BOX, Arena.square(2.2), Arena(1.5, 1.0), Arena.circle(1)])
def test_planted_boundary_vectors_are_recovered(arena):
    """With noise of a third of the map's deviation: to a step of the templates (1/40 of the side, 5°)."""
    maps, distance, direction = planted(arena, 20, 60, 0)
    noise = np.random.default_rng(1).normal(size=maps.shape) * np.nanstd(maps, (1, 2), keepdims=True) / 3
    found = fit_boundary_vectors(maps + noise, boundary_templates(arena, 20))
    assert found.score.min() > 0.9
    assert np.abs(found.distance - distance).max() < max(arena.width, arena.height) / 40
    assert np.degrees(np.abs(np.angle(np.exp(1j * (found.direction - direction))))).max() <= 5


def test_score_is_the_correlation_with_the_best_template():
    templates = boundary_templates(BOX, 10, distances=[0.1, 0.2], n_directions=12)
    maps = np.random.default_rng(0).normal(size=(5, 10, 10))
    maps[:, 2:4, 7] = np.nan
    used = np.isfinite(maps[0])
    found = fit_boundary_vectors(maps, templates)
    for unit in range(5):
        each = [np.corrcoef(maps[unit][used], one[used])[0, 1] for one in templates.maps]
        assert found.score[unit] == pytest.approx(max(each))
        assert found.direction[unit] == templates.direction[np.argmax(each)]
        assert found.distance[unit] == templates.distance[np.argmax(each)]
    np.testing.assert_allclose(fit_boundary_vectors(5 - 3 * -maps, templates).score, found.score)


def test_units_without_a_boundary_vector():
    templates = boundary_templates(BOX, 10)
    maps = np.ones((3, 10, 10))
    maps[1], maps[2, 0, 0] = np.nan, np.nan
    found = fit_boundary_vectors(np.concatenate([maps, templates.maps[:1]]), templates)
    assert np.isnan(found.score[:3]).all()
    assert np.isnan(found.distance[:3]).all()
    assert np.isnan(found.direction[:3]).all()
    assert found.score[3] == pytest.approx(1)


def test_scores_of_noise_are_significant_in_five_percent():
    """White noise against its own shuffled bins: 400 maps, 19 shuffles; the share has a standard error of 1.1 %.

    The score itself is never near 0 for noise, as it is the greatest of 1,440.
    """
    templates, rng = boundary_templates(BOX, 20), np.random.default_rng(0)
    maps = rng.normal(size=(400, 20, 20))
    score = fit_boundary_vectors(maps, templates).score
    assert score.min() > 0.03
    null = [
        fit_boundary_vectors(rng.permuted(maps.reshape(400, -1), axis=1).reshape(maps.shape), templates).score
        for _ in range(19)
    ]
    assert np.mean((np.array(null) < score).all(0)) < 0.05 + 2 * 0.011


@pytest.mark.parametrize("arena", [BOX, Arena.circle(1)])
def test_boundary_tuning_is_that_of_a_plain_loop(arena):
    rng = np.random.default_rng(0)
    maps, occupancy = rng.normal(size=(2, 8, 8)), rng.uniform(0, 3, (8, 8))
    maps[:, 1, 2], occupancy[1, 2] = np.nan, 0
    found = boundary_tuning(maps, occupancy, arena, n_distances=4, n_directions=6, max_distance=0.6)
    sums, seconds = np.zeros((2, 4, 6)), np.zeros((4, 6))
    for at in np.ndindex(8, 8):
        for j in range(6):
            reach = arena.boundary_distance(arena.centres(8)[at][None], [j * np.pi / 3])[0, 0]
            if np.isfinite(reach) and reach < 0.6 and occupancy[at] > 0:
                sums[:, int(reach / 0.15), j] += occupancy[at] * maps[(slice(None), *at)]
                seconds[int(reach / 0.15), j] += occupancy[at]
    np.testing.assert_allclose(found.occupancy, seconds)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found.tuning, sums / seconds)
    np.testing.assert_allclose(found.edges, [0, 0.15, 0.3, 0.45, 0.6])
    np.testing.assert_allclose(found.directions, np.arange(6) * np.pi / 3)


def test_boundary_tuning_peaks_at_the_planted_vector():
    """The hill of the tuning is at the vector, to a bin of 5 cm and 10°, for vectors to the middle of a wall."""
    for k, direction in enumerate((0, np.pi / 2, np.pi, -np.pi / 2)):
        maps = boundary_templates(BOX, 40, distances=[0.125], n_directions=4).maps[k : k + 1]
        found = boundary_tuning(maps, np.ones((40, 40)), BOX, n_distances=10)
        ring, at = np.unravel_index(np.nanargmax(found.tuning[0]), (10, 36))
        assert abs(found.edges[ring] + 0.025 - 0.125) <= 0.05
        assert np.degrees(abs(np.angle(np.exp(1j * (found.directions[at] - direction))))) < 10.1


def test_what_boundary_vectors_refuse():
    maps, templates = np.ones((1, 10, 10)), boundary_templates(BOX, 10)
    with pytest.raises(UsageError, match="10 by 10 bins as the templates have"):
        fit_boundary_vectors(np.ones((1, 10, 12)), templates)
    with pytest.raises(UsageError, match="0 visited bins"):
        fit_boundary_vectors(maps * np.nan, templates)
    with pytest.raises(UsageError, match="radial_sd is 0"):
        boundary_templates(BOX, 10, radial_sd=0)
    with pytest.raises(UsageError, match="distances have shape"):
        boundary_templates(BOX, 10, distances=[[0.1]])
    with pytest.raises(UsageError, match="n_directions is 2"):
        boundary_templates(BOX, 10, n_directions=2)
    with pytest.raises(UsageError, match="occupancy has shape"):
        boundary_tuning(maps, np.ones((9, 10)), BOX)
    with pytest.raises(UsageError, match="max_distance is 0"):
        boundary_tuning(maps, np.ones((10, 10)), BOX, max_distance=0)
    with pytest.raises(UsageError, match="maps have shape"):
        boundary_tuning(maps, np.ones((10, 10)), Arena(2, 1))
