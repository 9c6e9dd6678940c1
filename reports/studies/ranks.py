"""Networks and controls in the order in which they fit a region."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from probekit.reports.words import listing, number
from probekit.result import Result


@dataclass(frozen=True)
class Place:
    """One system's place in one region."""

    region: str
    rank: str
    system: str
    score: str


def places(result: Result) -> list[Place]:
    """Return the places of all systems, region by region, the best first; none where no region could be ranked."""
    return [
        Place(row["region"], f"{row['rank']:.0f}", _system(row), number(row["score"]))
        for _, row in _table(result).iterrows()
    ]


def ranks_told(result: Result) -> list[str]:
    """Return in a sentence who comes first in which regions; nothing where there is nothing to rank."""
    firsts: dict[tuple[str, ...], list[str]] = {}
    for region, rows in _table(result).groupby("region", sort=False):
        best = rows[rows["rank"] == rows["rank"].min()]
        firsts.setdefault(tuple(_system(row) for _, row in best.iterrows()), []).append(str(region))
    told = [
        f"{listing(names)} {'share the first place' if len(names) > 1 else 'comes first'} in {listing(regions)}"
        for names, regions in firsts.items()
    ]
    rule = "layers chosen on the other subjects, a place shared where none is significantly better"
    return [f"Of networks and controls, {'; '.join(told)} ({rule})."] if told else []


def _table(result: Result) -> pd.DataFrame:
    if "ranking" not in result.arrays:
        return pd.DataFrame(columns=["region"])
    array = result.arrays["ranking"]
    words = {name: array[name].values for name in ("region", "model", "network", "seed")}
    numbers = {str(name): array.sel(number=name).values for name in array["number"].values}
    return pd.DataFrame(words | numbers)


def _system(row: pd.Series) -> str:
    return f"{row['model']} (untrained {row['seed']})" if row["network"] == "untrained" else str(row["model"])
