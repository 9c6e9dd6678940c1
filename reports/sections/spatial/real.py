"""Real cells beside the units of the network, measured and drawn in the same way."""

from __future__ import annotations

import numpy as np

from probekit.reports.figures import INK
from probekit.reports.section import Figure, Panel
from probekit.reports.sections.spatial.maps import OVERLAP
from probekit.reports.sections.spatial.pictures import unit_picture
from probekit.reports.sections.spatial.scores import Sample, above_panel, networks
from probekit.reports.sections.spatial.view import LOOKS, View
from probekit.reports.tables import CONTROL, MEASURED
from probekit.reports.words import count, number, plural, sample
from probekit.spatial.autocorrelation import autocorrelograms

_MOST = 9


def real_cells(view: View) -> Figure | None:
    """Return the artificial units beside real cells, on the same axes."""
    wanted = (
        ("information", "information_bits_per_spike", "reference_information", "rat CA1", "spatial information (bits)"),
        ("direction", "mean_vector_length", "reference_mean_vector_length", "mouse, all neurons",
         "mean vector length"),
        ("gridness", "gridness", "reference_gridness", "mouse entorhinal", "gridness"),
    )  # fmt: skip
    panels, told = [], []
    for name, column, reference, label, xlabel in wanted:
        known = view.array(reference)
        values = np.empty(0) if known is None else known.values.astype(float).ravel()
        values = values[np.isfinite(values)]
        if not len(values):
            continue
        mine = [one for one in networks(view, column) if one.label in (LOOKS[MEASURED][0], LOOKS[CONTROL][0])]
        panel = above_panel(name, [Sample(label, values, INK, "-", 1.6), *mine], xlabel)
        if panel is not None:
            panels.append(panel)
            told.append(f"{label} ({sample(len(values))}, median {number(float(np.median(values)))})")
    if not panels:
        return None
    return Figure(
        "real-cells",
        "Real cells on the same axes",
        tuple(panels),
        f"Measured by the same code: {'; '.join(told)}. Arenas, smoothing and amounts of data differ, the entorhinal "
        "cells are published examples, and not all neurons of the head-direction session are such cells: compare the "
        f"range rather than the median. Blue: {count(len(view.of()))} units of the network.",
    )


def real_grids(view: View) -> Figure | None:
    """Return cells of mouse entorhinal cortex as the units of the network are drawn."""
    kept, scores = view.array("reference_grid_map"), view.array("reference_gridness")
    if kept is None or scores is None:
        return None
    order = np.argsort(-np.nan_to_num(scores.values.astype(float), nan=-np.inf), kind="stable")[:_MOST]
    stack = kept.values[order].astype(float)
    pictures = [unit_picture(*one) for one in zip(stack, autocorrelograms(stack, min_overlap=OVERLAP), strict=True)]
    panels = tuple(
        Panel(f"{place + 1:02d}", picture, "", (number(float(scores.values[cell])), f"mouse cell {cell + 1}"))
        for place, (picture, cell) in enumerate(zip(pictures, order, strict=True))
    )
    return Figure(
        "real-grids",
        "Cells of mouse entorhinal cortex",
        panels,
        f"{plural(len(panels), 'cell')}, drawn and scored as the units above, sorted by gridness. They are "
        "examples that were published with the package opexebo, not a sample of what is found in the brain.",
        size="small",
    )
