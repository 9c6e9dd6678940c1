"""Khaligh-Razavi & Kriegeskorte 2014: each part against other code, planted brains, noise, and the real bar."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import probekit as pk
from probekit.analyses import studies
from probekit.analyses.studies.khaligh_razavi2014 import STUDY, brains
from probekit.analyses.studies.khaligh_razavi2014.contest import (
    best_layer,
    contest,
    contestants,
    within_categories,
)
from probekit.analyses.studies.khaligh_razavi2014.mixing import mixed
from probekit.analyses.studies.khaligh_razavi2014.parts import estimate, parts
from probekit.analyses.studies.khaligh_razavi2014.verdicts import _against_all, _reached, _short
from probekit.analyses.ventral.controls import control_systems
from probekit.analyses.ventral.planted import noise_regions, planted_regions
from probekit.analyses.ventral.representations import Form, layer_rdms
from probekit.analyses.ventral.systems import System
from probekit.brains import kriegeskorte2008
from probekit.errors import DataError, NotApplicableError, UsageError
from probekit.network import Card, Entry, Preprocess
from probekit.rsa import RDMs, compare, compute_rdms, noise_ceiling, partial_correlation, weighted_combination
from probekit.study import StudyOptions

FEW = {"EVC": 6, "hIT": 4, "IT": 6, "mIT": 1}


def build():
    widths = (3, 8, 8, 12, 12)
    pairs = pairwise(widths)
    return nn.Sequential(
        *(part for a, b in pairs for part in (nn.Conv2d(a, b, 3, stride=1 + (a == 8), padding=1), nn.ReLU()))
    )


def tiny(shape=(3, 24, 24)):
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return Entry(build().eval(), Preprocess((0.5,), (0.25,)), Card("tiny", "CNN", shape, "nothing"), build)


def models_of(n_models, n_conditions=24, seed=0, column="layer"):
    patterns = np.random.default_rng(seed).standard_normal((n_models, n_conditions, 30))
    names = [f"conditions_{n}" for n in range(n_conditions)]
    table = pd.DataFrame({column: [f"m{n}" for n in range(n_models)], "name": [f"m{n}" for n in range(n_models)]})
    return compute_rdms(patterns, conditions=names, table=table)


def divisions(n_conditions=24):
    conditions = [f"conditions_{n}" for n in range(n_conditions)]
    codes = {"animal": np.arange(n_conditions) % 2, "face": np.arange(n_conditions) // 6}
    first, second = np.triu_indices(n_conditions, 1)
    rows = np.stack([(code[first] != code[second]).astype(float) for code in codes.values()])
    return RDMs(rows, tuple(conditions), pd.DataFrame({"layer": list(codes)}), "category")


def r2(predictors, target):
    """Return R² of ordinary least squares on ranks, by another road than the code's."""
    ranks = [pd.Series(row).rank().to_numpy() for row in [*predictors, target]]
    design = np.column_stack([np.ones(len(target)), *ranks[:-1]])
    fitted = design @ np.linalg.lstsq(design, ranks[-1], rcond=None)[0]
    return 1 - ((ranks[-1] - fitted) ** 2).sum() / ((ranks[-1] - ranks[-1].mean()) ** 2).sum()


class TestParts:
    def test_equal_partial_correlations_and_regressions(self):
        layer, cats = models_of(1), divisions()
        subjects = planted_regions(layer, {"IT": 0.0}, n_subjects=3, seed=1)["IT"]
        found = parts(layer, cats, subjects, subjects, n_resamples=20, seed=0)
        given = partial_correlation(layer, subjects, cats).mean()
        unique = np.mean(
            [
                r2([layer.dissimilarities[0], *cats.dissimilarities], one) - r2(cats.dissimilarities, one)
                for one in subjects.dissimilarities
            ]
        )
        layer_alone = np.mean([r2(layer.dissimilarities, one) for one in subjects.dissimilarities])
        assert found["layer given categories"].value == pytest.approx(given, abs=1e-9)  # the same sums, other order
        assert found["unique to layer"].value == pytest.approx(unique, abs=1e-9)
        assert found["unique to layer"].value + found["shared"].value == pytest.approx(layer_alone, abs=1e-9)

    def test_the_planted_layer_is_found_beyond_categories_and_the_reverse_is_not(self):
        layer, cats = models_of(1, seed=2), divisions()
        subjects = planted_regions(layer, {"IT": 0.0}, n_subjects=6, seed=3)["IT"]
        found = parts(layer, cats, subjects, subjects, n_resamples=200, seed=0)
        assert found["layer given categories"].low > 0
        assert not found["categories given layer"].low > 0  # nan where no division gets a weight

    def test_planted_categories_are_found_beyond_the_layer(self):
        layer, cats = models_of(1, seed=4), divisions()
        subjects = planted_regions(cats.rows([0]), {"IT": 0.0}, n_subjects=6, seed=5)["IT"]
        found = parts(layer, cats, subjects, subjects, n_resamples=200, seed=0)
        assert found["categories given layer"].low > 0
        assert found["unique to categories"].value > 10 * abs(found["unique to layer"].value)

    def test_noise_has_intervals_around_nothing(self):
        layer, cats = models_of(1, seed=6), divisions()
        covered = 0
        for seed in range(20):
            noise = noise_regions(layer.conditions, ["IT"], n_subjects=5, seed=seed)["IT"]
            one = parts(layer, cats, noise, noise, n_resamples=100, seed=seed)["layer given categories"]
            covered += one.low <= 0 <= one.high
        assert covered >= 18  # 95 % or more: 17 or fewer of 20 happen in 1 of 13 even at exactly 95 %

    def test_what_is_nan_everywhere_has_no_interval(self):
        assert np.isnan(estimate(np.nan, np.full(5, np.nan)).low)


