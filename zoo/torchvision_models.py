"""Every network of torchvision, as ``torchvision/NAME``, with torchvision's default weights and their normalisation."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn
from torchvision import models

from probekit.data import unreachable
from probekit.errors import DataError, unknown_name
from probekit.network import Card, Preprocess
from probekit.zoo.model import Clip, Model
from probekit.zoo.weights import fill, read

_AS_TRAINED: dict[str, dict[str, Any]] = {
    "googlenet": {"transform_input": True, "aux_logits": False, "init_weights": True},
    "inception_v3": {"transform_input": True, "init_weights": True},
    "vit_h_14": {"image_size": 518},
    "fcn_resnet50": {"aux_loss": True},
    "fcn_resnet101": {"aux_loss": True},
    "deeplabv3_resnet50": {"aux_loss": True},
    "deeplabv3_resnet101": {"aux_loss": True},
    "deeplabv3_mobilenet_v3_large": {"aux_loss": True},
}
"""Arguments that torchvision sets itself when it is given its default weights; the twin must have them too."""

_KINDS = {"segmentation": "segmentation network", "detection": "detection network", "video": "video network"}
_FRAMES = 16


def names() -> list[str]:
    """Return the names that `model` takes: all but quantised networks and those for optical flow (two images)."""
    return [name for name in models.list_models() if not name.startswith(("quantized_", "raft_"))]


def model(name: str) -> Model:
    """Return a torchvision network by torchvision's own name.

    Raises
    ------
    UnknownNameError
        If there is none; the message suggests the nearest.
    """
    if name not in names():
        raise unknown_name("torchvision network", name, names())
    weights = models.get_model_weights(name).DEFAULT
    video = _part(name) == "video"
    mean = tuple(getattr(weights.transforms(), "mean", (0.0,)))  # detection networks normalise by themselves
    std = tuple(getattr(weights.transforms(), "std", (1.0,)))
    return Model(
        card=_card(name, weights),
        preprocess=Clip(mean, std) if video else Preprocess(mean, std),
        build=partial(_build, name),
        load=partial(_load, name, weights),
        here=lambda: _file(weights).is_file(),
    )


def _build(name: str) -> nn.Module:
    options = dict(_AS_TRAINED.get(name, {}))
    if "weights_backbone" in inspect.signature(models.get_model_builder(name)).parameters:
        options["weights_backbone"] = None
    module: nn.Module = models.get_model(name, weights=None, **options)
    return module


def _load(name: str, default: models.WeightsEnum, weights: Path | None) -> nn.Module:
    if weights is not None:
        return fill(_build(name), read(weights), weights)
    file = _file(default)
    if not file.is_file():
        _download(name, default.url, file)
    _check(file)
    read(file)  # refuses what needs code to be run; torchvision's own reader would run it
    module: nn.Module = models.get_model(name, weights=default, progress=False)
    return module


def _file(weights: models.WeightsEnum) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(weights.url).path).name


def _download(name: str, url: str, file: Path) -> None:
    way_out = (
        f"Fetch {url} on a machine with a network and put it into {file.parent}, or give a state dict of your own "
        "(weights=, --weights), or take the untrained network (untrained=True, --untrained)."
    )
    reason = unreachable(url)
    if reason:
        raise DataError(f"The weights of torchvision/{name} cannot be had: {reason}. {way_out}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), _hash_start(file), progress=False)
    except (OSError, RuntimeError) as err:  # RuntimeError: another content than its name says
        raise DataError(f"The weights of torchvision/{name} cannot be had: {err}. {way_out}") from err


def _hash_start(file: Path) -> str:
    return file.stem.rpartition("-")[2]


def _check(file: Path) -> None:
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if not found.startswith(_hash_start(file)):
        raise DataError(f"{file} is damaged: its sha256 is {found}, and its name says {_hash_start(file)}…. Remove it.")


def _part(name: str) -> str:
    return str(models.get_model_builder(name).__module__).split(".")[2]


def _card(name: str, weights: models.WeightsEnum) -> Card:
    metrics: Mapping[str, Mapping[str, float]] = weights.meta.get("_metrics", {})
    scores = [f"{score} {value:g} on {data}" for data, values in metrics.items() for score, value in values.items()]
    return Card(
        name=f"torchvision/{name}",
        kind=_KINDS.get(_part(name), "image network"),
        input_shape=_input_shape(name, weights),
        trained_on=f"{' and '.join(metrics) or 'unknown'} ({weights})",
        accuracy=f"{', '.join(scores)} (published by torchvision)" if scores else "",
        source=f"torchvision.models; {weights.url}",
        licence=weights.meta.get("license", "BSD-3-Clause"),
        notes="BatchNorm, where there is any, uses the statistics learned in training (eval mode).",
        parameters=int(weights.meta.get("num_params", 0)),
    )


def _input_shape(name: str, weights: models.WeightsEnum) -> tuple[int, ...]:
    transforms = weights.transforms()
    sizes = getattr(transforms, "crop_size", None) or getattr(transforms, "resize_size", None) or [224]
    image = (3, int(sizes[0]), int(sizes[-1]))
    return (_FRAMES, *image) if _part(name) == "video" else image
