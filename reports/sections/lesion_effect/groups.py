"""What a lesion does to each group of trials, such as a category of images."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes

from probekit.reports.figures import INK, TRAINED, TRAINED_PALE, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import SHAM, name_marks
from probekit.reports.sections.lesion_effect.scale import dose_words, ranking_words
from probekit.reports.sections.lesion_effect.view import MOST_PANELS, Series, View, stated_dose
from probekit.reports.words import number, short_name


def groups_figure(view: View) -> Figure | None:
    """Return bars of every group, a panel a series that has groups, at one dose."""
    panels: list[Panel] = []
    doses: list[str] = []
    for one in view.series[: 4 * MOST_PANELS]:
        found = _panel(view, one)
        if found is not None and len(panels) < MOST_PANELS:
            panels.append(found[0])
            doses.append(found[1])
    if not panels:
        return None
    return Figure(
        "groups",
        "Which trials suffer",
        tuple(panels),
        f"Score of each group of trials without {' or '.join(dict.fromkeys(doses))} of the units. Bar: without the "
        "highest-ranked; grey line: 95 % of the shams, stroke: their mean (none where there is no sham); black mark: "
        "the intact network. No test is made of single groups.",
    )


def _panel(view: View, one: Series) -> tuple[Panel, str] | None:
    kept = view.numbered("groups", one)
    if kept is None:
        return None
    known = np.isfinite(kept.sel(kind="sham").values).any(-1)
    at = stated_dose(kept["dose"].values.tolist(), known)
    values = {str(kind): one.scale.factor * kept.isel(dose=at).sel(kind=kind).values for kind in kept["kind"].values}
    names = [str(name) for name in kept["group"].values]
    draw = partial(draw_groups, names=names, values=values, xlabel=one.scale.axis(short_name(one.task, 28)))
    said = "; ".join(
        f"{name} {number(whole, 0)} intact, {number(hit, 0)} targeted"
        for name, whole, hit in zip(names, values["intact"], values["targeted"], strict=True)
    )
    svg = render(draw, size=(4.0, 0.9 + 0.2 * len(names)))
    dose = dose_words(float(kept["dose"].values[at]))
    label = (f"by {ranking_words(one.ranking)}, {dose}", short_name(one.layer, 28))
    return Panel(f"series-{one.number}", svg, f"Bars by group: {said}.", label), dose


def draw_groups(axes: Axes, names: list[str], values: dict[str, np.ndarray], xlabel: str) -> Axes:
    """Draw a bar a group, its shams and the intact score over it; return the axes.

    Parameters
    ----------
    axes : Axes
    names : list of str
    values : mapping of str to array, shape (group,)
        `intact, targeted, sham, sham_low, sham_high`; nan where there is no sham.
    xlabel : str
    """
    place = np.arange(len(names), dtype=float)
    axes.grid(axis="x")
    axes.barh(place, np.nan_to_num(values["targeted"]), 0.62, color=TRAINED_PALE)
    axes.hlines(place, values["sham_low"], values["sham_high"], color=SHAM, linewidth=2.2)
    axes.scatter(values["sham"], place, marker="|", s=60, color=SHAM, linewidths=1.6, zorder=3)
    axes.scatter(values["intact"], place, marker="D", s=13, color=INK, linewidths=0, zorder=4)
    axes.set_yticks(place, [short_name(name, 18) for name in names])
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel=xlabel)
    axes.spines["left"].set_visible(False)
    return name_marks(axes, [("■ targeted", TRAINED), ("┼ shams", SHAM), ("◆ intact", INK)])
