"""The page of Güçlü & van Gerven 2015."""

from __future__ import annotations

from markupsafe import Markup

from probekit.reports.rendering import render_template
from probekit.reports.studies.drawing import StudyDrawing
from probekit.reports.studies.guclu2015.figures import figures
from probekit.reports.studies.guclu2015.findings import findings
from probekit.result import Result


def _methods(result: Result) -> Markup:
    return render_template(
        "guclu2015_methods.html.jinja",
        synthetic=bool(result.provenance["synthetic"]),
        parameters=result.provenance["parameters"],
    )


DRAWING = StudyDrawing("guclu2015", findings, figures, _methods)
