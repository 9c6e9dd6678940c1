"""The face lesion: what telling faces apart loses without the units that a localizer finds selective for faces."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import xarray as xr
from torch.nn import functional

from probekit.analyses.causal.design import Ranked, checked_doses
from probekit.analyses.causal.dissociation import double_dissociation
from probekit.analyses.causal.recovery import recovery
from probekit.analyses.lesion_effect.found import Found, as_array
from probekit.analyses.lesion_effect.measure import Options, measure
from probekit.arguments import Floats
from probekit.brains import floc
from probekit.layers import select
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.recorder import record
from probekit.stats.matching import matched_sets
from probekit.stimuli import Stimuli
from probekit.tasks import Task, classification, scores_under
from probekit.units import Units

CONTRASTS = ("faces", "places")
MATCHED = ("mean_activity", "activity_sd")
_TESTED, _QUICK_TESTED, _QUICK_SHOWN = 10, 5, 15
"""Images of each condition that the read-out is tested on; the others localize, and train it."""
_SHARE = 0.05
_AMOUNTS = (5, 15)
_FLIPS, _SIDE_PX = 9, 96
"""Example images, and their side."""
_TWIN_SHAMS = 50


def lesion_faces(
    entry: Entry,
    size: int,
    layers: list[str],
    options: Options,
    *,
    quick: bool,
    label: str,
    progress: Progress = silent,
) -> Found:
    """Return what lesions of face- and of place-selective units do to telling 11 conditions apart.

    Units are ranked by d′ of one category against all others but the scrambled, on images that the read-out is not
    tested on. Shams are matched on the mean and the standard deviation of activity over these images.
    """
    stimuli = floc.images(size, n_per_condition=_QUICK_SHOWN if quick else floc.N_PER_CONDITION)
    tested = _last(stimuli.table["condition"], _QUICK_TESTED if quick else _TESTED)
    units = localized(entry, stimuli, ~tested, layers, progress=progress)
    read = layers[-1]
    base = classification(entry, stimuli, "condition", layer=read, tested=tested)
    tasks = _views(base)
    found = Found([], tasks, {})
    twin = label != "trained"
    chosen = dataclasses.replace(
        options,
        doses=checked_doses(options.doses, int(units.groupby("layer").size().min())),
        n_sham=min(options.n_sham, _TWIN_SHAMS) if twin else options.n_sham,
        n_single=0 if twin else options.n_single,
        n_pairs=0 if twin else options.n_pairs,
    )
    for layer in layers:
        here = units[units["layer"] == layer]
        covariates = here[list(MATCHED)].to_numpy()
        for contrast in CONTRASTS:
            name = f"d_prime_{contrast}"
            ranked = Ranked.of(here["channel"], here[name], covariates, MATCHED)
            found.measured.append(measure(entry, tasks, layer, name, ranked, chosen, label=label, progress=progress))
    if not twin:
        _add_dissociation(found, entry, units, layers, quick=quick, seed=options.seed, progress=progress)
        sets = _face_sets(units[units["layer"] == read], options.seed)
        _add_flips(found, entry, stimuli, tested, sets, read)
        _add_recovery(found, entry, stimuli, tested, sets, read, options.seed)
    return found


def localized(
    entry: Entry, stimuli: Stimuli, used: np.ndarray, layers: list[str], *, progress: Progress = silent
) -> pd.DataFrame:
    """Return a row a channel: d′ for each of `CONTRASTS`, mean and deviation of activity, over the images used."""
    recording = record(entry, stimuli, layers=layers, units=Units(space="mean"), progress=progress)
    category = stimuli.table["category"].to_numpy()
    tables = []
    for layer in recording:
        activity = recording.responses(layer).astype(np.float64)
        columns: dict[str, object] = {"layer": layer, "channel": np.arange(activity.shape[1])}
        for contrast in CONTRASTS:
            preferred = used & (category == contrast)
            others = used & (category != contrast) & (category != floc.SCRAMBLED)
            columns[f"d_prime_{contrast}"] = d_prime(activity[preferred], activity[others])
        columns |= {"mean_activity": activity[used].mean(0), "activity_sd": activity[used].std(0)}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def d_prime(preferred: Floats, others: Floats) -> Floats:
    """Return the difference of means over the root of the mean variance, shape (unit,); nan for constant units."""
    spread = np.sqrt((preferred.var(0, ddof=1) + others.var(0, ddof=1)) / 2)
    return np.where(spread > 0, (preferred.mean(0) - others.mean(0)) / np.where(spread > 0, spread, 1.0), np.nan)


def face_layers(entry: Entry, asked: str | list[str] | None, *, quick: bool) -> list[str]:
    """Return the layers that are lesioned: those asked for, or the last two that the card names, quick: one.

    The last is also where the read-out reads.
    """
    named = [wanted.name for wanted in select(entry.module, asked or list(entry.card.layers) or None)]
    return named if asked else named[-1 if quick else -2 :]


def _last(condition: pd.Series, n: int) -> np.ndarray:
    """Return a mask of the last n images of each condition."""
    from_end = condition.groupby(condition).cumcount(ascending=False)
    return np.asarray(from_end < n)


def _views(base: Task) -> dict[str, Task]:
    """Return the accuracies that are looked at: all conditions, faces, places, and faces less the rest."""
    condition = base.trials["condition"]
    members = {name: condition.isin(floc.CATEGORIES[name]).to_numpy() for name in CONTRASTS}
    faces = members["faces"]
    against = np.where(faces, 1 / faces.mean(), -1 / (1 - faces.mean()))
    return {
        "all conditions": base,
        **{name: base.view(name, mask) for name, mask in members.items()},
        "faces less the rest": base.view("faces less the rest", against),
    }


def _top(units: pd.DataFrame, share: float) -> dict[str, np.ndarray]:
    """Return the units that rank highest for each contrast, none of them for both."""
    n = max(1, round(share * len(units)))
    first = {name: units.nlargest(n, f"d_prime_{name}")["channel"].to_numpy() for name in CONTRASTS}
    both = np.intersect1d(first["faces"], first["places"])
    return {name: np.setdiff1d(one, both) for name, one in first.items()}


def _add_dissociation(
    found: Found, entry: Entry, units: pd.DataFrame, layers: list[str], *, quick: bool, seed: int, progress: Progress
) -> None:
    harm, null, p = [], [], []
    n_deals = 50 if quick else 200
    for layer in layers:
        sets = list(_top(units[units["layer"] == layer], _SHARE).values())
        one = double_dissociation(
            entry, layer, sets, [found.tasks[name] for name in CONTRASTS], n_deals=n_deals, seed=seed,
            progress=progress,
        )  # fmt: skip
        harm.append(one.harm)
        null.append(one.null)
        p.append([one.interaction, one.p, float(one.is_double), *map(len, sets)])
    coords = {"layer": layers, "set": list(CONTRASTS), "task": list(CONTRASTS)}
    found.arrays["dissociation"] = xr.DataArray(
        np.stack(harm), dims=("layer", "set", "task"), coords=coords, attrs={"share": _SHARE}
    )
    found.arrays["dissociation_null"] = xr.DataArray(np.stack(null), dims=("layer", "deal"), coords={"layer": layers})
    found.arrays["dissociation_test"] = xr.DataArray(
        np.array(p, dtype=np.float64),
        dims=("layer", "number"),
        coords={"layer": layers, "number": ["interaction", "p", "is_double", "n_faces", "n_places"]},
    )


def _face_sets(units: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """Return the most face-selective units of a layer, and one sham of them."""
    targeted = _top(units, _SHARE)["faces"]
    rest = np.setdiff1d(units["channel"], targeted)
    rows = units.sort_values("channel")[list(MATCHED)].to_numpy()
    return {"targeted": targeted, "sham": matched_sets(targeted, rest, rows, 1, seed=seed)[0]}


def _add_flips(
    found: Found, entry: Entry, stimuli: Stimuli, tested: np.ndarray, sets: dict[str, np.ndarray], read: str
) -> None:
    """Add images that are told right by the intact network and wrong without the face units, faces first."""
    task = found.tasks["all conditions"]
    lesions = [{}, *({read: units} for units in sets.values())]
    intact, targeted, sham = scores_under(entry, task, lesions) > 0
    flipped = np.flatnonzero(intact & ~targeted)
    if not len(flipped):
        return
    is_face = task.trials["condition"].isin(floc.CATEGORIES["faces"]).to_numpy()
    first = flipped[np.argsort(~is_face[flipped], kind="stable")]
    shown = first[np.linspace(0, len(first) - 1, min(_FLIPS, len(first))).round().astype(int)]
    pictures = stimuli.batch(np.flatnonzero(tested)[shown]).mean(1, keepdim=True)
    small = functional.interpolate(pictures, size=(_SIDE_PX, _SIDE_PX), mode="area")[:, 0]
    found.arrays["flipped_image"] = xr.DataArray(
        np.rint(255 * small.numpy()).astype(np.uint8),
        dims=("image", "y", "x"),
        coords={"condition": ("image", task.trials["condition"].to_numpy(dtype=str)[shown])},
        attrs={
            "layer": read, "share": _SHARE, "n_flipped": len(flipped), "n_faces": int(is_face[flipped].sum()),
            "n_flipped_sham": int((intact & ~sham).sum()),
        },
    )  # fmt: skip


def _add_recovery(
    found: Found,
    entry: Entry,
    stimuli: Stimuli,
    tested: np.ndarray,
    sets: dict[str, np.ndarray],
    read: str,
    seed: int,
) -> None:
    """Add how a read-out recovers that is trained again on more and more images of each condition."""
    lesions = {"intact": {}, **{kind: {read: units} for kind, units in sets.items()}}
    most = int(stimuli.table.loc[~tested, "condition"].value_counts().min())
    amounts = [amount for amount in _AMOUNTS if amount <= most]

    def retrain(n_training: int) -> Task:
        return classification(entry, stimuli, "condition", layer=read, tested=tested, n_training=n_training)

    table = recovery(entry, found.tasks["all conditions"], retrain, lesions, amounts, seed=seed)
    found.arrays["recovery"] = as_array(table, layer=read, task="all conditions", share=_SHARE)
