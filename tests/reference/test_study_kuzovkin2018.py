"""Kuzovkin 2018: scores and tau as defined, tests that hold their level, planted probes found and noise not."""

from __future__ import annotations

from itertools import pairwise
from sys import modules

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.preprocessing import MinMaxScaler
from torch import nn

import probekit as pk
from probekit.analyses.studies import kuzovkin2018
from probekit.analyses.studies.kuzovkin2018 import STUDY
from probekit.analyses.studies.kuzovkin2018.alignment import alignment, exchanged_areas, kendall
from probekit.analyses.studies.kuzovkin2018.arrays import as_table
from probekit.analyses.studies.kuzovkin2018.false_positives import false_positives, r_of_diagonal
from probekit.analyses.studies.kuzovkin2018.probes import noise_probes
from probekit.analyses.studies.kuzovkin2018.scoring import CLEAN, PROCEDURES, PUBLISHED, score
from probekit.analyses.ventral.claims import direction
from probekit.errors import NotApplicableError
from probekit.rsa import RDMs

PEOPLE, LAYERS = 12, 20
noise_module = modules[false_positives.__module__]


def patterns_rdms(n_rdms, n, seed):
    """Return RDMs of random patterns, 1 − Pearson."""
    patterns = np.random.default_rng(seed).standard_normal((n_rdms, n, 30))
    distances = np.stack([1 - np.corrcoef(one)[np.triu_indices(n, 1)] for one in patterns])
    table = pd.DataFrame({"layer": range(n_rdms)})
    return RDMs(distances, tuple(f"c{at}" for at in range(n)), table, "correlation")


def as_released(layer, probe):
    """Return r and p of two square matrices, each column scaled first, all entries counted."""
    scaled = [MinMaxScaler().fit_transform(one).ravel().round(12) for one in (layer, probe)]
    return stats.spearmanr(*scaled)


def bands(rng, n_runs, *, gradient=0.0, n_areas=3):
    """Return probes that count for a band of neighbouring layers each, shape (run, probe, layer); areas; people."""
    areas, people = np.repeat(np.arange(n_areas), PEOPLE), np.tile(np.arange(PEOPLE), n_areas)
    centre = LAYERS / 2 + gradient * (areas - 1) + 3 * rng.standard_normal((n_runs, len(areas)))
    return np.abs(np.arange(LAYERS) - centre[..., None]) < 4, areas, people


def test_scores_as_published_are_those_of_scaled_square_matrices():
    layers, probes = patterns_rdms(3, 12, 0), noise_probes(patterns_rdms(1, 12, 0).conditions, 4, seed=1)
    found = score(layers, probes, PUBLISHED, n_permutations=1, seed=0)
    for at, probe in enumerate(probes.square()):
        expected = [as_released(layer, probe) for layer in layers.square()]
        assert found.r[at] == pytest.approx([one.statistic for one in expected], abs=1e-10)
        assert found.formula_p[at] == pytest.approx([one.pvalue for one in expected], rel=1e-6)


def test_clean_scores_are_those_of_each_pair_once():
    layers, probes = patterns_rdms(3, 12, 0), patterns_rdms(2, 12, 1)
    found = score(layers, probes, CLEAN, n_permutations=1, seed=0)
    expected = stats.spearmanr(layers.dissimilarities[2], probes.dissimilarities[1])
    assert found.r[1, 2] == pytest.approx(expected.statistic, abs=1e-12)
    assert found.formula_p[1, 2] == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("procedure", [PUBLISHED, CLEAN], ids=lambda one: one.name)
def test_p_counts_orders_of_the_stimuli_scaled_and_ranked_anew(procedure):
    layers, probes = patterns_rdms(2, 9, 0), patterns_rdms(3, 9, 1)
    found = score(layers, probes, procedure, n_permutations=60, seed=5)
    rng, reached = np.random.default_rng(5).spawn(1)[0], np.zeros((3, 2))
    upper = np.triu_indices(9, 1)
    for _ in range(60):
        order = rng.permutation(9)
        for at, probe in enumerate(probes.square()):
            moved = probe[np.ix_(order, order)]
            for layer, square in enumerate(layers.square()):
                r = (
                    as_released(square, moved).statistic
                    if procedure == PUBLISHED
                    else stats.spearmanr(square[upper], moved[upper]).statistic
                )
                reached[at, layer] += r >= found.r[at, layer] - 1e-6
    assert found.permutation_p == pytest.approx((1 + reached) / 61)


