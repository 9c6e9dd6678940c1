"""An Entry's twin is made from its seed alone, and the hash of weights sees every one of them."""

from __future__ import annotations

import hashlib
import random
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from probekit.errors import UsageError
from probekit.network import Card, Entry, Preprocess, weights_hash


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.Linear(3, 2, bias=False))


def entry(build=net) -> Entry:
    card = Card("toy", "CNN", (1, 8, 8), "pictures", accuracy="90 %", layers=("0",), source="here", licence="MIT")
    return Entry(net().eval(), Preprocess((0.5,), (0.2,)), card, build)


# preprocessing


def test_preprocessing_is_by_channel_and_leaves_its_input() -> None:
    images = torch.rand(4, 3, 5, 6)
    before = images.clone()
    mean, std = (0.1, 0.2, 0.3), (0.5, 1.0, 2.0)
    prepared = Preprocess(mean, std)(images)
    for channel in range(3):
        expected = (before[:, channel].double() - mean[channel]) / std[channel]
        # float32 rounds mean, difference and quotient: 3 half units in the last place of numbers below 2
        np.testing.assert_allclose(prepared[:, channel], expected, atol=4e-7, rtol=0)
    assert torch.equal(images, before)
    assert Preprocess(mean, std)(images.double()).dtype == torch.float64


def test_preprocessing_a_clip_is_by_channel_too() -> None:
    clip = torch.rand(2, 7, 3, 4, 4)  # stimulus, time, channel, y, x
    prepare = Preprocess((0.1, 0.2, 0.3), (0.5, 1.0, 2.0))
    assert torch.equal(prepare(clip)[:, 3], prepare(clip[:, 3]))


# the untrained twin


def test_the_twin_is_made_from_its_seed_alone() -> None:
    one, again, other = entry().untrained(3), entry().untrained(3), entry().untrained(4)
    assert weights_hash(one.module) == weights_hash(again.module) != weights_hash(other.module)
    torch.manual_seed(3)
    assert weights_hash(net()) == weights_hash(one.module)  # the architecture's own rules
    torch.rand(5)
    assert weights_hash(entry().untrained(3).module) == weights_hash(one.module)


def test_the_twin_says_what_it_is_and_can_be_twinned_again() -> None:
    trained = entry()
    twin = trained.untrained(3)
    assert twin.card.name == "toy (untrained, seed 3)"
    assert twin.card.trained_on == "nothing (untrained)"
    assert twin.card.accuracy == ""
    assert "seed 3; BatchNorm at its initial statistics (mean 0, variance 1), eval mode" in twin.card.notes
    same = ("kind", "input_shape", "layers", "source", "licence")
    assert [getattr(twin.card, name) for name in same] == [getattr(trained.card, name) for name in same]
    assert twin.preprocess is trained.preprocess
    assert weights_hash(twin.untrained(5).module) == weights_hash(trained.untrained(5).module)
    assert not any(module.training for module in twin.module.modules())
    assert torch.equal(twin.module[1].running_mean, torch.zeros(2))
    assert torch.equal(twin.module[1].running_var, torch.ones(2))


def test_making_a_twin_leaves_the_network_and_every_random_state(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = []
    for device in ("cuda", "mps", "xpu"):
        monkeypatch.setattr(f"torch.{device}.manual_seed_all", seeded.append, raising=False)
    monkeypatch.setattr("torch.mps.manual_seed", seeded.append, raising=False)
    trained = entry()
    weights, torch_state = weights_hash(trained.module), torch.get_rng_state()
    numpy_state, python_state = np.random.get_state(), random.getstate()
    trained.untrained(3)
    assert weights_hash(trained.module) == weights
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert str(np.random.get_state()) == str(numpy_state)
    assert random.getstate() == python_state
    assert seeded == []


def test_the_random_state_is_left_also_when_the_architecture_cannot_be_built() -> None:
    def broken() -> nn.Module:
        torch.rand(3)
        raise RuntimeError("no such layer")

    unbuildable, before = entry(broken), torch.get_rng_state()
    with pytest.raises(RuntimeError, match="no such layer"):
        unbuildable.untrained()
    assert torch.equal(torch.get_rng_state(), before)


def test_an_entry_that_cannot_be_built_anew_says_so() -> None:
    with pytest.raises(UsageError, match=r"'toy' has no untrained twin: its entry gives no `build`\. Give a factory"):
        entry(None).untrained()


# the hash of weights


class Holder(nn.Module):
    """Holds exactly these tensors, as buffers, in this order."""

    def __init__(self, **tensors: Tensor) -> None:
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)


