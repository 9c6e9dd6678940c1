"""Decoding of position: closed forms, other people's solvers, brute force, noise that drifts, and real rats."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import poisson
from sklearn.linear_model import Ridge

from probekit.brains import tampuu2019
from probekit.errors import UsageError
from probekit.navigation import Arena, Tracking
from probekit.spatial import linear_decoder, poisson_decoder
from probekit.spatial.decoding import decode_position
from probekit.spatial.path_folds import path_folds

BOX = Arena.square(1.0)


def drifting(n, n_series, memory, seed):
    """Return standard normal series that forget themselves in `memory` samples, shape (n, n_series)."""
    drawn = gaussian_filter(np.random.default_rng(seed).standard_normal((n, n_series)), (memory, 0), mode="wrap")
    return drawn / drawn.std(axis=0)


def wander(n, seed, memory=20, dt=0.1):
    """Return a slow path that fills the box."""
    places = 0.5 * np.tanh(drifting(n, 2, memory, seed))
    return Tracking(places, BOX, dt)


def place_cells(tracking, n_units, seed, *, peak_hz=20.0, width=0.15):
    centres = BOX.uniform(n_units, np.random.default_rng(seed))
    distance = np.linalg.norm(tracking.positions[:, None] - centres, axis=-1)
    return peak_hz * np.exp(-(distance**2) / (2 * width**2))


# folds


def test_nothing_near_a_held_out_sample_is_fitted():
    for path in (np.zeros(200, dtype=int), np.repeat(np.arange(20), 10)):
        folds = path_folds(path, 4, 5)
        assert np.bincount(folds.fold).tolist() == [50] * 4
        for held in ([0], [2], [1, 2], [0, 3]):
            fitted = folds.training(*held)[folds.part]
            tested = np.isin(folds.fold, held)
            distance = np.abs(np.subtract.outer(np.flatnonzero(fitted), np.flatnonzero(tested)))
            assert distance.min() == 6, "five samples between"
            assert fitted.sum() == 200 - tested.sum() - 5 * np.sum(np.diff(np.r_[0, tested, 0]) != 0) + 5 * sum(
                edge in held for edge in (0, 3)
            )


def test_folds_keep_paths_whole_where_there_are_many():
    path = np.repeat(np.arange(30), np.random.default_rng(0).integers(5, 15, 30))
    folds = path_folds(path, 5, 2)
    assert all(len(np.unique(folds.fold[path == one])) == 1 for one in range(30))
    assert len(folds) == 5
    with pytest.raises(UsageError, match=r"shortest has .* samples; expected at least two gaps of 40 samples"):
        path_folds(path, 5, 40)


# ridge


def test_a_linear_code_with_noise_is_read_as_well_as_theory_allows():
    """Independent noise of sd s over weights W: the errors of least squares have covariance s² (W Wᵀ)⁻¹."""
    tracking = wander(20_000, 0)
    angle = 2 * np.pi * np.arange(64) / 64
    weights = np.stack([np.cos(angle), np.sin(angle)])  # W Wᵀ = 32: errors are Rayleigh with scale s / √32
    activity = tracking.positions @ weights + 0.1 * np.random.default_rng(1).standard_normal((20_000, 64))
    found = decode_position(activity, tracking, n_shuffles=5, n_folds=5)
    expected = 100 * 0.1 / math.sqrt(32) * math.sqrt(2 * math.log(2))
    assert found.overall_cm == pytest.approx(expected, rel=0.03)  # 1/√20,000 is .7 %; knowing the box gains .2 %
    np.testing.assert_allclose(found.median_cm, expected, rtol=0.06)
    assert found.p == pytest.approx(1 / 6)
    assert found.null_cm.min() > 5 * found.overall_cm


def test_ridge_is_that_of_scikit_learn_with_the_penalty_chosen_by_brute_force():
    tracking = wander(600, 3)
    activity = place_cells(tracking, 25, 4) + np.random.default_rng(5).standard_normal((600, 25))
    folds = path_folds(np.zeros(600, dtype=int), 4, 10)
    y = tracking.positions
    expected = np.empty((600, 2))

    def predicted(train, test, penalty):
        mean, sd = activity[train].mean(axis=0), activity[train].std(axis=0)
        model = Ridge(penalty * train.sum()).fit((activity[train] - mean) / sd, y[train])
        return model.predict((activity[test] - mean) / sd)

    for fold in range(4):
        errors = np.zeros(len(linear_decoder.PENALTIES))
        for number, penalty in enumerate(linear_decoder.PENALTIES):
            for inner in set(range(4)) - {fold}:
                train, test = folds.training(fold, inner)[folds.part], folds.fold == inner
                errors[number] += ((predicted(train, test, penalty) - y[test]) ** 2).sum()
        best = linear_decoder.PENALTIES[errors.argmin()]
        test = folds.fold == fold
        expected[test] = predicted(folds.training(fold)[folds.part], test, best)
    found = linear_decoder.ridge_decoded(activity, y[:, None], folds)[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_shuffles_are_solved_as_if_each_were_alone():
    tracking = wander(500, 6)
    activity = place_cells(tracking, 12, 7)
    folds = path_folds(np.zeros(500, dtype=int), 3, 5)
    targets = np.stack([tracking.positions, np.roll(tracking.positions, 90, axis=0)], axis=1)
    both = linear_decoder.ridge_decoded(activity, targets, folds)
    for number in range(2):
        alone = linear_decoder.ridge_decoded(activity, targets[:, number : number + 1], folds)
        np.testing.assert_allclose(both[:, number], alone[:, 0], atol=1e-9)


def test_order_and_scale_of_units_do_not_matter_and_silent_units_say_nothing():
    tracking = wander(800, 8)
    activity = place_cells(tracking, 20, 9)
    plain = decode_position(activity, tracking, n_shuffles=0).decoded
    mixed = np.hstack([activity[:, ::-1] * np.logspace(-3, 3, 20) + 5, np.zeros((800, 1)), np.full((800, 1), 7.0)])
    np.testing.assert_allclose(decode_position(mixed, tracking, n_shuffles=0).decoded, plain, atol=1e-6)
    silent = decode_position(np.ones((800, 3)), tracking, n_shuffles=0)
    np.testing.assert_allclose(silent.overall_cm, np.median(silent.centre_median_cm), rtol=0.25)


def test_decoded_places_lie_in_the_arena():
    tracking = wander(800, 10)
    activity = tracking.positions + 0.8 * np.random.default_rng(0).standard_normal((800, 2))
    assert BOX.contains(decode_position(activity * 30, tracking, n_shuffles=0).decoded).all()


# chance


def test_noise_that_drifts_as_slowly_as_the_animal_decodes_nothing():
    """Folds of single samples would decode it: neighbours share place and noise."""
    tracking = wander(3000, 11, memory=15)
    noise = drifting(3000, 60, 15, 12)
    train = np.random.default_rng(0).random(3000) < 0.8
    leaky = Ridge(1.0).fit(noise[train], tracking.positions[train]).predict(noise[~train])
    leaked = 100 * np.median(np.linalg.norm(leaky - tracking.positions[~train], axis=1))
    found = decode_position(noise, tracking, gap_s=5.0)
    centre = np.median(100 * np.linalg.norm(tracking.positions, axis=1))
    assert leaked < 0.85 * centre
    assert found.overall_cm > 0.93 * centre


def test_noise_is_significant_as_rarely_as_it_should_be():
    ps = [
        decode_position(drifting(1200, 20, 10, 100 + seed), wander(1200, seed, 10), n_shuffles=19, seed=seed).p
        for seed in range(40)
    ]
    assert np.mean(np.array(ps) <= 0.05) <= 0.15  # 6 of 40; with a true rate of .05 more come once in 300 times
    assert 0.35 < np.mean(ps) < 0.7  # uniform on 1/20 … 1: .525 ± .046


def test_many_paths_exchange_their_places():
    walk = 0.45 * np.tanh(np.cumsum(np.random.default_rng(1).standard_normal((40, 30, 2)) * 0.2, axis=1))
    tracking = Tracking(walk.reshape(-1, 2), BOX, 0.1, path=np.repeat(np.arange(40), 30))
    found = decode_position(place_cells(tracking, 60, 2), tracking, n_shuffles=9, gap_s=0.5)
    assert found.overall_cm < 4
    assert found.null_cm.min() > 20
    assert found.p == 0.1
    again = decode_position(place_cells(tracking, 60, 2), tracking, n_shuffles=9, gap_s=0.5)
    assert np.array_equal(found.null_cm, again.null_cm)


# poisson


def test_the_most_probable_bin_is_that_of_brute_force():
    rng = np.random.default_rng(0)
    n, shape = 240, (4, 5)
    places = rng.integers(0, 20, n)
    counts = rng.poisson(3 * rng.random((6, 20)))[:, places].T.astype(float)
    counts = rng.poisson(counts).astype(float)
    seconds = np.full(n, 0.25)
    folds = path_folds(np.zeros(n, dtype=int), 3, 6)
    found = poisson_decoder.poisson_decoded(counts, seconds, places, shape, folds)
    for sample in (0, 90, 170, 239):
        fitted = folds.training(int(folds.fold[sample]))[folds.part]
        time = np.bincount(places[fitted], minlength=20) * 0.25
        spikes = np.stack([np.bincount(places[fitted], unit[fitted], 20) for unit in counts.T])
        smooth = [gaussian_filter(values.reshape(shape), 1.0).ravel() for values in (time, *spikes)]
        rates = np.maximum(np.stack(smooth[1:]) / smooth[0], 0.01)
        likelihood = poisson.pmf(counts[sample][:, None], rates * 0.25).prod(axis=0)
        assert found[sample] == np.argmax(likelihood * time)


def test_place_cells_that_spike_are_decoded_and_more_time_helps():
    tracking = wander(6000, 20, memory=40)
    spikes = np.random.default_rng(21).poisson(place_cells(tracking, 80, 22) * tracking.dt) / tracking.dt
    found = {
        window: decode_position(spikes, tracking, method="poisson", window_s=window, n_shuffles=3).overall_cm
        for window in (0.0, 0.5)
    }
    assert found[0.5] < 0.8 * found[0.0]
    information = 80 * 20 * 2 * np.pi * 0.1  # of Fisher, 1/m²: cells a m² × peak × 2π × seconds
    bound = 100 / math.sqrt(information) * math.sqrt(2 * math.log(2))  # 3.7 cm
    assert bound < found[0.0] < 2 * bound  # more near walls, where fewer fields are, and by bins of 5 cm
    assert decode_position(spikes, tracking, method="poisson", n_shuffles=3).null_cm.min() > 25


@pytest.mark.data
def test_rats_are_found_by_their_place_cells():
    session = tampuu2019.load("R2192")
    found = decode_position(session["CA1"], session.tracking, method="poisson", window_s=1.4, n_shuffles=5)
    assert 10 < found.overall_cm < 16
    assert 15 < found.mean_cm.mean() < 21
    assert found.centre_mean_cm.mean() > 35
    assert found.null_cm.min() > 45
    linear = decode_position(session["CA1"], session.tracking, window_s=1.4, n_shuffles=5)
    assert found.overall_cm < linear.overall_cm < 0.6 * np.median(linear.centre_median_cm)


# edges


def test_samples_without_tracking_are_left_out():
    tracking = wander(900, 30)
    activity = place_cells(tracking, 30, 31)
    places = tracking.positions.copy()
    places[[5, 400, 401, 899]] = np.nan
    activity[400] = np.nan
    found = decode_position(activity, Tracking(places, BOX, 0.1), n_shuffles=2)
    lost = np.isin(np.arange(900), [5, 400, 401, 899])
    assert np.array_equal(np.isnan(found.error_cm), lost)
    assert np.array_equal(found.fold == -1, lost)
    assert np.array_equal(np.isnan(found.decoded[:, 0]), lost)
    assert math.isnan(decode_position(activity, Tracking(places, BOX, 0.1), n_shuffles=0).p)


def test_what_cannot_be_decoded_is_refused():
    tracking = wander(300, 40)
    good = np.ones((300, 2))
    with pytest.raises(UsageError, match=r"activity has shape \(300,\); expected \(sample, unit\) with 300"):
        decode_position(good[:, 0], tracking)
    with pytest.raises(UsageError, match="activity holds nan or infinite"):
        decode_position(good * np.nan, tracking)
    with pytest.raises(UsageError, match="values below 0; method 'poisson' takes spikes/s"):
        decode_position(-good, tracking, method="poisson")
    with pytest.raises(UsageError, match="method is 'bayes'; allowed: 'ridge', 'poisson'"):
        decode_position(good, tracking, method="bayes")
    with pytest.raises(UsageError, match="gap_s is -1; expected seconds"):
        decode_position(good, tracking, gap_s=-1)
    with pytest.raises(UsageError, match="Take fewer folds or a shorter gap"):
        decode_position(good, tracking, gap_s=10)
