"""Units lesioned one by one: damage against rank."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes

from probekit.reports.figures import AXIS, TRAINED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import cloud, with_room
from probekit.reports.sections.lesion_effect.scale import ranking_words
from probekit.reports.sections.lesion_effect.view import Series, View
from probekit.reports.words import count, number, probability, short_name


def single_unit_figure(view: View) -> Figure | None:
    """Return damage against rank, a panel a series in which single units differ in damage."""
    series = [one for one in view.chosen() if _values(view, one) is not None]
    panels = [panel for one in series if (panel := _panel(view, one)) is not None]
    if not panels:
        return None
    alike = len(series) - len(panels)
    left = f" {alike} more are left out, as all single units do alike there." if alike else ""
    return Figure(
        "single",
        "Units lesioned one by one",
        tuple(panels),
        "How much worse than the intact network it is without a single unit, against what units are ranked by, evenly "
        f"along the ranking. ρ: Spearman correlation; partial: without what the matched variables explain.{left}",
    )


def _values(view: View, one: Series) -> tuple[np.ndarray, np.ndarray] | None:
    rank, harm = view.array("single_rank", one), view.array("single_harm", one)
    if rank is None or harm is None or not np.isfinite(harm.values).any():
        return None
    known = np.isfinite(harm.values) & np.isfinite(rank.values)
    return rank.values[known], one.scale.factor * harm.values[known]


def _panel(view: View, one: Series) -> Panel | None:
    values = _values(view, one)
    if values is None or np.ptp(values[1]) < 1e-9:
        return None
    draw = partial(
        draw_single_units, rank=values[0], harm=values[1], xlabel=ranking_words(one.ranking),
        ylabel=one.scale.axis("harm of one unit", difference=True),
    )  # fmt: skip
    rho, p, partial_rho = (float(one.said[name]) for name in ("rank_correlation", "p_rank", "rank_correlation_partial"))
    said = f"ρ {number(rho)} (p {probability(p)})" if np.isfinite(rho) else "no correlation: all do alike"
    said += f", partial {number(partial_rho)}" if np.isfinite(partial_rho) and one.said["matched_on"] else ""
    label = (f"{short_name(one.task, 24)}, {short_name(one.layer, 24)}", f"{said}, n = {count(len(values[0]))}")
    return Panel(f"series-{one.number}", render(draw), f"Scatter of damage against rank: {said}.", label)


def draw_single_units(axes: Axes, rank: np.ndarray, harm: np.ndarray, xlabel: str, ylabel: str) -> Axes:
    """Draw a dot a unit; return the axes."""
    axes.grid()
    axes.axhline(0, color=AXIS, linewidth=0.8)
    cloud(axes, rank, harm, color=TRAINED, size=4.5, alpha=0.7)
    low, high = min(0.0, float(harm.min())), max(0.0, float(harm.max()))
    axes.set(
        xlim=with_room(float(rank.min()), float(rank.max())), ylim=with_room(low, high), xlabel=xlabel, ylabel=ylabel
    )
    return axes
