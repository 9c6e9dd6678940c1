"""The measured brains: their files agree with each other, with the publications and with a count by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import correlate
from scipy.stats import rankdata, spearmanr

from probekit import data
from probekit.brains import cichy2014, kriegeskorte2008, matlab, model_rdms, zhang2011
from probekit.errors import UnknownNameError, UsageError
from probekit.gabor import gabor
from probekit.rsa.rdms import check_same_conditions
from probekit.stimuli import array, gratings

needs_data = pytest.mark.data


def rho(first, second):
    return spearmanr(np.ravel(first), np.ravel(second))[0]


def ceiling(rdms):
    """Lower and upper noise ceiling (Nili 2014) of Spearman's correlation, ranks averaged over subjects."""
    ranks = rankdata(rdms.dissimilarities, axis=1)
    lower = [rho(ranks[s], np.delete(ranks, s, axis=0).mean(axis=0)) for s in range(len(ranks))]
    upper = [rho(ranks[s], ranks.mean(axis=0)) for s in range(len(ranks))]
    return np.mean(lower), np.mean(upper)


# the 92 objects


@needs_data
def test_the_two_files_of_human_it_are_the_same_data_in_the_same_order():
    """Squares of one file, a vector of the other: their agreement proves the vector's order of pairs."""
    sessions, figure = kriegeskorte2008.human_it(), kriegeskorte2008.human_it_figure1()
    check_same_conditions(sessions, figure)
    # both are stored as single precision somewhere on their way
    np.testing.assert_allclose(sessions.dissimilarities.mean(axis=0), figure.dissimilarities[0], atol=1e-6)
    assert sessions.table["subject"].tolist() == ["BE", "BE", "KO", "KO", "SN", "SN", "TI", "TI"]
    assert sessions.table["session"].tolist() == [1, 2] * 4
    by_column = figure.square()[0].T[np.tril_indices(92, -1)]
    assert np.array_equal(by_column, figure.square()[0][np.tril_indices(92, -1)]), "a symmetric matrix"
    filled = np.zeros((92, 92))
    filled[np.tril_indices(92, -1)] = figure.dissimilarities[0]  # the other order that MATLAB knows
    assert abs(rho(filled.T[np.triu_indices(92, 1)], sessions.dissimilarities.mean(axis=0))) < 0.2


@needs_data
def test_monkey_and_human_it_agree_as_published():
    monkey, human = kriegeskorte2008.monkey_it(), kriegeskorte2008.human_it_figure1()
    assert (len(monkey), monkey.n_conditions, monkey.distance) == (1, 92, "correlation")
    assert monkey.table.to_dict("records") == [{"region": "monkey IT", "n_units": 674}]
    assert rho(monkey.dissimilarities, human.dissimilarities) == pytest.approx(0.4389, abs=5e-5)


@needs_data
def test_judgements_have_the_images_in_the_same_order():
    judged, human = kriegeskorte2008.behaviour(), kriegeskorte2008.human_it_figure1()
    assert judged.table["subject"].tolist() == [f"subject{n}" for n in range(1, 17)]
    mean = judged.square().mean(axis=0)
    pairs = np.triu_indices(92, 1)
    assert rho(mean[pairs], human.dissimilarities) == pytest.approx(0.392, abs=5e-4)
    orders = [np.random.default_rng(seed).permutation(92) for seed in range(20)]
    chance = [rho(mean[np.ix_(order, order)][pairs], human.dissimilarities) for order in orders]
    assert np.max(np.abs(chance)) < 0.1
    flags = kriegeskorte2008.objects()
    face = flags["face"].to_numpy()
    assert (mean[np.ix_(face, face)].sum() / (24 * 23)) < 0.7 * mean[np.ix_(face, ~face)].mean()


@needs_data
def test_noise_ceilings_of_the_15_subjects():
    expected = {"EVC": (0.242, 0.392), "IT": (0.453, 0.542)}
    for rdms in (cichy2014.evc(), cichy2014.it()):
        region = rdms.table["region"].iloc[0]
        assert rdms.table["subject"].tolist() == list(range(1, 16))
        assert ceiling(rdms) == pytest.approx(expected[region], abs=5e-4)


@needs_data
def test_both_laboratories_have_the_same_order_of_conditions():
    evc, it = cichy2014.evc(), cichy2014.it()
    human, monkey = kriegeskorte2008.human_it_figure1(), kriegeskorte2008.monkey_it()
    check_same_conditions(it, human)
    assert rho(it.dissimilarities.mean(axis=0), human.dissimilarities) == pytest.approx(0.557, abs=5e-4)
    assert rho(it.dissimilarities.mean(axis=0), monkey.dissimilarities) == pytest.approx(0.486, abs=5e-4)
    assert rho(evc.dissimilarities.mean(axis=0), human.dissimilarities) == pytest.approx(0.132, abs=5e-4)


