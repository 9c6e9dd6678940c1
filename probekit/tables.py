"""Tables as text and back: CSV that any program reads, and that comes back equal to the last bit."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pandas as pd

from probekit.errors import UsageError

_NUMBERS = re.compile("bool|u?int(8|16|32|64)|float(16|32|64)")
_TEXT = ("str", "string", "object")
_GAPS = " with gaps"


def table_types(table: pd.DataFrame) -> dict[str, str]:
    """Return column → type, which `table_from_csv` needs to read the table back as it was.

    Raises
    ------
    UsageError
        If the table would not come back the same: two columns of one name, or a column that holds anything but
        numbers, booleans, or text; text may be missing (nan) or empty, but not both in one column.

    Examples
    --------
    >>> table_types(pd.DataFrame({"n": [1, 2], "label": pd.Series(["cat", None], dtype=object)}))
    {'n': 'int64', 'label': 'object with gaps'}
    """
    names = list(table.columns)
    if len(set(names)) < len(names) or not all(isinstance(name, str) and name for name in names):
        raise UsageError(f"a table has the columns {names}; to be written, it needs names that differ, as text.")
    return {str(name): _type(str(name), values) for name, values in table.items()}


def table_to_csv(table: pd.DataFrame) -> str:
    """Return the table as CSV text; numbers in the shortest form that reads back exactly, nan as an empty field."""
    return str(table.to_csv(index=False, lineterminator="\n"))


def table_from_csv(text: str, types: dict[str, str]) -> pd.DataFrame:
    """Return the table that `table_to_csv` wrote, with these column types.

    >>> table = pd.DataFrame({"name": ["NA", ""], "x": [0.1, np.nan], "n": [1, 2], "ok": [True, False]})
    >>> table_from_csv(table_to_csv(table), table_types(table)).equals(table)
    True
    """
    if not types:
        return pd.DataFrame()
    raw = pd.read_csv(io.StringIO(text), dtype=str, na_filter=False, skip_blank_lines=False, lineterminator="\n")
    return pd.DataFrame({name: _column(raw[name], kind) for name, kind in types.items()}, index=raw.index)


def _type(name: str, values: pd.Series[Any]) -> str:
    kind = str(values.dtype)
    if _NUMBERS.fullmatch(kind):
        return kind
    present = values.dropna()
    if kind in _TEXT and all(isinstance(value, str) for value in present):
        if len(present) == len(values):
            return kind
        if not present.eq("").any():
            return kind + _GAPS
    raise UsageError(
        f"column '{name}' is of type {kind} and would not be read back as it is written; expected numbers, booleans, "
        "or text, in which what is missing is '' throughout or nan throughout."
    )


def _column(values: pd.Series[str], kind: str) -> pd.Series[Any] | np.ndarray:
    if kind.startswith("float"):
        return np.array([float(value) if value else np.nan for value in values], dtype=kind)
    if kind.startswith(("int", "uint")):
        return np.array([int(value) for value in values], dtype=kind)
    if kind == "bool":
        return np.array([value == "True" for value in values], dtype=bool)
    dtype: Any = kind.removesuffix(_GAPS)
    text: pd.Series[Any] = values.astype(dtype)
    return text.mask(text == "") if kind.endswith(_GAPS) else text
