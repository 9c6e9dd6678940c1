"""Tasks of networks that are led along paths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge
from torch import Tensor

from probekit.arguments import instance, whole
from probekit.errors import NotApplicableError, UsageError
from probekit.navigation import Paths, random_walk
from probekit.navigation import Task as Navigated
from probekit.navigator import navigate
from probekit.network import Entry
from probekit.tasks.task import Task

_CM = 100.0
_PENALTY = 1e-3
"""On weights of standardised units, as a share of the number of samples."""


def path_integration(network: Entry, *, n_paths: int = 100, n_steps: int | None = None, seed: int = 0) -> Task:
    """Return the task of saying where one is, along random walks that the network has not seen.

    Parameters
    ----------
    network : Entry
        That says where it is (`Entry.task.adapter.decode`).
    n_paths : int
    n_steps : int, optional
        Default: as in its training.
    seed : int
        Of the walks.

    Returns
    -------
    Task
        Scores: distance between where it is and where it says that it is, cm, shape (path, step).

    Raises
    ------
    NotApplicableError
        If nothing is known of how the network finds its way, or it does not say where it is.
    """
    task = _navigated(network)
    decode = task.adapter.decode
    if decode is None:
        raise NotApplicableError(f"'{network.card.name}' does not say where it is: its adapter has no `decode`.")
    paths = _walks(task, n_paths, n_steps, seed)
    return _place_task("path integration", network, task, paths, decode)


def position_decoding(
    network: Entry,
    layer: str | None = None,
    *,
    n_paths: int = 100,
    n_training: int = 500,
    n_steps: int | None = None,
    seed: int = 0,
) -> Task:
    """Return the task of telling the place from a layer, by ridge regression trained before any lesion.

    Parameters
    ----------
    network : Entry
    layer : str, optional
        With the part of its output after a colon, if there are several. Default: the first on its card.
    n_paths, n_training : int
        Paths to be tested on, and others to train on.
    n_steps : int, optional
        Default: as in its training.
    seed : int
        Of the walks.

    Returns
    -------
    Task
        Scores: distance between the place and the decoded one, cm, shape (path, step).

    Raises
    ------
    NotApplicableError
        If nothing is known of how the network finds its way.
    LayerError, UsageError
        If there is no such layer, or it does not give one vector a step.
    """
    task = _navigated(network)
    read = layer or network.card.layers[0]
    trained = navigate(network, paths=_walks(task, n_training, n_steps, seed + 1), layers=read)
    activity = trained[read].astype(np.float64)
    mean, deviation = activity.mean(0), activity.std(0)
    scale = np.where(deviation > 0, deviation, 1.0)
    fitted = Ridge(alpha=_PENALTY * len(activity)).fit((activity - mean) / scale, trained.tracking.positions)
    weights = torch.from_numpy(fitted.coef_ / scale).float()
    offset = torch.from_numpy(fitted.intercept_ - (fitted.coef_ / scale) @ mean).float()
    paths = _walks(task, n_paths, n_steps, seed)

    def decode(said: Tensor) -> Tensor:
        return said @ weights.to(said).T + offset.to(said)

    return _place_task("position decoding", network, task, paths, decode, layer=read)


def _navigated(network: Entry) -> Navigated:
    if instance("network", network, Entry).task is None:
        raise NotApplicableError(
            f"'{network.card.name}' has no navigation task, so it cannot be led along paths; give its Entry a task."
        )
    assert network.task is not None
    return network.task


def _walks(task: Navigated, n_paths: int, n_steps: int | None, seed: int) -> Paths:
    steps = task.n_steps if n_steps is None else whole("n_steps", n_steps, 1)
    return random_walk(task.arena, task.motion, whole("n_paths", n_paths, 2), steps, seed=seed)


def _place_task(
    name: str, network: Entry, task: Navigated, paths: Paths, decode: Callable[[Tensor], Tensor], *, layer: str = ""
) -> Task:
    """Return the task whose score is how far the decoded place is from the true one at each step."""
    positions = torch.from_numpy(paths.positions[:, 1:])

    def score(said: Tensor, rows: Tensor) -> Tensor:
        here, there = decode(said), positions.to(said.device)[rows]
        if here.shape != there.shape:
            raise UsageError(f"'{network.card.name}' gives places of shape {tuple(here.shape)} for {len(rows)} paths; "
                             f"expected {tuple(there.shape)}, one a step.")  # fmt: skip
        distance: Tensor = _CM * (here - there).norm(dim=-1)
        return distance

    return Task(
        name,
        "cm",
        network.preprocess(task.adapter.encode(paths)),
        score,
        higher_is_better=False,
        layer=layer,
        trials=pd.DataFrame({"path": np.arange(len(paths))}),
        points=np.arange(1, paths.n_steps + 1),
        point="step",
    )
