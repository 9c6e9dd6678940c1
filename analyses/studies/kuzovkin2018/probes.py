"""What stands for electrodes: regions of people in order along the ventral stream, measured, planted or of noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.analyses.ventral.planted import noise_regions, planted_regions
from probekit.brains import cichy2014
from probekit.rsa import RDMs, stacked

Ints = npt.NDArray[np.int_]

PLANTED_DEPTHS = {"area 17": 0.0, "area 18": 0.25, "area 19": 0.5, "area 37": 0.75, "area 20": 1.0}
"""The publication's areas, in its order along the stream, and the depth of the layer that each is made to follow."""
N_PEOPLE = 10
PLANTED_NOISE = 5.0
"""Standard deviation of a probe's own, in those of the layer's RDM: they correlate by 0.2, as single probes may."""
_AS_OWN = "as each region's own"


@dataclass(frozen=True, eq=False)
class Brain:
    """Probes of several people in areas of the ventral stream.

    Parameters
    ----------
    kind : {"fMRI", "planted", "noise"}
    regions : mapping of str to RDMs
        In the order of the stream; one RDM a person, table column `subject`.
    """

    kind: str
    regions: Mapping[str, RDMs]

    @property
    def probes(self) -> RDMs:
        """All RDMs, area by area."""
        return stacked([replace(one, distance=_AS_OWN) for one in self.regions.values()])

    @property
    def areas(self) -> Ints:
        """Of each probe, its area: 0 (first of the stream) … ."""
        return np.repeat(np.arange(len(self.regions)), [len(one) for one in self.regions.values()])

    @property
    def people(self) -> Ints:
        """Of each probe, whose it is: 0 … ."""
        return np.asarray(pd.factorize(self.probes.table["subject"])[0], dtype=np.int_)


def measured() -> tuple[Brain, ...]:
    """Return early visual and inferior temporal cortex of 15 people."""
    return (Brain("fMRI", {"EVC": cichy2014.evc(), "IT": cichy2014.it()}),)


def planted(layers: RDMs, *, seed: int) -> tuple[Brain, ...]:
    """Return probes in five areas of which each follows a layer of matching depth, and probes of noise."""
    depths = {f"{area} (planted)": depth for area, depth in PLANTED_DEPTHS.items()}
    names = [f"{area} (noise)" for area in PLANTED_DEPTHS]
    return (
        Brain(
            "planted",
            _from_0(planted_regions(layers, depths, n_subjects=N_PEOPLE, noise=PLANTED_NOISE, seed=seed)),
        ),
        Brain("noise", _from_0(noise_regions(layers.conditions, names, n_subjects=N_PEOPLE, seed=seed + 1))),
    )


def _from_0(regions: Mapping[str, RDMs]) -> dict[str, RDMs]:
    """Return RDMs of which no distance is below 0, so that the diagonal is the least, as it is of measured ones."""
    return {
        name: replace(one, dissimilarities=one.dissimilarities - one.dissimilarities.min(axis=1, keepdims=True))
        for name, one in regions.items()
    }


def noise_probes(conditions: tuple[str, ...], n_probes: int, *, seed: int) -> RDMs:
    """Return RDMs of probes that are one number a stimulus, as an electrode is, and that number is noise."""
    responses = np.random.default_rng(seed).standard_normal((n_probes, len(conditions)))
    first, second = np.triu_indices(len(conditions), 1)
    distances = np.abs(responses[:, first] - responses[:, second])
    return RDMs(distances, conditions, pd.DataFrame({"probe": range(n_probes)}), "euclidean")
