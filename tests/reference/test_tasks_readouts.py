"""Classification and similarity: planted and empty features, scikit-learn's own cross-validation, recorded RDMs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import probekit as pk
from probekit.brains import cichy2014, kriegeskorte2008
from probekit.errors import LayerError, StimulusError, UnknownNameError, UsageError
from probekit.rsa import RDMs, compare, compute_rdms
from probekit.tasks import classification, scores_under, similarity


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        yield


def bare():
    return nn.Sequential(nn.Identity(), nn.Identity()).eval()


def convolutional():
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.Conv2d(6, 4, 3)).eval()


def labelled(values, n_classes):
    """Return stimuli whose classes take turns."""
    names = [f"class {number % n_classes}" for number in range(len(values))]
    return pk.stimuli.array(values, pd.DataFrame({"category": names, "number": range(len(values))}))


def at_most(n, chance):
    """Return the share of right answers that guessing exceeds once in a thousand times."""
    return stats.binom.ppf(0.999, n, chance) / n


# classification


def test_planted_features_are_told_apart_and_noise_is_not():
    noise = torch.randn(150, 8)
    planted = noise.clone()
    planted[torch.arange(150), torch.arange(150) % 3] += 20
    for values, expected in ((planted, (1, 1)), (noise, (1 / 3 - 0.12, at_most(150, 1 / 3)))):
        stimuli = labelled(values, 3)
        task = classification(bare(), stimuli, layer="0")
        scores = task(bare())
        assert scores.shape == (150,)
        assert set(scores) <= {0, 1}
        assert expected[0] <= scores.mean() <= expected[1]
        pd.testing.assert_frame_equal(task.trials, stimuli.table)
        assert (task.unit, task.higher_is_better) == ("", True)


def test_no_stimulus_is_tested_by_a_read_out_that_has_seen_it():
    """A feature that is a stimulus's own would give it away."""
    stimuli = labelled(torch.eye(120), 2)
    assert classification(bare(), stimuli, layer="0")(bare()).mean() <= at_most(120, 0.5)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(("n_folds", "penalty", "seed"), [(5, 1.0, 0), (3, 10.0, 7)])
def test_every_answer_is_that_of_scikit_learn_on_the_same_folds(n_classes, n_folds, penalty, seed):
    values = torch.randn(130, 12)
    values[torch.arange(130), torch.arange(130) % n_classes] += 1.2
    values[:, 5] = 3.0  # tells nothing, and has no deviation
    stimuli = labelled(values, n_classes)
    task = classification(bare(), stimuli, layer="0", n_folds=n_folds, penalty=penalty, seed=seed)
    names, expected = stimuli.table["category"].to_numpy(), np.zeros(130)
    for training, tested in StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(values, names):
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=1 / penalty, max_iter=1000))
        fitted.fit(values.double().numpy()[training], names[training])
        expected[tested] = fitted.predict(values.double().numpy()[tested]) == names[tested]
    np.testing.assert_array_equal(task(bare()), expected)
    assert 1 / n_classes + 0.1 < expected.mean() < 0.95  # neither chance nor all


def test_silencing_what_tells_brings_chance_and_silencing_the_rest_does_nothing():
    values = torch.randn(100, 6)
    values[:, 2] = torch.where(torch.arange(100) % 2 == 1, 5.0, -5.0) + 0.1 * torch.randn(100)
    network = bare()
    task = classification(network, labelled(values, 2), layer="0")
    intact, told, noise, elsewhere = scores_under(network, task, [{}, {"0": 2}, {"0": 4}, {"1": 2}])
    assert intact.mean() == 1
    assert told.mean() <= at_most(100, 0.5)
    np.testing.assert_array_equal(noise, intact)
    np.testing.assert_array_equal(elsewhere, intact)  # which the read-out does not see


class ChannelsLast(nn.Module):
    """As in ConvNeXt: a linear layer over the last axis of maps."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(4, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.mix(x.permute(0, 2, 3, 1)))


class Tokens(ChannelsLast):
    def forward(self, x):
        return self.act(self.mix(x.flatten(2).transpose(1, 2)))


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = nn.Conv1d(4, 4, 1)

    def forward(self, x):
        return self.act(x.mean(-1))


@pytest.mark.parametrize("size", [4, 5])  # as many places as channels, and more
@pytest.mark.parametrize("make", [ChannelsLast, Tokens, Rows, lambda: nn.ModuleDict({"act": nn.Conv2d(4, 4, 1)})])
def test_what_is_averaged_are_places_wherever_the_channels_are(make, size):
    """Told by one channel's mean over places; the mean over channels, at each place, tells nothing."""
    network = make()
    if isinstance(network, nn.ModuleDict):
        network.forward = network["act"].forward
        network = nn.Sequential(network["act"])
        layer = "0"
    else:
        layer = "act"
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
            module.weight.copy_(torch.eye(4).reshape(module.weight.shape))
            module.bias.fill_(9)  # so that a rectification changes nothing
    values = torch.randn(60, 4, size, size)
    values[:, 0] += torch.where(torch.arange(60) % 2 == 1, 2.0, -2.0)[:, None, None]
    values -= values.mean(1, keepdim=True)
    task = classification(network.eval(), labelled(values, 2), layer=layer)
    assert task(network).mean() == 1
    seen = values.mean((2, 3)).numpy() + 9
    expected = classification(bare(), labelled(seen, 2), layer="0")
    for lesion, units in (({layer: 0}, {"0": 0}), ({layer: [1, 2]}, {"0": [1, 2]})):
        (found,), (wanted,) = scores_under(network, task, [lesion]), scores_under(bare(), expected, [units])
        np.testing.assert_array_equal(found, wanted)