def test_a_layer_that_tells_nothing_has_no_score_and_never_counts():
    layers, probes = patterns_rdms(2, 10, 0), patterns_rdms(2, 10, 1)
    layers.dissimilarities[0] = np.nan
    for procedure in PROCEDURES:
        found = score(layers, probes, procedure, n_permutations=20, seed=0)
        assert np.isnan(found.r[:, 0]).all()
        assert np.isnan(found.permutation_p[:, 0]).all()
        assert np.isfinite(found.r[:, 1]).all()
        assert not found.significant(procedure)[:, 0].any()


@pytest.mark.parametrize("procedure", [PUBLISHED, CLEAN], ids=lambda one: one.name)
def test_permutation_of_stimuli_keeps_its_level(procedure):
    layers = patterns_rdms(1, 20, 0)
    found = score(layers, noise_probes(layers.conditions, 1000, seed=2), procedure, n_permutations=400, seed=0)
    assert (found.permutation_p <= 0.05).mean() == pytest.approx(0.05, abs=0.015)


def test_the_diagonal_alone_makes_unrelated_square_matrices_alike():
    n = 30
    layers = patterns_rdms(20, n, 0)
    found = false_positives(layers, n_permutations=1, seed=1)
    noise = found.sel(number="mean_r").to_pandas()
    expected = 3 * (n - 1) / n**2
    assert r_of_diagonal(n) == pytest.approx(expected, rel=2e-3)  # differs by ties of order 1/n³
    # the standard error over 100 probes, alike in all layers or not, is at most 0.1/√100
    assert noise["as published"] - noise["scaled, no diagonal"] == pytest.approx(expected, rel=0.1)
    assert noise["square, not scaled"] - noise["clean"] == pytest.approx(expected, rel=0.1)
    assert abs(noise["clean"]) < 0.02
    formula = found.sel(number="formula").to_pandas()
    assert formula["as published"] > 0.2 > 0.05 > formula["clean"]


def test_tau_and_its_p_are_scipys():
    rng = np.random.default_rng(0)
    for _ in range(30):
        n = rng.integers(5, 60)
        areas, layers = rng.integers(0, 4, n), rng.integers(0, 7, n)
        counts = np.zeros((1, 4, 7))
        np.add.at(counts[0], (areas, layers), 1)
        expected = stats.kendalltau(areas, layers)
        assert np.ravel(kendall(counts)) == pytest.approx([expected.statistic, expected.pvalue], rel=1e-9)


def test_counts_in_one_area_or_one_layer_have_no_tau():
    counts = np.zeros((3, 2, 3))
    counts[0, 0], counts[1, :, 1] = 4, 5
    assert np.isnan(kendall(counts)).all()


def test_areas_are_exchanged_within_people():
    areas, people = np.array([0, 1, 2, 0, 1, 1]), np.array([0, 1, 0, 1, 0, 1])
    dealt = exchanged_areas(areas, people, 300, np.random.default_rng(0))
    assert (np.sort(dealt[:, people == 0]) == [0, 1, 2]).all()
    assert (np.sort(dealt[:, people == 1]) == [0, 1, 1]).all()
    assert len(np.unique(dealt, axis=0)) == 6 * 3


def test_alignment_keeps_its_level_where_the_formula_does_not():
    significant, areas, people = bands(np.random.default_rng(3), 800)
    found = [
        alignment(one, areas, people, n_permutations=199, n_resamples=2, seed=at) for at, one in enumerate(significant)
    ]
    assert np.mean([one.p <= 0.05 for one in found]) == pytest.approx(0.05, abs=0.015)
    by_formula = np.mean([one.formula_p < 0.05 for one in found])
    assert by_formula > 0.3  # seven neighbouring layers a probe are not seven observations
    assert np.mean([one.false_share for one in found]) == pytest.approx(by_formula, abs=0.05)


