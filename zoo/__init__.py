"""The zoo: networks by name, ready to be recorded.

A name is one of `catalogue`, ``torchvision/NAME``, ``timm/NAME``, or one's own ``package.module:factory`` or
``path/to/file.py:factory``. Another package adds a network by an entry point in the group "probekit.networks" that
gives a `probekit.zoo.model.Model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

if __name__ != "probekit.zoo":
    raise ImportError(
        "The zoo is a part of probekit: import probekit.zoo, not zoo. If there is no probekit.zoo, this checkout lacks "
        "the links probekit/zoo, probekit/analyses and probekit/reports (git makes none on Windows without developer "
        "mode): set `git config core.symlinks true` and check out again, or install a wheel."
    )

import pandas as pd
import torch

from probekit.errors import NotApplicableError, UnknownNameError, UsageError
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.registry import Registry
from probekit.session import checked_device
from probekit.zoo.model import Model

__all__ = ["NETWORKS", "catalogue", "load", "train"]

NETWORKS = Registry(
    kind="network",
    group="probekit.networks",
    builtin={
        "efficientnet-lite0": "probekit.zoo.efficientnet_lite0:MODEL",
        "gabor-pyramid": "probekit.zoo.gabor_pyramid:MODEL",
        "grid-lstm": "probekit.zoo.grid_lstm:MODEL",
        "grid-lstm-long": "probekit.zoo.grid_lstm:MODEL_LONG",
        "grid-lstm-banino": "probekit.zoo.grid_lstm:MODEL_BANINO",
        "grid-rnn": "probekit.zoo.grid_rnn:MODEL",
        "grid-rnn-seed1": "probekit.zoo.grid_rnn:MODEL_SEED1",
        "grid-rnn-seed2": "probekit.zoo.grid_rnn:MODEL_SEED2",
        "v1net": "probekit.zoo.v1net:MODEL",
        "v1net-seed1": "probekit.zoo.v1net:MODEL_SEED1",
        "v1net-seed2": "probekit.zoo.v1net:MODEL_SEED2",
    },
    thing=Model,
)
"""The networks that have a name of their own."""


def load(
    name: str,
    *,
    weights: str | Path | None = None,
    input_shape: Sequence[int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    untrained: bool = False,
    seed: int = 0,
) -> Entry:
    """Return a network in eval mode, with its preprocessing, its card and a way to its untrained twin.

    Parameters
    ----------
    name : str
        A name of `catalogue`, ``torchvision/NAME``, ``timm/NAME``, ``package.module:factory`` or
        ``path/to/file.py:factory``. A factory is called without arguments and gives an nn.Module, or an `Entry`,
        which is returned as it is.
    weights : path, optional
        A .safetensors file, or a state dict saved by torch; nothing in it is ever executed. Default: the network's own.
    input_shape : sequence of int, optional
        Shape of one stimulus. Default: the network's own, (3, 224, 224) for a factory's.
    mean, std : sequence of float, optional
        What images are normalised with, one number a channel or one for all, in the units of the stimuli (0 … 1).
        Default: the network's own; a factory's gets its stimuli as they are.
    untrained : bool
        Return the untrained twin; no weights are needed.
    seed : int
        Seeds the twin, and a factory. Torch's random state is left as it was.

    Raises
    ------
    UnknownNameError
        If there is no such network; the message suggests the nearest.
    UsageError
        If options contradict each other or a factory does not exist.
    ModelError
        If a factory raises or gives something else than a network.
    DataError
        If weights cannot be had, are damaged, or do not fit.

    Examples
    --------
    >>> entry = load("efficientnet-lite0", untrained=True)
    >>> entry.card.input_shape, entry.card.trained_on
    ((3, 224, 224), 'nothing (untrained)')
    """
    if untrained and weights is not None:
        raise UsageError("untrained and weights exclude each other; give one of them.")
    found = _find(name, seed)
    if isinstance(found, Entry):
        if not all(option is None for option in (weights, input_shape, mean, std)):
            raise UsageError(
                f"{name} gives an Entry, with weights, input_shape, mean and std of its own; leave these options out."
            )
        return found.untrained(seed) if untrained else found
    adjusted = found.adjusted(input_shape, mean, std)
    return adjusted.untrained(seed) if untrained else adjusted.trained(None if weights is None else Path(weights))


def catalogue() -> pd.DataFrame:
    """Return the networks that have a name of their own; none is built.

    Returns
    -------
    pandas.DataFrame
        One row a network: `name`, `kind`, `parameters` (number of learned values), `trained_on`, `accuracy`,
        `weights` ("here" or "to be fetched"), `source`.
    """
    rows = []
    for name, network in NETWORKS.available().items():
        card = network.card
        rows.append({
            "name": name, "kind": card.kind, "parameters": card.parameters, "trained_on": card.trained_on,
            "accuracy": card.accuracy, "weights": "here" if network.here() else "to be fetched", "source": card.source,
        })  # fmt: skip
    return pd.DataFrame(rows)


def train(
    name: str,
    out: str | Path,
    *,
    seed: int = 0,
    quick: bool = False,
    device: str = "cpu",
    progress: Progress = silent,
) -> Path:
    """Train a network and return the file of its weights, which ``load(name, weights=FILE)`` takes.

    The same call goes on where an earlier one was stopped, however it was stopped. Beside the weights lies a log of
    the same name that ends in .csv, and, until the training is over, a checkpoint.

    Parameters
    ----------
    name : str
        A name of `catalogue` whose network probekit can train, such as "v1net".
    out : path
        A new file, which ends in .safetensors.
    seed : int
        Of everything random. The same seed gives the same weights on the same machine with as many threads; elsewhere
        sums are rounded otherwise, and weights drift apart as far as the network's card says.
    quick : bool
        A short training on few data, to see that it runs.
    device : str
        Torch device.
    progress : Progress
        Told how far the work is.

    Raises
    ------
    UnknownNameError
        If there is no such network; the message suggests the nearest.
    NotApplicableError
        If probekit cannot train it.
    UsageError
        If `out` exists, or holds another training that is not finished.
    DataError
        If the data cannot be had.
    """
    model = NETWORKS.get(name)
    if model.train is None:
        able = ", ".join(one for one, other in NETWORKS.available().items() if other.train)
        raise NotApplicableError(f"probekit has no training for '{name}'; it can train: {able}.")
    if seed < 0:
        raise UsageError(f"seed is {seed}; expected a whole number from 0.")
    found = checked_device(device, torch.device("cpu"))
    return model.train(Path(out), seed=seed, quick=quick, device=str(found), progress=progress)


def _find(name: str, seed: int) -> Model | Entry:
    if ":" in name:
        from probekit.zoo import own

        return own.model(name, seed=seed)
    if name.endswith(".py"):
        raise UsageError(f"{name} is a file; name the factory in it, as in {name}:FACTORY.")
    family, _, member = name.partition("/")
    if family == "torchvision":
        from probekit.zoo import torchvision_models

        return torchvision_models.model(member)
    if family == "timm":
        from probekit.zoo import timm_models

        return timm_models.model(member)
    try:
        return NETWORKS.get(name)
    except UnknownNameError as err:
        raise UnknownNameError(f"{err} Also: {_elsewhere(name)}.") from None


def _elsewhere(name: str) -> str:
    from probekit.zoo import torchvision_models

    if name in torchvision_models.names():
        return f"'torchvision/{name}'"
    return "torchvision/NAME, timm/NAME, package.module:factory, path/to/file.py:factory"
