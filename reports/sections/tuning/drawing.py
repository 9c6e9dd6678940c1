"""The figures of the tuning section: measures by depth, and the distribution of F1/F0 of each layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probekit.reports.by_depth import Reference, depth_panel, of_both
from probekit.reports.figures import TRAINED, UNTRAINED
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.tuning.view import ALPHA, MEASURES, Published, View
from probekit.reports.tables import CONTROL, MEASURED
from probekit.reports.thumbnails import Trace, chart
from probekit.reports.words import count, number, percent, probability, sample, short_name

_SHARES = {
    "tuned_share": "orientation-tuned (% units)",
    "direction_share": "direction-tuned (% units)",
    "low_pass_share": "low-pass (% units)",
    "complex_share": "complex, F1/F0 < 1 (% units)",
    "suppressed_share": "suppressed by size (% units)",
    "colour_share": "colour-preferring (% units)",
    "texture_share": "texture-modulated (% units)",
}
_EDGES = np.linspace(0, 2, 17)
_MOST_PANELS = 24


def gratings(view: View) -> Figure | None:
    """Return orientation, spatial frequency and phase by depth."""
    names = ("tuned_share", "circular_variance", "preferred_spatial_frequency_cpd", "sf_bandwidth_octaves",
             "low_pass_share", "complex_share", "direction_share")  # fmt: skip
    return _by_depth(view, "gratings", "Orientation, spatial frequency and phase", names)


def gain(view: View) -> Figure | None:
    """Return size, contrast and masks by depth."""
    names = ("summation_diameter_deg", "suppression_index", "suppressed_share", "c50", "contrast_exponent",
             "cross_orientation_suppression")  # fmt: skip
    return _by_depth(view, "gain", "Size, contrast and masks", names)


def pictures(view: View) -> Figure | None:
    """Return colour, texture and sparseness by depth."""
    names = ("cone_opponent_index", "texture_modulation", "lifetime_sparseness", "colour_share", "texture_share",
             "population_sparseness")  # fmt: skip
    return _by_depth(view, "pictures", "Colour, texture and photographs", names)


def _by_depth(view: View, name: str, title: str, columns: Sequence[str]) -> Figure | None:
    panels = [panel for column in columns if (panel := _panel(view, column)) is not None]
    if not panels:
        return None
    shown = {panel.name for panel in panels}
    cited = [
        _cited(column, view.published[column])
        for column in columns
        if column in view.published and _id(column) in shown
    ]
    twin = "dashed: its untrained twin" if view.has_control else "no untrained twin was measured"
    n = sample(np.nansum(view.layers.values("n_responsive")))
    return Figure(
        name,
        title,
        tuple(panels),
        f"Medians over the responsive units of a layer ({n}), and shares of them, from input to output; {twin}. Of "
        f"medians, full marks where the layer differs significantly from the twin’s (Mann–Whitney, q < {ALPHA})."
        + (f" Dotted, V1 (macaque, unless said otherwise): {'; '.join(cited)}." if cited else ""),
    )


def _id(column: str) -> str:
    return column.replace("_", "-")


def _panel(view: View, column: str) -> Panel | None:
    layers, measure = view.layers, MEASURES.get(column)
    v1 = view.published.get(column)
    scale = 100.0 if column in _SHARES else 1.0
    references = [Reference(f"V1, {v1.short}", scale * v1.value, scale * v1.value)] if v1 else []
    if measure is None:
        share = column in _SHARES
        return depth_panel(_id(column), layers.names, of_both(layers, column, scale=scale),
                           _SHARES.get(column, column.replace("_", " ")), limits=(0, 102) if share else (0, 1.02),
                           references=references)  # fmt: skip
    q = layers.values(f"q_{column}_vs_untrained")
    lines = of_both(layers, f"median_{column}", filled=q < ALPHA if np.isfinite(q).any() else True)
    return depth_panel(
        _id(column), layers.names, lines, measure.axis, limits=measure.limits, log=measure.log, references=references
    )


def _cited(column: str, v1: Published) -> str:
    value = percent(v1.value) if column in _SHARES else number(v1.value)
    n = f", {sample(v1.n)}" if np.isfinite(v1.n) else ""
    statistic = "" if v1.statistic == "share" else f"{v1.statistic} "
    return f"{statistic}{value} ({v1.what}{n}; {v1.citation})"


def modulation(view: View) -> Figure | None:
    """Return the distribution of F1/F0 in each layer, and whether it has two modes."""
    layers = view.layers
    p = dict(zip(layers.names, layers.values("p_dip"), strict=True))
    twin_p = dict(zip(layers.names, layers.control_values("p_dip"), strict=True))
    panels = []
    for place, layer in enumerate(_spread(layers.names)):
        mine, twin = view.values("f1_f0", MEASURED, layer), view.values("f1_f0", CONTROL, layer)
        if not len(mine):
            continue
        beside = f" (untrained {probability(twin_p[layer])})" if np.isfinite(twin_p[layer]) else ""
        words = (
            short_name(layer, 24),
            f"{count(len(mine))} units, {percent(float((mine < 1).mean()))} complex",
            f"dip p {probability(p[layer])}{beside}" if np.isfinite(p[layer]) else "too few for the dip test",
        )
        panels.append(Panel(f"{place + 1:02d}", _histogram(mine, twin), "", words))
    if not panels:
        return None
    return Figure(
        "modulation",
        "Simple and complex units",
        tuple(panels),
        "Distribution of F1/F0 over the responsive units of each layer, 0 … 2, a line at 1: complex to its left, "
        "simple to its right (full: trained; dashed: untrained). V1’s has two modes (Skottun 1991). A small p of "
        "Hartigan’s dip test says that there is more than one; it is not corrected for the number of layers.",
        size="small",
    )


def _histogram(mine: np.ndarray, twin: np.ndarray) -> str:
    shares = [np.histogram(np.clip(values, 0, 2), _EDGES)[0] / max(len(values), 1) for values in (twin, mine)]
    top = float(max(shares[0].max(), shares[1].max())) or 1.0
    looks = ((UNTRAINED, "4 2", 1.1), (TRAINED, "", 1.6))
    traces = [
        Trace(np.repeat(_EDGES, 2), np.concatenate([[0.0], np.repeat(share, 2), [0.0]]), *look)
        for share, look, values in zip(shares, looks, (twin, mine), strict=True)
        if len(values)
    ]
    return chart(traces, x=(0, 2), y=(0, top), size=(120, 72), marks=(1.0,))


def _spread(names: Sequence[str]) -> list[str]:
    """Return at most as many names as there are panels, evenly from first to last."""
    places = np.linspace(0, len(names) - 1, min(_MOST_PANELS, len(names))).round().astype(int)
    return [names[at] for at in np.unique(places)]
