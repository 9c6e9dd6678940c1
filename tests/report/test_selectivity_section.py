"""The selectivity section: counts with every control, negative results said, whatever is missing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from probekit.analyses.selectivity import ANALYSIS
from probekit.analyses.selectivity.assemble import assemble
from probekit.analyses.selectivity.contrasts import design_of
from probekit.analyses.selectivity.measure import Options, measure_units
from probekit.recording import Recording
from probekit.reports import Report
from probekit.reports.sections.selectivity import SECTION
from probekit.result import Result

CATEGORIES = ("faces", "places", "scrambled")
SHOWN = pd.DataFrame({"category": np.repeat(CATEGORIES, 30)})
OBJECTS = pd.DataFrame({"object": np.repeat(["car", "face"], 30)})


def recorded(layers, n_units, selective, seed, shown=SHOWN):
    """Return a recording in which the first units of each layer prefer the first label."""
    rng = np.random.default_rng(seed)
    activity = {}
    for layer, n in zip(layers, selective, strict=True):
        values = rng.normal(10, 1, (len(shown), n_units))
        values[:30, :n] += 4
        activity[layer] = xr.DataArray(values, dims=("stimulus", "unit"))
    return Recording(activity, shown, {"network": "net", "trained_on": "ImageNet"})


def design(shown, label):
    return design_of(shown, label=label, contrasts=None, scrambled="scrambled", seed=0)


def build_result():
    """Plant 2 and 12 face units in two layers of 40, 1 in the twin's first, 3 of 20 pixels, 5 of 20 car neurons."""
    options = Options(20, 0)
    of_images, of_objects = design(SHOWN, "category"), design(OBJECTS, "object")
    layers = ["conv1", "conv2"]
    networks = {
        "trained": recorded(layers, 40, [2, 12], 0),
        "untrained": recorded(layers, 40, [1, 0], 1),
        "pixels": recorded(["pixels"], 20, [3], 2),
        "gabor-pyramid": recorded(["gabor-pyramid"], 20, [0], 3),
    }
    measured = {name: measure_units(name, one, of_images, options) for name, one in networks.items()}
    measured["IT"] = measure_units("IT", recorded(["macaque IT"], 20, [5], 4, OBJECTS), of_objects, options)
    pictures = xr.DataArray(
        np.full((1, 4, 6, 6), 100, dtype=np.uint8),
        dims=("contrast", "rank", "y", "x"),
        coords={"contrast": ["faces"], "address": ("contrast", ["conv2[0]"])},
    )
    said = {"recordings": {"trained": {"trained_on": "ImageNet"}}, "controls": {"pixels": {}}}
    return ANALYSIS.check(
        assemble(measured, of_images, options, said, label="category", arrays={"top_images": pictures})
    )


@pytest.fixture(scope="module")
def result():
    return build_result()


def plain(sentence):
    return sentence.replace("\u00a0", " ")


def test_sentences_say_the_counts_with_every_control(result):
    first, faces, halves, neurons, published = map(plain, SECTION.findings(result))
    assert first == "More selective units than by chance and in every control: faces. Not one selective unit: places."
    assert faces.startswith("Faces: 12 of 40 units (30 %) in conv2, the layer with most of 2; largest d′ ")
    assert "shuffled labels give 0.0; the untrained twin has none there, at most 1 of 40 in conv1" in faces
    assert "Gabor filters none of 20; pixels 3 of 20" in faces
    assert faces.endswith("From the first layer to the last: 5 % to 30 %.")
    assert "in the same layers: faces 12 of 12 (median d′ " in halves
    assert neurons.startswith(
        "By the same rule 5 of 20 IT neurons (25 %) are selective for one of 2 objects, none for "
    )
    assert "no measure of category" in neurons
    assert "97 % (visually responsive neurons of the middle face patch; Tsao 2006)" in published
    assert "93 % (" in published
    assert "respond at least twice as strongly to faces" in published


def test_what_is_no_more_than_in_a_control_is_said(result):
    more = result.summary.assign(
        selective_share=result.summary["selective_share"].where(result.summary["network"] != "pixels", 0.9)
    )
    first = SECTION.findings(dataclasses.replace(result, summary=more))[0]
    assert first.startswith("No more than in a control or by chance: faces.")
    for changed in ({"q_vs_untrained": 0.3}, {"p_selective": 0.2}):
        summary = result.summary.assign(**changed)
        assert "No more than in a control" in SECTION.findings(dataclasses.replace(result, summary=summary))[0]


