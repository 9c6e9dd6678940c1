"""Weights from files: read without running anything, and complete."""

import pickle

import pytest
import safetensors.torch
import torch
from torch import nn

from probekit.errors import DataError
from probekit.network import weights_hash
from probekit.zoo.weights import fill, read


class Touch:
    """Unpickled by an ordinary reader, creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


@pytest.mark.parametrize("suffix", ["pt", "pth", "safetensors"])
def test_both_formats_are_read_and_fill_the_network(tmp_path, suffix):
    saved, file = network(), tmp_path / f"w.{suffix}"
    nn.init.normal_(saved[0].weight, generator=torch.Generator().manual_seed(1))
    save = safetensors.torch.save_file if suffix == "safetensors" else torch.save
    save(saved.state_dict(), file)
    target = network()
    assert weights_hash(target) != weights_hash(saved)
    assert fill(target, read(file), file) is target
    assert weights_hash(target) == weights_hash(saved)


@pytest.mark.parametrize("write", [torch.save, lambda thing, file: file.write_bytes(pickle.dumps(thing))])
def test_a_pickle_is_refused_and_not_run(tmp_path, write):
    trap = tmp_path / "executed"
    write({"weight": Touch(trap)}, tmp_path / "bad.pt")
    with pytest.raises(DataError, match="needs pickle to run code, which probekit never does"):
        read(tmp_path / "bad.pt")
    assert not trap.exists()
    pickle.loads(pickle.dumps(Touch(trap))).close()
    assert trap.exists(), "the trap works where pickles are run"


def test_a_whole_model_is_refused(tmp_path):
    torch.save(network(), tmp_path / "model.pt")
    with pytest.raises(DataError, match=r"model\.pt cannot be read.*Save the state dict alone"):
        read(tmp_path / "model.pt")


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize("damage", ["cut", "empty", "noise"])
def test_a_damaged_file_is_named(tmp_path, suffix, damage):
    file = tmp_path / f"w.{suffix}"
    save = safetensors.torch.save_file if suffix == "safetensors" else torch.save
    save(network().state_dict(), file)
    content = file.read_bytes()
    file.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "noise": b"\x80\x07noise" * 20}[damage])
    with pytest.raises(DataError, match=rf"w\.{suffix} cannot be read .*It is damaged"):
        read(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*nowhere\.pt"):
        read(tmp_path / "nowhere.pt")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"epoch": 3, "state_dict": {"w": torch.ones(1)}}, "holds epoch, state_dict; expected tensors by name"),
        (torch.ones(3), "holds Tensor; expected tensors by name"),
    ],
)
def test_a_checkpoint_that_is_no_state_dict_says_what_it_holds(tmp_path, held, message):
    torch.save(held, tmp_path / "w.pt")
    with pytest.raises(DataError, match=message):
        read(tmp_path / "w.pt")


def test_names_and_shapes_that_do_not_fit_are_listed(tmp_path):
    state = network().state_dict()
    renamed = {f"module.{name}": value for name, value in state.items()}
    with pytest.raises(DataError, match=r"missing are 0\.weight, .* and \d more; unexpected are module\.0\.weight"):
        fill(network(), renamed, tmp_path / "w.pt")
    with pytest.raises(DataError, match=r"w\.pt does not fit the network: missing are 2\.bias\.$"):
        fill(network(), {name: value for name, value in state.items() if name != "2.bias"}, tmp_path / "w.pt")
    reshaped = {**state, "2.bias": torch.zeros(3)}
    with pytest.raises(DataError, match=r"of another shape are 2\.bias \(3,\) instead of \(2,\)"):
        fill(network(), reshaped, tmp_path / "w.pt")


def test_shared_weights_may_stand_under_one_name(tmp_path):
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    safetensors.torch.save_model(tied, tmp_path / "w.safetensors")
    state = read(tmp_path / "w.safetensors")
    assert len(state) == 3
    target = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    target[1].weight = target[0].weight
    assert weights_hash(fill(target, state, tmp_path)) == weights_hash(tied)
    with pytest.raises(DataError, match=r"missing are [01]\.weight"):
        fill(nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)), state, tmp_path)
