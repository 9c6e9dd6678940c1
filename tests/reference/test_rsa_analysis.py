"""Representational similarity as an analysis: planted layers are found, noise is not, people are no sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import probekit as pk
from probekit.analyses.rsa import ANALYSIS
from probekit.analyses.ventral.depths import depths
from probekit.analyses.ventral.planted import noise_regions, planted_regions
from probekit.analyses.ventral.ranking import ranking
from probekit.analyses.ventral.regions import ventral_regions
from probekit.analyses.ventral.representations import Form, layer_rdms
from probekit.analyses.ventral.systems import System
from probekit.errors import UsageError

N_IMAGES = 40


@pytest.fixture(scope="module")
def recording():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = nn.Sequential(
            *[part for width in (3, 8, 8, 8) for part in (nn.Conv2d(width, 8, 3, stride=2), nn.ReLU())]
        )
    images = np.random.default_rng(0).random((N_IMAGES, 3, 40, 40)).astype(np.float32)
    table = pd.DataFrame({"condition": [f"image {number}" for number in range(N_IMAGES)]})
    return pk.record(network.eval(), pk.stimuli.array(images, table), layers=nn.ReLU)


@pytest.fixture(scope="module")
def layers(recording):
    rdms = pk.rsa.recording_rdms(recording, standardize=True, conditions="condition")
    return pk.rsa.RDMs(rdms.dissimilarities, rdms.conditions, rdms.table[["layer"]], rdms.distance)


def test_planted_layers_fit_best_and_noise_fits_none(recording, layers):
    regions = planted_regions(layers, {"early": 0.0, "late": 1.0}) | noise_regions(layers.conditions, ["nothing"])
    result = ANALYSIS.check(pk.analyses.rsa(recording, regions))
    best = result.table.loc[result.table.groupby("region")["score"].idxmax()].set_index("region")
    assert best.loc["early", "layer"] == recording.layers[0]
    assert best.loc["late", "layer"] == recording.layers[-1]
    assert (best.loc[["early", "late"], "q"] < 0.001).all()
    assert (result.table.loc[result.table["region"] == "nothing", "q"] > 0.05).all()
    assert result.summary.set_index("layer").loc[recording.layers[0], "best_region"] == "early"


def test_scores_are_those_of_the_comparison_and_the_order_of_conditions_does_not_matter(recording, layers):
    regions = planted_regions(layers, {"late": 1.0})
    result = pk.analyses.rsa(recording, regions)
    expected = pk.rsa.compare(layers, regions["late"]).mean(axis=1)
    np.testing.assert_allclose(result.table["score"], expected, rtol=1e-12)
    turned = {"late": regions["late"].select(regions["late"].conditions[::-1])}
    again = pk.analyses.rsa(recording, turned)
    pd.testing.assert_frame_equal(again.table, result.table)


def test_a_region_of_other_conditions_is_refused(recording, layers):
    other = noise_regions(["a", "b", "c", "d", "e"], ["elsewhere"])
    with pytest.raises(UsageError, match="no condition called 'image 0'"):
        pk.analyses.rsa(recording, other)


def test_depths_find_the_planted_order_and_none_where_both_regions_follow_one_layer(layers):
    apart = depths(layers, planted_regions(layers, {"a": 0.0, "b": 1.0}), shallow="a", deep="b", n_resamples=300)
    assert apart.observed == 3
    assert apart.interval(apart.difference)[0] > 0
    assert apart.interval(apart.trend)[0] > 0
    together = planted_regions(layers, {"a": 0.4, "b": 0.4}, seed=1)
    same = depths(layers, together, shallow="a", deep="b", n_resamples=300)
    low, high = same.interval(same.difference)
    assert low <= 0 <= high


def test_systems_that_fit_alike_share_a_rank(layers):
    regions = planted_regions(layers, {"late": 1.0})
    noise = noise_regions(layers.conditions, ["noise"], n_subjects=2, seed=5)["noise"]
    nothing = pk.rsa.RDMs(noise.dissimilarities, noise.conditions, layers.table.iloc[:2], noise.distance)
    systems = [System("one", "trained", 0, layers), System("same", "trained", 0, layers)]
    table = ranking([System("noise", "control", 0, nothing), *systems], regions).set_index("model")
    assert table.loc[["one", "same"], "rank"].tolist() == [1, 1]
    assert table.loc["noise", "rank"] == 3


def test_every_form_is_recorded_once_and_rectifying_is_taking_the_positive_part(recording):
    network = nn.Sequential(nn.Conv2d(3, 6, 5, stride=3))
    entry = pk.Entry(network.eval(), lambda batch: batch, pk.Card("one layer", "CNN", (3, 40, 40), "nothing"))
    images = np.random.default_rng(1).random((12, 3, 40, 40)).astype(np.float32)
    stimuli = pk.stimuli.array(images, pd.DataFrame({"condition": [str(number) for number in range(12)]}))
    forms = [Form(standardize, stage=stage) for standardize in (False, True) for stage in ("output", "rectified")]
    found = layer_rdms(entry, stimuli, forms)
    with torch.no_grad():
        output = network(torch.from_numpy(images)).flatten(1).numpy()
    for form, rdms in found.items():
        patterns = np.maximum(output, 0) if form.stage == "rectified" else output
        expected = pk.rsa.compute_rdms(patterns, standardize=form.standardize)
        np.testing.assert_allclose(rdms.dissimilarities, expected.dissimilarities, rtol=1e-9)


@pytest.mark.data
def test_a_person_counts_once_however_many_sessions():
    regions = ventral_regions()
    assert {name: len(rdms) for name, rdms in regions.items()} == {"EVC": 15, "IT": 15, "hIT": 4, "mIT": 1}
    assert len({rdms.conditions for rdms in regions.values()}) == 1
