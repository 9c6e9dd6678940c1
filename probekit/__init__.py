"""probekit: virtual brain analytics. The methods of neuroscience, applied to trained neural networks."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from probekit import (
        analyses,
        brains,
        data,
        encoding,
        lesions,
        navigation,
        recurrent,
        reports,
        rsa,
        spatial,
        stats,
        stimuli,
        tasks,
        zoo,
    )
    from probekit.analyses import analyse
    from probekit.analyses.studies import reproduce
    from probekit.geometry import receptive_fields
    from probekit.lesions import lesion
    from probekit.navigator import navigate
    from probekit.network import Card, Entry, Preprocess
    from probekit.recorder import plan, record
    from probekit.recording import Recording
    from probekit.replay import fidelity
    from probekit.result import Result
    from probekit.store import open_store as open
    from probekit.units import Units

_PARTS = (
    "analyses", "brains", "data", "encoding", "lesions", "navigation", "recurrent", "reports", "rsa", "spatial",
    "stats", "stimuli", "tasks", "zoo",
)  # fmt: skip
_NAMES = {
    "analyse": "analyses:analyse",
    "Card": "network:Card",
    "Entry": "network:Entry",
    "Preprocess": "network:Preprocess",
    "fidelity": "replay:fidelity",
    "lesion": "lesions:lesion",
    "navigate": "navigator:navigate",
    "plan": "recorder:plan",
    "record": "recorder:record",
    "open": "store:open_store",
    "reproduce": "analyses.studies:reproduce",
    "receptive_fields": "geometry:receptive_fields",
    "Recording": "recording:Recording",
    "Result": "result:Result",
    "Units": "units:Units",
}

__all__ = [
    "Card",
    "Entry",
    "Preprocess",
    "Recording",
    "Result",
    "Units",
    "analyse",
    "analyses",
    "brains",
    "data",
    "encoding",
    "fidelity",
    "lesion",
    "lesions",
    "navigate",
    "navigation",
    "open",
    "plan",
    "receptive_fields",
    "record",
    "recurrent",
    "reports",
    "reproduce",
    "rsa",
    "spatial",
    "stats",
    "stimuli",
    "tasks",
    "zoo",
]


def __getattr__(name: str) -> object:
    """Import a part when it is first used, so that `import probekit` is quick."""
    if name in _PARTS:
        return import_module(f"probekit.{name}")
    if name in _NAMES:
        module, _, attribute = _NAMES[name].partition(":")
        return getattr(import_module(f"probekit.{module}"), attribute)
    raise AttributeError(f"module 'probekit' has no attribute '{name}'")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
