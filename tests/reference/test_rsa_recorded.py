"""RDMs of a recording equal those of its activity as arrays, from memory and from a store that is read once."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from torch import nn

import probekit as pk
from probekit import store
from probekit.errors import StoreError, UnknownNameError, UsageError
from probekit.recording import Recording
from probekit.rsa.distances import DISTANCES, compute_rdms
from probekit.rsa.recorded import recording_rdms

LAYERS = ["conv", "lstm:c_l0"]
STREAMED = [name for name in DISTANCES if name != "mahalanobis"]


class Twice(nn.Module):
    """Calls one layer twice, and an LSTM over time."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.lstm = nn.Conv2d(3, 3, 3, padding=1), nn.LSTM(24, 5, batch_first=True)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        once = self.conv(images).relu()
        return self.lstm(self.conv(once).flatten(2).transpose(1, 2).reshape(len(images), 8, 24))[0]


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Twice().eval()


def images(n: int = 11) -> torch.Tensor:
    return torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_CHUNK_BYTES", 200)


def made(path: Path | None = None, **options) -> Recording:
    return pk.record(network(), images(), layers="*", batch_size=4, store=path, **options)


def expected(recording: Recording, layer: str, step: tuple[int, ...], **options) -> np.ndarray:
    """Return the RDM of one call or time of a layer, from the whole array."""
    data = recording[layer].transpose("stimulus", ..., missing_dims="ignore")
    at = dict(zip([dim for dim in data.dims if dim in ("call", "time")], step, strict=True))
    return compute_rdms(data.isel(at).values.reshape(data.sizes["stimulus"], -1), **options).dissimilarities[0]


def steps(row: pd.Series) -> tuple[int, ...]:
    return tuple(int(row[name]) for name in ("call", "time") if name in row and not np.isnan(row[name]))


@pytest.mark.parametrize("distance", STREAMED)
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.usefixtures("small_chunks")
def test_layers_calls_and_times_from_memory_and_store(tmp_path: Path, distance: str, standardize: bool) -> None:
    memory, stored = made(), made(tmp_path / "x.zarr")
    options = {"distance": distance, "standardize": standardize}
    found = recording_rdms(memory, layers=LAYERS, **options)
    assert {"layer", "call", "time"} == set(found.table.columns)
    assert found.conditions == tuple(map(str, range(11)))
    assert Counter(found.table["layer"]) == {"conv": 2, "lstm:c_l0": 8}
    for row, (_, of) in enumerate(found.table.iterrows()):
        whole = expected(memory, of["layer"], steps(of), **options)
        np.testing.assert_allclose(found.dissimilarities[row], whole, rtol=1e-12, atol=1e-13)
    streamed = recording_rdms(stored, layers=LAYERS, **options)
    assert streamed.table.equals(found.table)
    # sums over other blocks of units
    np.testing.assert_allclose(streamed.dissimilarities, found.dissimilarities, rtol=1e-11, atol=1e-13)


def test_equal_to_responses() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)).eval()
    recording = pk.record(net, images(), layers="*")
    found = recording_rdms(recording, standardize=True)
    arrays = compute_rdms({layer: recording.responses(layer) for layer in recording}, standardize=True)
    assert found.table.equals(arrays.table)
    np.testing.assert_allclose(found.dissimilarities, arrays.dissimilarities, rtol=1e-12, atol=1e-15)
    some = recording_rdms(recording, layers=["3", "0"], standardize=True)
    assert np.array_equal(some.dissimilarities, found.rows([3, 0]).dissimilarities)
    assert recording_rdms(recording, layers="0").table["layer"].tolist() == ["0"]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("stored", [False, True])
def test_stimuli_of_the_same_condition_are_averaged(tmp_path: Path, stored: bool) -> None:
    names = ["dog", "cat", "dog", "cup", "car", "cat", "dog", "bus", "cup", "car", "bus"]
    recording = made(tmp_path / "x.zarr" if stored else None)
    recording = Recording(recording.activity, recording.stimuli.assign(object=names))
    found = recording_rdms(recording, layers="lstm:c_l0", conditions="object", distance="euclidean")
    assert found.conditions == ("dog", "cat", "cup", "car", "bus")
    activity = recording["lstm:c_l0"].values[:, 3].astype(np.float64)
    means = [activity[np.array(names) == name].mean(0) for name in found.conditions]
    np.testing.assert_allclose(
        found.dissimilarities[3], compute_rdms(means, distance="euclidean").dissimilarities[0], rtol=1e-12
    )


