"""Effect against dose: the targeted lesion, every sham beside it, sets at random, the lowest-ranked, the intact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from probekit.reports.by_depth import DASHED, DOTTED
from probekit.reports.figures import PAPER, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import (
    INTACT,
    RANDOM,
    REVERSED,
    SHAM,
    TARGETED,
    cloud,
    name_marks,
    spread,
    with_room,
)
from probekit.reports.sections.lesion_effect.scale import dose_words, ranking_words, words_of
from probekit.reports.sections.lesion_effect.view import Series, View, significant
from probekit.reports.words import plural, short_name

_MOST_FOLDED = 60


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """What is drawn of one series; scores in the unit of the axis.

    Parameters
    ----------
    doses : array, shape (dose,)
        Shares of the units.
    intact : float
    targeted, reversed : array, shape (dose,)
    sham, random : array, shape (dose, set)
        nan where there is none.
    found, tested : array of bool, shape (dose,)
        Whether q ≤ .05, and whether there was a test.
    low, high : array, shape (dose,)
        Interval of the targeted lesion; nan for none.
    """

    doses: np.ndarray
    intact: float
    targeted: np.ndarray
    reversed: np.ndarray
    sham: np.ndarray
    random: np.ndarray
    found: np.ndarray
    tested: np.ndarray
    low: np.ndarray
    high: np.ndarray


def draw_dose_response(axes: Axes, shown: DoseResponse, *, ylabel: str, xlabel: str = "units lesioned") -> Axes:
    """Draw a targeted lesion and its controls over doses, evenly spaced; return the axes."""
    place = np.arange(1, len(shown.doses) + 1, dtype=float)
    axes.grid(axis="y")
    axes.axhline(shown.intact, color=INTACT, linewidth=1.0, linestyle=DOTTED)
    for at, (shams, randoms) in enumerate(zip(shown.sham, shown.random, strict=True)):
        cloud(axes, place[at] - 0.22 + spread(len(shams), 0.11), shams, color=SHAM, size=3.2, alpha=0.45)
        cloud(axes, place[at] + 0.22 + spread(len(randoms), 0.11), randoms, color=RANDOM, size=1.7, alpha=0.5)
        if np.isfinite(shams).any():
            axes.hlines(float(np.nanmean(shams)), place[at] - 0.36, place[at] - 0.08, color=SHAM, linewidth=1.6)
    from_intact = np.concatenate([[0.0], place])
    axes.plot(from_intact, np.concatenate([[shown.intact], shown.reversed]), color=REVERSED, linestyle=DASHED,
              linewidth=1.2, marker="v", markersize=3.5, markevery=slice(1, None))  # fmt: skip
    axes.plot(from_intact, np.concatenate([[shown.intact], shown.targeted]), color=TARGETED, linewidth=2.0)
    axes.vlines(place, shown.low, shown.high, color=TARGETED, linewidth=1.1)
    _draw_marks(axes, place, shown)
    axes.set_xticks(from_intact, ["intact", *map(dose_words, shown.doses)])
    axes.set(xlim=(-0.35, len(place) + 0.5), ylim=with_room(*_ends(shown)), xlabel=xlabel, ylabel=ylabel)
    names = [("● targeted", TARGETED), ("▾ lowest-ranked", REVERSED)]
    names += [("● shams", SHAM)] * bool(np.isfinite(shown.sham).any())
    return name_marks(axes, [*names, ("· random", RANDOM)])


def _draw_marks(axes: Axes, place: np.ndarray, shown: DoseResponse) -> None:
    for found, tested, marker, size in ((True, True, "*", 110), (False, True, "o", 24), (False, False, "o", 24)):
        here = (shown.found == found) & (shown.tested == tested)
        face = TARGETED if tested else PAPER
        axes.scatter(place[here], shown.targeted[here], s=size, marker=marker, c=face, edgecolors=TARGETED,
                     linewidths=1.2, zorder=4)  # fmt: skip


def _ends(shown: DoseResponse) -> tuple[float, float]:
    parts = (shown.targeted, shown.reversed, shown.sham, shown.random, shown.low, shown.high)
    values = np.concatenate([[shown.intact], *(np.ravel(part) for part in parts)])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def dose_response_of(view: View, one: Series, *, most: int = 1000) -> DoseResponse | None:
    """Return what is drawn of a series, at most so many sets of each control; None where these were not kept."""
    kept, fitted = view.array("control_score", one), view.array("dose_response", one)
    if kept is None or one.rows.empty:
        return None
    rows, factor = one.rows, one.scale.factor
    controls = {str(name): factor * kept.sel(control=name).values[:, :most] for name in kept["control"].values}
    empty = np.full((len(rows), 1), np.nan)
    ends = np.full((2, len(rows)), np.nan)
    if fitted is not None:
        ends = factor * fitted.sel(kind="targeted", end=["low", "high"]).values[:, 1:]
    column = {name: factor * rows[f"score_{name}"].to_numpy(dtype=float) for name in ("targeted", "reversed", "intact")}
    return DoseResponse(
        rows["dose"].to_numpy(dtype=float),
        float(column["intact"][0]),
        column["targeted"],
        column["reversed"],
        controls.get("sham", empty),
        controls.get("random", empty),
        significant(rows),
        rows["p"].notna().to_numpy(),
        ends[0],
        ends[1],
    )


def dose_panel(view: View, one: Series, *, folded: bool = False) -> Panel | None:
    """Return the dose response of a series with its words."""
    shown = dose_response_of(view, one, most=_MOST_FOLDED if folded else 1000)
    if shown is None:
        return None
    said = "; ".join(
        f"{dose_words(row['dose'])}: targeted {one.scale.score(row['score_targeted'])}, shams "
        f"{one.scale.score(row['score_sham'])}, random {one.scale.score(row['score_random'])}, {row['verdict']}"
        for row in one.rows.to_dict("records")
    )
    svg = render(partial(draw_dose_response, shown=shown, ylabel=one.scale.axis(short_name(one.task, 28))))
    whose = f"{one.network}: " if folded else ""
    label = (f"{whose}{short_name(one.task, 28)}", f"{short_name(one.layer, 28)}, by {ranking_words(one.ranking)}")
    alt = f"Score against dose. Intact {one.scale.score(one.said['score_intact'])}; {said}."
    return Panel(f"series-{one.number}", svg, alt, label)


def dose_figure(view: View, series: Sequence[Series], *, name: str = "dose", folded: bool = False) -> Figure | None:
    """Return a panel a series, None where there is none."""
    panels = tuple(panel for one in series if (panel := dose_panel(view, one, folded=folded)) is not None)
    if not panels:
        return None
    shams = view.rows["n_sham"].max() if len(view.rows) else 0
    matched = [words_of(one) for one in _matched(series)]
    thinned = f" Here at most {_MOST_FOLDED} sets of each control are drawn." if folded else ""
    like = f"as many untargeted units, matched on {' and '.join(matched)}" if matched else "as many untargeted units"
    return Figure(
        name,
        "Effect against dose",
        panels,
        "Score without a share of the layer’s units, mean over trials. Line: the highest-ranked, with its 95 % "
        "interval (monotone fit; it may miss a mark where the mean is not monotone). Left of it every sham "
        f"({like}; {plural(shams, 'set')} a dose at most) and their mean; right of it sets at random from the whole "
        "layer; dashed: the lowest-ranked; dotted: the intact network. Star: q ≤ .05; full mark: tested, no "
        f"difference; hollow: no honest match, not tested.{thinned or _left_out(view, series)}",
    )


def _matched(series: Sequence[Series]) -> list[str]:
    return [one for one in str(series[0].said["matched_on"]).split(", ") if one]


def _left_out(view: View, series: Sequence[Series]) -> str:
    n = len(view.series)
    if len(series) == n:
        return ""
    tasks = " and ".join(dict.fromkeys(one.task for one in series))
    return f" Here {len(series)} of {n} panels, of the task {tasks}; the others are under each layer below."
