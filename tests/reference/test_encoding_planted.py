"""Planted voxels have the signal, noise, layers and areas they say; reductions beside scikit-learn and distances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.spatial.distance import pdist

from probekit.encoding import fit_reduction, null_voxels, planted_voxels, recording_features
from probekit.errors import UnknownNameError, UsageError
from probekit.recording import Recording


def features(seed=0):
    rng = np.random.default_rng(seed)
    return {"a": rng.normal(2, 5, (300, 6)), "b": rng.normal(size=(300, 4)), "c": rng.normal(size=(300, 9))}


def test_planted_signal_is_of_its_layer_alone():
    given = features()
    voxels = planted_voxels(given, n_voxels_per_layer=5, noise=0.7, n_areas=2, n_repetitions=3)
    assert voxels.responses.shape == (300, 3, 15)
    assert voxels.layer_index.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert voxels.areas.tolist() == ["area 1"] * 10 + ["area 2"] * 5
    assert voxels.order == ("area 1", "area 2")
    np.testing.assert_allclose(voxels.signal.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(voxels.signal.std(0), 1, rtol=1e-12)
    for number, x in enumerate(given.values()):
        design = np.column_stack([np.ones(300), x])
        mine = voxels.signal[:, voxels.layer_index == number]
        residual = mine - design @ np.linalg.lstsq(design, mine, rcond=None)[0]
        np.testing.assert_allclose(residual, 0, atol=1e-10)
    noise = voxels.responses - voxels.signal[:, None]
    assert noise.std() == pytest.approx(0.7, rel=0.02)  # 13,500 draws: .6 %
    still = planted_voxels(given, n_voxels_per_layer=5, n_areas=1, noise=0)
    np.testing.assert_array_equal(still.responses[:, 0], still.signal)


def test_seeds():
    given = features()
    first, again, other = (planted_voxels(given, seed=seed, n_areas=3).responses for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(null_voxels(20, seed=0).responses, null_voxels(20, seed=1).responses)


def test_null_voxels():
    voxels = null_voxels(2000, n_voxels=10, noise=3, n_areas=3, n_repetitions=4)
    assert voxels.responses.std() == pytest.approx(3, rel=0.02)
    assert not voxels.signal.any()
    assert set(voxels.layer_index) == {-1}
    assert voxels.areas.tolist() == ["area 1"] * 4 + ["area 2"] * 3 + ["area 3"] * 3


def test_planted_errors():
    given = features()
    with pytest.raises(UsageError, match=r"features\['dead'\] are constant"):
        planted_voxels({**given, "dead": np.full((300, 2), 0.1)})
    with pytest.raises(UsageError, match="n_areas is 4; 3 layers allow 1 … 3"):
        planted_voxels(given)
    with pytest.raises(UsageError, match="n_voxels_per_layer is 0"):
        planted_voxels(given, n_areas=3, n_voxels_per_layer=0)
    with pytest.raises(UsageError, match="noise is -1"):
        planted_voxels(given, n_areas=3, noise=-1)
    with pytest.raises(UsageError, match="n_areas 4 and n_voxels 3"):
        null_voxels(10, n_voxels=3)


def test_projection_keeps_distances():
    x = np.random.default_rng(0).normal(size=(40, 5000))
    reduced = fit_reduction(x, 1000, seed=1).apply(x)
    assert reduced.shape == (40, 1000)
    np.testing.assert_allclose(pdist(reduced) / pdist(x), 1, atol=0.17)  # √(8 ln 40 / 1000)
    # it knows nothing of the stimuli
    np.testing.assert_array_equal(fit_reduction(x * 0 + 1, 1000, seed=1).apply(x), reduced)
    assert not np.allclose(fit_reduction(x, 1000, seed=2).apply(x), reduced)


def test_principal_components_are_those_of_the_training_stimuli():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(50, 200)) * np.linspace(1, 4, 200), rng.normal(size=(9, 200))
    found = fit_reduction(train, 10, method="pca").apply(test)
    directions = np.linalg.svd(train - train.mean(0), full_matrices=False)[2][:10]
    expected = (test - train.mean(0)) @ directions.T
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-6, atol=1e-9)  # directions have no sign


def test_recorded_features():
    rng = np.random.default_rng(0)
    recording = Recording(
        {
            "conv": xr.DataArray(rng.random((7, 2, 3, 3), np.float32), dims=("stimulus", "channel", "y", "x")),
            "fc": xr.DataArray(rng.random((7, 4), np.float32), dims=("stimulus", "unit")),
            "rnn": xr.DataArray(rng.random((7, 5, 4), np.float32), dims=("stimulus", "time", "unit")),
        },
        pd.DataFrame({"stimulus": range(7)}),
    )
    found = recording_features(recording, ["fc", "conv"])
    assert list(found) == ["fc", "conv"]
    np.testing.assert_array_equal(found["conv"], recording.responses("conv"))
    assert found["conv"].dtype == np.float64
    with pytest.raises(UsageError, match="layer 'rnn' has a time axis"):
        recording_features(recording)
    with pytest.raises(UnknownNameError, match="Did you mean 'conv'"):
        recording_features(recording, ["conf"])


def test_reduction_errors():
    x = np.random.default_rng(0).normal(size=(20, 50))
    with pytest.raises(UsageError, match=r"n_dimensions is 21; features of shape \(20, 50\) allow 1 … 20"):
        fit_reduction(x, 21, method="pca")
    with pytest.raises(UsageError, match="n_dimensions is 51"):
        fit_reduction(x, 51)
    with pytest.raises(UsageError, match=r"method is 'pac'; allowed: .*Did you mean 'pca'"):
        fit_reduction(x, 5, method="pac")
    with pytest.raises(UsageError, match="features has 49 features; the model was fitted on 50"):
        fit_reduction(x, 5).apply(x[:, 1:])
