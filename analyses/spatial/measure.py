"""The units of one layer: every score, every p, and what kind of cell each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from probekit.analyses.released_gridness import banino_autocorrelograms
from probekit.analyses.spatial.columns import TABLE
from probekit.analyses.spatial.map_nulls import MapNulls, map_nulls
from probekit.analyses.spatial.reasons import nan_reasons
from probekit.analyses.spatial.shift_nulls import ShiftTests, shift_tests
from probekit.analyses.spatial.walked import Walked
from probekit.arguments import Floats, real, whole
from probekit.navigation import Navigation
from probekit.progress import Progress, silent
from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.border import border_scores
from probekit.spatial.boundary_vectors import boundary_templates, fit_boundary_vectors
from probekit.spatial.cell_types import TYPES, cell_types
from probekit.spatial.coherence import coherence
from probekit.spatial.grid_geometry import grid_geometry
from probekit.spatial.gridness import gridness
from probekit.spatial.heading import bin_middles, directional_curves
from probekit.spatial.information import sparsity, spatial_information
from probekit.spatial.modules import Modules, grid_modules
from probekit.spatial.place_fields import place_fields
from probekit.spatial.rate_maps import check_coverage
from probekit.spatial.signed import nonnegative, signed_units
from probekit.spatial.significance import CLASSIC_THRESHOLDS
from probekit.spatial.speed import speed_score
from probekit.spatial.stability import stability
from probekit.stats import benjamini_hochberg

_ALPHA = 0.05
_LEAST_GRID_CELLS = 10
_TYPES = {
    "border": ("p_border", "border_score", CLASSIC_THRESHOLDS["banino2018"]["border"]),
    "head_direction": ("p_heading", "mean_vector_length", CLASSIC_THRESHOLDS["banino2018"]["head_direction"]),
    "place": ("p_information", "information_bits_per_spike", 0.5),
    "speed": ("p_speed", "speed_score", 0.3),
}
"""Type → its p, and the score and how large that must be: with enough samples every trace is significant."""


@dataclass(frozen=True)
class Options:
    """How units are measured.

    Parameters
    ----------
    n_bins : int
        Bins of a map along the longer side of the arena.
    smoothing : float
        Of maps: standard deviation of the Gaussian, in bins.
    n_nulls : int
        Surrogates of each kind and unit.
    seed : int
        Of the surrogates.
    """

    n_bins: int = 20
    smoothing: float = 0.0
    n_nulls: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        whole("n_bins", self.n_bins, 2)
        real("smoothing", self.smoothing, "bins, at least 0", least=0)
        whole("n_nulls", self.n_nulls, 20)
        whole("seed", self.seed, 0)


@dataclass(frozen=True, eq=False)
class Measured:
    """The units of one layer.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns as declared.
    nulls : MapNulls
    modules : Modules or None
        Of the grid cells; None where there are too few.
    arrays : mapping
        `rate_map`, `null_gridness` and, where headings are known, `directional_curve`, along `unit`.
    """

    table: pd.DataFrame
    nulls: MapNulls
    modules: Modules | None
    arrays: dict[str, xr.DataArray]


def measure_units(
    network: str, layer: str, walked: Navigation, options: Options, *, progress: Progress = silent
) -> Measured:
    """Return every measure of the units of a layer."""
    path = Walked.of(walked.tracking, options.n_bins, options.smoothing)
    check_coverage(path.places, walked.tracking.arena)
    activity = _silenced(np.asarray(walked[layer], dtype=np.float64), walked.tracking.valid)
    maps = path.maps(activity)
    shifts = shift_tests(activity, path, options.n_nulls, options.seed, progress)
    nulls = map_nulls(maps, path, options.n_nulls, options.seed, progress)
    n_units = activity.shape[1]
    columns: dict[str, object] = {
        "network": network,
        "layer": layer,
        "channel": np.arange(n_units),
        "address": [f"{layer}[{unit}]" for unit in range(n_units)],
        "mean_activity": np.mean(walked[layer], axis=0, dtype=np.float64),
        "signed": signed_units(maps),
    }
    columns |= _grid(maps, path, nulls, shifts)
    columns |= _place(activity, maps, path, options, shifts)
    columns |= _border(maps, path, nulls)
    columns |= _heading(activity, path, shifts)
    columns |= _kinds(columns)
    modules, labels = _modules(columns)
    columns["grid_module"] = labels
    columns["nan_reason"] = nan_reasons(columns, has_headings=path.headings is not None)
    table = pd.DataFrame(columns)[[column.name for column in TABLE]]
    return Measured(table, nulls, modules, _arrays(activity, maps, path, nulls, shifts))


def _silenced(activity: Floats, valid: npt.NDArray[np.bool_]) -> Floats:
    """Return activity with 0 for units that are constant, whose measures are nan, as those of silent units are."""
    return np.where(np.ptp(activity[valid], axis=0) > 0, activity, 0)


def _grid(maps: Floats, path: Walked, nulls: MapNulls, shifts: ShiftTests) -> dict[str, Floats]:
    released = gridness(banino_autocorrelograms(maps))
    pearson = autocorrelograms(maps)
    geometry = grid_geometry(pearson, path.bin_size, maps=maps)
    return {
        "gridness": released.score_60,
        "gridness_90": released.score_90,
        "gridness_sargolini": gridness(pearson, "sargolini2006").score_60,
        "gridness_langston": gridness(pearson, "langston2010").score_60,
        "p_grid_fields": nulls.p_fields,
        "p_grid_spectrum": nulls.p_spectrum,
        "p_grid_shift": shifts.grid,
        "q_grid": benjamini_hochberg(np.maximum(nulls.p_fields, nulls.p_spectrum)),
        "grid_spacing_m": geometry.spacing,
        "grid_orientation_deg": geometry.orientation,
        "grid_ellipticity": geometry.ellipticity,
        "grid_phase_x_m": geometry.phase[:, 0],
        "grid_phase_y_m": geometry.phase[:, 1],
    }


def _place(activity: Floats, maps: Floats, path: Walked, options: Options, shifts: ShiftTests) -> dict[str, Floats]:
    rates, occupancy = nonnegative(maps), path.places.occupancy
    information = spatial_information(rates, occupancy)
    fields = place_fields(rates, path.tracking.arena)
    unsmoothed = path.places.maps(activity) if options.smoothing else maps
    return {
        "information_bits_per_spike": information.bits_per_spike,
        "information_bits_per_second": information.bits_per_second,
        "p_information": shifts.information,
        "q_information": benjamini_hochberg(shifts.information),
        "sparsity": sparsity(rates, occupancy),
        "coherence": coherence(unsmoothed).z,
        "stability": stability(activity, path.tracking, n_bins=options.n_bins, smoothing=options.smoothing),
        "n_fields": fields.count,
        "field_size_m2": fields.area,
        "in_out_ratio": np.where(np.isfinite(fields.in_out_ratio), fields.in_out_ratio, np.nan),
    }


def _border(maps: Floats, path: Walked, nulls: MapNulls) -> dict[str, Floats]:
    arena = path.tracking.arena
    score = border_scores(nonnegative(maps), arena).score
    alike = fit_boundary_vectors(maps, boundary_templates(arena, path.n_bins))
    return {
        "border_score": score,
        "p_border": nulls.p_border,
        "q_border": benjamini_hochberg(nulls.p_border),
        "boundary_score": alike.score,
        "p_boundary": nulls.p_boundary,
        "q_boundary": benjamini_hochberg(nulls.p_boundary),
        "boundary_distance_m": alike.distance,
        "boundary_direction_deg": np.degrees(alike.direction) % 360,
    }


def _heading(activity: Floats, path: Walked, shifts: ShiftTests) -> dict[str, Floats]:
    vectors = path.mean_vectors(activity)
    speed = speed_score(activity, path.tracking)
    return {
        "mean_vector_length": vectors.length,
        "preferred_heading_deg": np.degrees(vectors.direction) % 360,
        "p_heading": shifts.heading,
        "q_heading": benjamini_hochberg(shifts.heading),
        "heading_given_place": path.heading_given_place(activity),
        "p_conjunctive": shifts.conjunctive,
        "q_conjunctive": benjamini_hochberg(shifts.conjunctive),
        "speed_score": speed,
        "p_speed": shifts.speed,
        "q_speed": benjamini_hochberg(shifts.speed),
    }


def _kinds(columns: dict[str, Any]) -> dict[str, Any]:
    """Return what each unit is: significantly, and by as much as the type asks for."""
    p = {"grid_replaced": columns["p_grid_fields"], "grid_spectrum": columns["p_grid_spectrum"]}
    for of_type, (name, score, least) in _TYPES.items():
        p[of_type] = np.where(np.abs(columns[score]) >= least, columns[name], np.fmax(columns[name], 1.0))
    found = cell_types(pd.DataFrame(p), n_fields=columns["n_fields"], alpha=_ALPHA)
    members = [np.where(found.table[kind], kind, "") for kind in TYPES]
    return {
        "cell_type": found.table["cell_type"].to_numpy(object),
        "kinds": ["; ".join(filter(None, of_unit)) for of_unit in zip(*members, strict=True)],
    }


def _modules(columns: dict[str, Any]) -> tuple[Modules | None, npt.NDArray[np.int64]]:
    """Return the modules of the grid cells, and that of each unit, -1 for those that are none."""
    spacing, orientation = columns["grid_spacing_m"], columns["grid_orientation_deg"]
    used = (columns["q_grid"] <= _ALPHA) & np.isfinite(spacing) & np.isfinite(orientation)
    labels = np.full(len(used), -1)
    if used.sum() < _LEAST_GRID_CELLS:
        labels[used] = 0
        return None, labels
    found = grid_modules(spacing[used], orientation[used])
    labels[used] = found.labels
    return found, labels


def _arrays(
    activity: Floats, maps: Floats, path: Walked, nulls: MapNulls, shifts: ShiftTests
) -> dict[str, xr.DataArray]:
    """Return what is drawn of each unit, in single precision."""
    kinds = {"fields": nulls.grid_fields, "spectrum": nulls.grid_spectrum, "shift": shifts.null_grid}
    stacked = np.stack([null.T for null in kinds.values()]).astype(np.float32)
    arrays = {
        "rate_map": xr.DataArray(maps.astype(np.float32), dims=("unit", "y", "x"), attrs={"bin_size_m": path.bin_size}),
        "null_gridness": xr.DataArray(stacked, dims=("null", "unit", "shuffle"), coords={"null": list(kinds)}),
    }
    if path.headings is not None:
        curves = directional_curves(path.headings, activity).astype(np.float32)
        middles = np.degrees(bin_middles(curves.shape[1]))
        arrays["directional_curve"] = xr.DataArray(
            curves, dims=("unit", "heading_deg"), coords={"heading_deg": middles}
        )
    return arrays
