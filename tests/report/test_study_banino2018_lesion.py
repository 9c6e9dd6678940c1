"""The page of the grid lesion: its sentences follow from all specifications, its curve has a mark for each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from probekit.analyses.studies import REGISTRY
from probekit.analyses.studies.banino2018_lesion.columns import SPECIFICATIONS
from probekit.analyses.studies.banino2018_lesion.specified import CURVES, DOSES, INSIDE, MATCHES, READ
from probekit.analyses.studies.banino2018_lesion.verdicts import claims
from probekit.analyses.ventral.claims import claims_table
from probekit.reports.studies import StudyPage
from probekit.reports.studies.banino2018_lesion.figures import figures
from probekit.result import Result

STUDY = REGISTRY.get("banino2018-lesion")
MODELS = ("grid-a", "grid-b")


NOT_MORE = "No way of asking shows that the most grid-like units matter more than units like them: of 160 tested"


def specifications(verdict="no difference"):
    """Return made-up rows, one a specification; `verdict` may depend on the row."""
    rng, rows = np.random.default_rng(0), []
    for model in MODELS:
        for network in ("trained", "untrained") if model == MODELS[0] else ("trained",):
            for site in (INSIDE, READ):
                for match in MATCHES:
                    for task in ("path integration", "position decoding"):
                        for dose in DOSES:
                            row = {column.name: 1.0 if column.dtype == "float" else 1 for column in SPECIFICATIONS}
                            row |= {
                                "model": model, "network": network, "site": site, "layer": "rnn:output", "task": task,
                                "unit": "cm", "ranking": "gridness", "matched_on": match, "dose": dose,
                                "effect_adjusted": rng.normal(), "score_targeted": 9.0, "score_random": 8.0,
                                "score_border": 7.0, "score_head_direction": 12.0, "match": "good", "nan_reason": "",
                            }  # fmt: skip
                            row["verdict"] = verdict(row) if callable(verdict) else verdict
                            rows.append(row)
    return pd.DataFrame(rows)[[column.name for column in SPECIFICATIONS]]


def result_of(verdict="no difference"):
    summary = specifications(verdict)
    rng = np.random.default_rng(1)
    arrays = {
        "curve": xr.DataArray(
            rng.random((2, 2, len(CURVES), 20)),
            dims=("model", "site", "kind", "step"),
            coords={"model": list(MODELS), "site": [INSIDE, READ], "kind": list(CURVES), "step": np.arange(1, 21)},
        ),
        **{
            f"unit_{name}": xr.DataArray(rng.random((2, 30)), dims=("model", "unit"), coords={"model": list(MODELS)})
            for name in ("gridness", "readout_drive", "mean_activity")
        },
    }
    said = {
        "synthetic": False, "seed": 0,
        "parameters": {"n_samples": 1000, "n_paths": 10, "n_sham": 50, "n_more": 100, "shown_dose": 0.1},
    }  # fmt: skip
    return Result(STUDY.name, claims_table(claims(summary)), summary, arrays, said, ("A note.",))


@pytest.fixture(scope="module")
def found():
    return STUDY.check(result_of())


@pytest.mark.parametrize(
    ("verdict", "lead"),
    [
        ("no difference", NOT_MORE),
        ("more", "The most grid-like units matter more than units like them: of 160 tested"),
        ("less", "The most grid-like units matter, where they differ at all, less than units like them"),
        (lambda row: "more" if row["site"] == READ and row["dose"] > 0.2 else "no difference",
         "Whether the most grid-like units matter more than units like them turns on how it is asked"),
        ("not tested", "No specification could be tested"),
    ],
)  # fmt: skip
def test_the_first_sentence_follows_from_all_specifications(verdict, lead):
    assert StudyPage(STUDY, result_of(verdict)).findings()[0].startswith(lead)


def test_what_the_verdict_turns_on_is_counted():
    some = result_of(lambda row: "more" if row["site"] == READ and row["dose"] == 0.25 else "no difference")
    said = " ".join(StudyPage(STUDY, some).findings())
    assert f"{INSIDE} 0 more, 0 less of 80; {READ} 16 more, 0 less of 80" in said
    assert "25 % 16 more, 0 less of 32" in said
    plain = " ".join(StudyPage(STUDY, result_of()).findings())
    assert "What the verdict turns on" not in plain
    assert "Before correction 0 of 160 have p ≤ .05, where 8 are expected by chance: 0 more, 0 less." in plain


def test_controls_and_rivals_are_named(found):
    said = " ".join(StudyPage(STUDY, found).findings())
    assert "Against sets of units at random, matched on nothing" in said
    assert "the most border-like units in 20 of 20 (median difference 2.0 cm)" in said
    assert "those most tuned to heading in 0 of 20 (median difference −3.0 cm)" in said
    assert "untrained twin of grid-a" in said
    assert "would have found one of" in said


def test_every_specification_has_its_mark(found):
    curve = figures(found)[0]
    assert curve.name == "specifications"
    assert [panel.name for panel in curve.panels] == ["path-integration-gridness", "position-decoding-gridness"]
    assert all("80 specifications" in panel.alt and "no difference 80" in panel.alt for panel in curve.panels)


def test_figures_are_left_out_where_nothing_is_behind_them(found):
    bare = Result(found.analysis, found.table, found.summary, {}, found.provenance, ())
    assert [one.name for one in figures(bare)] == ["specifications", "doses", "match"]
    assert [one.name for one in figures(found)] == ["specifications", "doses", "along", "match", "confound"]


def test_the_page_says_it_all(found):
    page = StudyPage(STUDY, found, "probekit reproduce banino2018-lesion").html()
    for words in ("Every specification", "drawn within strata", "A note.", "reproduce banino2018-lesion", "half a"):
        assert words in page
    assert ">nan<" not in page
    assert len(page) < 2_000_000
