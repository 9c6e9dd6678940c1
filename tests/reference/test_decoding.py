"""Decoding over time against a plain loop, on noise, and with information, a latency and an invariance planted."""

from __future__ import annotations

import random

import numpy as np
import pytest

from probekit.brains import decoding, zhang2011
from probekit.brains.decoding import Design, decode_over_time, decode_shuffled
from probekit.brains.pseudo_population import pseudo_population
from probekit.errors import UnknownNameError, UsageError
from probekit.stats import onset_latency

CLASSES = ("car", "face", "hand")
N_TIMES, ONSET = 20, 10


def recorded(seed, *, n_neurons=30, positions=("lower", "upper"), gain=0.0, same_code=True, n_times=N_TIMES):
    """Return spike counts, classes and positions of neurons that each saw 8 … 12 trials of a condition.

    From time ONSET on, neurons prefer classes by `gain`, at all positions alike or at each as it comes.
    """
    rng = np.random.default_rng(seed)
    codes = rng.uniform(-gain, gain, (n_neurons, len(positions), len(CLASSES)))
    if same_code:
        codes[:] = codes[:, :1]
    counts, classes, places = [], [], []
    for code in codes:
        at, of = np.indices(code.shape).reshape(2, -1)
        times = rng.integers(8, 13, len(at))
        at, of = np.repeat(at, times), np.repeat(of, times)
        order = rng.permutation(len(at))
        at, of = at[order], of[order]
        rate = np.where(np.arange(n_times) >= ONSET, 5 + code[at, of][:, None], 5)
        counts.append(rng.poisson(rate).astype(float))
        classes.append(np.array(CLASSES)[of])
        places.append(np.array(positions)[at])
    return counts, classes, places


def naive_accuracy(population, drawn, design):
    """Return the accuracy (resample, time) by loops: z-score, mean pattern, numpy's corrcoef, the nearest class."""
    teaching = population.places("train_on", design.train_on)
    tested = population.places("test_on", design.test_on)
    n_classes = len(population.classes)
    right = np.zeros((len(drawn), population.trials.shape[1]))
    total = 0
    for fold in range(design.n_folds):
        own = range(fold * design.n_per_fold, (fold + 1) * design.n_per_fold)
        others = [k for k in range(design.n_trials) if k not in own]
        total += len(tested) * n_classes * design.n_per_fold
        for resample, time in np.ndindex(right.shape):

            def trial(group, label, k, resample=resample, time=time):
                return population.trials[drawn[resample, :, group, label, k], time]

            taught = [[trial(g, c, k) for g in teaching for k in others] for c in range(n_classes)]
            mean, sd = np.mean(np.concatenate(taught), axis=0), np.std(np.concatenate(taught), axis=0)
            if not design.standardize:
                mean, sd = np.zeros_like(mean), np.ones_like(sd)
            used = sd > 1e-9
            patterns = [(np.mean(one, axis=0)[used] - mean[used]) / sd[used] for one in taught]
            for g in tested:
                for c in range(n_classes):
                    for k in own:
                        shown = (trial(g, c, k)[used] - mean[used]) / sd[used]
                        r = [np.corrcoef(shown, pattern)[0, 1] for pattern in patterns]
                        right[resample, time] += np.argmax(r) == c
    return right / total


@pytest.mark.parametrize(
    "design",
    [
        Design(n_folds=4),
        Design(n_folds=4, standardize=False),
        Design(n_folds=3, n_per_fold=2, train_on=("lower",), test_on=("upper",)),
        Design(n_folds=2, n_per_fold=4, train_on=("upper", "lower"), test_on=("lower",)),
    ],
)
def test_accuracy_is_that_of_a_loop(design):
    """The loop takes the trials that the seed draws; one neuron is silent but for one trial."""
    counts, classes, places = recorded(0, n_neurons=9, gain=3, n_times=12)
    counts[4][:] = 0
    counts[4][5] = 1
    population = pseudo_population(counts, classes, places, design.groups)
    drawn = population.draw(design.n_trials, 3, np.random.default_rng(5))
    found = decode_over_time(counts, classes, design, groups=places, n_resamples=3, seed=5)
    expected = naive_accuracy(population, drawn, design)
    assert expected.std() > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_pseudo_trials_are_different_trials_of_the_class_and_group():
    counts, classes, places = recorded(1, n_neurons=5)
    numbered = [np.arange(len(one))[:, None] + 1000.0 * neuron for neuron, one in enumerate(counts)]
    population = pseudo_population(numbered, classes, places)
    assert (population.groups, population.classes) == (("lower", "upper"), CLASSES)
    drawn = population.trials[population.draw(8, 200, np.random.default_rng(0)), 0].astype(int)
    assert drawn.shape == (200, 5, 2, 3, 8)
    for neuron, group, label in np.ndindex(5, 2, 3):
        trials = drawn[:, neuron, group, label] - 1000 * neuron
        assert (classes[neuron][trials] == CLASSES[label]).all()
        assert (places[neuron][trials] == population.groups[group]).all()
        assert (np.diff(np.sort(trials, axis=1), axis=1) > 0).all()
        there = np.flatnonzero((classes[neuron] == CLASSES[label]) & (places[neuron] == population.groups[group]))
        times = np.bincount(trials.ravel(), minlength=len(classes[neuron]))[there]
        assert times == pytest.approx(np.full(len(there), 1600 / len(there)), abs=0.3 * 200)


