"""One's own network, from a file or a package."""

import sys
import textwrap

import pytest
import safetensors.torch
import torch

from probekit import zoo
from probekit.errors import DataError, ModelError, UnknownNameError, UsageError
from probekit.network import Preprocess, weights_hash

SOURCE = """
from __future__ import annotations
import torch
from dataclasses import dataclass
from torch import nn
from probekit import Card, Entry, Preprocess

@dataclass
class Size:
    channels: int = 4

def small():
    return nn.Sequential(nn.Conv2d(3, Size().channels, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))

def smart():
    card = Card("mine", "CNN", (1, 8, 8), "dots")
    return Entry(nn.Conv2d(1, 2, 3).train(), Preprocess((0.5,), (0.5,)), card, lambda: nn.Conv2d(1, 2, 3))

ONE = nn.Linear(2, 2)
def shared():
    return ONE

def fixed():
    network = nn.Linear(2, 2)
    nn.init.ones_(network.weight)
    nn.init.zeros_(network.bias)
    return network

def breaks():
    raise RuntimeError("no such weights")

def needs(width):
    return nn.Linear(width, width)

def number():
    return 3

_hidden = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(textwrap.dedent(SOURCE))
    return path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that Python can import, removed again afterwards."""
    (tmp_path / "mypack_for_zoo").mkdir()
    (tmp_path / "mypack_for_zoo/__init__.py").write_text("")
    (tmp_path / "mypack_for_zoo/nets.py").write_text(textwrap.dedent(SOURCE))
    (tmp_path / "mypack_for_zoo/needy.py").write_text("import not_installed_anywhere\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "mypack_for_zoo"
    for name in [name for name in sys.modules if name.startswith("mypack_for_zoo")]:
        del sys.modules[name]


def test_a_factory_in_a_file(file):
    path, state = list(sys.path), torch.get_rng_state()
    entry = zoo.load(f"{file}:small", input_shape=(3, 16, 16), mean=[0.5], std=[0.25])
    assert sys.path == path
    assert torch.equal(torch.get_rng_state(), state)
    assert "nets" not in sys.modules
    assert not any(part.training for part in entry.module.modules())
    assert entry.card.name == f"{file}:small"
    assert entry.card.input_shape == (3, 16, 16)
    assert entry.card.parameters == 4 * 3 * 9 + 4 + 8
    assert entry.card.trained_on == "nothing that probekit knows of (initialised by its factory from seed 0)"
    batch = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(entry.preprocess(batch), (batch - 0.5) / 0.25)
    assert entry.module(entry.preprocess(batch)).shape == (2, 4, 14, 14)


def test_a_factory_in_a_package(package):
    assert zoo.load(f"{package}.nets:small").card.name == f"{package}.nets:small"


def test_two_files_of_one_name_do_not_meet(file, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "nets.py"
    other.write_text("from torch import nn\ndef small():\n    return nn.Linear(2, 2)\n")
    assert type(zoo.load(f"{other}:small").module).__name__ == "Linear"
    assert type(zoo.load(f"{file}:small").module).__name__ == "Sequential"


def test_without_normalisation_stimuli_stay_as_they_are(file):
    batch = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(zoo.load(f"{file}:small").preprocess(batch), batch)
    tokens = torch.tensor([[1, 2], [3, 4]])
    assert zoo.load(f"{file}:small", input_shape=(2,)).preprocess(tokens) is tokens


def test_the_twin_is_the_factory_called_again_under_the_seed(file):
    entry = zoo.load(f"{file}:small", seed=7)
    assert weights_hash(entry.module) == weights_hash(zoo.load(f"{file}:small", seed=7).module)
    hashes = [weights_hash(entry.untrained(seed).module) for seed in (0, 1, 0)]
    assert hashes[0] == hashes[2] != hashes[1]
    assert weights_hash(entry.module) not in hashes
    assert weights_hash(zoo.load(f"{file}:small", untrained=True, seed=1).module) == hashes[1]


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_weights_from_a_file(file, tmp_path, suffix):
    twin = zoo.load(f"{file}:small").untrained(seed=9)
    save = safetensors.torch.save_file if suffix == "safetensors" else torch.save
    save(twin.module.state_dict(), tmp_path / f"w.{suffix}")
    entry = zoo.load(f"{file}:small", weights=str(tmp_path / f"w.{suffix}"))
    assert weights_hash(entry.module) == weights_hash(twin.module)
    assert entry.card.trained_on == f"unknown to probekit (weights of w.{suffix})"


def test_weights_of_another_network_are_refused(file, tmp_path):
    torch.save({"weight": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(DataError, match=r"w\.pt does not fit.*: missing are 0\.weight.*unexpected are weight"):
        zoo.load(f"{file}:small", weights=tmp_path / "w.pt")


def test_an_entry_is_returned_as_it_is(file):
    entry = zoo.load(f"{file}:smart")
    assert entry.card.name == "mine"
    assert entry.preprocess == Preprocess((0.5,), (0.5,))
    assert not entry.module.training
    assert zoo.load(f"{file}:smart", untrained=True, seed=2).card.name == "mine (untrained, seed 2)"
    with pytest.raises(UsageError, match="gives an Entry, with weights, input_shape, mean and std of its own"):
        zoo.load(f"{file}:smart", input_shape=(1, 9, 9))


@pytest.mark.parametrize("factory", ["fixed", "shared"])
def test_a_factory_that_sets_every_weight_has_no_untrained_twin(file, factory):
    entry = zoo.load(f"{file}:{factory}")
    assert entry.card.trained_on == "unknown to probekit (weights set by its factory)"
    with pytest.raises(UsageError, match="has no untrained twin"):
        entry.untrained()
    with pytest.raises(UsageError, match=r"the same weights whatever the seed.*give the weights as a file"):
        zoo.load(f"{file}:{factory}", untrained=True)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("breaks", "breaks raised RuntimeError: no such weights"),
        ("needs", "needs raised TypeError: .*missing 1 required positional argument"),
        ("number", "number gives a int; expected an nn.Module or a probekit Entry"),
    ],
)
def test_a_factory_that_fails_is_a_model_error_with_its_cause(file, factory, message):
    with pytest.raises(ModelError, match=message) as caught:
        zoo.load(f"{file}:{factory}")
    assert (caught.value.__cause__ is None) == (factory == "number")


def test_a_wrong_factory_name_suggests_the_nearest(file):
    with pytest.raises(UnknownNameError, match=r"no factory in .*nets\.py called 'smal'\. Did you mean 'small'"):
        zoo.load(f"{file}:smal")
    with pytest.raises(UnknownNameError, match="called '_hidden'"):
        zoo.load(f"{file}:_hidden")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere/nets.py:small", r"There is no file nowhere/nets\.py"),
        ("nowhere/nets.py", r"nets\.py is a file; name the factory in it, as in nowhere/nets\.py:FACTORY"),
        ("no_such_package.nets:small", r"no module 'no_such_package\.nets'.*PYTHONPATH"),
        ("not a module:small", "'not a module' is not a module; expected package.module:factory"),
        (":small", "'' is not a module"),
    ],
)
def test_what_is_not_there_is_a_usage_error(name, message):
    with pytest.raises(UsageError, match=message):
        zoo.load(name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import not_installed_anywhere\n", "No module named 'not_installed_anywhere'.*Set PYTHONPATH"),
        ("1 / 0\n", "cannot be imported; it raised ZeroDivisionError"),
        ("def f(:\n", "cannot be imported; it raised SyntaxError"),
        ("raise SystemExit(3)\n", "cannot be imported; it raised SystemExit: 3"),
    ],
)
def test_a_file_that_cannot_be_run_is_a_model_error_and_leaves_nothing(tmp_path, content, message):
    (tmp_path / "bad.py").write_text(content)
    before = set(sys.modules)
    with pytest.raises(ModelError, match=message):
        zoo.load(f"{tmp_path / 'bad.py'}:f")
    assert not {name for name in set(sys.modules) - before if name.startswith("probekit_own")}


def test_a_module_that_needs_what_is_missing_is_a_model_error(package):
    with pytest.raises(ModelError, match=r"needy cannot be imported.*not_installed_anywhere"):
        zoo.load(f"{package}.needy:small")
    with pytest.raises(UsageError, match=rf"no module '{package}\.nothing'"):
        zoo.load(f"{package}.nothing:small")
