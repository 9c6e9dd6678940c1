"""Tables as text and back: CSV that any program reads, and that comes back equal to the last bit."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd


def table_types(table: pd.DataFrame) -> dict[str, str]:
    """Return column → type, which `table_from_csv` needs to read the table back as it was."""
    return {str(column): str(kind) for column, kind in table.dtypes.items()}


def table_to_csv(table: pd.DataFrame) -> str:
    """Return the table as CSV text; numbers in the shortest form that reads back exactly, nan as an empty field."""
    return str(table.to_csv(index=False, lineterminator="\n"))


def table_from_csv(text: str, types: dict[str, str]) -> pd.DataFrame:
    """Return the table that `table_to_csv` wrote, with these column types.

    >>> table = pd.DataFrame({"name": ["NA", ""], "x": [0.1, np.nan], "n": [1, 2], "ok": [True, False]})
    >>> table_from_csv(table_to_csv(table), table_types(table)).equals(table)
    True
    """
    raw = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, na_filter=False)
    return pd.DataFrame({name: _column(raw[name], kind) for name, kind in types.items()}, index=raw.index)


def _column(values: pd.Series[str], kind: str) -> pd.Series[Any] | np.ndarray:
    if kind.startswith("float"):
        return np.array([float(value) if value else np.nan for value in values], dtype=kind)
    if kind.startswith(("int", "uint")):
        return np.array([int(value) for value in values], dtype=kind)
    if kind == "bool":
        return np.array([value == "True" for value in values], dtype=bool)
    return values if kind == "str" else values.astype(object)
