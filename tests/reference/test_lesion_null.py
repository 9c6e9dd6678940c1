"""How often lesions that should find nothing find something, how often they find what is there, and how surely.

The effects of units add up here, so that a lesion's score is a sum and thousands of experiments cost seconds; a few
runs of whole networks say that it comes to the same.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from probekit.analyses import lesion_effect
from probekit.analyses.causal.comparison import compare_with_controls
from probekit.analyses.causal.design import Ranked, dose_of
from probekit.analyses.causal.dissociation import double_dissociation
from probekit.analyses.causal.ranking import rank_causality
from probekit.stats import two_sided_p
from probekit.tasks import Task

N_UNITS, N_SHAM = 64, 79  # with 79 sets p is .05 or less for the four most extreme of 80 places, exactly 5 %
DOSES = (0.05, 0.1, 0.25, 0.5)


class Experiment:
    """One layer whose units have effects, a ranking, and a lesion of one dose."""

    def __init__(self, rng, share, values, effects, covariates=None, *, n_trials=2, n_sham=N_SHAM, method="stratified"):
        given = np.zeros((N_UNITS, 0)) if covariates is None else covariates
        variables = tuple("abc"[: given.shape[1]])
        self.ranked = Ranked.of(np.arange(N_UNITS), values, given, variables)
        self.dose = dose_of(self.ranked, share, n_sham, method=method, rng=rng)  # p knows no shams
        self.effects, self.rng = effects, rng
        self.trials = rng.normal(size=n_trials)

    def scores(self, kind):
        sets = self.dose.targeted if kind == "targeted" else self.dose.controls[kind]
        return self.trials - self.effects[sets].sum(-1)[..., None]

    def compared(self, n_resamples=2):
        def means(sets):
            return self.ranked.covariates[sets].mean(-2)

        dose = self.dose
        return compare_with_controls(
            self.scores("targeted"),
            self.scores("sham") if "sham" in dose.controls else None,
            self.scores("permuted"),
            self.scores("random"),
            covariates=(means(dose.targeted), means(dose.controls["permuted"]), means(dose.controls["random"])),
            overlap=np.isin(dose.controls["permuted"], dose.targeted).mean(1),
            rng=self.rng,
            n_resamples=n_resamples,
        )

    def p_among_shams(self):
        return two_sided_p(self.scores("targeted").mean(), self.scores("sham").mean(1))


def significant(p):
    return np.mean(np.array(p) <= 0.05)


# the null


@pytest.mark.parametrize("share", DOSES)
@pytest.mark.parametrize("effect", ["normal", "exponential"])
def test_a_random_ranking_is_significant_in_five_percent(share, effect):
    """700 experiments: a standard error of .8 %."""
    rng = np.random.default_rng(1)
    p = [
        Experiment(rng, share, rng.normal(size=N_UNITS), getattr(rng, effect)(size=N_UNITS)).compared().p
        for _ in range(700)
    ]
    assert significant(p) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("share", DOSES)
def test_a_random_ranking_with_matching_is_significant_in_five_percent(share):
    """600 experiments, two covariates that go with nothing: a standard error of .9 %."""
    rng = np.random.default_rng(2)
    p = []
    for _ in range(600):
        values, effects = rng.normal(size=(2, N_UNITS))
        p.append(Experiment(rng, share, values, effects, rng.normal(size=(N_UNITS, 2))).compared().p)
    assert significant(p) == pytest.approx(0.05, abs=0.015)


def test_among_shams_of_what_is_left_a_random_ranking_is_significant_far_too_often():
    """At a dose of .25 the target differs from shams by √2 times as much as it should: p ≤ .05 in 17 %, and not in 5.

    P(|z| > 1.96 / √2) = .166. Where shams are matched they are more alike each other, and it is worse.
    """
    rng = np.random.default_rng(3)
    naive, matched = [], []
    for number in range(600):
        values, effects = rng.normal(size=(2, N_UNITS))
        one = Experiment(rng, 0.25, values, effects)
        naive.append(one.p_among_shams())
        if number % 3:
            continue
        alike = rng.normal(size=(N_UNITS, 2))
        matched.append(Experiment(rng, 0.25, values, effects, alike, method="nearest").p_among_shams())
    assert significant(naive) == pytest.approx(0.166, abs=0.04)
    assert significant(matched) > significant(naive)


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_what_goes_with_the_covariates_alone_is_no_difference(share):
    """Effects and ranking both follow the covariates, and nothing else: at random they would be a difference."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(600):
        covariates = rng.normal(size=(N_UNITS, 2))
        values = covariates.sum(1) + rng.normal(size=N_UNITS)
        effects = covariates @ [1.0, 0.5] + rng.normal(size=N_UNITS)
        found.append(Experiment(rng, share, values, effects, covariates).compared())
    assert 0.025 <= significant([one.p for one in found]) <= 0.065
    assert significant([one.p_random for one in found]) > 0.4


def test_strata_alone_would_not_do():
    """Strata leave within them what goes with the ranking: a fifth is significant before the regression."""
    rng = np.random.default_rng(5)
    ours, strata = [], []
    for _ in range(300):
        covariates = rng.normal(size=(N_UNITS, 2))
        values = covariates.sum(1) + rng.normal(size=N_UNITS)
        one = Experiment(rng, 0.25, values, covariates @ [1.0, 0.5] + rng.normal(size=N_UNITS), covariates)
        ours.append(one.compared().p)
        strata.append(two_sided_p(one.scores("targeted").mean(), one.scores("permuted").mean(1)))
    assert significant(ours) <= 0.08
    assert significant(strata) > 0.15


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_ranking_that_is_a_covariate_is_never_a_difference(share):
    """Strata then give the target itself, or near it: at a dose of .5 always, and rounding is no evidence."""
    rng = np.random.default_rng(6)
    p = []
    for _ in range(200):
        covariates = rng.normal(size=(N_UNITS, 1))
        effects = covariates[:, 0] + rng.normal(size=N_UNITS)
        found = Experiment(rng, share, covariates[:, 0], effects, covariates).compared()
        p.append(found.p)
        if share == 0.5:
            assert (found.p, found.detectable) == (1, np.inf)
    assert significant(p) <= 0.065


