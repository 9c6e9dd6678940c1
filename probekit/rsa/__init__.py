"""Representational similarity analysis: RDMs, how alike they are, and how sure one can be."""

from probekit.rsa.rdms import RDMs, from_square, stacked

__all__ = ["RDMs", "from_square", "stacked"]
