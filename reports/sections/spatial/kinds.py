"""Which kinds of cells there are, and whether grid cells come in modules."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from probekit.reports.figures import AXIS, GRID, INK, TRAINED, TRAINED_PALE, UNLEARNED, render
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.spatial.view import ALPHA, CLASSIC, KINDS, LOOKS, View
from probekit.reports.words import count, number, plural, probability

_MODULES = ((TRAINED, "o"), (UNLEARNED, "^"), (INK, "s"), (TRAINED_PALE, "D"))
_FEWEST = 2
_HURDLES = {
    "n_classic": f"classic: above {CLASSIC}",
    "n_above_fields": "above re-placed fields",
    "n_above_spectrum": "above same spectrum",
    "n_above_both": "above both",
}


def counts(view: View) -> Figure | None:
    """Return how many units pass each test of gridness, and how many are of each kind, beside the controls."""
    names = [name for name in LOOKS if view.said("n_units", name) > 0]
    if not names:
        return None
    left = {words: {name: view.said(column, name) for name in names} for column, words in _HURDLES.items()}
    left[f"grid cell: both, q ≤ {ALPHA}"] = {name: float(len(view.grid_cells(name))) for name in names}
    kinds = {kind.replace("_", " "): {name: view.said(f"n_{kind}", name) for name in names} for kind in KINDS}
    totals = {name: view.said("n_units", name) for name in names}
    height = 0.75 + 0.17 * len(kinds) * (len(totals) + 0.8)
    panels = [_bars("grids", left, totals, height), _bars("kinds", kinds, totals, height)]
    of = ", ".join(f"{plural(n, 'unit')} ({LOOKS[name][0]})" for name, n in totals.items())
    rest = " What training made is what exceeds every control." if len(names) > 1 else " No control was measured."
    return Figure(
        "counts",
        "How many grid cells, and what else",
        tuple(panel for panel in panels if panel is not None),
        "Left: units that pass the classic threshold, that are above the 95th percentile of their own null (by chance "
        "5 % of the units), and that remain after correction for multiple tests. Right: kinds by significance and size "
        "of the score (see Methods), mixed where a unit is of several. "
        f"Numbers: units, of {of}.{rest}",
        size="large",
    )


def _bars(name: str, counted: dict[str, dict[str, float]], totals: dict[str, float], height: float) -> Panel | None:
    """Return bars of the counts as shares, a group a key, None where nothing was counted."""
    if not any(np.isfinite(n) for of in counted.values() for n in of.values()):
        return None
    said = "; ".join(
        f"{group}: {', '.join(f'{LOOKS[network][0]} {count(n)}' for network, n in of.items())}"
        for group, of in counted.items()
    )
    drawn = render(partial(_draw_bars, counted=counted, totals=totals), size=(5.0, height))
    return Panel(name, drawn, f"Bar chart of units. {said}.")


def _draw_bars(axes: Axes, counted: dict[str, dict[str, float]], totals: dict[str, float]) -> Axes:
    place = np.arange(len(counted), dtype=float)
    height = 0.78 / len(totals)
    axes.set_yticks(place, list(counted))
    axes.set(ylim=(len(counted) - 0.4, -0.6), xlabel="units (%)")
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    shares = {name: np.array([100 * of[name] / n for of in counted.values()]) for name, n in totals.items()}
    largest = float(np.nanmax(np.stack(list(shares.values())))) or 1.0
    axes.set_xlim(0, 1.1 * largest)
    for at, (name, values) in enumerate(shares.items()):
        label, color, _ = LOOKS[name]
        y = place - 0.39 + height * (at + 0.5)
        axes.barh(y, np.nan_to_num(values), height * 0.86, color=color)
        for share, of, where in zip(values, counted.values(), y, strict=True):
            if np.isfinite(share):
                axes.text(share + 0.01 * largest, where, count(of[name]), fontsize=7, va="center")
        axes.text(0.34 * at, 1.0, f"■ {label}", color=color, fontsize=8, fontweight="bold", va="bottom",
                  transform=axes.transAxes)  # fmt: skip
    return axes


def modules(view: View) -> Figure | None:
    """Return spacing against orientation of the grid cells, their modules apart."""
    cells = view.grid_cells()
    cells = cells[cells["grid_spacing_m"].notna() & cells["grid_orientation_deg"].notna()]
    if len(cells) < _FEWEST:
        return None
    rest = view.of()
    rest = rest[~rest["row"].isin(cells["row"]) & rest["grid_spacing_m"].notna()]
    n, p = view.said("n_modules"), view.said("p_modules")
    panels = (
        Panel("scatter", render(partial(_draw_modules, cells=cells, rest=rest), size=(4.6, 3.4)), _words(cells)),
        Panel("spacing", render(partial(_draw_spacings, view=view), size=(4.6, 3.4)), _spacing_words(view)),
    )
    verdict = (
        "Too few grid cells to test for modules."
        if not n
        else f"One module is refused (p {probability(p)}): colours and marks are the {count(n)} that were found."
        if n > 1
        else f"One module is not refused (p {probability(p)}): no modules were found."
        if np.isfinite(p)
        else "Whether there are modules was not tested."
    )
    return Figure(
        "modules",
        "Spacing and orientation",
        panels,
        f"Left: the {plural(len(cells), 'grid cell')} (above both strict nulls, q ≤ {ALPHA}); pale: the other units "
        f"that have six peaks. {verdict} In rats, modules are clusters of one spacing and one orientation. Right: how "
        "spacings are distributed. An orientation of 0° and one of 60° are the same.",
        size="large",
    )


def _parts(cells: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the modules and their cells, the smallest spacing first; one without a name where there is one."""
    found = sorted(cells.groupby("grid_module"), key=lambda part: float(part[1]["grid_spacing_m"].median()))
    if len(found) < 2:
        return [("", cells)]
    return [(f"module {place + 1}", part) for place, (_, part) in enumerate(found)]