@pytest.mark.usefixtures("small_chunks")
def test_a_store_is_read_once_and_again_only_beyond_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = made(tmp_path / "x.zarr")
    seen: Counter[tuple[Path, tuple[int, ...]]] = Counter()
    read = store._Activity._read

    def counting(self, key):
        parts = zip(key, self.shape, self.array.chunks, strict=True)
        touched = [sorted(set(np.arange(size)[part] // chunk)) for part, size, chunk in parts]
        seen.update((self.folder, index) for index in itertools.product(*touched))
        return read(self, key)

    monkeypatch.setattr(store._Activity, "_read", counting)
    whole = recording_rdms(stored)
    assert len(seen) > 100
    assert set(seen.values()) == {1}
    seen.clear()
    little = recording_rdms(stored, memory_gb=200e-9)
    assert max(seen.values()) > 1
    np.testing.assert_allclose(little.dissimilarities, whole.dissimilarities, rtol=1e-11, atol=1e-13)
    with pytest.raises(UsageError, match="'spearman', which needs all of layer 'conv'"):
        recording_rdms(stored, distance="spearman", memory_gb=200e-9)


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """64 stimuli of 200,000 units (51 MB) go through in 8 MB of activity, a block in float64, and the sums."""
    net = nn.Sequential(nn.Conv2d(3, 20, 1), nn.ReLU()).eval()
    pictures = torch.rand(64, 3, 100, 100, generator=torch.Generator().manual_seed(1))
    stored = pk.record(net, pictures, layers="1", batch_size=8, store=tmp_path / "x.zarr")
    tracemalloc.start()
    recording_rdms(stored, memory_gb=0.008)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6


@pytest.mark.usefixtures("small_chunks")
def test_identical_stimuli_and_dead_layers_of_a_store(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Threshold(1e9, 0.1)).eval()
    pictures = images()
    pictures[7] = pictures[2]
    stored = pk.record(net, pictures, layers="*", batch_size=1, store=tmp_path / "x.zarr")
    for distance in STREAMED:
        found = recording_rdms(stored, distance=distance).square()
        assert found[0, 2, 7] == 0, distance
        off = ~np.eye(11, dtype=bool)
        constant = distance in ("correlation", "spearman")
        assert np.isnan(found[1][off]).all() if constant else (found[1] == 0).all(), distance


def test_missing_activity() -> None:
    activity = np.random.default_rng(0).normal(size=(5, 8))
    activity[3] = np.nan
    recording = Recording({"a": xr.DataArray(activity, dims=("stimulus", "unit"))}, pd.DataFrame({"n": range(5)}))
    assert np.isnan(recording_rdms(recording).square()[0, 3, [0, 1, 2, 4]]).all()
    activity[1, 2] = np.nan
    with pytest.raises(UsageError, match=r"condition 1 .* has nan or infinity in some"):
        recording_rdms(recording)


def test_refusals(tmp_path: Path) -> None:
    recording = made()
    with pytest.raises(UnknownNameError, match=r"recorded layer called 'conw'\. Did you mean 'conv'"):
        recording_rdms(recording, layers=["conw"])
    with pytest.raises(UsageError, match="layers are empty"):
        recording_rdms(recording, layers=[])
    with pytest.raises(UnknownNameError, match="column of the stimulus table called 'stimulu'"):
        recording_rdms(recording, conditions="stimulu")
    with pytest.raises(UsageError, match="distance is 'mahalanobis'; allowed"):
        recording_rdms(recording, distance="mahalanobis")
    with pytest.raises(UsageError, match="memory_gb is 0"):
        recording_rdms(recording, memory_gb=0)
    table = recording.stimuli.assign(object=["a", None, *"bcdefghij"], same="x")
    with pytest.raises(UsageError, match="column 'object', which is empty for 1 stimuli"):
        recording_rdms(Recording(recording.activity, table), conditions="object")
    with pytest.raises(UsageError, match="has 1 conditions; expected two or more"):
        recording_rdms(Recording(recording.activity, table), conditions="same")
    stored = made(tmp_path / "x.zarr")
    chunk = next(path for path in sorted((tmp_path / "x.zarr" / "conv").rglob("c/**/*")) if path.is_file())
    chunk.unlink()
    with pytest.raises(StoreError, match="is missing; delete the store"):
        recording_rdms(stored)
