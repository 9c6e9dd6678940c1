"""What the bench of receptive fields refuses, in words."""

from __future__ import annotations

import pandas as pd
import pytest
from torch import nn

import probekit as pk
from probekit.analyses.receptive_field.effective import effective_fields
from probekit.analyses.receptive_field.occlusion import occlusion_fields
from probekit.errors import StimulusError, UsageError
from probekit.stimuli.patches import crossed, grating_patches

NETWORK = nn.Sequential(nn.Conv2d(3, 4, 5), nn.ReLU())
IMAGES = pk.stimuli.white_noise(4, size=12, channels=3, seed=0)
UNITS = pd.DataFrame({"layer": ["1"], "call": -1, "channel": 0, "y": 3, "x": 3, "address": "1[0,3,3]"})


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        ({}, "columns is {}; expected a mapping"),
        ([1, 2], r"columns is \[1, 2\]; expected a mapping"),
        ({"phase_deg": None}, "column phase_deg is None; expected a value"),
    ],
)
def test_crossed_takes_columns_with_values(columns, match):
    with pytest.raises(UsageError, match=match):
        crossed(columns)


def test_a_patch_has_its_inner_edge_inside_its_outer_edge():
    rows = crossed({"spatial_frequency_cpp": 0.1, "inner_radius_px": 8, "outer_radius_px": [4, 16]})
    with pytest.raises(UsageError, match="inner_radius_px above their outer_radius_px"):
        grating_patches(rows, size=32)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((None, IMAGES, UNITS), UsageError, "network is a NoneType; expected a torch.nn.Module"),
        ((NETWORK, [1.0], UNITS), StimulusError, "stimuli is a list; expected images"),
        ((NETWORK, IMAGES, None), UsageError, "units is a NoneType; expected a pandas.DataFrame"),
    ],
)
def test_effective_fields_name_what_is_no_network_stimulus_or_unit(arguments, error, match):
    with pytest.raises(error, match=match):
        effective_fields(*arguments)


def test_effective_fields_refuse_fields_that_are_no_table():
    with pytest.raises(UsageError, match="fields is a int; expected"):
        effective_fields(NETWORK, IMAGES, UNITS, fields=3)


def test_occlusion_maps_are_of_a_recording():
    with pytest.raises(UsageError, match="recording is a NoneType; expected"):
        occlusion_fields(None)


def test_degrees_per_pixel_are_above_0():
    recording = pk.record(NETWORK, IMAGES, layers="1")
    with pytest.raises(UsageError, match="degrees_per_pixel is 0; expected a number above 0"):
        pk.analyses.receptive_field(recording, IMAGES, degrees_per_pixel=0)
