"""What the spatial analysis found and what it did not, each number beside its controls."""

from __future__ import annotations

import numpy as np

from probekit.reports.sections.spatial.view import ALPHA, CLASSIC, CONTROLS, KINDS, LOOKS, READ_OUT, View, view_of
from probekit.reports.tables import CONTROL, MEASURED
from probekit.reports.words import count, listing, number, percent, plural, probability, short_name
from probekit.result import Result

_NAMES = {"head_direction": "head-direction", "mixed": "of several kinds", "none": "of none"}
_LIKE = "units more grid-like than chance"
_WELL, _BADLY = 0.5, 1.0
"""Path errors as a share of that of staying at the start: what is told as path integration, and what as none."""


def findings(result: Result) -> list[str]:
    """Return what was found, each number from the result and its controls beside it."""
    view = view_of(result)
    if not view.layers:
        return ["No layer was measured, so there is nothing to report."]
    told = (_headline(view), _position(view), _classic(view), _strict(view), _spacing(view), _types(view), _real(view))
    return [sentence for sentence in told if sentence]


def _headline(view: View) -> str:
    untrained = str(view.trained.get("trained_on", "")).startswith("nothing")
    said = "This network is itself untrained. " if untrained else ""
    n, total = view.said("n_above_both"), len(view.of())
    beside = [
        f"{LOOKS[one][0]} {count(view.said('n_above_both', one))} of {count(len(view.of(one)))}"
        for one in CONTROLS
        if view.has(one)
    ]
    controls = f" ({', '.join(beside)})" if beside else ""
    where = f"in {short_name(view.main)}, the best of {len(view.layers)} layers and the one that is told of here, "
    grids = where if len(view.layers) > 1 else ""
    grids += f"{count(n) if n else 'none'} of {plural(total, 'unit')} {'beats' if n in (0, 1) else 'beat'}"
    grids += f" both strict nulls of gridness{controls}"
    if n and beside and not view.more("n_above_both"):
        grids += ", which is not more than in the controls"
    lead = _verdict(view)
    told = f"{lead}, and {grids}" if lead else grids[:1].upper() + grids[1:]
    return f"{said}{told}. {_found(view)}".strip()


def _verdict(view: View) -> str:
    error, guess = view.said("path_error_m"), view.said("guess_error_m")
    if not np.isfinite(error) or not np.isfinite(guess):
        return ""
    how = (
        "It path-integrates"
        if error < _WELL * guess
        else "It path-integrates poorly"
        if error < _BADLY * guess
        else "It does not path-integrate"
    )
    return f"{how} ({_cm(error)} off; staying at the start, {_cm(guess)})"


def _found(view: View) -> str:
    """List the kinds that are more frequent than in every control, those that are not, and those that are absent."""
    if not all(np.isfinite(view.count(kind)) for kind in KINDS):
        return ""
    measured = [kind for kind in KINDS[:5] if kind != "head_direction" or len(view.values("mean_vector_length"))]
    yes = [kind for kind in measured if (view.more("n_above_both") if kind == "grid" else view.found(kind))]
    there = {kind: view.said("n_above_both") if kind == "grid" else view.count(kind) for kind in measured}
    alike = [kind for kind in measured if there[kind] > 0 and kind not in yes]
    found, same, absent = (
        [
            "units more grid-like than chance" if kind == "grid" and kind in yes else f"{_name(kind)} cells"
            for kind in kinds
        ]
        for kinds in (yes, alike, [kind for kind in measured if kind not in (*yes, *alike)])
    )
    (found if view.said("n_modules") > 1 else absent).append("grid modules")
    than = "beyond the controls" if any(view.has(one) for one in CONTROLS) else "without a control to compare with"
    told = ((f"Found, {than}", found), ("No more than in a control", same), ("Not found", absent))
    return " ".join(f"{lead}: {listing(names, 8)}." for lead, names in told if names)


def _name(kind: str) -> str:
    return _NAMES.get(kind, kind)


def _cm(metres: float) -> str:
    return f"{number(100 * metres, 1)}\u00a0cm"


