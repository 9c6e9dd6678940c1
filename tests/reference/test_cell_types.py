"""Scores against nulls, and what units are called by them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from probekit.errors import UnknownNameError, UsageError
from probekit.spatial.cell_types import LABELS, P_COLUMNS, cell_types, count_cell_types
from probekit.spatial.significance import (
    CLASSIC_THRESHOLDS,
    null_scores,
    p_values,
    pooled_p_values,
    pooled_threshold,
    thresholds,
)


def table(**columns):
    """Nothing is significant but what is given."""
    n = len(next(iter(columns.values())))
    return pd.DataFrame({name: columns.get(name, [1.0] * n) for name in P_COLUMNS})


def random_p(n_units, seed):
    return pd.DataFrame(np.random.default_rng(seed).random((n_units, len(P_COLUMNS))), columns=list(P_COLUMNS))


# p values


def test_null_scores_go_through_the_shuffles():
    shuffles = (np.full((3, 2, 2), float(k)) for k in range(4))
    found = null_scores(lambda maps: maps.mean((1, 2)), shuffles)
    np.testing.assert_array_equal(found, np.repeat(np.arange(4.0)[:, None], 3, axis=1))
    with pytest.raises(UsageError, match="expected one \\(unit,\\) a shuffle"):
        null_scores(lambda maps: maps, [np.ones((3, 2, 2))])
    with pytest.raises(UsageError, match="expected one \\(unit,\\) a shuffle"):
        null_scores(lambda maps: maps, [])


def test_p_counts_the_shuffles_that_reach_the_score():
    rng = np.random.default_rng(0)
    null, observed = rng.integers(0, 9, (30, 7)).astype(float), rng.integers(0, 9, 7).astype(float)
    expected = [
        (1 + sum(value >= score for value in column)) / 31 for score, column in zip(observed, null.T, strict=True)
    ]
    np.testing.assert_array_equal(p_values(observed, null), expected)


def test_nan_is_no_score():
    null = np.array([[1.0, np.nan, 1.0], [2.0, np.nan, np.nan], [3.0, np.nan, 2.0]])
    np.testing.assert_array_equal(p_values([np.nan, 1.0, 1.5], null), [np.nan, np.nan, 2 / 3])
    np.testing.assert_array_equal(thresholds(null, 50), [2.0, np.nan, 1.5])
    assert pooled_threshold(null, 50) == 2.0
    assert np.isnan(pooled_threshold(np.full((2, 2), np.nan)))
    np.testing.assert_array_equal(pooled_p_values([1.0, 1.0, 1.0], null), np.nan)  # fewer than 20 shuffles


def test_p_of_chance_is_even_and_exact():
    """Tolerance: 4 standard deviations of .05 in 20,000."""
    rng = np.random.default_rng(0)
    p = p_values(rng.standard_normal(20_000), rng.standard_normal((39, 20_000)))
    assert abs((p <= 0.05).mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 20_000)


def test_pooled_p_holds_far_out_where_units_differ_in_mean_and_spread():
    """At .05 and .001, over 40 x 500 units; tolerances: 4 standard deviations, and .0005 for the mean and sd of few."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(40):
        mean, sd = rng.normal(0, 5, 500), rng.uniform(0.1, 10, 500)
        found.append(pooled_p_values(mean + sd * rng.standard_normal(500), mean + sd * rng.standard_normal((100, 500))))
    p = np.concatenate(found)
    for alpha, slack in ((0.05, 0.0), (0.001, 0.0005)):
        assert abs((p <= alpha).mean() - alpha) < 4 * np.sqrt(alpha / len(p)) + slack
    assert p_values(np.full(500, 99.0), np.zeros((100, 500))).min() > 0.009
    assert pooled_p_values(np.full(500, 99.0), rng.standard_normal((100, 500))).max() < 1e-4


def test_a_null_without_spread_has_no_pooled_p():
    rng = np.random.default_rng(0)
    null = np.column_stack([np.ones(30), rng.standard_normal(30)])
    found = pooled_p_values([2.0, np.nan], null)
    assert np.isnan(found).all()
    assert np.isnan(pooled_p_values([2.0, 2.0], null)).tolist() == [True, False]


def test_thresholds_are_percentiles():
    null = np.random.default_rng(0).standard_normal((100, 5))
    np.testing.assert_allclose(thresholds(null), np.percentile(null, 95, axis=0))
    assert pooled_threshold(null) == pytest.approx(np.percentile(null, 95))
    assert CLASSIC_THRESHOLDS["banino2018"] == {"grid": 0.37, "head_direction": 0.47, "border": 0.5}


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match=r"observed has shape \(3,\), the null \(4, 2\)"):
        p_values(np.ones(3), np.ones((4, 2)))
    with pytest.raises(UsageError, match=r"null has shape \(4,\)"):
        thresholds(np.ones(4))
    with pytest.raises(UsageError, match="percentile is 101"):
        pooled_threshold(np.ones((4, 2)), 101)


# Cell types


