"""The training of v1net: filters from natural patches, then which photograph a crop is from.

A batch depends on the seed and the number of the step alone, and a checkpoint holds weights, momentum and log, so that
a training that was killed goes on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from probekit import randomness
from probekit.progress import Progress, silent
from probekit.zoo import checkpoint
from probekit.zoo.v1net.architecture import FILTER_SIZE, INPUT_SHAPE, N_FILTERS, V1Net
from probekit.zoo.v1net.ica import basis_functions
from probekit.zoo.v1net.photographs import Photographs, crops, photographs, rotated_patches
from probekit.zoo.v1net.recipe import FULL, PREPROCESS, QUICK, Recipe

LOG_COLUMNS = ("step", "loss", "accuracy", "held_out_accuracy")
_SIZE = INPUT_SHAPE[-1]
_PATCHES, _ROTATION, _GAIN, _HELD_OUT, _STEP = range(5)
"""What random numbers are drawn for: each purpose has its own."""
_GAIN_CROPS = 256
_HELD_OUT_SEED = 0  # every training is examined on the same crops


@dataclass(eq=False)
class _Run:
    """A training on its way."""

    module: V1Net
    optimizer: torch.optim.Optimizer
    step: int = 0
    log: list[dict[str, float]] = field(default_factory=list)


def train(
    out: Path,
    *,
    seed: int = 0,
    quick: bool = False,
    device: str = "cpu",
    progress: Progress = silent,
    recipe: Recipe | None = None,
) -> Path:
    """Train v1net and return the file of its weights; go on where an earlier call with the same arguments was stopped.

    Beside ``FILE.safetensors`` lie ``FILE.csv`` (step, loss and accuracy on the step's crops; in the last row accuracy
    on crops of the thirds of the photographs that were not shown) and, until the end, ``FILE.checkpoint``.

    Parameters
    ----------
    out : path
        Ends in .safetensors, and does not exist.
    seed : int
        Of patches, first weights, and crops.
    quick : bool
        Few photographs and steps, to see that it runs.
    device : str
        Torch device; the crops are the same on each.
    progress : Progress
    recipe : Recipe, optional
        Default: the one of the shipped weights, or that of `quick`.

    Raises
    ------
    UsageError
        If `out` exists or has another ending, or its checkpoint is of another seed or recipe.
    DataError
        If the photographs cannot be had, or the checkpoint is damaged.
    """
    chosen = recipe or (QUICK if quick else FULL)
    unfinished = out.with_suffix(".checkpoint")
    checkpoint.check_free(out, unfinished)
    identity = {"seed": seed, **asdict(chosen)}
    state = checkpoint.read(unfinished, identity) if unfinished.exists() else None
    shown = photographs(chosen.n_photographs, progress=progress)
    run = _resumed(state, chosen, device) if state else _begin(shown, chosen, seed, device, progress)
    while run.step < chosen.n_steps:
        _step(run, shown, chosen, seed)
        if run.step == chosen.n_steps:
            run.log[-1]["held_out_accuracy"] = held_out_accuracy(run.module, shown, chosen.n_held_out)
        if run.step % chosen.checkpoint_every == 0 or run.step == chosen.n_steps:
            checkpoint.write(unfinished, _state(run, identity))
            checkpoint.write_log(out.with_suffix(".csv"), run.log, LOG_COLUMNS)
        progress("training", run.step, chosen.n_steps)
    checkpoint.write_weights(out, run.module, identity | {"held_out_accuracy": run.log[-1]["held_out_accuracy"]})
    unfinished.unlink()
    return out


def held_out_accuracy(module: V1Net, shown: Photographs, n: int) -> float:
    """Return the share of `n` crops of the photographs' held-out thirds whose photograph is named; leaves eval mode."""
    module.eval()
    device = next(module.parameters()).device
    images, labels = crops(shown.held_out, n, _SIZE, np.random.default_rng([_HELD_OUT_SEED, _HELD_OUT]))
    with torch.no_grad():
        named = [module(PREPROCESS(part).to(device)).argmax(1).cpu() for part in torch.split(images, 100)]
    return float((torch.cat(named) == labels).double().mean())


def _begin(shown: Photographs, recipe: Recipe, seed: int, device: str, progress: Progress) -> _Run:
    """Return a fresh network whose filters are basis functions of natural patches.

    Their gain makes the responses to photographs 1 on average (root of the mean square).
    """
    progress("patches", 0, 1)
    rng = np.random.default_rng([seed, _PATCHES])
    patches = rotated_patches(shown.learned, recipe.n_patches, FILTER_SIZE, rng).to(device)
    rng = np.random.default_rng([seed, _ROTATION])
    filters = basis_functions(patches, recipe.n_components, N_FILTERS, rng, rounds=recipe.ica_rounds, progress=progress)
    with randomness.seeded(seed):
        module = V1Net().to(device)
    images, _ = crops(shown.learned, _GAIN_CROPS, _SIZE, np.random.default_rng([seed, _GAIN]))
    with torch.no_grad():
        module.filters.weight.copy_(filters)
        energy = module.filters(PREPROCESS(images).to(device)).square().mean((0, 2, 3), keepdim=True)
        module.filters.weight.div_(energy.sqrt().transpose(0, 1))
    return _Run(module, _optimizer(module, recipe))


def _resumed(state: Mapping[str, Any], recipe: Recipe, device: str) -> _Run:
    module = V1Net().to(device)
    module.load_state_dict(state["module"])
    optimizer = _optimizer(module, recipe)
    optimizer.load_state_dict(state["optimizer"])
    return _Run(module, optimizer, state["step"], state["log"])


def _state(run: _Run, identity: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "identity": dict(identity),
        "module": run.module.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "step": run.step,
        "log": run.log,
    }


def _optimizer(module: V1Net, recipe: Recipe) -> torch.optim.Optimizer:
    v1 = module.v1_parameters()
    own = {id(parameter) for parameter in v1}
    others = [parameter for parameter in module.parameters() if id(parameter) not in own]
    groups = [{"params": others, "weight_decay": recipe.weight_decay}, {"params": v1, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, recipe.learning_rate, recipe.momentum, nesterov=True)


def _step(run: _Run, shown: Photographs, recipe: Recipe, seed: int) -> None:
    """Take one step, and log it."""
    images, labels = crops(shown.learned, recipe.batch_size, _SIZE, np.random.default_rng([seed, _STEP, run.step]))
    device = next(run.module.parameters()).device
    falling = 0.5 * (1 + math.cos(math.pi * run.step / recipe.n_steps))
    others, v1 = run.optimizer.param_groups
    others["lr"], v1["lr"] = recipe.learning_rate * falling, recipe.v1_learning_rate * falling
    run.module.train()
    scores = run.module(PREPROCESS(images).to(device))
    loss = functional.cross_entropy(scores, labels.to(device))
    run.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    run.optimizer.step()
    run.step += 1
    accuracy = float((scores.argmax(1).cpu() == labels).double().mean())
    run.log.append({"step": run.step, "loss": float(loss.detach()), "accuracy": accuracy})
