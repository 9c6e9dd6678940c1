"""The tables that the study keeps as arrays, read back as tables."""

from __future__ import annotations

import pandas as pd

from probekit.result import Result


def rows_of(result: Result, name: str) -> pd.DataFrame:
    """Return an array of rows and quantities as a table: its words as columns, then its numbers."""
    array = result.arrays[name]
    words = {str(key): coord.values for key, coord in array.coords.items() if coord.dims == ("row",)}
    numbers = {str(quantity): array.sel(quantity=quantity).values for quantity in array["quantity"].values}
    return pd.DataFrame({**words, **numbers})
