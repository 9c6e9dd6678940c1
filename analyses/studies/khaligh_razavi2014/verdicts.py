"""What the publication says, and by which rule our numbers agree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from probekit.analyses.studies.khaligh_razavi2014.brains import NOISE, PLANTED, PLANTED_DEPTHS
from probekit.analyses.studies.khaligh_razavi2014.contest import Contest
from probekit.analyses.studies.khaligh_razavi2014.found import DIVISIONS, Measured
from probekit.analyses.studies.khaligh_razavi2014.mixing import KINDS, Mixed
from probekit.analyses.ventral.claims import Claim, Verdict, direction, not_tested
from probekit.stats import benjamini_hochberg

ALPHA = 0.05
CLEAN, AS_PUBLISHED = "clean", "as published"
BEST = "The supervised deep network resembles IT more than models that were not trained to tell objects apart"
WITHIN = "It does so within categories as well"
NOT_ALL = "As it is, the network does not fully explain IT"
MIXED_ALL = "Weighted layers, with category divisions added, fully explain IT"
LAYERS_ALL = "Weighted layers alone fully explain IT"
GAIN = "Weighting the layers brings the network nearer to IT"
BEYOND = "The network explains of IT what categories do not"
LACKING = "IT emphasises categories more than the network does"
CLUSTERED = "Supervised training, and little else, makes a network cluster images by category"

_CEILING = (NOT_ALL, MIXED_ALL, LAYERS_ALL)
_PUBLISHED = {
    BEST: "The deep convolutional network, trained with supervision, explained IT best of 37 models (abstract)",
    WITHIN: "Models that categorise better resemble IT more within categories, too (abstract)",
    NOT_ALL: "The network did not fully explain the IT data (abstract)",
    MIXED_ALL: "Weighted features, with added margins between animate and inanimate objects and between faces and "
    "other objects, fully explained the IT data (abstract)",
    LAYERS_ALL: "Weighting was combined with added category margins (abstract)",
    GAIN: "Weighting was part of what fully explained the IT data (abstract)",
    BEYOND: "Implied by the resemblance within categories (abstract)",
    LACKING: "Margins between categories had to be added to explain IT (abstract)",
    CLUSTERED: "The categorical clustering of IT was largely unexplained by the unsupervised models (abstract)",
}


def claims_of(model: str, found: Measured) -> list[Claim]:
    """Return what became of the claims on one network and one region."""
    region = found.target.region
    of_layer = f"{region}, layer {found.layer}"
    chosen = f"the layer was chosen on {found.target.chosen_on}"
    told = [
        _contest(BEST, model, f"{CLEAN}: {region}", of_layer, found.clean, chosen),
        _contest(BEST, model, f"{AS_PUBLISHED}: {region}", region, found.published, chosen),
        _contest(WITHIN, model, f"{CLEAN}: {region}", of_layer, found.within, chosen),
        *_of_parts(model, found),
    ]
    if found.mixed is None:
        return [*told, *_without_ceiling(model, region)]
    return [*told, *_of_mixed(model, region, found.mixed)]


def _without_ceiling(model: str, region: str) -> Iterator[Claim]:
    reason = f"{region} is one RDM: there is no noise ceiling, and nobody to hold out."
    for claim in (NOT_ALL, MIXED_ALL):
        yield replace(not_tested(claim, _PUBLISHED[claim], reason, model=model), variant=f"{CLEAN}: {region}")


def clustering_claims(model: str, layer: str, found: Mapping[str, Contest]) -> Iterator[Claim]:
    """Yield what became of the claim on clustering, one a division."""
    for name, words in DIVISIONS.items():
        yield _contest(
            CLUSTERED, model, f"{CLEAN}: {words}", f"layer {layer}, {words}", found[name],
            "correlation with the RDM of the division; stimuli would be others",
        )  # fmt: skip


def never_tested() -> list[Claim]:
    """Return what cannot be tested here at all."""
    return [
        not_tested(
            "Of 37 models, those that categorise better resemble IT more",
            "Stated for all 37 models, among them many from neuroscience and computer vision (abstract)",
            "The other models are not part of probekit; pixels, Gabor energy and untrained twins stand for them.",
        ),
        not_tested(
            "Margins learned on other labelled images complete the network",
            "Linear combinations that maximise margins between categories were added (abstract)",
            "The labelled images on which margins are learned are not here; RDMs of the categories stand for them.",
        ),
    ]


def planted_claims(summary: pd.DataFrame, model: str) -> Iterator[Claim]:
    """Yield whether what was planted in layers of `model` is found."""
    own = summary[(summary["model"] == model) & (summary["network"] == "trained")]
    for region, depth in PLANTED_DEPTHS.items():
        layers = own[own["region"] == region + PLANTED].reset_index(drop=True)
        place = round(depth * (len(layers) - 1))
        best = layers.iloc[int(np.nanargmax(layers["score"]))]
        there = layers.iloc[place]
        found = best["score_low"] > 0 and there["score"] >= best["score_low"]
        yield Claim(
            "What is planted is found", model, f"planted: {region}", "",
            f"{region} follows {there['layer']} ({there['score']:.2f}); the best layer is {best['layer']} "
            f"({best['score']:.2f}).",
            "agrees" if found else "differs",
            "agrees if the planted layer's score lies in the interval of the best, and that above 0",
            float(there["score"]), float(there["score_low"]), float(there["score_high"]),
        )  # fmt: skip


def noise_claim(summary: pd.DataFrame, on_noise: Sequence[Claim]) -> Claim:
    """Return whether nothing is found in noise.

    Parameters
    ----------
    summary : pandas.DataFrame
        Fits of all regions.
    on_noise : sequence of Claim
        What the claims of the study come to on regions of noise.
    """
    noise = summary[summary["region"].str.endswith(NOISE)]
    q = benjamini_hochberg(noise["p"].to_numpy())
    tested = [one for one in on_noise if one.verdict != "not tested" and one.claim not in _CEILING]
    true = [one for one in tested if one.verdict == "agrees"]
    return Claim(
        "Nothing is found where nothing is", "", "noise", "",
        f"{int((q < ALPHA).sum())} of {len(noise)} layers and controls have q < {ALPHA} in regions of noise; "
        f"{len(true)} of {len(tested)} claims would be called true of noise, where chance calls 1 of 40.",
        "agrees" if np.nanmin(q) >= ALPHA else "differs",
        "agrees if no layer or control has q < 0.05, false discovery rate over all of them",
        p=float(np.nanmin(q)),
    )  # fmt: skip


def _contest(claim: str, model: str, variant: str, where: str, found: Contest, reason: str) -> Claim:
    against = f"{found.rival} {_number(found.rival_score)}" if found.rival else "no rival has a score"
    return Claim(
        claim, model, variant, _PUBLISHED[claim],
        f"{where}: {_number(found.score)}; nearest rival: {against}; difference "
        f"{_range(found.difference, found.low, found.high)}; p that some rival is as good {_probability(found.p)}.",
        _against_all(found),
        f"agrees if it beats every rival (interval above 0, p of all rivals < {ALPHA}); {reason}",
        found.difference, found.low, found.high, found.p,
    )  # fmt: skip


def _against_all(found: Contest) -> Verdict:
    verdict = direction(found.low, found.high)
    return "undecided" if verdict == "agrees" and not found.p < ALPHA else verdict


def _of_parts(model: str, found: Measured) -> Iterator[Claim]:
    said = {BEYOND: "layer given categories", LACKING: "categories given layer"}
    whole = {BEYOND: "layer", LACKING: "categories"}
    alone = {BEYOND: "unique to layer", LACKING: "unique to categories"}
    for claim, name in said.items():
        one = found.parts[name]
        yield Claim(
            claim, model, f"{CLEAN}: {found.target.region}", _PUBLISHED[claim],
            f"{found.target.region}: partial correlation of the {name} {_range(one.value, one.low, one.high)} "
            f"(without control {_number(found.parts[whole[claim]].value)}); "
            f"{_percent(found.parts[alone[claim]].value)} of the variance of a subject's ranks is {alone[claim]}, "
            f"{_percent(found.parts['shared'].value)} shared.",
            direction(one.low, one.high),
            "agrees if the interval of the partial correlation is above 0",
            one.value, one.low, one.high,
        )  # fmt: skip


def _of_mixed(model: str, region: str, found: Mixed) -> Iterator[Claim]:
    numbers = found.numbers
    low, high = numbers["ceiling low"], numbers["ceiling high"]
    for claim, kind in zip((NOT_ALL, LAYERS_ALL, MIXED_ALL), KINDS, strict=True):
        one = numbers[f"{kind} less ceiling"]
        yield Claim(
            claim, model, f"{CLEAN}: {region}, held-out images", _PUBLISHED[claim],
            f"{region}: {kind} {_number(numbers[kind].value)}, noise ceiling {_number(low.value)} – "
            f"{_number(high.value)}; less the lower ceiling {_range(one.value, one.low, one.high)}.",
            _short(one.low, one.high, low.low) if claim == NOT_ALL else _reached(one.high, low.low),
            _CEILING_RULE,
            one.value, one.low, one.high,
        )  # fmt: skip
    gain = numbers["gain"]
    yield Claim(
        GAIN, model, f"{CLEAN}: {region}, held-out images", _PUBLISHED[GAIN],
        f"{region}: weighted layers less the best single layer {_range(gain.value, gain.low, gain.high)}.",
        direction(gain.low, gain.high),
        "agrees if the interval is above 0",
        gain.value, gain.low, gain.high,
    )  # fmt: skip


_CEILING_RULE = (
    "IT counts as fully explained if the interval of the score less the lower noise ceiling reaches 0, as falling "
    "short if it stays below; undecided where the ceiling itself is not above 0"
)


def _short(low: float, high: float, ceiling: float) -> Verdict:
    return direction(low, high, expected=-1) if ceiling > 0 else "undecided"


def _reached(high: float, ceiling: float) -> Verdict:
    if not ceiling > 0 or math.isnan(high):
        return "undecided"
    return "agrees" if high >= 0 else "differs"


def _number(value: float) -> str:
    return "n/a" if np.isnan(value) else f"{value:.2f}".replace("-", "−")


def _range(value: float, low: float, high: float) -> str:
    return f"{_number(value)} (95 % {_number(low)} – {_number(high)})"


def _probability(p: float) -> str:
    return "< 0.001" if p < 0.001 else "n/a" if np.isnan(p) else f"{p:.3f}"


def _percent(share: float) -> str:
    return "n/a" if np.isnan(share) else f"{100 * share:.1f} %".replace("-", "−")