def test_sequences_are_averaged_over_steps():
    network = nn.Sequential(nn.RNN(3, 3, bias=False, batch_first=True)).eval()
    network[0].weight_ih_l0.copy_(torch.eye(3))
    network[0].weight_hh_l0.zero_()
    values = 0.3 * torch.randn(60, 7, 3)
    values[:, :, 1] += torch.where(torch.arange(60) % 2 == 1, 0.5, -0.5)[:, None]
    task = classification(network, labelled(values, 2), layer="0:output")
    seen = classification(bare(), labelled(values.tanh().mean(1), 2), layer="0")
    np.testing.assert_array_equal(task(network), seen(bare()))
    assert scores_under(network, task, [{"0:h_l0": 1}, {"0:h_l0": 0}]).mean(1) == pytest.approx([0.5, 1], abs=0.15)


def test_the_stimuli_are_prepared_as_the_network_takes_them():
    card = pk.Card("toy", "none", (4,), "nothing")
    entry = pk.Entry(bare(), lambda batch: -3 * batch, card)
    stimuli = labelled(torch.randn(30, 4), 2)
    task = classification(entry, stimuli, layer="0")
    torch.testing.assert_close(task.inputs, -3 * stimuli.batch(range(30)))
    assert task(entry).shape == (30,)
    with pytest.raises(StimulusError, match="stimuli are 5; 'toy' takes 4"):
        classification(entry, labelled(torch.randn(30, 5), 2), layer="0")


def test_labels_and_layers_that_cannot_be_learned_are_refused():
    stimuli = labelled(torch.randn(30, 4), 2)
    few = pk.stimuli.array(torch.randn(9, 4), pd.DataFrame({"category": list("aaaaabbbb")}))
    same = pk.stimuli.array(torch.randn(9, 4), pd.DataFrame({"category": ["a"] * 9}))
    gaps = pk.stimuli.array(torch.randn(12, 4), pd.DataFrame({"category": [*"aaaaabbbbb", None, np.nan]}))
    for shown, options, kind, match in (
        (stimuli, {"label": "categorie"}, UnknownNameError, "categorie'.*Did you mean 'category'"),
        (few, {}, UsageError, "'category' has 2 classes, the smallest of 4; expected at least 2 classes of 5 stimuli"),
        (same, {}, UsageError, "'category' has 1 classes"),
        (gaps, {}, UsageError, "'category' is missing for 2 of 12 stimuli; leave those out"),
        (stimuli, {"n_folds": 1}, UsageError, "n_folds is 1"),
        (stimuli, {"penalty": 0}, UsageError, "penalty is 0"),
        (stimuli, {"layer": "5"}, LayerError, "no layer '5'"),
    ):
        with pytest.raises(kind, match=match):
            classification(bare(), shown, **{"layer": "0"} | options)
    assert classification(bare(), few, layer="0", n_folds=4)(bare()).shape == (9,)


# similarity


def region_of(conditions, n_subjects=3, seed=0):
    rng = np.random.default_rng(seed)
    n_pairs = len(conditions) * (len(conditions) - 1) // 2
    table = pd.DataFrame({"subject": range(1, n_subjects + 1)})
    return RDMs(rng.random((n_subjects, n_pairs)), tuple(conditions), table, "correlation")


def shown_as(conditions):
    return pk.stimuli.array(torch.rand(len(conditions), 3, 8, 8), pd.DataFrame({"condition": conditions}))


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize(("distance", "measure"), [("correlation", "spearman"), ("euclidean", "pearson")])
def test_similarity_is_that_of_recorded_activity(standardize, distance, measure):
    conditions = [f"c{number}" for number in range(12)]
    network, region, stimuli = convolutional(), region_of(conditions), shown_as(conditions[::-1])  # in another order
    options = {"distance": distance, "measure": measure, "standardize": standardize}
    task = similarity(network, stimuli, region, layer="0", **options)
    lesions = [{}, {"0": [1, 2]}, {"0": 3}]
    found = scores_under(network, task, lesions)
    assert found.shape == (3, 3)
    np.testing.assert_allclose(task(network, batch_size=5), found[0], atol=1e-4)  # ranks of float32 activity
    for lesion, scores in zip(lesions, found, strict=True):
        if lesion:
            with pk.lesion(network, lesion):
                seen = pk.record(network, stimuli, layers="0").responses("0")
        else:
            seen = pk.record(network, stimuli, layers="0").responses("0")
        rdms = compute_rdms(seen, conditions=conditions[::-1], distance=distance, standardize=standardize)
        expected = compare(rdms, region.select(conditions[::-1]), measure=measure)[0]
        np.testing.assert_allclose(scores, expected, atol=1e-4)


