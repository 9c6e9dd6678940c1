"""What the lesion analysis refuses, and the words that it uses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from probekit.analyses import lesion_effect
from probekit.errors import LayerError, UnknownNameError, UsageError
from probekit.tasks import Task, reconstruction

N_UNITS = 12


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.unused = nn.ReLU(), nn.ReLU()

    def forward(self, x):
        return self.hidden(x)


INPUTS = torch.rand(6, N_UNITS, generator=torch.Generator().manual_seed(0))
TASK = reconstruction(INPUTS)
UNITS = pd.DataFrame({
    "layer": "hidden", "channel": range(N_UNITS), "score": np.linspace(0, 1, N_UNITS), "size": 1.0, "said": "a",
    "empty": np.nan,
})  # fmt: skip
QUICK = {"doses": (0.25,), "n_sham": 20, "n_single": 0, "n_pairs": 0}


def lesioned(network=None, task=TASK, rank_by="score", units=UNITS, **options):
    return lesion_effect(network or Network().eval(), task, rank_by, units=units, **QUICK | options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"doses": ()}, r"doses are \(\); expected shares"),
        ({"doses": (0.1, 1.0)}, "above 0 and below 1"),
        ({"doses": (0.0,)}, "above 0 and below 1"),
        ({"doses": (np.nan,)}, "above 0 and below 1"),
        ({"doses": 0.1}, "doses are 0.1; expected shares"),
        ({"doses": "half"}, "doses is str; expected an array of numbers"),
        ({"doses": (0.1, 0.99)}, "dose 0.99 takes 12 of 12 units: a target as large as the layer has no sham"),
        ({"n_sham": 19}, "n_sham is 19; expected at least 20"),
        ({"n_sham": 100.0}, "n_sham is 100.0; expected at least 20, a whole number"),
        ({"n_single": -1}, "n_single is -1"),
        ({"n_pairs": 2.5}, "n_pairs is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"method": "near"}, "method is 'near'; allowed: 'nearest', 'stratified'"),
        ({"how": "cut"}, "how is 'cut'; allowed"),
        ({"how": "mean"}, "how='mean' needs a reference"),
        ({"amount": 2.0}, "how='zero' takes no amount"),
        ({"match": "size"}, r"match is 'size'; expected a list of columns"),
        ({"match": None}, "match is None; expected a list of columns"),
        ({"match": ["siz"]}, r"column of units to match called 'siz'\. Did you mean 'size'"),
        ({"match": ["said"]}, "column 'said' holds .*; expected numbers to match"),
        ({"match": ["empty"]}, "0 of 12 units have a finite rank and finite values of what is matched"),
        ({"rank_by": "scor"}, r"column of units to rank by called 'scor'\. Did you mean 'score'"),
        ({"rank_by": "said"}, "column 'said' holds .*; expected numbers to rank by"),
        ({"rank_by": "empty"}, "0 of 12 units have a finite rank.*expected at least 4"),
        ({"rank_by": np.ones(5)}, r"rank_by has shape \(5,\).*each of the 12 units"),
        ({"rank_by": list("abcdefghijkl")}, "expected a column's name or a number for each"),
        ({"groups": "kind"}, "column of trials for groups called 'kind'"),
        ({"units": None}, "units are missing"),
        ({"units": None, "layer": "hidden"}, "units are missing"),
        ({"units": [1, 2]}, "units is a list; expected a Result or its table"),
        ({"units": UNITS[:0]}, "units is an empty table"),
        ({"units": UNITS[:3]}, "3 of 3 units have a finite rank.*at least 4"),
        ({"units": UNITS.drop(columns="channel")}, "units lack channel; their columns: layer, score"),
        ({"units": UNITS.assign(channel=np.arange(12) / 2)}, "channel holds float64; expected numbers of units"),
        ({"units": pd.concat([UNITS, UNITS])}, "several rows for a channel of 'hidden'"),
        ({"units": pd.concat([UNITS, UNITS.assign(layer="unused")]), "layer": "hidden"},
         "layer is 'hidden', and units are of hidden, unused"),
        ({"units": pd.concat([UNITS.assign(network=one) for one in ("a", "b")])},
         "units are of a, b, none of them 'trained'"),
        ({"task": {}}, "task is an empty mapping"),
        ({"task": "accuracy"}, "task 'task' is a str; expected a probekit.tasks.Task, or a function"),
        ({"task": {"it": 3}}, "task 'it' is a int; expected a probekit.tasks.Task"),
        ({"task": lambda network: "good"}, "task gave a str; expected scores"),
        ({"task": lambda network: np.zeros((2, 2, 2))}, r"scores of shape \(2, 2, 2\)"),
        ({"task": {"it": lambda network: [1.0, np.nan]}}, "task 'it' gives nan under 1 of 1 lesions"),
        ({"network": "resnet50"}, "network is a str; expected a torch"),
        ({"network": Network(), "task": lambda network: [1.0, 2.0]}, "network is in training mode"),
        ({"units": UNITS.assign(channel=np.arange(12) + 50)}, "unit.*50|5[0-9]"),
        ({"units": UNITS.assign(channel=np.arange(12) - 3)}, "-[123]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        lesioned(**options)


def test_a_task_shows_a_network_in_training_mode_as_it_is_in_eval_mode():
    """A function that is given the network runs it as it is, and there it is refused."""
    network = nn.Sequential(nn.ReLU(), nn.Dropout()).train()
    found = lesioned(network=network, units=UNITS.assign(layer=0))
    assert network.training
    assert network[1].training
    assert found.table["score_intact"].item() == 0
    assert found.table.equals(lesioned(network=network.eval(), units=UNITS.assign(layer=0)).table)


def test_names_that_are_not_there_are_looked_up():
    with pytest.raises(UnknownNameError, match="Known: channel, empty, layer, said, score, size"):
        lesioned(rank_by="activity")


@pytest.mark.parametrize(("layer", "said"), [("hiden", "hiden"), ("unused", "never ran")])
def test_layers_that_do_not_exist_or_never_run_are_refused(layer, said):
    with pytest.raises(LayerError, match=said):
        lesioned(units=None, layer=layer, rank_by=np.arange(12.0))


def test_the_network_measured_is_chosen_by_its_label():
    both = pd.concat([UNITS.assign(network="untrained", score=-UNITS["score"]), UNITS.assign(network="trained")])
    found = lesioned(units=both, label="trained")
    assert found.table["score_targeted"].equals(lesioned().table["score_targeted"])
    assert set(lesioned(units=both, label="untrained").table["network"]) == {"untrained"}


def test_layers_go_by_what_they_are_called_and_are_lesioned_where_it_is_said():
    network = nn.Sequential(nn.ReLU(), nn.ReLU()).eval()
    found = lesioned(network=network, units=UNITS.assign(layer=0))
    assert found.table["layer"].tolist() == ["0"]
    assert lesioned(network=network, units=UNITS.assign(layer=0), layer="1").table["layer"].tolist() == ["1"]


def test_ranks_may_be_given_as_a_series_with_a_name():
    found = lesioned(rank_by=UNITS["score"].rename("mine"))
    assert found.table["ranking"].tolist() == ["mine"]
    nullable = UNITS.assign(score=UNITS["score"].astype("Float64"))
    assert nullable["score"].dtype == "Float64"
    assert lesioned(units=nullable).table["score_targeted"].equals(found.table["score_targeted"])


def test_groups_that_one_task_has_are_enough():
    grouped = Task(
        "mean", "", INPUTS, lambda said, _: said.mean(-1), True, trials=pd.DataFrame({"kind": list("aabbcc")})
    )
    found = lesioned(task={"plain": TASK, "grouped": grouped}, groups="kind")
    assert [name for name in found.arrays if name.startswith("groups")] == ["groups_1"]
