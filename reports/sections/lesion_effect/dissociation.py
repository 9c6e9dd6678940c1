"""Double dissociation: what two lesions do to two tasks, and what dealing their units out anew gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from probekit.reports.figures import AXIS, INK, PAPER, TRAINED, UNLEARNED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import name_marks, with_room
from probekit.reports.sections.lesion_effect.scale import Scale, dose_words
from probekit.reports.sections.lesion_effect.view import View
from probekit.reports.words import number, probability, short_name

_COLORS = (TRAINED, UNLEARNED)
_MOST = 6


@dataclass(frozen=True, eq=False)
class Dissociated:
    """One layer: harm (set, task), its interaction, p and null, in the tables' unit; sizes of both sets."""

    layer: str
    sets: tuple[str, ...]
    tasks: tuple[str, ...]
    harm: np.ndarray
    interaction: float
    p: float
    is_double: bool
    sizes: tuple[int, ...]
    null: np.ndarray
    scale: Scale


def dissociations(view: View) -> tuple[float, list[Dissociated]]:
    """Return the share of units of each set, and what was found in each layer; none where it was not asked."""
    harm, test, null = (view.array(name) for name in ("dissociation", "dissociation_test", "dissociation_null"))
    if harm is None or test is None or not view.every:
        return 0.0, []
    sets, tasks = (tuple(str(one) for one in harm[name].values) for name in ("set", "task"))
    scales = [one.scale for one in view.every if one.task in tasks] or [view.every[0].scale]
    names = [str(one) for one in test["number"].values]
    found = []
    for layer in harm["layer"].values:
        numbers = dict(zip(names, test.sel(layer=layer).values.tolist(), strict=True))
        sizes = tuple(int(value) for name, value in numbers.items() if name.startswith("n_"))
        dealt = np.empty(0) if null is None else null.sel(layer=layer).values.astype(float)
        found.append(
            Dissociated(str(layer), sets, tasks, harm.sel(layer=layer).values.astype(float), numbers["interaction"],
                        numbers["p"], bool(numbers["is_double"]), sizes, dealt, scales[0])
        )  # fmt: skip
    return float(harm.attrs.get("share", np.nan)), found


def dissociation_figure(view: View) -> Figure | None:
    """Return harm of both lesions to both tasks, and the interaction among those of dealt sets, a pair a layer."""
    share, found = dissociations(view)
    panels = [panel for place, one in enumerate(found[:_MOST]) for panel in _panels(place, one)]
    if not panels:
        return None
    of = f"the {dose_words(share)} of units that rank highest for each" if np.isfinite(share) else "two sets of units"
    return Figure(
        "dissociation",
        "Each for its own",
        tuple(panels),
        f"How much worse than the intact network without {of}, none of them in both sets. Right: the interaction (own "
        "harm minus harm to the other, both sets together) when the units of both are dealt out anew, and as observed "
        "(line). Double: p ≤ .05, and on each task its own set does more harm than the other.",
        size="large",
    )


def _panels(place: int, one: Dissociated) -> list[Panel]:
    factor, layer = one.scale.factor, short_name(one.layer, 28)
    bars = partial(draw_harm, harm=factor * one.harm, sets=one.sets, tasks=one.tasks,
                   ylabel=one.scale.axis("harm", difference=True))  # fmt: skip
    verdict = "double dissociation" if one.is_double else "no double dissociation"
    svg, label = render(bars, size=(4.2, 3.0)), (layer, f"{verdict}, p {probability(one.p)}")
    panels = [Panel(f"harm-{place}", svg, f"Bars of harm. {_in_words(one)}.", label)]
    if len(one.null):
        draw = partial(draw_null, null=factor * one.null, observed=factor * one.interaction,
                       xlabel=one.scale.axis("interaction", difference=True))  # fmt: skip
        alt = f"Histogram of {len(one.null)} dealt interactions; observed {one.scale.difference(one.interaction)}."
        observed = f"observed {one.scale.difference(one.interaction)}"
        panels.append(Panel(f"null-{place}", render(draw, size=(4.2, 3.0)), alt, (layer, observed)))
    return panels


def _in_words(one: Dissociated) -> str:
    told = []
    for name, row in zip(one.sets, one.harm, strict=True):
        cells = [f"{task} {one.scale.difference(value)}" for task, value in zip(one.tasks, row, strict=True)]
        told.append(f"{name} units: {', '.join(cells)}")
    return "; ".join(told)


def draw_harm(axes: Axes, harm: np.ndarray, sets: tuple[str, ...], tasks: tuple[str, ...], ylabel: str) -> Axes:
    """Draw harm of two lesions to two tasks as bars; return the axes.

    Parameters
    ----------
    axes : Axes
    harm : array, shape (set, task)
    sets, tasks : tuple of str
    ylabel : str
    """
    place = np.arange(len(tasks), dtype=float)
    axes.grid(axis="y")
    for at, row in enumerate(harm):
        x = place + 0.36 * (at - 0.5)
        axes.bar(x, row, 0.32, color=_COLORS[0] if at == 0 else PAPER, edgecolor=_COLORS[at % 2], linewidth=1.6)
        for where, value in zip(x, row, strict=True):
            axes.text(where, value, number(value, 0 if np.abs(harm).max() > 5 else 2), ha="center",
                      va="bottom" if value >= 0 else "top", fontsize=8)  # fmt: skip
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(place, [f"task: {short_name(name, 18)}" for name in tasks])
    axes.set(ylabel=ylabel, xlim=(-0.6, len(tasks) - 0.4),
             ylim=with_room(min(0.0, float(harm.min())), max(0.0, float(harm.max())), 0.12))  # fmt: skip
    names = [(f"{'■□'[at % 2]} without {short_name(name, 18)} units", _COLORS[at % 2]) for at, name in enumerate(sets)]
    return name_marks(axes, names, width=4.2)


def draw_null(axes: Axes, null: np.ndarray, observed: float, xlabel: str) -> Axes:
    """Draw a permutation null as a histogram and the observed value as a line; return the axes."""
    low, high = min(float(null.min()), observed), max(float(null.max()), observed)
    edges = np.linspace(*with_room(low, high), 26)
    axes.grid(axis="y")
    axes.hist(null, edges.tolist(), color=AXIS, alpha=0.55)
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.axvline(observed, color=TRAINED, linewidth=2.2)
    axes.set(xlabel=xlabel, ylabel="deals", xlim=(edges[0], edges[-1]))
    return name_marks(axes, [("■ dealt out anew", AXIS), ("│ observed", TRAINED)], width=4.2)
