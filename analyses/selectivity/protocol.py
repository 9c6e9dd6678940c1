"""The protocol: localizer images shown to a network, its twin, and what learned nothing; IT neurons beside them."""

from __future__ import annotations

from typing import Any

from probekit import data
from probekit.analyses.selectivity.assemble import assemble
from probekit.analyses.selectivity.contrasts import design_of
from probekit.analyses.selectivity.it_neurons import LABEL, NOTE, it_recording
from probekit.analyses.selectivity.low_level import PYRAMID, low_level
from probekit.analyses.selectivity.measure import Measured, Options, measure_units
from probekit.analyses.selectivity.top_images import top_images
from probekit.analyses.twins import named, notes_on_twin, with_twin
from probekit.analyses.ventral.images import image_size
from probekit.analysis import Protocol
from probekit.brains import floc, zhang2011
from probekit.errors import ProbekitError
from probekit.gabor import SMALLEST_PX
from probekit.network import Entry
from probekit.recorder import record
from probekit.recording import Recording
from probekit.result import Result
from probekit.units import Units

IT = "IT"
_LABEL = "category"
_SHUFFLES, _QUICK_SHUFFLES = 100, 20
_QUICK_IMAGES = 12


def run_protocol(entry: Entry, protocol: Protocol) -> Result:
    """Return which units prefer a category of the localizer's images, in the network and in its controls.

    Raises
    ------
    NotApplicableError
        If the network does not take square images with 3 channels.
    DataError
        If the images are not here and cannot be fetched.
    """
    size = image_size(entry, "selectivity")
    n_images = _QUICK_IMAGES if protocol.quick else floc.N_PER_CONDITION
    stimuli = floc.images(size, n_per_condition=n_images)
    options = Options(_QUICK_SHUFFLES if protocol.quick else _SHUFFLES, protocol.seed)
    design = design_of(stimuli.table, label=_LABEL, contrasts=None, scrambled=floc.SCRAMBLED, seed=protocol.seed)
    measured: dict[str, Measured] = {}
    recorded: dict[str, Recording] = {}
    for name, network in with_twin(entry, protocol.seed).items():
        progress = named(protocol.progress, name)
        recorded[name] = record(
            network,
            stimuli,
            layers=protocol.layers,
            units=Units(space="mean"),
            batch_size=protocol.batch_size,
            device=protocol.device,
            progress=progress,
        )
        measured[name] = measure_units(name, recorded[name], design, options, progress=progress)
    controls = low_level(stimuli)
    for name, recording in controls.items():
        measured[name] = measure_units(name, recording, design, options)
    neurons, missing = _neurons(options)
    measured |= neurons
    said: dict[str, Any] = {
        "recordings": {name: dict(one.provenance) for name, one in recorded.items()},
        "controls": {name: dict(one.provenance) for name, one in controls.items()},
        "stimuli_sha256": stimuli.sha256,
    }
    arrays = top_images(recorded["trained"], stimuli, measured["trained"].table)
    notes = (*_notes(entry, protocol, n_images), *missing, *([NOTE] if neurons else []))
    return assemble(measured, design, options, said, label=_LABEL, arrays=arrays, notes=notes)


def _neurons(options: Options) -> tuple[dict[str, Measured], tuple[str, ...]]:
    """Return the neurons as far as the data are here, and a note where they are not."""
    name = zhang2011.__name__.rpartition(".")[2]
    if not data.here(name):
        return {}, (f"Without IT neurons beside the units (probekit data fetch {name}).",)
    try:
        recording = it_recording()
    except ProbekitError as err:
        return {}, (f"Without IT neurons beside the units: {err}",)
    design = design_of(recording.stimuli, label=LABEL, contrasts=None, scrambled=floc.SCRAMBLED, seed=options.seed)
    return {IT: measure_units(IT, recording, design, options)}, ()


def _notes(entry: Entry, protocol: Protocol, n_images: int) -> tuple[str, ...]:
    size = entry.card.input_shape[-1]
    notes = (
        *notes_on_twin(entry),
        f"Quick run: {n_images} images of each condition instead of {floc.N_PER_CONDITION}, and {_QUICK_SHUFFLES} "
        f"shuffles instead of {_SHUFFLES}. For a first look only."
        if protocol.quick
        else "",
        "" if size >= SMALLEST_PX else f"No {PYRAMID}: it needs images of at least {SMALLEST_PX} pixels.",
    )
    return tuple(note for note in notes if note)
