"""How a path integrator with shipped weights becomes a network of the zoo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from probekit.navigation import Adapter, Task
from probekit.network import Card
from probekit.progress import Progress
from probekit.zoo.model import AsIs, Model
from probekit.zoo.path_integration.architecture import Design, PathIntegrator, encode
from probekit.zoo.path_integration.recipe import Recipe, history_file
from probekit.zoo.weights import fill, read


def model(card: Card, recipe: Recipe, weights: Path, *, trains: bool) -> Model:
    """Return the zoo's model of a path integrator.

    Parameters
    ----------
    card : Card
        Its input shape is set here.
    recipe : Recipe
        By which it was trained.
    weights : path
        The shipped weights.
    trains : bool
        Whether `probekit train` knows it by this name.
    """
    design = recipe.design
    return Model(
        card=replace(card, input_shape=(recipe.path_steps, design.n_movement + 3)),
        preprocess=AsIs(),
        build=partial(PathIntegrator, design),
        load=partial(_load, design, weights),
        here=lambda: True,
        train=partial(_train, recipe) if trains else None,
        task=Task(
            design.arena,
            recipe.motion,
            recipe.path_steps,
            adapter(design),
            partial(_history, design, history_file(weights)) if history_file(weights).exists() else None,
        ),
    )


def adapter(design: Design) -> Adapter:
    """Return how a path integrator of this design is told of paths and read."""
    cells, n = design.place_cells, design.n_place_cells

    def decode(scores: Tensor) -> Tensor:
        return cells.to(scores.device).decode(scores[..., :n])

    return Adapter(partial(encode, design=design), decode, cells.activity)


def _load(design: Design, own: Path, weights: Path | None) -> nn.Module:
    file = own if weights is None else weights
    return fill(PathIntegrator(design), read(file), file)


def _history(design: Design, file: Path) -> Iterator[tuple[int, nn.Module]]:
    """Yield the network as it was at each kept step of its training."""
    kept = read(file)
    for step in sorted({int(name.partition("/")[0]) for name in kept}):
        start = f"{step}/"
        state = {name.removeprefix(start): value.float() for name, value in kept.items() if name.startswith(start)}
        yield step, fill(PathIntegrator(design), state, file).eval()


def _train(recipe: Recipe, out: Path, *, seed: int, quick: bool, device: str, progress: Progress) -> Path:
    from probekit.zoo.path_integration.training import train  # not needed to list the network

    if quick:
        recipe = replace(recipe, n_steps=200, history=(50, 100), log_every=50, checkpoint_every=50)
    return train(out, recipe, seed=seed, device=device, progress=progress)
