"""The page of the grid lesion after Banino et al. 2018."""

from __future__ import annotations

from markupsafe import Markup

from probekit.reports.rendering import render_template
from probekit.reports.studies.banino2018_lesion.figures import figures
from probekit.reports.studies.banino2018_lesion.findings import findings
from probekit.reports.studies.drawing import StudyDrawing
from probekit.reports.words import count
from probekit.result import Result

__all__ = ["DRAWING"]


def _methods(result: Result) -> Markup:
    used = result.provenance["parameters"]
    return render_template(
        "banino2018_lesion_methods.html.jinja",
        synthetic=bool(result.provenance["synthetic"]),
        n_samples=count(used["n_samples"]),
        n_paths=count(used["n_paths"]),
        n_sham=count(used["n_sham"]),
        n_more=count(used["n_more"]),
    )


DRAWING = StudyDrawing(
    "banino2018-lesion",
    findings,
    figures,
    _methods,
    axes=("dose", "effect_adjusted"),
    rows=("Every specification", "every network, place, matching, task and dose"),
)
