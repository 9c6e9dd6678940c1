"""RDMs equal scipy's, rsatoolbox's and distances worked out by hand, and say so where there is nothing to measure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import pdist
from scipy.stats import rankdata

from probekit.errors import UsageError
from probekit.rsa import blocks
from probekit.rsa.distances import DISTANCES, compute_rdms
from probekit.rsa.movie import rdm_movie
from probekit.rsa.noise import shrunk_covariance

SCIPY = {"correlation": "correlation", "cosine": "cosine", "euclidean": "euclidean", "squared_euclidean": "sqeuclidean"}
PLAIN = [name for name in DISTANCES if name != "mahalanobis"]


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def rdm(patterns, **options) -> np.ndarray:
    return compute_rdms(patterns, **options).dissimilarities[0]


@pytest.mark.parametrize("distance", SCIPY)
@pytest.mark.parametrize("shift", [0, 1e4])
def test_equal_to_scipy(distance: str, shift: float) -> None:
    patterns = noise(12, 3000) + shift
    found, expected = rdm(patterns, distance=distance), pdist(patterns, SCIPY[distance])
    # 1 − r and 1 − cos err by rounding of 1; scipy's correlation loses shift² × 1e-16 when it takes off the means
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15 if shift == 0 else 1e-11)


def test_blocks_give_what_one_product_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = noise(9, 700) + noise(9, 1, seed=1) * 100
    whole = {name: rdm(patterns, distance=name, standardize=z) for name in PLAIN for z in [name == "cosine"]}
    monkeypatch.setattr(blocks, "_BLOCK_VALUES", 1)
    monkeypatch.setattr(blocks, "_LEAST_WIDTH", 64)
    for name, expected in whole.items():
        found = rdm(patterns, distance=name, standardize=name == "cosine")
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15, err_msg=name)


def test_spearman_is_the_correlation_distance_of_ranks_with_ties() -> None:
    patterns = np.round(noise(10, 400), 1)
    expected = pdist(rankdata(patterns, axis=1), "correlation")
    np.testing.assert_allclose(rdm(patterns, distance="spearman"), expected, atol=1e-15)


@pytest.mark.parametrize("distance", PLAIN)
def test_standardize_scores_every_unit_over_conditions(distance: str) -> None:
    patterns = noise(8, 50) * np.logspace(-3, 3, 50) + 7
    patterns[:, [3, 20]] = 0.1  # constant units, in a number that is not exact in binary
    kept = np.delete(patterns, [3, 20], axis=1)
    scored = (kept - kept.mean(0)) / kept.std(0)
    expected = rdm(scored, distance=distance)
    np.testing.assert_allclose(rdm(patterns, distance=distance, standardize=True), expected, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rsatoolbox")  # its import of a private name of scipy
def test_equal_to_rsatoolbox() -> None:
    rsatoolbox = pytest.importorskip("rsatoolbox", reason="the peer")
    patterns, units = noise(15, 40), 40
    data = rsatoolbox.data.Dataset(patterns)
    matrix = shrunk_covariance(noise(60, units, seed=3) * np.linspace(1, 3, units)).matrix()
    theirs = {
        method: rsatoolbox.rdm.calc_rdm(data, method=method, noise=noise_).dissimilarities[0]
        for method, noise_ in (("correlation", None), ("euclidean", None), ("mahalanobis", np.linalg.inv(matrix)))
    }
    np.testing.assert_allclose(rdm(patterns), theirs["correlation"], rtol=1e-12)
    np.testing.assert_allclose(rdm(patterns, distance="squared_euclidean") / units, theirs["euclidean"], rtol=1e-12)
    found = rdm(patterns, distance="mahalanobis", covariance=matrix)
    np.testing.assert_allclose(found**2 / units, theirs["mahalanobis"], rtol=1e-10)  # condition of the matrix: 1e2


def test_mahalanobis_of_a_known_covariance() -> None:
    patterns = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    found = rdm(patterns, distance="mahalanobis", covariance=np.diag([4.0, 9.0]))
    np.testing.assert_allclose(found, [1, 1, np.sqrt(2)], rtol=1e-14)
    matrix = shrunk_covariance(noise(50, 6)).matrix()
    expected = pdist(noise(5, 6, seed=1), "mahalanobis", VI=np.linalg.inv(matrix))
    found = rdm(noise(5, 6, seed=1), distance="mahalanobis", covariance=shrunk_covariance(noise(50, 6)))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("distance", PLAIN)
@pytest.mark.parametrize("n_units", [5, 5000])
def test_identical_patterns_are_at_exactly_0_and_none_below(distance: str, n_units: int) -> None:
    patterns = noise(20, n_units) + 50
    patterns[[4, 9, 17]] = patterns[2]
    found = compute_rdms(patterns, distance=distance).square()[0]
    same = [2, 4, 9, 17]
    assert (found[np.ix_(same, same)] == 0).all()
    assert (found >= 0).all()
    assert (np.delete(found[2], same) > 0).all()


def test_near_patterns_keep_their_digits() -> None:
    patterns = noise(6, 2000) * 100
    patterns[1] = patterns[0] + 1e-6 * noise(2000, seed=1)
    found = rdm(patterns, distance="euclidean")
    # 1e-16 of 100 over 1e-6, less by averaging; a matrix product alone would be wrong altogether
    np.testing.assert_allclose(found, pdist(patterns), rtol=1e-9)
    # 1 − r of the two is 5e-17 and rounding: given as 0
    assert rdm(patterns)[0] == 0


def test_patterns_of_very_different_size() -> None:
    patterns = noise(5, 300) * np.array([[1e-6], [1.0], [1e6], [1e-3], [10.0]])
    np.testing.assert_allclose(rdm(patterns), pdist(patterns, "correlation"), rtol=1e-12)


def test_types_of_input() -> None:
    patterns = np.round(noise(5, 30) * 20)
    expected = rdm(patterns)
    kept = patterns.copy()
    for given in (
        patterns.astype(np.float32), patterns.astype(np.int16), patterns.tolist(), np.asfortranarray(patterns),
        torch.from_numpy(patterns).requires_grad_(), torch.from_numpy(patterns).to(torch.bfloat16),
    ):  # fmt: skip
        assert np.array_equal(rdm(given), expected)
    assert np.array_equal(patterns, kept)
    kept.flags.writeable = False
    assert np.array_equal(rdm(kept, standardize=True), rdm(patterns, standardize=True))


def test_sets_mappings_and_tables() -> None:
    sets = noise(3, 5, 30)
    rdms = compute_rdms(sets, conditions=list("abcde"))
    assert rdms.conditions == tuple("abcde")
    assert rdms.table["rdm"].tolist() == [0, 1, 2]
    assert np.array_equal(rdms.dissimilarities[1], rdm(sets[1]))
    assert np.array_equal(compute_rdms(torch.from_numpy(sets)).dissimilarities, rdms.dissimilarities)
    layers = compute_rdms({"conv1": sets[0], "fc": sets[1][:, :7]}, distance="cosine")
    assert layers.table["layer"].tolist() == ["conv1", "fc"]
    assert layers.distance == "cosine"
    table = pd.DataFrame({"subject": [7, 8, 9]}, index=[3, 4, 5])
    assert compute_rdms(sets, table=table).table.to_dict("list") == {"subject": [7, 8, 9]}


@pytest.mark.parametrize(
    ("distance", "standardize"), [*((name, z) for name in PLAIN for z in (False, True)), ("mahalanobis", False)]
)
def test_missing_conditions_are_nan_and_change_nothing_else(distance: str, standardize: bool) -> None:
    options = {"covariance": np.diag(np.arange(1.0, 41))} if distance == "mahalanobis" else {}
    patterns = noise(7, 40) + 3
    there = [0, 2, 3, 5, 6]
    expected = compute_rdms(patterns[there], distance=distance, standardize=standardize, **options).square()[0]
    patterns[[1, 4]] = np.nan
    found = compute_rdms(patterns, distance=distance, standardize=standardize, **options).square()[0]
    np.testing.assert_allclose(found[np.ix_(there, there)], expected, rtol=1e-12)
    assert np.isnan(found[1, there]).all()
    assert np.isnan(found[4, there]).all()
    assert np.isnan(found[1, 4])


def test_a_dead_layer_has_no_correlation_distance() -> None:
    dead = np.full((4, 1000), 0.1)
    assert np.isnan(rdm(dead)).all()
    assert np.isnan(rdm(dead, distance="spearman")).all()
    assert np.isnan(rdm(dead * 0, distance="cosine")).all()
    assert (rdm(dead, distance="euclidean") == 0).all()
    for distance in PLAIN:  # no unit is left
        assert np.isnan(rdm(dead, distance=distance, standardize=True)).all(), distance
    patterns = noise(4, 1000)
    patterns[2] = 0.7
    found = compute_rdms(patterns).square()[0]
    assert np.isnan(found[2, [0, 1, 3]]).all()
    assert np.isfinite(found[np.ix_([0, 1, 3], [0, 1, 3])]).all()
    patterns[:] = np.nan
    assert np.isnan(rdm(patterns)).all()


def test_invariances() -> None:
    patterns = noise(8, 200)
    order = np.random.default_rng(1).permutation(200)
    scaled = patterns * np.linspace(0.5, 4, 8)[:, None] + np.linspace(-3, 3, 8)[:, None]
    np.testing.assert_allclose(rdm(scaled), rdm(patterns), rtol=1e-12)
    np.testing.assert_allclose(rdm(patterns + noise(200, seed=2), distance="euclidean"), pdist(patterns), rtol=1e-12)
    for distance in PLAIN:
        np.testing.assert_allclose(rdm(patterns[:, order], distance=distance), rdm(patterns, distance=distance),
                                   rtol=1e-12)  # fmt: skip


def test_a_movie_has_an_rdm_a_time() -> None:
    patterns, times = noise(6, 20, 15), np.arange(20) * 10.0 - 50
    movie = rdm_movie(patterns, times, distance="euclidean", conditions=list("abcdef"))
    assert movie.table["time_ms"].tolist() == times.tolist()
    assert np.array_equal(movie.dissimilarities[4], rdm(patterns[:, 4], distance="euclidean"))
    wide = rdm_movie(patterns, times, window_ms=40)
    assert wide.table["time_ms"].tolist() == times[2:-2].tolist()
    np.testing.assert_allclose(wide.dissimilarities[3], rdm(patterns[:, 3:8].mean(1)), rtol=1e-12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rsatoolbox")  # its import of a private name of scipy
def test_a_movie_equals_rsatoolboxs_of_the_same_bins() -> None:
    rsatoolbox = pytest.importorskip("rsatoolbox", reason="the peer")
    patterns, times = noise(6, 9, 15), np.arange(9.0)
    data = rsatoolbox.data.TemporalDataset(patterns.transpose(0, 2, 1), time_descriptors={"time": times})
    theirs = rsatoolbox.rdm.calc_rdm_movie(data, method="correlation", bins=[times[i : i + 3] for i in (0, 3, 6)])
    ours = rdm_movie(patterns, times, window_ms=2).rows([0, 3, 6])
    assert ours.table["time_ms"].tolist() == [1, 4, 7]
    np.testing.assert_allclose(ours.dissimilarities, theirs.dissimilarities, rtol=1e-12)


def test_refusals() -> None:
    patterns = noise(4, 6)
    with pytest.raises(UsageError, match=r"distance is 'corelation'.*Did you mean 'correlation'"):
        compute_rdms(patterns, distance="corelation")
    with pytest.raises(UsageError, match=r"shape \(4,\); expected \(condition, unit\)"):
        compute_rdms(patterns[:, 0])
    with pytest.raises(UsageError, match=r"shape \(4, 0\)"):
        compute_rdms(patterns[:, :0])
    with pytest.raises(UsageError, match=r"\[1\] conditions.*two or more"):
        compute_rdms(patterns[:1])
    with pytest.raises(UsageError, match=r"\[3, 4\] conditions; expected the same number"):
        compute_rdms({"a": patterns, "b": patterns[:3]})
    with pytest.raises(UsageError, match="patterns are empty"):
        compute_rdms({})
    with pytest.raises(UsageError, match="patterns of 'a' are of type"):
        compute_rdms({"a": np.array([["x", "y"], ["z", "w"]])})
    with pytest.raises(UsageError, match="complex128; expected real"):
        compute_rdms(patterns + 1j)
    with pytest.raises(UsageError, match="rows of different lengths"):
        compute_rdms([[1.0, 2.0], [3.0]])
    with pytest.raises(UsageError, match="3 labels; expected one for each of the 4"):
        compute_rdms(patterns, conditions=["a", "b", "c"])
    with pytest.raises(UsageError, match="conditions repeat: a"):
        compute_rdms(patterns, conditions=["a", "b", "c", "a"])
    with pytest.raises(UsageError, match="table has 2 rows"):
        compute_rdms(patterns, table=pd.DataFrame({"x": [1, 2]}))
    with pytest.raises(UsageError, match="covariance is for distance"):
        compute_rdms(patterns, distance="mahalanobis")
    with pytest.raises(UsageError, match="covariance is for distance"):
        compute_rdms(patterns, covariance=np.eye(6))
    with pytest.raises(UsageError, match="standardize is True with distance"):
        compute_rdms(patterns, distance="mahalanobis", covariance=np.eye(6), standardize=True)
    with pytest.raises(UsageError, match="the covariance is of 5 units"):
        compute_rdms(patterns, distance="mahalanobis", covariance=np.eye(5))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_pattern_that_is_partly_nan_is_refused(distance: str, bad: float) -> None:
    patterns = noise(4, 6)
    patterns[2, 3] = bad
    options = {"covariance": np.eye(6)} if distance == "mahalanobis" else {}
    with pytest.raises(UsageError, match=r"condition 2 \(counted from 0\) has nan or infinity"):
        compute_rdms(patterns, distance=distance, **options)


def test_a_pattern_that_is_missing_in_some_blocks_only_is_refused() -> None:
    sums = blocks.PatternDistances("correlation", standardize=False)
    first = noise(4, 6)
    first[3] = np.nan
    sums.add(first)
    with pytest.raises(UsageError, match="condition 3"):
        sums.add(noise(4, 6))
    with pytest.raises(UsageError, match="no units"):
        blocks.PatternDistances("correlation", standardize=False).finish()


def test_a_movie_refuses_times_that_do_not_fit() -> None:
    patterns = noise(4, 5, 6)
    with pytest.raises(UsageError, match="expected 5 times that increase"):
        rdm_movie(patterns, np.arange(4))
    with pytest.raises(UsageError, match="expected 5 times that increase"):
        rdm_movie(patterns, [0, 1, 2, 2, 3])
    with pytest.raises(UsageError, match="window_ms is 5; expected above 0 and at most 4"):
        rdm_movie(patterns, np.arange(5), window_ms=5)
