"""The figures of the selectivity section: selective units by depth, how large d′ is, both halves, best images."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from probekit.reports.by_depth import Line, Reference, depth_panel
from probekit.reports.figures import AXIS, GRID, INK, TRAINED, TRAINED_PALE, UNTRAINED, render
from probekit.reports.labels import Curve, label_curves
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.selectivity.view import (
    ALPHA,
    IT,
    LOOKS,
    PIXELS,
    REPLICATED_D_PRIME,
    SELECTIVE_D_PRIME,
    View,
)
from probekit.reports.tables import BASELINE, CONTROL, MEASURED
from probekit.reports.unit_pages.maps import photograph
from probekit.reports.words import count, number, percent, short_name

_MOST_POINTS = 200
_MOST_DOTS = 1500
_AREA = (235.0, 150.0)
_GAP_PX = 2


def by_depth(view: View) -> Figure | None:
    """Return the share of selective units by depth, a panel a contrast."""
    panels = []
    for contrast in view.contrasts:
        lines = [
            Line(LOOKS[name][0], 100 * view.shares(contrast, name), LOOKS[name][1], LOOKS[name][2], width, filled)
            for name, width, filled in ((CONTROL, 1.4, False), (MEASURED, 1.8, True))
            if view.has(name)
        ]
        beside = [
            Reference(LOOKS[name][0], 100 * float(row["selective_share"]), 100 * float(row["selective_share"]))
            for name in (BASELINE, PIXELS)
            if (row := view.best(contrast, name)) is not None and row["n_selective"]
        ]
        panel = depth_panel(
            _name(view, contrast), view.layers, lines, f"selective for {contrast} (% units)", references=beside
        )
        if panel is not None:
            panels.append(panel)
    if not panels:
        return None
    without = [
        f"{LOOKS[name][0]}: none for {', '.join(missing)}"
        for name in (BASELINE, PIXELS)
        if view.has(name) and (missing := [one for one in view.contrasts if not _n(view, one, name)])
    ]
    twin = "dashed: the untrained twin" if view.has(CONTROL) else "no untrained twin was measured"
    return Figure(
        "depth",
        "Selective units by depth",
        tuple(panels),
        f"Units that are selective for a category (q ≤ {ALPHA}, d′ ≥ {SELECTIVE_D_PRIME:g}, d′ ≥ {REPLICATED_D_PRIME} "
        f"in each half of the images, and more than to scrambled images), from input to output; {twin}. Dotted: what "
        f"learned nothing{' (' + '; '.join(without) + ')' if without else ''}.",
    )


def distributions(view: View) -> Figure | None:
    """Return the share of units above each d′ in the best layer of each contrast, beside the controls and IT."""
    panels = []
    for contrast in view.contrasts:
        best = view.best(contrast)
        if best is None:
            continue
        layer = str(best["layer"])
        found = {
            name: values
            for name in LOOKS
            if len(values := _sizes(view, contrast, name, layer if name in (MEASURED, CONTROL) else ""))
        }
        if MEASURED in found:
            said = "; ".join(
                f"{LOOKS[name][0]} {percent(float((of >= SELECTIVE_D_PRIME).mean()))} of {count(len(of))}"
                for name, of in found.items()
            )
            drawn = render(partial(_draw_above, found=found, contrast=contrast))
            alt = f"Share of units above each d′ for {contrast}. At {SELECTIVE_D_PRIME:g} or more: {said}."
            panels.append(Panel(_name(view, contrast), drawn, alt, (f"in {short_name(layer, 28)}",)))
    if not panels:
        return None
    neurons = "; the black line: macaque IT neurons and the object of that name, of which trials vary" * view.has(IT)
    return Figure(
        "sizes",
        "How selective units are",
        tuple(panels),
        "Share of units above each d′, in the layer with the most selective units (below each chart), and in the "
        f"controls{neurons}. Below 0, a unit prefers the other categories.",
    )


def halves(view: View) -> Figure | None:
    """Return d′ in one half of the images against d′ in the other."""
    panels = []
    for contrast in view.contrasts:
        best = view.best(contrast)
        if best is None:
            continue
        layer = str(best["layer"])
        units, twin = (_both(view.units(contrast, name, layer)) for name in (MEASURED, CONTROL))
        if len(units):
            r, theirs = best["split_half_r"], view.in_layer(contrast, layer, CONTROL)
            beside = f" (untrained {number(theirs['split_half_r'])})" if theirs is not None else ""
            drawn = render(partial(_draw_halves, units=units, twin=twin, contrast=contrast), size=(4.0, 3.6))
            label = (f"in {short_name(layer, 28)}", f"r {number(r)}{beside}")
            alt = f"d′ for {contrast} in one half of the images against the other."
            panels.append(Panel(_name(view, contrast), drawn, alt, label))
    if not panels:
        return None
    return Figure(
        "halves",
        "The same on other images",
        tuple(panels),
        "d′ of each unit in a random half of each category’s images against that in the other half. Dark: selective "
        "units; pale: the others; orange crosses: the untrained twin’s. Lines: what is asked of d′ in the half that "
        f"chooses units ({SELECTIVE_D_PRIME:g}) and in the other ({REPLICATED_D_PRIME}).",
    )


def pictures(view: View) -> Figure | None:
    """Return the images that drive the most selective unit of each contrast."""
    kept = view.result.arrays.get("top_images")
    if kept is None or not kept.size:
        return None
    places = {str(contrast): place for place, contrast in enumerate(kept["contrast"].values)}
    panels = []
    for contrast in view.contrasts:
        if contrast not in places:
            continue
        address = str(kept["address"].values[places[contrast]])
        units = view.units(contrast, MEASURED)
        size = units.loc[units["address"] == address, "d_prime"]
        label = (contrast, short_name(address, 36), *([f"d′ {number(float(size.iloc[0]), 1)}"] if len(size) else []))
        panels.append(Panel(_name(view, contrast), photograph(_tiled(kept.values[places[contrast]])), "", label))
    if not panels:
        return None
    return Figure(
        "pictures",
        "What drives the most selective units",
        tuple(panels),
        f"The {kept.sizes['rank']} images with the largest responses, from the largest on, of the selective unit with "
        "the largest d′ of each category, over all layers.",
    )


def _n(view: View, contrast: str, network: str) -> int:
    row = view.best(contrast, network)
    return 0 if row is None else int(row["n_selective"])


def _name(view: View, contrast: str) -> str:
    return f"contrast-{view.contrasts.index(contrast)}"


def _sizes(view: View, contrast: str, network: str, layer: str) -> np.ndarray:
    """Return the finite d′ of a network; of IT neurons, for the object that is called as the category is."""
    name = contrast.removesuffix("s") if network == IT else contrast
    values = view.units(name, network, layer)["d_prime"].to_numpy(dtype=float)
    return np.asarray(values[np.isfinite(values)])


def _draw_above(axes: Axes, found: dict[str, np.ndarray], contrast: str) -> Axes:
    ends = np.array([np.quantile(values, (0.002, 0.998)) for values in found.values()])
    low, high = min(float(ends[:, 0].min()), 0.0), max(float(ends[:, 1].max()), 1.5 * SELECTIVE_D_PRIME)
    room = 0.03 * (high - low)
    axes.grid(axis="y")
    axes.set(xlim=(low - room, high + room), ylim=(0, 102), xlabel=f"d′ for {contrast}", ylabel="units above (%)")
    axes.axvline(SELECTIVE_D_PRIME, color=AXIS, linewidth=1.0)
    curves = []
    for name, values in reversed(found.items()):
        label, color, dash = LOOKS[name]
        share = np.linspace(0, 1, min(len(values), _MOST_POINTS) + 1)
        at, above = np.quantile(values, share), 100 * (1 - share)
        axes.plot(at, above, color=color, linestyle=dash, linewidth=2.2 if name == MEASURED else 1.5)
        curves.append(Curve(label, np.clip(at, low - room, high + room), above, INK if color == AXIS else color))
    return label_curves(axes, curves, size=_AREA)


def _both(units: pd.DataFrame) -> pd.DataFrame:
    """Return the units with both halves, thinned where there are too many to be drawn, selective ones first to stay."""
    known = units[units["d_prime_selected"].notna() & units["d_prime_replicated"].notna()]
    return known if len(known) <= _MOST_DOTS else known.iloc[:: -(-len(known) // _MOST_DOTS)]


def _draw_halves(axes: Axes, units: pd.DataFrame, twin: pd.DataFrame, contrast: str) -> Axes:
    axes.grid(color=GRID)
    chosen = units["selective"].to_numpy(dtype=bool)
    for rows, color, size in ((units[~chosen], TRAINED_PALE, 8), (units[chosen], TRAINED, 14)):
        axes.scatter(rows["d_prime_selected"], rows["d_prime_replicated"], s=size, color=color, linewidths=0)
    axes.scatter(twin["d_prime_selected"], twin["d_prime_replicated"], s=8, color=UNTRAINED, marker="x", linewidths=0.7)
    axes.axvline(SELECTIVE_D_PRIME, color=AXIS, linewidth=0.8)
    axes.axhline(REPLICATED_D_PRIME, color=AXIS, linewidth=0.8)
    axes.set(xlabel=f"d′ for {contrast}, half that chooses", ylabel="d′, other half")
    return axes


def _tiled(images: np.ndarray) -> np.ndarray:
    """Return images, shape (rank, y, x), as one square of tiles, uint8 of shape (y, x, 3)."""
    side = int(np.ceil(np.sqrt(len(images))))
    height, width = images.shape[1] + _GAP_PX, images.shape[2] + _GAP_PX
    sheet = np.full((side * height - _GAP_PX, side * width - _GAP_PX), 255, dtype=np.uint8)
    for place, image in enumerate(images):
        top, left = place // side * height, place % side * width
        sheet[top : top + image.shape[0], left : left + image.shape[1]] = image
    return np.repeat(sheet[..., None], 3, axis=2)
