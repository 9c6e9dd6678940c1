"""The specification curve: every way of doing the experiment, in order of its effect, and below what was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from probekit.reports.figures import AXIS, GRID, INK, TRAINED, TRAINED_PALE, UNTRAINED

VERDICTS: Mapping[str, tuple[str, str]] = {
    "more": (TRAINED, "matters more"),
    "less": (UNTRAINED, "matters less"),
    "no difference": (INK, "no difference"),
    "not tested": (AXIS, "no honest sham"),
}
"""Verdict → colour and words."""
CHOICES = {"model": "network", "site": "silenced", "matched_on": "matched on", "dose": "dose"}
_ALPHA = 0.05
_GAP, _CURVE = 0.8, 9.0
"""Rows between two choices, and the height of the curve, in rows."""


def draw_specification_curve(axes: Axes, rows: pd.DataFrame, *, ylabel: str) -> Axes:
    """Draw effects from the least to the largest, and below them a mark for each choice; return the axes.

    Parameters
    ----------
    axes : Axes
    rows : pandas.DataFrame
        Columns `effect_adjusted`, `p`, `verdict` and those of `CHOICES`; a row a specification.
    ylabel : str
        Of the curve.
    """
    ordered = rows.sort_values("effect_adjusted", kind="stable").reset_index(drop=True)
    x, effect = np.arange(len(ordered)), ordered["effect_adjusted"].to_numpy()
    low, high = min(float(effect.min()), 0.0), max(float(effect.max()), 0.0)
    height = _CURVE / ((high - low) or 1.0)
    zero = -low * height
    axes.axhline(zero, color=AXIS, linewidth=0.8)
    for verdict, (color, _) in VERDICTS.items():
        here = (ordered["verdict"] == verdict).to_numpy()
        hollow = verdict == "not tested"
        axes.scatter(x[here], zero + effect[here] * height, s=9, color="none" if hollow else color, edgecolors=color,
                     linewidths=0.7)  # fmt: skip
    small = ((ordered["p"] <= _ALPHA) & (ordered["verdict"] == "no difference")).to_numpy()
    axes.scatter(x[small], zero + effect[small] * height, s=34, facecolors="none", edgecolors=TRAINED, linewidths=0.8)
    ticks = [(zero + value * height, f"{value:g}") for value in _round_values(low, high)]
    y = -_GAP
    for column, words in CHOICES.items():
        options = _options(ordered[column])
        axes.text(-0.02 * len(x), y - 0.2, words, ha="right", fontsize=7, fontweight="bold", color=INK)
        y -= 1.0
        for option in options:
            here = (ordered[column] == option).to_numpy()
            colors = [VERDICTS[str(verdict)][0] for verdict in ordered["verdict"][here]]
            axes.hlines(y, -0.5, len(x) - 0.5, color=GRID, linewidth=0.6)
            axes.vlines(x[here], y - 0.34, y + 0.34, color=colors, linewidth=0.9)
            ticks.append((y, f"{100 * float(str(option)):g} %" if column == "dose" else str(option)))
            y -= 1.0
        y -= _GAP
    axes.set_yticks([at for at, _ in ticks], [text for _, text in ticks], fontsize=7)
    axes.set(xlim=(-1, len(x)), ylim=(y + _GAP, _CURVE + 0.6), xticks=[])
    axes.set_ylabel(ylabel, loc="top")
    axes.spines["bottom"].set_visible(False)
    for at, (verdict, (color, words)) in enumerate(VERDICTS.items()):
        n = int((ordered["verdict"] == verdict).sum())
        axes.text(0.25 * at, 1.0, f"● {words} ({n})", color=color, fontsize=8, fontweight="bold", va="bottom",
                  transform=axes.transAxes)  # fmt: skip
    return axes


def n_rows(rows: pd.DataFrame) -> float:
    """Return the height of the whole drawing, in rows of choices."""
    return _CURVE + sum(len(_options(rows[column])) + 1 + _GAP for column in CHOICES)


def draw_errors(axes: Axes, rows: pd.DataFrame, *, ylabel: str) -> Axes:
    """Draw the error of one network and place against dose: targeted, shams, random, rivals, intact; return the axes.

    Parameters
    ----------
    axes : Axes
    rows : pandas.DataFrame
        A row a dose, of one matching, in the order of the doses.
    ylabel : str
    """
    x = np.arange(len(rows))
    spread = 1.96 * rows["sham_sd"].to_numpy()
    sham = rows["score_sham"].to_numpy()
    axes.axhline(float(rows["score_intact"].iloc[0]), color=AXIS, linestyle=(0, (1, 2)), linewidth=1)
    axes.fill_between(x, sham - spread, sham + spread, color=GRID, linewidth=0)
    lines: Sequence[tuple[str, str, str, Any]] = (
        ("score_sham", AXIS, "matched shams", (0, ())),
        ("score_random", TRAINED_PALE, "random", (0, (4, 2))),
        ("score_border", UNTRAINED, "border", (0, (6, 2, 1, 2))),
        ("score_head_direction", INK, "heading", (0, (1, 1.5))),
        ("score_targeted", TRAINED, "grid", (0, ())),
    )
    for at, (column, color, words, dash) in enumerate(lines):
        axes.plot(x, rows[column].to_numpy(), color=color, linestyle=dash, linewidth=1.6, marker="o", markersize=2.6)
        axes.text(0.36 * (at % 3), 1.0 + 0.075 * (at // 3), words, color=color, fontsize=7.5, fontweight="bold",
                  va="bottom", transform=axes.transAxes)  # fmt: skip
    hollow = (rows["verdict"] == "not tested").to_numpy()
    axes.scatter(x[hollow], rows["score_targeted"].to_numpy()[hollow], s=26, color="white", edgecolors=TRAINED,
                 zorder=3)  # fmt: skip
    found = rows["verdict"].isin(["more", "less"]).to_numpy()
    axes.scatter(x[found], rows["score_targeted"].to_numpy()[found], s=90, marker="*", color=TRAINED, zorder=4)
    axes.set_xticks(x, [f"{100 * dose:g}" for dose in rows["dose"]])
    axes.set(xlabel="units silenced (%)", ylabel=ylabel)
    axes.set_ylim(bottom=0)
    return axes


def _options(column: pd.Series) -> list[object]:
    values = list(dict.fromkeys(column))
    return sorted(values) if column.dtype.kind == "f" else values


def _round_values(low: float, high: float) -> list[float]:
    step = 10 ** np.floor(np.log10((high - low) or 1.0))
    step = step / 2 if (high - low) / step < 3 else step
    return [float(round(value, 6)) for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]
