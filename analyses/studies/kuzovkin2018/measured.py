"""One network, its twins and one brain, scored and aligned in every variant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from probekit.analyses.studies.kuzovkin2018.alignment import Alignment, alignment
from probekit.analyses.studies.kuzovkin2018.probes import Brain
from probekit.analyses.studies.kuzovkin2018.scoring import CLEAN, PUBLISHED, Procedure, Scores, score
from probekit.analyses.ventral.representations import Form
from probekit.analyses.ventral.systems import System
from probekit.rsa import RDMs, stacked

Floats = npt.NDArray[np.float64]

LOW_LAYERS, HIGH_LAYERS = (0.0, 2 / 7), (4 / 7, 6 / 7)
"""Layers 1 to 3 and 5 to 7 of eight, as depth; pixels are neither."""


@dataclass(frozen=True)
class Variant:
    """How layers are compared with probes.

    Parameters
    ----------
    name : str
    form : Form
        Of the layers' RDMs.
    procedure : Procedure
    best_only : bool
        Only the best of the layers that count for a probe goes into the alignment, so that a probe is one observation.
    """

    name: str
    form: Form
    procedure: Procedure
    best_only: bool = False


_THEIRS, _OURS = Form(standardize=False, distance="euclidean"), Form()
VARIANTS = (
    Variant("as published", _THEIRS, PUBLISHED),
    Variant("clean scoring of the published RDMs", _THEIRS, CLEAN),
    Variant("clean", _OURS, CLEAN),
    Variant("clean, best layer of each probe", _OURS, CLEAN, best_only=True),
)


@dataclass(frozen=True)
class Draws:
    """How much is drawn.

    Parameters
    ----------
    n_permutations, n_resamples, seed : int
    """

    n_permutations: int
    n_resamples: int
    seed: int


@dataclass(frozen=True, eq=False)
class Measured:
    """A system and a brain in one variant.

    Parameters
    ----------
    system : System
        Its RDMs begin with the pixels.
    variant : Variant
    brain : Brain
    scores : Scores
    alignment : Alignment
    """

    system: System
    variant: Variant
    brain: Brain
    scores: Scores
    alignment: Alignment

    @property
    def counted(self) -> Floats:
        """Scores of the layers that count for a probe, 0 elsewhere, shape (probe, layer)."""
        return np.where(_counting(self.scores, self.variant), self.scores.r, 0.0)

    @property
    def volume(self) -> float:
        """Sum of all scores that count, a probe."""
        return float(self.counted.sum() / len(self.counted))

    @property
    def high_to_low(self) -> float:
        """Scores of high layers over those of low ones; nan where there are none of low ones."""
        depth = self.system.rdms.table["depth"].to_numpy(float)
        high, low = (self.counted[:, _within(depth, ends)].sum() for ends in (HIGH_LAYERS, LOW_LAYERS))
        return float(high / low) if low > 0 else float("nan")

    def by_area(self, values: Floats) -> Floats:
        """Return the mean of (probe, layer) over the probes of each area, shape (area, layer)."""
        areas = self.brain.areas
        return np.stack([values[areas == area].mean(axis=0) for area in range(len(self.brain.regions))])


def measure(
    systems: Mapping[Form, Sequence[System]], pixels: Mapping[Form, RDMs], brain: Brain, draws: Draws
) -> Iterator[Measured]:
    """Yield every system in every variant, compared with one brain; pixels are the layer before the first.

    Parameters
    ----------
    systems : mapping of Form to sequence of System
        A network and its twins, the same in each form.
    pixels : mapping of Form to RDMs
    brain : Brain
    draws : Draws
    """
    scored: dict[tuple[Form, Procedure], Scores] = {}
    for variant in VARIANTS:
        whole = [_after_pixels(one, pixels[variant.form]) for one in systems[variant.form]]
        key = (variant.form, variant.procedure)
        if key not in scored:
            layers = stacked([one.rdms for one in whole])
            scored[key] = score(
                layers, brain.probes, variant.procedure, n_permutations=draws.n_permutations, seed=draws.seed
            )
        start = 0
        for system in whole:
            own = _columns(scored[key], slice(start, start + len(system.rdms)))
            start += len(system.rdms)
            found = alignment(
                _counting(own, variant), brain.areas, brain.people,
                n_permutations=draws.n_permutations, n_resamples=draws.n_resamples, seed=draws.seed,
            )  # fmt: skip
            yield Measured(system, variant, brain, own, found)


def _after_pixels(system: System, pixels: RDMs) -> System:
    first = replace(pixels, table=pixels.table.assign(layer="pixels", depth=np.nan)[["layer", "depth"]])
    return replace(system, rdms=stacked([first, replace(system.rdms, table=system.rdms.table[["layer", "depth"]])]))


def _counting(scores: Scores, variant: Variant) -> npt.NDArray[np.bool_]:
    """Return which layers count for which probes, shape (probe, layer)."""
    counting = scores.significant(variant.procedure)
    if variant.best_only:
        best = np.where(counting, scores.r, -np.inf).argmax(axis=1)
        counting &= np.arange(counting.shape[1]) == best[:, None]
    return counting


def _columns(scores: Scores, which: slice) -> Scores:
    return Scores(scores.r[:, which], scores.formula_p[:, which], scores.permutation_p[:, which])


def _within(depth: Floats, ends: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return np.asarray((depth >= ends[0] - 1e-9) & (depth <= ends[1] + 1e-9))
