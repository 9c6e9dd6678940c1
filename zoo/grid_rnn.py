"""A rectified recurrent network that path-integrates, and in which hexagonal grids appear; of three seeds."""

from __future__ import annotations

from pathlib import Path

from probekit.network import Card
from probekit.zoo.model import Model
from probekit.zoo.path_integration import card
from probekit.zoo.path_integration.recipe import GRID_RNN

_WEIGHTS = Path(card.__file__).parent / "weights"
_ERRORS_CM = ((4.8, 6.5), (4.9, 6.6), (4.8, 6.6))
"""Path error over paths of 20 and of 100 steps, by seed."""
_NOTES = (
    "Rectified units without biases, told their start by the place code and then only steps along x and y. Units, of "
    "256, above the 95th percentile both of their own fields at random places and of random maps of their own "
    "spectrum: 75, 67 and 77 in three seeds; random read-outs of the place code 16, untrained twin 16. Gridness above "
    ".37 (Banino 2018): 108, 112, 126; 80 and 52. One spacing (about 92 cm), no common orientation: no modules. "
    "Chosen by gridness and path error on seed 0: a learning rate that falls over the last 30 % of the training. "
    "Trained in four minutes of one core."
)


def _model(name: str, seed: int) -> Model:
    short, long = _ERRORS_CM[seed]
    known = Card(
        name=name,
        kind="RNN",
        input_shape=(),
        trained_on="path integration: random walks of 20 steps in a box of 2.2 m, to the activity of 512 place cells "
        f"(differences of Gaussians, sd 12 cm); seed {seed}",
        accuracy=f"path error {short} cm over 20 steps, {long} cm over 100 (who says that he is still at the start: "
        "19.3 and 66 cm; the place code itself: 4.4 cm)",
        layers=("rnn:output",),
        source=f"probekit.zoo.path_integration; probekit train grid-rnn --seed {seed}; after Sorscher et al. 2023, "
        "doi:10.1016/j.neuron.2022.10.003",
        licence="Apache-2.0",
        notes=_NOTES,
        parameters=328_192,
    )
    return card.model(known, GRID_RNN, _WEIGHTS / f"grid-rnn-seed{seed}.safetensors", trains=seed == 0)


MODEL = _model("grid-rnn", 0)
MODEL_SEED1 = _model("grid-rnn-seed1", 1)
MODEL_SEED2 = _model("grid-rnn-seed2", 2)
