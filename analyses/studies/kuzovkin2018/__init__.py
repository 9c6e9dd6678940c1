"""Kuzovkin et al. 2018: deeper layers of a network go with higher areas, electrode by electrode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import xarray as xr

import probekit
from probekit.analyses.studies.kuzovkin2018.arrays import arrays
from probekit.analyses.studies.kuzovkin2018.false_positives import N_PROBES, false_positives
from probekit.analyses.studies.kuzovkin2018.measured import VARIANTS, Draws, Measured, measure
from probekit.analyses.studies.kuzovkin2018.probes import Brain, measured, planted
from probekit.analyses.studies.kuzovkin2018.verdicts import claims
from probekit.analyses.ventral.claims import Claim, claims_table
from probekit.analyses.ventral.columns import CLAIMS, FITS
from probekit.analyses.ventral.controls import control_systems
from probekit.analyses.ventral.fits import fits
from probekit.analyses.ventral.images import image_size, stand_ins
from probekit.analyses.ventral.ranking import ranking_array
from probekit.analyses.ventral.representations import Form
from probekit.analyses.ventral.resampling import n_resamples, notes_on_quick
from probekit.analyses.ventral.systems import Pass, System, network_systems
from probekit.analysis import Source
from probekit.brains.kriegeskorte2008 import object_images
from probekit.brains.model_rdms import pixels
from probekit.network import Entry, weights_hash
from probekit.result import Result
from probekit.stimuli import Stimuli
from probekit.study import Study, StudyOptions

__all__ = ["STUDY", "run"]

_PERMUTATIONS, _PERMUTATIONS_OF_PLANTED, _QUICK_PERMUTATIONS = 10_000, 2000, 1000
_FORMS = tuple(dict.fromkeys(variant.form for variant in VARIANTS))
_CLEAN, _PUBLISHED = VARIANTS[-1].form, VARIANTS[0].form


def run(entries: Sequence[Entry], options: StudyOptions) -> Result:
    """Return what becomes of the claim; see `STUDY`."""
    full = _PERMUTATIONS_OF_PLANTED if options.synthetic else _PERMUTATIONS
    draws = Draws(_QUICK_PERMUTATIONS if options.quick else full, n_resamples(options), options.seed)
    real = () if options.synthetic else measured()
    found: dict[str, list[Measured]] = {}
    noise: dict[str, xr.DataArray] = {}
    tables: list[pd.DataFrame] = []
    claimed: list[Claim] = []
    described: list[dict[str, str]] = []
    shown: list[System] = []
    for entry in entries:
        stimuli, model = _stimuli(entry, options), entry.card.name
        systems = _systems(entry, stimuli, options)
        brains = real or planted(systems[_CLEAN][0].rdms, seed=options.seed)
        options.progress("scoring probes", len(found), len(entries))
        found[model] = _measured(systems, stimuli, brains, draws)
        noise[model] = false_positives(
            systems[_PUBLISHED][0].rdms, n_permutations=_QUICK_PERMUTATIONS, seed=options.seed
        )
        claimed += list(claims(found[model], noise[model]))
        compared = [*systems[_CLEAN], *(control_systems(stimuli) if entry is entries[0] else ())]
        regions = {name: one for brain in brains for name, one in brain.regions.items()}
        options.progress("fitting regions", len(tables), len(entries))
        tables.append(fits(compared, regions))
        shown += compared
        described.append(
            {"model": model, "weights_sha256": weights_hash(entry.module), "stimuli_sha256": stimuli.sha256}
        )
    return Result(
        STUDY.name,
        claims_table(claimed),
        pd.concat(tables, ignore_index=True),
        arrays(found, noise) | {"ranking": ranking_array(shown, regions, seed=options.seed)},
        _provenance(described, draws, options),
        tuple(_notes(entries, options)),
    )


def _stimuli(entry: Entry, options: StudyOptions) -> Stimuli:
    size = image_size(entry, STUDY.name)
    return stand_ins(size, options.seed) if options.synthetic else object_images(size)


def _systems(entry: Entry, stimuli: Stimuli, options: StudyOptions) -> dict[Form, list[System]]:
    shown = Pass(options.device, options.batch_size, options.progress)
    return network_systems(entry, stimuli, _FORMS, shown, twin_seeds=(options.seed, options.seed + 1))


def _measured(
    systems: dict[Form, list[System]], stimuli: Stimuli, brains: Sequence[Brain], draws: Draws
) -> list[Measured]:
    first = {form: pixels(stimuli, distance=form.distance, standardize=form.standardize) for form in systems}
    return [one for brain in brains for one in measure(systems, first, brain, draws)]


def _provenance(described: list[dict[str, str]], draws: Draws, options: StudyOptions) -> dict[str, object]:
    return {
        "probekit": probekit.__version__,
        "synthetic": options.synthetic,
        "seed": options.seed,
        "models": described,
        "parameters": {
            "variants": {one.name: f"{one.form}; {one.procedure.name}" for one in VARIANTS},
            "n_permutations": draws.n_permutations,
            "n_resamples": draws.n_resamples,
            "n_noise_probes": N_PROBES,
            "n_permutations_of_noise_probes": _QUICK_PERMUTATIONS,
        },
    }


def _notes(entries: Sequence[Entry], options: StudyOptions) -> Iterator[str]:
    yield from notes_on_quick(options)
    if options.quick:
        full = _PERMUTATIONS_OF_PLANTED if options.synthetic else _PERMUTATIONS
        yield f"Quick run: {_QUICK_PERMUTATIONS:,} orders of the stimuli instead of {full:,}."
    if options.synthetic:
        yield "The probes are planted in the network’s own layers, or are noise; the stimuli are random textures."
    else:
        yield (
            "The publication’s electrodes are replaced by functional imaging: each of 15 people gives one probe in EVC "
            "and one in IT. Two areas stand for five, and nothing is said of frequency bands."
        )
    yield "Intervals and p of the alignment generalise over people, not over stimuli."
    for entry in entries:
        if entry.build is None:
            yield f"No untrained twin: '{entry.card.name}' cannot be built anew."


STUDY = Study(
    name="kuzovkin2018",
    title="Layers aligned with areas, probe by probe (Kuzovkin et al. 2018)",
    claim="Gamma-band activity along the human ventral stream matches the hierarchy of the layers of a trained deep "
    "network: the higher the area, the deeper the layers whose representation its electrodes share.",
    sources=(
        Source(
            "Kuzovkin et al. 2018, Activations of deep convolutional neural networks are aligned with gamma band "
            "activity of human visual cortex, Commun Biol 1:107",
            "10.1038/s42003-018-0110-y",
        ),
        Source("Cichy, Pantazis & Oliva 2014, Nat Neurosci 17:455 (EVC and IT of 15 people)", "10.1038/nn.3635"),
        Source("Kriegeskorte et al. 2008, Neuron 60:1126 (the 92 images)", "10.1016/j.neuron.2008.10.043"),
        Source("Kendall 1938, A new measure of rank correlation, Biometrika 30:81", "10.1093/biomet/30.1-2.81"),
    ),
    data=("kriegeskorte2008", "cichy2014"),
    columns=CLAIMS,
    summary_columns=FITS,
    run=run,
)
