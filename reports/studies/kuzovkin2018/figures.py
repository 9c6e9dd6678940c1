"""The figures: areas and layers as dots, tau with its interval, probes that count by layer, noise that is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from probekit.analyses.studies.kuzovkin2018.arrays import as_table, layer_arrays
from probekit.reports.by_depth import DASHED, DOTTED, Line, depth_panel, name_layers
from probekit.reports.figures import AXIS, INK, TRAINED, UNTRAINED, render
from probekit.reports.fits import CEILING_SAID, fit_panels
from probekit.reports.section import Figure, Panel
from probekit.reports.words import interval, number, plain, short_name
from probekit.result import Result

_COLORS = {"trained": TRAINED, "untrained": UNTRAINED}
_SHOWN = ("as published", "clean")
_LARGEST = 130.0
"""Area of the largest dot in points²."""
_NOMINAL = 0.001
_TWINS = "untrained twin"


def figures(result: Result) -> tuple[Figure, ...]:
    """Return all figures, the publication's main one first."""
    drawn = (
        Figure("areas", "Which layers count in which areas", tuple(_areas(result)), _AREAS_SAID, size="large"),
        Figure("alignment", "How well layers and areas are aligned", tuple(_alignments(result)), _ALIGNMENT_SAID),
        Figure("share", "How many probes follow each layer", tuple(_shares(result)), _SHARE_SAID),
        Figure("noise", "What is found in probes of noise", (_noise(result.arrays["noise"]),), _NOISE_SAID),
        *(
            Figure(f"fits-{at}", f"How well each layer of {short_name(model)} fits", panels, CEILING_SAID, size="large")
            for at, model in enumerate(models_of(result))
            if (panels := fit_panels(result.summary, model))
        ),
    )
    return tuple(one for one in drawn if one.panels)


_AREAS_SAID = (
    "Area of a dot: mean score of the layer over the probes of the area, scores that do not count taken as 0; each "
    "panel has its scale. Areas from bottom to top along the ventral stream; pixels are the layer before the first. "
    "The untrained twin is the first of two."
)
_ALIGNMENT_SAID = (
    "Kendall’s tau between areas and the layers that count for their probes. Lines: 95 % interval over people. Full: "
    "p < 0.05 when areas are exchanged within people; open: not. Blue: trained, brown: untrained twins."
)
_SHARE_SAID = "Share of the probes of all areas for which a layer counts. Dashed: the first untrained twin."
_NOISE_SAID = (
    "Share of 100 noise probes and all layers that pass r > 0 and p ≤ 0.001 by the formula for independent entries, "
    "with its 95 % interval over probes; dotted: 0.001, what it should be."
)


def models_of(result: Result) -> list[str]:
    """Return the networks of a result, in order."""
    alignments = as_table(result.arrays["alignment"])
    return [str(name) for name in alignments["model"].unique()]


