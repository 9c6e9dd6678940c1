"""What is behind the rows: every sham, the curve along a trial, the groups of trials, single units, the match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from probekit.analyses.causal.design import CONTROLS, Ranked
from probekit.analyses.causal.experiment import Outcome
from probekit.arguments import Floats
from probekit.stats.matching import Sets
from probekit.tasks import AnyTask, Task

KINDS = ("intact", "targeted", "reversed", "sham", "sham_low", "sham_high")
"""Of curves and groups: scores, the mean over shams, and the 2.5th and 97.5th percentile of these."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Distributions of one task in one layer of one network.

    Parameters
    ----------
    keys : mapping
        Network, task, unit, layer, ranking.
    doses : tuple of float
    controls : array, shape (dose, control, set)
        Mean score of each set of units; nan where there is no sham.
    dose_response : mapping of str to array, shape (3, 1 + dose)
    curve : array, shape (dose, kind, point), or None
    points : array, shape (point,), or None
    groups : array, shape (dose, kind, group), or None
    group_names : tuple of str
    single_unit, single_rank, single_harm : array, shape (unit,)
    match : array, shape (dose, variable, 2)
        Standardised differences before and after matching.
    variables : tuple of str
    """

    keys: Mapping[str, Any]
    doses: tuple[float, ...]
    controls: Floats
    dose_response: Mapping[str, Floats]
    curve: Floats | None
    points: np.ndarray | None
    groups: Floats | None
    group_names: tuple[str, ...]
    single_unit: np.ndarray
    single_rank: Floats
    single_harm: Floats
    match: Floats
    variables: tuple[str, ...]


def drawn_of(
    keys: Mapping[str, Any],
    task: AnyTask,
    outcomes: Sequence[Outcome],
    curve: Mapping[str, Floats],
    ranked: Ranked,
    singles: Sets,
    harm: Floats,
    groups: str,
) -> Drawn:
    """Return what is behind the rows of one task in one layer."""
    trials = task.trials if isinstance(task, Task) else pd.DataFrame()
    is_view = isinstance(task, Task) and task.base is not None
    points = task.points if isinstance(task, Task) else None
    named = () if not groups or groups not in trials or is_view else tuple(sorted(set(trials[groups].astype(str))))
    masks = [(trials[groups].astype(str) == name).to_numpy() for name in named]
    return Drawn(
        keys,
        tuple(outcome.dose.share for outcome in outcomes),
        np.stack([_controls(outcome) for outcome in outcomes]),
        curve,
        None if points is None else np.stack([_kinds(outcome, lambda scores: scores.mean(1)) for outcome in outcomes]),
        points,
        np.stack([_kinds_by_group(outcome, masks) for outcome in outcomes]) if named else None,
        named,
        ranked.units[singles],
        ranked.values[singles],
        harm,
        np.stack([np.stack([one.dose.difference_before, one.dose.difference], -1) for one in outcomes]),
        ranked.variables,
    )


def arrays_of(drawn: Sequence[Drawn]) -> dict[str, xr.DataArray]:
    """Return all distributions as labelled arrays; `series` counts rows of the summary, nan fills what is absent."""
    first = drawn[0]
    series = np.arange(len(drawn))
    coords: dict[str, Any] = {"series": series, "dose": list(first.doses)}
    arrays = {
        "control_score": xr.DataArray(
            _stacked([one.controls for one in drawn]),
            dims=("series", "dose", "control", "set"),
            coords=coords | {"control": list(CONTROLS)},
        ),
        "dose_response": xr.DataArray(
            np.stack([np.stack([one.dose_response[kind] for kind in ("targeted", "sham")]) for one in drawn]),
            dims=("series", "kind", "end", "dose"),
            coords={
                "series": series, "kind": ["targeted", "sham"], "end": ["fit", "low", "high"],
                "dose": [0.0, *first.doses],
            },
        ),
    }  # fmt: skip
    if any(len(one.single_harm) for one in drawn):
        for name in ("single_unit", "single_rank", "single_harm"):
            values = _stacked([np.asarray(getattr(one, name), dtype=np.float64) for one in drawn])
            arrays[name] = xr.DataArray(values, dims=("series", "unit"), coords={"series": series})
    if first.variables:
        arrays["match"] = xr.DataArray(
            np.stack([one.match for one in drawn]),
            dims=("series", "dose", "variable", "when"),
            coords=coords | {"variable": list(first.variables), "when": ["before", "after"]},
        )
    for number, one in enumerate(drawn):
        inner: dict[str, Any] = {"dose": list(one.doses), "kind": list(KINDS)}
        if one.curve is not None and one.points is not None:
            arrays[f"curve_{number}"] = xr.DataArray(
                one.curve, dims=("dose", "kind", "point"), coords=inner | {"point": one.points}
            )
        if one.groups is not None:
            arrays[f"groups_{number}"] = xr.DataArray(
                one.groups, dims=("dose", "kind", "group"), coords=inner | {"group": list(one.group_names)}
            )
    return arrays


def _controls(outcome: Outcome) -> Floats:
    n = len(outcome.controls["random"])  # as many of each are kept; p may rest on more permuted ones
    return np.stack(
        [outcome.trials(kind).mean(1)[:n] if kind in outcome.controls else np.full(n, np.nan) for kind in CONTROLS]
    )


def _kinds(outcome: Outcome, mean: Any) -> Floats:
    """Return `KINDS` of a mean over trials, shape (kind, …)."""
    single = [mean(getattr(outcome, kind))[0] for kind in KINDS[:3]]
    if "sham" not in outcome.controls:
        return np.stack([*single, *[np.full_like(single[0], np.nan)] * 3])
    shams = mean(outcome.controls["sham"])
    return np.stack([*single, shams.mean(0), *np.percentile(shams, [2.5, 97.5], axis=0)])


def _kinds_by_group(outcome: Outcome, masks: Sequence[np.ndarray]) -> Floats:
    def mean(scores: Floats) -> Floats:
        by_trial = scores if scores.ndim == 2 else scores.mean(-1)
        return np.stack([by_trial[:, mask].mean(1) for mask in masks], -1)

    return _kinds(outcome, mean)


def _stacked(arrays: Sequence[Floats]) -> Floats:
    """Return arrays that may differ along the last axis as one, nan at the end of shorter ones."""
    width = max(one.shape[-1] for one in arrays)
    padded = [np.concatenate([one, np.full((*one.shape[:-1], width - one.shape[-1]), np.nan)], -1) for one in arrays]
    return np.stack(padded)