def test_shuffled_classes_stay_in_their_neuron_and_group():
    population = pseudo_population(*recorded(2, n_neurons=4))
    first = population.shuffled(np.random.default_rng(0)).candidates
    np.testing.assert_array_equal(first < 0, population.candidates < 0)
    for neuron, group in np.ndindex(4, 2):
        assert set(first[neuron, group].ravel()) == set(population.candidates[neuron, group].ravel())
    there = population.candidates >= 0
    stayed = [
        population.shuffled(np.random.default_rng(seed)).candidates == population.candidates for seed in range(50)
    ]
    assert np.array(stayed)[:, there].mean() == pytest.approx(1 / 30, abs=0.01)  # of about 30 trials each


def test_planted_information_is_found_when_it_is_there():
    counts, classes, _ = recorded(3, n_neurons=60, positions=("upper",), gain=3)
    accuracy = decode_over_time(counts, classes, Design(n_folds=8), n_resamples=30).mean(axis=0)
    assert accuracy[:ONSET] == pytest.approx(np.full(ONSET, 1 / 3), abs=0.2)
    assert (accuracy[ONSET:] > 0.9).all()
    latency = onset_latency(accuracy, np.arange(N_TIMES), n_kept=3, baseline=1 / 3)
    assert ONSET - 1 < latency < ONSET


@pytest.mark.parametrize(("same_code", "low", "high"), [(True, 0.9, 1), (False, 0.1, 0.6)])
def test_a_code_generalises_over_positions_only_if_it_is_the_same(same_code, low, high):
    counts, classes, places = recorded(4, n_neurons=60, gain=3, same_code=same_code)
    within = Design(train_on=("lower",), test_on=("lower",), n_folds=8)
    across = Design(train_on=("lower",), test_on=("upper",), n_folds=8)
    found = [
        decode_over_time(counts, classes, one, groups=places, n_resamples=10)[:, ONSET:].mean()
        for one in (within, across)
    ]
    assert found[0] > 0.9
    assert low <= found[1] <= high


def test_noise_is_decoded_at_chance():
    """120 data sets, 20 moments each: the mean has a standard error of .002."""
    found = [
        decode_over_time(*recorded(seed, n_neurons=10)[:2], Design(n_folds=8), n_resamples=4).mean()
        for seed in range(120)
    ]
    assert np.mean(found) == pytest.approx(1 / 3, abs=0.01)


def test_noise_is_significant_in_five_percent():
    """2,000 moments of noise, each against 39 shuffles of the same data; ties of accuracies count against it."""
    design = Design(n_folds=8)
    p = []
    for seed in range(100):
        counts, classes, _ = recorded(seed, n_neurons=12, positions=("upper",))
        accuracy = decode_over_time(counts, classes, design, n_resamples=4, seed=seed).mean(axis=0)
        null = decode_shuffled(counts, classes, design, n_shuffles=39, n_resamples=4, seed=1000 + seed)
        p.append((1 + (null >= accuracy).sum(axis=0)) / 40)
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.015)


def test_shuffled_information_is_gone():
    counts, classes, places = recorded(5, gain=3)
    null = decode_shuffled(counts, classes, Design(n_folds=8), groups=places, n_shuffles=20, n_resamples=2)
    assert null.shape == (20, N_TIMES)
    assert null.mean() == pytest.approx(1 / 3, abs=0.02)
    assert decode_over_time(counts, classes, Design(n_folds=8), groups=places)[:, ONSET:].min() > null[:, ONSET:].max()


