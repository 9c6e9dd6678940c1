"""Every column of the spatial analysis: what it means, its unit, its range, its source."""

from __future__ import annotations

from probekit.analysis import Column

_SILENT = "constant activity"
_BANINO, _SARGOLINI, _LANGSTON = "Banino 2018", "Sargolini 2006", "Langston 2010"
_SOLSTAD, _SKAGGS, _LEVER = "Solstad 2008", "Skaggs 1996", "Lever 2009"
_NO_TRACKING = "no headings were recorded"
_FEW_PEAKS = f"{_SILENT}, or fewer than six peaks around the middle of the autocorrelogram"
_FDR = "Benjamini & Hochberg 1995"


def _p(name: str, meaning: str, nan: str = _SILENT, *, pooled: bool = True) -> Column:
    over = "over the surrogates of all units of the layer together" if pooled else (
        "over the unit's own surrogates, ten times as many where few of the first reach it")  # fmt: skip
    return Column(name, "float", f"One-sided p of {meaning}, {over}", "", "above 0 … 1", nan)


def _q(name: str, meaning: str, nan: str = _SILENT) -> Column:
    return Column(name, "float", f"False discovery rate of {meaning}, over the units of the layer", "", "0 … 1", nan,
                  _FDR)  # fmt: skip


NETWORKS = "trained; untrained: the twin with fresh weights; random read-out: rectified random sums of the place code"
KEYS = (
    Column("network", "str", "Network of the unit", range=NETWORKS),
    Column("layer", "str", "Dotted name of the layer, and after a colon the part of its output"),
    Column("channel", "int", "Number of the unit in its layer", range="0 …"),
    Column("address", "str", "layer[channel]"),
)
ACTIVITY = (
    Column("mean_activity", "float", "Mean activity over all samples"),
    Column("signed", "bool", "Whether the unit is ever negative; its least value is then subtracted for all measures "
           "that need rates"),
)  # fmt: skip
GRID = (
    Column("gridness", "float", "Gridness, 60°, ring masks and constants as released with Banino 2018; bins never "
           "visited count as the unit's mean", "",
           "unbounded; ideal hexagons 1 … 1.7, stripes about .36", _SILENT, _BANINO),
    Column("gridness_90", "float", "The same for 90°: squares", "", "unbounded", _SILENT, _BANINO),
    Column("gridness_sargolini", "float", "Least correlation at 60° and 120° minus the largest at 30°, 90° and 150°",
           "", "-2 … 2", _FEW_PEAKS, _SARGOLINI),
    Column("gridness_langston", "float", "The same, for the best of rings that grow", "", "-2 … 2", _SILENT,
           _LANGSTON),
    _p("p_grid_fields", "gridness against the unit's own fields at random places", pooled=False),
    _p("p_grid_spectrum", "gridness against random maps with the unit's own power spectrum", pooled=False),
    _p("p_grid_shift", "gridness against activity shifted in time; far too weak to call a unit a grid cell"),
    _q("q_grid", "the larger of p_grid_fields and p_grid_spectrum"),
    Column("grid_spacing_m", "float", "Mean distance of the six inner peaks of the autocorrelogram", "m", "above 0",
           _FEW_PEAKS),
    Column("grid_orientation_deg", "float", "Direction of the first axis, counter-clockwise from x", "deg", "0 … 60",
           _FEW_PEAKS),
    Column("grid_ellipticity", "float", "Longer axis over shorter of the ellipse through the six peaks", "", "1 …",
           _FEW_PEAKS),
    Column("grid_phase_x_m", "float", "x of the field in the unit cell at the lower left corner of the map, from that "
           "corner", "m", "",
           _FEW_PEAKS),
    Column("grid_phase_y_m", "float", "y of the same", "m", "", _FEW_PEAKS),
    Column("grid_module", "int", "Module of the grid cell, by spacing and orientation", "",
           "0 …; -1: no grid cell"),
)  # fmt: skip
PLACE = (
    Column("information_bits_per_spike", "float", "Spatial information", "bits", "0 …", _SILENT, _SKAGGS),
    Column("information_bits_per_second", "float", "Spatial information times the mean rate", "bits/s",
           "0 …; of a network's units, whose activity is no rate, only comparable within the layer", _SILENT,
           _SKAGGS),
    _p("p_information", "spatial information against activity shifted in time"),
    _q("q_information", "p_information"),
    Column("sparsity", "float", "Squared mean rate over the mean squared rate", "", "0: one place … 1: everywhere",
           _SILENT, "Skaggs 1996"),
    Column("coherence", "float", "Correlation of each bin with the mean of its neighbours, z-transformed", "",
           "unbounded", _SILENT, "Muller & Kubie 1989"),
    Column("stability", "float", "Correlation of the maps of the two halves of the samples", "", "-1 … 1",
           f"{_SILENT} in a half"),
    Column("n_fields", "int", "Place fields", "", "0 …"),
    Column("field_size_m2", "float", "Mean size of the fields", "m²", "above 0", f"no field, or {_SILENT}"),
    Column("in_out_ratio", "float", "Mean rate inside the fields over that outside", "", "0 …",
           f"no field, nothing outside, or {_SILENT}"),
)  # fmt: skip
BORDER = (
    Column("border_score", "float", "How far the fields keep to one wall", "", "-1 … 1", f"{_SILENT}, or no field",
           _SOLSTAD),
    _p("p_border", "the border score against random maps with the unit's own power spectrum", pooled=False),
    _q("q_border", "p_border"),
    Column("boundary_score", "float", "Correlation with the best of the model boundary-vector cells", "", "-1 … 1",
           _SILENT, _LEVER),
    _p("p_boundary", "this correlation against random maps with the unit's own power spectrum", pooled=False),
    _q("q_boundary", "p_boundary"),
    Column("boundary_distance_m", "float", "Distance from the wall that this model prefers", "m", "0 …", _SILENT,
           _LEVER),
    Column("boundary_direction_deg", "float", "Direction of the wall that it prefers", "deg", "0 … 360", _SILENT,
           _LEVER),
)  # fmt: skip
HEADING = (
    Column("mean_vector_length", "float", "Length of the mean vector of the directional tuning curve", "", "0 … 1",
           f"{_SILENT}, or {_NO_TRACKING}", "Batschelet 1981"),
    Column("preferred_heading_deg", "float", "Direction of the same", "deg", "0 … 360",
           f"{_SILENT}, or {_NO_TRACKING}"),
    _p("p_heading", "the mean vector length against activity shifted in time", f"{_SILENT}, or {_NO_TRACKING}"),
    _q("q_heading", "p_heading", f"{_SILENT}, or {_NO_TRACKING}"),
    Column("heading_given_place", "float", "Share of the deviance of place by heading that a product of both explains "
           "beyond place alone", "", "0 … 1", f"{_SILENT}, or {_NO_TRACKING}", "Burgess 2005"),
    _p("p_conjunctive", "this share against activity shifted in time: conjunctive with significant information",
       f"{_SILENT}, or {_NO_TRACKING}"),
    _q("q_conjunctive", "p_conjunctive", f"{_SILENT}, or {_NO_TRACKING}"),
    Column("speed_score", "float", "Correlation of activity and speed", "", "-1 … 1", _SILENT, "Kropff 2015"),
    _p("p_speed", "the speed score's size against activity shifted in time"),
    _q("q_speed", "p_speed"),
)  # fmt: skip
KIND = (
    Column("cell_type", "str", "By significance (false discovery rate .05) and size: border score .5, mean vector "
           "length .47, information .5 bits, speed score .3; a grid cell by both nulls of maps", "",
           "grid, border, head_direction, place, speed, mixed, none"),
    Column("kinds", "str", "All that the unit is, by the same rule", "", "of these, separated by '; '; empty: none"),
    Column("nan_reason", "str", "Why values are missing; several are separated by '; '", "", "empty: none is"),
)  # fmt: skip
TABLE = (*KEYS, *ACTIVITY, *GRID, *PLACE, *BORDER, *HEADING, *KIND)

