"""The figures: the specification curve, errors by dose and along the path, the match, the confound, some paths."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import spearmanr

from probekit.reports.figures import AXIS, GRID, INK, TRAINED, UNTRAINED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.studies.banino2018_lesion.specification_curve import (
    VERDICTS,
    draw_errors,
    draw_specification_curve,
    n_rows,
)
from probekit.reports.words import number, plural, short_name
from probekit.result import Result

_SHOWN_MATCH = "all three"


def figures(result: Result) -> tuple[Figure, ...]:
    """Return all figures, the specification curve first."""
    drawn = (_curves(result), _doses(result), _along(result), _match(result), _confound(result))
    return tuple(one for one in drawn if one is not None and one.panels)


def trained(result: Result) -> pd.DataFrame:
    """Return the specifications of the trained networks."""
    return result.summary[result.summary["network"] == "trained"].reset_index(drop=True)


def label_of(model: object, site: object, ranking: object) -> tuple[str, ...]:
    """Return the lines under a panel."""
    return tuple([short_name(str(model)), str(site)] + [str(ranking)] * (ranking != "gridness"))


def _curves(result: Result) -> Figure:
    rows = trained(result)
    rows = rows[rows["matched_on"] != "nothing"]
    panels = []
    for (task, ranking), of in rows.groupby(["task", "ranking"], sort=False):
        ylabel = f"{task}:\nadjusted effect (cm)"
        draw = partial(draw_specification_curve, rows=of, ylabel=ylabel)
        svg = render(draw, size=(9.6, 0.17 * n_rows(of) + 0.5))
        counts = ", ".join(
            f"{words} {int((of['verdict'] == verdict).sum())}" for verdict, (_, words) in VERDICTS.items()
        )
        alt = f"{plural(len(of), 'specification')} of {task} in order of their effect: {counts}."
        label = () if ranking == "gridness" else (str(ranking),)
        panels.append(Panel(f"{_slug(task)}-{_slug(ranking)}", svg, alt, label))
    return Figure(
        "specifications",
        "Every way of doing it",
        tuple(panels),
        "One mark a specification, in order of its effect: the error without the most grid-like units minus that of "
        "units with the same covariates, by regression over sets drawn from all units; above 0 they matter more than "
        "units like them. Below, which network, place, matching and dose it is. Colour: permutation test within "
        "strata, "
        "q ≤ .05 over the specifications of a network. Ring: p ≤ .05 before that correction. Hollow: shams differ "
        "from the target by more than half a "
        "standard deviation, or none can be drawn.",
        size="wide",
    )


def _doses(result: Result) -> Figure:
    rows = trained(result)
    match = _SHOWN_MATCH if _SHOWN_MATCH in set(rows["matched_on"]) else "nothing"
    here = rows[(rows["task"] == "path integration") & (rows["matched_on"] == match)]
    panels = []
    for (model, site, ranking), of in here.groupby(["model", "site", "ranking"], sort=False):
        draw = partial(draw_errors, rows=of.sort_values("dose"), ylabel="path error (cm)")
        said = "; ".join(
            f"{100 * one['dose']:g} %: grid {number(one['score_targeted'], 1)}, sham {number(one['score_sham'], 1)}, "
            f"random {number(one['score_random'], 1)}"
            for one in of.sort_values("dose").to_dict("records")
        )
        label = label_of(model, site, ranking)
        panels.append(Panel(_slug(f"{model}-{site}-{ranking}"), render(draw, size=(4.0, 2.9)), f"{said} cm.", label))
    return Figure(
        "doses",
        "Path error against dose",
        tuple(panels),
        "Mean error over paths of the trained length without the most grid-like units, beside as many matched shams "
        f"(matched on {'activity, spatial information and read-out drive' if match == _SHOWN_MATCH else match}; "
        "grey: 95 % "
        "of them), random sets of all units, the most border-like units and those most tuned to heading. Star: "
        "matters "
        "more or less than matched units (q ≤ .05); hollow: no honest sham. Dotted: intact.",
    )


def _along(result: Result) -> Figure | None:
    if "curve" not in result.arrays:
        return None
    array = result.arrays["curve"]
    panels = []
    for model in array["model"].values:
        for site in array["site"].values:
            one = array.sel(model=model, site=site)
            kinds = {str(kind): one.sel(kind=kind).values for kind in one["kind"].values}
            draw = partial(_draw_along, steps=one["step"].values, kinds=kinds)
            last = ", ".join(f"{name} {number(float(values[-1]), 1)}" for name, values in kinds.items())
            panels.append(
                Panel(_slug(f"{model}-{site}"), render(draw, size=(4.0, 2.7)), f"At the last step: {last} cm.",
                      (short_name(str(model)), str(site)))
            )  # fmt: skip
    dose = result.provenance["parameters"]["shown_dose"]
    return Figure(
        "along",
        "How the error grows along the path",
        tuple(panels),
        f"Mean error at each step, without {100 * dose:g} % of the units: the most grid-like (blue), matched shams "
        "(grey: 95 % "
        "of them), the most border-like (brown); dotted: intact.",
    )


def _draw_along(axes: Axes, steps: np.ndarray, kinds: dict[str, np.ndarray]) -> Axes:
    axes.fill_between(steps, kinds["sham_low"], kinds["sham_high"], color=GRID, linewidth=0)
    axes.plot(steps, kinds["sham"], color=AXIS, linewidth=1.4)
    axes.plot(steps, kinds["intact"], color=AXIS, linestyle=(0, (1, 2)), linewidth=1.2)
    axes.plot(steps, kinds["border"], color=UNTRAINED, linestyle=(0, (6, 2, 1, 2)), linewidth=1.6)
    axes.plot(steps, kinds["targeted"], color=TRAINED, linewidth=1.8)
    for at, (words, color) in enumerate((("grid", TRAINED), ("shams", AXIS), ("border", UNTRAINED))):
        axes.text(0.25 * at, 1.0, words, color=color, fontsize=7.5, fontweight="bold", va="bottom",
                  transform=axes.transAxes)  # fmt: skip
    axes.set(xlabel="step", ylabel="path error (cm)")
    axes.set_ylim(bottom=0)
    return axes


def _match(result: Result) -> Figure:
    rows = trained(result)
    rows = rows[
        (rows["matched_on"] != "nothing")
        & (rows["task"] == "path integration")
        & (rows["site"] == "for the read-out only")
    ]
    panels = []
    for model, of in rows.groupby("model", sort=False):
        draw = partial(_draw_match, rows=of)
        worst = number(float(of["match_difference"].max()))
        alt = f"Largest difference after matching over all doses: {worst} standard deviations."
        panels.append(Panel(_slug(str(model)), render(draw, size=(4.0, 2.7)), alt, (short_name(str(model)),)))
    return Figure(
        "match",
        "How alike shams and targets are",
        tuple(panels),
        "Largest standardised difference over what is matched, before (open) and after (full), by matching variable "
        "and "
        "dose; for the read-out only. Up to .25 is called good, up to .5 poor; beyond there is no honest sham.",
    )


def _draw_match(axes: Axes, rows: pd.DataFrame) -> Axes:
    matches = list(dict.fromkeys(rows["matched_on"]))
    for at, match in enumerate(matches):
        of = rows[rows["matched_on"] == match].sort_values("dose")
        y = at + np.linspace(-0.3, 0.3, len(of))
        axes.hlines(y, of["match_difference"], of["match_difference_before"], color=GRID, linewidth=1)
        axes.scatter(of["match_difference_before"], y, s=14, facecolors="white", edgecolors=AXIS)
        axes.scatter(of["match_difference"], y, s=14, color=INK)
    for limit in (0.25, 0.5):
        axes.axvline(limit, color=UNTRAINED, linestyle=(0, (4, 2)), linewidth=1)
    axes.set_yticks(range(len(matches)), matches)
    axes.set(xlabel="standardised difference", ylim=(len(matches) - 0.5, -0.5))
    axes.set_xlim(left=0)
    return axes


def _confound(result: Result) -> Figure | None:
    if "unit_gridness" not in result.arrays or result.provenance["synthetic"]:
        return None
    panels = []
    for model in result.arrays["unit_gridness"]["model"].values:
        grid, drive = (result.arrays[f"unit_{name}"].sel(model=model).values for name in ("gridness", "readout_drive"))
        known = np.isfinite(grid) & np.isfinite(drive)
        if known.sum() < 3:
            continue
        rho = float(spearmanr(grid[known], drive[known]).statistic)
        draw = partial(_draw_confound, grid=grid[known], drive=drive[known])
        panels.append(
            Panel(_slug(str(model)), render(draw, size=(4.0, 2.7)), f"Spearman’s ρ {number(rho)}.",
                  (short_name(str(model)), f"ρ {number(rho)}, {plural(int(known.sum()), 'unit')}"))
        )  # fmt: skip
    return Figure(
        "confound",
        "Why matching decides: grid-like units drive the read-out more",
        tuple(panels),
        "Gridness (Banino 2018) of each unit against its read-out drive: mean absolute activity times the length of "
        "its outgoing "
        "weights. Where the two go together, silencing grid-like units takes more drive away than silencing others.",
    )


def _draw_confound(axes: Axes, grid: np.ndarray, drive: np.ndarray) -> Axes:
    axes.scatter(grid, drive, s=8, color=TRAINED, linewidths=0, alpha=0.6)
    axes.set(xlabel="gridness", ylabel="read-out drive")
    return axes


def _slug(words: object) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in str(words).lower()).split())
