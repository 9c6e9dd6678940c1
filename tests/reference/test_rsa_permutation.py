"""The permutation of conditions: by brute force, under the null, and on a planted relation."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from probekit.errors import UsageError
from probekit.rsa.compare import MEASURES
from probekit.rsa.permutation import label_permutation
from probekit.rsa.rdms import RDMs


def made(rows, **columns):
    rows = np.atleast_2d(rows)
    n = int((1 + np.sqrt(1 + 8 * rows.shape[1])) / 2)
    table = pd.DataFrame(columns or {"rdm": range(len(rows))})
    return RDMs(rows, tuple(f"c{i}" for i in range(n)), table, "correlation")


def test_p_is_near_that_of_all_orders():
    rng = np.random.default_rng(0)
    brain = rng.random((1, 15))
    model = brain + 0.5 * rng.random((1, 15))
    square = made(model).square()[0]
    sides = np.triu_indices(6, 1)
    score = spearmanr(model[0], brain[0]).statistic
    reached = [
        spearmanr(square[np.ix_(order, order)][sides], brain[0]).statistic >= score - 1e-12
        for order in map(list, permutations(range(6)))
    ]
    found = label_permutation(made(model), made(brain), n_permutations=4000)
    # 4,000 random orders of 720: standard error .002 at p = .015
    assert found["p"][0] == pytest.approx(np.mean(reached), abs=0.008)
    assert found["score"][0] == pytest.approx(score, abs=1e-12)


def test_noise_is_significant_as_often_as_it_says():
    """400 models of noise, each against its own noise; an exact test: 5 % of them."""
    rng = np.random.default_rng(1)
    p = [
        label_permutation(made(rng.random(66)), made(rng.random((4, 66))), n_permutations=99, seed=run)["p"][0]
        for run in range(1000)
    ]
    # standard error .7 %
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_planted_relation_is_found_and_a_dead_layer_is_nan(measure):
    rng = np.random.default_rng(2)
    true = rng.random(45)
    models = made(np.stack([true, np.full(45, np.nan), rng.random(45)]), layer=["true", "dead", "other"])
    brain = true + 0.5 * rng.random((3, 45))
    found = label_permutation(models, made(brain), measure=measure, n_permutations=99).set_index("layer")
    assert found["p"]["true"] == pytest.approx(0.01)
    assert np.isnan(found["p"]["dead"])
    assert found["q"]["true"] == pytest.approx(0.02)
    assert found["p"]["other"] > 0.05


def test_missing_pairs_give_what_the_same_orders_give_by_hand():
    rng = np.random.default_rng(3)
    model, brain = rng.random(45), rng.random((2, 45))
    brain[0, 4] = np.nan
    found = label_permutation(made(model), made(brain), n_permutations=50, seed=9)
    square, sides, orders = made(model).square()[0], np.triu_indices(10, 1), np.random.default_rng(9)

    def score(values):
        known = [~np.isnan(row) for row in brain]
        return np.mean([spearmanr(values[at], row[at]).statistic for at, row in zip(known, brain, strict=True)])

    reached = 0
    for _ in range(50):
        order = orders.permutation(10)
        reached += score(square[np.ix_(order, order)][sides]) >= score(model)
    assert found["p"][0] == pytest.approx((1 + reached) / 51)


def test_seeds_repeat_and_nothing_else_is_touched():
    rng = np.random.default_rng(4)
    model, brain = made(rng.random(66)), made(rng.random((3, 66)))
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    first, again = (label_permutation(model, brain, n_permutations=60, seed=3) for _ in range(2))
    assert (np.random.get_state()[1] == before).all()
    pd.testing.assert_frame_equal(first, again)
    assert first["p"][0] != label_permutation(model, brain, n_permutations=60, seed=4)["p"][0]


def test_wrong_arguments_are_named():
    few = made(np.arange(6.0))
    with pytest.raises(UsageError, match="models have 4 conditions; a permutation needs 5"):
        label_permutation(few, few)
    enough = made(np.arange(10.0))
    with pytest.raises(UsageError, match="n_permutations is 0; expected at least 1"):
        label_permutation(enough, enough, n_permutations=0)
    with pytest.raises(UsageError, match="all dissimilarities of row 0 are the same"):
        label_permutation(enough, made(np.ones(10)))
