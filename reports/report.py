"""A report: results assembled into one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from probekit.analysis import Analysis, Source
from probekit.errors import UsageError
from probekit.network import Card
from probekit.reports import words
from probekit.reports.file import render_page, write
from probekit.reports.layers import find
from probekit.reports.section import Content, Legend, declared
from probekit.reports.sections import section_of
from probekit.reports.tables import CONTROL, MEASURED, LayerTable, UnitTable, layer_table, unit_table
from probekit.reports.unit_pages import RULE, unit_pages
from probekit.result import Result

_WIDE = 60
_UNITS_BUDGET, _FIGURES = 3_000_000, 600_000
"""Bytes of all units in the page, and of the figures of each further section, so that it stays under 5 MB."""
_NOT_IN_A_KEY = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, eq=False)
class Report:
    """Results of one network, ready to be read.

    Parameters
    ----------
    title : str
        Heading of the page.
    results : sequence of Result
        At least one; each becomes a section.
    card : Card, optional
        What is known about the network.
    layers : pandas.DataFrame, optional
        A row a layer of the network, shown under its card.
    command : str
        Command line that made it, if there was one.

    Raises
    ------
    UsageError
        If there is no result, or something that is not one.
    """

    title: str
    results: Sequence[Result]
    card: Card | None = None
    layers: pd.DataFrame | None = None
    command: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.results, Result):
            raise UsageError("results is a single Result; put it into a list: [result].")
        if not self.results:
            raise UsageError("results is empty; a report needs at least one Result.")
        for result in self.results:
            if not isinstance(result, Result):
                raise UsageError(f"results has a {type(result).__name__}; expected what an analysis returns, a Result.")

    def html(self, *, files: bool = False) -> str:
        """Return the page.

        Parameters
        ----------
        files : bool
            Whether the page may point to the files that `save_all` writes beside it.
        """
        return render_page(
            "page.html.jinja",
            title=self.title,
            lede=_lede(self._pages),
            sections=self._pages,
            units=unit_pages(self.results),
            units_rule=RULE,
            card=self._card_lines(),
            wide=_WIDE,
            layers=None if self.layers is None else _plain_table(self.layers),
            command=self.command,
            files=files,
        )

    def save(self, path: str | Path) -> Path:
        """Write the page to `path`, replacing what is there only when all of it is written; return the path.

        Raises
        ------
        UsageError
            If the file cannot be written.
        """
        return write(Path(path), self.html())

    def save_all(self, folder: str | Path) -> Path:
        """Write ``report.html``, and for each result a folder with its tables, arrays and figures; return the page.

        Raises
        ------
        UsageError
            If the folder cannot be written.
        """
        folder = Path(folder)
        try:
            for page in self._pages:
                page.result.save(folder / page.key)
        except OSError as err:
            raise UsageError(f"folder is '{folder}', which cannot be written: {err}") from err
        for page in self._pages:
            for name, svg in page.pictures():
                write(folder / page.key / "figures" / f"{name}.svg", svg)
        return write(folder / "report.html", self.html(files=True))

    @cached_property
    def _pages(self) -> list[_Page]:
        seen: dict[str, int] = {}
        n = len(self.results)
        budget = max(_UNITS_BUDGET - (n - 1) * _FIGURES, _FIGURES) // n
        pages = []
        for result in self.results:
            seen[result.analysis] = seen.get(result.analysis, 0) + 1
            pages.append(_page(result, seen[result.analysis], budget=budget))
        return pages

    def _card_lines(self) -> list[tuple[str, str]]:
        if self.card is None:
            return []
        card, said = self.card, self.results[0].provenance
        lines = [
            ("Name", card.name),
            ("Kind", card.kind),
            ("Parameters", words.count(card.parameters) if card.parameters else ""),
            ("Trained on", card.trained_on),
            ("Accuracy", card.accuracy),
            ("Input", " × ".join(map(str, card.input_shape))),
            ("Weights (sha256)", str(find(said, "weights_sha256") or "")[:12]),
            ("Source", card.source),
            ("Licence", card.licence),
            ("Notes", card.notes),
        ]
        return sorted([(name, value) for name, value in lines if value], key=lambda line: len(line[1]) > _WIDE)


@dataclass(frozen=True, eq=False)
class _Page:
    """What the template reads of one section."""

    key: str
    title: str
    description: str
    result: Result
    findings: list[str]
    content: Content
    units: UnitTable
    nan_reasons: _Reasons | None
    legends: tuple[Legend, ...]
    sources: tuple[Source, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return self.result.notes

    @property
    def provenance(self) -> Mapping[str, Any]:
        return self.result.provenance

    def pictures(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the SVG of each panel of the section's own figures."""
        for figure in self.content.figures:
            for panel in figure.panels:
                yield f"{figure.name}-{panel.name}", panel.svg


@dataclass(frozen=True)
class _Reasons:
    networks: list[str]
    rows: list[tuple[str, list[str]]]


def _page(result: Result, number: int, *, budget: int) -> _Page:
    section, analysis = section_of(result.analysis), declared(result.analysis)
    key = _NOT_IN_A_KEY.sub("-", result.analysis.lower()).strip("-") or "section"
    again = "" if number == 1 else f" ({number})"
    return _Page(
        key=key if number == 1 else f"{key}-{number}",
        title=(analysis.title if analysis else result.analysis) + again,
        description=analysis.description if analysis else "",
        result=result,
        findings=section.findings(result),
        content=section.build(result),
        units=unit_table(result.table, analysis.columns if analysis else (), budget=budget),
        nan_reasons=_nan_reasons(result.table),
        legends=_legends(analysis),
        sources=analysis.sources if analysis else (),
    )


def _legends(analysis: Analysis | None) -> tuple[Legend, ...]:
    if analysis is None:
        return ()
    return (
        Legend("table.csv: a row a unit or comparison", analysis.columns),
        Legend("summary.csv: a row a layer and network", analysis.summary_columns),
    )


def _nan_reasons(table: pd.DataFrame) -> _Reasons | None:
    """Count the units of each network by reason; the reasons of one unit are separated by "; "."""
    if "nan_reason" not in table:
        return None
    given = table.loc[table["nan_reason"] != "", [name for name in ("network", "nan_reason") if name in table]]
    if given.empty:
        return None
    single = given.assign(nan_reason=given["nan_reason"].str.split("; ")).explode("nan_reason", ignore_index=True)
    network = single["network"] if "network" in single else pd.Series("units", index=single.index)
    counts = pd.crosstab(single["nan_reason"], network)
    rows = [
        (str(reason), [words.count(n) for n in row])
        for reason, row in zip(counts.index, counts.to_numpy(), strict=True)
    ]
    return _Reasons([str(name) for name in counts.columns], rows)


def _lede(pages: Sequence[_Page]) -> str:
    """Say what the page is of: titles, units, layers and controls."""
    of_units = [page.result.table for page in pages if page.content.row == "unit"]
    table = max(of_units or [page.result.table for page in pages], key=len)
    titles = words.listing([page.title for page in pages])
    if not {"network", "layer"} <= set(table):
        return f"{titles}: {words.plural(len(table), 'row')} of numbers."
    measured = table[table["network"] == MEASURED]
    control = ", beside the untrained twin" if (table["network"] == CONTROL).any() else ""
    units = f"{words.plural(len(measured), 'unit')} in " if of_units else ""
    return f"{titles} of {units}{words.plural(measured['layer'].nunique(), 'layer')}{control}."


def _plain_table(table: pd.DataFrame) -> LayerTable:
    renamed = table.rename(columns={str(table.columns[0]): "layer"})
    return layer_table(renamed)
