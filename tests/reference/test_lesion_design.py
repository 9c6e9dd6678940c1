"""Targets and their shams, dose-response curves, ranks of single units and redundancy of pairs, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from probekit.analyses import lesion_effect
from probekit.analyses.causal.design import Ranked, checked_doses, dose_of
from probekit.analyses.causal.dose_response import dose_response
from probekit.analyses.causal.ranking import rank_causality
from probekit.tasks import Task


def test_targets_are_the_highest_ranked_and_ties_go_by_number():
    ranked = Ranked.of([7, 3, 5, 9, 1], [2.0, 2.0, np.nan, 1.0, 3.0], np.zeros((5, 0)), ())
    assert ranked.units.tolist() == [1, 3, 7, 9]
    assert ranked.units[ranked.first(2)].tolist() == [1, 3]
    assert ranked.units[ranked.last(2)].tolist() == [9, 3]
    assert [ranked.cuts_ties(n) for n in (1, 2, 3, 4)] == [False, True, False, False]


def test_doses_that_take_as_many_units_are_one():
    assert checked_doses([0.5, 0.1, 0.11, 0.3], 10) == (0.1, 0.3, 0.5)
    assert checked_doses(np.array([0.01, 0.02]), 20) == (0.01,)


def test_shams_are_of_the_untargeted_and_the_others_of_all():
    rng = np.random.default_rng(5)
    ranked = Ranked.of(np.arange(40), rng.normal(size=40), rng.normal(size=(40, 1)), ("a",))
    dose = dose_of(ranked, 0.25, 30, rng=rng)
    assert len(dose.targeted) == len(dose.reversed) == 10
    assert not np.isin(dose.controls["sham"], dose.targeted).any()
    for kind in ("permuted", "random"):
        assert np.isin(dose.controls[kind], dose.targeted).any()
    half = dose_of(ranked, 0.5, 30, rng=rng)
    assert set(half.controls) == {"permuted", "random"}
    assert np.isnan(half.worst_difference)


def test_a_dose_response_that_is_monotone_is_its_means():
    rng = np.random.default_rng(6)
    scores = [rng.normal(10 - 3 * dose, 1, (1 if dose == 0 else 5, 40)) for dose in range(4)]
    fit, low, high = dose_response(scores, falls=True, rng=rng)
    np.testing.assert_allclose(fit, [one.mean() for one in scores])
    assert ((low < fit) & (fit < high)).all()
    rising = dose_response([-one for one in scores], falls=False, rng=np.random.default_rng(6))
    assert (np.diff(rising[0]) > 0).all()
    flat = dose_response(scores, falls=False, rng=rng)[0]  # against the fall the nearest monotone curve is flat
    np.testing.assert_allclose(flat, np.mean([one.mean() for one in scores]))


def test_the_partial_correlation_is_that_of_three_correlations():
    """With one covariate, r = (r12 - r13 r23) / ((1 - r13²) (1 - r23²))^½ of Spearman's correlations."""
    rng = np.random.default_rng(7)
    covariate = rng.normal(size=40)
    harm, values = covariate + rng.normal(size=(2, 40)) + [[0], [1]]
    found = rank_causality(harm, values, covariate[:, None], rng)
    both, first, second = (
        spearmanr(*pair).statistic for pair in ((harm, values), (harm, covariate), (values, covariate))
    )
    assert found.rho == pytest.approx(both)
    assert found.partial_rho == pytest.approx((both - first * second) / np.sqrt((1 - first**2) * (1 - second**2)))
    alike = rank_causality(np.ones(40), values, covariate[:, None], rng)
    assert np.isnan([alike.rho, alike.p, alike.partial_rho, alike.partial_p]).all()
    itself = rank_causality(harm, covariate, covariate[:, None], rng)
    assert itself.p <= 0.01
    assert np.isnan(itself.partial_rho)  # the covariate leaves nothing of itself


class Pairs(nn.Module):
    """Eight signals, each in two units, of which the larger is read, or the sum; 16 units do nothing."""

    def __init__(self, largest):
        super().__init__()
        self.hidden, self.largest = nn.ReLU(), largest

    def forward(self, x):
        h = self.hidden(torch.cat([x, x, x * 0, x * 0], -1))
        first, second = h[:, :8], h[:, 8:16]
        return (torch.maximum(first, second) if self.largest else first + second).sum(-1)


@pytest.mark.parametrize("largest", [True, False])
def test_pairs_that_stand_in_for_each_other_do_more_than_their_members(largest):
    """Of the 120 pairs of 16 units 8 carry the same: without a second one, each loses its signal of mean 1."""
    signal = torch.rand(20, 8, generator=torch.Generator().manual_seed(3)) * 2
    signal /= signal.mean(0)
    read = Task("read", "", signal, lambda said, _: said, True)
    ranks = np.repeat([1.0, 0.0], 16) + 0.001 * np.arange(32)
    found = lesion_effect(Pairs(largest).eval(), read, ranks, layer="hidden", doses=(0.5,), n_sham=20, n_pairs=120)
    row = found.summary.iloc[0]
    assert row["pair_excess"] == pytest.approx(8 / 120 if largest else 0, abs=1e-5)
    assert row["pair_excess_low"] == pytest.approx(row["pair_excess"], abs=0.05)
    assert (row["pair_excess_low"] > 0) == largest
    assert np.isnan(row["rank_correlation"]) == largest  # each alone does nothing
