"""Khaligh-Razavi & Kriegeskorte 2014: deep supervised, but not unsupervised, models may explain IT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr

import probekit
from probekit.analyses.studies.khaligh_razavi2014 import arrays, brains
from probekit.analyses.studies.khaligh_razavi2014.contest import Contest
from probekit.analyses.studies.khaligh_razavi2014.found import Bench, Measured, clustered, measured
from probekit.analyses.studies.khaligh_razavi2014.verdicts import (
    claims_of,
    clustering_claims,
    never_tested,
    noise_claim,
    planted_claims,
)
from probekit.analyses.twins import notes_on_twin
from probekit.analyses.ventral.claims import Claim, claims_table
from probekit.analyses.ventral.columns import CLAIMS, FITS
from probekit.analyses.ventral.controls import control_systems
from probekit.analyses.ventral.fits import fits
from probekit.analyses.ventral.images import image_size
from probekit.analyses.ventral.ranking import ranking_array
from probekit.analyses.ventral.representations import Form
from probekit.analyses.ventral.resampling import n_resamples, notes_on_quick
from probekit.analyses.ventral.systems import Pass, System, network_systems
from probekit.analysis import Source
from probekit.brains.kriegeskorte2008 import object_images
from probekit.network import Entry, weights_hash
from probekit.result import Result
from probekit.rsa import RDMs
from probekit.stimuli import Stimuli
from probekit.study import Study, StudyOptions

NAME = "khaligh-razavi2014"
CLEAN, RAW = Form(), Form(standardize=False)


def _run(entries: Sequence[Entry], options: StudyOptions) -> Result:
    """Return how layers, mixed layers and categories explain IT."""
    for entry in entries:
        image_size(entry, STUDY.name)
    regions = {} if options.synthetic else brains.recorded()  # before the networks run: the data may be missing
    shown = Pass(options.device, options.batch_size, options.progress)
    images = [_images(entry, options) for entry in entries]
    systems = {
        entry.card.name: network_systems(entry, stimuli, (CLEAN, RAW), shown, twin_seeds=_seeds(options))
        for entry, stimuli in zip(entries, images, strict=True)
    }
    first = next(iter(systems.values()))[CLEAN][0]
    regions = regions or brains.planted(first.rdms, options.seed)
    suffixes = (brains.PLANTED, brains.NOISE) if options.synthetic else ("",)
    bench = Bench(control_systems(images[0]), regions, images[0].table, n_resamples(options), options.seed)
    found = {
        model: [measured(bench, forms[CLEAN], forms[RAW], one) for one in brains.targets(suffixes)]
        for model, forms in systems.items()
    }
    clusters = {model: clustered(bench, forms[CLEAN], brains.targets(suffixes)[0]) for model, forms in systems.items()}
    return _result(entries, options, bench, systems, found, clusters, images[0])


def _result(
    entries: Sequence[Entry],
    options: StudyOptions,
    bench: Bench,
    systems: Mapping[str, Mapping[Form, list[System]]],
    found: Mapping[str, list[Measured]],
    clusters: Mapping[str, Mapping[str, Contest]],
    stimuli: Stimuli,
) -> Result:
    clean, raw = ([one for forms in systems.values() for one in forms[form]] for form in (CLEAN, RAW))
    first = next(iter(found.values()))
    summary = fits([*clean, *bench.controls], bench.regions)
    claims = _claims(found, clusters)
    if options.synthetic:
        on_noise = [one for one in claims if brains.NOISE in one.variant]
        claims = [
            *planted_claims(summary, entries[0].card.name),
            noise_claim(summary, on_noise),
            *(one for one in claims if one not in on_noise),
        ]
    known: dict[str, xr.DataArray | None] = {
        "rdms": _pictures(bench, systems, found, stimuli),
        "as_published": arrays.as_published(
            [*raw, *bench.controls], bench.regions, [one.target.region for one in first]
        ),
        "parts": arrays.of_parts(found),
        "mixed": arrays.of_mixed(found),
        "clusters": arrays.of_clusters(clusters),
        "ranking": ranking_array([*clean, *bench.controls], bench.regions, seed=options.seed),
    }
    return Result(
        NAME,
        claims_table([*claims, *never_tested()]),
        summary,
        {name: array for name, array in known.items() if array is not None},
        _provenance(entries, options, stimuli),
        (*_notes(options), *(note for entry in entries for note in notes_on_twin(entry)), *notes_on_quick(options)),
    )


def _claims(found: Mapping[str, list[Measured]], clusters: Mapping[str, Mapping[str, Contest]]) -> list[Claim]:
    return [
        claim
        for model, regions in found.items()
        for claim in (
            *(one for region in regions for one in claims_of(model, region)),
            *clustering_claims(model, regions[0].layer, clusters[model]),
        )
    ]


def _pictures(
    bench: Bench,
    systems: Mapping[str, Mapping[Form, list[System]]],
    found: Mapping[str, list[Measured]],
    stimuli: Stimuli,
) -> xr.DataArray:
    layers: dict[str, RDMs] = {}
    for model, forms in systems.items():
        of_network, chosen = forms[CLEAN][0].rdms, found[model][0].layer
        layers[f"{model}, {chosen}"] = of_network.rows((of_network.table["layer"] == chosen).to_numpy())
    brain = {name: rdms for name, rdms in bench.regions.items() if brains.NOISE not in name and name != "judgements"}
    return arrays.pictures(brain, layers, stimuli.table)


def _images(entry: Entry, options: StudyOptions) -> Stimuli:
    size = entry.card.input_shape[-1]
    return brains.made_images(size, options.seed) if options.synthetic else object_images(size)


def _seeds(options: StudyOptions) -> tuple[int, int]:
    return options.seed, options.seed + 1


def _notes(options: StudyOptions) -> tuple[str, ...]:
    if options.synthetic:
        return (
            "Planted: no brain was recorded, and the images are made up. Regions follow layers of the first network, "
            "or nothing; no number here says anything about IT.",
        )
    return (
        "Human IT of the publication has 4 subjects (here hIT, mean of both sessions): its intervals over subjects are "
        "wide. IT and EVC are of 15 other people, with the same images.",
        "Monkey IT is one RDM: its intervals are over images alone, and it has no noise ceiling.",
        "Bootstrap intervals over images hold pairs of copied images out, and are rather too wide than too narrow.",
    )


def _provenance(entries: Sequence[Entry], options: StudyOptions, stimuli: Stimuli) -> dict[str, Any]:
    return {
        "probekit": probekit.__version__,
        "synthetic": options.synthetic,
        "seed": options.seed,
        "parameters": {
            "forms": [str(CLEAN), str(RAW)],
            "measures": ["spearman", "tau-a"],
            "resamples": n_resamples(options),
            "twin_seeds": list(_seeds(options)),
            "device": options.device,
        },
        "models": [
            {
                "name": entry.card.name,
                "trained_on": entry.card.trained_on,
                "input_shape": list(entry.card.input_shape),
                "weights_sha256": weights_hash(entry.module),
            }
            for entry in entries
        ],
        "stimuli": {"name": stimuli.name, "sha256": stimuli.sha256, **stimuli.parameters},
        "data": [] if options.synthetic else list(STUDY.data),
        "versions": {"torch": torch.__version__, "numpy": np.__version__},
    }


STUDY = Study(
    name=NAME,
    title="Deep supervised networks and IT, on 92 images",
    claim="A deep network that was trained to name objects explains the representation in IT best, because training "
    "emphasises the categories that IT emphasises; models without supervision do not, and to explain IT fully, layers "
    "must be weighted and category divisions added.",
    sources=(
        Source(
            "Khaligh-Razavi & Kriegeskorte 2014, Deep supervised, but not unsupervised, models may explain IT cortical "
            "representation, PLoS Comput Biol 10:e1003915",
            "10.1371/journal.pcbi.1003915",
        ),
        Source(
            "Kriegeskorte et al. 2008, Neuron 60:1126 (images, human and monkey IT)", "10.1016/j.neuron.2008.10.043"
        ),
        Source("Cichy, Pantazis & Oliva 2014, Nat Neurosci 17:455 (EVC and IT of 15 people)", "10.1038/nn.3635"),
        Source("Mur et al. 2013, Front Psychol 4:128 (judgements)", "10.3389/fpsyg.2013.00128"),
        Source("Nili et al. 2014, PLoS Comput Biol 10:e1003553 (noise ceiling, tau-a)", "10.1371/journal.pcbi.1003553"),
        Source("Schütt et al. 2023, eLife 12:e82566 (inference)", "10.7554/eLife.82566"),
    ),
    data=("kriegeskorte2008", "cichy2014"),
    columns=CLAIMS,
    summary_columns=FITS,
    run=_run,
)
