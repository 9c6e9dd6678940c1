"""Everything that the study measures of one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from probekit.analyses.studies.khaligh_razavi2014.brains import Target
from probekit.analyses.studies.khaligh_razavi2014.contest import (
    Contest,
    best_layer,
    contest,
    contestants,
    within_categories,
)
from probekit.analyses.studies.khaligh_razavi2014.mixing import Mixed, mixed
from probekit.analyses.studies.khaligh_razavi2014.parts import Estimate, parts
from probekit.analyses.ventral.systems import System
from probekit.rsa import RDMs

DIVISIONS = {"animal": "animate from inanimate", "face": "faces from the rest"}
FEWEST_SUBJECTS = 2


@dataclass(frozen=True, eq=False)
class Measured:
    """What was found of one network and one region.

    Parameters
    ----------
    target : Target
    layer : str
        Of the network, chosen on other individuals.
    clean, within, published : Contest
        The layer against its rivals: Spearman and standardised units; the same within categories only; tau-a and raw
        activity.
    parts : dict of str to Estimate
        See `parts.parts`.
    mixed : Mixed or None
        None with one subject.
    """

    target: Target
    layer: str
    clean: Contest
    within: Contest
    published: Contest
    parts: dict[str, Estimate]
    mixed: Mixed | None


@dataclass(frozen=True)
class Bench:
    """What every network of the study is compared with.

    Parameters
    ----------
    controls : sequence of System
        Pixels, Gabor energy and categories, in this order.
    regions : mapping of str to RDMs
    table : pandas.DataFrame
        Of the stimuli.
    n_resamples, seed : int
    """

    controls: Sequence[System]
    regions: Mapping[str, RDMs]
    table: pd.DataFrame
    n_resamples: int
    seed: int

    @property
    def categories(self) -> RDMs:
        """The divisions into categories."""
        return self.controls[-1].rdms


def measured(bench: Bench, clean: Sequence[System], raw: Sequence[System], target: Target) -> Measured:
    """Return what is found of one network and one region.

    Parameters
    ----------
    bench : Bench
    clean, raw : sequence of System
        The network, then its twins, of standardised units and of raw activity.
    target : Target
    """
    subjects, others = bench.regions[target.region], bench.regions[target.chosen_on]
    rivals = bench.controls[:-1]
    models = contestants(clean, rivals, others)
    layers = clean[0].rdms
    return Measured(
        target,
        str(models.table["layer"].iloc[0]),
        contest(models, subjects),
        contest(*(within_categories(one, bench.table["category"]) for one in (models, subjects))),
        contest(contestants(raw, rivals, others), subjects, measure="tau-a"),
        parts(
            layers.rows([best_layer(layers, others)]), bench.categories, subjects, others,
            n_resamples=bench.n_resamples, seed=bench.seed,
        ),
        mixed(layers, bench.categories, subjects, n_resamples=bench.n_resamples, seed=bench.seed)
        if len(subjects) >= FEWEST_SUBJECTS
        else None,
    )  # fmt: skip


def clustered(bench: Bench, clean: Sequence[System], target: Target) -> dict[str, Contest]:
    """Return, for each of `DIVISIONS`, how the network's layer divides the stimuli, against its rivals.

    The layer is the one chosen for `target`; the score is the correlation with the RDM of the division.
    """
    models = contestants(clean, bench.controls[:-1], bench.regions[target.chosen_on])
    divisions = bench.categories
    return {name: contest(models, divisions.rows((divisions.table["layer"] == name).to_numpy())) for name in DIVISIONS}
