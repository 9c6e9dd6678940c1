"""Measures of likeness of RDMs against definitions, closed forms, rsatoolbox and planted covariance."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from scipy.stats import spearmanr as scipy_spearman

from probekit.errors import UsageError
from probekit.rsa.compare import MEASURES, compare, prepare, similarities
from probekit.rsa.rdms import RDMs
from probekit.rsa.whitened import whiten

ROUNDING = 1e-12
"""A few thousand sums of numbers around 1 in float64."""
THEIRS = {
    "spearman": "spearman",
    "rho-a": "rho-a",
    "pearson": "corr",
    "cosine": "cosine",
    "tau-a": "tau-a",
    "whitened_pearson": "corr_cov",
    "whitened_cosine": "cosine_cov",
}


def rdms(values, labels=None) -> RDMs:
    values = np.atleast_2d(np.asarray(values, dtype=float))
    n = round((1 + np.sqrt(1 + 8 * values.shape[1])) / 2)
    names = tuple(labels or map(str, range(n)))
    return RDMs(values, names, pd.DataFrame({"rdm": range(len(values))}), "correlation")


def noise(seed, count, n=12, ties=False):
    values = np.random.default_rng(seed).random((count, n * (n - 1) // 2))
    return values.round(1) if ties else values


def covariance_of_distances(n, sigma=None):
    """By definition: contrasts of conditions, their covariance, squared elementwise."""
    contrasts = np.zeros((n * (n - 1) // 2, n))
    for row, (i, j) in enumerate(itertools.combinations(range(n), 2)):
        contrasts[row, [i, j]] = 1, -1
    return (contrasts @ contrasts.T) ** 2


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_is_that_of_rsatoolbox(measure, ties):
    theirs = pytest.importorskip("rsatoolbox.rdm")
    for n in (3, 7, 20):
        models, brains = noise(1, 4, n, ties), noise(2, 3, n, ties)
        expected = theirs.compare(models, brains, THEIRS[measure])
        assert compare(rdms(models), rdms(brains), measure=measure) == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("measure", MEASURES)
def test_missing_pairs_are_left_out_as_in_rsatoolbox(measure):
    theirs = pytest.importorskip("rsatoolbox.rdm")
    models, brains = noise(3, 4), noise(4, 3)
    for rows in (models, brains):
        rows[:, [0, 5, 17, 40]] = np.nan
    expected = theirs.compare(models, brains, THEIRS[measure])
    assert similarities(models, brains, measure) == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("measure", MEASURES)
def test_pairs_are_left_out_for_each_couple_apart(measure):
    models, brains = noise(5, 6), noise(6, 5)
    models[1, :4] = np.nan
    models[2, :4] = np.nan
    models[4, 20] = np.nan
    brains[0, 3:9] = np.nan
    brains[3] = np.nan
    got = similarities(models, brains, measure)
    for i, j in np.ndindex(got.shape):
        if j == 3:
            assert np.isnan(got[i, j])
            continue
        both = ~np.isnan(models[i]) & ~np.isnan(brains[j])
        one, other = (np.where(both, rows, np.nan)[None] for rows in (models[i], brains[j]))
        assert got[i, j] == pytest.approx(similarities(one, other, measure).item(), abs=ROUNDING)
        if measure == "spearman":
            assert got[i, j] == pytest.approx(scipy_spearman(one[0, both], other[0, both]).statistic, abs=ROUNDING)


@pytest.mark.parametrize("ties", [False, True])
def test_tau_a_counts_couples(ties):
    models, brains = noise(7, 3, ties=ties), noise(8, 2, ties=ties)
    signs = [np.sign(rows[:, :, None] - rows[:, None, :]) for rows in (models, brains)]
    n = models.shape[1]
    expected = np.einsum("aij,bij->ab", *signs) / (n * (n - 1))
    assert similarities(models, brains, "tau-a") == pytest.approx(expected, abs=ROUNDING)


def test_rho_a_is_the_expected_spearman_correlation_over_all_ways_to_break_ties():
    tied, other = np.array([1.0, 1, 2, 2, 2, 3]), np.array([4.0, 4, 1, 1, 2, 5])

    def orders(values):
        """Ranks of every way to break ties."""
        groups = [np.flatnonzero(values == value) for value in np.unique(values)]
        for arranged in itertools.product(*(itertools.permutations(group) for group in groups)):
            ranks = np.empty(len(values))
            ranks[np.concatenate([np.array(part) for part in arranged])] = np.arange(len(values))
            yield ranks

    each = [np.corrcoef(x, y)[0, 1] for x in orders(tied) for y in orders(other)]
    assert similarities(tied[None], other[None], "rho-a").item() == pytest.approx(np.mean(each), abs=ROUNDING)


def test_the_measure_of_rows_is_the_product_of_prepared_rows():
    models, brains = noise(9, 3), noise(10, 2)
    models[:, 7] = brains[:, 7] = np.nan
    for measure in MEASURES:
        if measure != "tau-a":
            product = prepare(models, measure) @ prepare(brains, measure).T
            assert product == pytest.approx(similarities(models, brains, measure), abs=ROUNDING)


@pytest.mark.parametrize("missing", [False, True])
def test_whitened_products_are_those_of_the_inverse_covariance(missing):
    rows = noise(11, 4, 9)
    present = np.ones(36, dtype=bool)
    if missing:
        present[[0, 1, 2, 20, 35]] = False
    inverse = np.linalg.inv(covariance_of_distances(9)[np.ix_(present, present)])
    whitened = whiten(rows[:, present], present)
    expected = 2 * rows[:, present] @ inverse @ rows[:, present].T
    assert whitened @ whitened.T == pytest.approx(expected, abs=ROUNDING)


def test_the_covariance_is_the_one_that_noise_gives_squared_distances():
    rng = np.random.default_rng(12)
    n, runs = 5, 40_000
    patterns = rng.normal(size=(runs, n, 1))
    first, second = np.triu_indices(n, 1)
    distances = ((patterns[:, first] - patterns[:, second]) ** 2).sum(axis=2)
    # unit noise: 2 V. The largest standard error of an entry is about .2: fourth moments of chi-squared, 40 000 runs
    assert np.cov(distances.T) == pytest.approx(2 * covariance_of_distances(n), abs=0.6)
    white = distances - distances.mean(axis=0)
    values, vectors = np.linalg.eigh(covariance_of_distances(n))
    assert np.cov((white @ vectors / np.sqrt(values)).T) == pytest.approx(2 * np.eye(10), abs=0.3)


def test_the_whitened_cosine_is_linear_cka_of_the_centred_second_moments():
    rng = np.random.default_rng(13)
    patterns = [rng.normal(size=(10, units)) for units in (4, 30)]
    first, second = np.triu_indices(10, 1)
    squared = [((x[first] - x[second]) ** 2).sum(axis=1)[None] for x in patterns]
    centre = np.eye(10) - 0.1
    moments = [centre @ x @ x.T @ centre for x in patterns]
    expected = np.trace(moments[0] @ moments[1]) / np.prod([np.linalg.norm(m) for m in moments])
    assert similarities(*squared, "whitened_cosine").item() == pytest.approx(expected, abs=ROUNDING)


def test_the_same_order_of_conditions_gives_the_same_number():
    models, brains = rdms(noise(14, 2)), rdms(noise(15, 2))
    order = [models.conditions[i] for i in np.random.default_rng(0).permutation(12)]
    for measure in MEASURES:
        again = compare(models.select(order), brains.select(order), measure=measure)
        assert again == pytest.approx(compare(models, brains, measure=measure), abs=ROUNDING)


@pytest.mark.parametrize("measure", ["spearman", "rho-a", "tau-a"])
def test_measures_of_ranks_see_the_order_only(measure):
    models, brains = noise(16, 2), noise(17, 2)
    changed = similarities(np.exp(5 * models), brains**3, measure)
    assert changed == pytest.approx(similarities(models, brains, measure), abs=0)


@pytest.mark.parametrize("measure", MEASURES)
def test_an_rdm_is_wholly_like_itself_and_unlike_its_opposite(measure):
    row = noise(18, 1)
    assert similarities(row, row, measure).item() == pytest.approx(1, abs=ROUNDING)
    assert similarities(row, -row, measure).item() == pytest.approx(-1, abs=ROUNDING)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_level_rdm_has_no_correlation(measure):
    # 0.1 is not a binary fraction: rounding of its mean must not make a correlation
    got = similarities(np.full((1, 66), 0.1), noise(19, 2), measure)
    if measure.endswith("cosine"):
        assert (got > 0.4).all()
        assert np.isnan(similarities(np.zeros((1, 66)), noise(19, 2), measure)).all()
    elif measure in ("rho-a", "tau-a"):
        assert (got == 0).all()
    else:
        assert np.isnan(got).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_fewer_than_two_common_pairs_have_no_likeness(measure):
    one, other = noise(20, 1, 4), noise(21, 1, 4)
    one[0, :3] = np.nan
    other[0, 4:] = np.nan
    assert np.isnan(similarities(one, other, measure)).all()


def test_no_rdms_give_no_numbers():
    for measure in MEASURES:
        assert similarities(np.zeros((0, 66)), noise(22, 2), measure).shape == (0, 2)


def test_noise_is_as_often_alike_as_unlike():
    got = {measure: similarities(noise(23, 40), noise(24, 40), measure) for measure in MEASURES if measure != "tau-a"}
    for measure, values in got.items():
        if not measure.endswith("cosine"):
            # 1600 correlations over 66 pairs, sd .125, sharing 80 rows: standard error below .01
            assert abs(values.mean()) < 0.03, measure


def test_inputs_are_not_written_to():
    models, brains = noise(25, 3), noise(26, 3)
    models[0, 3] = np.nan
    before = models.copy(), brains.copy()
    for measure in MEASURES:
        similarities(models, brains, measure)
    assert np.array_equal(models, before[0], equal_nan=True)
    assert np.array_equal(brains, before[1])
    ranks = np.array([rankdata(row) for row in brains])
    assert similarities(brains, brains, "pearson")[0, 1] != similarities(ranks, ranks, "pearson")[0, 1]


def test_wrong_arguments_are_refused():
    models, brains = rdms(noise(27, 2)), rdms(noise(28, 2))
    with pytest.raises(UsageError, match=r"measure is 'spaerman'; allowed: .*Did you mean 'spearman'"):
        compare(models, brains, measure="spaerman")
    with pytest.raises(UsageError, match="in another order"):
        compare(models, brains.select(brains.conditions[::-1]))
    with pytest.raises(UsageError, match="different conditions"):
        compare(models, brains.select(brains.conditions[:5]))
    with pytest.raises(UsageError, match="second has infinite dissimilarities"):
        similarities(noise(1, 1), np.full((1, 66), np.inf), "pearson")
    with pytest.raises(UsageError, match="first has 66 pairs and second 3"):
        similarities(noise(1, 1), noise(1, 1, 3), "pearson")
    with pytest.raises(UsageError, match=r"first has shape \(66,\)"):
        similarities(noise(1, 1)[0], noise(1, 1), "pearson")
    with pytest.raises(UsageError, match="measure is 'tau-a'; allowed"):
        prepare(noise(1, 1), "tau-a")
    uneven = noise(1, 2)
    uneven[0, 0] = np.nan
    with pytest.raises(UsageError, match="nan at other pairs in some rows"):
        prepare(uneven, "pearson")
    with pytest.raises(UsageError, match="0 known pairs"):
        prepare(np.full((2, 66), np.nan), "pearson")
