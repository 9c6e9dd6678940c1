"""The lesion of grid-like units after Banino et al. 2018, over every choice that its verdict could turn on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import xarray as xr

import probekit
from probekit.analyses.causal.rows import verdict_of
from probekit.analyses.studies.banino2018_lesion.columns import SPECIFICATIONS
from probekit.analyses.studies.banino2018_lesion.specified import (
    CURVES,
    MATCHES,
    READ,
    SHOWN_DOSE,
    SHOWN_MATCH,
    Size,
    Specified,
    sites_of,
    specify,
)
from probekit.analyses.studies.banino2018_lesion.verdicts import claims
from probekit.analyses.ventral.claims import claims_table
from probekit.analyses.ventral.columns import CLAIMS
from probekit.analysis import Source
from probekit.network import Entry, weights_hash
from probekit.result import Result
from probekit.stats.fdr import benjamini_hochberg
from probekit.study import Study, StudyOptions

__all__ = ["STUDY", "run"]

_FULL, _QUICK = Size(200_000, 32, 100, 300), Size(40_000, 24, 40, 160)


def run(entries: Sequence[Entry], options: StudyOptions) -> Result:
    """Return what becomes of the claim; see `STUDY`."""
    size = _QUICK if options.quick else _FULL
    for entry in entries:
        sites_of(entry)  # refused before minutes of work
    found: dict[str, Specified] = {}
    rows: list[dict[str, object]] = []
    described = []
    for number, entry in enumerate(entries):
        name = entry.card.name

        def told(task: str, done: int, total: int, name: str = name) -> None:
            options.progress(f"{name}: {task}", done, total)

        matches = ("nothing", SHOWN_MATCH) if options.synthetic else tuple(MATCHES)
        found[name] = specify(
            entry, size, label="trained", matches=matches, seed=options.seed, planted=options.synthetic, progress=told
        )
        rows += found[name].rows
        if number == 0 and entry.build is not None and not options.synthetic:
            twin = entry.untrained(options.seed)
            rows += specify(
                twin, size, label="untrained", matches=("nothing", SHOWN_MATCH), seed=options.seed, planted=False,
                progress=told,
            ).rows  # fmt: skip
        described.append({"model": name, "weights_sha256": weights_hash(entry.module)})
    table = _with_verdicts(pd.DataFrame(rows))
    return Result(
        STUDY.name,
        claims_table(claims(table)),
        table,
        _arrays(found),
        {
            "probekit": probekit.__version__,
            "synthetic": options.synthetic,
            "seed": options.seed,
            "models": described,
            "parameters": {
                "n_samples": size.n_samples,
                "n_paths": size.n_paths,
                "n_sham": size.n_sham,
                "n_more": size.n_more,
                "matches": {name: list(MATCHES[name]) for name in MATCHES},
                "shown_dose": SHOWN_DOSE,
                "shown_match": SHOWN_MATCH,
            },
        },
        tuple(_notes(entries, size, options)),
    )


def _with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    for _, rows in table.groupby(["model", "network", "ranking"]):
        matched = rows.index[rows["matched_on"] != "nothing"]
        table.loc[matched, "q"] = benjamini_hochberg(table.loc[matched, "p"].to_numpy())
        free = rows.index[rows["matched_on"] == "nothing"]
        table.loc[free, "q"] = benjamini_hochberg(table.loc[free, "p"].to_numpy())
    table["verdict"] = [
        verdict_of(row["q"], row["effect_adjusted"], higher_is_better=False) for row in table.to_dict("records")
    ]
    lacking = table["effect_size"].isna() & (table["nan_reason"] == "")
    table.loc[lacking, "nan_reason"] = "all shams score alike"
    return table[[column.name for column in SPECIFICATIONS]]


def _arrays(found: dict[str, Specified]) -> dict[str, xr.DataArray]:
    """Return curves along the path, gridness of all units, and example paths of the first network."""
    arrays = {}
    with_curves = {name: one for name, one in found.items() if one.curves}
    if with_curves:
        steps = max(curve.shape[-1] for one in with_curves.values() for curve in one.curves)
        padded = [
            [np.pad(curve, ((0, 0), (0, steps - curve.shape[-1])), constant_values=np.nan) for curve in one.curves]
            for one in with_curves.values()
        ]
        arrays["curve"] = xr.DataArray(
            np.stack([np.stack(one) for one in padded]),
            dims=("model", "site", "kind", "step"),
            coords={
                "model": list(with_curves), "site": list(next(iter(with_curves.values())).units), "kind": list(CURVES),
                "step": np.arange(1, steps + 1),
            },
        )  # fmt: skip
    widest = max(len(one.units[READ]) for one in found.values())
    for column in ("gridness", "readout_drive", "mean_activity"):
        values = [np.pad(one.units[READ][column], (0, widest - len(one.units[READ])), constant_values=np.nan)
                  for one in found.values()]  # fmt: skip
        arrays[f"unit_{column}"] = xr.DataArray(np.stack(values), dims=("model", "unit"), coords={"model": list(found)})
    first = next(iter(found.values()))
    if first.examples is not None:
        arrays["example_path"] = first.examples
    return arrays


def _notes(entries: Sequence[Entry], size: Size, options: StudyOptions) -> Iterator[str]:
    if options.quick:
        yield (
            f"Quick run: {size.n_paths} paths instead of {_FULL.n_paths}, {size.n_sham} sets of each kind of control "
            f"instead of {_FULL.n_sham}, so that p is never below {2 / (size.n_sham + size.n_more + 1):.2g}."
        )
    if options.synthetic:
        yield (
            "Rankings are planted: by what each unit adds to the error of path integration, on other paths, which must "
            "matter more, and at random, which must not."
        )
    yield (
        "The publication silences units of an agent that seeks goals by reinforcement learning; here networks that "
        "only path-integrate are lesioned. Its claim stands in words: the numbers could not be checked in its text."
    )
    if entries and entries[0].build is not None and not options.synthetic:
        yield f"The untrained twin stands beside '{entries[0].card.name}' only, matched on nothing and on all three."


STUDY = Study(
    name="banino2018-lesion",
    title="Are grid-like units needed to find the way? (after Banino et al. 2018)",
    claim="Grid-like units are what path integration rests on: silencing the most grid-like ones harms the network "
    "more than silencing as many others.",
    sources=(
        Source("Banino et al. 2018, Vector-based navigation using grid-like representations in artificial agents, "
               "Nature 557:429", "10.1038/s41586-018-0102-6"),
        Source("Simonsohn, Simmons & Nelson 2020, Specification curve analysis, Nat Hum Behav 4:1208",
               "10.1038/s41562-020-0912-z"),
        Source("Sorscher et al. 2023, A unified theory for the computational and mechanistic origins of grid cells, "
               "Neuron 111:121", "10.1016/j.neuron.2022.10.003"),
        Source("Austin 2009, Balance diagnostics for comparing the distribution of baseline covariates between "
               "treatment groups in propensity-score matched samples, Stat Med 28:3083", "10.1002/sim.3697"),
    ),
    data=(),
    columns=CLAIMS,
    summary_columns=SPECIFICATIONS,
    run=run,
    models=("grid-rnn", "grid-rnn-seed1", "grid-rnn-seed2", "grid-lstm"),
)  # fmt: skip
