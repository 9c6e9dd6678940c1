"""Maps in two environments: planted remapping of rates, of places, of a whole module; brute force; noise."""

import numpy as np
import pytest

from probekit.errors import UsageError
from probekit.navigation import Arena
from probekit.spatial.realignment import realignment
from probekit.spatial.remapping import remapping

CENTRES = Arena.square(1.0).centres(20)


def place_maps(middles, peaks, width=0.12):
    distance = ((CENTRES - middles[:, None, None]) ** 2).sum(-1)
    return peaks[:, None, None] * np.exp(-distance / (2 * width**2))


def ensemble(n, seed):
    rng = np.random.default_rng(seed)
    return Arena.square(1.0).uniform(n, rng), rng.uniform(5, 20, n)


def grid_maps(phases, *, spacing=0.35, turned=0.0, shift=(0.0, 0.0)):
    """Return a module turned counter-clockwise about the middle, then moved."""
    angle = np.deg2rad(turned)
    back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # a point → before the turn
    places = (CENTRES - np.asarray(shift)) @ back.T
    directions = np.arange(3) * np.pi / 3
    waves = 4 * np.pi / (np.sqrt(3) * spacing) * np.stack([np.cos(directions), np.sin(directions)])
    return np.maximum(np.cos((places - phases[:, None, None]) @ waves).sum(-1), 0)


# rates and places


def test_a_changed_rate_is_told_from_a_changed_place():
    middles, peaks = ensemble(60, 0)
    first = place_maps(middles, peaks)
    factor = np.tile([1.0, 0.25, 4.0], 20)
    rates = remapping(first, place_maps(middles, peaks * factor), n_shuffles=200)
    np.testing.assert_allclose(rates.rate_overlap, np.minimum(factor, 1 / factor), rtol=1e-12)
    np.testing.assert_allclose(rates.correlation, 1, rtol=1e-12)
    assert rates.p["correlation"] == rates.p["population"] == pytest.approx(1 / 201)
    elsewhere = remapping(first, place_maps(ensemble(60, 1)[0], peaks), n_shuffles=200)
    assert elsewhere.p["correlation"] > 0.05
    assert elsewhere.p["population"] > 0.05
    assert abs(elsewhere.means["correlation"]) < 0.1
    same = remapping(first, first, n_shuffles=50)
    assert same.means == pytest.approx({"rate_overlap": 1, "correlation": 1, "population": 1})


def test_each_measure_is_that_of_its_definition():
    rng = np.random.default_rng(2)
    first, second = rng.random((2, 7, 4, 5))
    first[:, 0, 0] = np.nan
    second[:, 2, 3] = np.nan
    found = remapping(first, second, n_shuffles=5)
    both = np.isfinite(first[0]) & np.isfinite(second[0])
    for unit in range(7):
        a, b = first[unit][both], second[unit][both]
        assert found.correlation[unit] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-12)
        assert found.rate_overlap[unit] == pytest.approx(min(a.mean(), b.mean()) / max(a.mean(), b.mean()))
    for y, x in np.argwhere(both):
        assert found.population[y, x] == pytest.approx(np.corrcoef(first[:, y, x], second[:, y, x])[0, 1], abs=1e-12)
    assert np.array_equal(np.isfinite(found.population), both)


def test_the_null_pairs_each_unit_with_any_other():
    first, second = np.random.default_rng(3).random((2, 6, 3, 4))
    found = remapping(first, second, n_shuffles=40, seed=9)
    rng = np.random.default_rng(9)
    for number in range(40):
        other = remapping(first, second[rng.permutation(6)], n_shuffles=1)
        assert found.null_correlation[number] == pytest.approx(other.means["correlation"], abs=1e-12)
        assert found.null_population[number] == pytest.approx(other.means["population"], abs=1e-12)
        assert found.null_rate_overlap[number] == pytest.approx(other.means["rate_overlap"], abs=1e-12)


def test_unrelated_maps_are_significant_as_rarely_as_they_should_be():
    ps = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = remapping(rng.random((15, 6, 6)), rng.random((15, 6, 6)), n_shuffles=39, seed=seed).p
        ps.append([found["correlation"], found["population"], found["rate_overlap"]])
    share = (np.array(ps) <= 0.05).mean(axis=0)
    assert (share <= 0.15).all()  # 9 of 60 at a true rate of .05 come once in 400 times
    np.testing.assert_allclose(np.mean(ps, axis=0), 0.51, atol=0.13)  # uniform: sd of the mean .037


