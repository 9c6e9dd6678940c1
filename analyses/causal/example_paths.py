"""Some paths, and where a network says that it is under each of some lesions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import xarray as xr

from probekit import hooks
from probekit.lesions import lesion
from probekit.lesions.engine import Targets
from probekit.navigation import random_walk
from probekit.network import Entry


@torch.no_grad()
def example_paths(entry: Entry, lesions: Mapping[str, Targets], *, n_paths: int = 6, seed: int = 0) -> xr.DataArray:
    """Return true and decoded places, dims (kind, path, time, axis), m: "true", "intact", then each lesion.

    The network must say where it is.
    """
    task = entry.task
    assert task is not None
    assert task.adapter.decode is not None
    paths = random_walk(task.arena, task.motion, n_paths, task.n_steps, seed=seed)
    inputs = task.adapter.encode(paths)
    places = [paths.positions[:, 1:]]
    with hooks.undisturbed(entry.module):
        places.append(task.adapter.decode(entry.module(inputs)).numpy())
        for targets in lesions.values():
            with lesion(entry, targets) as lesioned:
                places.append(task.adapter.decode(lesioned(inputs)).numpy())
    kinds = ["true", "intact", *lesions]
    return xr.DataArray(np.stack(places), dims=("kind", "path", "time", "axis"), coords={"kind": kinds})
