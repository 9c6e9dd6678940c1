"""The claim voxel by voxel: each voxel belongs to the layer that predicts it best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch.nn import functional

from probekit import data
from probekit.analyses.ventral.claims import Claim, Verdict, not_tested
from probekit.brains import vim1
from probekit.encoding import (
    Gradient,
    assign_layers,
    layer_gradient,
    null_voxels,
    planted_voxels,
    recording_features,
)
from probekit.network import Entry
from probekit.recorder import record
from probekit.rsa import RDMs
from probekit.stimuli import Stimuli, array
from probekit.study import StudyOptions
from probekit.units import Units

CLAIM = "The later a voxel's area, the deeper the layer that predicts it best"
THEIRS = "An explicit gradient of feature complexity along the ventral stream (abstract)"
AREAS = ("V1", "V2", "V4", "LatOcc")
"""Of vim-1, in the order of the ventral stream."""
ALPHA = 0.05

N_LAYERS = 8
N_COMPONENTS = 10
"""Of a layer that planted voxels mix."""
N_UNITS = 2000
"""Of a layer, at most, that predict measured voxels."""
_PER_LAYER = 25
_TESTED = 0.25
_LEAST = 10
"""Fewer significant voxels show no gradient, whatever their correlation."""


@dataclass(frozen=True, eq=False)
class Population:
    """Voxels that were assigned to layers.

    Parameters
    ----------
    name : str
        Such as "planted voxels".
    model : str
    layers : tuple of str
    gradient : Gradient
    n_voxels, n_significant : int
    """

    name: str
    model: str
    layers: tuple[str, ...]
    gradient: Gradient
    n_voxels: int
    n_significant: int

    @property
    def rises(self) -> bool:
        """Whether the layers rise along the areas beyond chance."""
        return self.n_significant >= _LEAST and self.gradient.rho > 0 and self.gradient.p_targets < ALPHA

    def table(self) -> pd.DataFrame:
        """Return one row an area."""
        found = self.gradient.by_area.rename(columns={"n_targets": "n_voxels"})
        return found.assign(
            population=self.name, model=self.model, n_layers=len(self.layers), rho=self.gradient.rho,
            p_voxels=self.gradient.p_targets, p_areas=self.gradient.p_areas,
        )  # fmt: skip


def planted_populations(euclidean: RDMs, model: str, *, seed: int = 0) -> tuple[Population, Population]:
    """Return what becomes of voxels that mix the features of one layer each, and of voxels that are noise.

    Parameters
    ----------
    euclidean : RDMs
        Of the layers of a network, by depth. A layer's features are the principal components of its activity over the
        images, which Euclidean distances determine.
    model : str
    seed : int

    References
    ----------
    Torgerson 1952, Psychometrika 17:401, doi:10.1007/BF02288916
    """
    features = {layer: components(euclidean, layer) for layer in spread_out(tuple(euclidean.table["layer"]))}
    features = {layer: found for layer, found in features.items() if found.shape[1]}
    n_areas = min(len(AREAS), len(features))
    planted = planted_voxels(features, n_voxels_per_layer=_PER_LAYER, n_areas=n_areas, seed=seed)
    null = null_voxels(
        euclidean.n_conditions, n_voxels=_PER_LAYER * len(features), n_areas=n_areas, seed=seed + 1
    )  # fmt: skip
    tested = np.random.default_rng(seed).permutation(euclidean.n_conditions) < _TESTED * euclidean.n_conditions
    shown, held = ({layer: one[which] for layer, one in features.items()} for which in (~tested, tested))
    first, second = (
        _population(
            name, model, (shown, held), (one.responses[~tested], one.responses[tested]), (one.areas, one.order), seed
        )
        for name, one in (("planted voxels", planted), ("voxels of noise", null))
    )
    return first, second


def measured_populations(entry: Entry, layers: Sequence[str], options: StudyOptions) -> list[Population]:
    """Return what becomes of the voxels of vim-1 in areas of the ventral stream, one population a person.

    Parameters
    ----------
    entry : Entry
    layers : sequence of str
        By depth; of many, `N_LAYERS` are taken.
    options : StudyOptions
    """
    return [of_person(entry, layers, vim1.load(subject=subject), options) for subject in vim1.SUBJECTS]


def of_person(entry: Entry, layers: Sequence[str], person: vim1.Vim1, options: StudyOptions) -> Population:
    """Return what becomes of one person's voxels; parameters as of `measured_populations`."""
    chosen = np.flatnonzero(person.voxels["area"].isin(AREAS))
    features = []
    for stimuli in (person.training, person.validation):
        recording = record(
            entry, resized(stimuli, entry.card.input_shape[-1]), layers=spread_out(tuple(layers)),
            units=Units(sample=N_UNITS, seed=options.seed), device=options.device, batch_size=options.batch_size,
            progress=options.progress,
        )  # fmt: skip
        features.append(recording_features(recording))
    targets = (person.training_responses[chosen].T, person.validation_responses[chosen].T)
    return _population(
        f"vim-1, person {person.subject}", entry.card.name, (features[0], features[1]), targets,
        (person.voxels["area"].to_numpy(dtype=str)[chosen], AREAS), options.seed,
    )  # fmt: skip