def test_silent_and_constant_units_have_no_value():
    first = place_maps(*ensemble(5, 4))
    second = first.copy()
    first[0] = second[0] = 0
    second[1] = 3
    found = remapping(first, second, n_shuffles=20)
    assert np.isnan(found.rate_overlap).tolist() == [True] + [False] * 4
    assert np.isnan(found.correlation).tolist() == [True, True] + [False] * 3
    assert np.isfinite(list(found.means.values())).all()
    assert np.isfinite(found.null_correlation).all()


def test_maps_that_do_not_fit_are_refused():
    maps = np.ones((3, 4, 4))
    with pytest.raises(UsageError, match=r"shapes \(3, 4, 4\) and \(3, 4, 5\); expected one, \(unit, y, x\)"):
        remapping(maps, np.ones((3, 4, 5)))
    with pytest.raises(UsageError, match="share 1 units and 16 bins; expected at least 2 and 3"):
        remapping(maps[:1], maps[:1])
    with pytest.raises(UsageError, match=r"second holds values below 0; expected rates. `nonnegative`"):
        remapping(maps, -maps)
    with pytest.raises(UsageError, match="share 0 units that vary"):
        realignment(maps, maps, 0.05)
    with pytest.raises(UsageError, match="rotations_deg is empty"):
        realignment(maps, maps, 0.05, rotations_deg=())


# a module that turns and shifts


@pytest.mark.parametrize(
    ("turned", "shift"), [(0, (0.1, -0.05)), (24, (0.0, 0.0)), (30, (-0.05, 0.1)), (48, (0.1, 0.1))]
)
def test_a_planted_turn_and_shift_of_a_module_are_found(turned, shift):
    phases = np.random.default_rng(5).random((40, 2))
    found = realignment(grid_maps(phases), grid_maps(phases, turned=turned, shift=shift), 0.05, n_shuffles=5)
    assert found.correlation > 0.9
    assert found.p == pytest.approx(1 / 6)
    assert found.rotation_deg == turned
    np.testing.assert_allclose(found.shift, shift, atol=0.051)  # a bin
    assert found.unmoved < 0.7 * found.correlation


def test_place_fields_turn_with_the_box():
    middles, peaks = ensemble(50, 6)
    quarter = place_maps(np.stack([-middles[:, 1], middles[:, 0]], -1), peaks)  # counter-clockwise by 90°
    found = realignment(place_maps(middles, peaks), quarter, 0.05, n_shuffles=3)
    assert (found.rotation_deg, found.shift.tolist()) == (90, [0, 0])
    assert found.correlation == pytest.approx(1, abs=1e-6)


def test_the_correlogram_is_that_of_brute_force():
    rng = np.random.default_rng(7)
    first, second = rng.random((2, 4, 6, 5))
    first[:, 1, 2] = np.nan
    found = realignment(first, second, 2.0, rotations_deg=(0,), n_shuffles=0)

    def standard(maps):
        seen = np.isfinite(maps).all(axis=0)
        inside = maps[:, seen]
        mean, sd = inside.mean(axis=1)[:, None, None], inside.std(axis=1)[:, None, None]
        return (maps - mean) / sd

    a, b = standard(first), standard(second)
    best = (-1.0, None)
    for dy in range(-5, 6):
        for dx in range(-4, 5):
            here = a[:, max(-dy, 0) : 6 - max(dy, 0), max(-dx, 0) : 5 - max(dx, 0)]
            there = b[:, max(dy, 0) : 6 + min(dy, 0), max(dx, 0) : 5 + min(dx, 0)]
            both = np.isfinite(here) & np.isfinite(there)
            if both[0].sum() >= 9:
                best = max(best, (np.corrcoef(here[both], there[both])[0, 1], (2.0 * dx, 2.0 * dy)))
    assert found.correlation == pytest.approx(best[0], abs=1e-9)
    assert tuple(found.shift) == best[1]
    np.testing.assert_allclose(found.unmoved, np.corrcoef(a[np.isfinite(a)], b[np.isfinite(a)])[0, 1], atol=1e-9)


def test_a_module_without_common_phases_has_no_best_fit():
    rng = np.random.default_rng(8)
    found = realignment(grid_maps(rng.random((40, 2))), grid_maps(rng.random((40, 2))), 0.05, n_shuffles=19)
    assert found.p > 0.05
    assert found.correlation < 0.5