@pytest.mark.parametrize(
    ("significant", "n_fields", "expected"),
    [
        (["grid_replaced", "grid_spectrum"], 5, "grid"),
        (["grid_replaced"], 5, "none"),
        (["grid_spectrum"], 5, "none"),
        (["grid_replaced", "grid_spectrum", "place"], 5, "grid"),
        (["grid_replaced", "place"], 5, "place"),
        (["place"], 1, "place"),
        (["place"], 0, "none"),
        (["place"], np.nan, "none"),
        (["border", "place"], 1, "border"),
        (["head_direction"], 0, "head_direction"),
        (["speed"], 0, "speed"),
        (["head_direction", "place"], 1, "mixed"),
        (["grid_replaced", "grid_spectrum", "head_direction"], 4, "mixed"),
        (["grid_replaced", "grid_spectrum", "border"], 4, "mixed"),
        ([], 3, "none"),
    ],
)
def test_each_rule(significant, n_fields, expected):
    p = table(**{name: [0.001] for name in significant or ["speed"]}) if significant else table(speed=[1.0])
    found = cell_types(p, n_fields=[n_fields])
    assert found.table["cell_type"].tolist() == [expected]


def test_q_is_the_false_discovery_rate_of_each_type_over_units():
    p = random_p(50, 0)
    p.loc[3, "border"] = np.nan
    found = cell_types(p, n_fields=np.ones(50)).table
    worse = p[["grid_replaced", "grid_spectrum"]].max(axis=1)
    np.testing.assert_allclose(found["q_grid"], stats.false_discovery_control(worse))
    known = p["border"].notna()
    np.testing.assert_allclose(found.loc[known, "q_border"], stats.false_discovery_control(p.loc[known, "border"]))
    assert np.isnan(found.loc[3, "q_border"])
    assert not found.loc[3, "border"]
    assert found.index.equals(p.index)


def test_chance_is_called_nothing_and_planted_units_are_found():
    """Random p: units are called anything in about 5 types x 5 % of the networks. 200 networks of 100 units."""
    some = [
        (cell_types(random_p(100, seed), n_fields=np.ones(100)).table["cell_type"] != "none").any()
        for seed in range(200)
    ]
    assert np.mean(some) < 0.25 + 3 * np.sqrt(0.25 * 0.75 / 200)
    p = random_p(100, 0)
    p.loc[:39, ["grid_replaced", "grid_spectrum"]] = 1e-4
    p.loc[40:59, "head_direction"] = 1e-4
    found = cell_types(p, n_fields=np.ones(100))
    assert found.table.loc[:39, "grid"].all()
    assert found.table.loc[40:59, "head_direction"].all()
    assert found.table.loc[40:, "grid"].sum() <= 4
    counts = count_cell_types(found)
    assert counts["n_units"].sum() == 100
    assert counts.loc["grid", "n_significant"] == found.table["grid"].sum()
    assert counts.loc["grid", "n_uncorrected"] >= counts.loc["grid", "n_significant"]
    assert counts.loc["grid", "n_expected_uncorrected"] == pytest.approx(5.0)
    assert counts.loc["grid", "n_expected_false"] == pytest.approx(0.05 * found.table["grid"].sum())


def test_two_nulls_of_grids_are_both_to_be_beaten_by_chance():
    """The larger of two independent p passes .05 once in 400 units: the expected number is an upper bound."""
    counts = count_cell_types(cell_types(random_p(20_000, 1), n_fields=np.ones(20_000)))
    assert counts.loc["grid", "n_uncorrected"] == pytest.approx(50, abs=4 * np.sqrt(50))
    assert counts.loc["speed", "n_uncorrected"] == pytest.approx(1000, abs=4 * np.sqrt(950))


def test_counts_stand_beside_the_untrained_twin():
    trained = cell_types(table(border=[1e-3, 1e-3, 1.0]), n_fields=[0, 0, 0])
    untrained = cell_types(table(border=[1.0, 1e-3, 1.0, 1.0]), n_fields=[0, 0, 0, 0])
    counts = count_cell_types(trained, untrained)
    assert tuple(counts.index) == LABELS
    assert counts.loc["border", ["n_units", "untrained_n_units"]].tolist() == [2, 1]
    assert counts.loc["none", ["n_units", "untrained_n_units"]].tolist() == [1, 3]
    assert counts.loc["none", "n_significant"] is pd.NA
    with pytest.raises(UsageError, match=r"untrained was tested for border at alpha 0\.05; expected grid, border"):
        count_cell_types(trained, cell_types(pd.DataFrame({"border": [1.0]})))


def test_types_that_were_not_tested_are_not_counted():
    counts = count_cell_types(cell_types(pd.DataFrame({"head_direction": [1e-3, 1.0]})))
    assert counts.loc["grid"].isna().all()
    assert counts.loc["head_direction", "n_units"] == 1


def test_wrong_tables_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'border'"):
        cell_types(pd.DataFrame({"boarder": [0.1]}))
    with pytest.raises(UsageError, match="grid_replaced and grid_spectrum only together"):
        cell_types(pd.DataFrame({"grid_spectrum": [0.1]}))
    with pytest.raises(UsageError, match="p has 0 rows"):
        cell_types(pd.DataFrame({"speed": []}))
    with pytest.raises(UsageError, match="n_fields is missing"):
        cell_types(pd.DataFrame({"place": [0.1]}))
    with pytest.raises(UsageError, match=r"n_fields has shape \(2,\)"):
        cell_types(pd.DataFrame({"place": [0.1]}), n_fields=[1, 1])
    with pytest.raises(UsageError, match="alpha is 1"):
        cell_types(pd.DataFrame({"speed": [0.1]}), alpha=1)
    with pytest.raises(UsageError, match="p holds 2"):
        cell_types(pd.DataFrame({"speed": [2.0]}))
