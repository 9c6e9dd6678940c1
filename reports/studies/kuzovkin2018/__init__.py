"""The page of Kuzovkin et al. 2018."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from markupsafe import Markup

from probekit.analyses.studies.kuzovkin2018.arrays import as_table
from probekit.reports.rendering import render_template
from probekit.reports.studies.drawing import StudyDrawing
from probekit.reports.studies.kuzovkin2018.figures import figures, models_of
from probekit.reports.words import count, interval, number, percent, probability, short_name
from probekit.result import Result

__all__ = ["DRAWING"]

_PROBES = {"fMRI": "Regions in place of electrodes", "planted": "Planted probes", "noise": "Probes of noise"}


def findings(result: Result) -> list[str]:
    """Return what was found, the alignment first, its controls beside it."""
    table = as_table(result.arrays["alignment"])
    several = len(models_of(result)) > 1
    said = []
    for (model, brain), rows in table.groupby(["model", "brain"], sort=False):
        probes = _PROBES[str(brain)]
        who = f"{short_name(str(model))}, {probes[0].lower()}{probes[1:]}" if several else probes
        said += [f"{who}: {sentence}" for sentence in _of_brain(rows)]
    return [*said, _of_noise(result)]


def _of_brain(rows: pd.DataFrame) -> Iterator[str]:
    published, ours = _trained(rows, "as published"), _trained(rows, "clean, best layer of each probe")
    yield (
        f"as published, layers and areas are aligned with tau {_tau(published)}, p "
        f"{probability(published['formula_p'])} by the formula, {probability(published['p'])} when areas are "
        f"exchanged within people; {_twins(rows, 'as published')}."
    )
    yield (
        f"with the clean analysis and one layer a probe, its best, tau is {_tau(ours)}, p {probability(ours['p'])}; "
        f"{_twins(rows, 'clean, best layer of each probe')}. With all layers that count: tau "
        f"{_tau(_trained(rows, 'clean'))}."
    )
    same = _trained(rows, "clean scoring of the published RDMs")
    yield (
        f"on the same RDMs, the published scoring counts {count(published['n_pairs'])} pairs of area and layer, the "
        f"clean one {count(same['n_pairs'])}, tau {_tau(same)}. The published p, which takes each pair for an "
        f"observation, is below 0.05 in {percent(published['false_share'])} of random exchanges of areas; "
        f"with one layer a probe, in {percent(ours['false_share'])}."
    )


def _trained(rows: pd.DataFrame, variant: str) -> pd.Series:
    return rows[(rows["variant"] == variant) & (rows["network"] == "trained")].iloc[0]


def _tau(row: pd.Series) -> str:
    if np.isnan(row["tau"]):
        return "n/a (too few probes count)"
    return f"{number(row['tau'])} (95 % interval {interval(row['low'], row['high'])})"


def _twins(rows: pd.DataFrame, variant: str) -> str:
    twins = rows[(rows["variant"] == variant) & (rows["network"] == "untrained")]
    if twins.empty:
        return "there is no untrained twin"
    taus = " and ".join(number(tau) for tau in twins["tau"])
    trained = _trained(rows, variant)
    more = f"{number(trained['beyond_twins'])} ({interval(trained['beyond_low'], trained['beyond_high'])})"
    return f"untrained twins {taus}, difference {more}"


def _of_noise(result: Result) -> str:
    mean = result.arrays["noise"].mean("model")

    def share(procedure: str, name: str = "formula") -> str:
        return percent(float(mean.sel(procedure=procedure, number=name)))

    return (
        f"Of probes that are noise, {share('as published')} of pairs with a layer have r > 0 and p ≤ 0.001 by the "
        f"formula in the published scoring. Scaling the columns is not why: without it, {share('square, not scaled')}. "
        f"Without the diagonal {share('scaled, no diagonal')}; with each pair of stimuli once, {share('clean')}, since "
        "the entries of an RDM depend on each other. The permutation of stimuli repairs it: "
        f"{share('as published', 'counted')} count in the end, {share('clean', 'counted')} with the clean scoring."
    )


def _methods(result: Result) -> Markup:
    used = result.provenance["parameters"]
    return render_template(
        "kuzovkin2018_methods.html.jinja",
        synthetic=bool(result.provenance["synthetic"]),
        n_permutations=count(used["n_permutations"]),
        n_resamples=count(used["n_resamples"]),
        n_noise=count(used["n_noise_probes"]),
    )


DRAWING = StudyDrawing("kuzovkin2018", findings, figures, _methods)
