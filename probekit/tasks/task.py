"""What a network is asked to do, and how well it does it, trial by trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from probekit import hooks
from probekit.arguments import Floats, whole
from probekit.errors import LayerError, ModelError, UsageError
from probekit.layers import modules_by_name, select
from probekit.network import Entry
from probekit.survey import read

Score = Callable[[Tensor, Tensor], Tensor]
"""What was read, shape (trial, …), and the numbers of the trials, shape (trial,) → scores, (trial,) or (trial, point);
of a task over a whole set, what was read of all its stimuli → scores of its own trials."""


@dataclass(frozen=True, eq=False)
class Task:
    """A function from a network to its scores, one a trial, that many lesions can share passes of.

    Any function from a network to scores can stand in its place where a task is asked for; it is then called once a
    lesion.

    Parameters
    ----------
    name : str
    unit : str
        Of the scores, such as "cm"; "" for pure numbers.
    inputs : Tensor, shape (stimulus, …)
        What the network takes.
    score : callable
        See `Score`.
    higher_is_better : bool
    layer : str
        What is read: a layer, with the part of its output after a colon; "" for what the network returns.
    trials : pandas.DataFrame
        One row a trial, such as its category.
    points : array, shape (point,), optional
        Where along a trial scores are, such as the step of a path; a trial's own score is their mean.
    point : str
        What `points` are.
    over_set : bool
        Whether a score is one of all stimuli together, such as an RDM's; trials are then subjects, not stimuli.

    Examples
    --------
    >>> right = torch.tensor([0, 1, 1])
    >>> task = Task("accuracy", "", torch.eye(2)[right], lambda said, rows: (said.argmax(-1) == right[rows]).float(),
    ...             True)
    >>> task(nn.Identity().eval())
    array([1., 1., 1.])
    """

    name: str
    unit: str
    inputs: Tensor
    score: Score
    higher_is_better: bool
    layer: str = ""
    trials: pd.DataFrame = field(default_factory=pd.DataFrame)
    points: np.ndarray | None = None
    point: str = ""
    over_set: bool = False

    def __post_init__(self) -> None:
        """Check that there are trials."""
        if not isinstance(self.inputs, Tensor) or not self.inputs.ndim or not len(self.inputs):
            raise UsageError(f"task '{self.name}' has no inputs; expected a tensor of at least one stimulus.")

    @property
    def n_stimuli(self) -> int:
        """Stimuli that are shown."""
        return len(self.inputs)

    @torch.no_grad()
    def __call__(self, network: Entry | nn.Module, *, batch_size: int = 256) -> Floats:
        """Return the network's scores, shape (trial,) or (trial, point), as it is: under a lesion, those of that.

        Raises
        ------
        LayerError
            If there is no such layer, or it gives no tensor.
        ModelError
            If the network raises.
        """
        module = network.module if isinstance(network, Entry) else network
        whole("batch_size", batch_size, 1)
        with hooks.undisturbed(module):
            parts = [
                self.read(module, self.inputs[start : start + batch_size])
                for start in range(0, self.n_stimuli, batch_size)
            ]
        return self.scored(torch.cat(parts), torch.arange(self.n_stimuli))

    def read(self, module: nn.Module, inputs: Tensor) -> Tensor:
        """Return what is read when these inputs are shown, shape (stimulus, …)."""
        first = next(module.parameters(), None)
        given = inputs if first is None else inputs.to(first.device)
        if not self.layer:
            output = self._run(module, given)
            if not isinstance(output, Tensor):
                raise ModelError(
                    f"the network returns a {type(output).__name__}; task '{self.name}' reads one tensor. Name a layer."
                )
            return output
        (wanted,) = select(module, self.layer)
        seen: list[Tensor] = []

        def receive(_: str, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            found = read(layer, args, kwargs, output, wanted.parts)
            if len(found) != 1:
                raise LayerError(
                    f"layer '{wanted.name}' gives {', '.join(found) or 'no tensor'}; task '{self.name}' reads one: "
                    f"name it, as in '{wanted.name}:{next(iter(found), 'output')}'."
                )
            seen.extend(found.values())

        with hooks.tapped({wanted.name: modules_by_name(module)[wanted.name]}, receive):
            self._run(module, given)
        if not seen:
            raise LayerError(f"layer '{self.layer}', which task '{self.name}' reads, never ran.")
        return seen[-1]

    def scored(self, read: Tensor, rows: Tensor) -> Floats:
        """Return the scores of what was read of the stimuli `rows`, as float64."""
        scores = self.score(read, rows.to(read.device))
        return np.asarray(scores.detach().cpu().numpy(), dtype=np.float64)

    def _run(self, module: nn.Module, inputs: Tensor) -> Any:
        try:
            return module(inputs)
        except (UsageError, ModelError):
            raise
        except Exception as err:  # whatever a network raises
            raise ModelError(
                f"{type(module).__name__} raised {type(err).__name__} in task '{self.name}' on inputs of shape "
                f"{tuple(inputs.shape)}: {err}"
            ) from err


def trial_scores(scores: Floats) -> Floats:
    """Return one score a trial, the mean over its points; shape (…, trial).

    >>> trial_scores(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist()
    [2.0, 2.0]
    """
    return scores if scores.ndim < 2 else np.asarray(scores.mean(-1))
