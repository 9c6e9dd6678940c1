"""The network of Banino 2018 trained to path-integrate: a variant in which grids appear, and its published form."""

from __future__ import annotations

from pathlib import Path

from probekit.network import Card
from probekit.zoo.model import Model
from probekit.zoo.path_integration import card
from probekit.zoo.path_integration.recipe import GRID_LSTM, GRID_LSTM_BANINO, GRID_LSTM_LONG, Recipe

_WEIGHTS = Path(card.__file__).parent / "weights"
_BANINO = "Banino et al. 2018, doi:10.1038/s41586-018-0102-6"
_CODES = {
    "grid-lstm": "512 place cells (differences of Gaussians, sd 12 cm)",
    "grid-lstm-long": "512 place cells (differences of Gaussians, sd 12 cm)",
    "grid-lstm-banino": "256 place cells (Gaussians, sd 12 cm) and 12 head-direction cells",
}


def _model(name: str, recipe: Recipe, seed: int, accuracy: str, notes: str) -> Model:
    kind = name.partition("-seed")[0]
    known = Card(
        name=name,
        kind="LSTM",
        input_shape=(),
        trained_on=f"path integration: random walks of {recipe.path_steps} steps in a box of 2.2 m, to the activity of "
        f"{_CODES[kind]}; seed {seed}",
        accuracy=accuracy,
        layers=("bottleneck",),
        source=f"probekit.zoo.path_integration; probekit train {kind} --seed {seed}; after {_BANINO}",
        licence="Apache-2.0",
        notes=notes,
        parameters=238_080 if kind == "grid-lstm-banino" else 362_496,
    )
    return card.model(known, recipe, _WEIGHTS / f"{kind}-seed{seed}.safetensors", trains="-seed" not in name)


_GUESS = "who says that he is still at the start: 19.3 cm over 20 steps, 66 cm over 100"
MODEL = _model(
    "grid-lstm",
    GRID_LSTM,
    0,
    f"path error 4.6 cm over 20 steps, 4.8 cm over 100 ({_GUESS}; the place code itself: 4.4 cm)",
    "The network of Banino 2018 with a rectified bottleneck, allocentric steps, and targets that are differences of "
    "Gaussians. Units of the bottleneck, of 256, above the 95th percentile of both strict nulls: 43; random read-outs "
    "of the place code 16, untrained twin 17. Gridness above .37: 92; 79 and 62. Another seed gave 29 at the same "
    "path error. Chosen by the number of grids: the learning rate (3e-3; 1e-3 gave 33). docs/navigation.md has what "
    "else was tried.",
)
MODEL_LONG = _model(
    "grid-lstm-long",
    GRID_LSTM_LONG,
    0,
    f"path error 5.1 cm over 100 steps ({_GUESS}; the place code itself: 4.4 cm)",
    "The network of grid-lstm, trained on paths of 100 steps as in Banino 2018. Units of the bottleneck, of 256, "
    "above the 95th percentile of both strict nulls: 69; random read-outs of the place code 16. Gridness above .37: "
    "103; 79. One spacing (about 92 cm), no modules.",
)
MODEL_BANINO = _model(
    "grid-lstm-banino",
    GRID_LSTM_BANINO,
    0,
    f"path error 16.7 cm over 100 steps ({_GUESS})",
    "As in Banino 2018: linear bottleneck with dropout, speed and turns as input, Gaussian place cells and "
    "head-direction cells, paths of 100 steps, RMSProp with momentum, clipped gradients. Otherwise than there: place "
    "fields of 12 cm instead of 1 cm and a learning rate of 1e-3 instead of 1e-5, so that it learns in 50,000 steps. "
    "It path-integrates and has no grid cells: 7 of 256 units of the bottleneck are above the 95th percentile of both "
    "strict nulls, fewer than of random read-outs of the place code. The settings of the release need some hundred "
    "thousand steps, and were not tried to the end.",
)
