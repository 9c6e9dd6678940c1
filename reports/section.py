"""What a section of a report is made of, before any of it is a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from probekit.analyses import REGISTRY
from probekit.analysis import Analysis, Column
from probekit.reports.tables import LayerTable
from probekit.result import Result


@dataclass(frozen=True)
class Panel:
    """One picture, with the words that stand for it.

    Parameters
    ----------
    name : str
        Unique in its figure; letters, digits and hyphens.
    svg : str
        A complete SVG document.
    alt : str
        What the picture shows, for a reader who does not see it; "" if `label` says it all.
    label : tuple of str
        Lines printed under the picture.
    """

    name: str
    svg: str
    alt: str
    label: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """Panels that are looked at together.

    Parameters
    ----------
    name : str
        Unique in its section; letters, digits and hyphens.
    title : str
        What the figure is about.
    panels : tuple of Panel
    caption : str
        What is plotted, units, n, and what the control is.
    size : {"wide", "large", "medium", "small"}
        Width of one panel: the page, half of it, a third, or a thumbnail.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    caption: str
    size: Literal["wide", "large", "medium", "small"] = "medium"


@dataclass(frozen=True)
class Fold:
    """What is folded out for one layer.

    Parameters
    ----------
    title : str
        Name of the layer.
    line : str
        What its closed line says.
    figures : tuple of Figure
    """

    title: str
    line: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Content:
    """Everything that a section adds to what the page says of any result.

    Parameters
    ----------
    figures : tuple of Figure
    layers : LayerTable or None
        Summary of the layers, the control beside each number.
    folds : tuple of Fold
        One a layer.
    folds_rule : str
        By which rule the units in the folds were chosen.
    methods : Markup
        How it was measured: formulae and rules, as HTML.
    axes : (str, str)
        Columns of the table that the plot of all units shows first, across and up; "" takes the first measure that
        there is.
    row : str
        What one row of the table is, such as "unit" or "comparison".
    """

    figures: tuple[Figure, ...] = ()
    layers: LayerTable | None = None
    folds: tuple[Fold, ...] = ()
    folds_rule: str = ""
    methods: Markup = field(default_factory=Markup)
    axes: tuple[str, str] = ("", "")
    row: str = "unit"


@dataclass(frozen=True)
class Legend:
    """What the columns of one table mean; `name` is how the table is called on the page."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Section:
    """How the results of one analysis are told and drawn.

    Parameters
    ----------
    analysis : str
        Name of the analysis.
    findings : callable
        Result → sentences, written from its numbers, the control beside each.
    build : callable
        Result → `Content`.
    """

    analysis: str
    findings: Callable[[Result], list[str]]
    build: Callable[[Result], Content]


def declared(analysis: str) -> Analysis | None:
    """Return what is declared of an analysis, None where the package that brings it is not installed."""
    return REGISTRY.get(analysis) if analysis in REGISTRY.names() else None
