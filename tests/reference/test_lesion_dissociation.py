"""Double dissociation and recovery, in networks in which two codes, and a redundant one, are planted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from probekit.analyses.lesion_effect import double_dissociation, recovery
from probekit.errors import LayerError, UsageError
from probekit.stats import two_sided_p
from probekit.tasks import Task, scores_under


class Sums(nn.Module):
    """What hidden units give to each of two outputs is their weight."""

    def __init__(self, weights):
        super().__init__()
        self.hidden = nn.Identity()
        self.weights = torch.as_tensor(weights, dtype=torch.float32)

    def forward(self, x):
        return self.hidden(x) @ self.weights


def two_codes(shared=0.0):
    """Units 0 to 4 give to the first output, 5 to 9 to the second, and all `shared` to both."""
    weights = np.repeat(np.eye(2), 5, axis=0) + shared
    return Sums(weights).eval()


def outputs(n_units=10, *, better=True, unit=""):
    inputs = torch.rand(20, n_units, generator=torch.Generator().manual_seed(0)) + 0.5
    sign = 1 if better else -1
    return tuple(
        Task(f"output {one}", unit, inputs, lambda said, _, one=one: sign * said[:, one], better) for one in (0, 1)
    )


FIRST, SECOND = np.arange(5), np.arange(5, 10)


@pytest.mark.parametrize("better", [True, False])
def test_two_sets_for_two_tasks_are_a_double_dissociation(better):
    network, tasks = two_codes(), outputs(better=better)
    found = double_dissociation(network, "hidden", (FIRST, SECOND), tasks)
    assert found.is_double
    assert found.p <= 0.05
    lost = tasks[0].inputs.mean(0).numpy()
    expected = [[lost[:5].sum(), 0], [0, lost[5:].sum()]]
    np.testing.assert_allclose(found.harm, expected, rtol=1e-5, atol=1e-5)
    assert found.interaction == pytest.approx(lost.sum(), rel=1e-5)
    assert found.p == two_sided_p(found.interaction, found.null, within=1e-5)
    turned = double_dissociation(network, "hidden", (SECOND, FIRST), tasks)
    assert turned.interaction == pytest.approx(-found.interaction)
    assert not turned.is_double


def test_p_is_the_share_of_divisions_by_hand():
    """Of the 252 divisions of ten units in two fives, those with all in their places are 2: that, and its mirror."""
    network, tasks = two_codes(), outputs()
    harm = scores_under(network, tasks[0], [{}, *({"hidden": [one]} for one in range(10))]).mean(1)
    own = harm[0] - harm[1:]
    other = scores_under(network, tasks[1], [{}, *({"hidden": [one]} for one in range(10))]).mean(1)
    gain = own - (other[0] - other[1:])
    every = {round(2 * gain[list(one)].sum() - gain.sum(), 3) for one in itertools.combinations(range(10), 5)}
    found = double_dissociation(network, "hidden", (FIRST, SECOND), tasks, n_deals=1000)
    assert {round(one, 3) for one in found.null} <= {
        round(one + step, 3) for one in every for step in (-0.001, 0, 0.001)
    }
    assert found.p < 0.03


def test_sets_that_both_matter_for_both_are_not_double():
    network, tasks = Sums(np.ones((10, 2))).eval(), outputs()
    found = double_dissociation(network, "hidden", (FIRST, SECOND), tasks)
    assert found.p == 1
    assert not found.is_double
    np.testing.assert_allclose(found.harm[:, 0], found.harm[:, 1], rtol=1e-5)


def test_one_set_that_matters_for_one_task_is_a_single_dissociation():
    """The first set has all of both codes, more of the first: the interaction is sure, and no crossing."""
    weights = np.zeros((10, 2))
    weights[:5] = [3, 1]
    found = double_dissociation(Sums(weights).eval(), "hidden", (FIRST, SECOND), outputs())
    assert found.p <= 0.05
    assert found.interaction > 0
    assert not found.is_double


def test_a_common_part_changes_no_interaction():
    alone, common = (
        double_dissociation(two_codes(shared), "hidden", (FIRST, SECOND), outputs()) for shared in (0.0, 2.0)
    )
    assert common.interaction == pytest.approx(alone.interaction, rel=1e-4)
    assert common.is_double


def test_the_same_seed_gives_the_same_deals():
    one, same, other = (
        double_dissociation(two_codes(), "hidden", (FIRST, SECOND), outputs(), seed=seed, n_deals=30)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.null, same.null)
    assert not np.array_equal(one.null, other.null)


@pytest.mark.parametrize(
    ("sets", "tasks", "options", "said"),
    [
        ((FIRST,), outputs(), {}, "1 sets and 2 tasks were given"),
        ((FIRST, SECOND), outputs()[:1], {}, "2 sets and 1 tasks were given"),
        ((FIRST, [4, 5]), outputs(), {}, r"share units \[4\]"),
        ((FIRST, []), outputs(), {}, "or are empty"),
        ((FIRST, np.arange(10) > 4), outputs(), {}, "a set holds bool"),
        ((FIRST, [5.5]), outputs(), {}, "a set holds float64"),
        ((FIRST, SECOND), (outputs()[0], outputs(unit="cm")[1]), {}, "'' and 'cm'"),
        ((FIRST, SECOND), (len, len), {}, "expected two of probekit.tasks"),
        ((FIRST, SECOND), outputs(), {"n_deals": 5}, "n_deals is 5; expected at least 20"),
        ((FIRST, [5, 99]), outputs(), {}, "99"),
    ],
)
def test_what_is_no_double_dissociation_is_refused(sets, tasks, options, said):
    with pytest.raises(UsageError, match=said):
        double_dissociation(two_codes(), "hidden", sets, tasks, **options)


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(LayerError, match="hiden"):
        double_dissociation(two_codes(), "hiden", (FIRST, SECOND), outputs())


# recovery


class Coded(nn.Module):
    """A signal in unit 0, and, where the code is redundant, in units 1 to 4 too; the read-out is learned outside."""

    def __init__(self, redundant):
        super().__init__()
        self.hidden, self.redundant = nn.Identity(), redundant

    def forward(self, x):
        copies = x[:, :1].expand(-1, 4) if self.redundant else x[:, 1:5]
        return self.hidden(torch.cat([x[:, :1], copies], -1))


def learned(network, inputs, n_training):
    """Return the task of telling the first input's sign, by least squares on some trials, and tested on the others."""
    training, tested = inputs[:n_training], inputs[200:]
    with torch.no_grad():
        weights = torch.linalg.lstsq(network(training), training[:, :1].sign(), driver="gelsd").solution
    right = tested[:, 0].sign()
    return Task("sign", "", tested, lambda said, rows: ((said @ weights)[:, 0].sign() == right[rows]).float(), True)


