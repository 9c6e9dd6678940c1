"""What a training needs to go on where it was stopped, written so that a kill at any moment leaves a whole file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from probekit.errors import DataError, UsageError

Row = Mapping[str, float]


def read(file: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `write` wrote of the same training.

    Raises
    ------
    UsageError
        If it is of another training; the message names what differs.
    DataError
        If the file is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        found = state["identity"]
    except Exception as err:  # a damaged file can make a reader raise anything
        raise DataError(
            f"{file} cannot be read ({type(err).__name__}). Remove it to train from the beginning."
        ) from err
    differing = [f"{name} is {identity.get(name)}, there {found.get(name)}" for name in identity | found
                 if identity.get(name) != found.get(name)]  # fmt: skip
    if differing:
        raise UsageError(
            f"{file} is of another training: {'; '.join(differing)}. Remove it, or name another file for the weights."
        )
    return state


def write(file: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint in place of the one before; `state` holds tensors, numbers and words, and its `identity`."""
    with replacing(file) as unfinished:
        torch.save(dict(state), unfinished)


def write_log(file: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Write the log of a training as CSV; a value that a row does not have stays empty."""
    with replacing(file) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, columns)
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """Give a file to write, which takes the place of `file` when it is whole and on the disk."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    yield unfinished
    with unfinished.open("rb+") as opened:
        os.fsync(opened.fileno())
    unfinished.replace(file)


def check_free(out: Path, unfinished: Path) -> None:
    """Raise unless weights can be written to `out`: a new file, or one whose training is not finished."""
    if out.suffix != ".safetensors":
        raise UsageError(f"out is {out}; expected a file that ends in .safetensors.")
    if out.exists() and not unfinished.exists():
        raise UsageError(f"out is {out}, which exists; remove it to train anew, or name another file.")
    if not out.parent.is_dir():
        raise UsageError(f"out is {out}; there is no folder {out.parent}.")


def write_weights(out: Path, module: nn.Module, said: Mapping[str, Any]) -> None:
    """Write the weights; what is `said` of the training is their metadata "training", in JSON."""
    weights = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    with replacing(out) as unfinished:
        unfinished.write_bytes(safetensors.torch.save(weights, {"training": json.dumps(said)}))
