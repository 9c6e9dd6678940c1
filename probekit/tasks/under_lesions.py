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
from probekit.layers import modules_by_name
from probekit.lesions import lesion, many_lesions
from probekit.lesions.change import How
from probekit.lesions.engine import Targets
from probekit.lesions.targets import targets_of
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
    if isinstance(task, Task) and task.base is not None:
        return task.weighted(scores_under(network, task.base, lesions, how, progress=progress, **change))
    if not isinstance(task, Task):
        return _one_by_one(network, task, lesions, how, progress, change)
    with hooks.undisturbed(module):
        return _Shared(module, task, how, change).scores(lesions, progress)


class _Shared:
    """Lesions that share passes: of a few stimuli at a time, what comes before the lesion is run once for all."""

    def __init__(self, module: nn.Module, task: Task, how: How, change: dict[str, Any]) -> None:
        self.module, self.task, self.how, self.change = module, task, how, change
        self.late: dict[frozenset[str], bool] = {}

    def scores(self, lesions: Sequence[Targets], progress: Progress) -> Floats:
        task, n = self.task, len(lesions)
        layers = self._layers(lesions)
        is_late = self._copies_late(lesions)
        before, rows = self._looked_at(layers if is_late else frozenset())
        stimuli = task.n_stimuli if task.over_set else min(task.n_stimuli, _FEWEST)
        at_once = min(n, max(1, rows // stimuli))
        batch = max(1, min(task.n_stimuli, rows // at_once))
        starts = range(0, task.n_stimuli, batch)
        said: list[list[Floats]] = []
        with hooks.remembering(before) as forget:
            for number, start in enumerate(starts):
                forget()
                shown = torch.arange(start, min(start + batch, task.n_stimuli))
                said.append([])
                for first in range(0, n, at_once):
                    progress("lesions", number * n + first, n * len(starts))
                    said[-1].append(self._chunk(lesions[first : first + at_once], shown))
        progress("lesions", n * len(starts), n * len(starts))
        found = np.concatenate([np.concatenate(of_batch) for of_batch in said], 1)
        if not task.over_set:
            return found
        every = torch.arange(task.n_stimuli)
        return np.stack([task.scored(torch.from_numpy(one), every) for one in found])

    def _chunk(self, lesions: Sequence[Targets], rows: torch.Tensor) -> Floats:
        """Return the scores of some stimuli under lesions that share a pass; of a whole set, what is read of them."""
        task, n = self.task, len(lesions)
        inputs = task.inputs[rows]
        if all(_is_none(one) for one in lesions):
            read = torch.stack([task.read(self.module, inputs)] * n)
        else:
            copies_late = self._copies_late(lesions)
            with many_lesions(self.module, lesions, self.how, forward=task.read, **self.change) as lesioned:
                lesioned.copies_late = copies_late
                read = lesioned(inputs)
        if task.over_set:
            return np.asarray(read.cpu().double().numpy())
        scores = task.scored(read.flatten(0, 1), rows.repeat(n))
        return scores.reshape(n, len(rows), *scores.shape[1:])

    def _layers(self, lesions: Sequence[Targets]) -> frozenset[str]:
        there = (one for one in lesions if not _is_none(one))
        return frozenset(layer for one in there for layer, _ in targets_of(self.module, one))

    def _copies_late(self, lesions: Sequence[Targets]) -> bool:
        """Return whether the batch can be copied at the first of these layers, tried once with few lesions of them."""
        layers = self._layers(lesions)
        if layers and layers not in self.late:
            tried: dict[frozenset[str], Targets] = {}
            for one in lesions:
                tried.setdefault(self._layers([one]), one)
            few = [*tried.values(), next(one for one in lesions if not _is_none(one))]
            with many_lesions(self.module, few, self.how, forward=self.task.read, **self.change) as lesioned:
                lesioned(self.task.inputs[:_FEWEST])
            self.late[layers] = bool(lesioned.copies_late)
        return self.late.get(layers, False)

    def _looked_at(self, lesioned: frozenset[str]) -> tuple[list[nn.Module], int]:
        """Return what is over before the first of the `lesioned` layers begins, and the copies that fit into a pass.

        These are counted by the largest tensor that a module returns for one stimulus from that layer on; without
        lesioned layers, by any.
        """
        known = modules_by_name(self.module)
        largest, begun = 1, not lesioned
        done: dict[str, nn.Module] = {}
        after: set[nn.Module] = set()

        def begin(name: str, args: Any, kwargs: Any) -> None:
            del args, kwargs
            nonlocal begun
            begun = begun or name in lesioned

        def end(name: str, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            del args, kwargs
            nonlocal largest
            if not begun:
                done[name] = module
                return
            after.add(module)
            first = output[0] if isinstance(output, tuple) and output else output
            if isinstance(first, torch.Tensor):
                largest = max(largest, first.numel())

        with hooks.tapped_before(known, begin), hooks.tapped(known, end):
            self.task.read(self.module, self.task.inputs[:1])
        whole = [
            module
            for name, module in done.items()
            if module not in after and not any(name.startswith(f"{other}.") for other in done)
        ]
        return list(dict.fromkeys(whole)), max(1, _NUMBERS // largest)


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
