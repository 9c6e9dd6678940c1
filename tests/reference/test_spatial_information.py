"""Spatial information, sparsity, coherence and mutual information: closed forms, loops, nulls, and real place cells."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from scipy.stats import entropy, ttest_1samp
from sklearn.metrics import mutual_info_score

from probekit import data
from probekit.errors import UsageError
from probekit.navigation import Arena, Tracking
from probekit.spatial.coherence import coherence
from probekit.spatial.information import selectivity, sparsity, spatial_information
from probekit.spatial.mutual_information import mutual_information
from probekit.spatial.rate_maps import bin_samples, rate_maps
from probekit.spatial.signed import nonnegative
from probekit.spatial.stability import stability

EVEN = np.ones((4, 4))


def active_in(share, rate=1.0, elsewhere=0.0):
    """Return the map of a unit that has `rate` in a share of 16 bins."""
    return np.where(np.arange(16).reshape(1, 4, 4) < 16 * share, rate, elsewhere)


def walk(arena, n, seed, dt=0.1):
    """Return a smooth random walk that walls push back: neighbouring samples are alike."""
    velocity, place, places = np.zeros(2), np.asarray(arena.centre), []
    for push in np.random.default_rng(seed).normal(size=(n, 2)):
        velocity = 0.8 * velocity + 0.2 * push
        place = arena.clamped(place + velocity * dt)
        places.append(place)
    return Tracking(np.array(places), arena, dt)


@pytest.mark.parametrize("share", [1, 1 / 2, 1 / 4, 1 / 16])
def test_a_unit_active_in_a_share_of_the_floor_tells_its_logarithm(share):
    found = spatial_information(active_in(share, 8.0), EVEN)
    np.testing.assert_allclose(found.bits_per_spike, -np.log2(share), atol=1e-12)
    np.testing.assert_allclose(found.mean_rate, 8 * share)
    np.testing.assert_allclose(found.bits_per_second, -8 * share * np.log2(share), atol=1e-12)
    np.testing.assert_allclose(sparsity(active_in(share), EVEN), share)
    np.testing.assert_allclose(selectivity(active_in(share), EVEN), 1 / share)


def test_dropping_what_is_below_the_mean_overestimates():
    """Half at 10 and half at 2: q = 5/3 and 1/3. Without background, the two are the same."""
    unit = active_in(1 / 2, 10.0, 2.0)
    exact = 5 / 6 * np.log2(5 / 3) + 1 / 6 * np.log2(1 / 3)
    assert exact == pytest.approx(0.350, abs=5e-4)
    assert spatial_information(unit, EVEN).bits_per_spike[0] == pytest.approx(exact)
    opexebo = spatial_information(unit, EVEN, method="opexebo").bits_per_spike[0]
    assert opexebo == pytest.approx(5 / 6 * np.log2(5 / 3))
    assert opexebo == pytest.approx(0.614, abs=5e-4)
    quarter = active_in(1 / 4)
    assert spatial_information(quarter, EVEN, method="opexebo").bits_per_spike[0] == pytest.approx(2)


def test_a_nearly_flat_unit_tells_nearly_nothing():
    """Of 5 ± 1 Hz, normally distributed: about (σ/μ)² / (2 ln 2) = .029 bits; without what is below the mean, .127."""
    unit = np.maximum(np.random.default_rng(0).normal(5, 1, (1, 200, 200)), 0)
    occupancy = np.ones((200, 200))
    assert spatial_information(unit, occupancy).bits_per_spike[0] == pytest.approx(0.029, abs=1e-3)
    opexebo = spatial_information(unit, occupancy, method="opexebo").bits_per_spike[0]
    assert opexebo == pytest.approx(0.127, abs=2e-3)


def test_information_is_a_divergence_of_where_spikes_are_from_where_time_is():
    """I is the Kullback-Leibler divergence of the places of spikes from those of time (scipy), over known bins."""
    rng = np.random.default_rng(1)
    maps, occupancy = rng.gamma(0.5, 3.0, (6, 7, 5)), rng.gamma(1.0, 2.0, (7, 5))
    maps[:, rng.random((7, 5)) < 0.2] = np.nan
    maps[2, 0] = np.nan
    found = spatial_information(maps, occupancy)
    for unit, one in enumerate(maps):
        known = np.isfinite(one)
        time = occupancy[known] / occupancy[known].sum()
        assert found.bits_per_spike[unit] == pytest.approx(entropy(one[known] * time, time, base=2), rel=1e-9)
        assert found.mean_rate[unit] == pytest.approx(one[known] @ time)
        assert sparsity(maps, occupancy)[unit] == pytest.approx((one[known] @ time) ** 2 / (one[known] ** 2 @ time))
        assert selectivity(maps, occupancy)[unit] == pytest.approx(one[known].max() / (one[known] @ time))


def test_scale_order_and_unit_of_time_do_not_matter():
    maps = np.random.default_rng(0).random((5, 6, 6))
    occupancy = np.random.default_rng(1).random((6, 6))
    expected = spatial_information(maps, occupancy).bits_per_spike
    np.testing.assert_allclose(spatial_information(1e9 * maps, 60 * occupancy).bits_per_spike, expected)
    np.testing.assert_allclose(spatial_information(1e-200 * maps[::-1], occupancy).bits_per_spike, expected[::-1])
    shuffled = np.random.default_rng(2).permutation(36)
    curves = maps.reshape(5, 36)[:, shuffled]
    np.testing.assert_allclose(spatial_information(curves, occupancy.ravel()[shuffled]).bits_per_spike, expected)


def test_silent_units_have_none_and_constant_ones_have_0():
    maps = np.stack([np.zeros((4, 4)), np.full((4, 4), 0.1), np.full((4, 4), np.nan)])
    found = spatial_information(maps, EVEN)
    np.testing.assert_allclose(found.bits_per_spike, [np.nan, 0, np.nan], atol=1e-12)
    np.testing.assert_allclose(found.bits_per_second, [np.nan, 0, np.nan], atol=1e-12)
    np.testing.assert_allclose(sparsity(maps, EVEN), [np.nan, 1, np.nan])
    np.testing.assert_allclose(selectivity(maps, EVEN), [np.nan, 1, np.nan])


def test_what_is_no_rate_is_refused_and_the_way_out_works():
    maps = active_in(1 / 4) - 0.5
    for measure in (spatial_information, sparsity, selectivity):
        with pytest.raises(UsageError, match=r"maps of 1 of 1 units are negative .* spatial\.signed\.nonnegative"):
            measure(maps, EVEN)
        with pytest.raises(UsageError, match=r"occupancy has shape \(3, 4\); expected \(4, 4\)"):
            measure(abs(maps), EVEN[:3])
        with pytest.raises(UsageError, match="of numbers from 0"):
            measure(abs(maps), -EVEN)
    assert spatial_information(nonnegative(maps), EVEN).bits_per_spike[0] == pytest.approx(2)
    with pytest.raises(UsageError, match="method is 'skaggs1996'"):
        spatial_information(abs(maps), EVEN, method="skaggs1996")


def test_noise_has_as_much_information_as_its_shifts():
    """Poisson spikes, 500 units: the bias of few samples is that of the shifts too, and p is even."""
    tracking = walk(Arena.square(1.0), 4000, seed=0)
    spikes = np.random.default_rng(1).poisson(0.2, (4000, 500)) / 0.1
    bins = bin_samples(tracking, 10)
    scores = spatial_information(bins.maps(spikes), bins.occupancy).bits_per_spike
    nulls = [
        spatial_information(bins.shifted(step).maps(spikes), bins.occupancy).bits_per_spike
        for step in range(200, 3900, 200)
    ]
    assert scores.mean() == pytest.approx(np.mean(nulls), rel=0.03)
    p = (1 + (np.array(nulls) >= scores).sum(0)) / (1 + len(nulls))
    assert np.mean(p <= 0.053) == pytest.approx(0.053, abs=4 * np.sqrt(0.05 / 500))


def around(unit, i, j):
    near = [
        unit[row, column]
        for row in range(max(0, i - 1), min(len(unit), i + 2))
        for column in range(max(0, j - 1), min(unit.shape[1], j + 2))
        if (row, column) != (i, j) and np.isfinite(unit[row, column])
    ]
    return np.mean(near) if near else np.nan


def test_coherence_is_that_of_a_loop():
    maps = np.random.default_rng(0).normal(size=(3, 8, 6))
    maps[:, np.random.default_rng(1).random((8, 6)) < 0.4] = np.nan
    maps[1] += np.arange(8)[:, None]
    found = coherence(maps)
    for unit, one in enumerate(maps):
        pairs = np.array([(one[i, j], around(one, i, j)) for i, j in np.ndindex(one.shape)])
        pairs = pairs[np.isfinite(pairs).all(1)]
        assert found.r[unit] == pytest.approx(np.corrcoef(pairs.T)[0, 1], rel=1e-9)
    np.testing.assert_allclose(found.z, np.arctanh(found.r))


def test_noise_is_not_coherent_and_fields_are():
    """Among 400 bins the mean of a map ties noise by -√8/400; its r varies by √2/20, each pair being met twice."""
    noise = np.random.default_rng(0).normal(size=(400, 20, 20))
    r = coherence(noise).r
    assert r.std() == pytest.approx(np.sqrt(2) / 20, rel=0.1)
    assert r.mean() == pytest.approx(-np.sqrt(8) / 400, abs=4 * np.sqrt(2) / 20 / 20)
    y, x = np.mgrid[:20, :20]
    field = np.exp(-((x - 7) ** 2 + (y - 9) ** 2) / 18.0)[None]
    assert coherence(field).r[0] > 0.99
    np.testing.assert_allclose(coherence(7 - 3 * field).r, coherence(field).r)


def test_coherence_of_constant_and_of_scattered_maps_is_nan():
    scattered = np.full((1, 9, 9), np.nan)
    scattered[:, ::2, ::2] = np.random.default_rng(0).random((5, 5))
    assert np.isnan(coherence(scattered).z).all()
    assert np.isnan(coherence(np.full((1, 9, 9), 0.1)).z).all()
    assert np.isnan(coherence(np.random.default_rng(0).random((1, 3, 3))).z).all()  # 9 bins
    with pytest.raises(UsageError, match=r"maps have shape \(9, 9\); expected \(unit, y, x\)"):
        coherence(np.ones((9, 9)))


def test_mutual_information_is_scikit_learns():
    tracking = walk(Arena.square(1.0), 3000, seed=1)
    rng = np.random.default_rng(0)
    activity = tracking.positions @ rng.normal(size=(2, 4)) + rng.normal(size=(3000, 4))
    bins = bin_samples(tracking, 6)
    found = mutual_information(activity, bins, n_levels=5, bias="miller-madow")
    for unit, values in enumerate(activity.T):
        level = np.searchsorted(np.sort(values)[[600, 1200, 1800, 2400]], values, side="right")
        expected = mutual_info_score(level, bins.index) / np.log(2)
        assert found.bits[unit] == pytest.approx(expected, rel=1e-9)
        joint, by_bin = len(set(zip(level, bins.index, strict=True))), len(set(bins.index))
        assert found.bias[unit] == pytest.approx((joint - by_bin - 4) / (2 * 3000 * np.log(2)))


def test_activity_that_follows_from_the_place_tells_its_entropy():
    """Four levels of equal share are 2 bits; so is any growing function of them; signs do not matter."""
    arena = Arena.square(1.0)
    tracking = Tracking(np.tile(arena.centres(4).reshape(-1, 2), (50, 1)), arena, 0.1)
    activity = tracking.positions[:, :1]
    bins = bin_samples(tracking, 4)
    for values in (activity, activity**3, -activity, np.exp(9 * activity) - 5):
        assert mutual_information(values, bins, bias="miller-madow").bits[0] == pytest.approx(2)
    assert mutual_information(activity, bins, n_levels=2, bias="miller-madow").bits[0] == pytest.approx(1)


@pytest.mark.parametrize("often", [0.06, 0.44, 0.94])
def test_few_different_values_are_cut_between_and_never_merged(often):
    """A unit that is on in a share of the bins tells the entropy of that share, however rare on or off is."""
    arena = Arena.square(1.0)
    tracking = Tracking(np.tile(arena.centres(4).reshape(-1, 2), (50, 1)), arena, 0.1)
    on = bin_samples(tracking, 4).index < 16 * often
    found = mutual_information(np.c_[on, -3.0 * on, np.ones(800)], bin_samples(tracking, 4), bias="miller-madow")
    np.testing.assert_allclose(found.bits, [*[entropy([on.mean(), 1 - on.mean()], base=2)] * 2, 0], atol=1e-12)
    assert found.bias[2] == 0


def test_noise_tells_nothing_once_the_bias_is_subtracted():
    """Slow noise on a slow path: shifts know its slowness, Miller and Madow take samples for independent."""
    tracking = walk(Arena.square(1.0), 6000, seed=2)
    bins = bin_samples(tracking, 8)
    fast = np.random.default_rng(0).normal(size=(6000, 40))
    slow = np.cumsum(fast, axis=0)
    slow = slow - np.linspace(slow[0], slow[-1], 6000)  # ends meet, as circular shifts have it
    found = mutual_information(np.c_[fast, slow], bins, seed=3)
    assert found.bits[:40].mean() == pytest.approx((4 - 1) * (64 - 1) / (2 * 6000 * np.log(2)), rel=0.05)
    for part in (found.corrected[:40], found.corrected[40:]):
        assert ttest_1samp(part, 0).pvalue > 0.001
    analytic = mutual_information(np.c_[fast, slow], bins, bias="miller-madow").corrected
    assert abs(analytic[:40].mean()) < 0.003
    assert analytic[40:].mean() > 0.1


def test_mutual_information_leaves_out_what_the_bins_leave_out(monkeypatch):
    tracking = walk(Arena.square(1.0), 2000, seed=3)
    kept = np.random.default_rng(0).random(2000) < 0.7
    activity = np.random.default_rng(1).normal(size=(2000, 3)) + tracking.positions[:, :1]
    activity[~kept] = np.nan
    found = mutual_information(activity, bin_samples(tracking, 6, samples=kept), seed=1)
    alone = Tracking(tracking.positions[kept], tracking.arena, 0.1)
    expected = mutual_information(activity[kept], bin_samples(alone, 6), seed=1)
    np.testing.assert_allclose(found.bits, expected.bits)
    np.testing.assert_allclose(found.bias, expected.bias)
    monkeypatch.setattr(import_module("probekit.spatial.mutual_information"), "_BLOCK", 2000)
    again = mutual_information(activity, bin_samples(tracking, 6, samples=kept), seed=1)
    np.testing.assert_array_equal(again.corrected, found.corrected)


def test_mutual_information_refuses_what_it_cannot_cut():
    tracking = walk(Arena.square(1.0), 100, seed=0)
    bins = bin_samples(tracking, 4)
    with pytest.raises(UsageError, match="n_levels is 1; expected at least 2"):
        mutual_information(np.ones((100, 1)), bins, n_levels=1)
    with pytest.raises(UsageError, match="bias is 'shuffle'; allowed: 'miller-madow', 'shift'"):
        mutual_information(np.ones((100, 1)), bins, bias="shuffle")
    with pytest.raises(UsageError, match="activity holds nan or infinite values"):
        mutual_information(np.where(np.arange(2) == 1, np.nan, np.ones((100, 2))), bins)
    with pytest.raises(UsageError, match="bins hold 30 samples; expected at least 40 for shifts"):
        mutual_information(np.ones((100, 1)), bin_samples(tracking, 4, samples=np.arange(30)))


RATS = {"R2192": 1.35, "R2217": 0.92, "R2336": 0.66, "R2337": 0.82}
"""Median information of each rat's cells, bits a spike, as it was computed before; how, was not written down."""


