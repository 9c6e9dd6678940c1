"""Every network of timm, as ``timm/NAME``, with timm's weights and their normalisation."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import huggingface_hub
import timm
import torch
from timm.models import PretrainedCfg
from torch import nn

from probekit.data import unreachable
from probekit.errors import DataError, unknown_name
from probekit.network import Card, Preprocess
from probekit.zoo.model import Model
from probekit.zoo.weights import read

_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def names() -> list[str]:
    """Return the names that `model` takes, those with a tag of certain weights (``resnet18.a1_in1k``) among them."""
    return sorted({*timm.list_models(), *timm.list_pretrained()})


def model(name: str) -> Model:
    """Return a timm network by timm's own name.

    Raises
    ------
    UnknownNameError
        If there is none; the message suggests the nearest.
    """
    known = names()
    if name not in known:
        raise unknown_name("timm network", name, known)
    config = timm.get_pretrained_cfg(name) or PretrainedCfg()
    return Model(
        card=Card(
            name=f"timm/{name}",
            kind="image network",
            input_shape=tuple(config.input_size),
            trained_on=f"timm's weights '{config.tag}'" if config.has_weights else "nothing (timm has no weights)",
            source=f"timm; {_address(config)}" if config.has_weights else "timm",
            licence=config.license or "",
            notes="BatchNorm, where there is any, uses the statistics learned in training (eval mode).",
        ),
        preprocess=Preprocess(tuple(config.mean), tuple(config.std)),
        build=partial(timm.create_model, name, pretrained=False),
        load=partial(_load, name, config),
        here=lambda: _cached(config) is not None,
    )


def _load(name: str, config: PretrainedCfg, weights: Path | None) -> nn.Module:
    source = _source(name, config) if weights is None else {"state_dict": read(weights)}
    try:
        module: nn.Module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=source)
    except Exception as err:  # timm's loader reaches into several libraries, each with errors of its own
        raise DataError(f"weights: {weights or 'those of timm'} cannot be loaded into timm/{name}: {err}") from err
    return module


def _source(name: str, config: PretrainedCfg) -> dict[str, Any]:
    """Say where timm is to look: wherever it likes when the network answers, else only into its cache."""
    untrained = "take the untrained network (untrained=True, --untrained)"
    if not config.has_weights:
        raise DataError(f"timm has no weights for '{name}': {untrained}, or give a state dict (weights=, --weights).")
    reason = unreachable(_address(config))
    if not reason:
        return {}
    file = _cached(config)
    if file is None:
        raise DataError(
            f"The weights of timm/{name} cannot be had: {reason}. Fetch {_address(config)} on a machine with a network "
            f"and give the file (weights=, --weights), or {untrained}."
        )
    return {"file": str(file)}


def _address(config: PretrainedCfg) -> str:
    if not config.hf_hub_id:
        return config.url if isinstance(config.url, str) else config.url[0] if config.url else ""
    repository, _, revision = config.hf_hub_id.partition("@")
    file = config.hf_hub_filename or _HUB_FILES[0]
    return f"{huggingface_hub.constants.ENDPOINT}/{repository}/resolve/{revision or 'main'}/{file}"


def _cached(config: PretrainedCfg) -> Path | None:
    if not config.hf_hub_id:
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(_address(config)).path).name
        return file if file.is_file() else None
    repository, _, revision = config.hf_hub_id.partition("@")
    for name in [config.hf_hub_filename] if config.hf_hub_filename else _HUB_FILES:
        found = huggingface_hub.try_to_load_from_cache(repository, name, revision=revision or None)
        if isinstance(found, str):
            return Path(found)
    return None
