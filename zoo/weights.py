"""State dicts read from files without ever running code from them, and put into modules without leaving a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from probekit.errors import DataError

_SAVE = "Save the state dict alone: torch.save(model.state_dict(), FILE), or safetensors.torch.save_model(model, FILE)."


def read(file: Path) -> dict[str, Tensor]:
    """Return the state dict in a file: safetensors if its name says so, else torch's own format.

    Torch's format is a pickle; it is read with ``weights_only=True``, so that nothing in it is executed.

    Raises
    ------
    DataError
        If the file is missing, damaged, or holds anything but tensors by name.
    """
    if not file.is_file():
        raise DataError(f"weights: there is no file {file}.")
    try:
        if file.suffix == ".safetensors":
            return safetensors.torch.load_file(file, device="cpu")
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as err:  # a damaged file can make a reader raise anything
        raise DataError(
            f"weights: {file} cannot be read ({type(err).__name__}). It is damaged, or needs pickle to run code, "
            f"which probekit never does. {_SAVE}"
        ) from err
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        held = ", ".join(map(str, list(state)[:5])) if isinstance(state, Mapping) else type(state).__name__
        raise DataError(f"weights: {file} holds {held}; expected tensors by name. {_SAVE}")
    return {str(name): value for name, value in state.items()}


def fill(module: nn.Module, state: Mapping[str, Tensor], source: Path) -> nn.Module:
    """Return the module itself, with every parameter and buffer set from a state dict.

    Weights that the module shares between names may stand under one of them.

    Raises
    ------
    DataError
        If names are missing or unexpected, or shapes differ; the message names them. The module is then not to be used.
    """
    own = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    reshaped = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(value.shape)}"
        for name, value in own.items()
        if name in state and state[name].shape != value.shape
    ]
    if reshaped:
        raise DataError(f"weights: {source} does not fit the network: of another shape are {_some(reshaped)}.")
    result = module.load_state_dict(state, strict=False)
    filled = {own[name].data_ptr() for name in own if name in state}
    missing = [name for name in result.missing_keys if name not in own or own[name].data_ptr() not in filled]
    wrong = [f"missing are {_some(missing)}"] if missing else []
    wrong += [f"unexpected are {_some(result.unexpected_keys)}"] if result.unexpected_keys else []
    if wrong:
        raise DataError(f"weights: {source} does not fit the network: {'; '.join(wrong)}.")
    return module


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
