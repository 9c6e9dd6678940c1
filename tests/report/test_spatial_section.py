"""The spatial section on planted maps, hexagons in the network and blobs in its controls; and whatever is missing."""

from __future__ import annotations

import base64
import dataclasses
import re
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image
from scipy.ndimage import gaussian_filter

from probekit.analyses.spatial.columns import SUMMARY, TABLE
from probekit.reports import Report
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.spatial import SECTION, kinds, maps, navigation, units
from probekit.reports.sections.spatial.pictures import compass, unit_picture
from probekit.reports.sections.spatial.view import view_of
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
    kind = np.where(is_grid, "grid", np.where(headed, "head_direction", "none"))
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
    kinds = {kind: int((table["cell_type"] == kind).sum()) for kind in ("grid", "head_direction", "none")}
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
        "n_above_both": min(len(table), kinds["grid"] + 3),
        **{
            f"n_{kind}": kinds.get(kind, 0)
            for kind in ("grid", "border", "head_direction", "place", "speed", "mixed", "none")
        },
        "median_gridness": table["gridness"].median(),
        "gridness_percentile_95": table["gridness"].quantile(0.95),
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


def plain(sentence: str) -> str:
    return sentence.replace("\u00a0", " ")


def with_summary(result: Result, **columns: Any) -> Result:
    return dataclasses.replace(result, summary=result.summary.assign(**columns))


@pytest.fixture(scope="module")
def full() -> Result:
    return build()


@pytest.fixture(scope="module")
def page(full) -> str:
    return Report("net", [full]).html()


@pytest.fixture(scope="module")
def figures(full) -> dict[str, Figure]:
    return {figure.name: figure for figure in SECTION.build(full).figures}


def panel_of(figure: Figure, name: str) -> Panel:
    return next(one for one in figure.panels if one.name == name)


def test_sentences_say_what_was_found_beside_the_controls(full):
    headline, position, classic, strict, spacing, others, real = map(plain, SECTION.findings(full))
    assert headline.startswith(
        "It path-integrates (5.1 cm off; staying at the start, 19.4 cm), and 27 of 60 units beat"
    )
    assert (
        "(untrained twin 3 of 60, random read-out 3 of 60). Found, beyond the controls: units more grid-like"
        in headline
    )
    assert "head-direction cells and grid modules. Not found: border cells, place cells and speed cells." in headline
    assert "5.1 cm off on average (5.8 cm at the last step)" in position
    assert "still at the start is 19.4 cm off, the untrained twin 60.2 cm. Over 100 steps the error is 14.2" in position
    assert "finds the place to 7.0 cm (activity shuffled: 80.0 cm; untrained twin: 20.0 cm;" in position
    passing = {name: int(n) for name, n in zip(NETWORKS, full.summary["n_classic"], strict=True)}
    assert classic.startswith(f"{passing['trained']} of 60 units")
    assert f"{passing['random read-out'] / 60:.0%}".replace("%", " %") + " of random read-outs" in classic
    assert f"{passing['untrained'] / 60:.0%}".replace("%", " %") + " of the untrained twin’s units" in classic
    assert "27 units are above the 95th percentile of both strict nulls (32 of their own fields" in strict
    assert "untrained twin 3 of 60, random read-out 3 of 60; by chance 3 at most" in strict
    assert "So 24 units (40 %) are grid-like beyond what is there without training, by both nulls." in strict
    assert "24 single units can be called grid cells, untrained twin 0, random read-out 0." in strict
    assert "Median spacing of the grid cells 7" in spacing
    assert "They fall into 2 modules by spacing and orientation (one module only: p 0.004)." in spacing
    headed = 100 * int(full.summary["n_head_direction"][0]) / 60
    assert f"head-direction {headed:.0f} % (0 %, 0 %)" in others
    assert "No unit is a border, place or speed cell, nor is one in the controls." in others
    assert "spatial information of rat CA1 " in real


def test_that_no_unit_is_a_grid_cell_is_said(full):
    none = dataclasses.replace(
        full,
        table=full.table.assign(q_grid=0.6, grid_module=-1),
        summary=full.summary.assign(
            n_grid=0, n_above_both=0, n_classic=10, path_error_m=0.3, n_modules=0, p_modules=np.nan
        ),
    )
    headline, _, classic, strict, *rest = map(plain, SECTION.findings(none))
    assert headline.startswith(
        "It does not path-integrate (30.0 cm off; staying at the start, 19.4 cm), and none of 60 units"
    )
    assert "Not found: grid cells, border cells, place cells, speed cells and grid modules." in headline
    assert classic.endswith("pass it without any training: so that this count shows nothing.")
    assert "no single unit is sure to be a grid cell, untrained twin 0, random read-out 0." in strict
    assert not any("spacing" in one for one in rest)
    assert kinds.modules(view_of(none)) is None


