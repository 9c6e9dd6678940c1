"""The section of representational similarity: which layer fits which region, beside every control."""

from __future__ import annotations

from probekit.reports.fits import CEILING_SAID, best_said, fit_panels
from probekit.reports.rendering import render_template
from probekit.reports.section import Content, Figure, Section
from probekit.reports.words import plain
from probekit.result import Result

__all__ = ["SECTION"]


def findings(result: Result) -> list[str]:
    """Return a sentence a region."""
    return [best_said(result.table, _model(result), str(region)) for region in result.table["region"].unique()]


def build(result: Result) -> Content:
    """Return the figure, and the methods."""
    panels = fit_panels(result.table, _model(result))
    figure = Figure("fit", "How well each layer fits each region", panels, CEILING_SAID, size="large")
    used = result.provenance.get("parameters", {})
    return Content(
        figures=(figure,) if panels else (),
        methods=render_template("rsa_methods.html.jinja", **{key: plain(value) for key, value in used.items()}),
        axes=("depth", "score"),
        row="comparison",
    )


def _model(result: Result) -> str:
    measured = result.table[result.table["network"] != "control"]
    return str(measured["model"].iloc[0]) if len(measured) else ""


SECTION = Section("rsa", findings, build)
