"""Which images a network is shown, and whether it can be."""

from __future__ import annotations

from dataclasses import replace

from probekit.errors import NotApplicableError
from probekit.network import Entry
from probekit.stimuli import Stimuli, random_textures

_SAMPLES = 4


def image_size(entry: Entry, purpose: str) -> int:
    """Return the side of the images that a network takes, in pixels; `purpose` is what they are for.

    Raises
    ------
    NotApplicableError
        If it does not take square images with 3 channels.
    """
    shape = tuple(entry.card.input_shape)
    if len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2]:
        raise NotApplicableError(
            f"'{entry.card.name}' takes input of shape {shape}; {purpose} needs a network that takes square images "
            "with 3 channels, shape (3, size, size)."
        )
    return shape[1]


def stand_ins(size: int, seed: int, *, families: int = 23) -> Stimuli:
    """Return textures in place of photographs, for planted brains without any data: 4 of each family."""
    textures = random_textures(families=families, samples=_SAMPLES, size=size, seed=seed)
    conditions = [f"texture_{number:02d}" for number in range(1, len(textures) + 1)]
    return replace(textures, table=textures.table.assign(condition=conditions))
