"""What a navigating network was made to do, and how paths become its input and its output places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from probekit.navigation.arena import Arena
from probekit.navigation.motion import Motion
from probekit.navigation.paths import Paths


@dataclass(frozen=True, eq=False)
class Adapter:
    """How a network is told of a path, and how its output is read.

    Parameters
    ----------
    encode : callable
        `Paths` → Tensor of shape (path, time, feature): what the network's forward takes, one row a step. What it is
        given of the start may stand in every row.
    decode : callable, optional
        What forward returns → Tensor of shape (path, time, 2): where the network says that it is, m. None where
        it does not say; there is no path error then.
    place_code : callable, optional
        Positions, Tensor of shape (sample, 2), m → Tensor of shape (sample, cell): what the network is told of its
        place, or is to say. Random sums of it are the control of every gridness. Default: 512 place cells with
        differences of Gaussians.

    Examples
    --------
    >>> import torch
    >>> from probekit.navigation import Arena, NETWORK_MOTION, random_walk
    >>> steps = Adapter(lambda paths: torch.from_numpy(paths.displacements).float())
    >>> steps.encode(random_walk(Arena.square(1.0), NETWORK_MOTION, 3, 20)).shape
    torch.Size([3, 20, 2])
    """

    encode: Callable[[Paths], Tensor]
    decode: Callable[[Any], Tensor] | None = None
    place_code: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """Where a network was trained to find its way.

    Parameters
    ----------
    arena : Arena
    motion : Motion
    n_steps : int
        Steps of a path in training.
    adapter : Adapter
    history : callable, optional
        Yields steps of the training and the network as it was then, in order.
    """

    arena: Arena
    motion: Motion
    n_steps: int
    adapter: Adapter
    history: Callable[[], Iterator[tuple[int, nn.Module]]] | None = None
