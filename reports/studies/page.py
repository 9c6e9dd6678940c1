"""The page of a study, drawn from its result alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from probekit.errors import UsageError
from probekit.reports.file import render_page, write
from probekit.reports.section import Figure, Legend
from probekit.reports.studies.drawing import drawing_of
from probekit.reports.studies.ranks import places, ranks_told
from probekit.reports.tables import unit_table
from probekit.result import Result
from probekit.study import Study

_ROWS_BUDGET = 2_000_000
"""Bytes of all rows in the page."""


@dataclass(frozen=True, eq=False)
class StudyPage:
    """One study, ready to be read.

    Parameters
    ----------
    study : Study
    result : Result
        What its `run` returned.
    command : str
        Command line that made it, if there was one.
    """

    study: Study
    result: Result
    command: str = ""

    def findings(self) -> list[str]:
        """Return what was found, in sentences, the main one first."""
        return [*drawing_of(self.study.name).findings(self.result), *ranks_told(self.result)]

    def html(self, *, files: bool = False) -> str:
        """Return the page; with `files`, it may point to what `save_all` writes beside it."""
        study, result = self.study, self.result
        return render_page(
            "study.html.jinja",
            title=study.title,
            study=study,
            synthetic=bool(result.provenance.get("synthetic")),
            findings=self.findings(),
            notes=result.notes,
            claims=result.table.to_dict("records"),
            models=result.table["model"].replace("", None).nunique(),
            figures=self._figures,
            places=places(result),
            fits=unit_table(result.summary, study.summary_columns, budget=_ROWS_BUDGET),
            axes=drawing_of(study.name).axes,
            rows=drawing_of(study.name).rows,
            methods=drawing_of(study.name).methods(result),
            provenance=result.provenance,
            legends=(
                Legend("table.csv: a row a claim", study.columns),
                Legend(f"summary.csv: {drawing_of(study.name).rows[1]}", study.summary_columns),
            ),
            command=self.command,
            files=files,
        )

    def save_all(self, folder: str | Path) -> Path:
        """Write ``report.html``, and a folder with tables, arrays and figures; return the page.

        Raises
        ------
        UsageError
            If the folder cannot be written.
        """
        folder = Path(folder)
        try:
            self.result.save(folder / self.study.name)
        except OSError as err:
            raise UsageError(f"folder is '{folder}', which cannot be written: {err}") from err
        for figure in self._figures:
            for panel in figure.panels:
                write(folder / self.study.name / "figures" / f"{figure.name}-{panel.name}.svg", panel.svg)
        return write(folder / "report.html", self.html(files=True))

    @cached_property
    def _figures(self) -> tuple[Figure, ...]:
        return drawing_of(self.study.name).figures(self.result)
