"""The page of Khaligh-Razavi & Kriegeskorte 2014, from a planted result."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from probekit.analyses import studies
from probekit.analyses.studies.khaligh_razavi2014 import STUDY, brains
from probekit.network import Card, Entry, Preprocess
from probekit.reports.studies import StudyPage
from probekit.reports.studies.khaligh_razavi2014.marks import Mark, draw_marks


def build():
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())


@pytest.fixture(scope="module")
def result():
    networks = []
    with torch.random.fork_rng(), pytest.MonkeyPatch.context() as patch:
        for seed, name in enumerate(("first", "second<b>")):
            torch.manual_seed(10 + seed)
            card = Card(name, "CNN", (3, 16, 16), "nothing")
            networks.append(Entry(build().eval(), Preprocess((0.5,), (0.25,)), card, build))
        patch.setattr(brains, "N_SUBJECTS", {"EVC": 6, "hIT": 3, "IT": 6, "mIT": 1})
        patch.setattr(brains, "_EACH", 5)
        return studies.reproduce("khaligh-razavi2014", networks, synthetic=True, quick=True)


@pytest.fixture(scope="module")
def page(result):
    return StudyPage(STUDY, result)


def test_findings_begin_with_what_was_planted_and_rank_the_networks(page):
    told = page.findings()
    assert told[0].startswith("Planted layers were found in 4 of 4 regions. In noise: ")
    assert sum(one.startswith("first: ") for one in told) == 4
    assert told[-1].startswith("Of networks and controls, ")
    assert "untrained" in told[1]
    assert not re.search(r"\bnan\b", " ".join(told))


def test_the_best_layer_is_told_with_the_number_of_the_summary(page, result):
    own = result.summary[(result.summary["model"] == "first") & (result.summary["network"] == "trained")]
    planted = own[own["region"] == "IT (planted)"]
    best = planted.loc[planted["score"].idxmax()]
    assert f"IT (planted) {best['score']:.2f} in {best['layer']} (untrained" in page.findings()[1]


def test_every_picture_has_words_and_a_matrix_is_drawn_as_one(page):
    html = page.html()
    pictures = re.findall(r"<svg[^>]*>", html)
    assert len(pictures) > 20
    assert all("aria-label=" in one or "aria-hidden" in one for one in pictures)
    assert html.count("data:image/png;base64,") == 6  # four planted regions and the layers of two networks
    assert "Dissimilarity matrix of hIT (planted)" in html
    assert "These brains are planted" in html


def test_nothing_is_fetched_and_names_are_escaped(page):
    html = page.html()
    sources = re.findall(r'(?:src|xlink:href)="([^"#][^"]*)"', html)
    assert all(one.startswith("data:") for one in sources)
    assert "second<b>" not in html
    assert "second&lt;b&gt;" in html


def test_all_is_saved_beside_the_page(page, tmp_path):
    file = page.save_all(tmp_path)
    assert file.read_text(encoding="utf-8").count("<h2") >= 8
    figures = {one.name for one in (tmp_path / STUDY.name / "figures").iterdir()}
    assert "layers-first-IT--planted.svg" in figures
    assert "matrices-rdm-hIT--planted.svg" in figures


def test_the_page_is_drawn_from_a_saved_result_alone(page, result, tmp_path):
    again = type(result).load(result.save(tmp_path))
    assert StudyPage(STUDY, again).html() == page.html()


def test_marks_stand_where_their_numbers_are():
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    draw_marks(
        axes, marks=[Mark("a", 0.2, 0.1, 0.3, "#000000"), Mark("b", np.nan, np.nan, np.nan, "#000000")], xlabel="r"
    )
    assert axes.collections[1].get_offsets()[0].tolist() == [0.2, 1.0]
    assert [one.get_text() for one in axes.get_yticklabels()] == ["a", "b"]