def test_a_planted_gradient_is_found_with_its_interval():
    significant, areas, people = bands(np.random.default_rng(4), 1, gradient=3.0)
    found = alignment(significant[0], areas, people, n_permutations=999, n_resamples=500, seed=0)
    pairs = np.argwhere(significant[0])
    assert found.tau == pytest.approx(stats.kendalltau(areas[pairs[:, 0]], pairs[:, 1]).statistic)
    assert 0 < found.low < found.tau < found.high
    assert found.p < 0.01
    assert found.n_pairs == len(pairs)


def build():
    pairs = pairwise((3, 8, 8, 12, 12, 16))
    return nn.Sequential(
        *(nn.Sequential(nn.Conv2d(a, b, 3, 1 + at % 2, 1), nn.ReLU()) for at, (a, b) in enumerate(pairs))
    )


def small(size=32):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = build().eval()
    return pk.Entry(
        module, pk.Preprocess((0.5,) * 3, (0.25,) * 3), pk.Card("small", "CNN", (3, size, size), "nothing"), build
    )


def small_run(*, synthetic):
    """Return a quick run with fewer resamples and noise probes yet; what they decide is tested above."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kuzovkin2018, "n_resamples", lambda options: 40)
        patch.setattr(noise_module, "N_PROBES", 20)
        return pk.reproduce("kuzovkin2018", [small()], synthetic=synthetic, quick=True)


@pytest.fixture(scope="module")
def planted():
    return small_run(synthetic=True)


def trained(result, brain, variant):
    table = as_table(result.arrays["alignment"])
    return table[(table["brain"] == brain) & (table["variant"] == variant) & (table["network"] == "trained")].iloc[0]


def test_planted_probes_are_found_and_noise_is_not(planted):
    found = trained(planted, "planted", "clean, best layer of each probe")
    assert found["tau"] > 0.3
    assert found["low"] > 0
    assert found["p"] < 0.01
    for variant in ("clean", "clean, best layer of each probe"):
        noise = trained(planted, "noise", variant)
        assert not noise["p"] < 0.05  # no p where nothing counts
        assert noise["volume"] < 0.01


def test_verdicts_follow_from_the_numbers_beside_them(planted):
    table = planted.table
    assert (table["verdict"].iloc[0], table["claim"].iloc[0][:22]) == ("not tested", "Activity of electrodes")
    clean = table[table["claim"].str.startswith("Planted") & table["variant"].str.startswith("clean")]
    assert len(clean) == 3
    for _, row in clean.iterrows():
        expected = direction(row["value_low"], row["value_high"])
        assert row["verdict"] == ("undecided" if expected == "agrees" and not row["p"] < 0.05 else expected)
    formula = table[table["variant"] == "as published, formula alone"].iloc[0]
    assert formula["verdict"] == "differs"
    assert formula["value_low"] > 0.001


def test_the_figure_holds_what_counts(planted):
    layers = planted.arrays["layers 0"]
    assert layers.dims == ("row", "number", "area", "layer")
    assert str(layers["layer"].to_numpy()[0]) == "pixels"
    first = layers[0]
    assert ((first.sel(number="share") > 0) == (first.sel(number="score") > 0)).all()
    row = trained(planted, "planted", "as published")
    areas = len(first["area"])
    assert float(first.sel(number="score").sum()) / areas == pytest.approx(row["volume"])


def test_the_same_seed_gives_the_same_result(planted):
    assert small_run(synthetic=True).equals(planted)


def test_a_network_without_images_is_refused():
    entry = pk.Entry(nn.Linear(4, 2).eval(), pk.Preprocess((0.0,), (1.0,)), pk.Card("flat", "MLP", (4,), "nothing"))
    with pytest.raises(NotApplicableError, match="'flat' takes input of shape"):
        pk.reproduce("kuzovkin2018", [entry], synthetic=True, quick=True)


@pytest.mark.data
def test_on_regions_the_substitution_is_said_and_nothing_is_claimed_of_electrodes():
    result = small_run(synthetic=False)
    assert STUDY.check(result) is result
    assert any("electrodes are replaced by functional imaging" in note for note in result.notes)
    gamma = result.table.iloc[0]
    assert (gamma["verdict"], gamma["ours"]) == ("not tested", "")
    assert list(result.arrays["layers 0"]["area"].values) == ["EVC", "IT"]
    assert set(result.summary["region"]) == {"EVC", "IT"}
    assert {"pixels", "gabor energy", "categories"} <= set(result.summary["model"])
