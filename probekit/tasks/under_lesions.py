"""How well a network does under many lesions, in as few passes as memory allows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from probekit import hooks
from probekit.arguments import Floats
from probekit.errors import UsageError
from probekit.layers import modules_by_name
from probekit.lesions import lesion, many_lesions
from probekit.lesions.change import How
from probekit.lesions.engine import Targets
from probekit.lesions.targets import targets_of
from probekit.network import Entry, module_of
from probekit.progress import Progress, silent
from probekit.tasks.task import Task

AnyTask = Task | Callable[[Entry | nn.Module], Any]
_NUMBERS, _MOST_NUMBERS = 8_000_000, 64_000_000
"""Activity of one layer in a pass: what is quick, and what memory bears."""
_ROWS = 1200
"""Copies of stimuli in a pass, so many that what runs before the lesion hardly counts; as far as memory bears."""
_FEWEST = 2
"""Stimuli in a pass, at least."""


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
    if isinstance(task, Task) and task.base is not None:
        return task.weighted(scores_under(network, task.base, lesions, how, progress=progress, **change))
    if not isinstance(task, Task):
        return _one_by_one(network, task, lesions, how, progress, change)
    found: list[Floats] = []
    done = 0
    late: dict[frozenset[str], bool] = {}
    with hooks.undisturbed(module):
        layers = _layers(module, lesions)
        rows = _rows_at_once(module, task, layers if _copies_late(module, task, lesions, how, late, change) else ())
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


def all_scores_under(
    network: Entry | nn.Module,
    tasks: Mapping[str, AnyTask],
    lesions: Sequence[Targets],
    how: How = "zero",
    *,
    progress: Progress = silent,
    **change: Any,
) -> dict[str, Floats]:
    """Return the scores of several tasks as `scores_under` does; views of one task share its passes."""
    found: dict[str, Floats] = {}
    of_base: dict[int, Floats] = {}
    for name, task in tasks.items():
        base = task.base if isinstance(task, Task) and task.base is not None else task
        if id(base) not in of_base:
            of_base[id(base)] = scores_under(network, base, lesions, how, progress=progress, **change)
        scores = of_base[id(base)]
        found[name] = task.weighted(scores) if isinstance(task, Task) else scores
    return found


def _chunk(
    module: nn.Module,
    task: Task,
    lesions: Sequence[Targets],
    how: How,
    batch: int,
    late: dict[frozenset[str], bool],
    change: dict[str, Any],
) -> Floats:
    """Return the scores under lesions that share a pass; `late` keeps what was found out about their layers."""
    n = len(lesions)
    if all(_is_none(one) for one in lesions):
        return np.stack([task(module)] * n)
    read: list[torch.Tensor] = []
    parts: list[Floats] = []
    copies_late = _copies_late(module, task, lesions, how, late, change)
    with many_lesions(module, lesions, how, forward=task.read, **change) as lesioned:
        lesioned.copies_late = copies_late
        for start in range(0, task.n_stimuli, batch):
            rows = torch.arange(start, min(start + batch, task.n_stimuli))
            said = lesioned(task.inputs[rows])
            if task.over_set:
                read.append(said.cpu())
            else:
                scores = task.scored(said.flatten(0, 1), rows.repeat(n))
                parts.append(scores.reshape(n, len(rows), *scores.shape[1:]))
    if task.over_set:
        every = torch.arange(task.n_stimuli)
        together = torch.cat(read, 1)
        return np.stack([task.scored(one, every) for one in together])
    return np.concatenate(parts, 1)


def _layers(module: nn.Module, lesions: Sequence[Targets]) -> frozenset[str]:
    return frozenset(layer for one in lesions if not _is_none(one) for layer, _ in targets_of(module, one))


def _copies_late(
    module: nn.Module,
    task: Task,
    lesions: Sequence[Targets],
    how: How,
    late: dict[frozenset[str], bool],
    change: dict[str, Any],
) -> bool:
    """Return whether the batch can be copied at the first of these layers, tried once with few lesions of them."""
    layers = _layers(module, lesions)
    if layers and layers not in late:
        tried: dict[frozenset[str], Targets] = {}
        for one in lesions:
            tried.setdefault(_layers(module, [one]), one)
        few = [*tried.values(), next(one for one in lesions if not _is_none(one))]
        with many_lesions(module, few, how, forward=task.read, **change) as lesioned:
            lesioned(task.inputs[:_FEWEST])
        late[layers] = bool(lesioned.copies_late)
    return late.get(layers, False)


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


def _rows_at_once(module: nn.Module, task: Task, lesioned: Collection[str]) -> int:
    """Return how many copies of a stimulus fit into a pass, by the largest tensor that a module returns for one.

    Only what returns from the first of the `lesioned` layers on counts; if there are none, everything.
    """
    largest, begun = 1, not lesioned

    def receive(name: str, _: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        del args, kwargs
        nonlocal largest, begun
        begun = begun or name in lesioned
        first = output[0] if isinstance(output, tuple) and output else output
        if begun and isinstance(first, torch.Tensor):
            largest = max(largest, first.numel())

    with hooks.tapped(modules_by_name(module), receive):
        task.read(module, task.inputs[:1])
    return max(1, _NUMBERS // largest, min(_ROWS, _MOST_NUMBERS // largest))