def _words(cells: pd.DataFrame) -> str:
    told = [
        f"{name or 'grid cells'}: {len(part)}, spacing {number(100 * float(part['grid_spacing_m'].median()), 0)} cm"
        for name, part in _parts(cells)
    ]
    return f"Orientation against spacing. Medians of {'; '.join(told)}."


def _draw_modules(axes: Axes, cells: pd.DataFrame, rest: pd.DataFrame) -> Axes:
    axes.grid(color=GRID)
    axes.scatter(100 * rest["grid_spacing_m"], rest["grid_orientation_deg"], s=10, color=AXIS, alpha=0.3, linewidths=0)
    for place, (name, part) in enumerate(_parts(cells)):
        color, marker = _MODULES[place % len(_MODULES)]
        x, y = 100 * part["grid_spacing_m"], part["grid_orientation_deg"]
        axes.scatter(x, y, s=22, color=color, marker=marker, linewidths=0)
        axes.text(0.3 * place, 1.0, f"{name} ({len(part)})" if name else f"grid cells ({len(part)})", color=color,
                  fontsize=8, fontweight="bold", va="bottom", transform=axes.transAxes)  # fmt: skip
    axes.set(ylim=(-1, 61), xlabel="spacing (cm)", ylabel="orientation (deg)")
    axes.set_yticks([0, 15, 30, 45, 60])
    return axes


def _spacings(view: View) -> dict[str, np.ndarray]:
    found = {name: 100 * view.grid_cells(name)["grid_spacing_m"].dropna().to_numpy(dtype=float) for name in LOOKS}
    return {name: values for name, values in found.items() if len(values)}


def _spacing_words(view: View) -> str:
    told = [
        f"{LOOKS[name][0]} {number(float(np.median(values)), 0)} cm ({len(values)})"
        for name, values in _spacings(view).items()
    ]
    return f"Histogram of the spacings of grid cells. Medians: {'; '.join(told)}."


def _draw_spacings(axes: Axes, view: View) -> Axes:
    found = _spacings(view)
    every = np.concatenate(list(found.values()))
    low, high = float(every.min()), float(every.max())
    room = max(0.05 * (high - low), 2.0)
    edges = np.linspace(low - room, high + room, 25)
    axes.grid(axis="y")
    for at, (name, values) in enumerate(found.items()):
        label, color, dash = LOOKS[name]
        axes.hist(values, edges.tolist(), histtype="step", color=color, linestyle=dash, linewidth=1.6)
        axes.text(0.34 * at, 1.0, f"{label} ({len(values)})", color=color, fontsize=8, fontweight="bold", va="bottom",
                  transform=axes.transAxes)  # fmt: skip
    axes.set(xlabel="spacing (cm)", ylabel="grid cells", xlim=(edges[0], edges[-1]))
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    return axes
