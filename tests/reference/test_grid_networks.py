"""The shipped path integrators are what their cards say."""

import numpy as np
import pytest

import probekit as pk
from probekit.analyses.released_gridness import gridness_of
from probekit.navigation import path_error

RNNS = ["grid-rnn", "grid-rnn-seed1", "grid-rnn-seed2"]


def above_both(walked, layer, n=40):
    """Return how many units are above the 95th percentile of re-placed fields and of matched spectra."""
    maps = pk.spatial.rate_maps(walked[layer], walked.tracking).maps
    scores = gridness_of(maps)
    nulls = (pk.spatial.replaced_fields(maps, n, 0), pk.spatial.matched_spectrum(maps, n, 1))
    above = [scores > np.nanquantile([gridness_of(made) for made in null], 0.95, axis=0) for null in nulls]
    return int((above[0] & above[1]).sum())


@pytest.mark.parametrize("name", RNNS)
def test_grid_rnn_finds_its_way_and_has_grids(name):
    net = pk.zoo.load(name)
    walked = pk.navigate(net)
    assert path_error(walked).mean() < 0.055
    assert path_error(pk.navigate(net, n_paths=500, n_steps=100)).mean() < 0.15
    assert above_both(walked, "rnn:output") >= 60  # 65 and more with 100 surrogates; 40 are less sure


@pytest.mark.parametrize(("name", "error", "least"), [("grid-lstm", 0.05, 36), ("grid-lstm-long", 0.053, 60)])
def test_grid_lstm_finds_its_way_and_has_grids(name, error, least):
    walked = pk.navigate(pk.zoo.load(name))
    assert path_error(walked).mean() < error
    assert above_both(walked, "bottleneck") >= least  # 40 and 65, and more, with 100 surrogates


def test_the_published_form_finds_its_way_and_has_no_grids():
    walked = pk.navigate(pk.zoo.load("grid-lstm-banino"))
    assert 0.1 < path_error(walked).mean() < 0.2
    assert above_both(walked, "bottleneck") <= 20  # 13 by chance


def test_the_untrained_twin_does_not_find_its_way():
    twin = pk.zoo.load("grid-rnn").untrained(0)
    walked = pk.navigate(twin, n_paths=500)
    assert path_error(walked).mean() > 0.5


def test_the_history_ends_near_the_network_itself():
    net = pk.zoo.load("grid-rnn")
    steps = []
    for step, module in net.task.history():
        entry = pk.Entry(module, net.preprocess, net.card, task=net.task)
        steps.append((step, path_error(pk.navigate(entry, n_paths=200)).mean()))
    numbers, errors = zip(*steps, strict=True)
    assert list(numbers) == sorted(numbers)
    assert errors[0] > 0.5
    assert errors[-1] < 0.07
