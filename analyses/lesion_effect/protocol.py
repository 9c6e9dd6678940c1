"""The protocol: the grid lesion in networks that are led along paths, the face lesion in those that see images."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from probekit.analyses.lesion_effect.assemble import assemble
from probekit.analyses.lesion_effect.faces import face_layers, lesion_faces
from probekit.analyses.lesion_effect.found import Found
from probekit.analyses.lesion_effect.grids import lesion_grids
from probekit.analyses.lesion_effect.measure import Options
from probekit.analyses.twins import named, notes_on_twin, with_twin
from probekit.analysis import Protocol
from probekit.errors import NotApplicableError, UsageError
from probekit.network import Entry, weights_hash
from probekit.result import Result

_DOSES, _QUICK_DOSES = (0.05, 0.1, 0.25, 0.5), (0.05, 0.1, 0.25)
_GRID = Options(_DOSES)
_QUICK_GRID = Options(_QUICK_DOSES, n_sham=40, n_more=160, n_single=64, n_pairs=40)
_FACE = Options(_DOSES, n_sham=100, n_more=0, n_single=100, n_pairs=50, groups="condition")
_QUICK_FACE = Options((0.05, 0.1), n_sham=40, n_more=80, n_single=0, n_pairs=0, groups="condition")


def run_protocol(entry: Entry, protocol: Protocol) -> Result:
    """Return what lesions of the network and of its untrained twin do, beside their shams.

    Raises
    ------
    NotApplicableError
        If the network is neither led along paths nor takes square images with 3 channels.
    DataError
        If the images of the localizer are not here and cannot be fetched.
    """
    quick = protocol.quick
    shape = tuple(entry.card.input_shape)
    if entry.task is None and (len(shape) != 3 or shape[0] != 3 or shape[1] != shape[2]):
        raise NotApplicableError(
            f"'{entry.card.name}' takes input of shape {shape}; lesion_effect needs a network that is led along paths "
            "(an Entry with a task), or takes square images with 3 channels. Lesion another with "
            "probekit.analyses.lesion_effect(network, task, rank_by, …)."
        )
    if entry.task is not None and isinstance(protocol.layers, list) and len(protocol.layers) > 1:
        raise UsageError(f"layers are {', '.join(protocol.layers)}; the grid lesion takes one.")
    asked = (_QUICK_GRID if quick else _GRID) if entry.task is not None else (_QUICK_FACE if quick else _FACE)
    options = dataclasses.replace(asked, seed=protocol.seed)
    found: dict[str, Found] = {}
    recorded: dict[str, Mapping[str, Any]] = {}
    for network, one in with_twin(entry, protocol.seed).items():
        progress = named(protocol.progress, network)
        if one.task is not None:
            layer = protocol.layers[0] if isinstance(protocol.layers, list) else protocol.layers
            found[network] = lesion_grids(one, layer, options, quick=quick, label=network, progress=progress)
        else:
            layers = face_layers(one, protocol.layers, quick=quick)
            found[network] = lesion_faces(one, shape[1], layers, options, quick=quick, label=network, progress=progress)
        recorded[network] = {
            "network": one.card.name,
            "trained_on": one.card.trained_on,
            "weights_sha256": weights_hash(one.module),
        }
    first = found["trained"]
    said = (_quick_note(options),) if quick else ()
    return assemble(
        [one for each in found.values() for one in each.measured],
        first.tasks,
        options,
        recorded,
        arrays=first.arrays,
        notes=(*said, *notes_on_twin(entry)),
    )


def _quick_note(options: Options) -> str:
    return (
        f"Quick run: {options.n_sham} sets of each kind of control, {options.n_more} more where p is small, so that p "
        f"is never below {2 / (options.n_sham + options.n_more + 1):.2g}; fewer trials and doses, and of a network "
        "that sees images the last layer only."
    )
