"""A result of the spatial analysis with planted maps: hexagons in the network, blobs in its controls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.ndimage import gaussian_filter

from probekit.analyses.spatial.columns import SUMMARY, TABLE
from probekit.result import Result
from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.gridness import gridness

NETWORKS = ("trained", "untrained", "random read-out")
SHARES = {"trained": 0.4, "untrained": 0.0, "random read-out": 0.0}
ERRORS = {"trained": (0.051, 0.058, 0.142), "untrained": (0.602, 0.81, 1.02)}
N_BINS, SIDE = 20, 2.2


def hexagons(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return maps of two modules, their spacings (m) and their orientations (deg)."""
    module = np.arange(n) % 2
    spacing = np.where(module, 0.9, 0.6) + rng.normal(0, 0.02, n)
    turn = np.deg2rad(np.where(module, 8.0, 30.0) + rng.normal(0, 2, n))
    y, x = (np.mgrid[:N_BINS, :N_BINS] + 0.5) * SIDE / N_BINS
    wave = 4 * np.pi / (np.sqrt(3) * spacing)
    shift = rng.uniform(0, SIDE, (n, 2))
    maps = sum(
        np.cos(
            wave[:, None, None]
            * (
                (x - shift[:, :1, None]) * np.cos(turn + k * np.pi / 3)[:, None, None]
                + (y - shift[:, 1:, None]) * np.sin(turn + k * np.pi / 3)[:, None, None]
            )
        )
        for k in range(3)
    )
    return np.clip(maps, 0, None), spacing, np.rad2deg(turn)


