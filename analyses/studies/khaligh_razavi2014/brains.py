"""The brains of the study: recorded ones, planted ones, and noise; and on whom each of them has its layer chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probekit.analyses.ventral.planted import noise_regions, planted_regions
from probekit.analyses.ventral.regions import ventral_regions
from probekit.brains import kriegeskorte2008
from probekit.rsa import RDMs
from probekit.stimuli import Stimuli, array

PLANTED, NOISE = " (planted)", " (noise)"
PLANTED_DEPTHS = {"EVC": 0.2, "hIT": 0.8, "IT": 0.8, "mIT": 0.8}
N_SUBJECTS = {"EVC": 15, "hIT": 4, "IT": 15, "mIT": 1}
_CATEGORIES = {
    "human body": (True, True, False, True),
    "human face": (True, True, True, True),
    "animal body": (True, False, False, True),
    "animal face": (True, False, True, True),
    "natural thing": (False, False, False, True),
    "artificial thing": (False, False, False, False),
}
_EACH = 10
_COARSE = 8


@dataclass(frozen=True)
class Target:
    """A region of IT that models shall explain.

    Parameters
    ----------
    region : str
    chosen_on : str
        The region of other individuals on which the layer, and the weights of the categories, are chosen, so that
        the region itself has no say in what is tested on it.
    """

    region: str
    chosen_on: str


def targets(suffixes: Sequence[str] = ("",)) -> list[Target]:
    """Return the regions that are to be explained."""
    pairs = (("hIT", "IT"), ("IT", "hIT"), ("mIT", "IT"))
    return [Target(region + suffix, other + suffix) for suffix in suffixes for region, other in pairs]


def recorded() -> dict[str, RDMs]:
    """Return the recorded regions, and "judgements": arrangements by 16 people."""
    return ventral_regions() | {"judgements": kriegeskorte2008.behaviour()}


def planted(layers: RDMs, seed: int) -> dict[str, RDMs]:
    """Return regions that follow layers of a network, and as many of noise."""
    found: dict[str, RDMs] = {}
    for number, (region, depth) in enumerate(PLANTED_DEPTHS.items()):
        n, own = N_SUBJECTS[region], seed + number
        found |= planted_regions(layers, {region + PLANTED: depth}, n_subjects=n, seed=own)
        found |= noise_regions(layers.conditions, [region + NOISE], n_subjects=n, seed=own + len(PLANTED_DEPTHS))
    return found


def made_images(size: int, seed: int) -> Stimuli:
    """Return images of six made-up categories with the table of the real ones, for planted brains without any data.

    Each image is half a coarse colour pattern of its category and half one of its own.
    """
    rng = np.random.default_rng(seed)
    names = [name for name in _CATEGORIES for _ in range(_EACH)]
    of_category = {name: rng.random((3, _COARSE, _COARSE)) for name in _CATEGORIES}
    times = -(-size // _COARSE)
    coarse = np.stack([(of_category[name] + rng.random((3, _COARSE, _COARSE))) / 2 for name in names])
    values = coarse.repeat(times, axis=2).repeat(times, axis=3)[:, :, :size, :size].astype(np.float32)
    table = pd.DataFrame({"condition": [f"image_{number:02d}" for number in range(1, len(names) + 1)]})
    table["category"] = names
    for at, flag in enumerate(("animal", "human", "face", "natural")):
        table[flag] = [_CATEGORIES[name][at] for name in names]
    return array(values, table, name="made-up images")
