"""The figures: layers by depth, matrices side by side, what is explained, and what weights add."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

from probekit.reports.by_depth import DASHED, Line, Reference, draw_by_depth
from probekit.reports.figures import AXIS, INK, TRAINED, UNLEARNED, UNTRAINED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.studies.khaligh_razavi2014.marks import Mark, draw_marks, draw_matrix
from probekit.reports.words import number
from probekit.result import Result

_CONTROLS = ("pixels", "gabor energy")
_MIXES = {
    "best single layer": "best single layer",
    "weighted layers": "weighted layers",
    "weighted layers and categories": "with categories",
}
_PARTS = {
    "layer": (TRAINED, "layer"),
    "layer given categories": (TRAINED, "layer given categories"),
    "categories": (UNLEARNED, "categories"),
    "categories given layer": (UNLEARNED, "categories given layer"),
}


def figures(result: Result) -> tuple[Figure, ...]:
    """Return the figures of a result."""
    found = [_layers(result), _matrices(result), _explained(result)]
    if "mixed" in result.arrays:
        found.append(_mixed(result))
    return (*found, _published(result))


def _layers(result: Result) -> Figure:
    panels = []
    for model in _models(result):
        for region in dict.fromkeys(result.summary["region"]):
            rows = result.summary[result.summary["region"] == region]
            panels.append(_depth_panel(model, str(region), rows, "Spearman correlation with the brain", intervals=True))
    return Figure(
        "layers",
        "Every layer beside each region",
        tuple(panels),
        "Mean over subjects of the Spearman correlation of RDMs; units standardised over the images, correlation "
        "distance. Bars: 95 % intervals over images and subjects (images alone where there is one RDM). Grey band: "
        "noise ceiling. Dashed: untrained twins, two seeds. Dotted: pixels and a Gabor-energy model of V1; categories "
        "are in the table.",
        size="large",
    )


def _published(result: Result) -> Figure:
    tau = result.summary.assign(score=result.arrays["as_published"].values)
    panels = []
    for model in _models(result):
        for region in result.arrays["parts"]["region"].values:
            rows = tau[tau["region"] == region]
            panels.append(_depth_panel(model, str(region), rows, "Kendall’s tau-a with the brain", intervals=False))
    return Figure(
        "published",
        "As published: raw activity, Kendall’s tau-a",
        tuple(panels),
        "As above, with activity as it is and tau-a over pairs of dissimilarities; mean over subjects. Tau-a is "
        "smaller than Spearman’s correlation of the same RDMs. Dashed: untrained twins.",
        size="large",
    )


def _depth_panel(model: str, region: str, rows: pd.DataFrame, ylabel: str, *, intervals: bool) -> Panel:
    own = rows[rows["model"] == model]
    trained = own[own["network"] == "trained"]
    names = [str(name) for name in trained["layer"]]
    lines = [
        Line("untrained", twin["score"].to_numpy(), UNTRAINED, DASHED, 1.2, marked=False)
        for _, twin in own[own["network"] == "untrained"].groupby("seed")
    ]
    ends = [trained[end].to_numpy() if intervals else None for end in ("score_low", "score_high")]
    lines.append(Line("trained", trained["score"].to_numpy(), low=ends[0], high=ends[1]))
    shown = rows[rows["model"].isin(_CONTROLS)]
    controls = [
        Reference(str(name), score, score) for name, score in zip(shown["model"], shown["score"].tolist(), strict=True)
    ]
    ceiling = trained[["ceiling_low", "ceiling_high"]].iloc[0].to_numpy(dtype=float)
    if not intervals or np.isnan(ceiling).any():  # of one RDM, the upper end alone says nothing
        ceiling = np.full(2, np.nan)
    drawn = partial(_draw, names=names, lines=lines, ylabel=ylabel, references=controls, ceiling=ceiling)
    best = int(np.nanargmax(np.nan_to_num(trained["score"].to_numpy(dtype=float), nan=-2)))
    beside = [f"{one.label} at most {number(float(np.nanmax(one.values)))}" for one in lines[:-1]]
    beside += [f"{one.label} {number(one.low)}" for one in controls]
    if np.isfinite(ceiling).all():
        beside.append(f"noise ceiling {number(ceiling[0])} to {number(ceiling[1])}")
    said = f"best layer {names[best]} at {number(float(trained['score'].iloc[best]))}; {'; '.join(beside)}"
    label = (region, model)
    return Panel(_slug(f"{model}-{region}"), render(drawn), f"Line chart, {ylabel} by layer, {region}: {said}.", label)


def _draw(
    axes: Axes,
    *,
    names: Sequence[str],
    lines: Sequence[Line],
    ylabel: str,
    references: Sequence[Reference],
    ceiling: np.ndarray,
) -> Axes:
    values = [one for line in lines for one in (line.values, line.low, line.high) if one is not None]
    every = np.concatenate([*values, ceiling, [one.low for one in references], [0.0]])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    room = 0.06 * (high - low)
    if np.isfinite(ceiling).all():
        axes.axhspan(*ceiling, color=AXIS, alpha=0.18, linewidth=0)
        axes.text(0.02, float(ceiling.mean()), "noise ceiling", color=INK, fontsize=7.5, va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
    return draw_by_depth(
        axes, names=names, lines=lines, ylabel=ylabel, limits=(low - room, high + room), references=references
    )


def _matrices(result: Result) -> Figure:
    rdms = result.arrays["rdms"]
    categories = [str(name) for name in rdms["category"].values]
    panels = []
    for system in rdms["system"].values:
        square = rdms.sel(system=system).values
        drawn = partial(draw_matrix, square=square, categories=categories)
        across, within = _means(square, categories)
        alt = (
            f"Dissimilarity matrix of {system}, images in the order of {len(set(categories))} categories: mean "
            f"percentile {across:.0f} across categories, {within:.0f} within."
        )
        panels.append(Panel(_slug(f"rdm-{system}"), render(drawn, size=(3.4, 3.2)), alt, (str(system),)))
    return Figure(
        "matrices",
        "The matrices side by side",
        tuple(panels),
        "Percentile of each pair’s dissimilarity: dark pairs are alike, bright ones differ. Mean of the subjects’ "
        "ranks; of the network, the layer that was chosen for human IT. Images in the order of their categories.",
        size="medium",
    )


def _means(square: np.ndarray, categories: Sequence[str]) -> tuple[float, float]:
    codes = pd.factorize(np.array(categories))[0]
    first, second = np.triu_indices(len(codes), 1)
    same = codes[first] == codes[second]
    pairs = square[first, second]
    return float(pairs[~same].mean()), float(pairs[same].mean())


def _explained(result: Result) -> Figure:
    panels = []
    for model in _models(result):
        parts = result.arrays["parts"].sel(model=model)
        for region in parts["region"].values:
            one = parts.sel(region=region)
            marks = [
                Mark(words, *_bounds(one, name, "part"), color, filled="given" in name)
                for name, (color, words) in _PARTS.items()
            ]
            shares = ", ".join(
                f"{name} {100 * float(one.sel(part=name, bound='value')):.1f} %"
                for name in ("unique to layer", "shared", "unique to categories")
            )
            drawn = partial(draw_marks, marks=marks, xlabel="Spearman correlation")
            said = "; ".join(f"{mark.label} {number(mark.value)}" for mark in marks)
            panels.append(
                Panel(
                    _slug(f"parts-{model}-{region}"), render(drawn, size=(4.0, 2.2)),
                    f"Correlations with {region}: {said}.", (f"{region}: of the variance of ranks,", shares),
                )
            )  # fmt: skip
    return Figure(
        "explained",
        "What the network explains that categories do not, and the reverse",
        tuple(panels),
        "Open: plain correlation, mean over subjects. Full: partial, of the layer given all five divisions into "
        "categories, and of the categories (weighted on other individuals) given the layer. 95 % intervals: bootstrap "
        "over images and subjects. The layer was chosen on other individuals.",
        size="medium",
    )


def _mixed(result: Result) -> Figure:
    panels = []
    for model in _models(result):
        mixed = result.arrays["mixed"].sel(model=model)
        for region in mixed["region"].values:
            one = mixed.sel(region=region)
            marks = [Mark(words, *_bounds(one, name, "number"), TRAINED) for name, words in _MIXES.items()]
            low, high = (float(one.sel(number=name, bound="value")) for name in ("ceiling low", "ceiling high"))
            drawn = partial(draw_marks, marks=marks, xlabel="Spearman correlation, held-out images", band=(low, high))
            said = "; ".join(f"{mark.label} {number(mark.value)}" for mark in marks)
            panels.append(
                Panel(
                    _slug(f"mixed-{model}-{region}"), render(drawn, size=(4.0, 2.0)),
                    f"Scores on held-out images and subjects, {region}: {said}; noise ceiling {number(low)} to "
                    f"{number(high)}.", (str(region),),
                )
            )  # fmt: skip
    return Figure(
        "mixed",
        "Do weighted layers reach the noise ceiling?",
        tuple(panels),
        "Weights fitted, and the single layer chosen, on other images and other subjects. Band: noise ceiling over the "
        "same pairs. 95 % intervals over held-out images and subjects, weights as they are.",
        size="medium",
    )


def _bounds(one: xr.DataArray, name: str, dim: str) -> tuple[float, float, float]:
    value, low, high = (float(one.sel({dim: name, "bound": bound})) for bound in ("value", "low", "high"))
    return value, low, high


def _models(result: Result) -> list[str]:
    return [str(model) for model in result.arrays["parts"]["model"].values]


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name).strip("-")