def test_the_hash_is_that_of_names_types_shapes_and_bytes() -> None:
    values = np.array([[1.5, -2.0]], dtype="<f4")
    written = b"w|torch.float32|(1, 2)|" + values.tobytes()
    assert weights_hash(Holder(w=torch.from_numpy(values))) == hashlib.sha256(written).hexdigest()


def test_the_hash_sees_every_single_value() -> None:
    module = net()
    seen = {weights_hash(module)}
    for tensor in module.state_dict().values():
        flat = tensor.view(-1)
        for position in range(len(flat)):
            before = flat[position].clone()
            flat[position] = torch.nextafter(before, before + 1) if before.is_floating_point() else before + 1
            seen.add(weights_hash(module))
            flat[position] = before
    assert len(seen) == 1 + sum(tensor.numel() for tensor in module.state_dict().values())
    assert weights_hash(module) in seen


def test_the_hash_sees_names_order_types_and_shapes() -> None:
    zeros = torch.zeros(2, 3)
    variants = [
        Holder(a=zeros), Holder(b=zeros), Holder(a=zeros, b=zeros), Holder(a=zeros.double()), Holder(a=zeros.half()),
        Holder(a=zeros.bfloat16()), Holder(a=zeros.int()), Holder(a=zeros.bool()), Holder(a=zeros.T), Holder(a=-zeros),
        Holder(a=zeros.view(6)), Holder(a=zeros.view(2, 3, 1)), Holder(), Holder(a=zeros, b=torch.ones(1)),
        Holder(b=torch.ones(1), a=zeros), Holder(a=torch.tensor(0.0)), Holder(a=torch.zeros(0)),
        Holder(a=torch.zeros(0, 3)), nn.Sequential(OrderedDict(x=Holder(a=zeros))),
    ]  # fmt: skip
    assert len({weights_hash(one) for one in variants}) == len(variants)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(3, 4).bfloat16(), torch.tensor(3.5), torch.tensor(7), torch.zeros(0, 5), torch.randn(4, 3).T,
        torch.randn(6)[::2], torch.randn(1, 3).expand(4, 3), torch.randn(3, dtype=torch.complex64),
        torch.tensor([True, False]), torch.randn(3).to(torch.float8_e5m2), torch.randn(2, 3).requires_grad_() * 2,
        torch.tensor(True), torch.randn(2).bfloat16()[0],
    ],
    ids=[
        "bfloat16", "scalar", "integer", "empty", "transposed", "strided", "expanded", "complex", "bool", "float8",
        "with gradient", "bool scalar", "bfloat16 scalar",
    ],
)  # fmt: skip
def test_any_kind_of_tensor_is_hashed_by_value(tensor: Tensor) -> None:
    assert weights_hash(Holder(w=tensor)) == weights_hash(Holder(w=tensor.detach().clone().contiguous()))
    if tensor.numel():
        other = tensor.detach().clone().contiguous()
        other.view(-1).view(torch.uint8)[0] ^= 1
        assert weights_hash(Holder(w=other)) != weights_hash(Holder(w=tensor))


def test_what_is_not_a_weight_is_not_hashed() -> None:
    module = net()
    before = weights_hash(module)
    module.train()
    module[0].weight.requires_grad_(False)
    module[3].weight.grad = torch.ones(2, 3)
    module.register_buffer("table", torch.ones(3), persistent=False)
    module.register_forward_hook(lambda *_: None)
    assert weights_hash(module) == before

    class Stateful(nn.Linear):
        def get_extra_state(self) -> dict:
            return {"step": 3}

    torch.manual_seed(0)
    extra = Stateful(2, 2)
    torch.manual_seed(0)
    assert weights_hash(extra) == weights_hash(nn.Linear(2, 2))


def test_hashing_changes_nothing() -> None:
    module = net()
    before = {name: (value.clone(), value.data_ptr()) for name, value in module.state_dict().items()}
    assert weights_hash(module) == weights_hash(module)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name][0])
        assert value.data_ptr() == before[name][1]
