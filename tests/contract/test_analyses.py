"""What every registered analysis must do, whoever wrote it."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

import probekit
from probekit import analyses
from probekit.analysis import Analysis, Protocol
from probekit.errors import NotApplicableError, UnknownNameError, UsageError
from probekit.navigation import NETWORK_MOTION, Task
from probekit.network import Card, Entry, Preprocess, weights_hash
from probekit.result import Result
from probekit.zoo.model import AsIs
from probekit.zoo.path_integration.architecture import Design, PathIntegrator
from probekit.zoo.path_integration.card import adapter

NAMES = analyses.REGISTRY.names()
WITH_DATA = {"rsa", "selectivity"}
WALKED = {"lesion_effect", "spatial"}
UNITS = {"_deg": "deg", "_cpp": "cycles/pixel"}


def build():
    return nn.Sequential(nn.Conv2d(3, 12, 7, padding=3), nn.ReLU(), nn.Conv2d(12, 16, 5, stride=2), nn.ReLU())


def image_network(shape=(3, 32, 32), *, twin=True, layers=("1", "3")):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        module = build().eval()
    card = Card("tiny", "CNN", shape, "nothing (drawn for a test)", layers=layers)
    return Entry(module, Preprocess((0.5,) * 3, (0.25,) * 3), card, build if twin else None)


def path_network(*, twin=True):
    """Return a path integrator of eight units."""
    design = Design(n_place_cells=32, n_units=8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        module = PathIntegrator(design).eval()
    card = Card("tiny", "RNN", (5, 5), "nothing (drawn for a test)", layers=("rnn:output",))
    task = Task(design.arena, NETWORK_MOTION, 5, adapter(design))
    return Entry(module, AsIs(), card, partial(PathIntegrator, design) if twin else None, task)


def network_for(name, *, twin=True):
    return path_network(twin=twin) if name in WALKED else image_network(twin=twin)


def one_layer(name):
    return "rnn:output" if name in WALKED else "1"


MARKED = [pytest.param(name, marks=[pytest.mark.data] if name in WITH_DATA else []) for name in NAMES]


@pytest.fixture(scope="module", params=MARKED)
def analysis(request):
    return analyses.REGISTRY.get(request.param)


@pytest.fixture(scope="module")
def result(analysis):
    return analyses.analyse(analysis.name, network_for(analysis.name), quick=True)


def test_an_analysis_declares_what_a_reader_needs(analysis):
    assert isinstance(analysis, Analysis)
    assert analysis.name in NAMES
    assert getattr(analyses, analysis.name) is analysis.measure
    assert analysis.title
    assert analysis.description
    assert analysis.networks
    assert analysis.sources
    for source in analysis.sources:
        assert source.doi.startswith("10.")
        assert not source.citation.endswith(".")
    for columns in (analysis.columns, analysis.summary_columns):
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert {"network", "layer"} <= set(names)
        for column in columns:
            assert column.meaning
            assert not column.meaning.endswith(".")
            for ending, unit in UNITS.items():
                assert not column.name.endswith(ending) or column.unit == unit, column.name


def test_a_protocol_gives_tables_as_declared_with_the_twin_beside_the_network(analysis, result):
    assert result.analysis == analysis.name
    assert analysis.check(result) is result
    assert {"trained", "untrained"} <= set(result.table["network"])
    assert {"trained", "untrained"} <= set(result.summary["network"])
    assert any(note.startswith("Quick run") for note in result.notes)


def test_provenance_names_networks_stimuli_seed_and_version(result):
    provenance = result.provenance
    assert provenance["seed"] == 0
    assert provenance["probekit"] == probekit.__version__
    assert provenance["parameters"]
    hashes = {name: one["weights_sha256"] for name, one in provenance["recordings"].items()}
    entry = network_for(result.analysis)
    assert hashes["trained"] == weights_hash(entry.module)
    assert hashes["untrained"] == weights_hash(entry.untrained(0).module)


def test_a_result_is_saved_and_read_back_equal(result, tmp_path):
    assert Result.load(result.save(tmp_path)).equals(result)


def test_the_same_seed_gives_the_same_result_and_the_network_is_left_as_it_was(analysis, result):
    entry = network_for(analysis.name)
    before, state = weights_hash(entry.module), torch.get_rng_state()
    again = analyses.analyse(analysis.name, entry, quick=True)
    pd.testing.assert_frame_equal(again.table, result.table)
    pd.testing.assert_frame_equal(again.summary, result.summary)
    assert weights_hash(entry.module) == before
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks for module in entry.module.modules())


def test_a_network_without_a_twin_is_measured_and_the_notes_say_so(analysis):
    result = analyses.analyse(
        analysis.name, network_for(analysis.name, twin=False), quick=True, layers=one_layer(analysis.name)
    )
    assert "trained" in set(result.table["network"])
    assert "untrained" not in set(result.table["network"])
    assert any("No untrained twin: 'tiny' cannot be built anew" in note for note in result.notes)


def test_an_analysis_tells_how_far_it_is(analysis):
    told = []
    analysis.protocol(
        network_for(analysis.name),
        Protocol(one_layer(analysis.name), quick=True, progress=lambda *said: told.append(said)),
    )
    assert told
    assert all(0 <= done <= total for _, done, total in told)
    assert len({task for task, _, _ in told}) >= 2  # the network and its twin


def test_spatial_refuses_networks_that_are_not_led_along_paths():
    with pytest.raises(NotApplicableError, match=r"'tiny' has no navigation task; spatial needs .* Say how: probekit"):
        analyses.analyse("spatial", image_network())


@pytest.mark.parametrize(
    ("shape", "match"),
    [
        ((100, 8), r"'tiny' takes input of shape \(100, 8\); orientation needs a network that takes square images"),
        ((3, 32, 48), "takes square images"),
        ((3, 3, 3), "takes images of 3 pixels, less than one cycle"),
    ],
)
def test_orientation_refuses_networks_that_it_cannot_show_gratings(shape, match):
    with pytest.raises(UsageError, match=match):
        analyses.analyse("orientation", image_network(shape), quick=True)


def test_orientation_leaves_out_gratings_that_do_not_fit_and_says_so(result):
    if result.analysis == "orientation":
        shown = result.arrays["sf_curves"]["spatial_frequency_cpp"].values
        assert list(shown) == [1 / 32, 1 / 16, 1 / 8]
        assert any("1 of 4 spatial frequencies were not shown" in note for note in result.notes)


def test_an_unknown_analysis_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"no analysis called 'orientatoin'\. Did you mean 'orientation'"):
        analyses.analyse("orientatoin", image_network())


def test_a_bare_module_is_refused_with_the_way_out():
    with pytest.raises(UsageError, match=r"network is a Sequential; expected an Entry, such as probekit\.zoo\.load"):
        analyses.analyse("orientation", build())


def test_the_catalogue_lists_every_analysis_with_its_sources():
    table = analyses.catalogue()
    assert list(table["name"]) == NAMES
    assert list(table.columns) == ["name", "title", "networks", "description", "sources"]
    assert table["sources"].str.contains("doi:10.").all()


def test_the_folder_is_not_imported_under_its_bare_name():
    spec = importlib.util.spec_from_file_location("analyses", Path(analyses.__file__))
    module = importlib.util.module_from_spec(spec)
    with pytest.raises(ImportError, match=r"is the package probekit\.analyses and cannot be imported as 'analyses'"):
        spec.loader.exec_module(module)
