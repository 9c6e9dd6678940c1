"""What a command says: results to stdout, as text or JSON, and notes to stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import pandas as pd


class OutputLost(OSError):  # noqa: N818 - it is no fault of the program's
    """Standard output cannot be written: its reader went away, or the disk is full."""


def note(text: str) -> None:
    """Say something that is not a result, on stderr."""
    sys.stderr.write(f"probekit: {text}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class Output:
    """Where a command's results go, and in which form.

    Parameters
    ----------
    stream : text stream
        Standard output.
    json : bool
        One JSON document instead of text.
    """

    stream: TextIO
    json: bool

    def value(self, text: str, data: Mapping[str, Any]) -> None:
        """Write one result: `text`, or `data` as JSON."""
        self._write(_json(data) if self.json else text)

    def table(self, table: pd.DataFrame, *, prose: str = "") -> None:
        """Write a table: drawn on a terminal, tab-separated with a header elsewhere, or a JSON array of objects.

        On a terminal the column `prose`, too long for a table, stands below it.
        """
        columns = [str(column) for column in table.columns]
        rows = list(table.itertuples(index=False, name=None))
        if self.json:
            self._write(_json([dict(zip(columns, row, strict=True)) for row in rows]))
        elif self.stream.isatty():
            self._draw(columns, rows, prose)
        else:
            self._write("\n".join("\t".join(_field(value) for value in row) for row in [columns, *rows]))

    def _write(self, text: str) -> None:
        try:
            self.stream.write(f"{text}\n")
            self.stream.flush()
        except OSError as err:
            raise OutputLost(err.errno, err.strerror) from err

    def _draw(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], prose: str) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(file=self.stream)
        drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        shown = [place for place, column in enumerate(columns) if column != prose]
        for place in shown:
            numeric = bool(rows) and all(_is_number(row[place]) for row in rows)
            heading = Text(columns[place].replace("_", " "))
            drawn.add_column(heading, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            drawn.add_row(*(Text(_drawn(row[place])) for place in shown))
        console.print(drawn)
        for row in rows if prose else ():
            console.print(Text(f"{row[0]}, {prose}: {row[columns.index(prose)]}\n"))


def _drawn(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else _field(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _field(value: object) -> str:
    """Return a value on one line and without tabs, so that a table stays one; a missing one is empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    if isinstance(value, tuple):
        return ("x" if all(isinstance(part, int) for part in value) else ",").join(map(str, value))
    return " ".join(str(value).split())


def _json(value: object) -> str:
    return json.dumps(_plain(value), indent=1, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
