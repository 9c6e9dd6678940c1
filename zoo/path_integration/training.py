"""The training of path integrators.

A batch depends on the seed and the number of the step alone, and a checkpoint holds weights, optimizer, random state
and log, so that a training that was killed goes on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from probekit import randomness
from probekit.navigation import Paths, random_walk
from probekit.progress import Progress, silent
from probekit.zoo import checkpoint
from probekit.zoo.path_integration.architecture import PathIntegrator
from probekit.zoo.path_integration.path_error import held_out_paths, path_error
from probekit.zoo.path_integration.recipe import Recipe, history_file

LOG_COLUMNS = ("step", "loss", "path_error_cm")
_N_HELD_OUT = 500
_FINAL_RATE = 0.05
_BELOW_HELD_OUT = 2**31
"""Seeds of batches are smaller than that of the held-out paths."""


@dataclass(eq=False)
class _Run:
    """A training on its way."""

    module: PathIntegrator
    optimizer: torch.optim.Optimizer
    step: int = 0
    log: list[dict[str, float]] = field(default_factory=list)
    history: dict[str, Tensor] = field(default_factory=dict)


def train(out: Path, recipe: Recipe, *, seed: int = 0, device: str = "cpu", progress: Progress = silent) -> Path:
    """Train a path integrator and return the file of its weights; go on where an earlier call was stopped.

    Beside ``FILE.safetensors`` lie ``FILE.csv`` (step, loss, path error on held-out paths),
    ``FILE-history.safetensors`` (weights at the steps of `recipe.history`, in half precision), and, until the end,
    ``FILE.checkpoint``.

    Parameters
    ----------
    out : path
        Ends in .safetensors, and does not exist.
    recipe : Recipe
    seed : int
        Of first weights, paths and dropout.
    device : str
        Torch device; the paths are the same on each.
    progress : Progress

    Raises
    ------
    UsageError
        If `out` exists or has another ending, or its checkpoint is of another seed or recipe.
    DataError
        If the checkpoint is damaged.
    """
    unfinished = out.with_suffix(".checkpoint")
    checkpoint.check_free(out, unfinished)
    identity = {"seed": seed, **asdict(recipe)}
    state = checkpoint.read(unfinished, identity) if unfinished.exists() else None
    with randomness.seeded(seed):
        run = _begin(recipe, device)
        if state:
            _resume(run, state)
        while run.step < recipe.n_steps:
            _step(run, recipe, seed)
            if run.step % recipe.checkpoint_every == 0 or run.step == recipe.n_steps:
                checkpoint.write(unfinished, _state(run, identity))
                checkpoint.write_log(out.with_suffix(".csv"), run.log, LOG_COLUMNS)
            progress("training", run.step, recipe.n_steps)
    if run.history:
        with checkpoint.replacing(history_file(out)) as new:
            new.write_bytes(safetensors.torch.save(run.history))
    checkpoint.write_weights(out, run.module, identity)
    unfinished.unlink()
    return out


def _begin(recipe: Recipe, device: str) -> _Run:
    module = PathIntegrator(recipe.design).to(device)
    if recipe.optimizer == "adam":
        return _Run(module, torch.optim.Adam(module.parameters(), recipe.learning_rate))
    rate = recipe.learning_rate
    return _Run(module, torch.optim.RMSprop(module.parameters(), rate, alpha=0.9, eps=1e-10, momentum=0.9))


def _resume(run: _Run, state: Mapping[str, Any]) -> None:
    run.module.load_state_dict(state["module"])
    run.optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    run.step, run.log, run.history = state["step"], state["log"], state["history"]


def _state(run: _Run, identity: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "identity": dict(identity),
        "module": run.module.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "step": run.step,
        "log": run.log,
        "history": run.history,
    }


def _step(run: _Run, recipe: Recipe, seed: int) -> None:
    """Take one step; log it and keep its weights where the recipe says so."""
    module = run.module.train()
    device = next(module.parameters()).device
    paths = _batch(recipe, seed, run.step)
    positions = torch.from_numpy(paths.positions[:, 1:]).float().to(device)
    headings = torch.from_numpy(paths.headings[:, 1:]).float().to(device)
    loss = module.loss(module(module.encode(paths).to(device)), positions, headings)
    for group in run.optimizer.param_groups:
        group["lr"] = recipe.learning_rate * _falling(run.step / recipe.n_steps, recipe.falls_after)
    run.optimizer.zero_grad()
    decayed = [value for name, value in module.named_parameters() if _is_decayed(name, recipe)]
    penalty = torch.stack([weights.square().sum() for weights in decayed]).sum()
    (loss + recipe.decay * penalty).backward()  # type: ignore[no-untyped-call]
    if recipe.clip:
        torch.nn.utils.clip_grad_value_(_outer(module), recipe.clip)
    run.optimizer.step()
    run.step += 1
    if run.step in recipe.history:
        run.history |= {f"{run.step}/{name}": value.half() for name, value in module.state_dict().items()}
    if run.step % recipe.log_every == 0 or run.step == recipe.n_steps:
        held_out = held_out_paths(module, recipe.motion, _N_HELD_OUT, recipe.path_steps)
        error = float(path_error(module, held_out).mean())
        run.log.append({"step": run.step, "loss": float(loss.detach()), "path_error_cm": 100 * error})


def _batch(recipe: Recipe, seed: int, step: int) -> Paths:
    """Return the paths of one training step."""
    number = int(np.random.SeedSequence([seed, step]).generate_state(1)[0] % _BELOW_HELD_OUT)
    return random_walk(recipe.design.arena, recipe.motion, recipe.batch_size, recipe.path_steps, seed=number)


def _falling(done: float, after: float) -> float:
    """Return what the learning rate is multiplied by when this share of the training is done."""
    if done <= after or after >= 1:
        return 1.0
    return _FINAL_RATE + (1 - _FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * (done - after) / (1 - after)))


def _is_decayed(name: str, recipe: Recipe) -> bool:
    recurrent = "weight_hh" in name
    return recurrent if recipe.decayed == "recurrent" else name.startswith(("bottleneck", "readout"))


def _outer(module: PathIntegrator) -> list[Tensor]:
    return [value for name, value in module.named_parameters() if name.startswith(("bottleneck", "readout"))]
