"""The protocol: 92 objects, early visual and inferior temporal cortex of humans and monkeys, and every control."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from probekit.analyses.rsa.measure import assemble
from probekit.analyses.twins import named, notes_on_twin
from probekit.analyses.ventral.controls import control_systems
from probekit.analyses.ventral.images import image_size
from probekit.analyses.ventral.regions import ventral_regions
from probekit.analyses.ventral.representations import Form, layer_rdms
from probekit.analyses.ventral.systems import System
from probekit.analysis import Protocol
from probekit.brains import kriegeskorte2008
from probekit.network import Entry, weights_hash
from probekit.result import Result

_FORM = Form(standardize=True, distance="correlation", stage="output")


def run_protocol(entry: Entry, protocol: Protocol) -> Result:
    """Return how well the layers of a network and of two untrained twins fit four regions of the ventral stream.

    Raises
    ------
    NotApplicableError
        If the network does not take square images with 3 channels.
    DataError
        If the brain data are not here and cannot be fetched.
    """
    stimuli = kriegeskorte2008.object_images(image_size(entry, "rsa"))
    systems, recordings = [], {}
    for network, seed, one in _shown(entry, protocol.seed):
        rdms = layer_rdms(
            one,
            stimuli,
            [_FORM],
            layers=protocol.layers,
            device=protocol.device,
            batch_size=protocol.batch_size,
            progress=named(protocol.progress, network),
        )[_FORM]
        systems.append(System(entry.card.name, network, seed, rdms))
        again = f" {seed}" if network in recordings else ""
        recordings[network + again] = {"network": one.card.name, "weights_sha256": weights_hash(one.module)}
    said = {
        "seed": protocol.seed,
        "recordings": recordings,
        "stimuli_sha256": stimuli.sha256,
        "parameters": {"form": str(_FORM), "measure": "spearman"},
    }
    quick = ["Quick run: rsa is quick anyway, and nothing was left out."] if protocol.quick else []
    return assemble(
        [*systems, *control_systems(stimuli)],
        ventral_regions(),
        said,
        notes=(*quick, *notes_on_twin(entry)),
    )


def _shown(entry: Entry, seed: int) -> Iterator[tuple[str, int, Entry]]:
    """Yield the network, and two untrained twins, neither of which is the network itself where that is untrained."""
    yield "trained", 0, entry
    if entry.build is None:
        return
    own = weights_hash(entry.module)
    twins = ((number, entry.untrained(number)) for number in range(seed, seed + 3))
    others = ((number, twin) for number, twin in twins if weights_hash(twin.module) != own)
    for number, twin in islice(others, 2):
        yield "untrained", number, twin
