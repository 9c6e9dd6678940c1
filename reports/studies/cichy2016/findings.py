"""What was found, in sentences, from the numbers of the result."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from probekit.result import Result

_OPENINGS = {
    "clean": "with standardised units, for other stimuli and subjects",
    "as published": "as published, with raw activity and for these stimuli only",
}
_OUTCOMES = {"agrees": "the order of layers is found", "differs": "the opposite order is found"}
_IN_SPACE = "In space"


def findings(result: Result) -> list[str]:
    """Return what was found: in space, in time, and in neurons."""
    table = result.table
    models = [str(name) for name in table["model"].unique() if name]
    said = [sentence for model in models for sentence in _space(table[table["model"] == model], model)]
    return [*said, *_time(table, models), *_neurons(table)]


def _space(rows: pd.DataFrame, model: str) -> Iterator[str]:
    """Yield a sentence a variant: the trend over all layers beside the twins, then the best layers."""
    for variant, of_variant in rows[rows["claim"].str.startswith(_IN_SPACE)].groupby("variant", sort=False):
        for name, words in _OPENINGS.items():
            if str(variant).startswith(name):
                told = ". ".join(str(one) for one in of_variant["ours"].iloc[::-1])
                outcome = _OUTCOMES.get(str(of_variant["verdict"].iloc[-1]), "no order of layers is found")
                yield f"{_IN_SPACE}{str(variant).removeprefix(name)}, {words}, {outcome} ({model}). {told}."


def _time(table: pd.DataFrame, models: list[str]) -> Iterator[str]:
    recorded = table[table["variant"] == "as published, MEG"]
    for row in recorded.itertuples():
        yield f"MEG ({row.model}): {row.ours}."
    opening = "" if len(recorded) else "No MEG is here, so that the order in time is not tested on a brain. "
    for model in models:
        planted, noise = (
            str(table[(table["model"] == model) & (table["variant"] == f"{kind} MEG")]["ours"].iloc[0])
            for kind in ("planted", "noise")
        )
        yield f"{opening}The method finds what is planted ({model}): {planted}. In noise: {noise}."


def _neurons(table: pd.DataFrame) -> Iterator[str]:
    own = table[table["variant"].str.contains("neurons, ")]
    for variant, rows in own.groupby("variant", sort=False):
        told = "; ".join(str(one)[0].lower() + str(one)[1:] for one in rows["ours"])
        what = "onset, then peak: " if str(variant).endswith("RSA over time") else ""
        yield f"{variant}: {what}{told}."
