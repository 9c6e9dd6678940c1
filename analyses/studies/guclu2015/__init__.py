"""Güçlü & van Gerven 2015: the deeper an area along the ventral stream, the deeper the layer that predicts it best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import xarray as xr

from probekit.analyses.studies.guclu2015 import voxels
from probekit.analyses.studies.guclu2015.choices import (
    FORMS,
    MAIN,
    N_RESAMPLES,
    N_RESAMPLES_QUICK,
    QUANTITIES,
    VIEWS,
    Representations,
    View,
)
from probekit.analyses.studies.guclu2015.regions import Found, Pair, Viewer, best_layers, claims
from probekit.analyses.studies.guclu2015.voxels import Population
from probekit.analyses.twins import named
from probekit.analyses.ventral.claims import Claim, claims_table
from probekit.analyses.ventral.columns import CLAIMS, FITS
from probekit.analyses.ventral.controls import control_systems
from probekit.analyses.ventral.fits import fits
from probekit.analyses.ventral.images import image_size, stand_ins
from probekit.analyses.ventral.planted import noise_regions, planted_regions
from probekit.analyses.ventral.ranking import ranking_array
from probekit.analyses.ventral.representations import Form, layer_rdms
from probekit.analyses.ventral.resampling import n_resamples, notes_on_quick
from probekit.analyses.ventral.systems import System
from probekit.analysis import Source
from probekit.brains import cichy2014
from probekit.brains.kriegeskorte2008 import PIXELS, object_images
from probekit.network import Entry, weights_hash
from probekit.result import Result
from probekit.rsa import RDMs
from probekit.stimuli import Stimuli
from probekit.study import Study, StudyOptions

__all__ = ["STUDY", "run"]

MEASURED = (Pair("EVC", "IT"),)
PLANTED = (Pair("EVC (planted)", "IT (planted)", "planted"), Pair("EVC (noise)", "IT (noise)", "noise"))
PLANTED_DEPTHS = {"EVC (planted)": 0.2, "IT (planted)": 0.8}
_BEST = (*QUANTITIES, "seed")


def run(entries: Sequence[Entry], options: StudyOptions) -> Result:
    """Return what becomes of the claim; see `STUDY`."""
    shown = {entry.card.name: _views(entry, options) for entry in entries}
    viewers = [viewer for entry in entries for viewer in _viewers(entry, shown[entry.card.name], options)]
    first = next(iter(shown.values()))
    controls = control_systems(next(iter(first.values())))
    summaries: list[pd.DataFrame] = []
    found: list[Found] = []
    populations: list[Population] = []
    ranked: list[System] = []
    claimed: list[Claim] = []
    for entry in entries:
        model = entry.card.name
        own = [viewer for viewer in viewers if viewer.model == model]
        regions = _regions(own[0].seen[own[0].first][MAIN], options)
        systems = [System(model, one.network, one.seed, one.seen[one.first][MAIN]) for one in own]
        compared = [*systems, *(controls if entry is entries[0] else ())]
        ranked += compared
        options.progress("fitting regions", len(summaries), len(entries))
        summaries.append(fits(compared, regions))
        of_model = [best_layers(own, regions, pair, options) for pair in _pairs(options)]
        of_voxels = _populations(entry, own[0], options)
        claimed += [one for pair in of_model for one in claims(pair, model)] + list(
            voxels.claims(of_voxels, synthetic=options.synthetic)
        )
        found, populations = [*found, *of_model], [*populations, *of_voxels]
    return Result(
        STUDY.name,
        claims_table(claimed),
        pd.concat(summaries, ignore_index=True),
        _arrays(found, populations) | {"ranking": ranking_array(ranked, regions, seed=options.seed)},
        _provenance(entries, shown, options),
        tuple(_notes(entries, shown, options)),
    )


def _views(entry: Entry, options: StudyOptions) -> dict[View, Stimuli]:
    size = image_size(entry, "guclu2015")
    if options.synthetic:
        return {View("texture", "made to size"): stand_ins(size, options.seed)}
    return {
        view: object_images(size, background=view.background, fit=view.fit)
        for view in VIEWS
        if view.fit == "resize" or size >= PIXELS
    }


def _viewers(entry: Entry, shown: Mapping[View, Stimuli], options: StudyOptions) -> Iterator[Viewer]:
    """Yield the network and its twins: the network and the first twin saw everything, the second what is needed."""
    name, first = entry.card.name, next(iter(shown))
    once = {first: shown[first]}
    yield Viewer(name, "trained", 0, _seen(entry, shown, FORMS, f"trained {name}", options))
    if entry.build is None:
        return
    for number in (0, 1):
        seed = options.seed + number
        views = shown if number == 0 and not options.quick else once
        forms = FORMS if number == 0 else (MAIN,)
        label = f"untrained {name}"
        yield Viewer(name, "untrained", seed, _seen(entry.untrained(seed), views, forms, label, options))


def _seen(
    entry: Entry, shown: Mapping[View, Stimuli], forms: Sequence[Form], label: str, options: StudyOptions
) -> Representations:
    return {
        view: layer_rdms(
            entry, stimuli, forms, device=options.device, batch_size=options.batch_size,
            progress=named(options.progress, f"{label}, {view},"),
        )
        for view, stimuli in shown.items()
    }  # fmt: skip


def _regions(models: RDMs, options: StudyOptions) -> dict[str, RDMs]:
    if not options.synthetic:
        return {"EVC": cichy2014.evc(), "IT": cichy2014.it()}
    noise = noise_regions(models.conditions, ("EVC (noise)", "IT (noise)"), seed=options.seed + 1)
    return planted_regions(models, PLANTED_DEPTHS, seed=options.seed) | noise


def _pairs(options: StudyOptions) -> tuple[Pair, ...]:
    return PLANTED if options.synthetic else MEASURED


def _populations(entry: Entry, trained: Viewer, options: StudyOptions) -> list[Population]:
    euclidean = trained.seen[trained.first][Form(distance="euclidean")]
    found = list(voxels.planted_populations(euclidean, trained.model, seed=options.seed))
    if not options.synthetic and voxels.vim1_is_here():
        found += voxels.measured_populations(entry, list(euclidean.table["layer"]), options)
    return found


def _arrays(found: Sequence[Found], populations: Sequence[Population]) -> dict[str, xr.DataArray]:
    bootstraps = [
        xr.DataArray(
            [one.difference, one.trend],
            dims=("statistic", "resample"),
            coords={"statistic": ["difference", "trend"]},
        ).expand_dims(row=[" | ".join((str(pair.pair), model, network, str(seed), form))])
        for pair in found
        for (model, network, seed, form), one in pair.bootstraps.items()
    ]
    return {
        "best_layers": _tidy(pd.concat([one.table for one in found]), _BEST),
        "choices": _tidy(pd.concat([one.cells for one in found]), QUANTITIES),
        "voxels": _tidy(
            pd.concat([one.table() for one in populations]),
            ("n_voxels", "n_significant", "mean_layer", "sem_layer", "n_layers", "rho", "p_voxels", "p_areas"),
        ),
        "bootstraps": xr.concat(bootstraps, dim="row"),
    }


def _tidy(table: pd.DataFrame, quantities: Sequence[str]) -> xr.DataArray:
    """Return a table as an array of its numbers, its words as coordinates of the rows."""
    words = {
        column: ("row", table[column].astype(str).to_numpy(dtype=str))
        for column in table.columns.drop(list(quantities))
    }
    values = table[list(quantities)].to_numpy(dtype=float)
    return xr.DataArray(values, dims=("row", "quantity"), coords={**words, "quantity": list(quantities)})


def _provenance(
    entries: Sequence[Entry], shown: Mapping[str, Mapping[View, Stimuli]], options: StudyOptions
) -> dict[str, object]:
    return {
        "synthetic": options.synthetic,
        "seed": options.seed,
        "models": [
            {
                "model": entry.card.name,
                "weights_sha256": weights_hash(entry.module),
                "stimuli_sha256": {str(view): stimuli.sha256 for view, stimuli in shown[entry.card.name].items()},
            }
            for entry in entries
        ],
        "parameters": {
            "main_form": str(MAIN),
            "measure": "spearman",
            "n_resamples": n_resamples(options),
            "n_forms": len(FORMS),
            "n_resamples_choices": N_RESAMPLES_QUICK if options.quick else N_RESAMPLES,
            "voxel_layers": voxels.N_LAYERS,
            "voxel_components": voxels.N_COMPONENTS,
            "voxel_units": voxels.N_UNITS,
            "voxel_areas": list(voxels.AREAS),
        },
    }


def _notes(
    entries: Sequence[Entry], shown: Mapping[str, Mapping[View, Stimuli]], options: StudyOptions
) -> Iterator[str]:
    yield from notes_on_quick(options)
    for entry in entries:
        name = entry.card.name
        if entry.build is None:
            yield f"No untrained twin: '{name}' cannot be built anew."
        if not options.synthetic and len(shown[name]) < len(VIEWS):
            yield f"'{name}' takes images smaller than the {PIXELS} pixels of the objects: none are padded."
    if options.quick:
        yield "Quick run: the untrained twin saw the images in one way only, so that it has fewer cells."
    if not options.synthetic:
        yield (
            "EVC and IT are two ends of the stream. Regions are compared by their RDMs; the publication predicted "
            "single voxels."
        )


STUDY = Study(
    name="guclu2015",
    title="A gradient along the ventral stream (Güçlü & van Gerven 2015)",
    claim="The deeper an area lies along the ventral stream, the deeper the layer of a network that predicts it best.",
    sources=(
        Source(
            "Güçlü & van Gerven 2015, Deep neural networks reveal a gradient in the complexity of neural "
            "representations across the ventral stream, J Neurosci 35:10005",
            "10.1523/JNEUROSCI.5023-14.2015",
        ),
        Source("Cichy, Pantazis & Oliva 2014, Nat Neurosci 17:455 (EVC and IT of 15 people)", "10.1038/nn.3635"),
        Source("Kriegeskorte et al. 2008, Neuron 60:1126 (the 92 images)", "10.1016/j.neuron.2008.10.043"),
        Source("Kay, Naselaris & Gallant 2011, CRCNS.org (vim-1)", "10.6080/K0QN64NG"),
        Source(
            "Simonsohn, Simmons & Nelson 2020, Nat Hum Behav 4:1208 (specification curve)", "10.1038/s41562-020-0912-z"
        ),
    ),
    data=("kriegeskorte2008", "cichy2014"),
    columns=CLAIMS,
    summary_columns=FITS,
    run=run,
)
