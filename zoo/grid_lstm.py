"""The network of Banino 2018 trained to path-integrate: a variant in which grids appear, and its published form."""

from __future__ import annotations

from pathlib import Path

from probekit.network import Card
from probekit.zoo.model import Model
from probekit.zoo.path_integration import card
from probekit.zoo.path_integration.recipe import GRID_LSTM, GRID_LSTM_BANINO, Recipe

_WEIGHTS = Path(card.__file__).parent / "weights"
_BANINO = "Banino et al. 2018, doi:10.1038/s41586-018-0102-6"
_CODES = {
    "grid-lstm": "512 place cells (differences of Gaussians, sd 12 cm)",
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
        parameters=362_496 if kind == "grid-lstm" else 238_080,
    )
    return card.model(known, recipe, _WEIGHTS / f"{kind}-seed{seed}.safetensors", trains="-seed" not in name)


MODEL = _model("grid-lstm", GRID_LSTM, 0, "ACC", "NOTES")
MODEL_BANINO = _model("grid-lstm-banino", GRID_LSTM_BANINO, 0, "ACC", "NOTES")