def test_single_units_that_rank_at_random_are_significant_in_five_percent():
    """500 layers of 30 units whose damage and ranking both follow a covariate, and nothing else."""
    rng = np.random.default_rng(11)
    plain, partial = [], []
    for _ in range(500):
        covariate, harm, values = rng.normal(size=(3, 30))
        plain.append(rank_causality(harm, values, np.zeros((30, 0)), rng))
        partial.append(rank_causality(harm + covariate, values + covariate, covariate[:, None], rng))
    assert significant([one.p for one in plain]) == pytest.approx(0.05, abs=0.02)
    assert significant([one.partial_p for one in partial]) == pytest.approx(0.05, abs=0.02)
    assert significant([one.p for one in partial]) > 0.5


class Additive(nn.Module):
    """Each hidden unit adds what it carries to each of two outputs."""

    def __init__(self, n_units, rng):
        super().__init__()
        self.hidden = nn.Identity()
        self.weights = torch.from_numpy(rng.normal(size=(n_units, 2))).float()

    def forward(self, x):
        return self.hidden(x) @ self.weights


def output(number, inputs):
    return Task(f"output {number}", "", inputs, lambda said, _: said[:, number], True)


@pytest.mark.parametrize("match", [(), ("activity",)])
def test_whole_networks_with_random_rankings_are_significant_in_five_percent(match):
    """90 networks at two doses that share units: a standard error of 1.6 to 2.3 %."""
    rng = np.random.default_rng(7)
    p = []
    for seed in range(90):
        network, inputs = Additive(48, rng).eval(), torch.from_numpy(rng.uniform(size=(3, 48))).float()
        units = pd.DataFrame({"layer": "hidden", "channel": range(48), "activity": inputs.mean(0).numpy()})
        found = lesion_effect(
            network, output(0, inputs), rng.normal(size=48), units=units, doses=(0.1, 0.4), n_sham=39,
            match=match, n_single=0, n_pairs=0, seed=seed,
        )  # fmt: skip
        p.extend(found.table["p"].dropna())
    assert len(p) >= 170
    assert 0.02 <= significant(p) <= 0.09


def test_sets_at_random_are_no_double_dissociation():
    rng = np.random.default_rng(8)
    found = []
    for seed in range(400):
        network, inputs = Additive(24, rng).eval(), torch.ones(1, 24)
        units = rng.permutation(24)
        tasks = output(0, inputs), output(1, inputs)
        found.append(double_dissociation(network, "hidden", (units[:6], units[6:14]), tasks, n_deals=39, seed=seed))
    assert significant([one.p for one in found]) == pytest.approx(0.05, abs=0.015)
    assert np.mean([one.is_double for one in found]) <= 0.035


# power and intervals


@pytest.mark.parametrize(("share", "matched"), [(0.1, False), (0.25, False), (0.4, False), (0.1, True), (0.3, True)])
def test_a_detectable_effect_is_found_in_four_of_five_experiments(share, matched):
    """300 experiments: a standard error of 2.3 %. The effect is put into the targeted units, in equal parts."""
    rng = np.random.default_rng(9)
    p = []
    for number in range(300):
        values, effects = rng.normal(size=(2, N_UNITS))
        one = Experiment(rng, share, values, effects, rng.normal(size=(N_UNITS, 1)) if matched else None, n_sham=199)
        wanted = one.compared().detectable
        one.effects = effects.copy()
        one.effects[one.dose.targeted] += (1 if number % 2 else -1) * wanted / len(one.dose.targeted)
        p.append(one.compared().p)
    assert significant(p) == pytest.approx(0.8, abs=0.06)


def test_the_interval_of_the_effect_holds_the_true_one_in_ninety_five_percent():
    """Resampled are trials and shams, of one target in one network: the truth is the mean over all trials and shams.

    Units do something else in each of 40 trials. A random ranking's effect is not 0 but that of its units.
    """
    rng = np.random.default_rng(10)
    covers = []
    for _ in range(400):
        values, effects = rng.normal(size=(2, N_UNITS))
        one = Experiment(rng, 0.1, values, effects)
        by_trial = effects[:, None] + rng.normal(0, 3, (N_UNITS, 40))
        base = rng.normal(0, 5, 40)

        def scores(sets, base=base, by_trial=by_trial):
            return base - by_trial[sets].sum(-2)

        target, rest = one.dose.targeted, np.setdiff1d(np.arange(N_UNITS), one.dose.targeted)
        found = compare_with_controls(
            scores(target), scores(one.dose.controls["sham"]), scores(one.dose.controls["permuted"]),
            scores(one.dose.controls["random"]), covariates=(np.zeros(0), *[np.zeros((N_SHAM, 0))] * 2),
            overlap=np.zeros(N_SHAM), rng=rng, n_resamples=500,
        )  # fmt: skip
        truth = -effects[target].sum() + len(target) * effects[rest].mean()
        covers.append(found.low <= truth <= found.high)
        assert found.low <= found.effect <= found.high
    assert np.mean(covers) == pytest.approx(0.95, abs=0.03)
