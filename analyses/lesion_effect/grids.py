"""The grid lesion, after Banino 2018: the most grid-like units of a network that finds its way, and units like them."""

from __future__ import annotations

import dataclasses

from torch import nn

from probekit.analyses.causal.design import Ranked, checked_doses
from probekit.analyses.causal.example_paths import example_paths
from probekit.analyses.causal.navigating_units import navigating_units
from probekit.analyses.causal.recovery import recovery
from probekit.analyses.lesion_effect.found import Found, as_array
from probekit.analyses.lesion_effect.measure import Options, measure
from probekit.layers import modules_by_name
from probekit.navigator import navigate
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.recurrent import RECURRENT
from probekit.stats.matching import matched_sets
from probekit.tasks import Task, path_integration, position_decoding

RANKINGS = ("gridness", "border_score")
_SAMPLES, _QUICK_SAMPLES = 200_000, 40_000
_EXAMPLE_SHARE = 0.1
_TRAINING_PATHS = (50, 150, 500)


def lesion_grids(
    entry: Entry, layer: str | None, options: Options, *, quick: bool, label: str, progress: Progress = silent
) -> Found:
    """Return what lesions of the most grid-like and the most border-like units of a layer do.

    They are silenced where the layer is read and, of a recurrent layer, inside the recurrence too. Shams are matched on
    activity and read-out drive, or on activity and spatial information where no read-out is known.
    """
    assert entry.task is not None
    n_paths = max(1, (_QUICK_SAMPLES if quick else _SAMPLES) // entry.task.n_steps)
    walked = navigate(entry, n_paths=n_paths, layers=layer, seed=options.seed)
    name = next(iter(walked.activity))
    units = navigating_units(entry, walked, name, label=label)
    has_readout = units["readout_drive"].notna().any()
    matched = ("mean_activity", "readout_drive" if has_readout else "information_bits_per_spike")
    covariates = units[list(matched)].to_numpy()
    tasks = _tasks(entry, name, 32 if quick else 64, options.seed + 1)
    parts = lesioned_parts(entry, name)
    options = dataclasses.replace(options, doses=checked_doses(options.doses, len(units)))
    by_rank = {one: Ranked.of(units["channel"], units[one], covariates, matched) for one in RANKINGS}
    found = Found([], tasks, {})
    for part in parts:
        for ranking, ranked in by_rank.items():
            found.measured.append(measure(entry, tasks, part, ranking, ranked, options, label=label, progress=progress))
    if label == "trained":
        _add_examples(found, entry, name, parts, by_rank["gridness"], options.seed)
    return found


def lesioned_parts(entry: Entry, layer: str) -> list[str]:
    """Return where the units of a layer are lesioned: of a recurrent layer inside it, and where it is read.

    >>> from probekit import zoo
    >>> lesioned_parts(zoo.load("grid-rnn"), "rnn:output"), lesioned_parts(zoo.load("grid-lstm"), "bottleneck")
    (['rnn:h_l0', 'rnn:output'], ['bottleneck'])
    """
    name, _, part = layer.partition(":")
    module = modules_by_name(entry.module).get(name)
    if not isinstance(module, RECURRENT) or part not in ("", "output"):
        return [layer]
    assert isinstance(module, nn.RNNBase)
    return [f"{name}:output"] if module.bidirectional else [f"{name}:h_l{module.num_layers - 1}", f"{name}:output"]


def _tasks(entry: Entry, layer: str, n_paths: int, seed: int) -> dict[str, Task]:
    assert entry.task is not None
    decoding = {"position decoding": position_decoding(entry, layer, n_paths=n_paths, seed=seed)}
    if entry.task.adapter.decode is None:
        return decoding
    return {"path integration": path_integration(entry, n_paths=n_paths, seed=seed)} | decoding


def _add_examples(found: Found, entry: Entry, layer: str, parts: list[str], ranked: Ranked, seed: int) -> None:
    """Add some paths, and how a decoder recovers that is trained again, without a tenth of the units."""
    n = max(1, round(_EXAMPLE_SHARE * len(ranked)))
    rest = [unit for unit in range(len(ranked)) if unit not in set(ranked.first(n))]
    sham = matched_sets(ranked.first(n), rest, ranked.covariates, 1, seed=seed)[0]
    sets = {"targeted": ranked.units[ranked.first(n)], "sham": ranked.units[sham]}
    where = parts[-1]
    if "path integration" in found.tasks:
        found.arrays["example_path"] = example_paths(
            entry, {kind: {where: units} for kind, units in sets.items()}, seed=seed + 2
        )
    trials = len(found.tasks["position decoding"].trials)

    def retrain(n_training: int) -> Task:
        return position_decoding(entry, layer, n_paths=trials, n_training=n_training, seed=seed + 1)

    lesions = {"intact": {}, **{kind: {where: units} for kind, units in sets.items()}}
    table = recovery(entry, found.tasks["position decoding"], retrain, lesions, _TRAINING_PATHS, seed=seed)
    found.arrays["recovery"] = as_array(table, layer=where, task="position decoding", share=_EXAMPLE_SHARE)
