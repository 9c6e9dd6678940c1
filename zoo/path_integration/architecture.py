"""Recurrent networks that are told where they start and how they move, and say where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from probekit.navigation import Arena, HeadDirectionCells, Paths, PlaceCells
from probekit.navigation.ensembles import Tuning

_STEP_SCALE = 40.0
"""Steps are some centimetres; the network takes them about as large as 1."""


@dataclass(frozen=True)
class Design:
    """Everything that the architecture depends on.

    Parameters
    ----------
    side : float
        Of the square box, m.
    n_place_cells : int
    sigma : tuple of float
        Widths of place fields, m; the cells have them in turn.
    tuning : {"gaussian", "difference_of_gaussians"}
    n_head_cells : int
        0 for none; with them, the heading is given at the start, and asked for.
    inputs : {"allocentric", "egocentric"}
        Steps along x and y, or speed and turn.
    recurrent : {"rnn", "lstm"}
    n_units : int
        Of the recurrent layer.
    n_bottleneck : int
        Of the linear layer between recurrent layer and read-out; 0 for none.
    rectified : bool
        Whether the bottleneck is rectified.
    dropout : float
        Of the bottleneck, in training.
    """

    side: float = 2.2
    n_place_cells: int = 512
    sigma: tuple[float, ...] = (0.12,)
    tuning: Tuning = "difference_of_gaussians"
    n_head_cells: int = 0
    inputs: Literal["allocentric", "egocentric"] = "allocentric"
    recurrent: Literal["rnn", "lstm"] = "rnn"
    n_units: int = 256
    n_bottleneck: int = 0
    rectified: bool = True
    dropout: float = 0.0

    @property
    def arena(self) -> Arena:
        """The box."""
        return Arena.square(self.side)

    @property
    def place_cells(self) -> PlaceCells:
        """The cells that the network is told its start by, and is to predict: always the same ones."""
        return PlaceCells.random(self.arena, self.n_place_cells, self.sigma, self.tuning, seed=0)

    @property
    def head_cells(self) -> HeadDirectionCells | None:
        """The head-direction cells, if there are any."""
        return HeadDirectionCells.random(self.n_head_cells, seed=1) if self.n_head_cells else None

    @property
    def n_movement(self) -> int:
        """Numbers that tell of one step."""
        return 2 if self.inputs == "allocentric" else 3


class PathIntegrator(nn.Module):
    """A recurrent network that path-integrates.

    Input: (path, time, movement and start): of each step the movement (x and y, m; or speed in m/s, sine and cosine of
    the turn), then where and which way the path started (x and y in m, heading in rad), in every row the same.
    Output: (path, time, cell): scores of place cells, then of head-direction cells; their softmax is the prediction.

    Parameters
    ----------
    design : Design
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        cells = design.place_cells
        self.register_buffer("centres", cells.centres, persistent=False)
        self.register_buffer("sigma", cells.sigma, persistent=False)
        n_cells = design.n_place_cells + design.n_head_cells
        lstm = design.recurrent == "lstm"
        self.start = nn.Linear(n_cells, design.n_units * (2 if lstm else 1), bias=False)
        if lstm:
            self.lstm = nn.LSTM(design.n_movement, design.n_units, batch_first=True)
        else:
            self.rnn = nn.RNN(design.n_movement, design.n_units, nonlinearity="relu", bias=False, batch_first=True)
        n_read = design.n_units
        if design.n_bottleneck:
            n_read = design.n_bottleneck
            linear = nn.Linear(design.n_units, n_read, bias=False)
            self.bottleneck = nn.Sequential(linear, nn.ReLU()) if design.rectified else nn.Sequential(linear)
            self.dropout = nn.Dropout(design.dropout)
        self.readout = nn.Linear(n_read, n_cells, bias=False)

    @property
    def place_cells(self) -> PlaceCells:
        """The place cells, on the device of the network."""
        return PlaceCells(self.get_buffer("centres"), self.get_buffer("sigma"), self.design.tuning)

    def forward(self, x: Tensor) -> Tensor:
        """Return scores, shape (path, time, cell), for paths of shape (path, time, movement and start)."""
        n = self.design.n_movement
        movement, start = x[..., :n], x[:, 0, n:]
        if self.design.inputs == "allocentric":
            movement = movement * _STEP_SCALE
        hidden = self.start(self._code(start))[None]
        if self.design.recurrent == "lstm":
            state = tuple(part.contiguous() for part in hidden.chunk(2, -1))
            activity, _ = self.lstm(movement, state)
        else:
            activity, _ = self.rnn(movement, hidden)
        if self.design.n_bottleneck:
            activity = self.dropout(self.bottleneck(activity))
        scores: Tensor = self.readout(activity)
        return scores

    def targets(self, positions: Tensor, headings: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what place cells and head-direction cells (None without any) do, shapes (path, time, cell)."""
        heads = self.design.head_cells
        place = self.place_cells.activity(positions)
        if heads is None:
            return place, None
        return place, HeadDirectionCells(heads.preferred.to(headings.device), heads.kappa).activity(headings)

    def loss(self, scores: Tensor, positions: Tensor, headings: Tensor) -> Tensor:
        """Return the cross-entropy, nats a step, of place cells plus that of head-direction cells."""
        place, head = self.targets(positions, headings)
        n = self.design.n_place_cells
        total = -(place * functional.log_softmax(scores[..., :n], -1)).sum(-1).mean()
        if head is not None:
            total = total - (head * functional.log_softmax(scores[..., n:], -1)).sum(-1).mean()
        return total

    def encode(self, paths: Paths) -> Tensor:
        """Return what `forward` takes of these paths."""
        return encode(paths, self.design)

    def decode(self, scores: Tensor) -> Tensor:
        """Return where the network says that it is, shape (path, time, 2), m: the three best cells' mean centre."""
        return self.place_cells.decode(scores[..., : self.design.n_place_cells])

    def _code(self, start: Tensor) -> Tensor:
        """Return what the cells do at the start, each times the number of cells, minus 1: about 0 on average."""
        parts = [one for one in self.targets(start[..., :2], start[..., 2]) if one is not None]
        return torch.cat([part * part.shape[-1] - 1 for part in parts], -1)


def encode(paths: Paths, design: Design) -> Tensor:
    """Return the input of a `PathIntegrator`, shape (path, time, movement and start), float32."""
    if design.inputs == "allocentric":
        movement = paths.displacements
    else:
        movement = np.stack([paths.speeds, np.sin(paths.turns), np.cos(paths.turns)], -1)
    start = np.concatenate([paths.positions[:, :1], paths.headings[:, :1, None]], -1)
    rows = np.broadcast_to(start, (*movement.shape[:2], 3))
    return torch.from_numpy(np.concatenate([movement, rows], -1)).float()
