"""Cichy 2016: what is planted in space, in time and in neurons is found, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from torch import nn

import probekit as pk
from probekit.analyses.studies import cichy2016 as study
from probekit.analyses.studies.cichy2016 import STUDY, geometry, meg, shown
from probekit.analyses.studies.cichy2016.geometry import MODELS, N_FOLDS, measured_geometry, model_rdms, unit_distances
from probekit.analyses.studies.cichy2016.readout import CURVES, decoded
from probekit.analyses.studies.cichy2016.space import rank_correlations, subject_test, subject_trends
from probekit.analyses.studies.cichy2016.spikes import OBJECT_ONSET_MS, POSITION_ONSET_MS, planted_spikes
from probekit.analyses.studies.cichy2016.timing import subject_orders, timed, timing_of
from probekit.analyses.studies.cichy2016.verdicts import by_p
from probekit.analyses.ventral.systems import System
from probekit.errors import DataError, NotApplicableError
from probekit.rsa import RDMs, crossnobis_rdms
from probekit.stats import cluster_permutation, sign_permutation
from probekit.stimuli import random_textures
from probekit.study import StudyOptions

SIZE = 32
N_SUBJECTS = 12


def build():
    widths = (3, 8, 8, 12, 12, 16)
    layers = [
        nn.Sequential(nn.Conv2d(a, b, 3, stride=1 + at % 2, padding=1), nn.ReLU())
        for at, (a, b) in enumerate(pairwise(widths))
    ]
    return nn.Sequential(*layers)


def small(size=SIZE):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = build().eval()
    card = pk.Card("small", "CNN", (3, size, size), "nothing")
    return pk.Entry(module, pk.Preprocess((0.5,) * 3, (0.25,) * 3), card, build)


def layers(seed=0, *, n_layers=8, n_conditions=20):
    """Return RDMs of layers that change step by step with depth."""
    rng = np.random.default_rng(seed)
    patterns = np.cumsum(rng.standard_normal((n_layers, n_conditions * (n_conditions - 1) // 2)), axis=0)
    table = pd.DataFrame({"layer": [f"l{at}" for at in range(n_layers)], "depth": np.linspace(0, 1, n_layers)})
    return RDMs(patterns, tuple(f"c{at}" for at in range(n_conditions)), table, "correlation")


def curves(rng, n_runs, *, peak_ms=None, n_layers=6, gain=0.0):
    """Return scores (run, subject, layer, time) of noise alike in all layers and each layer's own, and a bump."""
    times = np.arange(-50.0, 300, 25)
    noise = rng.standard_normal((n_runs, N_SUBJECTS, n_layers, len(times)))
    noise += rng.standard_normal((n_runs, N_SUBJECTS, 1, len(times)))
    if peak_ms is not None:
        noise += gain * np.exp(-(((times - np.asarray(peak_ms)[:, None]) / 40) ** 2))
    return noise, times


@pytest.fixture(scope="module")
def synthetic():
    return STUDY.check(STUDY.run([small()], StudyOptions(synthetic=True, quick=True)))


def row(result, claim, variant):
    found = result.table[result.table["claim"].str.startswith(claim) & (result.table["variant"] == variant)]
    assert len(found), (claim, variant)
    return found.iloc[-1]


def test_planted_is_found_and_noise_is_not(synthetic):
    table = synthetic.table
    assert row(synthetic, "In space", "clean (planted)")["verdict"] == "agrees"
    assert row(synthetic, "In space", "clean (noise)")["verdict"] == "undecided"
    assert row(synthetic, "In space", "as published (noise)")["verdict"] == "undecided"
    assert (table[table["claim"].str.startswith("Check of the method")]["verdict"] == "agrees").all()
    assert (table[table["variant"] == "planted neurons, decoding"]["verdict"] == "agrees").all()
    planted = table[table["variant"] == "planted neurons, RSA over time"].set_index("claim")["verdict"]
    assert planted[[claim for claim in planted.index if "onset" in claim]].tolist() == ["agrees"]
    assert (table[table["variant"].str.startswith("noise neurons")]["verdict"] == "undecided").all()


