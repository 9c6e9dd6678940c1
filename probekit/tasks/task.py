"""What a network is asked to do, and how well it does it, trial by trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from probekit import hooks
from probekit.arguments import Floats, whole
from probekit.errors import LayerError, ModelError, UsageError
from probekit.layers import modules_by_name, select
from probekit.network import Entry, module_of
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
        What is read: a layer, with the part of its output after a colon, of its last call; "" for what the network
        returns.
    trials : pandas.DataFrame
        One row a trial, such as its category.
    points : array, shape (point,), optional
        Where along a trial scores are, such as the step of a path; a trial's own score is their mean.
    point : str
        What `points` are.
    over_set : bool
        Whether a score is one of all stimuli together, such as an RDM's; trials are then subjects, not stimuli.
    base : Task, optional
        The task that this is a view of: the same scores, weighted.
    weights : array, shape (trial of the base,), optional
        Of the base's scores, or a mask of those that are kept.

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
    base: Task | None = None
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check that there are trials."""
        if not isinstance(self.inputs, Tensor) or not self.inputs.ndim or not len(self.inputs):
            raise UsageError(f"task '{self.name}' has no inputs; expected a tensor of at least one stimulus.")

    def view(self, name: str, weights: npt.ArrayLike) -> Task:
        """Return the same task, on some of its trials or with their scores weighted, at no further pass of the network.

        A mask keeps some of the trials. Weights are taken as they are, so that +1 and −1 over shares of the trials give
        the difference of two means.

        Raises
        ------
        UsageError
            If there is not one a trial, or a mask takes none.

        Examples
        --------
        >>> task = Task("right", "", torch.ones(4, 1), lambda said, rows: (rows < 2).float(), True)
        >>> task.view("first half", [True, True, False, False])(nn.Identity().eval()).mean()
        np.float64(1.0)
        """
        given, n = np.asarray(weights), len(self.trials) or self.n_stimuli
        if given.shape != (n,):
            raise UsageError(f"weights have shape {given.shape}; task '{self.name}' has {n} trials.")
        if given.dtype.kind == "b":
            if not given.any():
                raise UsageError(f"weights of '{name}' are a mask that takes no trial.")
            kept = self.trials[given].reset_index(drop=True) if len(self.trials) else self.trials
            return replace(self, name=name, base=self, weights=given, trials=kept)
        return replace(self, name=name, base=self, weights=given.astype(np.float64))

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
            If the network raises, or what is read is not one row a stimulus.
        UsageError
            If the score is not one a trial.
        """
        module = module_of(network)
        whole("batch_size", batch_size, 1)
        if self.base is not None:
            return self.weighted(self.base(network, batch_size=batch_size))
        with hooks.undisturbed(module):
            parts = [
                self.read(module, self.inputs[start : start + batch_size])
                for start in range(0, self.n_stimuli, batch_size)
            ]
        if sum(len(part) if part.ndim else 0 for part in parts) != self.n_stimuli:
            raise ModelError(
                f"task '{self.name}' reads {tuple(parts[0].shape)} of {min(batch_size, self.n_stimuli)} stimuli; "
                "expected a row each."
            )
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
        chosen = select(module, self.layer)
        if len(chosen) > 1:
            raise LayerError(f"'{self.layer}' is {len(chosen)} layers; task '{self.name}' reads one.")
        wanted = chosen[0]
        seen: list[Tensor] = []

        def receive(_: str, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            found = read(layer, args, kwargs, output, wanted.parts)
            if not found:
                asked = "".join(f" '{part}'" for part in wanted.parts)
                raise LayerError(f"layer '{wanted.name}' gives no tensor{asked}; task '{self.name}' reads one.")
            if len(found) > 1:
                raise LayerError(
                    f"layer '{wanted.name}' gives {', '.join(found)}; task '{self.name}' reads one: name it, as in "
                    f"'{wanted.name}:{next(iter(found))}'."
                )
            seen[:] = [tensor.clone() for tensor in found.values()]  # what follows may change it in place

        with hooks.tapped({wanted.name: modules_by_name(module)[wanted.name]}, receive):
            self._run(module, given)
        if not seen:
            raise LayerError(f"layer '{self.layer}', which task '{self.name}' reads, never ran.")
        return seen[0]

    def weighted(self, scores: Floats) -> Floats:
        """Return scores of the base, shape (…, trial) or (…, trial, point), as this view takes them."""
        if self.weights is None:
            return scores
        trial = scores.ndim - (1 if self.points is None else 2)
        if self.weights.dtype.kind == "b":
            return np.asarray(scores.compress(self.weights, axis=trial))
        return np.asarray(scores * (self.weights if self.points is None else self.weights[:, None]))

    def scored(self, read: Tensor, rows: Tensor) -> Floats:
        """Return the scores of what was read of the stimuli `rows`, as float64."""
        scores = self.score(read, rows.to(read.device))
        shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        fits = isinstance(scores, Tensor) and scores.ndim in (1, 2) and (self.over_set or len(scores) == len(rows))
        if not fits:
            wanted = "trial" if self.over_set else len(rows)
            raise UsageError(
                f"the score of task '{self.name}' gave {shape}; expected a tensor of shape ({wanted},) or "
                f"({wanted}, point)."
            )
        return np.asarray(scores.detach().cpu().double().numpy())

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
    """Return one score a trial, shape (lesion, trial), of scores under lesions: the mean over points where it has any.

    >>> trial_scores(np.array([[[1.0, 3.0], [2.0, 2.0]]])).tolist()
    [[2.0, 2.0]]
    """
    return scores if scores.ndim == 2 else np.asarray(scores.mean(-1))
