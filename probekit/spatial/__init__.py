"""The measures of the hippocampal laboratory: of maps, of headings, of speeds, each beside its null."""

from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.border import border_scores
from probekit.spatial.boundary_vectors import boundary_templates, boundary_tuning, fit_boundary_vectors
from probekit.spatial.cell_types import cell_types, count_cell_types
from probekit.spatial.coherence import coherence
from probekit.spatial.conjunctive import distributive, factorial_model, place_by_heading
from probekit.spatial.correlation import map_correlation
from probekit.spatial.decoding import decode_position
from probekit.spatial.grid_geometry import grid_geometry
from probekit.spatial.gridness import gridness
from probekit.spatial.heading import circular_sd, directional_tuning, mean_vectors, rayleigh_test
from probekit.spatial.information import selectivity, sparsity, spatial_information
from probekit.spatial.modules import grid_modules
from probekit.spatial.mutual_information import mutual_information
from probekit.spatial.nulls import matched_spectrum, replaced_fields, shifted_rows, time_shifts
from probekit.spatial.place_fields import find_fields, place_fields
from probekit.spatial.rate_maps import RateMaps, rate_maps
from probekit.spatial.realignment import realignment
from probekit.spatial.remapping import remapping
from probekit.spatial.signed import nonnegative
from probekit.spatial.significance import CLASSIC_THRESHOLDS, null_scores, p_values, pooled_p_values
from probekit.spatial.speed import speed_score, speed_tuning
from probekit.spatial.spikes import spike_rates
from probekit.spatial.stability import stability
from probekit.spatial.torus import topology

__all__ = [
    "CLASSIC_THRESHOLDS",
    "RateMaps",
    "autocorrelograms",
    "border_scores",
    "boundary_templates",
    "boundary_tuning",
    "cell_types",
    "circular_sd",
    "coherence",
    "count_cell_types",
    "decode_position",
    "directional_tuning",
    "distributive",
    "factorial_model",
    "find_fields",
    "fit_boundary_vectors",
    "grid_geometry",
    "grid_modules",
    "gridness",
    "map_correlation",
    "matched_spectrum",
    "mean_vectors",
    "mutual_information",
    "nonnegative",
    "null_scores",
    "p_values",
    "place_by_heading",
    "place_fields",
    "pooled_p_values",
    "rate_maps",
    "rayleigh_test",
    "realignment",
    "remapping",
    "replaced_fields",
    "selectivity",
    "shifted_rows",
    "sparsity",
    "spatial_information",
    "speed_score",
    "speed_tuning",
    "spike_rates",
    "stability",
    "time_shifts",
    "topology",
]
