"""Lesions with shams in networks whose causal units are planted, and every number of the result by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

import probekit as pk
from probekit.analyses import lesion_effect
from probekit.analyses.causal.design import Ranked
from probekit.analyses.lesion_effect import ANALYSIS
from probekit.analyses.lesion_effect.assemble import assemble
from probekit.analyses.lesion_effect.measure import Options, measure
from probekit.errors import UsageError
from probekit.network import weights_hash
from probekit.result import Result
from probekit.stats import benjamini_hochberg, standardized_differences
from probekit.tasks import Task, reconstruction, scores_under

N_UNITS, N_CAUSAL = 64, 8


class Planted(nn.Module):
    """Units 0 to 7 carry the answer; 8 to 15 are as active, without a weight; 48 others carry hardly anything."""

    def __init__(self):
        super().__init__()
        self.first, self.hidden, self.last = nn.Linear(16, N_UNITS, bias=False), nn.ReLU(), nn.Linear(N_UNITS, 1)
        draw = torch.Generator().manual_seed(0)
        shows = torch.zeros(N_UNITS, 16)
        shows[torch.arange(N_UNITS), torch.arange(N_UNITS) % 8] = 1.0
        shows[16:] = 0.3 * torch.randn(48, 16, generator=draw)
        with torch.no_grad():
            self.first.weight.copy_(shows)
            self.last.weight.copy_(torch.cat([torch.ones(8), torch.zeros(8), 0.02 * torch.randn(48, generator=draw)]))
            self.last.bias.zero_()

    def forward(self, x):
        return self.last(self.hidden(self.first(x)))


@pytest.fixture(scope="module")
def network():
    return Planted().eval()


@pytest.fixture(scope="module")
def inputs():
    return torch.randn(50, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def task(network, inputs):
    return reconstruction(inputs, network(inputs).detach())


@pytest.fixture(scope="module")
def units(network, inputs):
    numbers, chance = np.arange(N_UNITS), np.random.default_rng(2).uniform(size=(2, N_UNITS))
    activity = pk.record(network, inputs, layers="hidden")["hidden"].values.mean(0)
    return pd.DataFrame({
        "network": "trained", "layer": "hidden", "channel": numbers,
        "causal": (numbers < N_CAUSAL) + 0.1 * chance[0],
        "decoy": ((numbers >= 8) & (numbers < 16)) + 0.1 * chance[1],
        "activity": activity, "chance": chance[1],
    })  # fmt: skip


QUICK = {"n_more": 0, "doses": (0.125, 0.25), "n_sham": 99, "n_single": 0, "n_pairs": 0}


@pytest.fixture(scope="module")
def found(network, task, units):
    """Return the result with everything on."""
    return lesion_effect(
        network, task, "causal", units=units, doses=(0.05, 0.125, 0.25, 0.5), n_sham=199, match=["activity", "chance"]
    )


# what is planted


@pytest.mark.parametrize("match", [(), ("activity",)])
def test_causal_units_matter_more(network, task, units, match):
    result = lesion_effect(network, task, "causal", units=units, match=match, **QUICK)
    assert (result.table["verdict"] == "more").all()
    assert (result.table["q"] <= 0.05).all()
    assert (result.table["effect_low"] > 0).all()  # the error is larger
    assert (result.table["effect_adjusted"] > 0).all()
    assert result.summary["verdict"].tolist() == ["more"]
    assert result.summary["n_more"].tolist() == [2]


@pytest.mark.parametrize("match", [(), ("activity",)])
def test_decoys_do_not(network, task, units, match):
    result = lesion_effect(network, task, "decoy", units=units, match=match, doses=(0.125,), n_sham=199)
    (row,) = result.table.to_dict("records")
    assert row["score_targeted"] == pytest.approx(row["score_intact"], abs=1e-10)
    assert row["effect"] < 0
    assert row["verdict"] in ("less", "no difference")
    assert result.summary["rank_correlation"].item() < 0.2


def test_units_that_matter_least_matter_less(network, task, units):
    """Of 26 units without a causal one the lesion does less than of 26 others, which have three."""
    result = lesion_effect(network, task, -units["causal"].to_numpy(), units=units, doses=(0.4,), n_sham=199)
    assert set(result.table["verdict"]) == {"less"}
    assert result.table["ranking"].tolist() == ["given"]
    assert result.summary["rank_correlation"].item() < 0
    more = lesion_effect(network, task, "causal", units=units, doses=(0.4,), n_sham=20, n_single=0)
    np.testing.assert_allclose(result.table["score_targeted"], more.table["score_reversed"], rtol=1e-5)
    np.testing.assert_allclose(result.table["score_reversed"], more.table["score_targeted"], rtol=1e-5)


def test_whether_higher_is_better_turns_all_signs(network, task, units):
    def negative(module):
        return -task(module)

    error = lesion_effect(network, task, "causal", units=units, doses=(0.125,), n_sham=50)
    quality = lesion_effect(network, negative, "causal", units=units, doses=(0.125,), n_sham=50)
    assert quality.table["task"].tolist() == ["negative"]
    assert quality.provenance["tasks"] == {"negative": {"higher_is_better": True}}
    np.testing.assert_allclose(quality.table["effect"], -error.table["effect"], rtol=1e-4)
    assert quality.table["verdict"].tolist() == error.table["verdict"].tolist() == ["more"]
    for name in ("rank_correlation", "pair_excess"):
        np.testing.assert_allclose(quality.summary[name], error.summary[name], rtol=1e-3)
    np.testing.assert_allclose(
        quality.arrays["dose_response"].sel(kind="targeted", end="fit"),
        -error.arrays["dose_response"].sel(kind="targeted", end="fit"),
        rtol=1e-4,
    )


def test_all_that_do_nothing_are_alike(inputs):
    """Of units without a weight nothing follows: ties, and no p of rounding."""
    silent = Planted().eval()
    with torch.no_grad():
        silent.last.weight.zero_()
        silent.last.bias.fill_(0.3)
    task = reconstruction(inputs, torch.full((50, 1), 1.0))
    result = lesion_effect(silent, task, np.arange(64.0), layer="hidden", doses=(0.1, 0.3), n_sham=50)
    assert result.table["p"].isna().all()
    assert (result.table["p_random"] == 1).all()
    assert result.table["effect_size"].isna().all()
    assert result.table["nan_reason"].str.startswith("no lesion changed any score").all()
    assert result.summary["rank_correlation"].isna().all()
    assert result.summary["pair_excess"].tolist() == [0.0]
    ANALYSIS.check(result)


# the rows, by hand


def test_scores_are_those_of_lesions_one_by_one(network, task, units, found):
    order = np.argsort(-units["causal"].to_numpy())
    for row in found.table.to_dict("records"):
        n = row["n_lesioned"]
        by_hand = scores_under(network, task, [{}, {"hidden": order[:n]}, {"hidden": order[-n:]}]).mean(1)
        np.testing.assert_allclose(
            [row["score_intact"], row["score_targeted"], row["score_reversed"]], by_hand, rtol=1e-5, atol=1e-10
        )
    assert found.table["n_lesioned"].tolist() == [3, 8, 16, 32]
    assert found.table["dose"].tolist() == [0.05, 0.125, 0.25, 0.5]


def test_rows_are_what_their_controls_give(found):
    for number, row in enumerate(found.table.to_dict("records")):
        controls = found.arrays["control_score"][0, number]
        sham = controls.sel(control="sham").values
        assert row["score_random"] == pytest.approx(controls.sel(control="random").mean())
        if row["dose"] == 0.5:
            assert np.isnan(sham).all()
            continue
        assert row["score_sham"] == pytest.approx(sham.mean())
        assert row["sham_sd"] == pytest.approx(sham.std(ddof=1))
        assert row["effect"] == pytest.approx(row["score_targeted"] - sham.mean())
        assert row["effect_size"] == pytest.approx(row["effect"] / row["sham_sd"])
        assert row["effect_low"] <= row["effect"] <= row["effect_high"]
        random = np.sort(controls.sel(control="random").values)
        beyond = min((random >= row["score_targeted"]).sum(), (random <= row["score_targeted"]).sum())
        assert row["p_random"] == pytest.approx(min(1, 2 * (1 + beyond) / 200))


def test_q_is_the_false_discovery_rate_over_all_tests_of_a_network(network, task, units, inputs):
    """Two tasks, two layers and two doses are eight tests; the first layer shows the inputs, signs and all."""
    both = pd.concat([units, units.assign(layer="first")])
    other = reconstruction(inputs, torch.zeros(50, 1))
    found = lesion_effect(network, {"a": task, "b": other}, "causal", units=both, **QUICK)
    assert len(found.table) == 8
    assert found.table["layer"].tolist() == ["hidden"] * 4 + ["first"] * 4
    np.testing.assert_allclose(found.table["q"], benjamini_hochberg(found.table["p"]))
    assert len(found.summary) == 4
    assert found.summary[["layer", "task"]].to_numpy().tolist() == [
        ["hidden", "a"], ["hidden", "b"], ["first", "a"], ["first", "b"]
    ]  # fmt: skip
    ANALYSIS.check(found)
    assert any("one of 8 tests alone cannot reach q ≤ 0.05, for which 319 sets" in note for note in found.notes)


def test_networks_are_corrected_apart(network, task, units):
    ranked = Ranked.of(units["channel"], units["causal"], np.zeros((N_UNITS, 0)), ())
    options = Options((0.05, 0.125, 0.25), n_sham=40, n_single=0, n_pairs=0)
    entry = pk.Entry(network, None, pk.Card("planted", "module", (), "unknown"))
    measured = [
        measure(entry, {"a": task}, "hidden", "causal", ranked, options, label=one) for one in ("trained", "untrained")
    ]
    found = assemble(measured, {"a": task}, options, {}, notes=["said before"])
    ANALYSIS.check(found)
    assert found.notes[0] == "said before"
    for _, rows in found.table.groupby("network"):
        assert len(rows) == 3
        np.testing.assert_allclose(rows["q"], benjamini_hochberg(rows["p"]))
    assert found.summary["n_doses"].tolist() == [3, 3]


# single units and pairs


def test_single_units_and_their_rank_correlation_are_those_by_hand(network, task, units, found):
    harm = scores_under(network, task, [{"hidden": [one]} for one in range(N_UNITS)]).mean(1)
    unit = found.arrays["single_unit"][0].values.astype(int)
    assert sorted(unit) == list(range(N_UNITS))
    np.testing.assert_allclose(found.arrays["single_harm"][0], harm[unit], rtol=1e-4, atol=1e-6 * harm.max())
    np.testing.assert_allclose(found.arrays["single_rank"][0], units["causal"].to_numpy()[unit])
    row = found.summary.iloc[0]
    exact = np.where(harm > 1e-6 * harm.max(), harm, 0)
    assert row["rank_correlation"] == pytest.approx(spearmanr(units["causal"], exact).statistic, abs=1e-9)
    assert row["rank_correlation"] > 0.2
    assert row["n_single"] == N_UNITS


def test_causal_units_and_decoys_alone_are_ranked_by_what_they_do(network, task, units):
    found = lesion_effect(network, task, "causal", units=units[:16], match=["chance"], doses=(0.25,), n_sham=20)
    row = found.summary.iloc[0]
    assert row["rank_correlation"] > 0.5
    assert row["p_rank"] <= 0.05
    assert row["rank_correlation_partial"] > 0.5
    assert row["p_rank_partial"] <= 0.05


def test_some_single_units_are_even_along_the_ranking(network, task, units):
    found = lesion_effect(network, task, "causal", units=units, doses=(0.1,), n_sham=20, n_single=10, n_pairs=0)
    order = np.argsort(-units["causal"].to_numpy())
    np.testing.assert_array_equal(found.arrays["single_unit"][0], order[[0, 7, 14, 21, 28, 35, 42, 49, 56, 63]])
    assert found.summary["n_single"].item() == 10
    assert found.summary["pair_excess"].isna().all()
    none = lesion_effect(network, task, "causal", units=units, doses=(0.1,), n_sham=20, n_single=0)
    assert "single_harm" not in none.arrays
    assert none.summary["rank_correlation"].isna().all()
    assert none.summary["pair_excess"].notna().all()
    ANALYSIS.check(none)


# where there is no test


def test_half_of_a_layer_has_no_sham(found):
    row = found.table.iloc[-1]
    assert row["match"] == "none"
    assert row["verdict"] == "not tested"
    assert row["nan_reason"].startswith("no sham: the untargeted units are no more than the targeted ones")
    assert (
        row[["score_sham", "sham_sd", "effect", "effect_low", "effect_size", "p", "q", "match_difference"]].isna().all()
    )
    assert row[["score_random", "score_reversed", "effect_adjusted", "p_random", "detectable_effect"]].notna().all()
    assert found.summary["n_doses"].item() == 3
    assert found.summary["n_more"].item() <= 3
    only = np.isnan(found.arrays["dose_response"].sel(kind="sham").values)
    np.testing.assert_array_equal(only, [[[False, False, False, False, True]] * 3])


def test_only_untested_doses_are_no_verdict(network, task, units):
    found = lesion_effect(network, task, "causal", units=units, doses=(0.5, 0.7), n_sham=20, n_single=0, n_pairs=0)
    assert found.table["n_lesioned"].tolist() == [32, 45]
    assert found.summary["verdict"].tolist() == ["not tested"]
    ANALYSIS.check(found)


def test_a_target_unlike_everything_else_has_no_match(network, task, units):
    """Activity tells the targets from all others: there is nobody like them."""
    odd = units.assign(activity=np.where(units["channel"] < 8, 10, 0) + 0.01 * units["chance"], size=units["chance"])
    found = lesion_effect(network, task, "causal", units=odd, match=["size", "activity"], **QUICK)
    row = found.table.iloc[0]
    assert row["match"] == "none"
    assert np.isnan(row["p"])
    assert row["verdict"] == "not tested"
    assert row["nan_reason"].startswith("no honest match: shams differ in activity by ")
    assert row["nan_reason"].endswith("above 0.5")
    assert row["match_difference"] > 0.5
    ANALYSIS.check(found)


@pytest.mark.parametrize(("shift", "match"), [(0.0, "good"), (1.6, "poor"), (3.0, "none")])
def test_how_good_a_match_is_goes_by_what_is_left_of_the_difference(network, task, units, shift, match):
    rng = np.random.default_rng(4)
    other = units.assign(size=rng.normal(size=N_UNITS) + shift * (units["channel"] < N_CAUSAL))
    found = lesion_effect(network, task, "causal", units=other, match=["size"], method="stratified", doses=(0.125,),
                          n_sham=99, n_single=0, n_pairs=0)  # fmt: skip
    (row,) = found.table.to_dict("records")
    assert row["match"] == match
    assert {"good": 0, "poor": 0.25, "none": 0.5}[match] <= row["match_difference"]
    assert row["match_difference"] <= {"good": 0.25, "poor": 0.5, "none": 5}[match]
    assert np.isnan(row["p"]) == (match == "none")


def test_differences_before_and_after_are_those_of_the_sets(units, found):
    table, match = found.table, found.arrays["match"][0]
    assert match.dims == ("dose", "variable", "when")
    assert match["variable"].values.tolist() == ["activity", "chance"]
    np.testing.assert_allclose(np.abs(match.sel(when="after")).max("variable", skipna=False), table["match_difference"])
    np.testing.assert_allclose(np.abs(match.sel(when="before")).max("variable"), table["match_difference_before"])
    order, values = np.argsort(-units["causal"].to_numpy()), units[["activity", "chance"]].to_numpy()
    for number, n in enumerate(table["n_lesioned"]):
        np.testing.assert_allclose(
            match[number].sel(when="before"), standardized_differences(order[:n], [order[n:]], values), atol=1e-9
        )
    assert (table["match_difference"][:2] < table["match_difference_before"][:2]).all()


def test_without_matching_there_is_none_to_judge(network, task, units):
    found = lesion_effect(network, task, "causal", units=units, **QUICK)
    assert set(found.table["match"]) == {"not asked"}
    assert (found.table["match_difference"] == 0).all()
    assert "match" not in found.arrays
    np.testing.assert_array_equal(*(found.arrays["control_score"].sel(control=one) for one in ("permuted", "random")))


# design


def test_units_without_a_rank_or_a_covariate_are_never_lesioned(network, task, units):
    seen = []

    def look(module):
        said = pk.record(module, torch.ones(2, 16), layers="hidden")
        seen.extend(said.provenance.get("lesions", []))
        return task(module)

    missing = units.assign(causal=units["causal"].where(units["channel"] != 3, np.nan),
                           activity=units["activity"].where(units["channel"] != 20, np.nan))  # fmt: skip
    found = lesion_effect(
        network, look, "causal", units=missing, match=["activity"], doses=(0.4,), n_sham=20, n_single=64
    )
    lesioned = {unit for one in seen for unit in one["layers"]["hidden"]["units"]}
    assert lesioned == set(range(N_UNITS)) - {3, 20}
    assert found.summary["n_units"].item() == 62
    assert found.table["n_lesioned"].tolist() == [25]


# arrays, and the result as a whole


def test_dose_responses_are_monotone_hold_their_fit_and_start_intact(network, task, found):
    curves = found.arrays["dose_response"]
    assert curves.dims == ("series", "kind", "end", "dose")
    assert curves["dose"].values.tolist() == [0, 0.05, 0.125, 0.25, 0.5]
    fit, low, high = curves[0].sel(kind="targeted").values
    assert (np.diff(fit) >= 0).all()
    assert ((low <= fit + 1e-12) & (fit <= high + 1e-12)).all()
    assert fit[0] == pytest.approx(task(network).mean())


def test_groups_are_the_means_of_their_trials_and_curves_average_to_the_score(network, inputs, units):
    said = network(inputs).detach()
    right = torch.sign(said[:, 0] - said.median())
    kinds = np.array(["animal", "tool"])[np.arange(50) % 2]

    def score(read, rows):
        here = (torch.sign(read[:, 0] - said.median()) == right[rows]).double()
        return torch.stack([here, 2 * here, 1 - here], -1)

    told = Task("told", "", inputs, score, True, trials=pd.DataFrame({"kind": kinds}), points=np.array([1, 2, 4]),
                point="step")  # fmt: skip
    plain = reconstruction(inputs, said)
    found = lesion_effect(network, {"a": plain, "b": told}, "causal", units=units, groups="kind", **QUICK)
    assert sorted(name for name in found.arrays if name[-1] in "01") == ["curve_1", "groups_1"]
    order = np.argsort(-units["causal"].to_numpy())
    curve, groups = found.arrays["curve_1"], found.arrays["groups_1"]
    assert curve["point"].values.tolist() == [1, 2, 4]
    assert groups["group"].values.tolist() == ["animal", "tool"]
    rows = found.table[found.table["task"] == "b"].to_dict("records")
    for dose, row in enumerate(rows):
        names = ("intact", "targeted", "reversed", "sham")
        for kind, name in zip(names, ("score_intact", "score_targeted", "score_reversed", "score_sham"), strict=True):
            assert float(curve[dose].sel(kind=kind).mean()) == pytest.approx(row[name])
            assert float(groups[dose].sel(kind=kind).mean()) == pytest.approx(row[name])  # as many animals as tools
        scores = scores_under(network, told, [{"hidden": order[: row["n_lesioned"]]}])[0]
        for kind in ("animal", "tool"):
            by_hand = scores[kinds == kind].mean()
            assert float(groups[dose].sel(kind="targeted", group=kind)) == pytest.approx(by_hand)
        assert (curve[dose].sel(kind="sham_low") <= curve[dose].sel(kind="sham_high")).all()


def test_views_of_a_task_are_its_trials(network, task, units):
    first = np.arange(50) < 25
    found = lesion_effect(
        network, {"all": task, "first": task.view("first", first), "rest": task.view("rest", ~first)}, "causal",
        units=units, **QUICK,
    )  # fmt: skip
    scores = found.table.set_index(["task", "dose"])[["score_targeted", "effect"]].unstack("dose")
    np.testing.assert_allclose((scores.loc["first"] + scores.loc["rest"]) / 2, scores.loc["all"], rtol=1e-6)


def test_several_layers_of_other_sizes_share_arrays(network, task, units):
    few = units.iloc[:20].assign(layer="first")
    found = lesion_effect(network, task, "causal", units=pd.concat([units, few]), doses=(0.1, 0.4), n_sham=20)
    harm = found.arrays["single_harm"]
    assert harm.shape == (2, N_UNITS)
    assert harm[0].notnull().all()
    assert harm[1].notnull().sum() == 20
    assert found.table["n_lesioned"].tolist() == [6, 26, 2, 8]


def test_a_result_is_read_back_equal_and_the_same_seed_gives_the_same(network, task, units, found, tmp_path):
    assert found.equals(Result.load(found.save(tmp_path)))
    ANALYSIS.check(found)
    again = [lesion_effect(network, task, "causal", units=units, seed=seed, **QUICK) for seed in (3, 3, 4)]
    assert again[0].equals(again[1])
    assert not again[0].table.equals(again[2].table)
    backwards = lesion_effect(network, task, "causal", units=units[::-1], seed=3, **QUICK)
    assert again[0].equals(backwards)


def test_the_network_is_as_it_was(network, task, units):
    before = weights_hash(network)
    found = lesion_effect(network, task, "causal", units=units, **QUICK)
    assert weights_hash(network) == before == found.provenance["recordings"]["trained"]["weights_sha256"]
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in network.modules())
    with pytest.raises(ZeroDivisionError):
        lesion_effect(network, lambda module: 1 / 0 if network.hidden._forward_hooks else [1.0, 2], "causal",
                      units=units, **QUICK)  # fmt: skip
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in network.modules())


def test_how_activity_is_changed_reaches_lesions_and_provenance(network, task, units, inputs):
    halved = lesion_effect(network, task, "causal", units=units, how="scale", amount=0.5, **QUICK)
    silenced = lesion_effect(network, task, "causal", units=units, **QUICK)
    np.testing.assert_allclose(halved.table["score_targeted"] * 4, silenced.table["score_targeted"], rtol=1e-4)
    assert halved.provenance["parameters"]["change"] == {"how": "scale", "amount": 0.5}
    mean = lesion_effect(network, task, "causal", units=units, how="mean", doses=(0.125,), n_sham=20, n_single=0,
                         n_pairs=0, reference=pk.record(network, inputs, layers="hidden"))  # fmt: skip
    assert mean.table["score_targeted"].item() < silenced.table["score_targeted"].iloc[0] / 2
    assert len(mean.provenance["parameters"]["change"]["reference_sha256"]) == 64


# notes


def test_one_number_a_task_is_said_to_have_no_variance(network, task, units):
    found = lesion_effect(network, {"mean": lambda module: -task(module).mean()}, "causal", units=units, **QUICK)
    assert (
        "Task 'mean' gives one number: its variance over trials is unknown; intervals are over shams only."
        in found.notes
    )
    assert (found.table["effect_low"] < found.table["effect_high"]).all()
    assert (found.table["verdict"] == "more").all()
    ANALYSIS.check(found)


def test_ties_at_the_end_of_a_target_are_said(network, task, units):
    ranks = (units["channel"] < 8).to_numpy()
    found = lesion_effect(network, task, ranks, units=units, **QUICK)
    assert [note for note in found.notes if "equal given" in note] == [
        "Layer 'hidden' has units of equal given at the end of dose 0.25: which of them are lesioned goes by their "
        "numbers."
    ]


def test_so_few_sets_that_nothing_could_be_found_are_said(network, task, units):
    found = lesion_effect(
        network, task, "causal", units=units, doses=(0.125,), n_sham=20, n_more=0, n_single=0, n_pairs=0
    )
    assert found.table["p"].item() == pytest.approx(2 / 21)
    assert any("p is at least 0.095" in note and "39 sets are needed" in note for note in found.notes)
    assert not lesion_effect(network, task, "causal", units=units, **QUICK | {"doses": (0.125,), "n_sham": 39}).notes


def test_more_sets_are_drawn_where_few_reach_the_target(network, task, units):
    """With 40 sets p is 2 / 41 at best; with 160 more where that is so, 2 / 201. A random ranking needs none."""
    asked = QUICK | {"doses": (0.125,), "n_sham": 40, "n_more": 160}
    assert lesion_effect(network, task, "causal", units=units, **asked).table["p"].item() == pytest.approx(2 / 201)
    chance = np.random.default_rng(0).random(N_UNITS)
    common = lesion_effect(network, task, chance, units=units, **asked).table["p"].item()
    assert common > 0.1
    assert common * 41 / 2 == pytest.approx(round(common * 41 / 2))  # of the first 40 alone


def test_a_lesion_that_changes_no_score_is_no_test(network, inputs, units):
    """A constant score says nothing of the units, and not that an effect of 0 would have been found."""

    def constant(given):
        return np.ones(20)

    found = lesion_effect(network, constant, "causal", units=units, **QUICK).table
    assert (found["verdict"] == "not tested").all()
    assert np.isinf(found["detectable_effect"]).all()
    assert found["nan_reason"].str.startswith("no lesion changed any score").all()


def test_a_lesioned_network_is_said_to_be_one(network, task, units):
    with pk.lesion(network, {"hidden": [1]}):
        found = lesion_effect(network, task, "causal", units=units, **QUICK)
    assert found.provenance["recordings"]["trained"]["lesions"][0]["layers"] == {"hidden": {"units": [1]}}


def test_a_ranking_that_ranks_nothing_and_unknown_arguments_are_refused(network, task, units):
    with pytest.raises(UsageError, match=r"rank_by is 1\.0 for all units"):
        lesion_effect(network, task, np.ones(len(units)), units=units, **QUICK)
    with pytest.raises(UsageError, match=r"further argument is 'amuont'; allowed: .* Did you mean 'amount'"):
        lesion_effect(network, task, "causal", units=units, amuont=1, **QUICK)