def test_nothing_planted_is_said_to_be_recorded(synthetic):
    assert synthetic.provenance["synthetic"]
    assert row(synthetic, "In time", "")["verdict"] == "not tested"
    assert row(synthetic, "In time", "")["reason"] == "Only planted brains were asked for"
    assert set(synthetic.summary["region"]) == {
        f"{one} ({kind})" for one in ("EVC", "IT") for kind in ("planted", "noise")
    }
    assert not [name for name in synthetic.arrays if name.startswith(("meg", "it_neurons"))]


def test_the_published_p_is_of_sign_permutation_over_subjects(synthetic):
    rows = synthetic.summary[synthetic.summary["variant"] == "as published"]
    planted = rows[(rows["region"] == "IT (planted)") & (rows["network"] == "trained")]
    assert planted["p"].min() <= 2 / 10_000  # 15 subjects, all above 0: the smallest that 10,000 flips can give
    assert (rows[rows["region"].str.endswith("(noise)")]["q"] >= 0.05).all()


def test_images_of_another_shape_are_not_applicable():
    card = pk.Card("grey", "CNN", (1, SIZE, SIZE), "nothing")
    grey = pk.Entry(nn.Conv2d(1, 2, 3).eval(), pk.Preprocess((0.5,), (0.25,)), card)
    with pytest.raises(NotApplicableError, match=r"'grey' takes input of shape .*3 channels"):
        STUDY.run([grey], StudyOptions(synthetic=True))


def test_missing_data_are_not_replaced_by_planted_ones(monkeypatch, tmp_path):
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path))
    monkeypatch.setenv("PROBEKIT_OFFLINE", "1")
    with pytest.raises(DataError, match="kriegeskorte2008"):
        STUDY.run([small()], StudyOptions(quick=True))


def test_rank_correlations_are_spearmans():
    rng = np.random.default_rng(1)
    order, rows = rng.standard_normal(9), rng.integers(4, size=(5, 9)).astype(float)
    expected = [stats.spearmanr(order, one).statistic for one in rows]
    np.testing.assert_allclose(rank_correlations(order, rows), expected, atol=1e-12)  # sums of 9 ranks
    assert rank_correlations(order, np.ones((1, 9)))[0] == 0
    assert np.isnan(rank_correlations(order, np.full((1, 9), np.nan))).all()


def test_subjects_trends_follow_what_their_regions_are_like():
    models = layers(n_layers=6)
    system = System("net", "trained", 0, models)
    table = pd.DataFrame({"subject": range(1, 7), "region": "r"})
    rng = np.random.default_rng(2)

    def region(layer):
        noise = rng.standard_normal((6, models.dissimilarities.shape[1]))
        return RDMs(models.dissimilarities[layer] + noise, models.conditions, table, "correlation")

    trends = subject_trends(system, {"EVC": region(0), "IT": region(5)}, "")
    assert (trends > 0.9).all()
    assert subject_test(trends, 0).p == 2 / 2**6  # all six alike: two of all sign flips
    assert (subject_trends(system, {"EVC": region(5), "IT": region(0)}, "") < -0.9).all()


@pytest.mark.parametrize(
    ("value", "p", "expected"), [(1, 0.01, "agrees"), (-1, 0.01, "differs"), (1, 0.2, "undecided")]
)
def test_verdicts_by_p(value, p, expected):
    assert by_p(value, p) == expected
    assert by_p(float("nan"), 0.01) == "undecided"


def test_planted_peaks_are_found_in_order():
    models = layers(n_conditions=40)
    found = timed(models, meg.planted(models, signal=0.3, seed=1), n_resamples=200)
    assert found.n_followed == len(models)
    assert found.trend > 0.9
    assert found.trend_low > 0.7
    assert found.test.p < 0.001
    # each layer is followed for 200/7 ms around its moment
    assert np.abs(found.peak_ms - meg.planted_peaks(found.depth)).max() <= 30
    assert (found.peak_low <= found.peak_ms).all()
    assert (found.peak_ms <= found.peak_high).all()
    assert (found.clusters.p[:, found.times_ms < 0] >= 0.05).all()