class TestMixed:
    def test_scores_equal_the_weighted_combination_and_ceilings_those_of_folds(self):
        layers, cats = models_of(4), divisions()
        subjects = planted_regions(layers, {"IT": 1.0}, n_subjects=5, seed=1)["IT"]
        found = mixed(layers, cats, subjects, n_resamples=20, seed=3).numbers
        same = weighted_combination(layers, subjects, n_folds_subjects=4, seed=3)
        labels = np.array(layers.conditions)
        ceilings = [noise_ceiling(subjects.select(list(labels[same.condition_folds == n]))) for n in range(4)]
        assert found["weighted layers"].value == pytest.approx(same.score, abs=1e-9)
        assert found["best single layer"].value == pytest.approx(same.single_scores.mean(), abs=1e-9)
        assert found["ceiling low"].value == pytest.approx(np.mean([one.lower for one in ceilings]), abs=1e-9)
        assert found["ceiling high"].value == pytest.approx(np.mean([one.upper for one in ceilings]), abs=1e-9)

    def test_a_mixture_of_two_planted_layers_beats_each(self):
        layers, cats = models_of(4, n_conditions=40, seed=7), divisions(40)
        both = RDMs(layers.dissimilarities[:2].sum(axis=0)[None], layers.conditions, layers.table[:1], "correlation")
        subjects = planted_regions(both, {"IT": 0.0}, n_subjects=8, seed=8)["IT"]
        found = mixed(layers, cats, subjects, n_resamples=200, seed=0)
        assert found.numbers["gain"].low > 0
        assert set(np.argsort(found.weights)[-2:]) == {0, 1}
        assert (
            _reached(found.numbers["weighted layers less ceiling"].high, found.numbers["ceiling low"].low) == "agrees"
        )

    def test_a_dead_layer_has_no_weight(self):
        layers, cats = models_of(3), divisions()
        dead = layers.dissimilarities.copy()
        dead[1] = np.nan
        subjects = planted_regions(layers, {"IT": 0.0}, n_subjects=4, seed=1)["IT"]
        found = mixed(RDMs(dead, layers.conditions, layers.table, "correlation"), cats, subjects, n_resamples=5, seed=0)
        assert found.weights[1] == 0
        assert found.weights[0] > 0


