"""A network sent through an arena, and recorded on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from probekit import stimuli
from probekit.arguments import Floats, instance, whole
from probekit.errors import ModelError, ProbekitError, UsageError
from probekit.layers import LayerSpec
from probekit.navigation import NETWORK_MOTION, Adapter, Arena, Motion, Navigation, Paths, Task, random_walk
from probekit.network import Card, Entry
from probekit.progress import Progress, silent
from probekit.recorder import record
from probekit.recording import Recording

_N_SAMPLES = 200_000
"""Enough for gridness to correlate .999 between two recordings."""
_N_STEPS = 20


def navigate(
    network: Entry | nn.Module,
    arena: Arena | None = None,
    adapter: Adapter | None = None,
    *,
    paths: Paths | None = None,
    motion: Motion | None = None,
    n_paths: int | None = None,
    n_steps: int | None = None,
    layers: LayerSpec = None,
    seed: int = 0,
    device: str | None = None,
    batch_size: int = 500,
    progress: Progress = silent,
) -> Navigation:
    """Return what the units of a recurrent network do while it is led along paths.

    Parameters
    ----------
    network : Entry or nn.Module
        Of the zoo, or one's own. The module is afterwards as before.
    arena : Arena, optional
        Default: that of the paths, else that of the network's training (`Entry.task`).
    adapter : Adapter, optional
        How the network is told of a path and how its output is read. Default: the one of `Entry.task`.
    paths : Paths, optional
        To lead it along these, such as an animal's. Default: random walks.
    motion : Motion, optional
        Of the random walks. Default: that of the training, else `NETWORK_MOTION`.
    n_paths, n_steps : int, optional
        Of the random walks. Default: the steps of the training, else 20, and paths for 200,000 steps together.
    layers : str, list of str, optional
        Names or patterns of recorded layers that have a time axis or are called once a step. Default: those on the
        network's card, else those that `record` chooses.
    seed : int
        Of the random walks.
    device : str, optional
        Torch device. Default: where the module is.
    batch_size : int
        Paths in one forward pass.
    progress : Progress

    Returns
    -------
    Navigation
        Path by path, each in the order of time; parts of a recurrent layer have their name after a colon.

    Raises
    ------
    UsageError
        If arena or adapter is missing, or what excludes each other is given.
    ModelError
        If the network cannot take what the adapter makes of a path, its output has no place for every step, or it mixes
        paths.

    Examples
    --------
    >>> import torch
    >>> adapter = Adapter(lambda paths: torch.from_numpy(paths.displacements).float())
    >>> network = torch.nn.GRU(2, 4, batch_first=True)
    >>> walked = navigate(network, Arena.square(1.0), adapter, n_paths=3, layers=".:output")
    >>> walked[".:output"].shape
    (60, 4)
    """
    entry = network if isinstance(network, Entry) else _bare(network)
    route = _route(entry, arena, adapter, motion, n_steps, paths)
    if paths is None:
        n = -(-_N_SAMPLES // route.n_steps) if n_paths is None else whole("n_paths", n_paths, 1)
        paths = random_walk(route.arena, route.motion, n, route.n_steps, seed=seed)
    elif n_paths is not None or n_steps is not None or motion is not None or paths.arena != route.arena:
        raise UsageError("paths exclude n_paths, n_steps and motion, and another arena; give one or the other.")
    told = _told(route.adapter, paths)
    led = _Led(route.adapter, np.full((len(paths), paths.n_steps, 2), np.nan))
    free = replace(entry, card=replace(entry.card, input_shape=()))

    def recorded(told: Tensor, led: _Led, progress: Progress) -> Recording:
        shown = stimuli.array(told, dims=("time", "unit"), name="paths")
        return record(free, shown, layers=layers, batch_size=batch_size, device=device, forward=led, progress=progress)

    recording = recorded(told, led, progress)
    activity = {layer: _by_step(recording, layer, paths) for layer in recording}
    if len(paths) > 1:
        _check_apart(
            activity, paths.n_steps, lambda: recorded(told[-1:], _Led(route.adapter, led.places[-1:].copy()), silent)
        )
    said = dict(recording.provenance) | {
        "arena": repr(paths.arena), "n_paths": len(paths), "path_steps": paths.n_steps, "dt_s": paths.dt, "seed": seed
    }  # fmt: skip
    decoded = None if route.adapter.decode is None else led.places.reshape(-1, 2)
    return Navigation(paths.tracking(), activity, decoded, said)


def _by_step(recording: Recording, layer: str, paths: Paths) -> np.ndarray:
    """Return activity, shape (sample, unit), of a layer that gives all steps at once or is called once a step."""
    sizes = dict(recording[layer].sizes)
    if paths.n_steps not in (sizes.get("time"), sizes.get("call")):
        raise UsageError(
            f"layer '{layer}' has dims {sizes}; expected a time axis of {paths.n_steps} steps, or one call a "
            "step. Name layers that have one (layers=)."
        )
    return recording.responses(layer).reshape(len(paths) * paths.n_steps, -1)


def _check_apart(activity: Mapping[str, np.ndarray], n_steps: int, again: Callable[[], Recording]) -> None:
    """Refuse a network that mixes paths, as one that takes (time, path, feature) does.

    The last path is led alone; a random network, which differs from itself, cannot be judged.
    """
    alone, once_more = again(), again()
    for layer, values in activity.items():
        one, two = (each.responses(layer).reshape(n_steps, -1) for each in (alone, once_more))
        if np.array_equal(one, two) and not np.allclose(
            one, values[-n_steps:], rtol=1e-3, atol=1e-4 * np.abs(one).max()
        ):
            raise ModelError(
                f"layer '{layer}': what the network does along a path depends on the other paths of the batch; "
                "expected a network that takes (path, time, feature), such as a torch.nn.GRU with batch_first=True."
            )


@dataclass(frozen=True, eq=False)
class _Led:
    """Runs the network, and keeps what it says of its place; a path is shown again when layers are surveyed."""

    adapter: Adapter
    places: Floats

    def __call__(self, module: nn.Module, inputs: Tensor, rows: pd.DataFrame) -> Any:
        output = module(inputs)
        if self.adapter.decode is not None:
            said = self.adapter.decode(output)
            expected = (len(inputs), *self.places.shape[1:])
            if not isinstance(said, Tensor) or tuple(said.shape) != expected:
                shape = tuple(said.shape) if isinstance(said, Tensor) else type(said).__name__
                raise ModelError(f"adapter.decode gave {shape}; expected a tensor of shape {expected}.")
            if not said.isfinite().all():
                raise ModelError("adapter.decode gave nan or infinite places; expected m.")
            self.places[rows.index.to_numpy()] = said.detach().cpu().numpy()
        return output


def _bare(network: Any) -> Entry:
    if not isinstance(network, nn.Module):
        raise UsageError(f"network is a {type(network).__name__}; expected a torch.nn.Module or an entry of the zoo.")
    return Entry(network, _unchanged, Card(type(network).__name__, "module", (), "unknown"))


def _unchanged(batch: Tensor) -> Tensor:
    return batch


def _route(
    entry: Entry,
    arena: Arena | None,
    adapter: Adapter | None,
    motion: Motion | None,
    n_steps: int | None,
    paths: Paths | None,
) -> Task:
    """Return where and how the network is led: as asked for, else as it was trained."""
    task = entry.task
    for name, given, kind in (
        ("arena", arena, Arena), ("adapter", adapter, Adapter), ("motion", motion, Motion), ("paths", paths, Paths)
    ):  # fmt: skip
        if given is not None:
            instance(name, given, kind)
    found_arena = arena or (paths.arena if paths else None) or (task.arena if task else None)
    found_adapter = adapter or (task.adapter if task else None)
    for name, found, example in (
        ("arena", found_arena, "probekit.navigation.Arena.square(2.2)"),
        ("adapter", found_adapter, "probekit.navigation.Adapter(encode, decode)"),
    ):
        if found is None:
            raise UsageError(f"{name} is missing: '{entry.card.name}' has no navigation task; give one, {example}.")
    assert found_arena is not None
    assert found_adapter is not None
    steps = n_steps if n_steps is not None else (task.n_steps if task else _N_STEPS)
    return Task(
        found_arena, motion or (task.motion if task else NETWORK_MOTION), whole("n_steps", steps, 1), found_adapter
    )


def _told(adapter: Adapter, paths: Paths) -> Tensor:
    try:
        told = adapter.encode(paths)
    except ProbekitError:
        raise
    except Exception as err:  # whatever the user's function raises
        raise ModelError(f"adapter.encode raised {type(err).__name__}: {err}") from err
    if not isinstance(told, torch.Tensor) or told.ndim != 3 or told.shape[:2] != (len(paths), paths.n_steps):
        shape = tuple(told.shape) if isinstance(told, torch.Tensor) else type(told).__name__
        raise UsageError(
            f"adapter.encode gave {shape}; expected a tensor of shape (path, time, feature), here "
            f"({len(paths)}, {paths.n_steps}, …)."
        )
    return told