def test_noise_has_no_peaks_and_no_order():
    models = layers()
    found = timed(models, meg.planted(models, signal=0, seed=4), n_resamples=20)
    assert found.n_followed == 0
    assert np.isnan(found.trend)
    assert found.test is None
    assert np.isnan(found.peak_ms).all()


def test_p_of_order_is_right_when_layers_come_together_or_not_at_all():
    rng = np.random.default_rng(5)
    n_runs, depth = 600, np.linspace(0, 1, 6)
    for peak_ms in (None, np.full(6, 125.0)):
        noise, times = curves(rng, n_runs, peak_ms=peak_ms, gain=2.0)
        orders = np.stack([subject_orders(one, times, depth) for one in noise], axis=1)
        p = sign_permutation(orders, n_permutations=2**N_SUBJECTS, tail="two-sided")
        assert 0.035 <= (p < 0.05).mean() <= 0.065
    noise, times = curves(rng, 20, peak_ms=np.linspace(50, 200, 6), gain=4.0)
    orders = np.stack([subject_orders(one, times, depth) for one in noise], axis=1)
    assert (sign_permutation(orders, n_permutations=2**N_SUBJECTS, tail="two-sided") < 0.05).all()


def test_layers_that_come_in_the_opposite_order_have_a_negative_trend():
    noise, times = curves(np.random.default_rng(6), 1, peak_ms=np.linspace(200, 50, 6), gain=3.0)
    found = timing_of(noise[0], times, np.linspace(0, 1, 6), tuple("abcdef"), n_resamples=100, seed=0)
    assert found.trend < -0.9
    assert found.test.mean < -0.5
    assert found.test.p < 0.01


def test_distances_of_units_average_to_crossnobis():
    rng = np.random.default_rng(7)
    counts = rng.poisson(3, (7, 5, 2, 4)).astype(float)
    counts[..., 3] = 2.0  # never varies: left out
    found = unit_distances(counts)
    assert found.shape == (3, 2, 10)
    scaled = counts[..., :3] / np.sqrt(counts[..., :3].var(axis=0, ddof=1).mean(axis=(0, 1)))
    folds = np.repeat(np.arange(N_FOLDS), [len(part) for part in np.array_split(np.arange(7), N_FOLDS)])
    for window in range(2):
        rows = scaled[:, :, window].reshape(-1, 3)
        theirs = crossnobis_rdms(rows, np.tile(np.arange(5), 7), np.repeat(folds, 5))
        # the same sums in another order
        np.testing.assert_allclose(found[:, window].mean(axis=0), theirs.dissimilarities[0], rtol=1e-9, atol=1e-12)


def test_p_of_clusters_over_neurons_is_right_on_noise():
    rng = np.random.default_rng(0)
    n_runs, found = 400, 0
    weights = geometry.regression_weights(model_rdms())
    for run in range(n_runs):
        distances = unit_distances(rng.poisson(1.0, (12, 21, 6, 15)).astype(float))
        curves = np.einsum("mp,utp->umt", weights, distances)
        found += cluster_permutation(curves, n_permutations=300, seed=run).p.min() < 0.05
    assert 0.035 <= found / n_runs <= 0.065


def test_model_rdms_are_of_identity_and_position():
    models = model_rdms()
    assert list(models.table["model"]) == list(MODELS)
    of_object, of_position = models.square()
    at = {name: place for place, name in enumerate(models.conditions)}
    assert of_object[at["car_lower"], at["car_upper"]] == 0
    assert of_object[at["car_lower"], at["face_lower"]] == 1
    assert of_position[at["car_lower"], at["face_lower"]] == 0
    assert of_position[at["car_lower"], at["car_upper"]] == 1


