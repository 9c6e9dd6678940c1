"""Lesions: units, layers, heads, states and gates silenced or changed while a network runs, and put back after."""

from probekit.lesions.engine import ManyLesions, active_lesions, lesion, many_lesions
from probekit.lesions.targets import Target

__all__ = ["ManyLesions", "Target", "active_lesions", "lesion", "many_lesions"]