def vim1_is_here() -> bool:
    """Say whether the files of vim-1 are there."""
    return data.here("vim-1")


def claims(populations: Sequence[Population], *, synthetic: bool = False) -> Iterator[Claim]:
    """Yield what became of the claim on each population, and that vim-1 was not tested where it was not, and why."""
    for one in populations:
        if one.name.startswith("vim-1"):
            yield _claim(one, CLAIM, "as published: voxels, lowest cross-validated error", THEIRS)
        else:
            yield _method(one)
    if not any(one.name.startswith("vim-1") for one in populations):
        yield not_tested(
            CLAIM, THEIRS,
            "Planted data were asked for."
            if synthetic
            else "Voxels of vim-1 are not here. They are free after registration at crcns.org/data-sets/vc/vim-1; "
            "'probekit data fetch vim-1' says which files go where, and the next run uses them.",
        )  # fmt: skip


def _claim(one: Population, claim: str, variant: str, published: str) -> Claim:
    rho, p = one.gradient.rho, one.gradient.p_targets
    falls = one.n_significant >= _LEAST and rho < 0 and p > 1 - ALPHA
    verdict: Verdict = "agrees" if one.rises else "differs" if falls else "undecided"
    ours = (
        f"{one.name}: {one.n_significant} of {one.n_voxels} voxels predicted beyond chance; rank correlation of area "
        + ("and layer not defined" if np.isnan(rho) else f"and layer {rho:.2f}".replace("-", "−"))
    )
    reason = (
        f"By a shuffle of voxels over areas, p < {ALPHA}, from {_LEAST} significant voxels on; p over orders of areas "
        f"{'n/a' if np.isnan(one.gradient.p_areas) else f'{one.gradient.p_areas:.3f}'}"
    )
    return Claim(claim, one.model, variant, published, ours, verdict, reason, float(rho), p=float(p))


def _method(one: Population) -> Claim:
    if one.name == "planted voxels":
        return _claim(one, "Check of the method: a planted gradient is found", one.name, "Planted here")
    found = _claim(one, "Check of the method: in noise no gradient is found", one.name, "Nothing is there")
    reason = f"Agrees if the layers do not rise beyond chance. {found.reason}"
    return replace(found, verdict="differs" if one.rises else "agrees", reason=reason)


def spread_out(layers: Sequence[str]) -> list[str]:
    """Return at most `N_LAYERS` of the layers, evenly over depth, first and last among them."""
    at = np.linspace(0, len(layers) - 1, min(N_LAYERS, len(layers))).round().astype(int)
    return [str(layers[index]) for index in at]


def components(euclidean: RDMs, layer: str) -> npt.NDArray[np.float64]:
    """Return the leading principal components of a layer's activity over the conditions, shape (condition, component).

    At most 10; none for a dead layer.
    """
    squared = _squared(euclidean, layer)
    if np.isnan(squared).any():
        return np.empty((euclidean.n_conditions, 0))
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    kept = np.flatnonzero(values > 1e-9 * np.abs(values).max())[-N_COMPONENTS:]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _squared(euclidean: RDMs, layer: str) -> npt.NDArray[np.float64]:
    at = np.flatnonzero(euclidean.table["layer"] == layer)[:1]
    return np.asarray(euclidean.rows(at).square()[0] ** 2)


_Both = tuple[Mapping[str, npt.NDArray[np.float64]], Mapping[str, npt.NDArray[np.float64]]]


def _population(
    name: str,
    model: str,
    features: _Both,
    responses: tuple[npt.ArrayLike, npt.ArrayLike],
    areas: tuple[npt.NDArray[np.str_], Sequence[str]],
    seed: int,
) -> Population:
    assigned = assign_layers(features[0], responses[0], seed=seed)
    scores = assigned.score(features[1], responses[1], seed=seed)
    gradient = layer_gradient(scores, areas[0], areas[1], level=ALPHA, seed=seed)
    n_significant = int(gradient.by_area["n_significant"].sum())
    return Population(name, model, tuple(features[0]), gradient, len(scores), n_significant)


def resized(stimuli: Stimuli, size: int) -> Stimuli:
    """Return grey photographs at another size, height and width in pixels; the channels stay views of one plane."""
    grey = stimuli.batch(range(len(stimuli)))[:, :1]
    resized = functional.interpolate(grey, size=(size, size), mode="bilinear", antialias=True).clamp(0, 1)
    return array(resized.expand(-1, 3, -1, -1), stimuli.table, name=stimuli.name)