def test_no_more_grid_cells_than_in_random_read_outs_is_said(full):
    alike = full.summary.assign(n_above_both=20)
    headline, *_, strict = map(plain, SECTION.findings(dataclasses.replace(full, summary=alike))[:4])
    assert "20 of 60 units beat both strict nulls of gridness (untrained twin 20 of 60, random read-out 20" in headline
    assert "which is not more than in the controls" in headline
    assert "No more than in a control: grid cells." in headline
    assert "That is no more than without training." in strict


def test_modules_that_are_not_there_are_said(full):
    one = with_summary(full, n_modules=1, p_modules=0.4)
    assert (
        "They form one group of spacing and orientation, not several modules as in rats (p of one module only: 0.400)."
        in SECTION.findings(one)[4]
    )
    assert "One module is not refused (p 0.400): no modules were found." in kinds.modules(view_of(one)).caption


def test_a_network_without_a_place_to_say_is_told_so(full):
    mute = with_summary(full, path_error_m=np.nan, path_error_last_m=np.nan, path_error_long_m=np.nan)
    headline, position, *_ = SECTION.findings(mute)
    assert headline.startswith("27 of 60 units beat both strict nulls")
    assert position.startswith("There is no path error, as nothing says where it is.")


def test_of_several_layers_the_one_with_most_grid_cells_is_told_and_drawn():
    result = build(layers=("first", "second"))
    weak = (result.table["layer"] == "first") & (result.table["channel"] > 3)
    table = result.table.assign(q_grid=result.table["q_grid"].mask(weak, 0.6))
    summary = result.summary.assign(n_above_both=np.where(result.summary["layer"] == "first", 5, 27))
    several = dataclasses.replace(result, table=table, summary=summary)
    sentences = SECTION.findings(several)
    assert "and in second, the best of 2 layers and the one that is told of here, 27 of 60 units beat" in sentences[0]
    assert sentences[3].endswith("Grid cells in the other layers: first 4 of 60.")
    folds = units.folds(view_of(several))
    assert [fold.title for fold in folds] == ["first", "second"]
    assert folds[0].line == "60 units, 4 grid cells (untrained 0)"
    content = SECTION.build(dataclasses.replace(several, arrays={}))
    assert content.layers.marked == 1
    assert [cells[0].text for cells in content.layers.reference] == ["random read-out of the place code"]


def test_an_untrained_network_is_said_to_be_one(full):
    provenance = {"recordings": {"trained": {"trained_on": "nothing (random weights)"}}}
    told = SECTION.findings(dataclasses.replace(full, provenance=provenance))
    assert told[0].startswith("This network is itself untrained. It path-integrates")


def test_figures_draw_the_network_beside_its_controls(full, figures):
    assert list(figures) == [
        "paths", "maps-best", "maps-read-out", "maps-untrained", "maps-middle", "counts", "gridness", "modules",
        "scores", "directions", "emergence", "real-cells", "real-grids",
    ]  # fmt: skip
    above = {
        network: f"{(of['gridness'] > 0.37).mean():.0%}".replace("%", "\u00a0%")
        for network, of in full.table.groupby("network")
    }
    drawn = panel_of(figures["gridness"], "networks").alt
    assert f"({above['trained']} above 0.37)" in drawn
    assert f"random read-out {np.median(full.table['gridness'][120:]):.2f} ({above['random read-out']}" in drawn
    assert "fields re-placed" in panel_of(figures["gridness"], "nulls").alt
    assert (
        "At the last step: trained: 14.0 cm; untrained twin: 100.0 cm; still at the start: 100.0 cm."
        in panel_of(figures["paths"], "error").alt
    )
    assert "above both: trained 27, untrained twin 3, random read-out 3; grid cell: both, q ≤ 0.05: trained 24," in (
        panel_of(figures["counts"], "grids").alt
    )
    scatter = panel_of(figures["modules"], "scatter").alt
    assert re.search(r"module 1: 12, spacing (59|60|61) cm; module 2: 12, spacing (89|90|91) cm", scatter)
    assert "path error (cm) from 82 to 10." in panel_of(figures["emergence"], "error").alt


def test_contact_sheets_are_sorted_and_say_the_gridness(full, figures):
    mine = full.table[full.table["network"] == "trained"].sort_values("gridness", ascending=False)
    labels = [panel.label for panel in figures["maps-best"].panels]
    assert len(labels) == 27
    assert labels[0] == (f"{mine['gridness'].iloc[0]:.2f} *", f"unit {mine['channel'].iloc[0]}")
    assert sum(label[0].endswith("*") for label in labels) == 24
    assert not any("*" in panel.label[0] for panel in figures["maps-read-out"].panels)


def pixels(svg: str) -> list[np.ndarray]:
    found = re.findall(r"data:image/png;base64,([^\"]+)", svg)
    return [np.asarray(Image.open(BytesIO(base64.b64decode(one))).convert("RGBA")) for one in found]


