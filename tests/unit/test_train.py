"""A training: from the first patch to the file of weights, stopped and taken up again, logged, refused in words."""

import csv
import json

import numpy as np
import pytest
import safetensors.torch
import torch

import probekit as pk
from probekit.cli import main
from probekit.errors import DataError, DeviceError, NotApplicableError, UnknownNameError, UsageError
from probekit.network import weights_hash
from probekit.zoo.v1net import training
from probekit.zoo.v1net.ica import basis_functions, fast_ica
from probekit.zoo.v1net.photographs import Photographs, crops, photographs, rotated_patches
from probekit.zoo.v1net.recipe import Recipe

TINY = Recipe(
    n_photographs=3, n_patches=400, n_components=64, ica_rounds=3, n_steps=6, batch_size=4, checkpoint_every=2,
    n_held_out=8,
)  # fmt: skip


def pictures(n=3, seed=0):
    """Blurred noise in the place of photographs, without a file."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.rand(n, 3, 100, 150, generator=generator)
    blurred = (torch.nn.functional.avg_pool2d(noise, 7, 1, 3) - 0.3).mul(600).clamp(0, 255).to(torch.uint8)
    parts = [[picture[:, :, :75] for picture in blurred]]
    return Photographs(parts, [[picture[:, :, 75:] for picture in blurred]])


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(training, "photographs", lambda n, progress: pictures(n))
    monkeypatch.setattr(training, "QUICK", TINY)


class Killed(BaseException):
    """No handler of the code under test sees this one, as none sees a kill."""


def stop_after(step):
    def tell(task, done, total):
        if task == "training" and done == step:
            raise Killed

    return tell


def logged(file):
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture
def whole(tiny, tmp_path):
    return pk.zoo.train("v1net", tmp_path / "whole.safetensors", seed=1, quick=True)


def test_a_training_writes_weights_that_load_and_a_log(whole):
    entry = pk.zoo.load("v1net", weights=whole)
    assert entry.module.head.weight.std() > 0
    rows = logged(whole.with_suffix(".csv"))
    assert list(rows[0]) == ["step", "loss", "accuracy", "held_out_accuracy"]
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["held_out_accuracy"] == "" for row in rows] == [True] * 5 + [False]
    assert 0 <= float(rows[-1]["held_out_accuracy"]) <= 1
    # 500 classes that the network cannot tell yet: the loss starts at about log 500
    assert float(rows[0]["loss"]) == pytest.approx(np.log(500), abs=1)
    assert sorted(file.name for file in whole.parent.iterdir()) == ["whole.csv", "whole.safetensors"]
    with safetensors.safe_open(whole, "pt") as opened:
        said = json.loads(opened.metadata()["training"])
    assert (said["seed"], said["n_steps"]) == (1, 6)


@pytest.mark.parametrize("step", [1, 2, 5, 6])
def test_one_that_was_stopped_ends_like_one_that_was_not(whole, tmp_path, step):
    out = tmp_path / "stopped.safetensors"
    with pytest.raises(Killed):
        pk.zoo.train("v1net", out, seed=1, quick=True, progress=stop_after(step))
    assert not out.exists()
    steps = []
    pk.zoo.train("v1net", out, seed=1, quick=True, progress=lambda task, done, _: steps.append((task, done)))
    assert [done for task, done in steps if task == "training"] == list(range(step // 2 * 2 + 1, 7))
    assert out.read_bytes() == whole.read_bytes()
    assert out.with_suffix(".csv").read_bytes() == whole.with_suffix(".csv").read_bytes()


def test_the_seed_alone_decides(whole, tmp_path):
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = pk.zoo.train("v1net", tmp_path / "again.safetensors", seed=1, quick=True)
    other = pk.zoo.train("v1net", tmp_path / "other.safetensors", seed=2, quick=True)
    assert torch.equal(torch.get_rng_state(), before)
    assert again.read_bytes() == whole.read_bytes()
    assert weights_hash(pk.zoo.load("v1net", weights=other).module) != weights_hash(
        pk.zoo.load("v1net", weights=whole).module
    )


def test_filters_start_as_basis_functions_with_responses_of_one(tiny, tmp_path):
    still = Recipe(**{**TINY.__dict__, "v1_learning_rate": 0.0})
    out = training.train(tmp_path / "w.safetensors", seed=1, recipe=still)
    filters = pk.zoo.load("v1net", weights=out).module.filters
    parts = pictures().learned
    patches = rotated_patches(parts, 400, 13, np.random.default_rng([1, 0]))
    functions = basis_functions(patches, 64, 64, np.random.default_rng([1, 1]), rounds=3)
    cosine = torch.nn.functional.cosine_similarity(filters.weight.flatten(1), functions.flatten(1))
    assert cosine.min() > 0.9999
    shown, _ = crops(parts, 256, 64, np.random.default_rng([1, 2]))
    with torch.no_grad():
        energy = filters((shown - 0.5) / 0.25).square().mean((0, 2, 3))
    torch.testing.assert_close(energy, torch.ones(64), atol=1e-3, rtol=0)


def test_a_checkpoint_of_another_training_is_refused(tiny, tmp_path):
    out = tmp_path / "w.safetensors"
    with pytest.raises(Killed):
        pk.zoo.train("v1net", out, seed=1, quick=True, progress=stop_after(3))
    with pytest.raises(UsageError, match=r"w\.checkpoint is of another training: seed is 2, there 1\. Remove it"):
        pk.zoo.train("v1net", out, seed=2, quick=True)


def test_a_damaged_checkpoint_is_named(tiny, tmp_path):
    (tmp_path / "w.checkpoint").write_bytes(b"half of a check")
    with pytest.raises(DataError, match=r"w\.checkpoint cannot be read .*Remove it to train from the beginning"):
        pk.zoo.train("v1net", tmp_path / "w.safetensors", quick=True)


@pytest.mark.parametrize(
    ("name", "out", "options", "error", "message"),
    [
        ("v1nte", "w.safetensors", {}, UnknownNameError, "Did you mean 'v1net'"),
        ("efficientnet-lite0", "w.safetensors", {}, NotApplicableError, "it can train: grid-.*, v1net"),
        ("v1net", "w.pt", {}, UsageError, r"out is .*w\.pt; expected a file that ends in \.safetensors"),
        ("v1net", "no/w.safetensors", {}, UsageError, "there is no folder"),
        ("v1net", "there.safetensors", {}, UsageError, "which exists; remove it to train anew"),
        ("v1net", "w.safetensors", {"seed": -1}, UsageError, "seed is -1; expected a whole number from 0"),
        ("v1net", "w.safetensors", {"device": "tpu9"}, DeviceError, "device is 'tpu9'"),
    ],
)
def test_what_cannot_be_is_refused_at_once(tmp_path, name, out, options, error, message):
    (tmp_path / "there.safetensors").write_bytes(b"mine")
    with pytest.raises(error, match=message):
        pk.zoo.train(name, tmp_path / out, **options)
    assert (tmp_path / "there.safetensors").read_bytes() == b"mine"


def test_the_command_trains_and_says_where(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "v1net", "--quick", "--seed", "3"]) == 0
    said = capsys.readouterr()
    assert said.out == "v1net-seed3-quick.safetensors\n"
    assert (tmp_path / "v1net-seed3-quick.csv").exists()
    assert "its log is v1net-seed3-quick.csv" in said.err
    assert main(["train", "v1net", "--quick", "--seed", "3"]) == 2
    assert "which exists" in capsys.readouterr().err


def test_independent_components_are_found():
    """Sparse sources, rotated: the rotation comes back, up to order and sign."""
    rng = np.random.default_rng(0)
    rotation = torch.from_numpy(np.linalg.qr(rng.standard_normal((8, 8)))[0])
    sources = torch.from_numpy(rng.laplace(scale=0.5**0.5, size=(20_000, 8)))
    start = torch.from_numpy(rng.standard_normal((8, 8)))
    likeness = (fast_ica(sources @ rotation, start, 60) @ rotation.T).abs()
    assert likeness.max(0).values.min() > 0.99  # the error of 20,000 samples is about 1 %
    assert sorted(likeness.argmax(0).tolist()) == list(range(8))


def test_crops_come_from_their_part_and_patches_turn():
    shown = pictures()
    cut, which = crops(shown.held_out, 50, 64, np.random.default_rng(0))
    for one, number in zip(cut, which, strict=True):
        picture = shown.held_out[0][number].float() / 255
        places = picture.unfold(1, 64, 1).unfold(2, 64, 1)
        either = [(places - turned[:, None, None]).abs().sum((0, 3, 4)).min() for turned in (one, one.flip(2))]
        assert min(either) == 0
    stripes = torch.zeros(1, 100, 100).add(torch.arange(100) % 8 < 4).mul(255).to(torch.uint8).expand(3, -1, -1)
    patches = rotated_patches([[stripes]], 400, 13, np.random.default_rng(0))[:, 0]
    down, across = (patches.diff(dim=axis).square().mean() for axis in (1, 2))
    assert float(down / across) == pytest.approx(1, abs=0.1)  # as steep in either direction


@pytest.mark.data
def test_photographs_are_cut_at_two_thirds():
    shown = photographs(3)
    for scale, factor in enumerate((1.0, 0.7, 0.5)):
        for learned, held_out in zip(shown.learned[scale], shown.held_out[scale], strict=True):
            assert learned.dtype == torch.uint8
            sides = [learned.shape[axis] + (held_out.shape[axis] if learned.shape[axis] != held_out.shape[axis] else 0)
                     for axis in (1, 2)]  # fmt: skip
            assert sorted(sides) == pytest.approx([321 * factor, 481 * factor], abs=1)
            assert learned[0].numel() / held_out[0].numel() == pytest.approx(2, abs=0.05)
