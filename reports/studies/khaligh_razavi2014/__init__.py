"""The page of Khaligh-Razavi & Kriegeskorte 2014."""

from __future__ import annotations

from markupsafe import Markup

from probekit.reports.rendering import render_template
from probekit.reports.studies.drawing import StudyDrawing
from probekit.reports.studies.khaligh_razavi2014.figures import figures
from probekit.reports.studies.khaligh_razavi2014.findings import findings
from probekit.result import Result


def _methods(result: Result) -> Markup:
    used = result.provenance
    return render_template(
        "khaligh_razavi2014_methods.html.jinja",
        synthetic=used["synthetic"],
        n_resamples=used["parameters"]["resamples"],
    )


DRAWING = StudyDrawing("khaligh-razavi2014", findings, figures, _methods)
