"""The protocol: 92 objects, early visual and inferior temporal cortex of humans and monkeys, and every control."""

from __future__ import annotations

from probekit.analyses.rsa.measure import assemble
from probekit.analyses.twins import named, notes_on_twin, with_twin
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
    """Return how well the layers of a network and of its untrained twin fit four regions of the ventral stream.

    Raises
    ------
    NotApplicableError
        If the network does not take square images with 3 channels.
    DataError
        If the brain data are not here and cannot be fetched.
    """
    stimuli = kriegeskorte2008.object_images(image_size(entry, "rsa"))
    systems, recordings = [], {}
    for network, one in with_twin(entry, protocol.seed).items():
        rdms = layer_rdms(
            one,
            stimuli,
            [_FORM],
            layers=protocol.layers,
            device=protocol.device,
            batch_size=protocol.batch_size,
            progress=named(protocol.progress, network),
        )[_FORM]
        systems.append(System(entry.card.name, network, protocol.seed if network == "untrained" else 0, rdms))
        recordings[network] = {"network": one.card.name, "weights_sha256": weights_hash(one.module)}
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
