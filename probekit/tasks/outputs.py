"""Tasks that a network's own output answers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from probekit.errors import UsageError
from probekit.tasks.task import Task


def cross_entropy(inputs: Tensor, targets: Tensor, *, layer: str = "") -> Task:
    """Return the task of predicting classes, or what cells do.

    Parameters
    ----------
    inputs : Tensor, shape (trial, …)
        What the network takes.
    targets : Tensor
        Classes, whole numbers of shape (trial,) or (trial, step); or probabilities, shape (trial, class) or
        (trial, step, class).
    layer : str
        Where the scores before the softmax are read. Default: what the network returns.

    Returns
    -------
    Task
        Scores: cross-entropy in nats, shape (trial,) or (trial, step). UsageError, if what is read does not fit the
        targets.

    Examples
    --------
    >>> task = cross_entropy(torch.zeros(3, 4), torch.tensor([0, 1, 2]))
    >>> task(torch.nn.Identity().eval()).round(4).tolist()  # ln 4
    [1.3863, 1.3863, 1.3863]
    """
    wanted = _paired(inputs, targets)

    def score(said: Tensor, rows: Tensor) -> Tensor:
        right, logs = wanted.to(said.device)[rows], functional.log_softmax(said.float(), -1)
        if right.is_floating_point():
            _check_fits(said.shape, right.shape)
            return -(right * logs).sum(-1)
        _check_fits(said.shape[:-1], right.shape)
        if right.min() < 0 or right.max() >= said.shape[-1]:
            raise UsageError(f"targets hold classes {int(right.min())} … {int(right.max())}; what is read has "
                             f"{said.shape[-1]}, counted from 0.")  # fmt: skip
        return -logs.gather(-1, right[..., None].long())[..., 0]

    return Task("cross-entropy", "nats", inputs, score, False, layer=layer)


def reconstruction(inputs: Tensor, targets: Tensor | None = None, *, layer: str = "") -> Task:
    """Return the task of giving back what was shown.

    Parameters
    ----------
    inputs : Tensor, shape (trial, …)
        What the network takes.
    targets : Tensor, shape (trial, …), optional
        What it is to give. Default: the inputs.
    layer : str
        Where it is read. Default: what the network returns.

    Returns
    -------
    Task
        Scores: mean squared error over the output, shape (trial,).

    Examples
    --------
    >>> reconstruction(torch.ones(2, 3))(torch.nn.Identity().eval()).tolist()
    [0.0, 0.0]
    """
    wanted = _paired(inputs, inputs if targets is None else targets)

    def score(said: Tensor, rows: Tensor) -> Tensor:
        right = wanted.to(said.device)[rows]
        _check_fits(said.shape, right.shape)
        return (said - right).square().flatten(1).mean(1)

    return Task("reconstruction", "", inputs, score, False, layer=layer)


def _paired(inputs: Tensor, targets: Tensor) -> Tensor:
    shapes = [tuple(one.shape) if isinstance(one, torch.Tensor) else type(one).__name__ for one in (inputs, targets)]
    if not all(isinstance(one, torch.Tensor) and one.ndim for one in (inputs, targets)) or len(inputs) != len(targets):
        raise UsageError(f"inputs are {shapes[0]}, targets {shapes[1]}; expected tensors with a row each a trial.")
    return targets


def _check_fits(said: Sequence[int], right: Sequence[int]) -> None:
    if tuple(said) != tuple(right):
        raise UsageError(f"what is read is {tuple(said[1:])} a trial; targets are {tuple(right[1:])}.")