def test_where_nothing_is_said_the_credit_is_shared():
    counts, classes, _ = recorded(6, n_neurons=4)
    silent = [np.zeros_like(one) for one in counts]
    for standardize in (True, False):
        found = decode_over_time(silent, classes, Design(n_folds=4, standardize=standardize), n_resamples=2)
        np.testing.assert_allclose(found, 1 / 3)


def test_scale_names_and_blocks_do_not_matter(monkeypatch):
    counts, classes, places = recorded(7, n_neurons=10, gain=1)
    kept = [one.copy() for one in counts]
    state = random.getstate(), np.random.get_state(legacy=False)
    design = Design(n_folds=4)
    found = decode_over_time(counts, classes, design, groups=places, n_resamples=6, seed=1)
    scaled = [(3 + neuron) * one + neuron for neuron, one in enumerate(counts)]
    np.testing.assert_allclose(decode_over_time(scaled, classes, design, groups=places, n_resamples=6, seed=1), found)
    monkeypatch.setattr(decoding, "_BLOCK", 1)
    np.testing.assert_array_equal(
        decode_over_time(counts, classes, design, groups=places, n_resamples=6, seed=1), found
    )
    assert not np.array_equal(decode_over_time(counts, classes, design, groups=places, n_resamples=6, seed=2), found)
    for one, before in zip(counts, kept, strict=True):
        np.testing.assert_array_equal(one, before)
    assert repr((random.getstate(), np.random.get_state(legacy=False))) == repr(state)


@pytest.mark.data
def test_objects_are_decoded_from_real_neurons():
    """As in Zhang 2011, figure 1: nothing before the stimulus, most soon after 100 ms, less across positions."""
    spikes = zhang2011.load()
    binned = spikes.binned(150, 50)
    accuracy = {
        place: decode_over_time(
            binned.counts,
            spikes.objects,
            Design(train_on=("upper",), test_on=(place,), n_folds=18),
            groups=spikes.positions,
            n_resamples=10,
        ).mean(axis=0)
        for place in ("upper", "lower")
    }
    before = binned.times_ms < -75
    for curve in accuracy.values():
        assert curve[before].mean() == pytest.approx(1 / 7, abs=0.05)
    assert accuracy["upper"].max() > 0.7
    assert 0.4 < accuracy["lower"].max() < accuracy["upper"].max()
    assert 50 < onset_latency(accuracy["upper"], binned.times_ms, n_kept=3, baseline=1 / 7) < 175


def test_what_cannot_be_decoded_is_refused():
    counts, classes, places = recorded(8, n_neurons=3)
    with pytest.raises(UsageError, match="n_folds is 1 and n_per_fold 1; expected at least 2"):
        Design(n_folds=1)
    with pytest.raises(
        UsageError, match=r"neuron 0 has \d+ trials of class 'car' in group 'lower'; the design needs 20"
    ):
        decode_over_time(counts, classes, Design(n_folds=20), groups=places)
    with pytest.raises(UnknownNameError, match=r"There is no group called 'uper'\. Did you mean 'upper'"):
        decode_over_time(counts, classes, Design(train_on=("uper",), test_on=("lower",)), groups=places)
    with pytest.raises(UnknownNameError, match="There is no group called 'uper'"):
        decode_over_time(counts, classes, Design(train_on=("uper",)), groups=places)
    with pytest.raises(UsageError, match=r"test_on is \(\); expected a tuple of one group or more"):
        decode_over_time(counts, classes, Design(test_on=()), groups=places)
    with pytest.raises(UsageError, match="responses are of 1 neurons"):
        decode_over_time(counts[:1], classes[:1])
    with pytest.raises(UsageError, match="labels hold 1 class; expected two or more"):
        decode_over_time(counts, [np.full(len(one), "car") for one in counts])
    with pytest.raises(UsageError, match=r"labels are of \[.*\] trials a neuron, responses of"):
        decode_over_time(counts, [one[1:] for one in classes])
    with pytest.raises(UsageError, match=r"responses of neuron 1 have shape \(\d+, 19\), those of neuron 0"):
        decode_over_time([counts[0], counts[1][:, 1:]], classes[:2])
    with pytest.raises(UsageError, match="responses of neuron 0 hold nan"):
        decode_over_time([counts[0] * np.nan, counts[1]], classes[:2])
    with pytest.raises(UsageError, match="n_resamples is 0; expected at least 1"):
        decode_over_time(counts, classes, Design(n_folds=4), n_resamples=0)
    with pytest.raises(UsageError, match="n_shuffles is 0; expected at least 1"):
        decode_shuffled(counts, classes, n_shuffles=0)
