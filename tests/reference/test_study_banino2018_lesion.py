"""The grid lesion over every choice: its rows, its rule, planted rankings, and real networks with a known verdict."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

import probekit as pk
from probekit.analyses.studies import REGISTRY, banino2018_lesion, reproduce
from probekit.analyses.studies.banino2018_lesion.specified import DOSES, INSIDE, MATCHES, READ, Size, sites_of
from probekit.analyses.studies.banino2018_lesion.verdicts import claims
from probekit.errors import NotApplicableError
from probekit.navigation import NETWORK_MOTION, Task
from probekit.network import Card, Entry, weights_hash
from probekit.stats import benjamini_hochberg
from probekit.zoo.model import AsIs
from probekit.zoo.path_integration.architecture import Design, PathIntegrator
from probekit.zoo.path_integration.card import adapter

STUDY = REGISTRY.get("banino2018-lesion")
TINY = Size(2000, 6, 20, 0)


def walker(recurrent="rnn"):
    design = Design(n_place_cells=32, n_units=40, recurrent=recurrent, n_bottleneck=24 if recurrent == "lstm" else 0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        module = PathIntegrator(design).eval()
    layer = "bottleneck" if recurrent == "lstm" else "rnn:output"
    card = Card(f"tiny-{recurrent}", "RNN", (5, 5), "nothing (drawn for a test)", layers=(layer,))
    task = Task(design.arena, NETWORK_MOTION, 5, adapter(design))
    return Entry(module, AsIs(), card, partial(PathIntegrator, design), task)


@pytest.fixture(scope="module")
def networks():
    return [walker(), walker("lstm")]


@pytest.fixture(scope="module")
def found(networks):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(banino2018_lesion, "_QUICK", TINY)
        return reproduce("banino2018-lesion", networks, quick=True)


def test_units_are_silenced_inside_the_recurrence_and_where_they_are_read(networks):
    rnn, lstm = (sites_of(one) for one in networks)
    assert [(one.name, one.measured, one.lesioned) for one in rnn] == [
        (INSIDE, "rnn:output", "rnn:h_l0"),
        (READ, "rnn:output", "rnn:output"),
    ]
    assert [(one.name, one.measured, one.lesioned) for one in lstm] == [
        (INSIDE, "lstm:output", "lstm:h_l0"),
        (READ, "bottleneck", "bottleneck"),
    ]


def test_every_specification_is_there_once(found, networks):
    assert STUDY.check(found) is found
    trained = found.summary[found.summary["network"] == "trained"]
    keys = ["model", "site", "task", "matched_on", "dose"]
    assert not trained.duplicated(keys).any()
    for _, rows in trained.groupby(["model", "site"]):
        assert set(rows["matched_on"]) == set(MATCHES)
        assert set(rows["task"]) == {"path integration", "position decoding"}
        assert set(rows["dose"]) <= set(DOSES)
        assert rows.groupby(["task", "matched_on"])["n_lesioned"].apply(lambda n: n.is_unique).all()
    twin = found.summary[found.summary["network"] == "untrained"]
    assert set(twin["model"]) == {networks[0].card.name}


def test_q_is_over_the_matched_specifications_of_a_network(found):
    for _, rows in found.summary.groupby(["model", "network"]):
        matched = rows[rows["matched_on"] != "nothing"]
        np.testing.assert_allclose(matched["q"], benjamini_hochberg(matched["p"]))


def test_rivals_curves_and_paths_stand_beside(found, networks):
    assert (found.summary["score_border"] > 0).all()
    curve = found.arrays["curve"]
    assert curve.dims == ("model", "site", "kind", "step")
    row = found.summary.query(
        "model == 'tiny-rnn' and network == 'trained' and task == 'path integration' and matched_on == 'all three'"
    )
    here = row[(row["site"] == READ) & (row["dose"] == 0.1)].iloc[0]
    shown = curve.sel(model="tiny-rnn", site=READ)
    assert float(shown.sel(kind="targeted").mean()) == pytest.approx(here["score_targeted"])
    assert float(shown.sel(kind="intact").mean()) == pytest.approx(here["score_intact"])
    assert float(shown.sel(kind="border").mean()) == pytest.approx(here["score_border"])
    assert found.arrays["example_path"].sizes["kind"] == 4


def test_networks_are_left_as_they_were_and_the_same_seed_gives_the_same(found, monkeypatch):
    monkeypatch.setattr(banino2018_lesion, "_QUICK", TINY)
    network = walker()
    before = weights_hash(network.module)
    again = reproduce("banino2018-lesion", [network], quick=True)
    assert weights_hash(network.module) == before
    same = found.summary[found.summary["model"] == "tiny-rnn"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.summary, same)


def row(verdict, site=INSIDE, matched="activity", effect=1.0, **more):
    told = {
        "model": "m", "network": "trained", "site": site, "ranking": "gridness", "task": "path integration",
        "matched_on": matched, "dose": 0.1, "verdict": verdict, "effect_adjusted": effect, "p_random": 0.01,
        "score_targeted": 5.0 + effect, "score_random": 5.0, "score_border": 4.0, "score_head_direction": 9.0,
    }  # fmt: skip
    return told | more


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["more", "more", "more"], "agrees"),
        (["more", "no difference", "no difference"], "undecided"),
        (["more", "more", "less"], "undecided"),
        (["no difference", "less", "no difference"], "differs"),
        (["not tested", "not tested", "more"], "agrees"),
        (["not tested"] * 3, "not tested"),
    ],
)
def test_the_verdict_follows_from_all_specifications(verdicts, expected):
    rows = pd.DataFrame([row(one) for one in verdicts] + [row("no difference", matched="nothing", effect=0.1)])
    table = {(one.claim, one.variant.partition(";")[0]): one for one in claims(rows)}
    assert table["They matter more than units like them", INSIDE].verdict == expected
    assert table["They matter more than units like them", READ].verdict == "not tested"
    assert table["They matter more than the most border-like units", INSIDE].verdict == "agrees"
    assert table["They matter more than the most heading-tuned units", INSIDE].verdict == "differs"


def test_one_verdict_for_all_or_not():
    alike, mixed = (
        list(claims(pd.DataFrame([row(one) for one in verdicts])))[-1]
        for verdicts in (["no difference"] * 4, ["more", "less", "no difference", "more"])
    )
    assert alike.verdict == "agrees"
    assert mixed.verdict == "differs"
    assert "more 2, less 1, no difference 1" in mixed.ours


def test_planted_rankings_are_told_apart(monkeypatch):
    """In grid-rnn: inside the recurrence, the units that add most error matter more; a random ranking never does."""
    monkeypatch.setattr(banino2018_lesion, "_QUICK", Size(20_000, 16, 60, 60))
    found = reproduce("banino2018-lesion", [pk.zoo.load("grid-rnn")], quick=True, synthetic=True)
    rows = found.summary
    random = rows[rows["ranking"] == "planted: at random"]
    harmful = rows.query("ranking == 'planted: what units add' and task == 'path integration'")
    inside = harmful[(harmful["site"] == INSIDE) & (harmful["matched_on"] == "nothing")]
    found_out = inside[inside["dose"].between(0.02, 0.2)]
    assert (found_out["p"] < 0.05).all()  # few sets: too few for q over all doses, places and tasks
    assert (found_out["effect_adjusted"] > 10).all()  # cm
    assert not (harmful["verdict"] == "less").any()
    assert (random["verdict"].isin(["more", "less"])).sum() == 0
    assert any("planted" in note for note in found.notes)


def test_other_networks_are_refused_before_minutes_of_work():
    with pytest.raises(NotApplicableError, match="does not find its way: banino2018-lesion needs a network"):
        reproduce("banino2018-lesion", [pk.zoo.load("v1net")])
