"""What makes grid cells appear: path integrators that differ in one thing at a time, trained and examined.

Trains each variant named (default: all), resuming what was stopped, and prints for each the path error and how many
units pass the classic gridness threshold and both nulls, beside the untrained twin. Slow: 5 to 60 minutes a variant.

Run: python benchmarks/path_integration.py FOLDER [VARIANT ...] [--seed 0]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import probekit as pk
from probekit.analyses.released_gridness import gridness_of
from probekit.navigation import path_error
from probekit.zoo.path_integration.card import model
from probekit.zoo.path_integration.recipe import (
    GRID_LSTM,
    GRID_LSTM_BANINO,
    GRID_LSTM_LONG,
    GRID_RNN,
    Recipe,
)
from probekit.zoo.path_integration.training import train

N_NULLS = 100
CLASSIC, HIGH = 0.37, 0.7


def changed(recipe: Recipe, **design) -> Recipe:
    return replace(recipe, design=replace(recipe.design, **design))


LSTM = replace(GRID_LSTM, n_steps=4000, history=())
BANINO = replace(GRID_LSTM_BANINO, n_steps=8000, history=())
RNN = replace(GRID_RNN, n_steps=5000, history=())

VARIANTS = {
    "rnn": GRID_RNN,
    "lstm": GRID_LSTM,
    "lstm-long": GRID_LSTM_LONG,
    "banino": GRID_LSTM_BANINO,
    # grid-lstm, shorter, with one thing of Banino's at a time
    "lstm-short": LSTM,
    "lstm-gaussian": changed(LSTM, tuning="gaussian"),
    "lstm-linear": changed(LSTM, rectified=False),
    "lstm-dropout": changed(LSTM, dropout=0.5),
    "lstm-egocentric": changed(LSTM, inputs="egocentric", n_head_cells=12),
    "lstm-long-paths": replace(LSTM, path_steps=100, batch_size=20),
    "lstm-slow": replace(LSTM, learning_rate=1e-3),
    "lstm-decay": replace(LSTM, decay=1e-4),
    "lstm-fast": replace(LSTM, learning_rate=6e-3, n_steps=6000),
    # Banino's, shorter, with one thing of grid-lstm's at a time
    "banino-short": BANINO,
    "banino-rectified": changed(BANINO, rectified=True),
    "banino-differences": changed(BANINO, tuning="difference_of_gaussians"),
    "banino-no-dropout": changed(BANINO, dropout=0.0),
    "banino-allocentric": changed(BANINO, inputs="allocentric", n_head_cells=0),
    "banino-adam": replace(BANINO, optimizer="adam", clip=0.0),
    "banino-short-paths": replace(BANINO, path_steps=20, batch_size=50),
    # with the learning rate and the place fields of the release; it needs some hundred thousand steps
    "banino-released": replace(changed(GRID_LSTM_BANINO, sigma=(0.01,)), learning_rate=1e-5, n_steps=300_000),
    # whether the task brings modules
    "rnn-short": RNN,
    "rnn-widths": changed(RNN, sigma=(0.08, 0.12, 0.18)),
    "rnn-wide-box": changed(RNN, side=3.3),
    "rnn-fast": replace(RNN, motion=replace(RNN.motion, mean_speed=2.0)),
    "rnn-narrow": changed(RNN, sigma=(0.08,)),
    "rnn-gaussian": changed(RNN, tuning="gaussian"),
}


def examined(name: str, recipe: Recipe, weights: Path) -> str:
    """Return the row of a network: path error, and units above the classic threshold and above both nulls."""
    card = pk.Card(name, recipe.design.recurrent, (), "path integration")
    entry = model(card, recipe, weights, trains=False).trained(None)
    layer = "rnn:output" if recipe.design.recurrent == "rnn" else "bottleneck"
    near = pk.navigate(entry, layers=layer)
    far = pk.navigate(entry, layers=layer, n_paths=500, n_steps=100)
    maps = pk.spatial.rate_maps(near[layer], near.tracking).maps
    scores = gridness_of(maps)
    nulls = [
        [gridness_of(made) for made in surrogates]
        for surrogates in (pk.spatial.replaced_fields(maps, N_NULLS, 0), pk.spatial.matched_spectrum(maps, N_NULLS, 1))
    ]
    fields, spectrum = (scores > np.nanquantile(null, 0.95, axis=0) for null in nulls)
    errors = 100 * path_error(near), 100 * path_error(far)
    counts = [(scores > CLASSIC).sum(), fields.sum(), spectrum.sum(), (fields & spectrum).sum(), (scores > HIGH).sum()]
    cells = [name, *(f"{error.mean():.1f} / {error[-1]:.1f}" for error in errors), *map(str, counts)]
    return f"| {' | '.join([*cells, *lattices(maps[fields & spectrum], near.tracking.arena.bin_size(20))])} |"


def lattices(maps: np.ndarray, bin_size: float) -> list[str]:
    """Return the quartiles of the units' spacing, and how many modules they form, with p of one only."""
    if not len(maps):
        return ["", ""]
    found = pk.spatial.grid_geometry(pk.spatial.autocorrelograms(maps), bin_size)
    known = np.isfinite(found.spacing) & np.isfinite(found.orientation)
    if known.sum() < 10:
        return ["", "too few"]
    modules = pk.spatial.grid_modules(found.spacing[known], found.orientation[known])
    quartiles = 100 * np.quantile(found.spacing[known], [0.25, 0.5, 0.75])
    return [", ".join(f"{one:.0f}" for one in quartiles), f"{modules.n_modules} ({modules.p:.2f})"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    print("| variant | path error, trained length, mean / last (cm) | over 100 steps | > .37 | above fields | "
          "above spectrum | above both | > .7 | spacing, quartiles (cm) | modules (p of one) |\n"
          "|---|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for name in asked.variants:
        out = asked.folder / f"{name}-seed{asked.seed}.safetensors"
        if not out.exists():
            train(out, VARIANTS[name], seed=asked.seed)
        print(examined(f"{name}, seed {asked.seed}", VARIANTS[name], out), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