def rat(name):
    """Return spikes/s and where the rat was, on a floor that is what it visited."""
    stem = f"{name}_1x200_at5_step200_bin100-RAW_"
    counts, places = (np.loadtxt(data.fetch("tampuu2019", f"{stem}{kind}.dat")[0]) for kind in ("feat", "pos"))
    low, high = places.min(0) / 100, places.max(0) / 100
    return counts / 0.2, Tracking(places / 100, Arena(*(high - low), centre=tuple((low + high) / 2)), 0.2)


@pytest.mark.data
@pytest.mark.parametrize(("name", "expected"), RATS.items())
def test_place_cells_have_the_information_that_was_found_in_them(name, expected):
    """Bins of 2 cm that two samples lie in, smoothed by 5 cm; 3 % is what other edges of such bins would change."""
    rates, tracking = rat(name)
    smoothing = 0.05 / tracking.arena.bin_size(50)
    found = rate_maps(rates, tracking, n_bins=50, smoothing=smoothing, min_occupancy=0.4)
    cells = spatial_information(found.maps, found.occupancy)
    assert np.median(cells.bits_per_spike) == pytest.approx(expected, rel=0.03)


@pytest.mark.data
def test_nearly_all_of_the_rats_cells_are_place_cells():
    """They were recorded in CA1, and units without a field were not all left out: 175 of 180 by shifts in time."""
    p, r, z = [], [], []
    for name in RATS:
        rates, tracking = rat(name)
        bins = bin_samples(tracking, 20)
        steps = np.random.default_rng(0).integers(100, len(rates) - 100, 99)
        score, *null = (
            spatial_information(bins.shifted(step).maps(rates, smoothing=1), bins.occupancy).bits_per_spike
            for step in (0, *steps)
        )
        p.append((1 + (np.array(null) >= score).sum(0)) / 100)
        r.append(stability(rates, tracking, smoothing=1))
        z.append(coherence(bins.maps(rates)).z)
    assert (np.concatenate(p) <= 0.05).sum() == pytest.approx(175, abs=3)  # other shifts move it by one or two
    assert np.nanmedian(np.concatenate(r)) == pytest.approx(0.7, abs=0.05)
    assert np.nanmedian(np.concatenate(z)) > 0.7
