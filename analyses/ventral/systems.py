"""What is compared with the brain: trained networks, their untrained twins, and controls that are no networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probekit.analyses.twins import named
from probekit.analyses.ventral.representations import Form, layer_rdms
from probekit.layers import LayerSpec
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.rsa import RDMs
from probekit.stimuli import Stimuli


@dataclass(frozen=True, eq=False)
class System:
    """One system and its RDMs.

    Parameters
    ----------
    model : str
        Name of the network, or of the control.
    network : {"trained", "untrained", "control"}
    seed : int
        Of an untrained twin.
    rdms : RDMs
        Table columns `layer` and `depth`.
    """

    model: str
    network: str
    seed: int
    rdms: RDMs


@dataclass(frozen=True)
class Pass:
    """How networks are shown their stimuli.

    Parameters
    ----------
    device : str
    batch_size : int
    progress : Progress
    """

    device: str = "cpu"
    batch_size: int = 64
    progress: Progress = silent


def network_systems(
    entry: Entry,
    stimuli: Stimuli,
    forms: Sequence[Form],
    shown: Pass,
    *,
    twin_seeds: Sequence[int] = (0, 1),
    layers: LayerSpec = None,
) -> dict[Form, list[System]]:
    """Return a network and its untrained twins, by form; without twins where the network cannot be built anew.

    `layers` are as `layer_rdms` takes them.
    """
    twins = {seed: entry.untrained(seed) for seed in twin_seeds} if entry.build is not None else {}
    found: dict[Form, list[System]] = {form: [] for form in forms}
    for network, seed, one in [("trained", 0, entry), *(("untrained", seed, twin) for seed, twin in twins.items())]:
        by_form = layer_rdms(
            one,
            stimuli,
            forms,
            layers=layers,
            device=shown.device,
            batch_size=shown.batch_size,
            progress=named(shown.progress, f"{network} {entry.card.name}"),
        )
        for form, rdms in by_form.items():
            found[form].append(System(entry.card.name, network, seed, rdms))
    return found
