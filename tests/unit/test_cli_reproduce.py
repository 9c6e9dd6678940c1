"""Studies at the command line: listed, refused with the nearest name, never on planted data unasked."""

from __future__ import annotations

import json

import pytest

import probekit as pk
from probekit.analyses.studies import REGISTRY, catalogue
from probekit.cli import main
from probekit.errors import UsageError
from probekit.result import Result


@pytest.fixture
def run(capsys):
    def command(*words):
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_studies_are_listed_with_their_claims(run):
    code, out, _ = run("studies", "--json")
    assert code == 0
    listed = json.loads(out)
    assert [study["name"] for study in listed] == REGISTRY.names()
    assert all(study["claim"].endswith(".") and "doi:10." in study["source"] for study in listed)


@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_study_declares_what_a_reader_needs(name):
    study = REGISTRY.get(name)
    assert study.name == name
    assert study.title
    assert set(study.data) <= set(pk.data.datasets()["name"])
    assert all(source.doi.startswith("10.") for source in study.sources)
    for columns in (study.columns, study.summary_columns):
        assert all(column.meaning and not column.meaning.endswith(".") for column in columns)


def test_an_unknown_study_is_refused_with_the_nearest(run):
    code, out, err = run("reproduce", "guclu2016")
    assert (code, out) == (2, "")
    assert "no study called 'guclu2016'. Did you mean 'guclu2015'" in err


def test_without_the_data_a_study_stops_and_says_what_can_be_done(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("PROBEKIT_OFFLINE", "1")
    code, out, err = run("reproduce", "guclu2015", "--model", "v1net", "--out", tmp_path / "page")
    assert (code, out) == (4, "")
    assert "cannot be downloaded: PROBEKIT_OFFLINE is 1" in err
    assert "add --synthetic" in err
    assert not (tmp_path / "page" / "report.html").exists()


def test_a_synthetic_study_writes_a_page_that_says_so(run, tmp_path):
    code, out, err = run("reproduce", "guclu2015", "--model", "v1net", "--synthetic", "--quick", "--out", tmp_path)
    assert code == 0, err
    assert out.strip() == str(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "These brains are planted, not recorded" in page
    assert Result.load(tmp_path / "guclu2015").provenance["synthetic"] is True


@pytest.mark.parametrize(
    ("networks", "match"),
    [
        ([], "networks is empty"),
        (["v1net"], "networks holds a str; expected entries"),
        ([pk.zoo.load("v1net", untrained=True)] * 2, r"v1net \(untrained, seed 0\) twice"),
    ],
)
def test_networks_that_are_none_are_refused(networks, match):
    with pytest.raises(UsageError, match=match):
        pk.reproduce("guclu2015", networks)


def test_the_catalogue_has_a_row_a_study():
    assert list(catalogue()["name"]) == REGISTRY.names()