def _rows(layers: xr.DataArray, variant: str) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield the network and its first twin, (number, area, layer)."""
    for network in ("trained", "untrained"):
        at = np.flatnonzero((layers["network"] == network).values & (layers["variant"] == variant).values)
        if len(at):
            yield network, layers[int(at[0])]


def _areas(result: Result) -> Iterator[Panel]:
    several = len(models_of(result)) > 1
    for place, layers in enumerate(layer_arrays(result.arrays)):
        for at, variant in enumerate(_SHOWN):
            for network, one in _rows(layers, variant):
                scores = one.sel(number="score")
                model = f"{short_name(str(one['model'].item()))}, " if several else ""
                title = f"{model}{network}, {variant}"
                areas = [str(name) for name in scores["area"].values]
                said = "; ".join(f"{area}: {_most(row)}" for area, row in zip(areas, scores, strict=True))
                drawn = partial(_dots, scores=scores, color=_COLORS[network], title=title)
                svg = render(drawn, size=(5.2, 1.4 + 0.35 * len(areas)))
                yield Panel(f"{place}-{at}-{network}", svg, f"Dots by area and layer, {title}. {said}.")


def _most(row: xr.DataArray) -> str:
    if not (row > 0).any():
        return "no layer counts"
    best = int(row.to_numpy().argmax())
    return f"largest {plain(float(row[best]))} in {short_name(str(row['layer'].to_numpy()[best]))}"


def _dots(axes: Axes, scores: xr.DataArray, color: str, title: str) -> None:
    values = np.maximum(scores.values, 0)
    areas, layers = np.nonzero(values)
    largest = values.max() if len(areas) else 1.0
    axes.scatter(layers, areas, s=_LARGEST * values[areas, layers] / largest, color=color, linewidths=0)
    axes.set_yticks(range(len(scores["area"])), [str(name) for name in scores["area"].values])
    axes.set(xlim=(-1, len(scores["layer"])), ylim=(-0.6, len(scores["area"]) - 0.4))
    axes.set_title(
        f"{title} (largest dot {plain(round(float(largest), 3))})" if len(areas) else f"{title}: none counts"
    )
    name_layers(axes, [str(name) for name in scores["layer"].values])


def _alignments(result: Result) -> Iterator[Panel]:
    table = as_table(result.arrays["alignment"])
    for at, ((brain, variant), rows) in enumerate(table.groupby(["brain", "variant"], sort=False)):
        several = rows["model"].nunique() > 1
        names = [_system(row, several) for _, row in rows.iterrows()]
        known = zip(names, rows["tau"], rows["low"], rows["high"], strict=True)
        said = "; ".join(f"{name} {number(tau)} ({interval(low, high)})" for name, tau, low, high in known)
        title = f"{brain}: {variant}"
        svg = render(partial(_taus, rows=rows, names=names, title=title), size=(3.8, 1.0 + 0.3 * len(rows)))
        yield Panel(str(at), svg, f"Kendall’s tau with interval, {title}. {said}.")


def _system(row: pd.Series, several: bool) -> str:
    kind = "trained" if row["network"] == "trained" else f"{_TWINS} {row['seed']}"
    return f"{short_name(str(row['model']), 18)}, {kind}" if several else kind


def _taus(axes: Axes, rows: pd.DataFrame, names: Sequence[str], title: str) -> None:
    places = np.arange(len(rows))[::-1]
    axes.axvline(0, color=AXIS, linewidth=0.8)
    for place, (_, row) in zip(places, rows.iterrows(), strict=True):
        color = _COLORS[str(row["network"])]
        if not np.isfinite(row["tau"]):
            axes.text(0.02, place, "no tau", color=INK, fontsize=7.5, va="center")
            continue
        axes.hlines(place, row["low"], row["high"], color=color, linewidth=1.6)
        face = color if row["p"] < 0.05 else "none"
        axes.scatter(row["tau"], place, s=36, facecolors=face, edgecolors=color, linewidths=1.4, zorder=3)
    axes.set_yticks(places, names)
    axes.set(xlim=(-1.05, 1.05), ylim=(-0.6, len(rows) - 0.4), xlabel="Kendall’s tau", title=title)


def _shares(result: Result) -> Iterator[Panel]:
    several = len(models_of(result)) > 1
    for place, layers in enumerate(layer_arrays(result.arrays)):
        for at, variant in enumerate(_SHOWN):
            lines = [_share_line(network, one) for network, one in reversed(list(_rows(layers, variant)))]
            model = f"{short_name(str(layers['model'].values[0]), 18)}, " if several else ""
            title = f"{model}{layers['brain'].values[0]}, {variant}: share"
            names = [str(name) for name in layers["layer"].values]
            panel = depth_panel(f"{place}-{at}", names, lines, title, limits=(0.0, 1.05))
            if panel is not None:
                yield panel


def _share_line(network: str, layers: xr.DataArray) -> Line:
    values = layers.sel(number="share").mean("area").to_numpy()  # as many probes in each area
    trained = network == "trained"
    return Line(network, values, _COLORS[network], "-" if trained else DASHED, marked=trained)


def _noise(found: xr.DataArray) -> Panel:
    mean = found.mean("model")
    names = [str(name) for name in mean["procedure"].values]
    formula, low, high = (mean.sel(number=f"formula{end}").to_numpy() for end in ("", "_low", "_high"))
    said = "; ".join(
        f"{name} {number(share, 3)} ({interval(bottom, top, 3)})"
        for name, share, bottom, top in zip(names, formula, low, high, strict=True)
    )
    drawn = partial(_noise_found, names=names, formula=formula, low=low, high=high)
    return Panel("formula", render(drawn, size=(4.4, 2.2)), f"Noise that passes. {said}.")


def _noise_found(axes: Axes, names: Sequence[str], formula: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    places = np.arange(len(names))[::-1]
    axes.axvline(_NOMINAL, color=INK, linewidth=1.2, linestyle=DOTTED)
    axes.hlines(places, low, high, color=TRAINED, linewidth=1.6)
    axes.scatter(formula, places, s=36, color=TRAINED, zorder=3)
    axes.set_yticks(places, names)
    axes.set(xlim=(-0.02, max(0.1, 1.1 * float(high.max()))), ylim=(-0.6, len(names) - 0.4))
    axes.set_xlabel("share of noise that passes by the formula")
