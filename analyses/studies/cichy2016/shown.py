"""What the networks are shown, and what is made of it: RDMs in both variants, and when they are like MEG."""

from __future__ import annotations

from dataclasses import dataclass

from probekit.analyses.studies.cichy2016 import meg
from probekit.analyses.studies.cichy2016.timing import Timing, timed
from probekit.analyses.ventral.images import image_size, stand_ins
from probekit.analyses.ventral.representations import Form
from probekit.analyses.ventral.resampling import n_resamples
from probekit.analyses.ventral.systems import Pass, System, network_systems
from probekit.brains.kriegeskorte2008 import object_images
from probekit.network import Entry
from probekit.stimuli import Stimuli
from probekit.study import StudyOptions

CLEAN = Form(standardize=True, distance="correlation")
PUBLISHED = Form(standardize=False, distance="spearman")
MEG, MEG_TWIN, PLANTED, NOISE = "meg", "meg_twin", "planted_meg", "noise_meg"


@dataclass(frozen=True, eq=False)
class Seen:
    """A network and its twins: all layers in the clean form, those on its card in the published one."""

    entry: Entry
    stimuli: Stimuli
    clean: list[System]
    published: list[System]

    @property
    def model(self) -> str:
        """Name of the network."""
        return self.entry.card.name


def images(entry: Entry, options: StudyOptions) -> Stimuli:
    """Return the 92 objects; or, synthetic, textures, which need no data."""
    size = image_size(entry, "cichy2016")
    return stand_ins(size, options.seed, families=15) if options.synthetic else object_images(size)


def shown_to(entry: Entry, stimuli: Stimuli, options: StudyOptions) -> Seen:
    """Return the layers of a network, of two untrained twins in the clean form and of one in the published one."""
    shown = Pass(options.device, options.batch_size, options.progress)
    seeds = (options.seed, options.seed + 1)
    clean = network_systems(entry, stimuli, (CLEAN,), shown, twin_seeds=seeds)[CLEAN]
    on_card = list(entry.card.layers) or None
    published = network_systems(entry, stimuli, (PUBLISHED,), shown, twin_seeds=seeds[:1], layers=on_card)[PUBLISHED]
    return Seen(entry, stimuli, clean, published)


def timings_of(seen: Seen, options: StudyOptions) -> dict[str, Timing]:
    """Return when planted MEG, noise and, where it is here, recorded MEG are most like each layer."""
    layers, drawn = seen.clean[0].rdms, n_resamples(options)
    movies = {PLANTED: meg.planted(layers, seed=options.seed), NOISE: meg.planted(layers, signal=0, seed=options.seed)}
    found = {kind: timed(layers, one, n_resamples=drawn, seed=options.seed) for kind, one in movies.items()}
    if options.synthetic or not meg.is_here():
        return found
    recorded = meg.recorded()
    shown = Pass(options.device, options.batch_size, options.progress)
    stimuli = meg.object_images(seen.entry.card.input_shape[-1])
    on_card = list(seen.entry.card.layers) or None
    systems = network_systems(seen.entry, stimuli, (PUBLISHED,), shown, twin_seeds=(options.seed,), layers=on_card)
    for kind, system in zip((MEG, MEG_TWIN), systems[PUBLISHED], strict=False):
        found[kind] = timed(system.rdms, recorded, n_resamples=drawn, seed=options.seed)
    return found
