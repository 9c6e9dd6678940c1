"""Selectivity: planted units are found and decoys are not, scipy agrees, and noise is not selective."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from scipy import stats
from torch import nn

import probekit as pk
from probekit.analyses.selectivity import ANALYSIS, selectivity
from probekit.analyses.selectivity.contrasts import design_of
from probekit.analyses.selectivity.it_neurons import LAYER, it_recording
from probekit.analyses.selectivity.low_level import low_level
from probekit.analyses.selectivity.published import published
from probekit.brains import floc
from probekit.errors import NotApplicableError, UnknownNameError, UsageError
from probekit.recording import Recording

CATEGORIES = ("bodies", "faces", "places", "scrambled")
N = 40


def recorded(activity, labels=None, dims=("stimulus", "unit"), layer="area"):
    """Return a recording of one layer; by default the four categories, 40 stimuli each."""
    shown = pd.DataFrame({"category": np.repeat(CATEGORIES, N) if labels is None else labels})
    return Recording({layer: xr.DataArray(activity, dims=dims)}, shown)


def noise(n_units, seed=0, mean=10.0):
    return np.random.default_rng(seed).normal(mean, 1, (N * len(CATEGORIES), n_units))


def of_faces(result):
    return result.table[result.table["contrast"] == "faces"].reset_index(drop=True)


FACES = slice(N, 2 * N)


@pytest.fixture(scope="module")
def planted():
    """Units: selective, decoy (active to everything), also to scrambled, in one half of the faces only, silent."""
    activity = noise(40, seed=3)
    activity[FACES, 0] += 3
    activity[:, 1] += 50
    activity[FACES, 2] += 3
    activity[3 * N :, 2] += 6
    activity[:, 3] = 7.0
    activity[:, 4] -= 20
    activity[FACES, 4] += 3
    return activity


@pytest.fixture(scope="module")
def result(planted):
    return ANALYSIS.check(selectivity(recorded(planted), n_shuffles=40))


# what is planted is found


def test_a_planted_unit_is_found_and_decoys_are_not(result):
    chosen = result.table.query("selective")
    assert list(zip(chosen["address"], chosen["contrast"], strict=True)) == [("area[0]", "faces"), ("area[4]", "faces")]
    assert (chosen["preferred_category"] == "faces").all()
    targets = result.table.query("selective and contrast == 'faces'")[["network", "layer", "channel"]]
    assert targets.values.tolist() == [["trained", "area", 0], ["trained", "area", 4]]


def test_a_unit_that_likes_scrambled_images_more_has_d_prime_but_is_not_selective(result):
    unit = of_faces(result).loc[2]
    assert unit["d_prime"] > 2
    assert unit["q"] < 0.001
    assert unit["d_prime_scrambled"] < 0
    assert not unit["selective"]


def test_d_prime_of_gaussians_is_that_which_was_planted():
    """Means 2.5 apart with standard deviations 1 and 2: 2.5 / √2.5; its standard error is about .1 with 1,000 each."""
    rng = np.random.default_rng(1)
    activity = np.concatenate([rng.normal(12.5, 2, (1000, 20)), rng.normal(10, 1, (1000, 20))])
    found = selectivity(recorded(activity, np.repeat(["faces", "places"], 1000)), n_shuffles=20).table
    mine, theirs = (found.query(f"contrast == '{one}'")["d_prime"].to_numpy() for one in ("faces", "places"))
    assert mine.mean() == pytest.approx(2.5 / np.sqrt(2.5), abs=0.03)
    np.testing.assert_allclose(mine, -theirs, rtol=1e-12)


def test_measures_worked_out_by_hand():
    """Faces 4, 6, 4, 6; places 1, 3, 1, 3: variances 4/3 each, so that d′ = 3 / √(4/3) and t = 3 / √(2/3)."""
    activity = np.array([[4.0], [6.0], [4.0], [6.0], [1.0], [3.0], [1.0], [3.0]])
    unit = of_faces(selectivity(recorded(activity, ["faces"] * 4 + ["places"] * 4), n_shuffles=20)).loc[0]
    assert unit["mean_preferred"] == 5
    assert unit["mean_others"] == 2
    assert unit["d_prime"] == pytest.approx(3 / np.sqrt(4 / 3))
    assert unit["t"] == pytest.approx(3 / np.sqrt(2 / 3))
    assert unit["selectivity_index"] == pytest.approx(3 / 7)
    assert unit["nan_reason"] == "fewer than two scrambled stimuli"


def test_t_p_and_q_are_those_of_scipy(planted, result):
    """scipy.stats.ttest_ind(equal_var=False, alternative="greater") and false_discovery_control, unit by unit."""
    others = np.r_[0:N, 2 * N : 3 * N]
    known = [unit for unit in range(planted.shape[1]) if unit != 3]
    test = stats.ttest_ind(planted[FACES][:, known], planted[others][:, known], equal_var=False, alternative="greater")
    mine = of_faces(result).loc[known]
    np.testing.assert_allclose(mine["t"], test.statistic, rtol=1e-9)
    np.testing.assert_allclose(mine["p"], test.pvalue, rtol=1e-7)
    np.testing.assert_allclose(mine["q"], stats.false_discovery_control(test.pvalue), rtol=1e-7)


def test_halves_hold_each_category_once_and_are_measured_apart(planted, result):
    """The halves are not in the table; that their sums are the whole is seen in the mean of both d′."""
    units = of_faces(result).drop(3)
    assert units["d_prime_selected"].corr(units["d_prime_replicated"]) > 0.8
    between = (units["d_prime_selected"] + units["d_prime_replicated"]) / 2
    np.testing.assert_allclose(between, units["d_prime"], atol=0.25)
    again = of_faces(selectivity(recorded(planted), n_shuffles=40, seed=1)).drop(3)
    assert not np.allclose(again["d_prime_selected"], units["d_prime_selected"])
    np.testing.assert_allclose(again["d_prime"], units["d_prime"], rtol=1e-12)


def test_what_only_one_half_of_the_stimuli_shows_is_chosen_there_and_not_selective():
    activity = noise(30, seed=5)
    shown = recorded(activity).stimuli
    first = design_of(shown, label="category", contrasts=None, scrambled="scrambled", seed=0).first_half
    activity[FACES, 0] += np.where(first[FACES], 6.0, 0.0)
    found = selectivity(recorded(activity), n_shuffles=20)
    unit, row = of_faces(found).loc[0], found.summary.set_index("contrast").loc["faces"]
    assert unit["d_prime"] > 1
    assert unit["q"] < 0.001
    assert unit["d_prime_selected"] > 4
    assert abs(unit["d_prime_replicated"]) < 0.5
    assert not unit["selective"]
    assert (row["n_chosen"], row["n_replicated"]) == (1, 0)


def test_contrasts_can_be_groups_and_pairs(planted):
    asked = {"animate": ["bodies", "faces"], "faces or places": ("faces", "places"), "one": "faces"}
    found = selectivity(recorded(planted), contrasts=asked, n_shuffles=20)
    assert list(found.table["contrast"].unique()) == list(asked)
    pair = found.table.query("contrast == 'faces or places'").reset_index(drop=True)
    np.testing.assert_allclose(pair["mean_others"], planted[2 * N : 3 * N].mean(axis=0))
    animate = found.table.query("contrast == 'animate'").reset_index(drop=True)
    np.testing.assert_allclose(animate["mean_preferred"], planted[: 2 * N].mean(axis=0))
    assert found.provenance["parameters"]["contrasts"]["animate"] == {
        "preferred": ["bodies", "faces"],
        "against": ["places"],
    }


# chance


def test_noise_is_significant_as_often_as_it_says_and_selective_never():
    """4,000 units of noise: p below .05 in 5 % (four standard errors are 1.4 %), uniform by Kolmogorov–Smirnov."""
    found = selectivity(recorded(noise(4000, seed=11)), n_shuffles=20)
    p = of_faces(found)["p"]
    assert float((p <= 0.05).mean()) == pytest.approx(0.05, abs=0.014)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert not found.table["selective"].any()
    assert (found.summary["n_selective"] == 0).all()
    assert (found.summary["p_selective"] == 1).all()


def test_chance_is_what_the_same_rule_finds_in_shuffled_labels():
    """Of 4 against 4 stimuli, d′ ≥ 1 is nothing: the number by chance says so. q alone is what keeps it small."""
    counted = []
    for seed in range(12):
        activity = np.random.default_rng(seed).normal(10, 1, (24, 60))
        found = selectivity(recorded(activity, np.repeat(["a", "b", "c", "d"], 6)), n_shuffles=30, seed=seed).summary
        counted.append(found[["n_selective", "selective_by_chance", "n_d_prime_1"]].mean())
    mean = pd.DataFrame(counted).mean()
    assert mean["n_d_prime_1"] > 1
    assert mean["n_selective"] == pytest.approx(mean["selective_by_chance"], abs=0.15)


def test_the_planted_number_is_beyond_chance_and_stays_on_other_stimuli(result):
    row = result.summary.set_index("contrast").loc["faces"]
    assert row["n_selective"] == 2
    assert row["selective_by_chance"] < 0.5
    assert row["p_selective"] == pytest.approx(1 / 41)
    assert row["n_chosen"] == row["n_replicated"] == 3  # also the one that scrambled images drive more
    assert row["replicated_share"] == 1
    assert row["median_d_prime_other_half"] > 2
    assert row["max_d_prime"] == of_faces(result)["d_prime"].max()
    assert row["n_measured"] == 39


def test_what_half_of_the_stimuli_choose_shrinks_on_the_other_half_where_it_was_noise():
    """Weak units near the threshold: the half that chose them says more than the other half does."""
    activity = noise(400, seed=2)
    activity[FACES] += 0.9
    row = selectivity(recorded(activity), n_shuffles=20).summary.set_index("contrast").loc["faces"]
    assert row["n_chosen"] > 50
    assert row["median_d_prime_chosen"] > row["median_d_prime_other_half"] + 0.1


# what must not matter


def test_order_and_scale_do_not_matter(planted, result):
    order = np.random.default_rng(0).permutation(planted.shape[1])
    turned = of_faces(selectivity(recorded(planted[:, order]), n_shuffles=40))
    scaled = of_faces(selectivity(recorded(planted * 1e-6), n_shuffles=40))
    shifted = of_faces(selectivity(recorded(planted + 1000), n_shuffles=40))
    mine = of_faces(result)
    for name in ("d_prime", "t", "p", "q", "d_prime_replicated"):
        np.testing.assert_allclose(turned[name], mine[name].to_numpy()[order], rtol=1e-9)
        np.testing.assert_allclose(scaled[name], mine[name], rtol=1e-7)
        np.testing.assert_allclose(shifted[name], mine[name], rtol=1e-5)
    np.testing.assert_array_equal(shifted["selective"], mine["selective"])


def test_the_order_of_stimuli_does_not_matter_to_the_measures(planted, result):
    order = np.random.default_rng(1).permutation(len(planted))
    turned = of_faces(selectivity(recorded(planted[order], np.repeat(CATEGORIES, N)[order]), n_shuffles=40))
    for name in ("d_prime", "t", "q", "selectivity_index", "d_prime_scrambled"):
        np.testing.assert_allclose(turned[name], of_faces(result)[name], rtol=1e-9)


def test_nothing_that_is_given_is_changed(planted):
    before = planted.copy()
    selectivity(recorded(planted), n_shuffles=20)
    np.testing.assert_array_equal(planted, before)


# the edges


def test_silent_signed_and_broken_units_have_their_reasons(result):
    units = of_faces(result)
    assert units.loc[3, "nan_reason"] == "constant activity"
    assert units.loc[3, ["d_prime", "t", "p", "q", "d_prime_replicated"]].isna().all()
    assert units.loc[3, "preferred_category"] == "none"
    assert units.loc[4, "nan_reason"] == "activity below 0: no selectivity index"
    assert np.isnan(units.loc[4, "selectivity_index"])
    assert np.isfinite(units.loc[4, "d_prime"])
    assert not units.loc[[3], "selective"].any()
    broken = noise(3)
    broken[5, 1], broken[6, 2] = np.nan, np.inf
    broken_units = of_faces(selectivity(recorded(broken), n_shuffles=20))
    assert list(broken_units["nan_reason"]) == ["", *["activity that is not finite"] * 2]
    assert np.isfinite(broken_units["q"][0])


def test_a_unit_that_never_varies_within_a_side_has_no_d_prime():
    activity = noise(3)
    activity[:, 0] = 0
    activity[FACES, 0] = 1
    unit = of_faces(selectivity(recorded(activity), n_shuffles=20)).loc[0]
    assert np.isnan(unit["d_prime"])
    assert unit["nan_reason"] == "no variance on either side"
    assert unit["selectivity_index"] == 1


def test_one_stimulus_of_a_category_is_too_few_and_said():
    labels = ["a", *["b"] * 10, *["c"] * 10]
    found = selectivity(recorded(np.random.default_rng(0).normal(5, 1, (21, 4)), labels), n_shuffles=20)
    alone = found.table.query("contrast == 'a'")
    assert alone["d_prime"].isna().all()
    assert (alone["nan_reason"].str.startswith("fewer than two stimuli on a side; ")).all()
    assert any("fewer than two stimuli on a side of a half" in note for note in found.notes)
    two = ["a", "a", *["b"] * 10]
    pair = selectivity(recorded(np.random.default_rng(0).normal(5, 1, (12, 4)), two), n_shuffles=20).table
    assert np.isfinite(pair["d_prime"]).all()
    assert pair["nan_reason"].str.startswith("fewer than two stimuli on a side of a half").all()


def test_sequences_are_averaged_over_time_and_places_are_units():
    rng = np.random.default_rng(0)
    labels = np.repeat(["left", "right"], 20)
    over_time = rng.normal(5, 1, (40, 6, 3))
    over_time[:20, 3:, 1] += 4
    found = selectivity(recorded(over_time, labels, ("stimulus", "time", "unit")), n_shuffles=20)
    same = selectivity(recorded(over_time.mean(axis=1), labels), n_shuffles=20)
    pd.testing.assert_frame_equal(found.table, same.table)
    assert "Activity was averaged over time in 1 of 1 layers." in found.notes
    maps = rng.normal(5, 1, (40, 2, 3, 4))
    maps[20:, 1, 2, 3] += 4
    placed = selectivity(recorded(maps, labels, ("stimulus", "channel", "y", "x")), n_shuffles=20).table
    assert len(placed) == 2 * 24
    assert placed.query("selective")[["channel", "y", "x", "address"]].values.tolist() == [[1, 2, 3, "area[1,2,3]"]]


def test_a_recorded_network_is_measured_with_the_label_that_is_asked_for():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()).eval()
    images = np.random.default_rng(0).random((24, 1, 8, 8)).astype(np.float32)
    images[:12] += 1
    shown = pk.stimuli.array(images, pd.DataFrame({"light": ["bright"] * 12 + ["dark"] * 12}))
    recording = pk.record(network, shown, layers=["1"], units=pk.Units(space="mean"))
    found = ANALYSIS.check(selectivity(recording, label="light", n_shuffles=20, network="mine"))
    assert set(found.table["network"]) == {"mine"}
    assert len(found.table) == 8
    assert found.provenance["recordings"]["mine"]["weights_sha256"]


@pytest.mark.parametrize(
    ("asked", "error", "match"),
    [
        ({"label": "catgory"}, UnknownNameError, r"no column of the stimulus table called 'catgory'\. Did you mean"),
        ({"label": "gaps"}, UsageError, r"label 'gaps' is missing for 2 of 160 stimuli; expected one for each"),
        ({"label": "same"}, UsageError, r"label 'same' is x for all stimuli .*compares two labels or more"),
        ({"contrasts": {"f": "face"}}, UnknownNameError, r"no label of contrast 'f' called 'face'\. Did you mean"),
        ({"contrasts": {"f": ("faces", ["faces"])}}, UsageError, r"contrast 'f' compares \['faces'\] with \['faces'\]"),
        ({"contrasts": {"all": ["bodies", "faces", "places"]}}, UsageError, r"contrast 'all' .* with \[\]; expected"),
        ({"contrasts": {"s": "scrambled"}}, UnknownNameError, r"no label of contrast 's' called 'scrambled'"),
        ({"contrasts": {"f": ("faces",)}}, UsageError, r"contrast 'f' is a tuple of 1; expected a list of labels"),
        ({"contrasts": {}}, UsageError, r"contrasts is empty; expected a mapping such as"),
        ({"n_shuffles": 5}, UsageError, r"n_shuffles is 5; expected at least 20"),
        ({"seed": -1}, UsageError, r"seed is -1; expected at least 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_in_words(asked, error, match):
    recording = recorded(noise(2))
    shown = recording.stimuli.assign(same="x", gaps=[None, None, *["y"] * 158])
    with pytest.raises(error, match=match):
        selectivity(Recording(recording.activity, shown), **asked)


def test_what_is_no_recording_is_refused():
    with pytest.raises(UsageError, match="recording is a ndarray; expected a Recording"):
        selectivity(noise(2))


def test_published_figures_are_shares_with_a_source():
    table = published()
    assert (table["statistic"] == "share").all()
    assert table["value"].between(0, 1).all()
    assert table["doi"].str.startswith("10.").all()


# real images, real neurons


@pytest.mark.data
def test_the_localizers_images_are_what_they_say():
    stimuli = floc.images(64)
    assert len(stimuli) == 440
    assert stimuli.table["category"].value_counts().to_dict() == dict.fromkeys(floc.CATEGORIES, 80) | {"scrambled": 40}
    batch = stimuli.batch([0, 439])
    assert batch.shape == (2, 3, 64, 64)
    assert torch.equal(batch[:, 0], batch[:, 2])
    assert 0 <= batch.min() < batch.max() <= 1
    few = floc.images(64, n_per_condition=2)
    assert torch.equal(few.batch([2]), stimuli.batch([40]))
    assert few.table["condition"].tolist()[:6] == ["adult"] * 2 + ["child"] * 2 + ["body"] * 2
    assert few.sha256 != stimuli.sha256 == floc.images(64).sha256
    with pytest.raises(UsageError, match=r"n_per_condition is 41; there are 40 images of each condition"):
        floc.images(64, n_per_condition=41)


@pytest.mark.data
def test_a_networks_late_layer_has_face_units_and_its_early_layers_and_twin_have_few():
    """EfficientNet-lite0, shown smaller images than its own to be quick."""
    loaded = pk.zoo.load("efficientnet-lite0")
    entry = dataclasses.replace(loaded, card=dataclasses.replace(loaded.card, input_shape=(3, 160, 160)))
    stimuli = floc.images(160, n_per_condition=8)
    found = {}
    for name, network in (("trained", entry), ("untrained", entry.untrained(0))):
        recording = pk.record(
            network, stimuli, layers=["blocks.1.0.bn2", "blocks.6.0.bn2"], units=pk.Units(space="mean")
        )
        found[name] = selectivity(recording, n_shuffles=20).summary.set_index(["layer", "contrast"])
    late, early = (found["trained"].loc[(f"blocks.{at}.bn2", "faces")] for at in ("6.0", "1.0"))
    assert late["n_selective"] > 50
    assert late["max_d_prime"] > 3
    assert late["selective_by_chance"] < 1
    assert late["replicated_share"] > 0.8
    assert early["selective_share"] < late["selective_share"] / 4
    assert found["untrained"].loc[("blocks.6.0.bn2", "faces"), "n_selective"] <= 2


@pytest.mark.data
def test_it_neurons_go_through_the_same_code():
    recording = it_recording()
    rates = recording[LAYER]
    assert rates.sizes["unit"] == 132
    found = ANALYSIS.check(selectivity(recording, label="object", n_shuffles=20, network="IT"))
    assert len(found.table) == 7 * 132
    shown = recording.stimuli["object"].to_numpy()
    test = stats.ttest_ind(
        rates.values[shown == "face"], rates.values[shown != "face"], equal_var=False, alternative="greater"
    )
    mine = found.table.query("contrast == 'face'")
    np.testing.assert_allclose(mine["t"], test.statistic, rtol=1e-9)
    told = found.table.assign(significant=found.table["q"] <= 0.05).groupby("address")["significant"].any()
    assert told.mean() > 0.3  # tell an object from the others
    assert 1 < found.table["d_prime"].max() < 3  # with the noise of single trials


@pytest.mark.data
def test_the_protocol_has_every_control_and_refuses_what_takes_no_images():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        module = nn.Sequential(nn.Conv2d(3, 6, 5), nn.ReLU()).eval()

    def entry(shape):
        card = pk.Card("tiny", "CNN", shape, "nothing", layers=("1",))
        return pk.Entry(module, None, card, lambda: nn.Sequential(nn.Conv2d(3, 6, 5), nn.ReLU()))

    found = pk.analyse("selectivity", entry((3, 32, 32)), quick=True)
    assert list(found.table["network"].unique()) == ["trained", "untrained", "pixels", "gabor-pyramid", "IT"]
    assert set(found.table.query("network == 'IT'")["contrast"]) >= {"face", "car", "kiwi"}
    assert any("not for a category" in note for note in found.notes)
    tested = found.summary.query("network == 'trained'")
    assert tested["q_vs_untrained"].notna().all()
    for shape in ((1, 32, 32), (3, 32, 48), (10, 4)):
        with pytest.raises(NotApplicableError, match="selectivity needs a network that takes square images"):
            pk.analyse("selectivity", entry(shape), quick=True)


@pytest.mark.data
def test_low_level_controls_are_the_images_and_filters_of_them():
    stimuli = floc.images(64, n_per_condition=2)
    found = low_level(stimuli)
    assert found["pixels"]["pixels"].shape == (22, 1, 32, 32)
    blocks = stimuli.batch([3])[0, 0].numpy().reshape(32, 2, 32, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(found["pixels"]["pixels"].values[3, 0], blocks, rtol=1e-5)
    assert found["gabor-pyramid"]["gabor-pyramid"].sizes["unit"] == 3 * 40
