"""The RDMs of a network's layers, in every form that a study asks for, from as few forward passes as memory allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from probekit.analyses.ventral.products import FROM_PRODUCTS, inner_products
from probekit.layers import LayerSpec, modules_by_name, select
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.recorder import plan, record
from probekit.rsa import RDMs, compute_rdms, stacked
from probekit.stimuli import Stimuli

_BYTES_AT_ONCE = 2_500_000_000
"""Of activity in memory; a network with more is shown the stimuli again."""


Stage = Literal["output", "rectified"]


@dataclass(frozen=True)
class Form:
    """How a layer's activity becomes an RDM.

    Parameters
    ----------
    standardize : bool
        Every unit z-scored over the stimuli first.
    distance : str
        As `probekit.rsa.compute_rdms` knows it.
    stage : {"output", "rectified"}
        The layer's output as it is, or without what is below 0.
    """

    standardize: bool = True
    distance: str = "correlation"
    stage: Stage = "output"

    def __str__(self) -> str:
        """Say it in words."""
        return f"{'standardised' if self.standardize else 'raw'}, {self.distance.replace('_', ' ')}, {self.stage}"


def comparable_layers(entry: Entry) -> LayerSpec:
    """Return the types of the layers that the network's card names, None where probekit chooses.

    A card names the layers that are looked at unit by unit; those of the same type between them are as good here, and
    depth is sampled more finely.
    """
    if not entry.card.layers:
        return None
    modules = modules_by_name(entry.module)
    return list({type(modules[wanted.name]): None for wanted in select(entry.module, list(entry.card.layers))})


def layer_rdms(
    entry: Entry,
    stimuli: Stimuli,
    forms: Sequence[Form],
    *,
    layers: LayerSpec = None,
    device: str = "cpu",
    batch_size: int = 64,
    progress: Progress = silent,
) -> dict[Form, RDMs]:
    """Return the RDMs of all layers, by form.

    Parameters
    ----------
    entry : Entry
    stimuli : Stimuli
        With a table column `condition`.
    forms : sequence of Form
    layers : str, type, predicate, or a list of these, optional
        Default: `comparable_layers`.
    device, batch_size, progress
        Of the forward passes.

    Returns
    -------
    dict of Form to RDMs
        Table columns `layer` and `depth`, 0 (first to run) … 1 (last). A layer whose output differs nowhere between
        stimuli has nan distances.
    """
    found: dict[Form, list[RDMs]] = {form: [] for form in forms}
    chosen = comparable_layers(entry) if layers is None else layers
    for names in _groups(entry, stimuli, chosen, device, batch_size):
        recording = record(entry, stimuli, layers=names, device=device, batch_size=batch_size, progress=progress)
        for layer in recording.layers:
            patterns = recording.responses(layer).reshape(len(stimuli), -1)
            for form, rdms in zip(forms, _rdms(layer, patterns, stimuli, forms), strict=True):
                found[form].append(rdms)
    return {form: _with_depth(stacked(rdms)) for form, rdms in found.items()}


def _groups(entry: Entry, stimuli: Stimuli, layers: LayerSpec, device: str, batch_size: int) -> Iterator[list[str]]:
    """Yield names of layers whose activity fits into memory together, in the order in which they run."""
    planned = plan(entry, stimuli, layers=layers, device=device, batch_size=batch_size).layers
    group: list[str] = []
    held = 0
    for layer, n_bytes in zip(planned["layer"], planned["bytes"], strict=True):
        if group and held + n_bytes > _BYTES_AT_ONCE:
            yield group
            group, held = [], 0
        group.append(str(layer))
        held += int(n_bytes)
    yield group


def _rdms(layer: str, patterns: np.ndarray, stimuli: Stimuli, forms: Sequence[Form]) -> Iterator[RDMs]:
    conditions = tuple(str(name) for name in stimuli.table["condition"])
    known = _from_products(patterns, forms) if len(forms) > 1 else {}
    for form in forms:
        table = pd.DataFrame({"layer": [layer]})
        if form in known:
            yield RDMs(known[form][None], conditions, table, form.distance)
            continue
        shown = np.maximum(patterns, 0) if form.stage == "rectified" else patterns
        yield compute_rdms(
            shown, distance=form.distance, standardize=form.standardize, conditions=conditions, table=table
        )


def _from_products(patterns: np.ndarray, forms: Sequence[Form]) -> dict[Form, np.ndarray]:
    """Return the distances of those forms that share their inner products with another: one look serves all."""
    alike: dict[tuple[bool, bool], list[Form]] = {}
    for form in forms:
        if form.distance in FROM_PRODUCTS:
            alike.setdefault((form.standardize, form.stage == "rectified"), []).append(form)
    shared = {treatment: of_it for treatment, of_it in alike.items() if len(of_it) > 1}
    found = {}
    for products, of_it in zip(inner_products(patterns, list(shared)), shared.values(), strict=True):
        for form in of_it:
            distances = products.distances(form.distance)
            if distances is not None:
                found[form] = distances
    return found


def _with_depth(rdms: RDMs) -> RDMs:
    depth = np.linspace(0, 1, len(rdms)) if len(rdms) > 1 else np.zeros(1)
    return RDMs(rdms.dissimilarities, rdms.conditions, rdms.table.assign(depth=depth), rdms.distance)
