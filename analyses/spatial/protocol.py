"""The protocol: the network, its twin and random read-outs led along the same kind of paths, all units measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from probekit.analyses.released_gridness import gridness_of
from probekit.analyses.spatial.assemble import assemble
from probekit.analyses.spatial.layer import Layer, measured_layer
from probekit.analyses.spatial.measure import Options
from probekit.analyses.spatial.random_readout import random_readout
from probekit.analyses.spatial.real_cells import real_cells
from probekit.analyses.spatial.summary import PathErrors
from probekit.analyses.twins import named, notes_on_twin, with_twin
from probekit.analysis import Protocol
from probekit.arguments import Floats
from probekit.errors import NotApplicableError
from probekit.navigation import Navigation, Task, guess_error, path_error, random_walk
from probekit.navigator import navigate
from probekit.network import Entry
from probekit.result import Result
from probekit.spatial.rate_maps import rate_maps

_SAMPLES, _QUICK_SAMPLES, _HISTORY_SAMPLES = 200_000, 40_000, 40_000
_NULLS, _QUICK_NULLS = 100, 20
_LONG_STEPS, _LONG_PATHS, _EXAMPLES = 100, 500, 6
_QUICK_NOTE = (
    f"Quick run: {_QUICK_SAMPLES:,} steps instead of {_SAMPLES:,}, {_QUICK_NULLS} surrogates of each kind instead of "
    f"{_NULLS}, so that fewer units can be named grid or border cells."
)


def run_protocol(entry: Entry, protocol: Protocol) -> Result:
    """Return what the units of a navigating network, of its untrained twin and of random read-outs are.

    Raises
    ------
    NotApplicableError
        If nothing is known of how the network finds its way.
    """
    task = _task(entry)
    options = Options(n_nulls=_QUICK_NULLS if protocol.quick else _NULLS, seed=protocol.seed)
    networks = with_twin(entry, protocol.seed)
    layers: list[Layer] = []
    by_step: dict[str, Floats] = {}
    recorded: dict[str, Mapping[str, Any]] = {}
    arrays: dict[str, xr.DataArray] = {}
    first: Navigation | None = None
    for network, one in networks.items():
        progress = named(protocol.progress, network)
        walked = _walk(one, task, protocol, progress)
        errors = PathErrors()
        if walked.decoded is not None:
            far = _walk_far(one, protocol)
            errors, by_step[network] = _errors(walked, far, task, protocol.seed), path_error(far)
            if network == "trained":
                arrays |= _examples(far)
        recorded[network] = walked.provenance
        first = first or walked
        for name in walked.activity:
            layers.append(measured_layer(network, name, walked, options, errors=errors, progress=progress))
    assert first is not None
    control = random_readout(
        first.tracking, len(layers[0].measured.table), place_code=task.adapter.place_code, seed=protocol.seed
    )
    layers.append(
        measured_layer("random read-out", "place code", control, options, progress=named(protocol.progress, "control"))
    )
    if by_step:
        paths = random_walk(task.arena, task.motion, _LONG_PATHS, _LONG_STEPS, seed=protocol.seed + 1)
        arrays["path_error"] = _stacked(by_step | {"still at the start": guess_error(paths)})
    arrays |= _emergence(entry, task, layers[0].name, protocol)
    cells, missing = real_cells()
    quick = (_QUICK_NOTE,) if protocol.quick else ()
    notes = (*quick, *notes_on_twin(entry), *missing)
    return assemble(layers, task.arena, recorded, options, arrays=arrays | cells, notes=notes)


def _task(entry: Entry) -> Task:
    if entry.task is None:
        raise NotApplicableError(
            f"'{entry.card.name}' has no navigation task; spatial needs a network that is led along paths. Say how: "
            "probekit.Entry(module, preprocess, card, build, task=probekit.navigation.Task(…))."
        )
    return entry.task


def _walk(entry: Entry, task: Task, protocol: Protocol, progress: Any) -> Navigation:
    n_samples = _QUICK_SAMPLES if protocol.quick else _SAMPLES
    return navigate(
        entry,
        n_paths=max(1, n_samples // task.n_steps),
        layers=protocol.layers,
        seed=protocol.seed,
        device=protocol.device,
        progress=progress,
    )


def _walk_far(entry: Entry, protocol: Protocol) -> Navigation:
    return navigate(
        entry,
        n_paths=_LONG_PATHS,
        n_steps=_LONG_STEPS,
        layers=protocol.layers,
        seed=protocol.seed + 1,
        device=protocol.device,
    )


def _errors(walked: Navigation, far: Navigation, task: Task, seed: int) -> PathErrors:
    said = path_error(walked)
    guess = guess_error(random_walk(task.arena, task.motion, _LONG_PATHS, task.n_steps, seed=seed))
    return PathErrors(float(said.mean()), float(said[-1]), float(path_error(far).mean()), float(guess.mean()))


def _examples(far: Navigation) -> dict[str, xr.DataArray]:
    """Return some long paths, and where the network said that it was."""
    assert far.decoded is not None
    shape = (_LONG_PATHS, _LONG_STEPS, 2)
    return {
        name: xr.DataArray(places.reshape(shape)[:_EXAMPLES], dims=("path", "time", "axis"))
        for name, places in (("example_position", far.tracking.positions), ("example_decoded", far.decoded))
    }


def _stacked(by_step: Mapping[str, Floats]) -> xr.DataArray:
    return xr.DataArray(np.stack(list(by_step.values())), dims=("network", "time"), coords={"network": list(by_step)})


def _emergence(entry: Entry, task: Task, layer: str, protocol: Protocol) -> dict[str, xr.DataArray]:
    """Return gridness and path error of the network as it was at some steps of its training."""
    if task.history is None or protocol.quick:
        return {}
    steps: list[int] = []
    scores: list[Floats] = []
    errors: list[float] = []
    for step, module in task.history():
        protocol.progress("training history", len(steps), len(steps) + 1)
        walked = navigate(
            Entry(module, entry.preprocess, entry.card, task=task),
            n_paths=_HISTORY_SAMPLES // task.n_steps,
            layers=layer,
            seed=protocol.seed,
            device=protocol.device,
        )
        steps.append(step)
        scores.append(gridness_of(rate_maps(walked[layer], walked.tracking).maps))
        errors.append(float(path_error(walked).mean()) if walked.decoded is not None else np.nan)
    coords = {"step": steps}
    return {
        "emergence_gridness": xr.DataArray(np.stack(scores), dims=("step", "unit"), coords=coords),
        "emergence_path_error": xr.DataArray(np.array(errors), dims="step", coords=coords),
    }
