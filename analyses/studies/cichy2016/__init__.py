"""Cichy et al. 2016: the layers of a network correspond to the stages of vision in space and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import xarray as xr

import probekit
from probekit.analyses.studies.cichy2016 import arrays, meg, space
from probekit.analyses.studies.cichy2016.geometry import Geometry, measured_geometry
from probekit.analyses.studies.cichy2016.readout import Readout, decoded
from probekit.analyses.studies.cichy2016.shown import (
    CLEAN,
    MEG,
    MEG_TWIN,
    NOISE,
    PLANTED,
    PUBLISHED,
    Seen,
    images,
    shown_to,
    timings_of,
)
from probekit.analyses.studies.cichy2016.spikes import planted_spikes
from probekit.analyses.studies.cichy2016.timing import N_PERMUTATIONS, Timing
from probekit.analyses.studies.cichy2016.verdicts import (
    clean_claims,
    meg_claim,
    meg_not_tested,
    neuron_claims,
    never_tested,
    planted_meg_claims,
    published_claims,
)
from probekit.analyses.twins import notes_on_twin
from probekit.analyses.ventral.claims import Claim, claims_table
from probekit.analyses.ventral.columns import CLAIMS
from probekit.analyses.ventral.controls import control_systems
from probekit.analyses.ventral.ranking import ranking_array
from probekit.analyses.ventral.resampling import n_resamples, notes_on_quick
from probekit.analysis import Source
from probekit.brains import zhang2011
from probekit.network import Entry, weights_hash
from probekit.result import Result
from probekit.rsa import RDMs
from probekit.study import Study, StudyOptions

__all__ = ["STUDY"]

NAME = "cichy2016"
_SHUFFLES, _QUICK_SHUFFLES = 200, 40


def _run(entries: Sequence[Entry], options: StudyOptions) -> Result:
    """Return layers beside regions, layers beside moments, and what neurons tell over time."""
    stimuli = [images(entry, options) for entry in entries]
    neurons = _neurons(options)  # before the networks run: the data may be missing
    seen = [shown_to(entry, shown, options) for entry, shown in zip(entries, stimuli, strict=True)]
    brains = space.regions(seen[0].clean[0].rdms, synthetic=options.synthetic, seed=options.seed)
    controls = control_systems(seen[0].stimuli)
    clean = [system for one in seen for system in one.clean]
    published = [system for one in seen for system in one.published]
    summary = space.both_variants([*clean, *controls], [*published, *controls], brains, options.seed)
    timings = {(kind, one.model): found for one in seen for kind, found in timings_of(one, options).items()}
    claims = [claim for one in seen for claim in _space_claims(one, brains, summary, options)]
    claims += [claim for one in seen for claim in _time_claims(one.model, timings, synthetic=options.synthetic)]
    claims += [claim for kind, found in neurons.items() for claim in neuron_claims(kind, *found)]
    return Result(
        NAME,
        claims_table([*claims, *never_tested()]),
        summary,
        _arrays(timings, neurons) | {"ranking": ranking_array([*clean, *controls], brains, seed=options.seed)},
        _provenance(seen, options),
        (
            *_notes(seen, options),
            *(note for entry in entries for note in notes_on_twin(entry)),
            *notes_on_quick(options),
        ),
    )


def _neurons(options: StudyOptions) -> dict[str, tuple[Readout, Geometry]]:
    """Return what recorded neurons tell, under ""; or, synthetic, planted ones and noise."""
    if options.synthetic:
        spikes = {kind: planted_spikes(informed=kind == "planted", seed=options.seed) for kind in ("planted", "noise")}
    else:
        spikes = {"": zhang2011.load()}
    found = {}
    for done, (kind, one) in enumerate(spikes.items()):
        options.progress("reading out neurons", done, len(spikes))
        told = decoded(one, n_shuffles=_QUICK_SHUFFLES if options.quick else _SHUFFLES, seed=options.seed)
        found[kind] = told, measured_geometry(one, n_resamples=n_resamples(options), seed=options.seed)
    options.progress("reading out neurons", len(spikes), len(spikes))
    return found


def _space_claims(
    seen: Seen, brains: Mapping[str, RDMs], summary: pd.DataFrame, options: StudyOptions
) -> Iterator[Claim]:
    published = summary[(summary["model"] == seen.model) & (summary["variant"] == space.PUBLISHED)]
    for suffix in space.suffixes(synthetic=options.synthetic):
        trained, *twins = [
            space.clean_depths(one, brains, suffix, n_resamples=n_resamples(options), seed=options.seed)
            for one in seen.clean
        ]
        yield from clean_claims(seen.model, suffix, trained, twins)
        own, *others = [space.subject_trends(one, brains, suffix) for one in seen.published]
        gain = space.subject_test(own - others[0], options.seed) if others else None
        yield from published_claims(seen.model, suffix, space.subject_test(own, options.seed), gain, published)


def _time_claims(model: str, timings: Mapping[tuple[str, str], Timing], *, synthetic: bool) -> Iterator[Claim]:
    recorded = timings.get((MEG, model))
    if recorded is None:
        yield meg_not_tested(synthetic=synthetic)
    else:
        yield meg_claim(model, recorded, timings.get((MEG_TWIN, model)))
    yield from planted_meg_claims(model, timings[PLANTED, model], timings[NOISE, model])


def _arrays(
    timings: Mapping[tuple[str, str], Timing],
    neurons: Mapping[str, tuple[Readout, Geometry]],
) -> dict[str, xr.DataArray]:
    found: dict[str, xr.DataArray] = {}
    for (kind, model), one in timings.items():
        found |= arrays.of_timing(kind, model, one)
    for kind, (told, apart) in neurons.items():
        found |= arrays.of_neurons(f"{kind or 'it'}_neurons", told, apart)
    return found


def _provenance(seen: Sequence[Seen], options: StudyOptions) -> dict[str, Any]:
    return {
        "probekit": probekit.__version__,
        "synthetic": options.synthetic,
        "seed": options.seed,
        "models": [
            {
                "model": one.model,
                "weights_sha256": weights_hash(one.entry.module),
                "stimuli_sha256": one.stimuli.sha256,
                "layers_clean": len(one.clean[0].rdms),
                "layers_as_published": len(one.published[0].rdms),
            }
            for one in seen
        ],
        "parameters": {
            "clean": str(CLEAN),
            "as_published": str(PUBLISHED),
            "measure": "spearman",
            "n_resamples": n_resamples(options),
            "n_permutations": N_PERMUTATIONS,
            "n_shuffles": _QUICK_SHUFFLES if options.quick else _SHUFFLES,
        },
    }


def _notes(seen: Sequence[Seen], options: StudyOptions) -> Iterator[str]:
    if not options.synthetic:
        yield (
            "The publication used 118 objects on natural backgrounds, this comparison with regions 92 objects on grey, "
            "of another study by the same laboratory."
        )
        if not meg.is_here():
            yield "No MEG is here: what the page shows over time is planted, and says whether the method finds it."
        yield "No network is compared with the neurons: the images that they saw were not published."
    for one in seen:
        n_clean, n_published = len(one.clean[0].rdms), len(one.published[0].rdms)
        if n_published < n_clean:
            yield (
                f"As published, `{one.model}` has the {n_published} layers that its card names, not all {n_clean}: "
                "1 − Spearman ranks the units of each image, up to half a million a layer."
            )


STUDY = Study(
    name=NAME,
    title="Layers and the stages of vision in space and time (Cichy et al. 2016)",
    claim="Layers of a deep network correspond, in their order, to the stages of human vision in time and in space.",
    sources=(
        Source(
            "Cichy, Khosla, Pantazis, Torralba & Oliva 2016, Comparison of deep neural networks to spatio-temporal "
            "cortical dynamics of human visual object recognition reveals hierarchical correspondence, Sci Rep 6:27755",
            "10.1038/srep27755",
        ),
        Source("Cichy, Pantazis & Oliva 2014, Nat Neurosci 17:455 (EVC and IT of 15 people)", "10.1038/nn.3635"),
        Source("Kriegeskorte et al. 2008, Neuron 60:1126 (the 92 images)", "10.1016/j.neuron.2008.10.043"),
        Source(
            "Zhang, Meyers, Bichot, Serre, Poggio & Desimone 2011, Object decoding with attention in inferior temporal "
            "cortex, PNAS 108:8850 (132 neurons)",
            "10.1073/pnas.1100999108",
        ),
        Source("Maris & Oostenveld 2007, J Neurosci Methods 164:177 (cluster tests)", "10.1016/j.jneumeth.2007.03.024"),
        Source("Miller, Patterson & Ulrich 1998, Psychophysiology 35:99 (latencies)", "10.1111/1469-8986.3510099"),
    ),
    data=("kriegeskorte2008", "cichy2014", "zhang2011"),
    columns=CLAIMS,
    summary_columns=space.FITS_BY_VARIANT,
    run=_run,
)
