"""The page of Cichy, Khosla, Pantazis, Torralba & Oliva 2016."""

from __future__ import annotations

from markupsafe import Markup

from probekit.reports.rendering import render_template
from probekit.reports.studies.cichy2016.figures import figures
from probekit.reports.studies.cichy2016.findings import findings
from probekit.reports.studies.drawing import StudyDrawing
from probekit.result import Result


def _methods(result: Result) -> Markup:
    return render_template(
        "cichy2016_methods.html.jinja",
        synthetic=bool(result.provenance["synthetic"]),
        recorded=any(name.startswith("meg_") for name in result.arrays),
        parameters=result.provenance["parameters"],
    )


DRAWING = StudyDrawing("cichy2016", findings, figures, _methods)
