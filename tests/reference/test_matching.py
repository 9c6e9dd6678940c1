"""Matched sets, p of a drawn null and monotone fits: brute force, scipy, scikit-learn, and draws that are counted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.stats import chisquare, rankdata
from sklearn.isotonic import IsotonicRegression

from probekit.errors import UsageError
from probekit.stats import isotonic, matched_sets, standardized_differences, two_sided_p

METHODS = ("nearest", "stratified")


def covariates(n_units=60, n_variables=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n_units, n_variables))


def order_of_nearness(target, pool, values):
    """Return how near each unit of the pool is to each of the target, 1 the nearest; loops."""
    used = sorted({*target, *pool})
    scaled = dict(zip(used, rankdata(values[used], axis=0) / len(used), strict=True))
    distance = [[np.linalg.norm(scaled[one] - scaled[other]) for other in pool] for one in target]
    return rankdata(np.round(distance, 9), axis=1)


# matched sets


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_target", [1, 7, 25, 30])
def test_sets_are_of_the_pool_and_hold_no_unit_twice(method, n_target):
    units = np.random.default_rng(1).permutation(60)
    target, pool = units[:n_target], units[30:]
    sets = matched_sets(target, pool, covariates(), 40, method=method)
    assert sets.shape == (40, n_target)
    assert np.isin(sets, pool).all()
    assert all(len(set(one)) == n_target for one in sets)


@pytest.mark.parametrize("method", [*METHODS, None])
def test_as_many_as_the_pool_has_are_the_whole_pool(method):
    given = {} if method is None else {"method": method}
    sets = matched_sets(range(5), range(5, 10), None if method is None else covariates(), 9, **given)
    assert all(sorted(one) == list(range(5, 10)) for one in sets)


def test_no_unit_stands_for_itself():
    target = np.arange(8)
    sets = matched_sets(target, np.arange(60), covariates(), 300, n_nearest=3)
    assert (sets != target).all()
    assert np.isin(sets, target).any()  # others of the target may stand for it
    swapped = matched_sets([3, 4], [3, 4], covariates(), 5)
    assert (swapped == [4, 3]).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_stand_in_where_nobody_else_wants_them(seed):
    values = covariates(seed=seed)
    target, pool = [0, 1, 2], list(range(3, 60))
    order = order_of_nearness(target, pool, values)
    nearest = [pool[place] for place in order.argmin(1)]
    if len(set(nearest)) == 3:
        assert matched_sets(target, pool, values, 1, n_nearest=1).tolist() == [nearest]
    of_five = matched_sets(target, pool, values, 200, n_nearest=5)
    for place in range(3):
        allowed = {pool[at] for at in np.flatnonzero(order[place] <= 5)}
        assert set(of_five[:, place]) == allowed


def crowded(n_target, n_pool, seed):
    """Return covariates of a target that crowds in a corner of its pool, no two units equally near, and their order."""
    rng = np.random.default_rng(seed)
    while True:
        values = rng.normal(size=(n_target + n_pool, 3))
        values[:n_target] = values[:n_target] * 0.3 + 1
        order = order_of_nearness(range(n_target), range(n_target, n_target + n_pool), values)
        if all(len(set(row)) == n_pool for row in order):
            return values, order


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("n_nearest", [1, 2, 3])
def test_conflicts_are_settled_by_the_least_sum_of_ranks(seed, n_nearest):
    """Against all 840 ways to give four units of seven."""
    values, order = crowded(4, 7, seed)
    beyond = np.where(order <= n_nearest, 0, order)
    least = min(sum(beyond[row, at] for row, at in enumerate(ways)) for ways in itertools.permutations(range(7), 4))
    for one in matched_sets(range(4), range(4, 11), values, 20, n_nearest=n_nearest, seed=seed):
        assert sum(beyond[row, unit - 4] for row, unit in enumerate(one)) == least


@pytest.mark.parametrize("seed", range(3))
def test_many_conflicts_are_settled_by_the_least_sum_of_ranks(seed):
    """As scipy assigns them where only ranks count, and no chance."""
    values, order = crowded(9, 11, seed)
    beyond = np.where(order <= 1, 0, order)
    least = beyond[linear_sum_assignment(beyond)].sum()
    for one in matched_sets(range(9), range(9, 20), values, 100, n_nearest=1):
        assert beyond[range(9), one - 9].sum() == least


def test_all_of_the_equally_near_are_drawn_alike():
    """All 20 units of the pool are alike, so that its first 10 are no nearer than its last."""
    sets = matched_sets([0, 1], range(2, 22), np.zeros((22, 1)), 4000)
    assert chisquare(np.bincount(sets.ravel(), minlength=22)[2:]).pvalue > 0.001


def test_without_covariates_every_unit_is_drawn_alike():
    sets = matched_sets(range(5), range(5, 25), None, 4000, seed=2)
    counts = np.bincount(sets.ravel(), minlength=25)
    assert not counts[:5].any()
    assert chisquare(counts[5:]).pvalue > 0.001
    pairs = np.unique(np.sort(matched_sets([0, 1], range(6), None, 6000), 1), axis=0, return_counts=True)[1]
    assert len(pairs) == 15
    assert chisquare(pairs).pvalue > 0.001


def test_strata_give_as_many_as_they_have_of_the_target():
    """Of 64 units and one covariate strata are the eighths of its order; the pool is everything."""
    values = covariates(64, 1, 3)
    stratum = (rankdata(values[:, 0]) - 1) // 8
    target = np.argsort(-values[:, 0] + np.random.default_rng(4).normal(size=64))[:20]
    sets = matched_sets(target, range(64), values, 50, method="stratified")
    for one in sets:
        np.testing.assert_array_equal(np.bincount(stratum[one].astype(int), minlength=8),
                                      np.bincount(stratum[target].astype(int), minlength=8))  # fmt: skip
        assert (stratum[one] == stratum[target]).all()  # each in the place of one of its own stratum
    alone = np.flatnonzero(stratum == 7)
    drawn = matched_sets(alone, np.setdiff1d(np.arange(64), alone), values, 30, method="stratified")
    assert chisquare(np.bincount(stratum[drawn].astype(int).ravel(), minlength=7)).pvalue > 0.001  # none left: anyone


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_gives_the_same_sets_and_another_others(method):
    def drawn(seed):
        return matched_sets(range(9), range(9, 60), covariates(), 5, method=method, seed=seed)

    np.testing.assert_array_equal(drawn(1), drawn(np.random.default_rng(1)))
    assert not np.array_equal(drawn(1), drawn(2))


@pytest.mark.parametrize("method", METHODS)
def test_monotone_transformations_of_covariates_change_nothing(method):
    values = covariates()
    bent = np.column_stack([np.exp(values[:, 0]), values[:, 1] ** 3 * 1e6])
    sets, again = (matched_sets(range(9), range(9, 60), one, 20, method=method) for one in (values, bent))
    np.testing.assert_array_equal(sets, again)


def test_the_order_of_units_changes_nothing_but_the_draw():
    values, order = covariates(40, 1, 5), np.random.default_rng(6).permutation(40)
    where = np.argsort(order)  # a unit's new number
    sets = matched_sets(range(4), range(4, 40), values, 3000, seed=1)
    moved = matched_sets(where[:4], where[4:], values[order], 3000, seed=2)
    for place in range(4):
        first = np.bincount(sets[:, place], minlength=40) / 3000
        second = np.bincount(order[moved[:, place]], minlength=40) / 3000
        np.testing.assert_allclose(first, second, atol=0.06)  # 4 standard errors of a difference of two shares


@pytest.mark.parametrize("method", METHODS)
def test_matching_makes_sets_alike_and_inputs_stay_as_they_were(method):
    values = covariates(200, 2, 7)
    kept = values.copy()
    target = np.argsort(-values[:, 0] + np.random.default_rng(8).normal(0, 2, 200))[:20]
    pool = np.setdiff1d(np.arange(200), target)
    before = np.abs(standardized_differences(target, pool[None], values))
    after = np.abs(standardized_differences(target, matched_sets(target, pool, values, 100, method=method), values))
    assert before.max() > 0.5
    assert after.max() < 0.25
    np.testing.assert_array_equal(values, kept)


@pytest.mark.parametrize(
    ("target", "pool", "values", "options", "said"),
    [
        ([0, 1, 2], [3, 4], None, {}, "pool has 2 units and the target 3"),
        ([], [3, 4], None, {}, "pool has 2 units and the target 0"),
        ([0, 0], [3, 4], None, {}, "target holds a unit twice"),
        ([0], [0], np.zeros((3, 1)), {}, "nobody but unit 0"),
        ([0.5], [3, 4], None, {}, "target holds float64"),
        ([0], [-1, 2], None, {}, "pool holds int64 from -1"),
        ([0], [3, 4], np.zeros((4, 1)), {}, "with unit 4"),
        ([0], [1], np.zeros(4), {}, r"expected \(unit, variable\)"),
        ([0], [1], np.array([[np.nan], [1.0]]), {}, "nan or infinite"),
        ([0], [1], np.array([[0.0], [np.inf]]), {}, "nan or infinite"),
        ([0], [1], None, {"method": "neares"}, "Did you mean 'nearest'"),
        ([0], [1], np.zeros((2, 1)), {"n_nearest": 0}, "n_nearest is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(target, pool, values, options, said):
    with pytest.raises(UsageError, match=said):
        matched_sets(target, pool, values, 3, **options)
    with pytest.raises(UsageError, match="n_sets is 0"):
        matched_sets([0], [1], None, 0)


# standardised differences


def test_differences_are_those_of_a_loop():
    values = covariates(30, 3, 9)
    target, sets = [1, 4, 9], np.array([[2, 3, 5], [6, 7, 8], [2, 7, 20]])
    found = standardized_differences(target, sets, values)
    for variable in range(3):
        own = [values[unit, variable] for unit in target]
        others = [values[unit, variable] for unit in range(30) if unit not in target]
        deviation = np.sqrt((np.var(own) + np.var(others)) / 2)
        drawn = [values[unit, variable] for one in sets for unit in one]
        assert found[variable] == pytest.approx((np.mean(own) - np.mean(drawn)) / deviation)


def test_a_difference_by_hand():
    """Means 6 and 2; variances 4 (of 4, 8) and 0 + 4 (of 0, 0, 4, 4): 4 over the root of 4."""
    values = [[4.0, 7], [8, 7], [0, 7], [0, 7], [4, 7], [4, 7]]
    np.testing.assert_allclose(standardized_differences([0, 1], [[2, 4], [3, 5]], values), [2, 0])
    np.testing.assert_allclose(standardized_differences([2, 3], [[0, 1]], values)[:1], [-6 / np.sqrt(3 / 2)])


def test_what_units_do_not_exist_is_said():
    with pytest.raises(UsageError, match="with unit 9"):
        standardized_differences([0], [[9]], np.zeros((3, 1)))


# p of a drawn null


@pytest.mark.parametrize("values", [[0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9], list(np.exp(np.arange(10.0)))])
def test_p_is_exact_where_all_are_exchangeable(values):
    """Each of ten values in turn is the observed one: p is 2/10, 4/10 … twice each, however skewed they are."""
    p = [two_sided_p(one, values[:place] + values[place + 1 :]) for place, one in enumerate(values)]
    np.testing.assert_allclose(p, [0.2, 0.4, 0.6, 0.8, 1, 1, 0.8, 0.6, 0.4, 0.2])


@pytest.mark.parametrize("draw", ["exponential", "standard_cauchy", "poisson"])
def test_p_holds_its_level_whatever_the_null(draw):
    """6,000 runs: a standard error of .3 %. Ties of whole numbers can only make it rarer."""
    values = getattr(np.random.default_rng(1), draw)(size=(6000, 200))
    rate = np.mean([two_sided_p(one[0], one[1:]) <= 0.05 for one in values])
    assert rate <= 0.0605
    assert draw == "poisson" or rate >= 0.04


def test_ties_count_on_both_sides():
    assert two_sided_p(1.0, [1.0] * 50) == 1
    assert two_sided_p(2.0, [1.0] * 38 + [2.0]) == pytest.approx(2 * 2 / 40)
    assert two_sided_p(0.0, np.arange(1, 20.0)) == pytest.approx(2 / 20)
    noise = 1 + 1e-9 * np.arange(1, 40)
    assert two_sided_p(1.0, noise) == 0.05
    assert two_sided_p(1.0, noise, within=1e-6) == 1
    assert two_sided_p(1.0, noise + 1, within=1e-6) == 0.05


def test_missing_draws_do_not_count_and_a_missing_value_has_no_p():
    assert two_sided_p(9.0, [*range(9), np.nan]) == two_sided_p(9.0, range(9)) == pytest.approx(0.2)
    assert np.isnan(two_sided_p(np.nan, range(9)))
    assert np.isnan(two_sided_p(1.0, [np.nan]))
    assert np.isnan(two_sided_p(1.0, []))
    with pytest.raises(UsageError, match=r"shape \(2, 3\)"):
        two_sided_p(1.0, np.zeros((2, 3)))


# monotone fits


@pytest.mark.parametrize("increasing", [True, False])
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_fits_are_those_of_scikit_learn_row_by_row(n, increasing):
    values = np.random.default_rng(n).normal(size=(7, 6, n)).round(1)  # with ties
    found = isotonic(values, increasing=increasing)
    assert found.shape == values.shape
    fit = IsotonicRegression(increasing=increasing)
    for row in np.ndindex(7, 6):
        np.testing.assert_allclose(found[row], fit.fit_transform(np.arange(n), values[row]), atol=1e-12)
        np.testing.assert_allclose(found[row], isotonic(values[row], increasing=increasing), atol=1e-12)


def test_a_falling_fit_by_hand():
    np.testing.assert_allclose(isotonic([5.0, 1, 3, 0], increasing=False), [5, 2, 2, 0])
    np.testing.assert_allclose(isotonic([[3.0, 2, 1], [1, 2, 3]]), [[2, 2, 2], [1, 2, 3]])


@pytest.mark.parametrize("values", [1.0, np.zeros((3, 0))])
def test_no_point_is_refused(values):
    with pytest.raises(UsageError, match="at least one point"):
        isotonic(values)