class TestContest:
    def test_the_difference_is_that_of_mean_scores_to_the_nearest_rival(self):
        models = models_of(3, seed=1)
        subjects = planted_regions(models, {"IT": 0.0}, n_subjects=5, seed=2)["IT"]
        scores = compare(models, subjects).mean(axis=1)
        found = contest(models, subjects)
        assert found.score == pytest.approx(scores[0])
        assert found.rival == f"m{1 + scores[1:].argmax()}"
        assert found.difference == pytest.approx(scores[0] - scores[1:].max())
        assert found.p < 0.01
        assert _against_all(found) == "agrees"

    def test_noise_is_called_better_in_one_of_twenty_at_most(self):
        p = []
        for seed in range(400):
            models = models_of(2, n_conditions=14, seed=seed)
            noise = noise_regions(models.conditions, ["IT"], n_subjects=6, seed=1000 + seed)["IT"]
            p.append(contest(models, noise).p)
        assert 0 < np.mean(np.array(p) < 0.05) <= 0.065  # fewer: subjects' and stimuli's shares of noise are added

    def test_layers_are_chosen_on_others(self):
        models = models_of(3, seed=3)
        others = planted_regions(models, {"IT": 0.5}, n_subjects=4, seed=1)["IT"]
        assert best_layer(models, others) == 1
        chosen = contestants([System("net", "trained", 0, models)], [], others)
        assert list(chosen.table["layer"]) == ["m1"]
        assert list(chosen.table["name"]) == ["net"]

    def test_within_categories_knows_only_pairs_of_one_category(self):
        models = models_of(1)
        kept = within_categories(models, pd.Series(np.arange(24) // 6))
        assert np.isfinite(kept.dissimilarities).sum() == 4 * 15
        assert np.isnan(kept.square()[0, 0, 6:]).all()


def test_verdicts_follow_from_intervals():
    assert [_short(-0.2, -0.1, 0.3), _short(-0.2, 0.1, 0.3), _short(0.1, 0.2, 0.3)] == [
        "agrees",
        "undecided",
        "differs",
    ]
    assert [_reached(0.0, 0.3), _reached(-0.01, 0.3)] == ["agrees", "differs"]
    assert [_short(-0.2, -0.1, -0.01), _reached(0.1, -0.01), _reached(np.nan, 0.3)] == ["undecided"] * 3


@pytest.fixture(scope="module")
def planted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(brains, "N_SUBJECTS", FEW)
        patch.setattr(brains, "_EACH", 6)
        patch.setenv("PROBEKIT_DATA", "/nonexistent")
        return studies.reproduce("khaligh-razavi2014", [tiny()], synthetic=True, quick=True)


class TestPlanted:
    def test_what_is_planted_is_found_without_any_data(self, planted):
        claims = planted.table[planted.table["claim"] == "What is planted is found"]
        assert list(claims["verdict"]) == ["agrees"] * 4
        layer = planted.table[planted.table["claim"] == "The network explains of IT what categories do not"]
        assert set(layer["verdict"]) == {"agrees"}

    def test_nothing_is_found_in_noise(self, planted):
        noise = planted.table[planted.table["variant"] == "noise"].iloc[0]
        assert noise["verdict"] == "agrees"
        assert not planted.table["variant"].str.contains("(noise)", regex=False).any()

    def test_it_says_that_it_is_planted_and_saves(self, planted, tmp_path):
        assert planted.provenance["synthetic"] is True
        assert planted.provenance["data"] == []
        assert "no number here says anything about IT" in planted.notes[0]
        assert type(planted).load(planted.save(tmp_path / "saved")).equals(planted)

    def test_the_summary_has_every_system_and_region(self, planted):
        assert set(planted.summary["model"]) == {"tiny", "pixels", "gabor energy", "categories"}
        assert planted.summary.groupby("network")["seed"].nunique()["untrained"] == 2
        assert len(set(planted.summary["region"])) == 2 * len(FEW)
        assert len(planted.arrays["as_published"]) == len(planted.summary)


def test_a_network_of_other_input_is_refused():
    with pytest.raises(NotApplicableError, match=r"'tiny' takes input of shape \(9, 5\)"):
        STUDY.run([tiny((9, 5))], StudyOptions(synthetic=True))


def test_without_data_there_is_no_result(monkeypatch, tmp_path):
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path))
    monkeypatch.setenv("PROBEKIT_OFFLINE", "1")
    with pytest.raises((DataError, UsageError), match=r"cichy2014|kriegeskorte2008"):
        STUDY.run([tiny()], StudyOptions())


@pytest.fixture(scope="module")
def real():
    entry, images = pk.zoo.load("efficientnet-lite0"), kriegeskorte2008.object_images(224)
    layers = ["blocks.2.1.bn2", "blocks.5.1.bn2", "blocks.6.0.bn1"]
    systems = [
        System("net", network, 0, layer_rdms(one, images, [Form()], layers=layers)[Form()])
        for network, one in (("trained", entry), ("untrained", entry.untrained(0)))
    ]
    return systems, control_systems(images), brains.recorded(), images.table


@pytest.mark.data
class TestRecorded:
    def test_human_it_is_the_mean_of_two_sessions(self):
        people, sessions = brains.recorded()["hIT"], kriegeskorte2008.human_it()
        first = sessions.table["subject"] == people.table["subject"][0]
        assert len(people) == 4
        assert people.dissimilarities[0] == pytest.approx(sessions.dissimilarities[first.to_numpy()].mean(axis=0))

    def test_the_trained_layer_beats_its_rivals_in_it_and_within_categories(self, real):
        systems, controls, regions, table = real
        models = contestants(systems, controls[:-1], regions["hIT"])
        found = contest(models, regions["IT"])
        within = contest(*(within_categories(one, table["category"]) for one in (models, regions["IT"])))
        assert found.score == pytest.approx(0.25, abs=0.02)  # as measured apart from this code
        assert found.low > 0
        assert within.low > 0

    def test_categories_fill_the_gap_to_the_ceiling_in_4_people_but_not_in_15(self, real):
        systems, controls, regions, _ = real
        verdicts = {}
        for region in ("hIT", "IT"):
            found = mixed(systems[0].rdms, controls[-1].rdms, regions[region], n_resamples=200, seed=0).numbers
            last = found["weighted layers and categories less ceiling"]
            verdicts[region] = _reached(last.high, found["ceiling low"].low)
            assert found["best single layer less ceiling"].value < 0
        assert verdicts == {"hIT": "agrees", "IT": "differs"}
