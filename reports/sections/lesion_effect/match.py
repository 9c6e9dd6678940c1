"""How alike target and shams are: standardised differences before and after matching."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes

from probekit.analyses.causal.design import FAIR, POOR
from probekit.reports.by_depth import DASHED, DOTTED
from probekit.reports.figures import AXIS, INK, PAPER, TRAINED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import name_marks
from probekit.reports.sections.lesion_effect.scale import dose_words, ranking_words, words_of
from probekit.reports.sections.lesion_effect.view import MOST_PANELS, Series, View
from probekit.reports.words import listing, number, short_name

IDEAL = 0.1


def match_figure(view: View) -> Figure | None:
    """Return the quality of the match, a panel for each ranking, layers with the same match together."""
    alike: dict[tuple[str, bytes], list[Series]] = {}
    for one in view.series:
        kept = view.array("match", one)
        if kept is not None:
            alike.setdefault((one.ranking, kept.values.tobytes()), []).append(one)
    panels = tuple(_panel(view, together) for together in list(alike.values())[:MOST_PANELS])
    if not panels:
        return None
    return Figure(
        "match",
        "How alike the shams are",
        panels,
        "Standardised difference of the targeted units from all untargeted ones (hollow) and from their shams (full), "
        f"by variable and dose, without its sign. Lines: {IDEAL}, {FAIR} and {POOR}; above {FAIR} the match is called "
        f"poor, above {POOR} there is none and no test. No full mark: no sham could be drawn.",
    )


def _panel(view: View, together: list[Series]) -> Panel:
    one = together[0]
    kept = view.array("match", one)
    assert kept is not None
    names, doses = [str(name) for name in kept["variable"].values], kept["dose"].values.astype(float)
    values = np.abs(kept.transpose("variable", "dose", "when").values.astype(float)).reshape(-1, 2)
    labels = [f"{words_of(name)}, {dose_words(dose)}" for name in names for dose in doses]
    svg = render(partial(draw_match, labels=labels, before=values[:, 0], after=values[:, 1]),
                 size=(4.0, 0.9 + 0.2 * len(labels)))  # fmt: skip
    said = "; ".join(
        f"{label} {number(old)} to {number(new)}" if np.isfinite(new) else f"{label} {number(old)}, no sham"
        for label, (old, new) in zip(labels, values, strict=True)
    )
    layers = listing([short_name(name, 24) for name in dict.fromkeys(each.layer for each in together)], 3)
    return Panel(f"series-{one.number}", svg, f"Standardised differences: {said}.",
                 (f"by {ranking_words(one.ranking)}", layers))  # fmt: skip


def draw_match(axes: Axes, labels: list[str], before: np.ndarray, after: np.ndarray) -> Axes:
    """Draw differences before and after matching, a line a variable and dose; return the axes.

    Parameters
    ----------
    axes : Axes
    labels : list of str
    before, after : array, shape (line,)
        Standardised, without sign; nan where there is none.
    """
    y = np.arange(len(labels), dtype=float)
    for at, dash in ((IDEAL, DOTTED), (FAIR, DASHED), (POOR, "-")):
        axes.axvline(at, color=AXIS, linewidth=0.9, linestyle=dash)
    axes.hlines(y, np.fmin(before, after), np.fmax(before, after), color=AXIS, linewidth=0.8)
    axes.scatter(before, y, s=20, c=PAPER, edgecolors=INK, linewidths=1.1, zorder=3)
    axes.scatter(after, y, s=20, c=TRAINED, edgecolors=TRAINED, linewidths=1.1, zorder=4)
    axes.set_yticks(y, labels)
    known = np.concatenate([before, after])
    top = float(known[np.isfinite(known)].max()) if np.isfinite(known).any() else POOR
    axes.set(xlim=(-0.02, max(1.08 * top, 1.15 * POOR)), ylim=(len(labels) - 0.4, -0.6),
             xlabel="difference (standard deviations)")  # fmt: skip
    return name_marks(axes, [("○ before", INK), ("● after matching", TRAINED)])