@pytest.mark.parametrize("standardize", [True, False])
def test_a_layer_that_is_silenced_whole_is_like_nothing(standardize):
    conditions = [f"c{number}" for number in range(8)]
    network = convolutional()
    stimuli, region = shown_as(conditions), region_of(conditions)
    reference = pk.record(network, torch.rand(5, 3, 8, 8), layers="0")
    task = similarity(network, stimuli, region, layer="0", standardize=standardize)
    assert np.isnan(scores_under(network, task, [{"0": None}, {"0": None}])).all()
    found = scores_under(network, task, [{"0": [0, 1, 2, 3, 4]}, {}])
    assert np.isfinite(found).all()
    if standardize:  # which leaves out what is the same for all stimuli
        assert np.isnan(scores_under(network, task, [{"0": None}], "mean", reference=reference)).all()
        alone = torch.nn.functional.conv2d(stimuli.batch(range(8)), network[0].weight[5:], network[0].bias[5:])
        rdms = compute_rdms(alone.flatten(1), conditions=conditions, standardize=True)
        np.testing.assert_allclose(found[0], compare(rdms, region)[0], atol=1e-4)


def test_a_layer_that_is_alike_by_construction_scores_one():
    conditions = [f"c{number}" for number in range(10)]
    network, stimuli = convolutional(), shown_as(conditions)
    seen = pk.record(network, stimuli, layers="2").responses("2")
    region = compute_rdms(seen, conditions=conditions, standardize=True)
    task = similarity(network, stimuli, region, layer="2")
    assert task(network) == pytest.approx([1], abs=1e-3)  # ranks of float32 activity
    (lesioned,) = scores_under(network, task, [{"0": [0, 1, 2, 3]}])
    assert lesioned[0] < 0.98


def test_conditions_that_are_not_those_of_the_region_are_refused():
    region = region_of([f"c{number}" for number in range(4)])
    for conditions, match in (
        (["c0", "c1", "c2", "d"], "stimuli are of 4 conditions, 4 stimuli; the region has 4"),
        (["c0", "c1", "c2"], "stimuli are of 3 conditions"),
        (["c0", "c1", "c2", "c3", "c3"], "stimuli are of 4 conditions, 5 stimuli; .* one stimulus of each"),
    ):
        with pytest.raises(UsageError, match=match):
            similarity(convolutional(), shown_as(conditions), region, layer="0")
    with pytest.raises(UnknownNameError, match="no column of the stimulus table called 'condition'"):
        similarity(convolutional(), labelled(torch.rand(4, 3, 8, 8), 2), region, layer="0")
    stimuli = shown_as(list(region.conditions))
    for option in ("distance", "measure"):
        with pytest.raises(UsageError, match=f"{option} is 'spaerman'; .* Did you mean 'spearman'"):
            similarity(convolutional(), stimuli, region, layer="0", **{option: "spaerman"})
    with pytest.raises(UsageError, match="region is a DataFrame"):
        similarity(convolutional(), stimuli, region.table, layer="0")
    for shown in (torch.rand(4, 3, 8, 8), None):
        with pytest.raises(UsageError, match="stimuli is a"):
            similarity(convolutional(), shown, region, layer="0")
        with pytest.raises(UsageError, match="stimuli is a"):
            classification(convolutional(), shown, layer="0")


@pytest.mark.data
def test_a_trained_network_is_like_the_it_of_fifteen_people_and_less_so_without_half_its_units():
    entry = pk.zoo.load("efficientnet-lite0", input_shape=(3, 112, 112))
    stimuli, region = kriegeskorte2008.object_images(112), cichy2014.it()
    layer = "bn2.act"
    task = similarity(entry, stimuli, region, layer=layer)
    intact, lesioned = scores_under(entry, task, [{}, {layer: list(range(0, 1280, 2))}])
    assert intact.shape == lesioned.shape == (15,)
    recorded = pk.record(entry, stimuli, layers=layer)[layer].values
    silenced = recorded.copy()
    silenced[:, ::2] = 0
    for activity, scores in ((recorded, intact), (silenced, lesioned)):
        rdms = compute_rdms(activity.reshape(92, -1), conditions=region.conditions, standardize=True)
        np.testing.assert_allclose(scores, compare(rdms, region)[0], atol=1e-4)  # ranks of float32 activity
    assert intact.mean() > 0.05
    assert not np.allclose(intact, lesioned)