def blobs(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return smooth random maps."""
    noise = gaussian_filter(rng.normal(size=(n, N_BINS, N_BINS)), (0, 2.2, 2.2))
    return np.clip(noise / noise.std((1, 2), keepdims=True), 0, None)


def _units(network: str, layer: str, n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    n_grid = round(SHARES[network] * n)
    grids, spacing, turn = hexagons(n_grid, rng)
    maps = np.concatenate([grids, blobs(n - n_grid, rng)])
    maps[:, 0, 0] = np.nan
    is_grid = np.arange(n) < n_grid
    headed = (np.arange(n) % 7 == 0) & (network == "trained")
    kappa = np.where(headed, 3.0, 0.2)
    heading = np.arange(5, 360, 10.0)
    preferred = rng.uniform(0, 360, n)
    curves = np.exp(kappa[:, None] * np.cos(np.deg2rad(heading - preferred[:, None])))
    drawn = {
        one.name: {
            "float": rng.uniform(0, 1, n),
            "int": rng.integers(0, 3, n),
            "bool": np.zeros(n, dtype=bool),
            "str": np.full(n, "", dtype=object),
        }[one.dtype]
        for one in TABLE
    }
    score = gridness(autocorrelograms(maps))
    kind = np.where(is_grid, "grid", np.where(headed, "head direction", "none"))
    table = pd.DataFrame(drawn).assign(
        network=network,
        layer=layer,
        channel=np.arange(n),
        address=[f"{layer}[{c}]" for c in range(n)],
        gridness=score.score_60,
        gridness_90=score.score_90,
        q_grid=np.where(is_grid, 0.01, 0.6),
        grid_spacing_m=np.concatenate([spacing, rng.uniform(0.4, 1.2, n - n_grid)]),
        grid_orientation_deg=np.concatenate([turn, rng.uniform(0, 60, n - n_grid)]),
        grid_module=np.where(is_grid, np.arange(n) % 2, -1),
        information_bits_per_spike=rng.gamma(2, 0.3, n) * (1.5 if network == "trained" else 1),
        mean_vector_length=np.abs((curves * np.exp(1j * np.deg2rad(heading))).sum(1)) / curves.sum(1),
        preferred_heading_deg=preferred,
        q_heading=np.where(headed, 0.01, 0.5),
        speed_score=rng.normal(0, 0.1, n),
        border_score=rng.uniform(-1, 0.6, n),
        cell_type=kind,
    )
    return table, maps, curves


def _summary(table: pd.DataFrame, network: str, layer: str) -> dict[str, Any]:
    n = len(table)
    kinds = {
        kind: int((table["cell_type"] == kind.replace("_", " ")).sum()) for kind in ("grid", "head_direction", "none")
    }
    mine = network == "trained"
    error, last, long = ERRORS.get(network, (np.nan,) * 3)
    return {
        "network": network,
        "layer": layer,
        "n_units": n,
        "n_silent": 0,
        "n_classic": int((table["gridness"] > 0.37).sum()),
        "n_above_fields": kinds["grid"] + 8,
        "n_above_spectrum": kinds["grid"] + 6,
        "n_above_both": kinds["grid"] + 3,
        **{
            f"n_{kind}": kinds.get(kind, 0)
            for kind in ("grid", "border", "head_direction", "place", "speed", "mixed", "none")
        },
        "median_gridness": table["gridness"].median(),
        "largest_gridness": table["gridness"].quantile(0.95),
        "median_spacing_m": table.loc[table["q_grid"] < 0.05, "grid_spacing_m"].median(),
        "n_modules": 2 if mine else 0,
        "p_modules": 0.004 if mine else np.nan,
        "decoding_error_m": 0.07 if mine else 0.2,
        "decoding_error_shuffled_m": 0.8,
        "path_error_m": error,
        "path_error_last_m": last,
        "path_error_long_m": long,
        "guess_error_m": 0.194 if error == error else np.nan,
    }


def build(
    n_units: int = 60,
    *,
    networks: tuple[str, ...] = NETWORKS,
    layers: tuple[str, ...] = ("rnn",),
    arrays: bool = True,
    seed: int = 0,
) -> Result:
    """Return a result with planted numbers; without `arrays` only the tables, as of a recording."""  # fmt: skip
    rng = np.random.default_rng(seed)
    tables, maps, curves, rows = [], [], [], []
    for network in networks:
        for layer in layers[:1] if network == "random read-out" else layers:
            table, of_units, headings = _units(network, layer, n_units, rng)
            tables.append(table)
            maps.append(of_units)
            curves.append(headings)
            rows.append(_summary(table, network, layer))
    table = pd.concat(tables, ignore_index=True)[[one.name for one in TABLE]]
    summary = pd.DataFrame(rows)[[one.name for one in SUMMARY]]
    kept = _arrays(np.concatenate(maps), np.concatenate(curves), table, rng) if arrays else {}
    provenance = {
        "arena": {"shape": "rectangle", "width": SIDE, "height": SIDE, "centre": [0.0, 0.0]},
        "parameters": {"n_bins": N_BINS, "n_shuffles": 20},
        "recordings": {"trained": {"trained_on": "random walks", "path_steps": 20}},
        "seed": seed,
    }
    return Result("spatial", table, summary, kept, provenance)


def _arrays(
    maps: np.ndarray, curves: np.ndarray, table: pd.DataFrame, rng: np.random.Generator
) -> dict[str, xr.DataArray]:
    walk = np.clip(np.cumsum(rng.normal(0, 0.02, (6, 100, 2)).cumsum(1), axis=1) * 0.1, -1.05, 1.05)
    off = rng.normal(0, 0.004, walk.shape).cumsum(1)
    time = np.arange(1, 101)
    steps = np.array([0, 100, 500, 1000, 2000, 5000])
    growing = np.linspace(0.1, 1, len(steps))[:, None]
    mouse, _, _ = hexagons(10, rng)
    return {
        "rate_map": xr.DataArray(maps, dims=("unit", "y", "x"), attrs={"bin_size_m": SIDE / N_BINS}),
        "null_gridness": xr.DataArray(
            np.stack([rng.normal(middle, 0.25, (len(table), 20)) for middle in (0.3, 0.28, 0.0)]),
            dims=("null", "unit", "shuffle"),
            coords={"null": ["fields", "spectrum", "shift"]},
        ),
        "directional_curve": xr.DataArray(
            curves, dims=("unit", "heading_deg"), coords={"heading_deg": np.arange(5, 360, 10.0)}
        ),
        "example_position": xr.DataArray(walk, dims=("path", "time", "axis")),
        "example_decoded": xr.DataArray(walk + off, dims=("path", "time", "axis")),
        "path_error": xr.DataArray(
            np.stack([0.04 + 0.001 * time, 0.4 + 0.006 * time, 0.01 * time]),
            dims=("network", "time"),
            coords={"network": ["trained", "untrained", "still at the start"], "time": time},
        ),
        "emergence_gridness": xr.DataArray(
            growing * rng.normal(0.4, 0.4, (1, 60)), dims=("step", "unit"), coords={"step": steps}
        ),
        "emergence_path_error": xr.DataArray(0.9 - 0.8 * growing[:, 0], dims=("step",), coords={"step": steps}),
        "reference_gridness": xr.DataArray(gridness(autocorrelograms(mouse)).score_60, dims=("cell",)),
        "reference_grid_map": xr.DataArray(mouse, dims=("cell", "y", "x")),
        "reference_information": xr.DataArray(rng.gamma(3, 0.4, 80), dims="cell"),
        "reference_mean_vector_length": xr.DataArray(rng.beta(1, 2, 62), dims="cell"),
    }