def test_figures_draw_the_network_beside_its_controls(result):
    figures = {figure.name: figure for figure in SECTION.build(result).figures}
    assert list(figures) == ["depth", "sizes", "halves", "pictures"]
    depth = figures["depth"].panels[0]
    assert "trained: from 5 in conv1 to 30 in conv2" in depth.alt
    assert "untrained twin: from 2.5 in conv1 to 0 in conv2" in depth.alt
    assert "pixels: 15" in depth.alt
    assert "Gabor filters: none for faces, places" in figures["depth"].caption
    sizes = figures["sizes"].panels[0].alt
    assert "trained 30\u00a0% of 40" in sizes
    assert "IT neurons 0\u00a0% of 20" in sizes  # the face, while the planted neurons prefer the car
    assert figures["halves"].panels[0].label[0] == "in conv2"
    assert figures["pictures"].panels[0].label[:2] == ("faces", "conv2[0]")


def test_the_table_has_a_row_a_layer_and_the_twins_number_beside_it(result):
    table = SECTION.build(result).layers
    assert [head.label for head in table.heads][:4] == ["Layer", "Units", "Selective, faces", "Selective, places"]
    assert [row[0].text for row in table.rows] == ["conv1", "conv2"]
    assert [(row[2].text, row[2].control) for row in table.rows] == [("2", "1"), ("12", "0")]
    assert [row[0].text for row in table.reference] == ["pixels", "gabor-pyramid"]


def only(result, *networks):
    table, summary = (
        one[one["network"].isin(networks)].reset_index(drop=True) for one in (result.table, result.summary)
    )
    return dataclasses.replace(result, table=table, summary=summary)


def alterations(result):
    floats, sums = (
        {name: np.nan for name in table if table[name].dtype.kind == "f"} for table in (result.table, result.summary)
    )
    one_layer = dataclasses.replace(
        result,
        table=result.table[result.table["layer"] == "conv2"],
        summary=result.summary[result.summary["layer"] == "conv2"],
    )
    return {
        "all nan": dataclasses.replace(
            result,
            table=result.table.assign(**floats, selective=False),
            summary=result.summary.assign(**sums, n_selective=0, n_chosen=0, n_replicated=0),
        ),
        "no twin": dataclasses.replace(only(result, "trained"), summary=only(result, "trained").summary.assign(
            p_vs_untrained=np.nan, q_vs_untrained=np.nan)),
        "one layer": one_layer,
        "no rows": dataclasses.replace(result, table=result.table[:0], summary=result.summary[:0]),
        "no provenance": dataclasses.replace(result, provenance={}, arrays={}),
        "named otherwise": dataclasses.replace(only(result, "trained"), table=only(result, "trained").table.assign(
            network="mine"), summary=only(result, "trained").summary.assign(network="mine")),
    }  # fmt: skip


@pytest.mark.parametrize("which", ["all nan", "no twin", "one layer", "no rows", "no provenance", "named otherwise"])
def test_nothing_missing_breaks_the_page(result, which):
    altered = alterations(result)[which]
    sentences = SECTION.findings(altered)
    assert sentences
    assert not any("nan" in one or "n/a" in one for one in sentences)
    assert "Category selectivity" in Report("net", [altered]).html()
    if which == "no twin":
        assert "by chance (no untrained twin was measured): faces" in sentences[0]
        assert "twin has" not in " ".join(sentences)
    if which == "one layer":
        assert "the layer with most" not in " ".join(sentences)
    if which == "all nan":
        assert sentences[0] == "Not one selective unit: faces and places."
        assert "No unit is chosen by half of the images" in sentences[1]
    if which in ("no rows", "named otherwise"):
        assert sentences == ["No layer was measured, so there is nothing to report."]


def test_an_untrained_network_is_said_to_be_one(result):
    provenance = {"recordings": {"trained": {"trained_on": "nothing (random weights)"}}}
    assert SECTION.findings(dataclasses.replace(result, provenance=provenance))[0].startswith("This network is itself")


def test_names_of_contrasts_are_escaped(result):
    hostile = "<script>alert(1)</script>"

    def renamed(table):
        return table.assign(contrast=table["contrast"].replace("faces", hostile))

    altered = dataclasses.replace(result, table=renamed(result.table), summary=renamed(result.summary))
    assert hostile not in Report("net", [altered]).html()


def test_a_saved_result_gives_the_same_page(result, tmp_path):
    again = Result.load(result.save(tmp_path))
    assert Report("net", [again]).html() == Report("net", [result]).html()