@pytest.fixture(scope="module")
def informed():
    return planted_spikes(seed=1)


def test_planted_latencies_are_found(informed):
    found = measured_geometry(informed, n_resamples=200)
    assert all(found.p(model) < 0.001 for model in MODELS)
    onset = found.latency["onset"]
    # information rises over 40 ms and is seen in windows of 50 ms: half of it is there within that
    assert OBJECT_ONSET_MS < onset.object < OBJECT_ONSET_MS + 50
    assert POSITION_ONSET_MS < onset.position < POSITION_ONSET_MS + 50
    assert onset.low < POSITION_ONSET_MS - OBJECT_ONSET_MS < onset.high
    assert onset.p < 0.001
    before = found.times_ms < 75
    assert np.abs(found.apart[:, before]).max() < 0.1 * found.apart.max()
    assert (found.correlation.max(axis=1) > 0.3).all()


def test_planted_code_is_decoded_when_it_is_there_and_at_other_positions(informed):
    found = decoded(informed, n_shuffles=20)
    before, after = found.times_ms <= 75, found.times_ms >= 225
    assert (found.p[:, before] >= 0.05).all()
    assert (found.p[:, after] < 0.05).all()
    assert found.accuracy[CURVES.index("object elsewhere"), after].min() > 2 / 7
    assert found.generalisation > 0.5
    assert found.generalisation_p < 0.05


def test_uninformed_neurons_tell_nothing():
    spikes = planted_spikes(informed=False, seed=2)
    found, told = measured_geometry(spikes, n_resamples=20), decoded(spikes, n_shuffles=20)
    assert all(found.p(model) >= 0.05 for model in MODELS)
    assert (told.p >= 0.05).all()
    assert told.generalisation_p >= 0.05


def test_recorded_meg_is_compared_where_it_is_here(monkeypatch):
    entry, options = small(), StudyOptions(quick=True)
    textures = random_textures(families=10, samples=2, size=SIZE)
    conditions = [f"object_{at:03d}" for at in range(1, 21)]
    stimuli = replace(textures, table=textures.table.assign(condition=conditions))
    monkeypatch.setattr(meg, "is_here", lambda: True)
    monkeypatch.setattr(meg, "object_images", lambda size: stimuli)
    seen = shown.shown_to(entry, stimuli, options)
    movie = meg.planted(seen.published[0].rdms, signal=0.5, seed=3)
    monkeypatch.setattr(meg, "recorded", lambda: movie)
    timings = shown.timings_of(seen, options)
    assert set(timings) == {"planted_meg", "noise_meg", "meg", "meg_twin"}
    by_model = {(kind, "small"): found for kind, found in timings.items()}
    told = list(study._time_claims("small", by_model, synthetic=False))
    assert told[0].variant == "as published, MEG"
    assert told[0].verdict == "agrees"
    assert "untrained twin" in told[0].ours
    assert not any(claim.verdict == "not tested" for claim in told)


@pytest.mark.data
def test_recorded_brains_and_neurons():
    result = STUDY.check(STUDY.run([small()], StudyOptions(quick=True)))
    assert not result.provenance["synthetic"]
    assert set(result.summary["region"]) == {"EVC", "IT"}
    assert set(result.summary["model"]) == {"small", "pixels", "gabor energy", "categories"}
    decoded = row(result, "IT neurons tell both", "IT neurons, decoding")
    assert decoded["verdict"] == "agrees"
    assert decoded["value"] > 0.6  # chance is 1/7
    assert row(result, "What tells objects apart", "IT neurons, decoding")["value"] > 0.6
    latency = result.arrays["it_neurons_latency"].sel(latency="onset")
    # visual responses in macaque IT start about 100 ms after onset
    assert 80 < float(latency.sel(number="object")) < 140
    if not meg.is_here():
        assert "probekit data fetch cichy2016" in row(result, "In time", "")["reason"]
