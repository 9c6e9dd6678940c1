"""What is published of the same measures in macaque V1: reference lines, not a sample to test against."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

_FILE = Path(__file__).parent / "published.csv"


def published() -> pd.DataFrame:
    """Return published figures, one a row.

    Returns
    -------
    pandas.DataFrame
        `column` (of the table or the summary of the analysis), `statistic` ("median", "mean" or "share"), `value`, `n`
        (neurons; nan where it is not said), `what` exactly it is, `citation`, `doi`.

    Notes
    -----
    Stimuli, species' states and rules for choosing neurons differ from study to study and from what is shown to a
    network. Figures were read in abstracts; where a figure was read in later work, `what` says so.
    """
    return pd.read_csv(_FILE, comment="#")