@pytest.mark.parametrize("redundant", [True, False])
def test_a_redundant_code_recovers_and_another_does_not(redundant):
    network = Coded(redundant).eval()
    inputs = torch.randn(400, 5, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():  # a read-out that has learned to look at unit 0 alone
        before = Task(
            "sign", "", inputs[200:],
            lambda said, rows: (said[:, 0].sign() == inputs[200:][rows][:, 0].sign()).float(), True,
        )  # fmt: skip
    found = recovery(
        network, before, lambda n: learned(network, inputs, n), {"intact": {}, "unit 0": {"hidden": [0]}}, [10, 200]
    )
    assert found.columns.tolist() == ["lesion", "amount", "score", "score_low", "score_high"]
    assert found[["lesion", "amount"]].to_numpy().tolist() == [
        ["intact", 0], ["intact", 10], ["intact", 200], ["unit 0", 0], ["unit 0", 10], ["unit 0", 200]
    ]  # fmt: skip
    scores = found.set_index(["lesion", "amount"])["score"]
    assert scores["intact", 0] == 1
    assert scores["intact", 200] > 0.95
    assert scores["unit 0", 0] == 0  # the sign of 0 is neither
    assert (scores["unit 0", 200] > 0.95) == redundant
    if not redundant:
        assert scores["unit 0", 200] == pytest.approx(0.5, abs=0.1)
    assert ((found["score_low"] <= found["score"]) & (found["score"] <= found["score_high"])).all()
    assert not network.hidden._forward_hooks
