"""Every unit of a recording against every contrast, layer by layer."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probekit.analyses.selectivity.columns import SUMMARY, TABLE
from probekit.analyses.selectivity.contrasts import Design
from probekit.analyses.selectivity.rule import Judged, chosen_by_first_half, counts_by_chance, judge
from probekit.analyses.selectivity.scores import Responses, d_prime, selectivity_index
from probekit.analyses.selectivity.summary import summary_row
from probekit.progress import Progress, silent
from probekit.recording import Recording

_PLACES = ("call", "channel", "y", "x", "address")
_REASONS = (
    "activity that is not finite",
    "constant activity",
    "activity below 0: no selectivity index",
    "fewer than two stimuli on a side",
    "fewer than two stimuli on a side of a half",
    "no variance on either side",
    "fewer than two scrambled stimuli",
)


@dataclass(frozen=True)
class Options:
    """How much chance is drawn, and from which seed."""

    n_shuffles: int = 100
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Measured:
    """Units and layers of one network.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a unit and contrast.
    summary : pandas.DataFrame
        One row a layer and contrast.
    notes : tuple of str
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    notes: tuple[str, ...]


def measure_units(
    network: str, recording: Recording, design: Design, options: Options, *, progress: Progress = silent
) -> Measured:
    """Return how selective each unit of a recording is.

    Parameters
    ----------
    network : str
        Value of the column `network`.
    recording : Recording
        Of stimuli as in `design`.
    design : Design
    options : Options
    progress : Progress
    """
    tables, rows = [], []
    units = recording.units
    for depth, layer in enumerate(recording.layers):
        progress("measuring selectivity", depth, len(recording))
        raw = recording.responses(layer)
        responses = Responses.of(raw.mean(axis=1, dtype=np.float64) if raw.ndim == 3 else raw)
        places = units.loc[units["layer"] == layer, list(_PLACES)].reset_index(drop=True)
        for contrast in range(len(design.names)):
            table, row = _contrast(responses, design, contrast, options, layer)
            names = {"network": network, "layer": layer}
            tables.append(pd.concat([places, table], axis=1).assign(**names))
            rows.append(names | {"depth": depth} | row)
    progress("measuring selectivity", len(recording), len(recording))
    table = pd.concat(tables, ignore_index=True)[[column.name for column in TABLE]]
    summary = pd.DataFrame(rows).reindex(columns=[column.name for column in SUMMARY])
    return Measured(table, summary, _notes(recording, design))


def _contrast(
    responses: Responses, design: Design, contrast: int, options: Options, layer: str
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Return the units' columns for a contrast, and the layer's."""
    sides = design.sides(contrast)
    scrambled = responses.sums(design.scrambled) if design.scrambled.any() else None
    judged = judge(responses, sides, scrambled)
    preferred, against = (responses.sums(np.asarray(sides[:, one].any(axis=0))) for one in (0, 1))
    lowest = (responses.centred + responses.middle).min(axis=0)
    index = np.where(lowest >= -np.sqrt(responses.level), selectivity_index(preferred, against), np.nan)
    d_scrambled = np.full(len(index), np.nan) if scrambled is None else d_prime(preferred, scrambled)
    n_units = len(index)
    table = pd.DataFrame(
        {
            "contrast": design.names[contrast],
            "preferred_category": _preferred(responses, design),
            "mean_preferred": preferred.mean,
            "mean_others": against.mean,
            "d_prime": judged.d_prime,
            "selectivity_index": index,
            "t": judged.t,
            "p": judged.p,
            "q": judged.q,
            "d_prime_selected": judged.first,
            "d_prime_replicated": judged.second,
            "d_prime_scrambled": d_scrambled,
            "selective": judged.selective,
            "nan_reason": _reasons(responses, design, contrast, judged, lowest),
        },
        index=range(n_units),
    )
    rng = np.random.default_rng([options.seed, zlib.crc32(f"{layer} {design.names[contrast]}".encode())])
    by_chance = counts_by_chance(responses, design, contrast, scrambled, options.n_shuffles, rng)
    return table, summary_row(table, chosen_by_first_half(responses, sides), by_chance)


def _preferred(responses: Responses, design: Design) -> np.ndarray:
    """Return the label with each unit's largest mean response, "none" where it has none."""
    means = responses.sums(design.of_label).mean
    best = np.asarray(design.labels, dtype=object)[np.nan_to_num(means, nan=-np.inf).argmax(axis=0)]
    return np.where(responses.constant | np.isnan(responses.middle), "none", best)


def _reasons(responses: Responses, design: Design, contrast: int, judged: Judged, lowest: np.ndarray) -> np.ndarray:
    """Return why values are missing, one text a unit, several separated by "; "."""
    unknown, constant = np.isnan(responses.middle), responses.constant
    fewest = design.sides(contrast).sum(axis=-1)
    few, few_in_half = fewest.sum(axis=0).min() < 2, fewest.min() < 2
    varies = ~unknown & ~constant
    masks = (
        unknown,
        constant,
        varies & (lowest < -np.sqrt(responses.level)),
        varies & few,
        varies & (not few) & few_in_half,
        varies & (not few_in_half) & np.isnan([judged.d_prime, judged.first, judged.second]).any(axis=0),
        varies & (design.scrambled.sum() < 2),
    )
    code = sum((mask.astype(np.int64) << bit for bit, mask in enumerate(masks)), np.zeros(len(unknown), np.int64))
    texts = {one: "; ".join(_said(int(one))) for one in np.unique(code)}
    return np.asarray(pd.Series(code).map(texts), dtype=object)


def _said(code: int) -> Sequence[str]:
    return [reason for bit, reason in enumerate(_REASONS) if code >> bit & 1]


def _notes(recording: Recording, design: Design) -> tuple[str, ...]:
    over_time = [name for name in recording.layers if "time" in recording[name].dims]
    fewest = min(design.sides(one).sum(axis=-1).min() for one in range(len(design.names)))
    notes = (
        f"Activity was averaged over time in {len(over_time)} of {len(recording)} layers." if over_time else "",
        "" if fewest >= 2 else "A contrast has fewer than two stimuli on a side of a half, so that nothing can be "
        "found again on other stimuli, and no unit counts as selective for it.",
        "" if design.scrambled.sum() >= 2 else "No scrambled stimuli: a unit may be called selective that prefers "
        "something simpler which scrambling would keep.",
    )  # fmt: skip
    return tuple(note for note in notes if note)
