"""The tables of the page against the data frames that they were made of."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest

from probekit.analyses.orientation import ANALYSIS
from probekit.reports.tables import layer_table, unit_table


def unpacked(packed: str) -> pd.DataFrame:
    """Read the page's JSON back with none of the code that wrote it."""
    page = json.loads(packed)
    columns = {}
    for (name, _, kind), cells in zip(page["heads"], page["data"], strict=True):
        if isinstance(cells, dict):
            cells = [cells["words"][code] for code in cells["codes"]]
        columns[name] = [math.nan if cell is None else float(cell) for cell in cells] if kind == "number" else cells
    table = pd.DataFrame(columns)
    assert len(table) == page["rows"]
    return table


def test_every_unit_is_in_the_page_with_four_digits(result):
    table = unpacked(unit_table(result.table, ANALYSIS.columns, budget=10**7).packed)
    assert list(table) == list(result.table)
    for name in table:
        expected = result.table[name]
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(table[name], expected, rtol=5.01e-4, equal_nan=True)  # four significant digits
        else:
            assert table[name].tolist() == expected.tolist()


def test_meaning_and_unit_are_in_the_headings(result):
    packed = unit_table(result.table, ANALYSIS.columns, budget=10**7).packed
    heads = {name: meaning for name, meaning, _ in json.loads(packed)["heads"]}
    declared = next(column for column in ANALYSIS.columns if column.name == "bandwidth_deg")
    assert heads["bandwidth_deg"] == f"{declared.meaning}; unit: deg; range: {declared.range}"


def test_special_values_survive():
    table = pd.DataFrame(
        {
            "value": [math.inf, -math.inf, math.nan, 1e-30, -12345.678],
            "ok": [True, False] * 2 + [True],
            "word": ["</script>", "<!--", "a & b", None, "\u2028"],
        }
    )
    packed = unit_table(table, budget=10**6).packed
    read = unpacked(packed)
    np.testing.assert_allclose(read["value"], [math.inf, -math.inf, math.nan, 1e-30, -12350], equal_nan=True)
    assert read["ok"].tolist() == [1, 0, 1, 0, 1]
    assert read["word"].tolist() == ["</script>", "<!--", "a & b", "", "\u2028"]
    assert not set("<>&\u2028") & set(packed)


def test_a_table_over_the_budget_is_thinned_evenly(result):
    whole = unit_table(result.table, budget=10**7)
    thin = unit_table(result.table, budget=len(whole.packed) // 3)
    assert (whole.step, whole.n_shown, whole.n_rows) == (1, 400, 400)
    assert thin.step > 2
    assert len(thin.packed) <= len(whole.packed) // 3
    assert unpacked(thin.packed)["address"].tolist() == result.table["address"][:: thin.step].tolist()
    assert thin.n_shown == len(result.table["address"][:: thin.step])


def test_an_impossible_budget_ends(result):
    assert unit_table(result.table, budget=1).n_shown == 1


def test_layer_table_pairs_each_number_with_the_twins(result):
    table = layer_table(result.summary, labels={"n_units": "Units", "median_bandwidth_deg": "Bandwidth"})
    summary = result.summary.set_index(["network", "layer"])
    assert [head.label for head in table.heads] == ["Layer", "Units", "Bandwidth"]
    for layer, units, bandwidth in table.rows:
        mine, twin = (summary.loc[(network, layer.text)] for network in ("trained", "untrained"))
        assert (units.text, units.control) == (f"{mine['n_units']:.0f}", f"{twin['n_units']:.0f}")
        assert bandwidth.text == f"{mine['median_bandwidth_deg']:.1f}"
        assert bandwidth.control == f"{twin['median_bandwidth_deg']:.1f}"
        assert float(bandwidth.sort) == mine["median_bandwidth_deg"]
    assert [row[0].text for row in table.reference] == ["macaque V1 (Ringach 2002)"]
    assert table.reference[0][2].text == "n/a"
    assert table.reference[0][2].sort == ""


def test_intervals_stand_behind_their_number(result):
    table = layer_table(result.summary, labels={"v1_similarity": "Similarity"})
    row = result.summary.iloc[0]
    expected = f"{row['v1_similarity']:.2f} ({row['v1_similarity_low']:.2f} – {row['v1_similarity_high']:.2f})"
    assert table.rows[0][1].text == expected


def test_a_number_and_the_ends_of_its_interval_have_the_same_decimals():
    summary = pd.DataFrame({"layer": ["a", "b"], "gain": [0.1, 0.001234], "gain_low": -0.002, "gain_high": 0.2})
    rows = layer_table(summary).rows
    assert [row[1].text for row in rows] == ["0.10 (0.00 – 0.20)", "0.00 (0.00 – 0.20)"]


def test_without_labels_every_measure_is_shown_once(result):
    table = layer_table(result.summary)
    labels = [head.label for head in table.heads[1:]]
    ends = [name for name in result.summary if name.endswith(("_low", "_high"))]
    assert labels == [name for name in result.summary if name not in ("network", "layer", "call", "depth", *ends)]


def test_calls_of_one_module_are_rows_of_their_own(result):
    summary = result.summary.copy()
    summary["call"] = summary["depth"].clip(0)
    summary["layer"] = "relu"
    names = [row[0].text for row in layer_table(summary).rows]
    assert names == ["relu@0", "relu@1", "relu@2", "relu@3", "relu@4"]


@pytest.mark.parametrize("part", ["table", "summary"])
def test_inputs_are_left_as_they_were(make_result, part):
    result = make_result(2, 20)
    before = dataclasses.replace(result, table=result.table.copy(), summary=result.summary.copy())
    layer_table(result.summary)
    unit_table(result.table, budget=100)
    pd.testing.assert_frame_equal(getattr(result, part), getattr(before, part))
