"""Scores under many lesions against a loop over single ones."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import probekit as pk
from probekit.errors import LayerError, ModelError, UsageError
from probekit.lesions import Target
from probekit.network import weights_hash
from probekit.tasks import Task, scores_under, under_lesions

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
"""float32, summed in another order in larger batches."""


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        yield


def convolutional():
    return nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 4, 3), nn.Flatten())


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.inner = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        x = self.first(x).relu()
        x = x + self.inner(x).relu()
        return self.last(x.mean((-2, -1)))


class Recurrent(nn.Module):
    def __init__(self, kind=nn.LSTM, **options):
        super().__init__()
        self.embed = nn.Linear(3, 3)
        self.rnn = kind(3, 5, batch_first=True, **options)
        self.read = nn.Linear(5, 2)

    def forward(self, x):
        return self.read(self.rnn(self.embed(x))[0])


class Both(Recurrent):
    """Reads the last output and the last state, whose batch axis is the second."""

    def forward(self, x):
        output, state = self.rnn(self.embed(x))
        return torch.cat([self.read(output[:, -1]), state[-1]], 1)


def task_of(x, layer=""):
    """Return a task whose scores depend on the trial and on everything that is read of it."""
    wanted = torch.rand(len(x), generator=torch.Generator().manual_seed(1))
    return Task("far", "", x, lambda said, rows: said.flatten(1).square().mean(1) - wanted[rows], False, layer)


def one_by_one(network, task, lesions, how="zero", **change):
    scores = []
    for lesion in lesions:
        if lesion:
            with pk.lesion(network, lesion, how, **change):
                scores.append(task(network))
        else:
            scores.append(task(network))
    return np.stack(scores)


def check(network, task, lesions, how="zero", **change):
    """Compare with the loop; a lesion that does nothing would prove nothing."""
    before = weights_hash(network)
    found = scores_under(network, task, lesions, how, **change)
    np.testing.assert_allclose(found, one_by_one(network, task, lesions, how, **change), **CLOSE)
    assert not np.allclose(found, task(network), **CLOSE)
    assert weights_hash(network) == before
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    return found


IMAGES, STEPS = (3, 8, 8), (6, 3)
CASES = {
    "convolutional": (convolutional, IMAGES, [{"0": 1}, {"1": [0, 2]}, {"2": 3}, {}, {"0": None}, {"0": 1, "2": 0}]),
    "places": (convolutional, IMAGES, [{"0": Target(1, y=slice(0, 4))}, {"0": Target(x=2)}, {"0": [1, 2]}]),
    "residual": (Residual, IMAGES, [{"inner": 0}, {"inner": [1, 2]}, {"inner": 3}, {}]),
    "residual, both": (Residual, IMAGES, [{"first": 0}, {"first": 1}, {"inner": 0}, {"inner": 1}, {"first": 2}]),
    "LSTM, read": (Recurrent, STEPS, [{"rnn:output": unit} for unit in range(5)]),
    "LSTM, inside": (Recurrent, STEPS, [{"rnn:h_l0": 0}, {"rnn:c_l0": [1, 2]}, {"rnn:f_l0": 3}, {}]),
    "LSTM, all": (Recurrent, STEPS, [{"embed": 0}, {"rnn:h_l0": 1}, {"rnn:output": 2}, {"embed": 1, "rnn:c_l0": 0}]),
    "GRU": (lambda: Recurrent(nn.GRU), STEPS, [{"rnn:h_l0": 0}, {"rnn:z_l0": [1, 2]}, {"rnn:output": 3}]),
    "RNN": (lambda: Recurrent(nn.RNN), STEPS, [{"rnn:h_l0": 0}, {"rnn:h_l0": [1, 2]}, {"rnn:output": 3}]),
    "windows in time": (Recurrent, STEPS, [{"rnn:h_l0": Target(0, times=2)}, {"rnn:c_l0": Target(times=[0, 4])}, {}]),
    "windows, copied": (Recurrent, STEPS, [{"embed": 0}, {"rnn:h_l0": Target(0, times=slice(1, 3))}, {"rnn:h_l0": 1}]),
    "output and state": (lambda: Both(nn.GRU), STEPS, [{"rnn:output": 0}, {"rnn:output": [1, 2]}]),
    "one lesion": (convolutional, IMAGES, [{"0": 1}]),
    "rows of a table": (
        convolutional, IMAGES, [pd.DataFrame({"layer": layers, "channel": 1}) for layers in (["0"], ["0", "2"], ["1"])]
    ),
    "names": (convolutional, IMAGES, ["0", ["1", "2"], "?"]),
}  # fmt: skip


@pytest.mark.parametrize("memory", ["ample", "scarce"])
@pytest.mark.parametrize("case", CASES)
def test_many_lesions_score_as_single_ones(case, memory, monkeypatch):
    make, shape, lesions = CASES[case]
    network, x = make().eval(), torch.randn(5, *shape)
    if memory == "scarce":  # two lesions a pass, of four stimuli and then of one
        monkeypatch.setattr(under_lesions, "_NUMBERS", 9 * (5 * 64 if shape == IMAGES else 18))
    if isinstance(lesions[0], pd.DataFrame | str):
        found = scores_under(network, task_of(x), lesions)
        for one, scores in zip(lesions, found, strict=True):
            with pk.lesion(network, one):
                np.testing.assert_allclose(scores, task_of(x)(network), **CLOSE)
    else:
        check(network, task_of(x), lesions)


def test_passes_are_as_many_as_memory_asks_for(monkeypatch):
    network, x = convolutional().eval(), torch.randn(8, *IMAGES)
    lesions = [{"0": unit % 5, "2": unit % 4} for unit in range(20)]
    sizes = []
    network[0].register_forward_hook(lambda module, args, output: sizes.append(len(output)))
    generous = scores_under(network, task_of(x), lesions)
    assert sizes[-1] == 8  # one pass, copied after the first layer
    ample, reported = len(sizes), []
    monkeypatch.setattr(under_lesions, "_NUMBERS", 5 * 64 * 16)
    tight = scores_under(network, task_of(x), lesions, progress=lambda *told: reported.append(told))
    assert len(sizes) - ample > 2 * 5  # four lesions a pass, of four stimuli
    assert reported == [("lesions", done, 40) for done in range(0, 44, 4)]
    np.testing.assert_allclose(tight, generous, **CLOSE)


@pytest.mark.parametrize("layer", ["rnn:output", "rnn:h_l0", "embed", "read"])
def test_a_layer_is_read_before_at_and_after_the_lesion(layer):
    network, x = Recurrent().eval(), torch.randn(7, *STEPS)
    lesions = [{"embed": 0}, {"rnn:h_l0": 1}, {"rnn:output": 2}, {"read": 0}, {}]
    check(network, task_of(x, layer), lesions)
    for lesion in lesions[:-1]:
        pair = [lesion, {}]
        np.testing.assert_allclose(
            scores_under(network, task_of(x, layer), pair), one_by_one(network, task_of(x, layer), pair), **CLOSE
        )


def test_points_of_a_trial_stay_apart():
    network, x = Recurrent().eval(), torch.randn(7, *STEPS)
    task = Task("steps", "", x, lambda said, _: said[..., 0], True)
    assert check(network, task, [{"rnn:h_l0": Target(1, times=3)}, {"rnn:output": 0}, {}]).shape == (3, 7, 6)


@pytest.mark.parametrize("memory", [8_000_000, 5 * 64 * 9])
def test_scores_over_a_set_see_all_its_stimuli(memory, monkeypatch):
    monkeypatch.setattr(under_lesions, "_NUMBERS", memory)
    network, x = convolutional().eval(), torch.randn(7, *IMAGES)
    task = Task("spread", "", x, lambda said, _: said.flatten(1).std(0)[:3], True, over_set=True, layer="2")
    assert check(network, task, [{"0": 1}, {"0": 2}, {}, {"1": 0}]).shape == (4, 3)


def test_lesions_that_are_all_empty_leave_the_network_intact():
    network, x = convolutional().eval(), torch.randn(7, *IMAGES)
    for nothing in ({}, MappingProxyType({})):
        found = scores_under(network, task_of(x), [nothing, nothing])
        np.testing.assert_array_equal(found, [task_of(x)(network)] * 2)


def test_lesions_add_to_those_that_the_network_is_already_under():
    network, x = Recurrent().eval(), torch.randn(7, *STEPS)
    lesions = [{"rnn:h_l0": 1}, {"rnn:output": 2}, {"embed": 1}, {}]
    for outer in ({"rnn:h_l0": Target(0, times=[1, 2])}, {"embed": 0}, {"rnn:output": 0}):
        with pk.lesion(network, outer):
            check_all = scores_under(network, task_of(x), lesions)
            np.testing.assert_allclose(check_all, one_by_one(network, task_of(x), lesions), **CLOSE)


# ways of changing activity


# "resample" and "noise" draw by design, and a recording warns of every network that does
RANDOM = pytest.mark.filterwarnings("ignore:the network is random in eval mode")


@RANDOM
@pytest.mark.parametrize("how", ["mean", "scale", "resample", "noise"])
@pytest.mark.parametrize("kind", ["maps", "recurrent", "recurrent, copied"])
def test_every_way_of_changing_activity_scores_as_single_lesions(kind, how):
    """Draws are those of the number of the pass, so random ones agree where all trials share one, as here."""
    if kind == "maps":
        network, shape = convolutional().eval(), IMAGES
        lesions = [{"0": 1}, {"0": [0, 2]}, {"2": 3}, {}, {"0": None, "2": 1}]
    else:
        network, shape = Recurrent().eval(), STEPS
        lesions = [{"rnn:h_l0": 1}, {"rnn:h_l0": [2, 3], "rnn:output": 0}, {"rnn:c_l0": Target(0, times=[1, 2])}, {}]
        lesions += [{"embed": 1}] if kind == "recurrent, copied" else []
    change = {"amount": 0.5} if how in ("scale", "noise") else {}
    if how != "scale":
        change["reference"] = pk.record(network, torch.randn(9, *shape), layers=["*"])
    check(network, task_of(torch.randn(7, *shape)), lesions, how, **change)


@RANDOM
@pytest.mark.parametrize("how", ["resample", "noise"])
def test_random_draws_are_the_same_for_every_lesion_and_every_call_of_the_same_size(how, monkeypatch):
    """In passes of other sizes other numbers fall on a trial: only what does not depend on the draw can be compared."""
    network, x = convolutional().eval(), torch.randn(40, *IMAGES)
    reference = pk.record(network, torch.randn(9, *IMAGES), layers="0")
    lesions = [{"0": 1}, {"0": 2}, {"0": 1}, {}, {"0": [1, 2]}, {"0": 1}]
    scored = partial(scores_under, network, task_of(x), lesions, how, reference=reference)
    ample = scored()
    monkeypatch.setattr(under_lesions, "_NUMBERS", 5 * 64 * 8)  # two lesions of four stimuli
    scarce = scored()
    for found in (ample, scarce):
        np.testing.assert_allclose(found[2], found[0], **CLOSE)
        np.testing.assert_allclose(found[5], found[0], **CLOSE)  # also in another pass
        np.testing.assert_allclose(found[3], task_of(x)(network), **CLOSE)
        assert not np.allclose(found[1], found[0], **CLOSE)
    np.testing.assert_array_equal(scored(), scarce)
    assert not np.allclose(scored(seed=1)[0], scarce[0], **CLOSE)
    assert not np.allclose(ample[0], scarce[0], **CLOSE)
    # 40 trials of each: their means differ by less than 4 standard errors
    spread = ample[0].std() + scarce[0].std()
    assert abs(ample[0].mean() - scarce[0].mean()) < 4 * spread / np.sqrt(40)


# functions in the place of tasks


def test_a_function_is_called_once_a_lesion_with_what_was_given():
    entry = pk.Entry(convolutional().eval(), None, pk.Card("toy", "CNN", IMAGES, "nothing"))
    task, asked, told = task_of(torch.randn(7, *IMAGES)), [], []

    def function(network):
        asked.append(network)
        return task(network)

    lesions = [{"0": 1}, {}, {"1": [0, 2]}]
    found = scores_under(entry, function, lesions, "scale", amount=0.5, progress=lambda *one: told.append(one))
    assert asked == [entry] * 3
    assert told == [("lesions", done, 3) for done in range(4)]
    np.testing.assert_allclose(found, scores_under(entry, task, lesions, "scale", amount=0.5), **CLOSE)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(2.5, [2.5]), ([1, 2], [1, 2]), (torch.ones(2, dtype=torch.bfloat16), [1, 1]), (np.array([True, False]), [1, 0]),
     (pd.Series([1.0, np.nan]), [1, np.nan]), (torch.ones(1, 2, requires_grad=True), [[1, 1]])],
)  # fmt: skip
def test_a_function_may_return_scores_in_any_usual_form(given, expected):
    found = scores_under(convolutional().eval(), lambda _: given, [{"0": 1}, {}])
    np.testing.assert_array_equal(found, [expected] * 2)
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (None, "task gave a NoneType; expected scores, one a trial"),
        ("0.5", "task gave a str"),
        ({"score": 1.0}, "task gave a dict"),
        ([[1.0], [1.0, 2.0]], "task gave a list"),
        (np.array([1j]), "task gave a ndarray"),
        (np.zeros((2, 3, 4)), r"scores of shape \(2, 3, 4\); expected \(trial,\) or \(trial, point\)"),
        ([], r"scores of shape \(0,\)"),
    ],
)
def test_a_function_that_gives_no_scores_is_refused(given, match):
    with pytest.raises(UsageError, match=match):
        scores_under(convolutional().eval(), lambda _: given, [{"0": 1}])


def test_a_function_that_gives_other_trials_under_other_lesions_is_refused():
    lengths = iter([3, 4])
    with pytest.raises(UsageError, match=r"scores of shapes \[\(3,\), \(4,\)\]; expected the same trials"):
        scores_under(convolutional().eval(), lambda _: np.zeros(next(lengths)), [{"0": 1}, {"0": 2}])


# what is refused


def test_misuse_is_refused_in_words():
    network, task = convolutional().eval(), task_of(torch.randn(7, *IMAGES))
    for lesions, match in (
        ([], "lesions is an empty list; expected a list of at least one lesion"),
        ({"0": 1}, "lesions is a dict"),
        ("0", "lesions is a str"),
        (pd.DataFrame({"layer": ["0"], "channel": [1]}), "lesions is a DataFrame"),
    ):
        for one in (task, lambda network: [1.0]):
            with pytest.raises(UsageError, match=match):
                scores_under(network, one, lesions)
    with pytest.raises(UsageError, match="network is a str; expected a torch"):
        scores_under("network", task, [{"0": 1}])
    with pytest.raises(UsageError, match="task is a str; expected a Task, or a function from a network to scores"):
        scores_under(network, "task", [{"0": 1}])
    with pytest.raises(LayerError, match=r"units 5 do not exist in layer '0'"):
        scores_under(network, task, [{"0": 1}, {"0": 5}])
    with pytest.raises(UsageError, match="how='mean' needs a reference"):
        scores_under(network, task, [{"0": 1}], "mean")
    with pytest.raises(ModelError, match="Sequential raised RuntimeError in task 'far'"):
        scores_under(network, task_of(torch.randn(7, 2, 8, 8)), [{"0": 1}, {"0": 2}])
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_what_comes_before_the_lesion_runs_once_for_all_lesions_of_a_batch(monkeypatch):
    network, x = convolutional().eval(), torch.randn(8, *IMAGES)
    lesions = [{"2": unit % 4} for unit in range(20)]
    expected, ran = one_by_one(network, task_of(x), lesions), []
    forward = network[0].forward
    monkeypatch.setattr(network[0], "forward", lambda given: (ran.append(len(given)), forward(given))[1])
    monkeypatch.setattr(under_lesions, "_NUMBERS", 4 * 36 * 16)
    np.testing.assert_allclose(scores_under(network, task_of(x), lesions), expected, **CLOSE)
    shown = [n for n in ran if n == 4]
    assert len(shown) <= 2 + 2  # a batch of four stimuli twice, and once each when it was tried
