"""How much of everything goes into a training of a path integrator."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from probekit.navigation import NETWORK_MOTION, Motion
from probekit.zoo.path_integration.architecture import Design


@dataclass(frozen=True)
class Recipe:
    """Every number that a training depends on, besides the seed.

    Parameters
    ----------
    design : Design
    motion : Motion
    n_steps : int
        Training steps, one batch each.
    path_steps : int
        Steps of a path.
    batch_size : int
        Paths in a batch.
    optimizer : {"adam", "rmsprop"}
        RMSProp with a momentum of 0.9 and a memory of 0.9.
    learning_rate : float
    falls_after : float
        Share of the training after which the learning rate falls, as a cosine, to a twentieth; 1: never.
    decay : float
        Times the sum of squared weights of `decayed`, added to the loss.
    decayed : {"recurrent", "readout"}
        The recurrent weights, or those of bottleneck and read-out.
    clip : float
        Largest gradient, element by element, of bottleneck and read-out; 0: not clipped.
    history : tuple of int
        Steps whose weights are kept, so that the units can be looked at as they emerge.
    log_every, checkpoint_every : int
        Steps.
    """

    design: Design = field(default_factory=Design)
    motion: Motion = NETWORK_MOTION
    n_steps: int = 10_000
    path_steps: int = 20
    batch_size: int = 64
    optimizer: Literal["adam", "rmsprop"] = "adam"
    learning_rate: float = 1e-3
    falls_after: float = 1.0
    decay: float = 1e-4
    decayed: Literal["recurrent", "readout"] = "recurrent"
    clip: float = 0.0
    history: tuple[int, ...] = ()
    log_every: int = 100
    checkpoint_every: int = 500


def history_file(weights: Path) -> Path:
    """Return where the weights during a training lie, of a training whose last weights lie here."""
    return weights.with_name(f"{weights.stem}-history.safetensors")


_HISTORY = (50, 150, 500, 1500, 5000)

GRID_RNN = Recipe(falls_after=0.7, history=_HISTORY)
"""Rectified network without biases, predicting differences of Gaussians, after Sorscher et al. 2019."""

GRID_LSTM = Recipe(
    design=Design(recurrent="lstm", n_units=128, n_bottleneck=256),
    batch_size=100,
    learning_rate=3e-3,
    falls_after=0.7,
    decay=0.0,
    history=_HISTORY,
)
"""The network of Banino 2018 with a rectified bottleneck and the targets of grid-rnn."""

GRID_LSTM_LONG = Recipe(
    design=GRID_LSTM.design,
    n_steps=6000,
    path_steps=100,
    batch_size=20,
    learning_rate=3e-3,
    falls_after=0.5,
    decay=0.0,
    history=(50, 150, 500, 1500, 4000),
)
"""The same on paths of 100 steps, as in Banino 2018."""

GRID_LSTM_BANINO = Recipe(
    design=Design(
        n_place_cells=256,
        tuning="gaussian",
        n_head_cells=12,
        inputs="egocentric",
        recurrent="lstm",
        n_units=128,
        n_bottleneck=256,
        rectified=False,
        dropout=0.5,
    ),
    n_steps=50_000,
    path_steps=100,
    batch_size=10,
    optimizer="rmsprop",
    falls_after=0.3,
    decay=1e-5,
    decayed="readout",
    clip=1e-5,
    history=(*_HISTORY, 20_000),
    log_every=500,
)
"""As in Banino 2018, but with wider place fields and a higher learning rate, so that it learns in an hour."""