@needs_data
def test_objects_are_what_the_authors_category_vectors_say():
    table = kriegeskorte2008.objects()
    stored = matlab.read(data.fetch("kriegeskorte2008", "Kriegeskorte_Neuron2008_supplementalData.mat")[0])
    vectors = pd.DataFrame(stored["categoryVectors"].astype(bool), columns=stored["categoryLabels"])
    assert table["condition"].iloc[[0, 91]].tolist() == ["object_01", "object_92"]
    for flag, vector in {"animal": "animate", "human": "human", "face": "face"}.items():
        assert table[flag].tolist() == vectors[vector].tolist(), flag
    assert table["natural"].tolist() == (~vectors["artiObj"]).tolist()
    assert table["category"].value_counts().to_dict() == {
        "human bodypart": 12, "human face": 12, "nonhuman bodypart": 12, "nonhuman face": 12,
        "natural inanimate": 23, "artificial inanimate": 21,
    }  # fmt: skip
    # object by object, in blocks
    assert sum(first != second for first, second in pairwise(table["category"])) == 5


@needs_data
def test_grey_and_white_images_show_the_same_objects_in_the_same_order():
    grey = kriegeskorte2008.object_images(175).batch(range(92)).numpy()
    white = kriegeskorte2008.object_images(175, background="white").batch(range(92)).numpy()
    background = (np.abs(grey - 128 / 255) < 0.05).all(axis=1, keepdims=True)
    cut_out = np.where(background, 1, grey).mean(axis=1).reshape(92, -1)
    alike = np.corrcoef(cut_out, white.mean(axis=1).reshape(92, -1))[:92, 92:]
    assert alike.argmax(axis=1).tolist() == list(range(92)), "each is most like its own"
    assert alike.diagonal()[:5].min() > 0.93


@needs_data
def test_images_are_fitted_as_asked():
    stored = kriegeskorte2008.object_images(175).batch(range(92))
    padded = kriegeskorte2008.object_images(225, fit="pad")
    shown = padded.batch(range(92))
    assert torch.equal(shown[:, :, 25:200, 25:200], stored)
    rim = shown.clone()
    rim[:, :, 25:200, 25:200] = 128 / 255
    assert torch.equal(rim, torch.full_like(rim, 128 / 255))
    white = kriegeskorte2008.object_images(225, background="white", fit="pad").batch([0])
    assert white[..., :25].min() == 1
    halved = kriegeskorte2008.object_images(35).batch(range(92))
    means = stored.reshape(92, 3, 35, 5, 35, 5).mean((3, 5))
    # bicubic with antialiasing is sharper than a mean over 5 × 5, and no more than that
    assert (halved - means).abs().mean() < 0.03
    assert padded.table.equals(kriegeskorte2008.objects())
    assert padded.parameters == {
        "kind": "92 objects", "size_px": 225, "background": "grey", "fit": "pad", "n_stimuli": 92,
    }  # fmt: skip
    assert padded.sha256 != kriegeskorte2008.object_images(225).sha256


def test_wrong_options_of_the_images_are_named():
    with pytest.raises(UsageError, match=r"background is 'gray'.*Did you mean 'grey'"):
        kriegeskorte2008.object_images(224, background="gray")
    with pytest.raises(UsageError, match="fit is 'crop'"):
        kriegeskorte2008.object_images(224, fit="crop")
    with pytest.raises(UsageError, match="size is 128; fit='pad' leaves the 175 pixels"):
        kriegeskorte2008.object_images(128, fit="pad")


# spikes


@pytest.fixture(scope="module")
def spikes():
    return zhang2011.load()


@needs_data
def test_spikes_of_132_neurons_in_21_sessions(spikes):
    assert len(spikes) == 132
    assert spikes.units["session"].nunique() == 21
    assert spikes.units["unit"].is_unique
    assert spikes.units["n_trials"].value_counts().to_dict() == {420: 125, 419: 7}
    assert {one.shape[1] for one in spikes.spikes} == {1000}
    assert spikes.times_ms[[0, 500, 999]].tolist() == [-500, 0, 499]
    assert set(np.concatenate(spikes.objects)) == set(zhang2011.OBJECTS)
    assert set(np.concatenate(spikes.positions)) == set(zhang2011.POSITIONS)
    for _, together in spikes.units.groupby("session"):
        first, *others = together.index
        assert all(np.array_equal(spikes.objects[first], spikes.objects[other]) for other in others)


@needs_data
def test_neurons_tell_conditions_apart_after_the_onset_and_not_before(spikes):
    """What is alike in two halves of the trials: nothing before IT's latency of some 100 ms, much after it."""
    population = spikes.population(100, 50)
    halves = [population.counts[rows].mean(axis=0) for rows in (slice(0, 9), slice(9, 18))]
    first, second = (half - half.mean(axis=0) for half in halves)
    alike = [np.corrcoef(first[:, t].ravel(), second[:, t].ravel())[0, 1] for t in range(len(population.times_ms))]
    early = population.times_ms + 50 <= 100  # windows that end before 100 ms
    assert np.abs(np.array(alike)[early]).max() < 0.06  # 21 × 132 numbers: standard error .019
    assert np.min(np.array(alike)[population.times_ms >= 150]) > 0.4


