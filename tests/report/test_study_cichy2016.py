"""The page of Cichy 2016: its sentences say its numbers with the control beside, and every figure has words."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

import probekit as pk
from probekit.analyses.studies.cichy2016 import STUDY
from probekit.reports.studies import StudyPage
from probekit.reports.studies.cichy2016.panels import Course, time_panel
from probekit.study import StudyOptions


def build():
    return nn.Sequential(*[nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU()) for _ in range(4)])


def small(name):
    with torch.random.fork_rng():
        torch.manual_seed(len(name))
        module = build().eval()
    return pk.Entry(module, pk.Preprocess((0.5,) * 3, (0.25,) * 3), pk.Card(name, "CNN", (3, 16, 16), "nothing"), build)


@pytest.fixture(scope="module")
def result():
    options = StudyOptions(synthetic=True, quick=True)
    return STUDY.check(STUDY.run([small("one net"), small("another net")], options))


@pytest.fixture(scope="module")
def page(result):
    return StudyPage(STUDY, result, "probekit reproduce cichy2016 --synthetic")


def test_the_page_needs_nothing_from_elsewhere(page):
    html = page.html()
    assert not re.findall(r'(?:src|href)="(?!#|data:|https://doi\.org/)[^"]+"', html)
    assert "These brains are planted, not recorded" in html
    assert "Textures stand in for photographs" in html


def test_sentences_say_the_numbers_of_the_claims_with_the_twin(page, result):
    said = page.findings()
    for variant in ("clean (planted)", "as published (noise)"):
        rows = result.table[(result.table["variant"] == variant) & (result.table["model"] == "one net")]
        told = rows[rows["claim"].str.startswith("In space")]["ours"]
        sentence = next(one for one in said if "one net" in one and told.iloc[-1] in one)
        assert "untrained twin" in sentence
    planted = result.table[result.table["variant"] == "planted MEG"]["ours"]
    assert sum(any(one in sentence for sentence in said) for one in planted) == 2
    assert any("In noise: 0 of" in sentence for sentence in said)
    assert any(sentence.startswith("noise neurons") and "chance 0.14" in sentence for sentence in said)


def test_every_panel_has_words_and_a_name_of_its_own(page, result):
    figures = page._figures
    assert [figure.name for figure in figures] == ["space-0", "space-1", "time", "peaks", "decoding", "rsa"]
    for figure in figures:
        names = [panel.name for panel in figure.panels]
        assert len(set(names)) == len(names)
        assert all(panel.alt for panel in figure.panels)
        assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
    maps = next(figure for figure in figures if figure.name == "time")
    assert [panel.alt.split(":")[0] for panel in maps.panels] == [
        f"Heat map, {kind}, {model}" for model in ("one net", "another net") for kind in ("Planted MEG", "MEG of noise")
    ]
    scores = result.arrays["planted_meg_scores of one net"]
    assert f"highest {float(scores.max()):.2f}" in maps.panels[0].alt


def test_several_networks_are_ranked(result):
    ranks = result.arrays["ranking"]
    assert set(ranks["model"].values) >= {"one net", "another net"}
    assert float(ranks.sel(number="rank").min()) == 1


def test_everything_is_saved(page, tmp_path):
    html = page.save_all(tmp_path)
    assert html.is_file()
    assert {"table.csv", "summary.csv", "result.json", "arrays.npz"} <= {
        p.name for p in (tmp_path / "cichy2016").iterdir()
    }
    assert len(list((tmp_path / "cichy2016" / "figures").glob("*.svg"))) == sum(
        len(one.panels) for one in page._figures
    )


def test_a_course_says_its_peak_and_chance():
    times = np.array([0.0, 10, 20])
    panel = time_panel("p", times, [Course("object", np.array([0.1, 0.7, 0.2]), chance=0.14, reached=0.2)], "share")
    assert panel.alt == "Line chart, share over time. object: highest 0.70 at 10 ms, chance 0.14."
