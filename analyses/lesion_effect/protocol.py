"""The protocol."""

from probekit.analysis import Protocol
from probekit.network import Entry
from probekit.result import Result


def run_protocol(entry: Entry, protocol: Protocol) -> Result:
    """Return."""
    raise NotImplementedError