_ALONE = "a random read-out has no output of its own, or the network does not say where it is"
SUMMARY = (
    Column("network", "str", "Network of the layer", range=NETWORKS),
    Column("layer", "str", "Dotted name of the layer, and after a colon the part of its output"),
    Column("n_units", "int", "Units"),
    Column("n_silent", "int", "Units with constant activity; they are counted as none"),
    Column("n_classic", "int", "Units with a gridness above .37", "", "", "", _BANINO),
    Column("n_above_fields", "int", "Units with a gridness above the 95th percentile of their re-placed fields"),
    Column("n_above_spectrum", "int", "Units with a gridness above the 95th percentile of maps with their spectrum"),
    Column("n_above_both", "int", "Units above both; 5 % of units or fewer are expected by chance"),
    *(Column(f"n_{kind}", "int", f"Units that are {kind.replace('_', ' ')} cells, whatever else they are")
      for kind in ("grid", "border", "head_direction", "place", "speed")),
    Column("n_mixed", "int", "Units that are of several kinds; they are counted in each"),
    Column("n_none", "int", "Units of no kind"),
    Column("median_gridness", "float", "Median gridness", "", "unbounded", "every unit is silent", _BANINO),
    Column("gridness_percentile_95", "float", "Gridness that one unit in twenty exceeds", "", "unbounded",
           "every unit is silent", _BANINO),
    Column("median_spacing_m", "float", "Median spacing of the grid cells", "m", "above 0", "no grid cell has one"),
    Column("n_modules", "int", "Modules of grid cells; 1 unless one module is refused", "", "0: too few grid cells"),
    Column("p_modules", "float", "p of one module only", "", "0 … 1", "too few grid cells"),
    Column("decoding_error_m", "float", "Median distance between the position and what ridge regression makes of the "
           "layer, cross-validated over paths", "m", "0 …", "too few paths"),
    Column("decoding_error_shuffled_m", "float", "The same with the paths shuffled against the layer", "m", "0 …",
           "too few paths"),
    Column("path_error_m", "float", "Mean distance between the position and what the network says, over paths of the "
           "trained length", "m", "0 …", _ALONE),
    Column("path_error_last_m", "float", "The same at the last step", "m", "0 …", _ALONE),
    Column("path_error_long_m", "float", "The same over paths of 100 steps, all steps", "m", "0 …", _ALONE),
    Column("guess_error_m", "float", "Error of who says that he is still at the start", "m", "0 …", _ALONE),
)  # fmt: skip
