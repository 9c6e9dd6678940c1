"""The page of Kuzovkin et al. 2018, from a planted result."""

import re
from sys import modules

import pytest
import torch
from torch import nn

from probekit.analyses import studies
from probekit.analyses.studies import kuzovkin2018
from probekit.analyses.studies.kuzovkin2018 import STUDY
from probekit.analyses.studies.kuzovkin2018.arrays import as_table
from probekit.analyses.studies.kuzovkin2018.false_positives import false_positives
from probekit.network import Card, Entry, Preprocess
from probekit.reports.studies import StudyPage
from probekit.result import Result


def build():
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())


@pytest.fixture(scope="module")
def result():
    networks = []
    with torch.random.fork_rng():
        for seed, name in enumerate(("first", "second<b>")):
            torch.manual_seed(10 + seed)
            factory = build if seed == 0 else None  # the second has no twin
            networks.append(
                Entry(build().eval(), Preprocess((0.5,), (0.25,)), Card(name, "CNN", (3, 16, 16), ""), factory)
            )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kuzovkin2018, "n_resamples", lambda options: 20)
        patch.setattr(modules[false_positives.__module__], "N_PROBES", 10)
        return studies.reproduce("kuzovkin2018", networks, synthetic=True, quick=True)


@pytest.fixture(scope="module")
def page(result):
    return StudyPage(STUDY, result)


def test_findings_tell_the_alignment_with_its_twins_and_what_noise_gives(page, result):
    told = page.findings()
    table = as_table(result.arrays["alignment"])
    one = table[(table["model"] == "first") & (table["brain"] == "planted") & (table["variant"] == "as published")]
    assert told[0].startswith(
        f"first, planted probes: as published, layers and areas are aligned with tau {one['tau'].iloc[0]:.2f}"
    )
    assert "untrained twins" in told[0]
    assert any("second<b>" in sentence and "there is no untrained twin" in sentence for sentence in told)
    assert told[-2].startswith("Of probes that are noise, ")
    assert told[-1].startswith("Of networks and controls, ")
    assert not re.search(r"\bnan\b", " ".join(told))


def test_every_picture_has_words(page):
    html = page.html()
    pictures = re.findall(r"<svg[^>]*>", html)
    assert len(pictures) > 20
    assert all("aria-label=" in one or "aria-hidden" in one for one in pictures)
    assert "Dots by area and layer, first, trained, as published. area 17 (planted): largest" in html
    assert "These brains are planted" in html
    assert "three standard errors" in html


def test_nothing_is_fetched_and_names_are_escaped(page):
    html = page.html()
    assert all(one.startswith("data:") for one in re.findall(r'(?:src|xlink:href)="([^"#][^"]*)"', html))
    assert "second<b>" not in html
    assert "second&lt;b&gt;" in html


def test_a_saved_result_gives_the_same_page(page, result, tmp_path):
    page.save_all(tmp_path)
    loaded = Result.load(tmp_path / STUDY.name)
    assert loaded.equals(result)
    assert StudyPage(STUDY, loaded).html() == page.html()
