"""Every layer of many architectures, replayed from its recorded inputs, gives what was recorded.

Random weights; inputs as small as the architecture allows. The replay is the module itself run again on its own inputs,
so equality is exact but where a kernel's sums depend on memory alignment (tolerance 1e-5 of the largest activity).
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

import probekit as pk
from probekit.errors import ProbekitWarning

CNNS = [
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "mnasnet0_5",
    "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnet50",
    "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_1", "vgg11_bn",
]  # fmt: skip
SIZES = {"inception_v3": (3, 80, 80), "vit_b_32": (3, 224, 224), "swin_t": (3, 64, 64),
         "swin_v2_t": (3, 64, 64)} | dict.fromkeys(CNNS, (3, 64, 64))  # fmt: skip
SEGMENTATION = ["deeplabv3_mobilenet_v3_large", "fcn_resnet50", "lraspp_mobilenet_v3_large"]
VIDEO = ["mc3_18", "r2plus1d_18", "r3d_18", "swin3d_t"]


def check(network: nn.Module, stimuli: pk.stimuli.Stimuli) -> None:
    network = network.eval()
    replayed = pk.fidelity(network, stimuli)
    assert len(replayed) > 10
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProbekitWarning)  # that windowed attention folds its batch is said, and fine
        recording = pk.record(network, stimuli, layers="**")
    scale = {name.partition(":")[0].partition("@")[0]: float(np.abs(data).max()) for name, data in
             recording.activity.items()}  # fmt: skip
    recorded = replayed[replayed.layer.isin(scale)]
    assert set(replayed.layer) - set(recorded.layer) == set(recording.skipped) & set(replayed.layer)
    assert len(recorded) > 0.7 * len(replayed)
    worst = recorded.max_abs_error / recorded.layer.map(scale).clip(lower=1e-3)
    assert worst.max() <= 1e-5, recorded.loc[worst.idxmax()]


@pytest.mark.parametrize("name", SIZES)
def test_image_networks(name: str) -> None:
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = torchvision.models.get_model(name, weights=None, **options)
    check(network, pk.stimuli.array(torch.rand(3, *SIZES[name])))


@pytest.mark.parametrize("name", SEGMENTATION)
def test_segmentation_networks(name: str) -> None:
    network = torchvision.models.get_model(name, weights=None, weights_backbone=None)
    stimuli = pk.stimuli.array(torch.rand(3, 3, 64, 64))
    check(network, stimuli)
    assert pk.record(network, stimuli, layers=".")[".:out"].shape == (3, 21, 64, 64)


@pytest.mark.parametrize("name", VIDEO)
def test_video_networks(name: str) -> None:
    network = torchvision.models.get_model(name, weights=None)
    clips = torch.rand(3, 3, 4, 32, 32)
    check(network, pk.stimuli.array(clips, dims=("channel", "time", "y", "x")))


def test_video_activity_has_time_before_channels() -> None:
    network = torchvision.models.video.r3d_18().eval()
    clips = torch.rand(3, 3, 4, 32, 32)
    recording = pk.record(network, pk.stimuli.array(clips, dims=("channel", "time", "y", "x")), layers="stem")
    assert recording["stem"].dims == ("stimulus", "time", "channel", "y", "x")
    with torch.no_grad():
        assert np.array_equal(recording["stem"], network.stem(clips).permute(0, 2, 1, 3, 4))


def test_axes_of_channels_last_networks_are_named_right() -> None:
    """Swin keeps channels last inside and ConvNeXt only within its blocks; both are recorded as channel, y, x."""
    images = torch.rand(3, 3, 64, 96)
    for name, layer, shape in (
        ("swin_t", "features.1.0", (96, 16, 24)), ("swin_t", "features.3.1.mlp.1", (768, 8, 12)),
        ("swin_t", "features.2", (192, 8, 12)), ("convnext_tiny", "features.1.0", (96, 16, 24)),
        ("convnext_tiny", "features.1.0.block.4", (384, 16, 24)), ("convnext_tiny", "features.0.1", (96, 16, 24)),
    ):  # fmt: skip
        recording = pk.record(torchvision.models.get_model(name, weights=None).eval(), images, layers=layer)
        assert recording[layer].dims == ("stimulus", "channel", "y", "x")
        assert recording[layer].shape[1:] == shape


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}, {"bias": False, "num_layers": 2}])
def test_recurrent_networks(kind: type[nn.RNNBase], options: dict) -> None:
    network = nn.Sequential(kind(4, 6, batch_first=True, **options))
    stimuli = pk.stimuli.array(torch.randn(5, 8, 4))
    assert (pk.fidelity(network, stimuli, layers="0").max_abs_error <= 1e-6).all()
    recording = pk.record(network, stimuli, layers="0")
    with torch.no_grad():
        output, final = network(torch.as_tensor(stimuli.batch(range(5))))
    np.testing.assert_allclose(recording["0:output"], output, atol=1e-6)
    last = final[1] if kind is nn.LSTM else final
    part = "c_l0" if kind is nn.LSTM else "h_l0"
    np.testing.assert_allclose(recording[f"0:{part}"][:, -1], last[0], atol=1e-6)


def test_one_trial_at_a_time_without_a_batch_axis() -> None:
    class Alone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(4, 6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.lstm(x[0])[0][None]

    network, stimuli = Alone(), pk.stimuli.array(torch.randn(5, 8, 4))
    recording = pk.record(network, stimuli, layers="lstm", batch_size=1)
    with torch.no_grad():
        expected = torch.stack([network.lstm(x)[0] for x in stimuli.batch(range(5))])
    np.testing.assert_allclose(recording["lstm:output"], expected, atol=1e-6)
    assert recording["lstm:i_l0"].dims == ("stimulus", "time", "unit")


def test_a_value_changed_before_it_was_recorded_would_be_found() -> None:
    """The check itself: a hook that alters an output first makes the replay differ."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    calls = []
    network[0].register_forward_hook(lambda *args: calls.append(1) or (args[2] + 1 if len(calls) == 1 else None))
    replayed = pk.fidelity(network, torch.rand(3, 3, 8, 8), layers="*").set_index("layer")
    assert replayed.max_abs_error["0"] == pytest.approx(1, abs=1e-6)
    assert replayed.max_abs_error["1"] == 0
