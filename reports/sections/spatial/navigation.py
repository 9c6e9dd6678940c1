"""How well the network knows where it is: paths with what it says over them, and how both came with training."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from probekit.reports.by_depth import DASHED, DOTTED
from probekit.reports.figures import AXIS, INK, TRAINED, TRAINED_PALE, render
from probekit.reports.labels import Curve, label_curves
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.spatial.view import CLASSIC, LOOKS, View
from probekit.reports.words import number, plain, plural

_MOST_PATHS, _ACROSS = 6, 3
_ROOM = 1.15
_AREA = (235.0, 150.0)
_QUANTILES = {"top 5 %": 0.95, "top 25 %": 0.75, "median": 0.5}


def paths(view: View) -> Figure | None:
    """Return example paths with the decoded path over them, and the error along the path."""
    panels = [panel for panel in (_examples(view), _along(view)) if panel is not None]
    if not panels:
        return None
    guess = view.said("guess_error_m")
    still = (
        f" For comparison: over paths of the trained length, who says that he is still at the start is "
        f"{number(100 * guess, 1)} cm off, mean over the steps."
        if np.isfinite(guess)
        else ""
    )
    return Figure(
        "paths",
        "Where it is, and where it says that it is",
        tuple(panels),
        "New paths, on which the network was not trained. It is told how it moves, and of its start what its adapter "
        f"tells; what its output says is decoded at each step.{still}",
        size="large",
    )


def _examples(view: View) -> Panel | None:
    true, said = view.array("example_position"), view.array("example_decoded")
    if true is None or said is None:
        return None
    both = [np.asarray(one.values[:_MOST_PATHS], dtype=float) for one in (true, said)]
    arena = view.result.provenance.get("arena", {})
    away = 100 * np.linalg.norm(both[0] - both[1], axis=-1).mean(1)
    rows = -(-len(away) // _ACROSS)
    spans = np.ptp(both[0].reshape(-1, 2), axis=0)
    tall = float(arena.get("height", spans[1])) / float(arena.get("width", spans[0]))
    size = (5.0, 0.35 + rows * (0.12 + 1.58 * min(max(tall, 0.4), 1.6)))
    draw = partial(_draw_examples, true=both[0], said=both[1], arena=arena)
    return Panel(
        "examples",
        render(draw, size=size),
        f"{plural(len(away), 'path')} of {true.sizes['time']} steps in the arena, the decoded path over each. Mean "
        f"distance between them: {', '.join(number(one, 1) for one in away)} cm.",
    )


def _draw_examples(axes: Axes, true: np.ndarray, said: np.ndarray, arena: dict[str, object]) -> Axes:
    spans = np.ptp(true.reshape(-1, 2), axis=0)
    width, height = (float(str(arena.get(name, span))) for name, span in zip(("width", "height"), spans, strict=True))
    known = arena.get("centre")
    middle = np.array(known if isinstance(known, list | tuple) else (0.0, 0.0), dtype=float)
    if not {"width", "height"} <= set(arena):
        middle = true.reshape(-1, 2).mean(0)
    head = 0.16 * width
    for place, (one, other) in enumerate(zip(true, said, strict=True)):
        shift = np.array([place % _ACROSS * width * 1.08, -(place // _ACROSS) * (height + head)])
        corner = shift - np.array([width, height]) / 2
        wall: dict[str, Any] = {"fill": False, "edgecolor": AXIS, "linewidth": 0.8}
        if arena.get("shape") == "circle":
            axes.add_patch(Circle((float(shift[0]), float(shift[1])), width / 2, **wall))
        else:
            axes.add_patch(Rectangle((float(corner[0]), float(corner[1])), width, height, **wall))
        here, there = one - middle + shift, other - middle + shift
        axes.plot(*here.T, color=INK, linewidth=1.3)
        axes.plot(*there.T, color=TRAINED, linewidth=1.1, marker=".", markersize=2.2)
        axes.plot(*here[0], color=INK, marker="o", markersize=4)
        away = 100 * float(np.linalg.norm(one - other, axis=-1).mean())
        axes.text(float(corner[0]), float(corner[1]) + height * 1.02, f"{number(away, 1)} cm off", fontsize=7.5,
                  va="bottom")  # fmt: skip
    axes.set_aspect("equal")
    axes.axis("off")
    for x, text, color in ((0.0, "● start, path", INK), (0.34, "· decoded at each step", TRAINED)):
        axes.text(x, -0.02, text, color=color, fontsize=8, fontweight="bold", va="top", transform=axes.transAxes)
    return axes


def _along(view: View) -> Panel | None:
    errors = view.array("path_error")
    if errors is None:
        return None
    names = [str(name) for name in errors["network"].values]
    time = errors["time"].values.astype(float) if "time" in errors.coords else np.arange(errors.sizes["time"]) + 1.0
    values = 100 * errors.transpose("network", "time").values.astype(float)
    trained = float(view.trained.get("path_steps", np.nan))
    draw = partial(_draw_along, names=names, time=time, errors=values, trained=trained)
    said = "; ".join(
        f"{_called(name)}: {number(float(one[-1]), 1)} cm" for name, one in zip(names, values, strict=True)
    )
    return Panel("error", render(draw, size=(4.6, 3.4)), f"Line chart, error by step. At the last step: {said}.")


def _called(name: str) -> str:
    return LOOKS[name][0] if name in LOOKS else name


def _draw_along(axes: Axes, names: list[str], time: np.ndarray, errors: np.ndarray, trained: float) -> Axes:
    curves: list[Curve] = []
    axes.grid(axis="y")
    top = float(np.nanmax(errors)) * 1.08 if np.isfinite(errors).any() else 1.0
    axes.set(
        xlim=(min(0.0, time.min()), time.max()), ylim=(0, top), xlabel="step", ylabel="distance to the true place (cm)"
    )
    if np.isfinite(trained):
        axes.axvline(trained, color=AXIS, linewidth=1.0, linestyle=DOTTED)
        curves.append(Curve("trained length", np.full(2, trained), np.array([0.0, top]), INK))
    for name, values in zip(names, errors, strict=True):
        _, color, dash = LOOKS.get(name, (name, AXIS, DOTTED))
        axes.plot(time, values, color=color, linestyle=dash)
        curves.append(Curve(_called(name), time, values, color if name in LOOKS else INK))
    label_curves(axes, curves, size=(270.0, 180.0))
    return axes


def emergence(view: View) -> Figure | None:
    """Return gridness and path error over the training."""
    gridness = view.array("emergence_gridness")
    if gridness is None:
        return None
    steps = gridness["step"].values.astype(float)
    values = gridness.transpose("step", ...).values.astype(float).reshape(len(steps), -1)
    kept = np.isfinite(values).any(1)
    if kept.sum() < 2:
        return None
    steps, values = steps[kept], values[kept]
    spread = {name: np.nanquantile(values, share, axis=1) for name, share in _QUANTILES.items()}
    above = {"": (values > CLASSIC).sum(1).astype(float)}
    panels = [
        _over_steps("gridness", steps, spread, "gridness of the units"),
        _over_steps("above", steps, above, f"units above {CLASSIC}"),
    ]
    error = view.array("emergence_path_error")
    if error is not None and np.isfinite(error.values).any():
        panels.append(_over_steps("error", steps, {"": 100 * error.values[kept].astype(float)}, "path error (cm)"))
    return Figure(
        "emergence",
        "How they came with training",
        tuple(panels),
        f"From {plural(len(steps), 'checkpoint')} of the training: gridness that half, a quarter and one in twenty of "
        f"{plural(values.shape[1], 'unit')} exceed (dotted: {CLASSIC}); how many units are above {CLASSIC}; and the "
        "mean error on paths of the trained length, in short recordings. No nulls were drawn at each checkpoint.",
    )


def _over_steps(name: str, steps: np.ndarray, lines: dict[str, np.ndarray], ylabel: str) -> Panel:
    draw = partial(_draw_over_steps, steps=steps, lines=lines, ylabel=ylabel)
    said = "; ".join(
        f"{label or ylabel} from {plain(float(values[0]))} to {plain(float(values[-1]))}"
        for label, values in lines.items()
    )
    alt = f"Line chart, {ylabel} by training step, {plain(steps[0])} to {plain(steps[-1])}: {said}."
    return Panel(name, render(draw), alt)


def _draw_over_steps(axes: Axes, steps: np.ndarray, lines: dict[str, np.ndarray], ylabel: str) -> Axes:
    together = np.concatenate(list(lines.values()))
    together = together[np.isfinite(together)]
    low, high = min(0.0, float(together.min())), max(float(together.max()), CLASSIC)
    room = 0.06 * (high - low)
    axes.grid(axis="y")
    if steps.min() > 0:
        axes.set_xscale("log")
        axes.set_xticks(steps, [f"{step:,.0f}" for step in steps])
        axes.minorticks_off()
    axes.set(xlim=(steps.min(), steps.max()), ylim=(low - room * (low < 0), high + room), ylabel=ylabel,
             xlabel="training step")  # fmt: skip
    if len(lines) > 1:
        axes.axhline(CLASSIC, color=INK, linewidth=1.0, linestyle=DOTTED)
    looks = zip(lines.items(), ((TRAINED_PALE, DASHED), (TRAINED_PALE, "-"), (TRAINED, "-")), strict=False)
    curves = []
    for (label, values), (color, dash) in looks:
        chosen, style = (TRAINED, "-") if len(lines) == 1 else (color, dash)
        axes.plot(steps, values, color=chosen, linestyle=style, marker="o", markersize=3)
        if label:
            curves.append(Curve(label, steps, values, TRAINED))
    return label_curves(axes, curves, size=_AREA)
