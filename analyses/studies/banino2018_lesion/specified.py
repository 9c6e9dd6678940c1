"""The specifications: everything that could be chosen otherwise, carried out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.linear_model import Ridge

from probekit.analyses.causal.design import Ranked, n_units
from probekit.analyses.causal.example_paths import example_paths
from probekit.analyses.causal.experiment import Outcome, Plan, lesion_of, run_doses, run_sets
from probekit.analyses.causal.navigating_units import navigating_units
from probekit.analyses.causal.rows import compared, dose_row
from probekit.arguments import Floats
from probekit.errors import NotApplicableError
from probekit.layers import modules_by_name
from probekit.navigator import navigate
from probekit.network import Entry
from probekit.progress import Progress
from probekit.recurrent import RECURRENT
from probekit.stats.matching import matched_sets
from probekit.tasks import Task, all_scores_under, path_integration, position_decoding

DOSES = (0.01, 0.025, 0.05, 0.1, 0.25)
INSIDE, READ = "in the recurrence", "for the read-out only"
MATCHES: Mapping[str, tuple[str, ...]] = {
    "nothing": (),
    "activity": ("mean_activity",),
    "spatial information": ("information_bits_per_spike",),
    "read-out drive": ("readout_drive",),
    "all three": ("mean_activity", "information_bits_per_spike", "readout_drive"),
}
RIVALS = {"score_border": "border_score", "score_head_direction": "mean_vector_length"}
_SETS, _SET_SHARE = 600, 0.1
"""Random sets that tell what each unit adds, and their share of the units."""
SHOWN_DOSE, SHOWN_MATCH = 0.1, "all three"
CURVES = ("intact", "targeted", "sham", "sham_low", "sham_high", "border")


@dataclass(frozen=True)
class Size:
    """How much is done: samples of the walk, paths of the tasks, sets of each control, further ones."""

    n_samples: int
    n_paths: int
    n_sham: int
    n_more: int


@dataclass(frozen=True, eq=False)
class Site:
    """Where units of a layer are measured, and where they are silenced."""

    name: str
    measured: str
    lesioned: str


@dataclass(frozen=True, eq=False)
class Specified:
    """What was found in one network: rows, the units, and what is drawn."""

    rows: list[dict[str, Any]]
    units: dict[str, pd.DataFrame]
    curves: list[Floats]
    examples: xr.DataArray | None


def sites_of(entry: Entry) -> list[Site]:
    """Return the two places: inside the recurrent layer, and the layer on the card as it is read.

    Raises
    ------
    NotApplicableError
        If the network is not led along paths, does not say where it is, or has no recurrent layer of torch's.
    """
    task, name = entry.task, entry.card.name
    if task is None or task.adapter.decode is None or not entry.card.layers:
        raise NotApplicableError(
            f"'{name}' does not find its way: banino2018-lesion needs a network with a navigation task that says where "
            "it is, such as grid-rnn or grid-lstm."
        )
    recurrent = {
        layer: module for layer, module in modules_by_name(entry.module).items() if isinstance(module, RECURRENT)
    }
    if not recurrent:
        raise NotApplicableError(f"'{name}' has no nn.RNN, nn.GRU or nn.LSTM to be silenced inside.")
    layer, module = next(iter(recurrent.items()))
    read = entry.card.layers[0]
    return [
        Site(INSIDE, f"{layer}:output", f"{layer}:h_l{int(module.num_layers) - 1}"),
        Site(READ, read, read),
    ]


def specify(
    entry: Entry, size: Size, *, label: str, matches: tuple[str, ...], seed: int, planted: bool, progress: Progress
) -> Specified:
    """Return all specifications of one network."""
    assert entry.task is not None
    found = Specified([], {}, [], None)
    examples: xr.DataArray | None = None
    n_paths = max(1, size.n_samples // entry.task.n_steps)
    for site in sites_of(entry):
        walked = navigate(entry, n_paths=n_paths, layers=site.measured, seed=seed)
        units = navigating_units(entry, walked, site.measured, label=label)
        tasks = {
            "path integration": path_integration(entry, n_paths=size.n_paths, seed=seed + 1),
            "position decoding": position_decoding(entry, site.measured, n_paths=size.n_paths, seed=seed + 1),
        }
        rankings = _planted(entry, units, site, size, seed) if planted else {"gridness": units["gridness"].to_numpy()}
        found.units[site.name] = units
        for ranking, values in rankings.items():
            for match in matches:
                variables = MATCHES[match]
                if units[list(variables)].isna().all().any():
                    continue
                ranked = Ranked.of(units["channel"], values, units[list(variables)].to_numpy(), variables)
                plan = Plan(site.lesioned, _doses(len(ranked)), size.n_sham, size.n_more, "nearest", "zero", {})
                rng = np.random.default_rng(seed)
                outcomes = run_doses(entry, tasks, ranked, plan, rng=rng, progress=progress)
                rivals = _rivals(entry, tasks, ranked, plan, units)
                for name, task in tasks.items():
                    keys = {"model": entry.card.name.partition(" (")[0], "network": label, "site": site.name,
                            "layer": site.lesioned, "task": name, "unit": task.unit, "ranking": ranking,
                            "matched_on": match}  # fmt: skip
                    for number, outcome in enumerate(outcomes[name]):
                        row = dose_row(keys, outcome, ranked, compared(outcome, ranked, rng), size.n_sham)
                        scores = {rival: float(by_dose[number].mean()) for rival, by_dose in rivals[name].items()}
                        found.rows.append(row | scores)
                if match == SHOWN_MATCH and not planted:
                    found.curves.append(_curve(outcomes["path integration"], rivals["path integration"]))
                    examples = _examples(entry, ranked, plan, seed)
    return dataclasses.replace(found, examples=examples)


def _doses(n: int) -> tuple[float, ...]:
    by_size = {max(1, round(dose * n)): dose for dose in reversed(DOSES)}
    return tuple(sorted(by_size.values()))


def _planted(entry: Entry, units: pd.DataFrame, site: Site, size: Size, seed: int) -> dict[str, Floats]:
    """Return rankings whose truth is known: by what each unit adds to the error, on other paths, and at random.

    What it adds is its weight in a ridge regression of the error under lesions of random sets on who is in them.
    """
    task = {"path integration": path_integration(entry, n_paths=size.n_paths, seed=seed + 2)}
    n, rng = len(units), np.random.default_rng(seed)
    every = Ranked.of(units["channel"], np.zeros(n), np.empty((n, 0)), ())
    sets = matched_sets(np.arange(max(1, round(_SET_SHARE * n))), np.arange(n), None, _SETS, seed=rng)
    plan = Plan(site.lesioned, (), 0, 0, "nearest", "zero", {})
    error = run_sets(entry, task, every, list(sets), plan)["path integration"][1:]
    member = np.zeros((_SETS, n))
    np.put_along_axis(member, sets, 1.0, axis=1)
    added = Ridge(alpha=_SET_SHARE * _SETS).fit(member, error).coef_
    return {"planted: what units add": added, "planted: at random": rng.permutation(n).astype(np.float64)}


def _rivals(
    entry: Entry, tasks: Mapping[str, Task], ranked: Ranked, plan: Plan, units: pd.DataFrame
) -> dict[str, dict[str, Floats]]:
    """Return task → rival → scores by dose and path without as many of the most border-like or heading-tuned units."""
    lesions = []
    for column in RIVALS.values():
        values = units[column].fillna(-np.inf).to_numpy()[ranked.units]
        order = np.argsort(-values, kind="stable")
        lesions += [lesion_of(plan.layer, ranked, order[: n_units(ranked, dose)]) for dose in plan.doses]
    scores = all_scores_under(entry, tasks, lesions)
    return {name: dict(zip(RIVALS, np.split(found, len(RIVALS)), strict=True)) for name, found in scores.items()}


def _curve(outcomes: list[Outcome], rivals: Mapping[str, Floats]) -> Floats:
    """Return the error by step at the dose that is shown, shape (kind, step), kinds as `CURVES` names them."""
    shares = [outcome.dose.share for outcome in outcomes]
    number = int(np.argmin(np.abs(np.array(shares) - SHOWN_DOSE)))
    one = outcomes[number]
    shams = one.controls["sham"].mean(1) if "sham" in one.controls else np.full((1, one.intact.shape[-1]), np.nan)
    low, high = np.percentile(shams, [2.5, 97.5], axis=0)
    border = rivals["score_border"][number].mean(0)
    return np.stack([one.intact[0].mean(0), one.targeted[0].mean(0), shams.mean(0), low, high, border])


def _examples(entry: Entry, ranked: Ranked, plan: Plan, seed: int) -> xr.DataArray:
    target = ranked.first(n_units(ranked, SHOWN_DOSE))
    rest = np.setdiff1d(np.arange(len(ranked)), target)
    sham = matched_sets(target, rest, ranked.covariates, 1, seed=seed)[0]
    lesions = {"targeted": lesion_of(plan.layer, ranked, target), "sham": lesion_of(plan.layer, ranked, sham)}
    return example_paths(entry, lesions, seed=seed + 3)
