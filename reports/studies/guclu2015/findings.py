"""What was found, in sentences written from the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from probekit.reports.studies.guclu2015.rows import rows_of
from probekit.reports.words import interval, listing, number, probability
from probekit.result import Result


def findings(result: Result) -> list[str]:
    """Return the gradient as it is with standardised activity, with raw activity, over all choices, and by voxel."""
    best, choices = rows_of(result, "best_layers"), rows_of(result, "choices")
    several = best["model"].nunique() > 1
    said: list[str] = []
    for (model, pair), table in best.groupby(["model", "pair"], sort=False):
        chosen = choices[(choices["model"] == model) & (choices["pair"] == pair)]
        said += _of_regions(table, chosen, f"{model}: " if several else "")
        said.append((f"{model}: " if several else "") + _highest(result.summary, str(model), str(pair)))
    told = _of_voxels(rows_of(result, "voxels"), several, synthetic=bool(result.provenance["synthetic"]))
    return [*said, *told]


def _of_regions(table: pd.DataFrame, chosen: pd.DataFrame, whose: str) -> Iterator[str]:
    deep, shallow = table["pair"].iloc[0].split(" minus ")
    standardized, raw = (table[table["form"].str.startswith(form)] for form in ("standardised", "raw"))
    trained, twins = (standardized[standardized["network"] == network] for network in ("trained", "untrained"))
    row = trained.iloc[0]
    yield (
        f"{whose}With every unit standardised over the images, the best layer for {deep} ({row['deep_layer']}) is "
        f"{_far(row)} that for {shallow} ({row['shallow_layer']}): {_interval(row)}."
        + (f" In untrained twins the difference is {_each(twins, _short)}." if len(twins) else "")
    )
    yield (
        f"{whose}The fit of {deep} less that of {shallow} {_slope(row)} with depth: rank correlation {_trend(row)}"
        + (f"; untrained twins {_each(twins, _trend)}." if len(twins) else ".")
    )
    first = raw.iloc[0]
    shown = ("shows neither", "shows one of the two", "shows the same")[(first[["low", "trend_low"]] > 0).sum()]
    yield (
        f"{whose}Raw activity, all else equal, {shown}: its best layer for {deep} is {_far(first)} that for {shallow}, "
        f"{_interval(first)}; trend {_trend(first)}."
    )
    yield f"{whose}{_over_choices(chosen, deep, shallow)}"


def _highest(summary: pd.DataFrame, model: str, pair: str) -> str:
    """Return the highest fits of the two regions, those of the controls beside them."""
    told = []
    for region in reversed(pair.split(" minus ")):
        here = summary[summary["region"] == region]
        own = here[here["model"] == model].groupby("network")["score"].max()
        controls = here[here["network"] == "control"].groupby("model", sort=False)["score"].max()
        beside = [*({"untrained twins": own["untrained"]} if "untrained" in own else {}).items(), *controls.items()]
        others = ", ".join(f"{name} {number(score)}" for name, score in beside)
        ceiling = interval(here["ceiling_low"].iloc[0], here["ceiling_high"].iloc[0])
        told.append(f"{region} {number(own['trained'])} ({others}; noise ceiling {ceiling})")
    return f"Highest fit of {' and of '.join(told)}."


def _each(twins: pd.DataFrame, told: Callable[[pd.Series], str]) -> str:
    return listing([told(twin) for _, twin in twins.iterrows()])


def _far(row: pd.Series) -> str:
    n = round(row["difference"])
    if not n:
        return "the same as"
    return f"{abs(n)} of {round(row['n_layers'])} layers {'deeper' if n > 0 else 'shallower'} than"


def _interval(row: pd.Series) -> str:
    excludes = "excludes" if row["excludes_0"] else "includes"
    return f"95 % interval {_whole(row['low'])} … {_whole(row['high'])}, which {excludes} 0"


def _short(row: pd.Series) -> str:
    return f"{_whole(row['difference'])} ({_whole(row['low'])} … {_whole(row['high'])})"


def _whole(value: float) -> str:
    return number(round(value), 0)


def _trend(row: pd.Series) -> str:
    return f"{number(row['trend'])} ({number(row['trend_low'])} … {number(row['trend_high'])})"


def _slope(row: pd.Series) -> str:
    return "rises" if row["trend_low"] > 0 else "falls" if row["trend_high"] < 0 else "neither rises nor falls for sure"


def _over_choices(chosen: pd.DataFrame, deep: str, shallow: str) -> str:
    told = []
    for (network, standardize), table in chosen.groupby(["network", "standardize"], sort=False):
        deeper, rising = table["low"] > 0, table["trend_low"] > 0
        told.append(
            f"{'untrained, ' if network == 'untrained' else ''}{standardize} activity {deeper.sum()}, {rising.sum()} "
            f"and {(deeper & rising).sum()} of {len(table)}"
        )
    trained = chosen[chosen["network"] == "trained"]
    none = [str(name) for name, part in trained.groupby("distance", sort=False) if not (part["low"] > 0).any()]
    return (
        f"Of all {len(trained)} ways to analyse it, this many put the best layer of {deep} deeper than that of "
        f"{shallow}, show a rising trend, and show both, with intervals that exclude 0: {'; '.join(told)}."
        + (f" With {listing(none)} distance none puts it deeper." if none else "")
    )


def _of_voxels(table: pd.DataFrame, several: bool, *, synthetic: bool) -> Iterator[str]:
    told = []
    for (model, population), part in table.groupby(["model", "population"], sort=False):
        row, n = part.iloc[0], int(part["n_significant"].sum())
        rho = f", rank correlation of area and layer {number(row['rho'])} (p {_p(row['p_voxels'])})" if n > 1 else ""
        whose = f"{model}, " if several else ""
        told.append(f"{whose}{population}: {n} of {int(part['n_voxels'].sum())} predicted{rho}")
    measured = synthetic or table["population"].str.startswith("vim-1").any()
    yield (
        f"Voxel by voxel, each with the layer of the lowest cross-validated error – {'; '.join(told)}."
        + ("" if measured else " Measured voxels (vim-1) are not here: the publication’s own analysis was not tested.")
    )


def _p(value: float) -> str:
    said = probability(value)
    return said if said.startswith("<") else f"= {said}"
