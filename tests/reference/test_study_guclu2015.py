"""Güçlü & van Gerven 2015: what is planted is found, noise is not, claims follow their rules, and the real gradient."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from probekit import zoo
from probekit.analyses.studies.guclu2015 import STUDY, voxels
from probekit.analyses.studies.guclu2015.choices import FORMS, MAIN, RAW, View, as_ranks, cells, numbers
from probekit.analyses.studies.guclu2015.regions import Found, Pair, claims
from probekit.analyses.ventral.depths import depths
from probekit.analyses.ventral.planted import noise_regions, planted_regions
from probekit.analyses.ventral.products import inner_products
from probekit.analyses.ventral.representations import layer_rdms
from probekit.brains import cichy2014
from probekit.brains.kriegeskorte2008 import object_images
from probekit.brains.vim1 import Vim1
from probekit.encoding import planted_voxels, recording_features
from probekit.errors import NotApplicableError
from probekit.network import Card, Entry, Preprocess
from probekit.recorder import record
from probekit.rsa import RDMs, compare, compute_rdms
from probekit.stimuli import array
from probekit.study import StudyOptions

PAIR = Pair("EVC (planted)", "IT (planted)", "planted")


def tiny(shape: tuple[int, ...] = (3, 32, 32)) -> Entry:
    """Return a network of four stages that its untrained twins of seeds 0 and 1 are not."""

    def build() -> nn.Module:
        widths = (3, 8, 12, 16, 16)
        stages = [
            layer
            for before, after in pairwise(widths)
            for layer in (nn.Conv2d(before, after, 3, stride=1 if after == 8 else 2, padding=1), nn.ReLU())
        ]
        return nn.Sequential(*stages)

    with torch.random.fork_rng():
        torch.manual_seed(7)
        module = build().eval()
    return Entry(module, Preprocess((0.5,), (0.25,)), Card("tiny", "CNN", shape, "nothing"), build)


def random_layers(n_layers: int, n_conditions: int, seed: int) -> RDMs:
    rng = np.random.default_rng(seed)
    patterns = {f"layer {number}": rng.standard_normal((n_conditions, 40)) for number in range(n_layers)}
    return compute_rdms(patterns)


@pytest.fixture(scope="module")
def result():
    return STUDY.check(STUDY.run([tiny()], StudyOptions(synthetic=True, quick=True)))


def test_what_is_planted_is_found(result) -> None:
    table = result.table[result.table["variant"].str.endswith("standardised, correlation, output; planted")]
    found = dict(zip(table["claim"], table["verdict"], strict=True))
    assert found["The deeper a region, the deeper the layer that fits it best"] == "agrees"
    assert found["With depth, layers fit the deeper region more and more, compared with the shallower one"] == "agrees"
    assert (table["value_low"].iloc[:2] > 0).all()


def test_nothing_is_found_in_noise(result) -> None:
    table = result.table[result.table["variant"].str.endswith("noise") & result.table["value_low"].notna()]
    assert len(table) == 7
    assert (table["verdict"] == "undecided").all()


def test_every_form_is_a_cell_of_the_network_and_its_twin(result) -> None:
    cells_of = result.arrays["choices"].to_dataset(dim="quantity").to_dataframe()
    counted = cells_of.groupby(["pair", "network", "standardize", "distance", "stage"]).size()
    assert len(counted) == 2 * 2 * len(FORMS)
    assert (counted == 1).all()
    assert set(result.summary["network"]) == {"trained", "untrained", "control"}
    assert set(result.summary.loc[result.summary["network"] == "untrained", "seed"]) == {0, 1}


def test_planted_voxels_are_found_and_measured_ones_are_not_made_up(result) -> None:
    table = result.table.set_index("claim")
    assert table.loc["Check of the method: a planted gradient is found", "value"] > 0.7
    assert table.loc["Check of the method: a planted gradient is found", "verdict"] == "agrees"
    assert table.loc["Check of the method: in noise no gradient is found", "verdict"] == "agrees"
    assert table.loc[voxels.CLAIM, "verdict"] == "not tested"
    assert np.isnan(table.loc[voxels.CLAIM, "value"])


def test_networks_that_see_no_square_pictures_are_refused() -> None:
    with pytest.raises(NotApplicableError, match=r"\(1, 32, 32\).*square images with 3 channels"):
        STUDY.run([tiny((1, 32, 32))], StudyOptions(synthetic=True))


def test_one_look_gives_the_distances_of_every_form() -> None:
    patterns = np.random.default_rng(0).normal(0.3, 1, (12, 7000)).astype(np.float32)
    patterns[:, 3] = 2
    treatments = list(product((True, False), (True, False)))
    for (standardize, rectify), products in zip(treatments, inner_products(patterns, treatments), strict=True):
        shown = np.maximum(patterns, 0) if rectify else patterns
        for distance in ("correlation", "cosine", "euclidean", "squared_euclidean"):
            expected = compute_rdms(shown, distance=distance, standardize=standardize).dissimilarities[0]
            found = products.distances(distance)
            assert found is not None
            np.testing.assert_allclose(found, expected, rtol=1e-10)  # both in float64, summed in another order


def test_products_say_where_they_lose_digits() -> None:
    same = np.ones((4, 50)) * 3
    dead, nearly = inner_products(same, [(False, False)])[0], same + 1e-9 * np.random.default_rng(0).random((4, 50))
    assert all(dead.distances(distance) is None for distance in ("correlation", "cosine", "euclidean"))
    assert inner_products(nearly, [(False, False)])[0].distances("correlation") is None
    assert inner_products(same, [(True, False)])[0].distances("euclidean") is None


def test_layers_have_the_same_rdms_in_one_form_and_in_many() -> None:
    shown = array(
        np.random.default_rng(0).random((10, 3, 32, 32), dtype=np.float32), pd.DataFrame({"condition": range(10)})
    )
    many = layer_rdms(tiny(), shown, FORMS)
    for form in (MAIN, RAW):
        one = layer_rdms(tiny(), shown, [form])[form]
        np.testing.assert_allclose(many[form].dissimilarities, one.dissimilarities, rtol=1e-9, atol=1e-12)


def test_ranked_once_the_observed_is_spearman_and_intervals_are_close() -> None:
    models = random_layers(6, 30, 1)
    regions = planted_regions(models, {"a": 0.2, "b": 1.0}, n_subjects=8, seed=2)
    table = cells({View(): {MAIN: models}}, regions, ("a", "b"), n_resamples=300, seed=0)
    whole = depths(models, regions, shallow="a", deep="b", n_resamples=300, seed=0)
    spearman = compare(models, regions["a"], measure="spearman")
    np.testing.assert_allclose(
        compare(as_ranks(models), as_ranks(regions["a"]), measure="pearson"), spearman, atol=1e-12
    )
    assert table["difference"].item() == whole.observed == 4
    assert table["trend"].item() == pytest.approx(whole.observed_trend)
    expected = numbers(whole)
    assert table["trend_low"].item() == pytest.approx(expected["trend_low"], abs=0.15)  # the draws are the same
    assert table["excludes_0"].item() == expected["excludes_0"] == 1


def test_noise_rarely_excludes_0() -> None:
    """Over 100 fields of noise, at most 5 % + 3 standard errors of the intervals of best layers exclude 0."""
    models = random_layers(8, 16, 3)
    excluded = 0
    for seed in range(100):
        regions = noise_regions(models.conditions, ("a", "b"), n_subjects=6, seed=seed)
        table = cells({View(): {MAIN: models}}, regions, ("a", "b"), n_resamples=100, seed=seed)
        excluded += int(table["excludes_0"].item())
    assert excluded <= 11


@pytest.mark.parametrize(
    ("low", "trend_low", "high", "verdict"),
    [(1, 0.1, 5, "agrees"), (1, -0.1, 5, "undecided"), (-5, -0.9, -1, "differs"), (-5, -0.9, 5, "undecided")],
)
def test_the_verdict_over_all_ways_is_by_rule(low: float, trend_low: float, high: float, verdict: str) -> None:
    models = random_layers(4, 12, 0)
    regions = planted_regions(models, {"a": 0.0, "b": 1.0}, n_subjects=6)
    one = depths(models, regions, shallow="a", deep="b", n_resamples=20)
    row = {"pair": "b minus a", "kind": "", "model": "m", "network": "trained", "seed": 0}
    best = pd.DataFrame(
        [row | {"form": str(form), "shallow_layer": "x", "deep_layer": "y"} | numbers(one) for form in (MAIN, RAW)]
    )
    ways = pd.DataFrame(
        [
            row
            | numbers(one)
            | {"standardize": "raw", "low": low, "high": high, "trend_low": trend_low, "trend_high": 1.0}
        ]
        * 3
    )
    found = Found(Pair("a", "b"), best, {("m", "trained", 0, str(MAIN)): one}, ways)
    assert list(claims(found, "m"))[-1].verdict == verdict


def test_components_keep_the_distances() -> None:
    patterns = np.random.default_rng(0).standard_normal((20, 6))
    rdms = compute_rdms({"layer": patterns, "dead": np.ones((20, 6))}, distance="euclidean")
    found = voxels.components(rdms, "layer")
    assert found.shape == (20, 6)
    np.testing.assert_allclose(compute_rdms(found, distance="euclidean").dissimilarities[0], rdms.dissimilarities[0])
    assert voxels.components(rdms, "dead").shape == (20, 0)


def test_measured_voxels_go_to_their_layers() -> None:
    entry, rng = tiny((3, 16, 16)), np.random.default_rng(0)
    grey = torch.from_numpy(rng.random((160, 1, 12, 12), dtype=np.float32)).expand(-1, 3, -1, -1)
    shown = [array(part, pd.DataFrame({"condition": range(len(part))})) for part in (grey[:120], grey[120:])]
    layers = ["1", "3", "5", "7"]
    fitted = voxels.resized(array(grey), 16)
    features = recording_features(record(entry, fitted, layers=layers))
    few = {layer: one @ rng.standard_normal((one.shape[1], 5)) for layer, one in features.items()}
    made = planted_voxels(few, n_voxels_per_layer=8, noise=0.3)
    areas = np.array(voxels.AREAS)[made.layer_index]
    responses = made.responses.mean(axis=1).T.astype(np.float32)
    table = pd.DataFrame({"area": [*areas, "V3"], "index": range(33)})
    responses = np.concatenate([responses, responses[:1]])
    person = Vim1(*shown, responses[:, :120], responses[:, 120:], table, 0, 1)
    found = voxels.of_person(entry, layers, person, StudyOptions())
    assert found.n_voxels == 32  # V3 is none of the areas
    assert found.rises
    assert found.gradient.rho > 0.7
    assert [claim.verdict for claim in voxels.claims([found])] == ["agrees"]


@pytest.mark.data
def test_the_gradient_of_the_default_network_is_there_standardised_and_not_in_its_raw_trend() -> None:
    shown = object_images(224)
    both = layer_rdms(zoo.load("efficientnet-lite0"), shown, [MAIN, RAW])
    regions = {"EVC": cichy2014.evc(), "IT": cichy2014.it()}
    standardised, raw = (
        numbers(depths(both[form], regions, shallow="EVC", deep="IT", n_resamples=300)) for form in (MAIN, RAW)
    )
    assert standardised["low"] > 0
    assert standardised["trend_low"] > 0.3
    assert raw["trend_low"] < 0 < raw["trend_high"]
    assert raw["low"] <= 1
