"""The gradient by depth, how sure it is, whether it hangs on choices, and voxel by voxel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from probekit.reports.by_depth import DASHED, Line, Reference, depth_panel
from probekit.reports.figures import AXIS, INK, TRAINED, TRAINED_PALE, UNTRAINED, UNTRAINED_PALE, render
from probekit.reports.section import Figure, Panel
from probekit.reports.studies.guclu2015.curve import DEEPER, TREND, curve_panel
from probekit.reports.studies.guclu2015.rows import rows_of
from probekit.reports.words import count, interval, number, sample
from probekit.result import Result

_NAMED = ("model", "form", "network", "seed")
_SHOWN = ("pixels", "Gabor energy")
"""Controls that are drawn."""


def figures(result: Result) -> tuple[Figure, ...]:
    """Return the figures, the publication's main one first: fit by layer and region."""
    best = rows_of(result, "best_layers")
    resamples = result.provenance["parameters"]["n_resamples"]
    return (
        Figure(
            "gradient",
            "Fit of every layer",
            tuple(_by_depth(result)),
            "Spearman’s correlation of a layer’s RDM with a region’s (every unit standardised over the images, "
            f"correlation distance; mean over subjects, {sample(result.summary['n_subjects'].max())}), by depth. Lines "
            "with 95 % intervals: the network; broken: mean of its untrained twins; dotted: controls; bars: noise "
            "ceiling of the region. Last: the fit of the region that should be deep less that of the other.",
            size="large",
        ),
        Figure(
            "best-layers",
            "How much deeper the best layer is",
            tuple(_intervals(best, pair) for pair in best["pair"].unique()),
            "Best layer of the deep region minus best layer of the shallow one, in layers, with 95 % intervals from "
            f"{count(resamples)} bootstrap resamples of images and subjects together, the same for every network.",
            size="large",
        ),
        Figure(
            "choices",
            "Whichever way it is analysed",
            tuple(_curves(result)),
            "Specification curve: each column is one way of analysis, sorted by its effect. Above, how much deeper the "
            "best layer of the deep region is than that of the shallow one, or the rank correlation of depth with the "
            "fit of the one less that of the other, with 95 % intervals, dark where they exclude 0; below, the choices "
            "that make it.",
            size="large",
        ),
        Figure(
            "voxels",
            "Voxel by voxel",
            tuple(_voxels(rows_of(result, "voxels"))),
            "Mean layer (± standard error; counted from 1 over the layers that were used) to which significantly "
            "predicted voxels of an area belong. Planted voxels mix one layer’s features each, deeper ones in later "
            "areas; voxels of noise are the control, and where none is predicted there is nothing to draw.",
        ),
    )


def _by_depth(result: Result) -> Iterator[Panel]:
    summary = result.summary
    controls = summary[summary["network"] == "control"]
    for number_of, model in enumerate(summary.loc[summary["network"] == "trained", "model"].unique()):
        own = summary[summary["model"] == model]
        regions = list(own["region"].unique())
        for place, region in enumerate(regions):
            name = f"fit-{number_of}-{place}"
            panel = _fit(name, own[own["region"] == region], controls[controls["region"] == region])
            if panel:
                yield panel
        for place in range(0, len(regions) - 1, 2):
            shallow, deep = regions[place : place + 2]
            panel = _less(f"less-{number_of}-{place}", own, shallow, deep)
            if panel:
                yield panel


def _fit(name: str, own: pd.DataFrame, controls: pd.DataFrame) -> Panel | None:
    trained = own[own["network"] == "trained"]
    region = str(trained["region"].iloc[0])
    score, low, high = (trained[name].to_numpy(dtype=float) for name in ("score", "score_low", "score_high"))
    lines = [Line("trained", score, low=low, high=high)]
    twins = _twins(own)
    if len(twins):
        lines.insert(0, Line("untrained", twins.to_numpy(), UNTRAINED, DASHED, 1.4, filled=False))
    references = [
        Reference(layer, float(score), float(score))
        for layer, score in zip(controls["layer"], controls["score"], strict=True)
        if layer in _SHOWN
    ]
    ceiling = (float(trained[name].iloc[0]) for name in ("ceiling_low", "ceiling_high"))
    references.append(Reference("ceiling", *ceiling))
    label, limits = f"Fit of {region} (Spearman)", _limits(own, references)
    return depth_panel(name, list(trained["layer"]), lines, label, references=references, limits=limits)


