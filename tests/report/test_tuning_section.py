"""The tuning section: each family's numbers with the twin's and V1's, negative results said, whatever is missing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from probekit.analyses.tuning import ANALYSIS
from probekit.analyses.tuning.published import published
from probekit.reports import Report
from probekit.reports.sections.tuning import SECTION
from probekit.reports.sections.tuning.view import MEASURES, view_of

LAYERS = ["conv1", "conv2", "conv3"]
PUBLISHED = [{str(key): value for key, value in row.dropna().items()} for _, row in published().iterrows()]


def planted(result):
    """Plant every measure at 0.2 (its twin at 0.4), significantly so in the first two layers; c50 the same."""
    table, summary = result.table.copy(), result.summary.copy()
    mine, unit_is_mine = summary["network"] == "trained", table["network"] == "trained"
    for name in MEASURES:
        table[name] = np.where(unit_is_mine, 0.2, 0.4)
        summary[f"median_{name}"] = np.where(mine, 0.2, 0.4)
        summary[f"q_{name}_vs_untrained"] = np.where(mine, np.where(summary["depth"] < 2, 0.01, 0.5), np.nan)
    summary["q_c50_vs_untrained"] = np.where(mine, 0.5, np.nan)
    table["responsive"] = True
    summary["n_responsive"] = 20
    summary["tuned_share"] = np.where(mine, 0.9, 0.3)
    summary["complex_share"] = np.where(mine, 0.35, 0.7)
    summary["suppressed_share"] = np.where(mine, 0.6, 0.1)
    summary["p_dip"] = np.where(mine & (summary["depth"] == 1), 0.01, 0.6)
    provenance = {"published": PUBLISHED, "parameters": {"n_permutations": 1000}}
    return dataclasses.replace(result, table=table.copy(), summary=summary.copy(), provenance=provenance)


@pytest.fixture(scope="module")
def result(make_declared):
    return planted(make_declared(ANALYSIS, LAYERS, 20, seed=0, twin=True))


def plain(sentence):
    return sentence.replace("\u00a0", " ")


def test_sentences_say_the_numbers_with_the_twins_and_v1s(result):
    first, gratings, gain, pictures = map(plain, SECTION.findings(result))
    assert (
        "60 units respond to gratings, 90 % of them significantly tuned for orientation (untrained 30 % of 60)" in first
    )
    assert "circular variance (lower in 2 of 3 layers)" in first
    assert "Not in any layer: semi-saturation contrast c50." in first
    v1 = "untrained 0.40; V1 1.40, De Valois 1982"
    assert f"spatial frequency bandwidth 0.20 octaves ({v1}), lower in 2 of 3 layers" in gratings
    assert "complex units (F1/F0 < 1) 35 % (untrained 70 %)" in gratings
    assert "in two groups rather than one in 1 of 3 layers (untrained 0 of 3)" in gratings
    assert "c50 0.20 (untrained 0.40; V1 0.19, Albrecht 1982), no different in any of 3 layers" in gain
    assert "units suppressed by large gratings 60 % (untrained 10 %; V1 94 %, Jones 2001)" in gain
    assert "texture modulation 0.20 (untrained 0.40), lower in 2 of 3 layers" in pictures


def test_that_nothing_differs_is_said(result):
    same = {
        f"q_{name}_vs_untrained": np.where(result.summary["network"] == "trained", 0.4, np.nan) for name in MEASURES
    }
    first = SECTION.findings(dataclasses.replace(result, summary=result.summary.assign(**same)))[0]
    assert f"None of {len(MEASURES)} measures differs significantly from the twin’s in any layer" in first


def test_measures_of_the_section_are_measures_of_the_analysis():
    table, summary = ({one.name for one in columns} for columns in (ANALYSIS.columns, ANALYSIS.summary_columns))
    assert set(MEASURES) <= table
    assert {f"median_{name}" for name in MEASURES} <= summary


def test_figures_draw_both_networks_and_v1(result):
    figures = {figure.name: figure for figure in SECTION.build(result).figures}
    assert list(figures) == ["gratings", "modulation", "gain", "pictures"]
    panels = {panel.name: panel for panel in figures["gain"].panels}
    assert "untrained: from 0.4 in conv1 to 0.4 in conv3" in panels["suppression-index"].alt
    assert "trained: from 0.2 in conv1 to 0.2 in conv3" in panels["suppression-index"].alt
    assert "V1, Jones 2001: 0.67" in panels["suppression-index"].alt
    assert "mean 0.67 (reduction of the response" in figures["gain"].caption
    labels = [panel.label for panel in figures["modulation"].panels]
    assert labels[1] == ("conv2", "20 units, 100\u00a0% complex", "dip p 0.010 (untrained 0.600)")


def test_maps_are_drawn_beside_the_twins_where_there_are_some(result):
    values = np.array([[[0.0, 90.0], [45.0, np.nan]], [[10.0, 20.0], [30.0, 40.0]]])
    array = xr.DataArray(values, dims=("layer", "map_y", "map_x"), coords={"layer": ["conv1", "conv3"]})
    summary = result.summary.assign(map_coherence=0.8, map_coherence_null=0.01, p_map=0.002, pinwheel_density=0.04)
    held = {"orientation_maps_trained": array, "orientation_maps_untrained": array}
    figure = SECTION.build(dataclasses.replace(result, arrays=held, summary=summary)).figures[-1]
    assert figure.name == "maps"
    assert [panel.label[:2] for panel in figure.panels[1:]] == [
        (layer, network) for layer in ("conv1", "conv3") for network in ("trained", "untrained")
    ]
    assert figure.panels[1].label[2] == "order 0.80 (shuffled 0.01, p 0.002)"
    assert figure.panels[1].label[3].startswith("pinwheels 4\u00a0%")
    assert figure.panels[1].svg == figure.panels[2].svg != figure.panels[3].svg


def test_citations_are_shortened_to_author_and_year(result):
    shorts = [one.short for one in view_of(result).published.values()]
    assert len(shorts) == len(PUBLISHED)
    for short, row in zip(shorts, PUBLISHED, strict=True):
        author, year = short.rsplit(" ", 1)
        assert row["citation"].startswith((f"{author},", f"{author} &"))
        assert year in row["citation"]


def emptied(table):
    return pd.DataFrame({name: np.nan if one.dtype.kind == "f" else one for name, one in table.items()})


def alterations(result, single):
    alone = result.table["network"] == "trained"
    tests = {name: np.nan for name in result.summary if name.endswith("_vs_untrained")}
    silent = emptied(result.table).assign(responsive=False)
    return {
        "all nan": dataclasses.replace(result, table=emptied(result.table), summary=emptied(result.summary)),
        "nothing responds": dataclasses.replace(
            result, table=silent, summary=emptied(result.summary).assign(n_responsive=0)
        ),
        "no twin": dataclasses.replace(
            result,
            table=result.table[alone].reset_index(drop=True),
            summary=result.summary[result.summary["network"] == "trained"].assign(**tests),
        ),
        "one layer": single,
        "no rows": dataclasses.replace(result, table=result.table[:0], summary=result.summary[:0]),
        "no provenance": dataclasses.replace(result, provenance={}),
    }


@pytest.mark.parametrize("which", ["all nan", "nothing responds", "no twin", "one layer", "no rows", "no provenance"])
def test_nothing_missing_breaks_the_page(result, make_declared, which):
    altered = alterations(result, planted(make_declared(ANALYSIS, ["conv1"], 20, seed=1, twin=True)))[which]
    sentences = SECTION.findings(altered)
    assert sentences
    assert not any("nan" in one or "n/a" in one for one in sentences)
    assert "Tuning" in Report("net", [altered]).html()
    if which == "no twin":
        assert "no untrained twin was measured" in sentences[0]
        assert "(untrained" not in " ".join(sentences)
    if which == "nothing responds":
        assert sentences == ["No unit responds to gratings, so nothing can be said of its tuning."]
    if which == "no provenance":
        assert "V1" not in " ".join(sentences)
    if which in ("all nan", "nothing responds", "no rows"):
        assert SECTION.build(altered).figures == ()
