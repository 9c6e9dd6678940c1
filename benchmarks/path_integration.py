"""What makes grid cells appear: path integrators that differ in one thing at a time, trained and examined.

Trains each variant named (default: all), resuming what was stopped, and prints for each the path error and how many
units pass the classic gridness threshold and both nulls, beside the untrained twin. Slow: 5 to 60 minutes a variant.

Run: python benchmarks/path_integration.py FOLDER [VARIANT ...] [--seed 0]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from probekit.zoo.path_integration.recipe import GRID_LSTM, GRID_LSTM_BANINO, GRID_RNN, Recipe
from probekit.zoo.path_integration.training import train


def changed(recipe: Recipe, **design) -> Recipe:
    return replace(recipe, design=replace(recipe.design, **design), history=())


SHORT = replace(GRID_LSTM, n_steps=6000, history=())

VARIANTS = {
    "rnn": GRID_RNN,
    "lstm": GRID_LSTM,
    "banino": GRID_LSTM_BANINO,
    # grid-lstm with one thing of Banino's at a time
    "lstm-short": SHORT,
    "lstm-gaussian": changed(SHORT, tuning="gaussian"),
    "lstm-linear": changed(SHORT, rectified=False),
    "lstm-dropout": changed(SHORT, dropout=0.5),
    "lstm-egocentric": changed(SHORT, inputs="egocentric", n_head_cells=12),
    "lstm-long-paths": replace(SHORT, path_steps=100, batch_size=20),
    # what could bring grid-lstm more grids
    "lstm-decay": replace(SHORT, decay=1e-4),
    "lstm-decay-readout": replace(SHORT, decay=1e-5, decayed="readout"),
    "lstm-fast": replace(SHORT, learning_rate=3e-3),
    # Banino's with one thing of grid-lstm's at a time
    "banino-rectified": changed(GRID_LSTM_BANINO, rectified=True),
    "banino-differences": changed(GRID_LSTM_BANINO, tuning="difference_of_gaussians"),
    "banino-released": replace(changed(GRID_LSTM_BANINO, sigma=(0.01,)), learning_rate=1e-5, n_steps=300_000),
    "banino-adam": replace(changed(GRID_LSTM_BANINO), optimizer="adam", clip=0.0),
    # whether the task brings modules
    "rnn-widths": changed(replace(GRID_RNN, n_steps=6000), sigma=(0.08, 0.12, 0.18)),
    "rnn-wide-box": changed(replace(GRID_RNN, n_steps=6000), side=3.3),
    "rnn-fast": replace(GRID_RNN, n_steps=6000, history=(), motion=replace(GRID_RNN.motion, mean_speed=2.0)),
    "rnn-narrow": changed(replace(GRID_RNN, n_steps=6000), sigma=(0.08,)),
    "rnn-gaussian": changed(replace(GRID_RNN, n_steps=6000), tuning="gaussian"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("variants", nargs="*", default=list(VARIANTS))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name in asked.variants:
        out = asked.folder / f"{name}-seed{asked.seed}.safetensors"
        if not out.exists():
            train(out, VARIANTS[name], seed=asked.seed)
        print(name, asked.seed, out)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