@needs_data
def test_counts_are_those_of_a_loop(spikes):
    binned = spikes.binned(150, 70)
    starts = list(range(0, 851, 70))
    assert binned.times_ms.tolist() == [start - 500 + 75 for start in starts]
    for unit in (0, 77, 131):
        expected = np.stack([spikes.spikes[unit][:, at : at + 150].astype(int).sum(axis=1) for at in starts], axis=1)
        assert np.array_equal(binned.counts[unit], expected)
    assert spikes.binned(1000, 1).counts[5].sum() == spikes.spikes[5].astype(int).sum()


@needs_data
def test_a_population_has_each_units_trials_by_condition(spikes):
    population = spikes.population(200, 100)
    assert population.counts.shape == (19, 21, 9, 132)
    assert population.conditions["condition"].tolist() == list(zhang2011.CONDITIONS)
    row = population.conditions.set_index("condition").loc["kiwi_upper"]
    assert (row["object"], row["position"]) == ("kiwi", "upper")
    place = zhang2011.CONDITIONS.index("kiwi_upper")
    trials = np.flatnonzero((spikes.objects[40] == "kiwi") & (spikes.positions[40] == "upper"))
    for repetition in (0, 18):
        expected = spikes.spikes[40][trials[repetition], 300:500].astype(int).sum()
        assert population.counts[repetition, place, 3, 40] == expected


@needs_data
def test_wrong_windows_are_refused(spikes):
    with pytest.raises(UsageError, match="window_ms is 1001; the recording lasts 1000 ms"):
        spikes.binned(1001, 10)
    with pytest.raises(UsageError, match="step_ms is 0; expected a whole number, at least 1"):
        spikes.population(100, 0)


# control models


@needs_data
def test_control_rdms_of_the_92_objects():
    images = kriegeskorte2008.object_images(96)
    evc, it = cichy2014.evc(), cichy2014.it()

    def mean_rho(model, brain):
        return np.mean([rho(model, subject) for subject in brain.dissimilarities])

    for rdms in (model_rdms.pixels(images), model_rdms.gabor_energy(images)):
        check_same_conditions(rdms, evc)
        assert len(rdms) == 1
    pixels = model_rdms.pixels(images).dissimilarities[0]
    expected = 1 - np.corrcoef(images.batch(range(92)).flatten(1).double().numpy())[np.triu_indices(92, 1)]
    np.testing.assert_allclose(pixels, expected, atol=1e-6)  # float32 patterns
    energy = model_rdms.gabor_energy(images).dissimilarities[0]
    assert mean_rho(energy, evc) > mean_rho(pixels, evc) > 0
    categories = model_rdms.categories(images.table)
    check_same_conditions(categories, it)
    assert categories.table["model"].tolist() == ["animal", "human", "face", "natural", "category"]
    animal = categories.dissimilarities[0]
    assert animal.sum() == 48 * 44
    assert mean_rho(animal, it) > 0.15 > mean_rho(animal, evc)


def test_gabor_energy_sees_orientation_and_not_phase():
    shown = gratings(orientations=[0, 90], spatial_frequencies=[0.25], phases=4, size=64, blank=False)
    square = model_rdms.gabor_energy(shown).square()[0]
    angles = shown.table["orientation_deg"].to_numpy()
    assert len(angles) == 8
    alike = angles[:, None] == angles
    assert square[alike].max() < 0.05  # what the two ends of the image leave of the phase
    assert square[~alike].min() > 0.9


def test_gabor_energy_is_that_of_filters_put_at_every_place():
    images = torch.rand(4, 3, 33, 20, generator=torch.Generator().manual_seed(3))
    patterns = []
    for image in images.double().mean(1).numpy():
        pairs = [[gabor(22.5 * k, phase).double().numpy() for phase in (0, 90)] for k in range(8)]
        maps = [np.hypot(*(correlate(image, filt, mode="nearest") for filt in pair)) for pair in pairs]
        patterns.append(np.concatenate([one[::2, ::2].ravel() for one in maps]))
    expected = 1 - np.corrcoef(patterns)[np.triu_indices(4, 1)]
    found = model_rdms.gabor_energy(array(images)).dissimilarities[0]  # 20 pixels: one octave
    np.testing.assert_allclose(found, expected, atol=1e-5)  # float32 filters


def test_categories_are_same_or_different():
    table = pd.DataFrame({"condition": list("abc"), "face": [True, True, False], "colour": ["red", None, None]})
    rdms = model_rdms.categories(table, ["face", "colour"])
    assert rdms.dissimilarities.tolist() == [[0, 1, 1], [1, 1, 0]]
    assert (rdms.conditions, rdms.distance) == (("a", "b", "c"), "category")
    with pytest.raises(UnknownNameError, match=r"no column of the table called 'colours'.*Did you mean 'colour'"):
        model_rdms.categories(table, ["colours"])
    with pytest.raises(UsageError, match="the conditions do not differ in face"):
        model_rdms.categories(table.iloc[:2], ["face"])
    with pytest.raises(UsageError, match="columns is empty"):
        model_rdms.categories(table, [])
