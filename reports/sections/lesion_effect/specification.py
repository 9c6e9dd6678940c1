"""All comparisons at once, in order of their effect: how much depends on task, place and dose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from probekit.reports.figures import AXIS, GRID, INK, PAPER, TRAINED, UNLEARNED, UNTRAINED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import name_marks, with_room
from probekit.reports.sections.lesion_effect.scale import dose_words, ranking_words
from probekit.reports.sections.lesion_effect.view import Series, View, significant
from probekit.reports.words import plural, short_name

_LOOKS = ((TRAINED, "o"), (UNLEARNED, "s"), (INK, "^"), (AXIS, "D"))
_ROW, _MOST_ROWS = 0.17, 64
_COLUMNS = ["label", "place", "harm", "low", "high", "adjusted", "detectable", "tested", "found", "twin"]


def draw_specifications(axes: Axes, rows: pd.DataFrame, *, xlabel: str) -> Axes:
    """Draw each comparison as a dot with its interval, the least harm at the bottom; return the axes.

    Parameters
    ----------
    axes : Axes
    rows : pandas.DataFrame
        Columns: `label`; `place`, what decides colour and mark; `harm, low, high`, effect and its interval, above 0
        where the target does more harm than its shams; `adjusted`, the effect that was tested; `detectable`; `tested`
        and `found`, bool; `twin`, the same effect of the untrained twin. nan where a value is missing.
    xlabel : str
    """
    ordered = rows.sort_values("harm", na_position="first", kind="stable").reset_index(drop=True)
    y = np.arange(len(ordered), dtype=float)
    room = ordered["detectable"].to_numpy(dtype=float)
    axes.hlines(y, -room, room, color=GRID, linewidth=6)
    axes.axvline(0, color=AXIS, linewidth=1.0)
    axes.scatter(ordered["twin"], y, marker="x", s=16, color=UNTRAINED, linewidths=1.0, zorder=2)
    places = list(dict.fromkeys(rows["place"]))
    for at, place in enumerate(places):
        color, marker = _LOOKS[at % len(_LOOKS)]
        _draw_rows(axes, ordered[ordered["place"] == place], color, marker)
    axes.set_yticks(y, list(ordered["label"]), fontsize=7)
    axes.set(ylim=(-0.8, len(y) - 0.2), xlim=_limits(ordered), xlabel=xlabel)
    marks = {"o": "●", "s": "■", "^": "▲", "D": "◆"}
    names = [
        (f"{marks[_LOOKS[at % 4][1]]} {short_name(place, 24)}", _LOOKS[at % 4][0]) for at, place in enumerate(places)
    ]
    names += [("× untrained twin", UNTRAINED)] * bool(ordered["twin"].notna().any())
    return name_marks(axes, names, width=5.0)


def _draw_rows(axes: Axes, rows: pd.DataFrame, color: str, marker: str) -> None:
    y = rows.index.to_numpy(dtype=float)
    axes.hlines(y, rows["low"], rows["high"], color=color, linewidth=1.2)
    axes.scatter(rows["adjusted"], y, marker="|", s=44, color=color, linewidths=1.4, zorder=3)
    tested, found = (rows[name].to_numpy(dtype=bool) for name in ("tested", "found"))
    for here, face in ((tested, color), (~tested, PAPER)):
        axes.scatter(
            rows["harm"][here], y[here], marker=marker, s=22, c=face, edgecolors=color, linewidths=1.1, zorder=4
        )
    ends = rows[["harm", "high"]].max(axis=1).to_numpy(dtype=float)
    for x, height in zip(ends[found], y[found], strict=True):
        axes.annotate("★", (x, height), xytext=(7, 0), textcoords="offset points", color=color, fontsize=8,
                      ha="center", va="center")  # fmt: skip


def _limits(rows: pd.DataFrame) -> tuple[float, float]:
    values = rows[["harm", "low", "high", "adjusted", "twin"]].to_numpy(dtype=float)
    room = rows["detectable"].to_numpy(dtype=float)
    finite = [*values[np.isfinite(values)], *room[np.isfinite(room)], *-room[np.isfinite(room)], 0.0]
    return with_room(float(min(finite)), float(max(finite)))


def specification_rows(view: View, series: Sequence[Series]) -> pd.DataFrame:
    """Return all doses of some series as `draw_specifications` takes them, in the unit that is printed."""
    rankings = {one.ranking for one in series}
    rows = []
    for one in series:
        twin, factor, sign = view.twin_of(one), one.scale.factor, one.scale.sign
        theirs = {} if twin is None else dict(zip(twin.rows["dose"], factor * twin.harm, strict=True))
        found = significant(one.rows)
        for at, row in enumerate(one.rows.to_dict("records")):
            ends = sorted(factor * sign * row[end] for end in ("effect_low", "effect_high"))
            by = f"{ranking_words(one.ranking)}, " if len(rankings) > 1 else ""
            rows.append(
                (f"{by}{dose_words(row['dose'])}", one.layer, factor * sign * row["effect"], *ends,
                 factor * sign * row["effect_adjusted"], factor * row["detectable_effect"], bool(pd.notna(row["p"])),
                 bool(found[at]), theirs.get(row["dose"], np.nan))
            )  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


def overview(view: View) -> Figure | None:
    """Return all comparisons of the network, a panel a task."""
    panels = []
    for place, task in enumerate(view.tasks):
        series = [one for one in view.series if one.task == task]
        rows = specification_rows(view, series)
        if not rows["harm"].notna().any():
            continue
        shown = rows if len(rows) <= _MOST_ROWS else rows.iloc[:: -(-len(rows) // _MOST_ROWS)]
        draw = partial(
            draw_specifications, rows=shown, xlabel=series[0].scale.axis("more harm than shams →", difference=True)
        )
        svg = render(draw, size=(5.0, 1.0 + _ROW * len(shown)))
        said = (
            f"{int(rows['found'].sum())} of {plural(len(rows), 'comparison')} differ, "
            f"{int((~rows['tested']).sum())} not tested"
        )
        part = f", {len(shown)} drawn" if len(shown) < len(rows) else ""
        alt = f"Dot plot of effects in order. {said}; from {_ends(rows)}."
        panels.append(Panel(f"task-{place}", svg, alt, (short_name(task, 36), f"{said}{part}")))
    if not panels:
        return None
    return Figure(
        "overview",
        "Every comparison",
        tuple(panels),
        "Each dose of each ranking and place, in order: how much more harm the targeted lesion does than its shams, "
        "with its 95 % interval over trials and shams. Short stroke: what was tested, the effect after regression on "
        "what is matched. Grey bar: effects that this test would miss more often than once in five (at p ≤ .05, not "
        "corrected). Star: q ≤ .05; full mark: tested; hollow: no honest match and no test. The interval takes the "
        "shams as they are; p comes from sets of all units, as the text on methods says, so that the two can differ.",
        size="large",
    )


def _ends(rows: pd.DataFrame) -> str:
    harm = rows["harm"].dropna()
    return f"{harm.min():.3g} to {harm.max():.3g}".replace("-", "−")
