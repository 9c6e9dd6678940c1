"""What is published of category-selective neurons in macaque IT: reference lines, not a sample to test against."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

_FILE = Path(__file__).parent / "published.csv"


def published() -> pd.DataFrame:
    """Return published figures, one a row.

    Returns
    -------
    pandas.DataFrame
        `contrast`, `statistic` ("share"), `value`, `n` (neurons; nan where it is not said), `what` exactly it is,
        `citation`, `doi`.

    Notes
    -----
    Stimuli, regions and rules for calling a neuron selective differ from study to study and from what is shown to a
    network. Figures were read in abstracts and introductions.
    """
    return pd.read_csv(_FILE, comment="#")
