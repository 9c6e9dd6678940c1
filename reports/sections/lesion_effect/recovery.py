"""Whether a read-out that is trained again gets back what the lesion took."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from probekit.reports.by_depth import DOTTED
from probekit.reports.figures import INK, TRAINED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.marks import SHAM, name_marks, with_room
from probekit.reports.sections.lesion_effect.scale import dose_words
from probekit.reports.sections.lesion_effect.view import View
from probekit.reports.words import count, short_name

_LOOKS = {"intact": (INK, DOTTED, "D"), "sham": (SHAM, "-", "s"), "targeted": (TRAINED, "-", "o")}


def recovery_figure(view: View) -> Figure | None:
    """Return the score by amount of new training, a line a lesion."""
    kept = view.array("recovery")
    if kept is None:
        return None
    task = str(kept.attrs.get("task", ""))
    scales = [one.scale for one in view.every if one.task == task] or [one.scale for one in view.every]
    if not scales:
        return None
    scale = scales[0]
    amounts = [int(one) for one in kept["amount"].values]
    values = {str(name): scale.factor * kept.sel(lesion=name).values.astype(float) for name in kept["lesion"].values}
    draw = partial(draw_recovery, amounts=amounts, values=values, ylabel=scale.axis(task or "score"),
                   xlabel=f"new training ({trained_on(task)})")  # fmt: skip
    said = "; ".join(
        f"{name} from {scale.score(float(one[0, 0]) / scale.factor)} to {scale.score(float(one[-1, 0]) / scale.factor)}"
        for name, one in values.items()
    )
    label = (short_name(task, 28), f"{short_name(str(kept.attrs.get('layer', '')), 28)}")
    return Figure(
        "recovery",
        "What a new read-out gets back",
        (Panel("amount", render(draw, size=(4.6, 3.2)), f"Score by new training: {said}.", label),),
        f"Score without {share_words(kept)} of the units, with the read-out of the intact network, and with one that "
        "is trained anew under the lesion on more and more. Intervals: 95 % over trials. One sham was drawn.",
        size="large",
    )


def trained_on(task: str) -> str:
    """Return what a read-out is trained on."""
    return {"position decoding": "paths", "all conditions": "images of each condition"}.get(task, "trials")


def share_words(kept: xr.DataArray) -> str:
    """Return the share of units that is lesioned, as the array says it."""
    return dose_words(float(kept.attrs["share"])) if "share" in kept.attrs else "some"


def draw_recovery(axes: Axes, amounts: list[int], values: dict[str, np.ndarray], ylabel: str, xlabel: str) -> Axes:
    """Draw scores by amount of training, evenly spaced; return the axes.

    Parameters
    ----------
    axes : Axes
    amounts : list of int
        0: the read-out of the intact network.
    values : mapping of str to array, shape (amount, 3)
        Lesion → score and the ends of its interval.
    ylabel, xlabel : str
    """
    place = np.arange(len(amounts), dtype=float)
    axes.grid(axis="y")
    for at, (name, one) in enumerate(values.items()):
        color, dash, marker = _LOOKS.get(name, (SHAM, "-", "o"))
        x = place + 0.07 * (at - (len(values) - 1) / 2)
        axes.plot(x, one[:, 0], color=color, linestyle=dash, marker=marker, markersize=4.5)
        axes.vlines(x, one[:, 1], one[:, 2], color=color, linewidth=1.1)
    every = np.concatenate([one.ravel() for one in values.values()])
    every = every[np.isfinite(every)]
    axes.set_xticks(place, ["none" if not amount else count(amount) for amount in amounts])
    axes.set(xlim=(-0.4, len(amounts) - 0.6), xlabel=xlabel, ylabel=ylabel)
    if len(every):
        axes.set_ylim(with_room(float(every.min()), float(every.max())))
    marks = {"D": "◆", "s": "■", "o": "●"}
    names = [
        (f"{marks[_LOOKS.get(name, (SHAM, '-', 'o'))[2]]} {name}", _LOOKS.get(name, (SHAM, "-", "o"))[0])
        for name in values
    ]
    return name_marks(axes, names, width=4.6)
