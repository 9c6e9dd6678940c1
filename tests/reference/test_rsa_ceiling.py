"""Noise ceilings beside rsatoolbox's, by hand, and around the true model."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from probekit.errors import UsageError
from probekit.rsa.ceiling import ceiling_of, ceilings_of_products, noise_ceiling
from probekit.rsa.compare import compare, prepare
from probekit.rsa.rdms import RDMs

rsatoolbox_rdm = pytest.importorskip("rsatoolbox.rdm")
rsatoolbox_ceiling = pytest.importorskip("rsatoolbox.inference.noise_ceiling")

THEIR_NAMES = {
    "spearman": "spearman", "rho-a": "rho-a", "pearson": "corr", "cosine": "cosine", "tau-a": "tau-a",
    "whitened_pearson": "corr_cov", "whitened_cosine": "cosine_cov",
}  # fmt: skip


def made(rows):
    rows = np.atleast_2d(rows)
    n = int((1 + np.sqrt(1 + 8 * rows.shape[1])) / 2)
    return RDMs(rows, tuple(f"c{i}" for i in range(n)), pd.DataFrame({"subject": range(len(rows))}), "correlation")


def subjects(n_subjects=6, n_conditions=10, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    n_pairs = n_conditions * (n_conditions - 1) // 2
    return rng.random(n_pairs) + noise * rng.random((n_subjects, n_pairs))


@pytest.mark.parametrize("measure", THEIR_NAMES)
def test_ceilings_are_those_of_rsatoolbox(measure):
    rows = np.round(subjects(), 1)  # with ties
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs warns of the ranks that tau pools
        lower, upper = rsatoolbox_ceiling.boot_noise_ceiling(rsatoolbox_rdm.RDMs(rows), THEIR_NAMES[measure])
    ours = noise_ceiling(made(rows), measure=measure)
    # theirs divides by lengths before products, ours after: rounding of 45 terms
    assert (ours.lower, ours.upper) == pytest.approx((lower, upper), abs=1e-12)


def test_two_subjects_have_the_ceiling_of_half_their_angle():
    """Each is cos(θ/2) from the mean of two unit vectors at an angle θ; without itself, cos θ is left."""
    rows = subjects(2)
    r = np.corrcoef(rows)[0, 1]
    found = noise_ceiling(made(rows), measure="pearson")
    assert found.lower == pytest.approx(r, abs=1e-12)
    assert found.upper == pytest.approx(np.sqrt((1 + r) / 2), abs=1e-12)


@pytest.mark.parametrize("measure", ["pearson", "cosine"])
def test_no_model_exceeds_the_upper_ceiling(measure):
    rows = subjects(5, seed=3)
    unit = prepare(rows, measure)
    pool = made(unit.mean(axis=0))
    upper = noise_ceiling(made(rows), measure=measure).upper
    # the pool itself reaches it: the mean product with unit vectors is greatest along their sum
    assert compare(pool, made(rows), measure=measure).mean() == pytest.approx(upper, abs=1e-12)
    others = made(unit.mean(axis=0) + 0.02 * np.random.default_rng(0).standard_normal((200, unit.shape[1])))
    assert compare(others, made(rows), measure=measure).mean(axis=1).max() < upper


def test_the_true_model_lies_between_the_ceilings():
    rng = np.random.default_rng(1)
    true = rng.random(190)
    scores, ceilings = [], []
    for _ in range(50):
        rows = made(true + rng.standard_normal((6, 190)) / 2)
        scores.append(compare(made(true), rows, measure="spearman").mean())
        found = noise_ceiling(rows)
        ceilings.append((found.lower, found.upper))
    lower, upper = np.mean(ceilings, axis=0)
    assert lower < np.mean(scores) < upper


def test_products_give_the_ceilings_that_pools_give():
    rows, counts = subjects(5), np.array([[1, 1, 1, 1, 1], [2, 0, 1, 1, 1], [0, 3, 2, 0, 0], [5, 0, 0, 0, 0]])
    unit = prepare(rows, "pearson")
    found = ceilings_of_products(unit @ unit.T, counts)
    expected = [ceiling_of(rows, times, "pearson") for times in counts]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert np.isnan(found[3, 0])
    assert found[3, 1] == pytest.approx(1)


def test_pairs_that_one_subject_lacks_are_left_out_of_all():
    rows = subjects()
    missing = rows.copy()
    missing[2, :9] = np.nan
    known = ceiling_of(np.where(np.arange(45) < 9, np.nan, rows), np.ones(6, dtype=int), "spearman")
    found = noise_ceiling(made(missing))
    assert (found.lower, found.upper) == pytest.approx(tuple(known), abs=1e-15)


def test_what_has_no_ceiling_is_refused():
    with pytest.raises(UsageError, match="subjects has 1 RDM; expected 2 subjects or more"):
        noise_ceiling(made(subjects(1)))
    rows = subjects()
    rows[3] = 0.5
    with pytest.raises(UsageError, match=r"all dissimilarities of row 3 are the same.*leave it out with rows"):
        noise_ceiling(made(rows))
    with pytest.raises(UsageError, match="subjects know 0 pairs of conditions in common"):
        noise_ceiling(made(np.full((3, 45), np.nan)))
    with pytest.raises(UsageError, match=r"measure is 'spaerman'.*Did you mean 'spearman'"):
        noise_ceiling(made(subjects()), measure="spaerman")