def _position(view: View) -> str:
    """Say how far off the network is, and what a decoder makes of the layer."""
    error, last, long = (view.said(f"path_error{end}_m") for end in ("", "_last", "_long"))
    told = []
    if np.isfinite(error):
        guess, twin, twin_long = (
            view.said("guess_error_m"),
            *(view.said(f"path_error{end}_m", CONTROL) for end in ("", "_long")),
        )
        beside = [f"who says that he is still at the start is {_cm(guess)} off"] * bool(np.isfinite(guess))
        beside += [f"the untrained twin {_cm(twin)}"] * bool(np.isfinite(twin))
        end = f" ({_cm(last)} at the last step)" if np.isfinite(last) else ""
        told.append(f"On paths of the trained length it is {_cm(error)} off on average{end}"
                    + (f"; {', '.join(beside)}." if beside else "."))  # fmt: skip
        if np.isfinite(long):
            other = f" (the twin’s {_cm(twin_long)})" if np.isfinite(twin_long) else ""
            told.append(f"Over 100 steps the error is {_cm(long)}{other}.")
    else:
        told.append("There is no path error, as nothing says where it is.")
    return " ".join([*told, _decoded(view)]).strip()


def _decoded(view: View) -> str:
    mine, shuffled = view.said("decoding_error_m"), view.said("decoding_error_shuffled_m")
    if not np.isfinite(mine):
        return "Too few paths to decode position from the layer."
    beside = [f"activity shuffled: {_cm(shuffled)}"] * bool(np.isfinite(shuffled))
    for name in CONTROLS:
        theirs = view.said("decoding_error_m", name)
        beside += [f"{LOOKS[name][0]}: {_cm(theirs)}"] * bool(np.isfinite(theirs))
    return (
        f"A linear read-out of {short_name(view.main)} finds the place to {_cm(mine)}"
        + (f" ({'; '.join(beside)})" if beside else "")
        + "."
    )


def _classic(view: View) -> str:
    n, total = view.said("n_classic"), view.said("n_units")
    if not np.isfinite(n):
        return ""
    said = f"{count(n)} of {plural(total, 'unit')} ({percent(n / total)}) pass the classic gridness of {CLASSIC}"
    read_out, twin = (view.share("n_classic", name) for name in (READ_OUT, CONTROL))
    beside = [f"{percent(read_out)} of random read-outs of a place code"] * bool(np.isfinite(read_out))
    beside += [f"{percent(twin)} of the untrained twin’s units"] * bool(np.isfinite(twin))
    if not beside:
        return f"{said}. There is neither a twin nor a random read-out, so that this count has no control beside it."
    verdict = (
        "more, but not by itself a sign of grid cells" if view.more("n_classic") else "so that this count shows nothing"
    )
    return f"{said}. But {' and '.join(beside)} pass it without any training: {verdict}."


def _strict(view: View) -> str:
    n, total = view.said("n_above_both"), view.said("n_units")
    if not np.isfinite(n):
        return ""
    fields, spectrum = view.said("n_above_fields"), view.said("n_above_spectrum")
    left, beside = len(view.grid_cells()), _both_controls(view)
    after = (
        f"no single unit is sure to be a grid cell{beside['after']}"
        if not left
        else f"{plural(left, 'single unit')} can be called grid cells{beside['after']}"
    )
    return (
        f"{plural(n, 'unit')} {'is' if n == 1 else 'are'} above the 95th percentile of both strict nulls "
        f"({count(fields)} of their own fields re-placed, {count(spectrum)} of random maps with their own "
        f"spectrum){beside['above']}; by chance {count(0.05 * total)} at most. {_beyond(view)}Corrected for multiple "
        f"tests (q ≤ {ALPHA}), {after}. {_other_layers(view)}"
    ).strip()


def _both_controls(view: View) -> dict[str, str]:
    names = [name for name in CONTROLS if view.has(name)]
    above = [f"{LOOKS[one][0]} {count(view.said('n_above_both', one))} of {count(len(view.of(one)))}" for one in names]
    after = [f"{LOOKS[one][0]} {count(len(view.grid_cells(one)))}" for one in names]
    return {key: f", {', '.join(said)}" if said else "" for key, said in (("above", above), ("after", after))}


