"""The section of an analysis that has none of its own: its tables, each number beside its control."""

from __future__ import annotations

from probekit.reports.section import Content, Section, declared
from probekit.reports.tables import MEASURED, layer_table
from probekit.reports.words import plural
from probekit.result import Result


def section(analysis: str) -> Section:
    """Return a section for any analysis."""
    return Section(analysis, findings, build)


def findings(result: Result) -> list[str]:
    """Return what can be said of any result: how much was measured, and whether there is a control."""
    networks = set(result.summary["network"]) if "network" in result.summary else {MEASURED}
    controls = sorted(networks - {MEASURED})
    beside = f"beside it: {', '.join(controls)}" if controls else "without a control to compare with"
    return [
        f"{plural(len(result.table), 'row')} of numbers in {plural(len(result.summary), 'summary row')}, {beside}.",
        "This analysis brings no sentences of its own; its numbers are in the tables below.",
    ]


def build(result: Result) -> Content:
    """Return the summary as a table."""
    analysis = declared(result.analysis)
    columns = analysis.summary_columns if analysis else ()
    return Content(layers=layer_table(result.summary, columns) if len(result.summary) else None)
