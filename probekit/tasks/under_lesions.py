"""How well a network does under many lesions, in as few passes as memory allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from probekit import hooks
from probekit.arguments import Floats
from probekit.errors import UsageError
from probekit.lesions import lesion, many_lesions
from probekit.lesions.change import How
from probekit.lesions.engine import Targets
from probekit.network import Entry, module_of
from probekit.progress import Progress, silent
from probekit.tasks.task import Task

AnyTask = Task | Callable[[Entry | nn.Module], Any]
_NUMBERS = 8_000_000
"""Activity of one layer in a pass, at most; larger tensors are slower, and hold no more lesions a second."""
_FEWEST = 4
"""Stimuli in a pass that are worth a lesion's own copy of them."""


@torch.no_grad()
def scores_under(
    network: Entry | nn.Module,
    task: AnyTask,
    lesions: Sequence[Targets],
    how: How = "zero",
    *,
    progress: Progress = silent,
    **change: Any,
) -> Floats:
    r"""Return the scores of a network under each of many lesions.

    Parameters
    ----------
    network : Entry or nn.Module
        In eval mode.
    task : Task or callable
        A function from the network to scores is called once a lesion.
    lesions : sequence
        Each as the `targets` of `probekit.lesion`; an empty mapping leaves the network intact.
    how, \*\*change
        As in `probekit.lesion`. What "resample" and "noise" draw is the same for all lesions, and drawn anew in each
        pass: it depends on how many trials share one.
    progress : Progress

    Returns
    -------
    array, shape (lesion, trial) or (lesion, trial, point)

    Raises
    ------
    UsageError
        If there are no lesions, or the task does not give as many scores under each.
    LayerError, UsageError, ModelError
        As `probekit.lesion` and the task do.
    """
    module = module_of(network)
    if isinstance(lesions, str | Mapping | pd.DataFrame) or not len(lesions):
        raise UsageError(
            f"lesions is {'an empty' if not len(lesions) else 'a'} {type(lesions).__name__}; expected a list of at "
            "least one lesion."
        )
    if not isinstance(task, Task):
        return _one_by_one(network, task, lesions, how, progress, change)
    found: list[Floats] = []
    done = 0
    late: dict[frozenset[str], bool | None] = {}
    with hooks.undisturbed(module):
        rows = _rows_at_once(module, task)
        stimuli = task.n_stimuli if task.over_set else min(task.n_stimuli, _FEWEST)
        at_once = min(len(lesions), max(1, rows // stimuli))
        batch = max(1, min(task.n_stimuli, rows // at_once))
        while done < len(lesions):
            chunk = lesions[done : done + at_once]
            progress("lesions", done, len(lesions))
            found.append(_chunk(module, task, chunk, how, batch, late, change))
            done += len(chunk)
    progress("lesions", done, len(lesions))
    return np.concatenate(found)


def _chunk(
    module: nn.Module,
    task: Task,
    lesions: Sequence[Targets],
    how: How,
    batch: int,
    late: dict[frozenset[str], bool | None],
    change: dict[str, Any],
) -> Floats:
    """Return the scores under lesions that share a pass; `late` keeps what was found out about their layers."""
    n = len(lesions)
    if all(_is_none(one) for one in lesions):
        return np.stack([task(module)] * n)
    read: list[torch.Tensor] = []
    parts: list[Floats] = []
    with many_lesions(module, lesions, how, forward=task.read, **change) as lesioned:
        lesioned.copies_late = late.get(lesioned.layers)
        for start in range(0, task.n_stimuli, batch):
            rows = torch.arange(start, min(start + batch, task.n_stimuli))
            said = lesioned(task.inputs[rows])
            if task.over_set:
                read.append(said.cpu())
            else:
                scores = task.scored(said.flatten(0, 1), rows.repeat(n))
                parts.append(scores.reshape(n, len(rows), *scores.shape[1:]))
    late[lesioned.layers] = lesioned.copies_late
    if task.over_set:
        every = torch.arange(task.n_stimuli)
        together = torch.cat(read, 1)
        return np.stack([task.scored(one, every) for one in together])
    return np.concatenate(parts, 1)


def _is_none(targets: Targets) -> bool:
    return isinstance(targets, Mapping) and not targets


def _one_by_one(
    network: Entry | nn.Module,
    task: Callable[[Entry | nn.Module], Any],
    lesions: Sequence[Targets],
    how: How,
    progress: Progress,
    change: dict[str, Any],
) -> Floats:
    if not callable(task):
        raise UsageError(f"task is a {type(task).__name__}; expected a Task, or a function from a network to scores.")
    found = []
    for done, targets in enumerate(lesions):
        progress("lesions", done, len(lesions))
        if _is_none(targets):
            scores = task(network)
        else:
            with lesion(network, targets, how, **change):
                scores = task(network)
        found.append(_as_scores(scores))
    shapes = {one.shape for one in found}
    if len(shapes) > 1:
        raise UsageError(f"task gave scores of shapes {sorted(shapes)}; expected the same trials under every lesion.")
    progress("lesions", len(lesions), len(lesions))
    return np.stack(found)


def _as_scores(scores: Any) -> Floats:
    if isinstance(scores, torch.Tensor):
        scores = scores.detach().cpu().double().numpy()
    try:
        given = np.asarray(scores)
    except ValueError as err:  # a ragged list
        raise UsageError(f"task gave a {type(scores).__name__}; expected scores, one a trial.") from err
    if given.dtype.kind not in "biuf":
        raise UsageError(f"task gave a {type(scores).__name__}; expected scores, one a trial.")
    found = given.astype(np.float64)
    if found.ndim > 2 or not found.size:
        raise UsageError(f"task gave scores of shape {found.shape}; expected (trial,) or (trial, point).")
    return np.atleast_1d(found)


def _rows_at_once(module: nn.Module, task: Task) -> int:
    """Return how many copies of a stimulus fit into a pass, by the largest tensor that a module returns for one."""
    largest = 1

    def receive(_: str, __: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        del args, kwargs
        nonlocal largest
        if isinstance(output, torch.Tensor):
            largest = max(largest, output.numel())

    with hooks.tapped(dict(module.named_modules()), receive):
        task.read(module, task.inputs[:1])
    return max(1, _NUMBERS // largest)