def _beyond(view: View) -> str:
    """Say how many units beat both nulls when as many as in the controls are taken off."""
    names = [name for name in CONTROLS if view.has(name)]
    n, total = view.said("n_above_both"), len(view.of())
    if not names:
        return "Without a control it is not known how many of them training made. " if n else ""
    more = round(n - max(view.share("n_above_both", one) for one in names) * total)
    if more <= 0 or not view.more("n_above_both"):
        return "That is no more than without training. " if n else ""
    return (
        f"So {plural(more, 'unit')} ({percent(more / total)}) are grid-like beyond what is there without training, by "
        "both nulls. "
    )


def _other_layers(view: View) -> str:
    rest = [
        f"{short_name(layer)} {count(len(view.grid_cells(MEASURED, layer)))} of {count(len(view.of(MEASURED, layer)))}"
        for layer in view.layers
        if layer != view.main
    ]
    return f"Grid cells in the other layers: {listing(rest)}." if rest else ""


def _spacing(view: View) -> str:
    if not len(view.grid_cells()):
        return ""
    spacing, n, p = view.said("median_spacing_m"), view.said("n_modules"), view.said("p_modules")
    lead = f"Median spacing of the grid cells {number(100 * spacing, 0)}\u00a0cm. " if np.isfinite(spacing) else ""
    if not n:
        return f"{lead}There are too few grid cells to ask whether they come in modules."
    if n > 1:
        return (
            f"{lead}They fall into {count(n)} modules by spacing and orientation (one module only: p {probability(p)})."
        )
    test = f" (p of one module only: {probability(p)})" if np.isfinite(p) else ""
    return f"{lead}They form one group of spacing and orientation, not several modules as in rats{test}."


def _types(view: View) -> str:
    if not all(np.isfinite(view.count(kind)) for kind in KINDS):
        return ""
    others = [name for name in CONTROLS if view.has(name)]
    told, absent = [], []
    for kind in KINDS[1:]:
        shares = [view.count(kind, name) / len(view.of(name)) for name in (MEASURED, *others)]
        if not any(shares):
            absent.append(_name(kind))
            continue
        beside = f" ({', '.join(map(percent, shares[1:]))})" if others else ""
        told.append(f"{_name(kind)} {percent(shares[0])}{beside}")
    who = f" (in brackets {', '.join(LOOKS[name][0] for name in others)})" if others else ", without a control"
    lead = f"Other kinds, as shares of the units{who}: {', '.join(told)}. " if told else ""
    cells = [one for one in absent if not one.startswith("of ")]
    neither = ", nor is one in the controls" if others else ""
    rest = f"No unit is a {_or(cells)} cell{neither}. " if cells else ""
    silent = view.said("n_silent")
    return (lead + rest + (f"{plural(silent, 'unit')} never changed." if silent > 0 else "")).strip()


def _or(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _real(view: View) -> str:
    told = []
    for array, column, of, unit in (
        ("reference_information", "information_bits_per_spike", "spatial information of rat CA1", " bits"),
        ("reference_mean_vector_length", "mean_vector_length", "mean vector length of neurons of a mouse", ""),
        ("reference_gridness", "gridness", "gridness of mouse entorhinal cells", ""),
    ):
        known, mine = view.array(array), view.values(column)
        if known is None or not np.isfinite(known.values).any() or not len(mine):
            continue
        theirs = float(np.nanmedian(known.values))
        twin = view.values(column, CONTROL)
        beside = f"; untrained {number(float(np.median(twin)))}" if len(twin) else ""
        told.append(f"{of} {number(theirs)}{unit}, of these units {number(float(np.median(mine)))}{beside}")
    return f"Real cells, measured by the same code, medians: {'. '.join(_capital(told))}." if told else ""


def _capital(sentences: list[str]) -> list[str]:
    return [one if place == 0 else one[:1].upper() + one[1:] for place, one in enumerate(sentences)]
