"""How the page of one study is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from probekit.registry import Registry
from probekit.reports.section import Figure
from probekit.result import Result


@dataclass(frozen=True)
class StudyDrawing:
    """What a study adds to the page that all studies share.

    Parameters
    ----------
    study : str
        Name of the study.
    findings : callable
        Result → sentences, the main one first, written from its numbers, the control beside each.
    figures : callable
        Result → figures, the publication's main one drawn again first.
    methods : callable
        Result → how it was measured, as HTML.
    axes : (str, str)
        Columns of the summary that the plot of all rows shows first, across and up.
    rows : (str, str)
        Heading of the summary, and what its rows are.
    """

    study: str
    findings: Callable[[Result], list[str]]
    figures: Callable[[Result], tuple[Figure, ...]]
    methods: Callable[[Result], Markup]
    axes: tuple[str, str] = ("depth", "score")
    rows: tuple[str, str] = ("Every layer", "every layer, region and control")


DRAWINGS = Registry(
    "study drawing",
    "probekit.study_drawings",
    {
        "banino2018-lesion": "probekit.reports.studies.banino2018_lesion:DRAWING",
        "cichy2016": "probekit.reports.studies.cichy2016:DRAWING",
        "guclu2015": "probekit.reports.studies.guclu2015:DRAWING",
        "khaligh-razavi2014": "probekit.reports.studies.khaligh_razavi2014:DRAWING",
        "kuzovkin2018": "probekit.reports.studies.kuzovkin2018:DRAWING",
    },
    StudyDrawing,
)


def drawing_of(study: str) -> StudyDrawing:
    """Return how a study is drawn; one without its own gets its claims and tables only."""
    if study in DRAWINGS.names():
        return DRAWINGS.get(study)
    return StudyDrawing(study, claims_told, lambda _: (), lambda _: Markup())


def claims_told(result: Result) -> list[str]:
    """Return what was found for each claim that was tested, as its table says it."""
    tested = result.table[result.table["verdict"] != "not tested"]
    return [str(said) for said in tested["ours"]]
