"""The figures: layers beside regions, layers beside moments, and neurons over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from probekit.reports.by_depth import DASHED, Line, depth_panel
from probekit.reports.figures import TRAINED, UNLEARNED, UNTRAINED
from probekit.reports.fits import CEILING_SAID, fit_panels
from probekit.reports.section import Figure, Panel
from probekit.reports.studies.cichy2016.panels import Course, map_panel, square_panel, time_panel
from probekit.result import Result

_ALPHA = 0.05
_KINDS = {
    "meg": "MEG",
    "meg_twin": "MEG, untrained twin",
    "planted_meg": "Planted MEG",
    "noise_meg": "MEG of noise",
}
_NEURONS = {"it_neurons": "IT neurons", "planted_neurons": "Planted neurons", "noise_neurons": "Neurons of noise"}
_COLORS = {"object": TRAINED, "position": UNTRAINED, "object elsewhere": UNLEARNED}
_PUBLISHED_SAID = (
    "The layers on the network’s card, raw activity, 1 − Spearman over units. Vertical lines: 95 % interval over "
    "subjects; full marks: above 0 at q < 0.05, sign permutation over subjects. Dashed: untrained twin. Dotted: "
    "controls. Bar: noise ceiling."
)


def figures(result: Result) -> tuple[Figure, ...]:
    """Return those figures that have a panel."""
    found = (*_space(result), _maps(result), _peaks(result), _decoding(result), _rsa(result))
    return tuple(figure for figure in found if figure.panels)


def _space(result: Result) -> Iterator[Figure]:
    said = {
        "clean": ("Layers and regions, clean", f"Standardised units, correlation distance, all layers. {CEILING_SAID}"),
        "as published": ("Layers and regions, as published", _PUBLISHED_SAID),
    }
    summary = result.summary
    models = summary[summary["network"] == "trained"]["model"].unique()
    for place, (variant, (title, caption)) in enumerate(said.items()):
        rows = summary[summary["variant"] == variant]
        panels = [
            replace(panel, name=f"m{number}-{panel.name}", label=(str(model),) if len(models) > 1 else ())
            for number, model in enumerate(models)
            for panel in fit_panels(rows, str(model))
        ]
        yield Figure(f"space-{place}", title, tuple(panels), caption, size="large")


def _maps(result: Result) -> Figure:
    panels = []
    for kind, model, place in _timed(result):
        scores = result.arrays[f"{kind}_scores of {model}"]
        mask = result.arrays[f"{kind}_in_cluster of {model}"].to_numpy()
        planted = result.arrays[f"{kind}_peaks of {model}"].sel(number="planted_ms").to_numpy()
        panels.append(map_panel(f"{kind.replace('_', '-')}-{place}", f"{_KINDS[kind]}, {model}", scores, mask, planted))
    return Figure(
        "time",
        "Layers and moments",
        tuple(panels),
        "Similarity of each layer’s RDM to that of each moment (Spearman, mean over subjects), first layer at the "
        "bottom. Outlined: clusters above 0 (sign permutation over subjects, p < 0.05, corrected for layers and "
        "moments). Dashed: where the layer was planted. Noise is the control.",
        size="large",
    )


def _peaks(result: Result) -> Figure:
    panels: list[Panel] = []
    for kind, model, place in _timed(result):
        peaks = result.arrays[f"{kind}_peaks of {model}"]
        names = [str(layer) for layer in peaks["layer"].values]
        peak, low, high, planted = (
            peaks.sel(number=name).to_numpy() for name in ("peak_ms", "peak_low", "peak_high", "planted_ms")
        )
        lines = [
            Line("planted", planted, UNLEARNED, DASHED, 1.2, marked=False),
            Line("found", peak, TRAINED, "none", low=low, high=high),
        ]
        name = f"{kind.replace('_', '-')}-{place}"
        panel = depth_panel(name, names, lines if np.isfinite(peak).any() else [], "latency of the peak (ms)")
        if panel is not None:
            panels.append(replace(panel, label=(f"{_KINDS[kind]}, {model}",)))
    return Figure(
        "peaks",
        "When each layer’s correspondence peaks",
        tuple(panels),
        "Peak of the mean over subjects, after stimulus onset, of the layers with a cluster. Vertical lines: 95 % "
        "bootstrap interval over subjects. Of noise there is no panel where no layer has a cluster.",
        size="large",
    )


def _decoding(result: Result) -> Figure:
    panels = []
    for kind, name in _NEURONS.items():
        if f"{kind}_decoding" not in result.arrays:
            continue
        accuracy, null = result.arrays[f"{kind}_decoding"], result.arrays[f"{kind}_decoding_null"]
        courses = []
        for curve in map(str, accuracy["curve"].values):
            has_null = curve in null["curve"].values
            courses.append(
                Course(
                    curve,
                    accuracy.sel(curve=curve).to_numpy(),
                    _COLORS[curve],
                    chance=float(accuracy.sel(curve=curve)["chance"]) if has_null else float("nan"),
                    reached=float(np.quantile(null.sel(curve=curve), 0.95)) if has_null else float("nan"),
                )
            )
        key = kind.replace("_", "-")
        panels += [
            replace(time_panel(key, accuracy["time_ms"].to_numpy(), courses, "share decoded"), label=(name,)),
            replace(square_panel(f"{key}-invariance", result.arrays[f"{kind}_invariance"]), label=(name,)),
        ]
    return Figure(
        "decoding",
        "What neurons tell of objects and positions",
        tuple(panels),
        "Pseudo-populations, maximum correlation classifier, windows of 50 ms. Elsewhere: taught at one position, "
        "tested at the others. Dashed: chance; band: from there to what 95 % of data with shuffled labels stay below "
        "at every moment. Matrix: objects, 100 to 300 ms after onset, taught at one position and tested at "
        "another.",
        size="large",
    )


def _rsa(result: Result) -> Figure:
    panels = []
    for kind, name in _NEURONS.items():
        if f"{kind}_rsa" not in result.arrays:
            continue
        rsa = result.arrays[f"{kind}_rsa"]
        times, key = rsa["time_ms"].to_numpy(), kind.replace("_", "-")
        for quantity, ylabel in (("correlation", "partial correlation with the model"), ("apart", "distance (noise²)")):
            courses = []
            for model in map(str, rsa["model"].values):
                own = rsa.sel(model=model)
                tested = quantity == "apart"
                courses.append(
                    Course(
                        model,
                        own.sel(quantity=quantity).to_numpy(),
                        _COLORS[model],
                        spread=own.sel(quantity="apart_se").to_numpy() if tested else None,
                        significant=own.sel(quantity="cluster_p").to_numpy() < _ALPHA if tested else None,
                    )
                )
            panels.append(replace(time_panel(f"{key}-{quantity}", times, courses, ylabel), label=(name,)))
    return Figure(
        "rsa",
        "RSA over time: objects and positions",
        tuple(panels),
        "Crossnobis distances of the 21 conditions every 10 ms in windows of 50 ms. Left: correlation with the model "
        "RDM of same or different object (position), the other held constant. Right: how much farther apart different "
        "objects (positions) lie than the same, mean over neurons and its standard error; bars below: clusters above "
        "0 (signs of neurons flipped, p < 0.05).",
        size="large",
    )


def _timed(result: Result) -> Iterator[tuple[str, str, int]]:
    """Yield kind, model, and the model's number, recorded before planted."""
    summary = result.summary
    models = [str(model) for model in summary[summary["network"] == "trained"]["model"].unique()]
    for place, model in enumerate(models):
        for kind in _KINDS:
            if f"{kind}_scores of {model}" in result.arrays:
                yield kind, model, place
