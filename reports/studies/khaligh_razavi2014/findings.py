"""What the reproduction found, in sentences, the control beside each number."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import xarray as xr

from probekit.reports.words import interval, listing, number
from probekit.result import Result

_MIXES = ("best single layer", "weighted layers", "weighted layers and categories")


def findings(result: Result) -> list[str]:
    """Return what was found, the main thing first."""
    models = list(result.arrays["parts"]["model"].values)
    told = [f"{_of(model, models)}{said}" for model in models for said in _told(result, str(model))]
    return [*_planted(result), *told]


def _told(result: Result, model: str) -> Iterator[str]:
    yield _best(result, model)
    if "mixed" in result.arrays:
        yield _mixed(result, model)
    yield _beyond(result, model)
    yield _clusters(result, model)


def _of(model: str, models: list[str]) -> str:
    return f"{model}: " if len(models) > 1 else ""


def _best(result: Result, model: str) -> str:
    """Say how the best layer of each region does beside the controls."""
    said = []
    for region in _regions(result):
        rows = result.summary[(result.summary["region"] == region)]
        trained = _top(rows[(rows["model"] == model) & (rows["network"] == "trained")])
        twin = _top(rows[(rows["model"] == model) & (rows["network"] == "untrained")])
        pixels = _top(rows[rows["model"] == "pixels"])
        beside = [f"untrained {number(twin['score'])}"] if twin is not None else []
        beside += [f"pixels {number(pixels['score'])}"] if pixels is not None else []
        if trained is not None:
            ceiling = interval(trained["ceiling_low"], trained["ceiling_high"])
            beside += [f"noise ceiling {ceiling}"] if pd.notna(trained["ceiling_low"]) else []
            said.append(f"{region} {number(trained['score'])} in {trained['layer']} ({', '.join(beside)})")
    clean = result.table[result.table["variant"].str.startswith("clean") & (result.table["model"] == model)]
    best = clean[clean["claim"].str.startswith("The supervised deep network")]
    return f"The trained network’s best layer resembles {listing(said)}. {_verdicts(best, 'It beats every rival in')}"


def _mixed(result: Result, model: str) -> str:
    mixed = result.arrays["mixed"].sel(model=model)
    said = []
    for region in mixed["region"].values:
        one = mixed.sel(region=region)
        scores = [number(float(one.sel(number=name, bound="value"))) for name in _MIXES]
        low, high = (float(one.sel(number=name, bound="value")) for name in ("ceiling low", "ceiling high"))
        gap = one.sel(number=f"{_MIXES[-1]} less ceiling")
        reached = "reaches" if float(gap.sel(bound="high")) >= 0 else "stays below"
        said.append(
            f"in {region} the best single layer scores {scores[0]}, weighted layers {scores[1]}, and with category "
            f"divisions {scores[2]}, which {reached} the lower noise ceiling ({interval(low, high)})"
        )
    return f"On images and subjects held out, {'; '.join(said)}."


def _beyond(result: Result, model: str) -> str:
    parts = result.arrays["parts"].sel(model=model)
    said = [
        f"{region}: layer given categories {_interval(parts, region, 'layer given categories')}, categories given "
        f"layer {_interval(parts, region, 'categories given layer')}"
        for region in _regions(result)
    ]
    return f"What one explains and the other does not, as partial correlations: {'; '.join(said)}."


def _clusters(result: Result, model: str) -> str:
    clusters = result.arrays["clusters"].sel(model=model)
    words = {"animal": "animate from inanimate things", "face": "faces from the rest"}
    said = [
        f"{words[str(name)]} at {number(float(clusters.sel(division=name, number='score')))} (nearest rival "
        f"{number(float(clusters.sel(division=name, number='rival_score')))})"
        for name in clusters["division"].values
    ]
    return f"The layer divides {listing(said)}, as correlation with the RDM of the division."


def _planted(result: Result) -> list[str]:
    planted = result.table[
        result.table["claim"].isin(["What is planted is found", "Nothing is found where nothing is"])
    ]
    if not len(planted):
        return []
    found = planted[planted["variant"] != "noise"]
    noise = planted[planted["variant"] == "noise"]
    agree = int((found["verdict"] == "agrees").sum())
    return [f"Planted layers were found in {agree} of {len(found)} regions. In noise: {noise['ours'].iloc[0]}"]


def _verdicts(claims: pd.DataFrame, words: str) -> str:
    regions = [str(variant).rpartition(": ")[2] for variant in claims["variant"]]
    good = [name for name, verdict in zip(regions, claims["verdict"], strict=True) if verdict == "agrees"]
    other = [name for name in regions if name not in good]
    if not good:
        return f"It beats every rival beyond chance in none of {listing(regions)}."
    return f"{words} {listing(good)}" + (f"; not beyond chance in {listing(other)}." if other else ".")


def _interval(parts: xr.DataArray, region: str, part: str) -> str:
    one = parts.sel(region=region, part=part)
    low, high = float(one.sel(bound="low")), float(one.sel(bound="high"))
    return f"{number(float(one.sel(bound='value')))} (95\u00a0% {interval(low, high)})"


def _regions(result: Result) -> list[str]:
    return [str(region) for region in result.arrays["parts"]["region"].values if "noise" not in str(region)]


def _top(rows: pd.DataFrame) -> pd.Series | None:
    known = rows[rows["score"].notna()]
    return known.iloc[int(known["score"].to_numpy().argmax())] if len(known) else None