def _less(name: str, own: pd.DataFrame, shallow: str, deep: str) -> Panel | None:
    layers = list(own.loc[(own["network"] == "trained") & (own["region"] == deep), "layer"])
    lines = []
    for network, color, dash, filled in (("untrained", UNTRAINED, DASHED, False), ("trained", TRAINED, "-", True)):
        part = own[own["network"] == network]
        if len(part):
            scores = part.groupby(["region", "layer"], sort=False)["score"].mean()
            lines.append(Line(network, (scores[deep] - scores[shallow]).to_numpy(), color, dash, 1.8, filled=filled))
    return depth_panel(name, layers, lines, f"{deep} less {shallow} (Spearman)")


def _twins(own: pd.DataFrame) -> pd.Series:
    return own[own["network"] == "untrained"].groupby("layer", sort=False)["score"].mean()


def _limits(own: pd.DataFrame, references: list[Reference]) -> tuple[float, float]:
    known = [*own[["score_low", "score_high", "score"]].to_numpy().ravel(), *(one.high for one in references)]
    low, high = min(float(np.nanmin(known)), 0.0), float(np.nanmax(known))
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _intervals(best: pd.DataFrame, pair: str) -> Panel:
    table = best[best["pair"] == pair]
    several = table["model"].nunique() > 1
    labels = [
        (f"{model}, " if several else "")
        + f"{form.split(',')[0]}, {network}"
        + (f" {seed:.0f}" if network == "untrained" else "")
        for model, form, network, seed in zip(*(table[column] for column in _NAMED), strict=True)
    ]
    said = "; ".join(
        f"{label}: {number(row['difference'], 0)}, {interval(row['low'], row['high'], 0)}"
        for label, (_, row) in zip(labels, table.iterrows(), strict=True)
    )
    name = "best-" + "".join(letter if letter.isalnum() else "-" for letter in pair.lower())
    drawn = render(partial(_draw_intervals, table=table, labels=labels, pair=pair), size=(5.2, 0.7 + 0.33 * len(table)))
    return Panel(name, drawn, f"Best layer of {pair}, with 95 % intervals. {said}.")


def _draw_intervals(axes: Axes, *, table: pd.DataFrame, labels: list[str], pair: str) -> None:
    height = np.arange(len(table))[::-1]
    color = np.where(table["network"] == "trained", TRAINED, UNTRAINED)
    axes.axvline(0, color=AXIS, linewidth=1)
    axes.hlines(height, table["low"], table["high"], colors=list(color), linewidth=2)
    axes.scatter(table["difference"], height, c=list(color), s=34, zorder=3)
    axes.set_yticks(height, labels)
    axes.set(ylim=(-0.6, len(table) - 0.4), xlabel=f"Best layer of {pair} (layers)")
    axes.grid(axis="x")


def _curves(result: Result) -> Iterator[Panel]:
    table = rows_of(result, "choices")
    several = table["model"].nunique() > 1
    for place, ((pair, model, network), part) in enumerate(table.groupby(["pair", "model", "network"], sort=False)):
        title = (f"{model}, " if several else "") + f"{network}: {pair}"
        colors = (TRAINED, TRAINED_PALE) if network == "trained" else (UNTRAINED, UNTRAINED_PALE)
        for name, effect in (("deeper", DEEPER), ("trend", TREND)):
            yield curve_panel(f"{name}-{place}", part.reset_index(drop=True), effect, title, colors)


def _voxels(table: pd.DataFrame) -> Iterator[Panel]:
    for place, ((model, population), part) in enumerate(table.groupby(["model", "population"], sort=False)):
        if part["n_significant"].sum() == 0:
            continue
        told = ", ".join(f"{row['area']} {number(1 + row['mean_layer'], 1)}" for _, row in part.iterrows())
        title = f"{model}: {population}" if table["model"].nunique() > 1 else str(population)
        yield Panel(
            f"voxels-{place}",
            render(partial(_draw_voxels, part=part, title=title)),
            f"Mean layer by area, {title}: {told}; rank correlation {number(part['rho'].iloc[0])}.",
        )


def _draw_voxels(axes: Axes, *, part: pd.DataFrame, title: str) -> None:
    place = np.arange(len(part))
    axes.errorbar(place, 1 + part["mean_layer"], yerr=part["sem_layer"].fillna(0), color=TRAINED, marker="o", capsize=0)
    axes.set_xticks(place, [f"{row['area']}\nn = {int(row['n_significant'])}" for _, row in part.iterrows()])
    axes.set(title=title, ylabel="Layer", ylim=(0.5, part["n_layers"].iloc[0] + 0.5), xlim=(-0.5, len(part) - 0.5))
    axes.title.set_color(INK)
    axes.grid(axis="y")