def test_maps_are_drawn_with_y_upwards_and_empty_where_never_visited():
    rate_map = np.array([[np.nan, 0.5, 1.0], [0.0, 0.5, 0.5]])
    (drawn,) = pixels(unit_picture(rate_map))
    assert drawn.shape == (2, 3, 4)
    assert drawn[1, 0, 3] == 0  # never visited: the first row is the lowest
    assert (drawn[..., 3] == 255).sum() == 5
    assert tuple(drawn[1, 2, :3]) == (253, 231, 37)  # the largest: the last colour of viridis
    assert tuple(drawn[0, 0, :3]) == (68, 1, 84)  # the least: its first


def test_maps_keep_their_proportions():
    svg = unit_picture(np.ones((5, 20)), np.zeros((9, 39)))
    assert re.findall(r'<image [^>]* y="([\d.]+)" width="96" height="([\d.]+)"', svg) == [
        ("0.0", "24.0"),
        ("30.0", "22.2"),
    ]
    assert 'viewBox="0 0 96 52.2"' in svg


def test_the_compass_points_up_for_north():
    heading = np.arange(0, 360, 10.0)
    path = re.search(r'd="M([^Z]+)Z', compass(heading, np.cos(np.deg2rad(heading - 90)) + 1))[1]
    points = np.array([[float(one) for one in point.split()] for point in path.split("L")])
    top = points[np.argmin(points[:, 1])]
    assert top == pytest.approx([48, 3], abs=0.1)  # straight up, on the outer circle
    assert points[:, 1].max() < 60


def lacking(full: Result, which: str) -> Result:
    table, summary = full.table, full.summary
    floats = {name: np.nan for name in table if table[name].dtype.kind == "f"}
    sums = {name: np.nan for name in summary if summary[name].dtype.kind == "f"}
    made = {
        "a short recording": lambda: build(3, networks=("trained", "random read-out")),
        "nothing to compare with": lambda: build(20, networks=("trained",), arrays=False),
        "all nan": lambda: dataclasses.replace(
            full, table=table.assign(**floats, cell_type="none"), summary=summary.assign(**sums), arrays={}
        ),
        "no rows": lambda: dataclasses.replace(full, table=table[:0], summary=summary[:0], arrays={}),
    }
    return made[which]()


@pytest.mark.parametrize("which", ["a short recording", "nothing to compare with", "all nan", "no rows"])
def test_nothing_missing_breaks_the_page(full, which):
    altered = lacking(full, which)
    sentences = SECTION.findings(altered)
    assert sentences
    assert not any(word in one for one in sentences for word in ("nan", "n/a"))
    assert "Methods" in Report("net", [altered]).html()
    if which == "nothing to compare with":
        assert "so that this count has no control beside it" in sentences[2]
        assert "Without a control it is not known how many of them training made." in sentences[3]
        assert "untrained" not in " ".join(sentences)
    if which == "no rows":
        assert sentences == ["No layer was measured, so there is nothing to report."]


def test_without_headings_nothing_is_said_of_head_direction(full):
    columns = dict.fromkeys(("mean_vector_length", "q_heading", "preferred_heading_deg"), np.nan)
    arrays = {name: one for name, one in full.arrays.items() if name != "directional_curve"}
    blind = dataclasses.replace(full, table=full.table.assign(**columns), arrays=arrays)
    assert "head-direction" not in SECTION.findings(blind)[0]
    assert units.directions(view_of(blind)) is None


def test_arrays_that_do_not_fit_the_table_are_not_drawn(full):
    other = view_of(dataclasses.replace(full, table=full.table[:60]))
    assert maps.sheets(other) == []
    assert units.directions(other) is None
    assert units.folds(other) == ()


@pytest.mark.parametrize(("shape", "drawn"), [("circle", "round, 2.2 m across"), ("rectangle", "2.2 × 2.2 m")])
def test_the_arena_is_drawn_as_it_is(full, shape, drawn):
    arena = {"shape": shape, "width": 2.2, "height": 2.2, "centre": (0.0, 0.0)}
    walled = dataclasses.replace(full, provenance={"arena": arena})
    svg = panel_of(navigation.paths(view_of(walled)), "examples").svg
    curved = [path for path in re.findall(r'<path d="([^"]+)"', svg) if "C" in path]
    assert len(curved) == (6 if shape == "circle" else 0)
    bare = dataclasses.replace(walled, table=full.table[:0], summary=full.summary[:0])
    assert drawn in SECTION.build(bare).methods


def test_names_of_layers_are_only_text(hostile_names):
    result = build(4, networks=("trained",), layers=tuple(hostile_names[:3]), arrays=False)
    assert "<script>alert" not in Report("net", [result]).html()


def test_the_page_stays_small(page):
    assert len(page.encode()) < 1_500_000


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_shown_without_complaint(page, visit, tmp_path, scheme):
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    seen = visit(file, color_scheme=scheme)
    assert seen.page.locator("#spatial image").count() >= 2 * (27 + 9 + 9 + 9 + 9)
    assert seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
