"""One section an analysis: how its results are told and drawn."""

from __future__ import annotations

from probekit.registry import Registry
from probekit.reports.section import Section
from probekit.reports.sections import generic

__all__ = ["REGISTRY", "section_of"]

REGISTRY = Registry(
    "report section",
    "probekit.sections",
    {
        name: f"probekit.reports.sections.{name}:SECTION"
        for name in ("lesion_effect", "orientation", "receptive_field", "rsa", "selectivity", "spatial", "tuning")
    },
    Section,
)


def section_of(analysis: str) -> Section:
    """Return the section of an analysis; one without its own gets the tables and the legend."""
    return REGISTRY.get(analysis) if analysis in REGISTRY.names() else generic.section(analysis)
