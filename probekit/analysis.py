"""What an analysis declares about itself: its columns, their units and sources, its measure and its protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from probekit.errors import UsageError
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.result import Result

DType = Literal["float", "int", "bool", "str"]
_KINDS: dict[DType, str] = {"float": "f", "int": "iu", "bool": "b", "str": "OUT"}


@dataclass(frozen=True)
class Source:
    """Where a definition or a reference number was published."""

    citation: str
    doi: str


@dataclass(frozen=True)
class Column:
    """One column of a table, said so that its reader needs nothing else.

    Parameters
    ----------
    name : str
        Column name; a unit is part of the name ("bandwidth_deg").
    dtype : {"float", "int", "bool", "str"}
    meaning : str
        One sentence, without a full stop.
    unit : str
        Such as "deg"; "" for pure numbers.
    range : str
        Such as "0 … 1", and what the ends mean.
    nan : str
        What a missing value means; "" if there is never one.
    source : str
        Citation key of the definition, such as "Ringach 2002"; "" for bookkeeping.
    """

    name: str
    dtype: DType
    meaning: str
    unit: str = ""
    range: str = ""
    nan: str = ""
    source: str = ""


@dataclass(frozen=True)
class Protocol:
    """What the caller of a protocol chooses.

    Parameters
    ----------
    layers : str, list of str or None
        Which layers; None takes the ones that the network's card names.
    seed : int
        Seeds everything random: the untrained twin, permutations, bootstraps.
    quick : bool
        Fewer stimuli and resamples; the result says so.
    device : str
        Torch device for the forward passes.
    batch_size : int
        Stimuli in one forward pass.
    progress : Progress
        Told how far the work is.
    """

    layers: str | list[str] | None = None
    seed: int = 0
    quick: bool = False
    device: str = "cpu"
    batch_size: int = 64
    progress: Progress = field(default=silent, compare=False)


@dataclass(frozen=True)
class Analysis:
    """One family of measures, ready to be listed, run, checked and reported.

    Parameters
    ----------
    name : str
        Registered name, also the name of its module and of its measure.
    title : str
        Heading in a report.
    description : str
        One sentence: what it tells of a unit.
    networks : str
        On which kind of network it can be run, in words.
    columns, summary_columns : tuple of Column
        Every column of `Result.table` and of `Result.summary`, in order.
    sources : tuple of Source
        Publications of the definitions and of the reference data.
    measure : callable
        Recording → Result; works on any recording with the right stimuli.
    protocol : callable
        (Entry, Protocol) → Result; shows the stimuli, records network and control, measures both.
    unasked : bool
        Whether a report that names no analyses runs it; one that takes minutes is run where it is asked for.
    """

    name: str
    title: str
    description: str
    networks: str
    columns: tuple[Column, ...]
    summary_columns: tuple[Column, ...]
    sources: tuple[Source, ...]
    measure: Callable[..., Result]
    protocol: Callable[[Entry, Protocol], Result]
    unasked: bool = True

    def check(self, result: Result) -> Result:
        """Return `result` if its tables are as declared, else raise what differs."""
        check_table(f"{self.name}.table", result.table, self.columns)
        check_table(f"{self.name}.summary", result.summary, self.summary_columns)
        return result


def check_table(where: str, table: pd.DataFrame, columns: tuple[Column, ...]) -> None:
    """Raise what differs between a table and the columns declared for it.

    Raises
    ------
    UsageError
    """
    declared = [column.name for column in columns]
    if list(table.columns) != declared:
        raise UsageError(f"{where} has columns {list(table.columns)}; declared are {declared}.")
    for column in columns:
        values = table[column.name]
        if len(values) and values.dtype.kind not in _KINDS[column.dtype]:
            raise UsageError(f"{where}.{column.name} is {values.dtype}; declared is {column.dtype}.")
        if not column.nan and values.isna().any():
            raise UsageError(f"{where}.{column.name} has missing values and declares no reason for one.")
