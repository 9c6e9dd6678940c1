"""The page of Güçlü & van Gerven 2015, from made-up numbers: sentences that follow them, figures with words."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from probekit.analyses.studies.guclu2015 import STUDY
from probekit.analyses.studies.guclu2015.choices import QUANTITIES
from probekit.analyses.ventral.claims import claims_table, not_tested
from probekit.reports.studies import StudyPage
from probekit.result import Result

LAYERS = ("first", "<script>alert(1)</script>", "last")


def _array(rows: list[dict], quantities: tuple[str, ...]) -> xr.DataArray:
    table = pd.DataFrame(rows)
    words = {
        name: ("row", table[name].astype(str).to_numpy(dtype=str)) for name in table.columns.drop(list(quantities))
    }
    values = table[list(quantities)].to_numpy(dtype=float)
    return xr.DataArray(values, dims=("row", "quantity"), coords={**words, "quantity": list(quantities)})


def _summary() -> pd.DataFrame:
    rows = []
    for region in ("EVC", "IT"):
        ceiling = {"ceiling_low": 0.2, "ceiling_high": 0.4, "n_subjects": 15, "p": 0.01, "q": 0.02, "region": region}
        for network, seed in (("trained", 0), ("untrained", 0), ("untrained", 1)):
            for place, layer in enumerate(LAYERS):
                score = 0.1 + 0.05 * place
                rows.append({"model": "net", "network": network, "seed": seed, "layer": layer, "depth": place / 2,
                             "score": score, "score_low": score - 0.05,
                             "score_high": score + 0.05, **ceiling})  # fmt: skip
        for name in ("pixels", "gabor energy"):
            rows.append({"model": name, "network": "control", "seed": 0, "layer": name, "depth": np.nan, "score": 0.05,
                         "score_low": 0.0, "score_high": 0.1, **ceiling})  # fmt: skip
    return pd.DataFrame(rows)[[column.name for column in STUDY.summary_columns]]


def made_up(*, raw_low: float = -1.0) -> Result:
    head = {"pair": "IT minus EVC", "kind": "", "model": "net", "shallow_layer": LAYERS[0], "deep_layer": LAYERS[1]}
    values = dict(zip(QUANTITIES, (2.0, 1.0, 2.0, 0.7, 0.5, 0.9, 3.0, 1.0), strict=True))
    raw = values | {"low": raw_low, "trend_low": -0.3, "excludes_0": float(raw_low > 0)}
    best = [
        head | {"network": "trained", "seed": 0, "form": "standardised, correlation, output"} | values,
        head | {"network": "trained", "seed": 0, "form": "raw, correlation, output"} | raw,
        head | {"network": "untrained", "seed": 0, "form": "standardised, correlation, output"} | raw,
    ]
    choices = [
        {"pair": "IT minus EVC", "kind": "", "model": "net", "network": network, "standardize": kind,
         "distance": distance, "stage": "output", "background": "grey",
         "fit": "resize"} | (values if kind == "standardised" else raw)
        for network in ("trained", "untrained")
        for kind in ("standardised", "raw")
        for distance in ("correlation", "euclidean")
    ]  # fmt: skip
    voxels = [
        {"population": name, "model": "net", "area": f"area {place}", "n_voxels": 50, "n_significant": n,
         "mean_layer": place, "sem_layer": 0.1, "n_layers": 3, "rho": 0.9, "p_voxels": 0.0005, "p_areas": 0.5}
        for name, n in (("planted voxels", 40), ("voxels of noise", 0))
        for place in (0, 1)
    ]  # fmt: skip
    numbers = ("n_voxels", "n_significant", "mean_layer", "sem_layer", "n_layers", "rho", "p_voxels", "p_areas")
    arrays = {
        "best_layers": _array(best, (*QUANTITIES, "seed")),
        "choices": _array(choices, QUANTITIES),
        "voxels": _array(voxels, numbers),
    }
    parameters = {"main_form": "standardised, correlation, output", "n_resamples": 1000, "n_resamples_choices": 500,
                  "voxel_layers": 8, "voxel_components": 10, "voxel_units": 2000,
                  "voxel_areas": ["V1", "V2"]}  # fmt: skip
    table = claims_table([not_tested("It is so", "They say so", "Nothing is here")])
    return Result(STUDY.name, table, _summary(), arrays, {"synthetic": False, "parameters": parameters})


@pytest.fixture(scope="module")
def page() -> StudyPage:
    return StudyPage(STUDY, made_up())


def test_the_findings_follow_the_numbers(page: StudyPage) -> None:
    said = page.findings()
    assert "2 of 3 layers deeper than that for EVC" in said[0]
    assert "1 … 2, which excludes 0" in said[0]
    assert "In untrained twins the difference is 2 (−1 … 2)" in said[0]
    assert "rises with depth: rank correlation 0.70 (0.50 … 0.90)" in said[1]
    assert "Raw activity, all else equal, shows neither" in said[2]
    assert "includes 0" in said[2]
    assert "standardised activity 2, 2 and 2 of 2; raw activity 0, 0 and 0 of 2" in said[3]
    assert "EVC 0.20 (untrained twins 0.20, pixels 0.05, gabor energy 0.05; noise ceiling 0.20 – 0.40)" in said[4]
    assert "planted voxels: 80 of 100 predicted" in said[5]
    assert "not tested" in said[5]


def test_other_numbers_make_another_sentence() -> None:
    assert "shows one of the two" in StudyPage(STUDY, made_up(raw_low=1.0)).findings()[2]


def test_the_page_has_every_figure_with_words_and_fetches_nothing(page: StudyPage) -> None:
    html = page.html()
    assert [figure.name for figure in page._figures] == ["gradient", "best-layers", "choices", "voxels"]
    panels = [panel for figure in page._figures for panel in figure.panels]
    assert len({panel.name for panel in panels}) == len(panels)
    assert all(len(panel.alt) > 40 for panel in panels)
    assert "Specification curve, trained: IT minus EVC, 4 cells" in html
    assert not re.search(r'(?:src|href)="https?://(?!doi\.org)', html)
    assert "<script>alert(1)</script>" not in html


def test_the_page_is_the_same_twice(page: StudyPage) -> None:
    assert page.html() == StudyPage(STUDY, made_up()).html()
