"""How a score changes along a trial, such as the error along a path."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from probekit.reports.by_depth import DASHED, DOTTED
from probekit.reports.figures import INK, TRAINED, UNLEARNED, render
from probekit.reports.labels import Curve, label_curves
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import SHAM, with_room
from probekit.reports.sections.lesion_effect.scale import dose_words, ranking_words
from probekit.reports.sections.lesion_effect.view import Series, View, stated_dose
from probekit.reports.words import short_name

_LOOKS = {
    "intact": ("intact", INK, DOTTED),
    "reversed": ("lowest-ranked", UNLEARNED, DASHED),
    "sham": ("shams", SHAM, "-"),
    "targeted": ("targeted", TRAINED, "-"),
}


def along_figure(view: View) -> Figure | None:
    """Return the score along a trial at one dose, a panel a series that has one."""
    found = [made for one in view.chosen() if (made := _panel(view, one)) is not None]
    if not found:
        return None
    doses = " or ".join(dict.fromkeys(dose for _, dose in found))
    return Figure(
        "along",
        "Along the trial",
        tuple(panel for panel, _ in found),
        f"Mean score over trials at each step, without {doses} of the units: the highest-ranked, the lowest-ranked, "
        "the mean of the shams and a band that holds 95 % of them (none where there is no sham), and the intact "
        "network.",
    )


def _panel(view: View, one: Series) -> tuple[Panel, str] | None:
    kept = view.numbered("curve", one)
    if kept is None:
        return None
    at = stated_dose(kept["dose"].values.tolist(), np.isfinite(kept.sel(kind="sham").values).any(-1))
    values = {str(kind): one.scale.factor * kept.isel(dose=at).sel(kind=kind).values for kind in kept["kind"].values}
    points = kept["point"].values.astype(float)
    draw = partial(draw_along, points=points, values=values, ylabel=one.scale.axis(short_name(one.task, 28)))
    said = "; ".join(
        f"{_LOOKS[kind][0]} {values[kind][-1]:.3g}"
        for kind in _LOOKS
        if kind in values and np.isfinite(values[kind][-1])
    )
    dose = dose_words(float(kept["dose"].values[at]))
    label = (f"{short_name(one.task, 28)}, {dose}", f"{short_name(one.layer, 28)}, by {ranking_words(one.ranking)}")
    return Panel(f"series-{one.number}", render(draw), f"Score along the trial. At its end: {said}.", label), dose


def draw_along(
    axes: Axes, points: np.ndarray, values: dict[str, np.ndarray], ylabel: str, xlabel: str = "step"
) -> Axes:
    """Draw curves along a trial, shams as a band; return the axes.

    Parameters
    ----------
    axes : Axes
    points : array, shape (point,)
    values : mapping of str to array, shape (point,)
        `intact, targeted, reversed, sham, sham_low, sham_high`; nan where there is no sham.
    ylabel, xlabel : str
    """
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    every = np.concatenate(list(values.values()))
    every = every[np.isfinite(every)]
    ends = with_room(min(0.0, float(every.min())), float(every.max())) if len(every) else (0.0, 1.0)
    axes.set(xlim=with_room(float(points.min()), float(points.max()), 0.02), ylim=ends, xlabel=xlabel, ylabel=ylabel)
    if np.isfinite(values["sham_low"]).any():
        axes.fill_between(points, values["sham_low"], values["sham_high"], color=SHAM, alpha=0.22, linewidth=0)
    curves = []
    for kind, (name, color, dash) in _LOOKS.items():
        if np.isfinite(values[kind]).any():
            width = 2.2 if kind == "targeted" else 1.3
            axes.plot(points, values[kind], color=color, linestyle=dash, linewidth=width)
            curves.append(Curve(name, points, values[kind], color))
    return label_curves(axes, curves, size=(235.0, 150.0))
