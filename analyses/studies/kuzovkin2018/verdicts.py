"""What became of each claim, by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from probekit.analyses.studies.kuzovkin2018.alignment import ALPHA
from probekit.analyses.studies.kuzovkin2018.measured import Measured
from probekit.analyses.studies.kuzovkin2018.scoring import CLEAN, CLEAN_Q, PUBLISHED, PUBLISHED_ALPHA
from probekit.analyses.ventral.claims import Claim, Verdict, direction, not_tested

GAMMA = "Activity of electrodes in the gamma band (30 – 70 Hz) matches the hierarchy of a network's layers"
THEIRS = "Gamma activity matched the increasing complexity of features in the layers (abstract; electrodes)"
ALIGNED = {
    "fMRI": "Higher areas go with deeper layers",
    "planted": "Planted: higher areas follow deeper layers",
    "noise": "Noise: areas go with no layers",
}
BEYOND = "The alignment is greater than that of the same network with random weights"
BEYOND_THEIRS = "Tested against a network with random weights (released analysis)"
SCORED = "A probe counts for a layer only if it follows it"
COUNTED_THEIRS = f"p ≤ {PUBLISHED_ALPHA} by formula and by 10,000 orders of the stimuli (released code)"
ALIGNMENT_P = "The p of the alignment is that of chance"
ALIGNMENT_P_THEIRS = "Kendall’s tau, each pair of area and layer an observation (released code)"
_NOT_THEIRS = "Not in the publication: this is a check of the method"
_Z = 1.96


def claims(measured: Sequence[Measured], noise: xr.DataArray) -> Iterator[Claim]:
    """Yield the claims on one network.

    Parameters
    ----------
    measured : sequence of Measured
        Of one network, its twins, and one brain or several, in every variant.
    noise : xarray.DataArray
        As `false_positives` returns it.
    """
    model = measured[0].system.model
    yield not_tested(
        GAMMA,
        THEIRS,
        "The intracranial recordings are not among the data: fMRI regions or planted ones stand for electrodes here, "
        "so that nothing is said of frequency bands.",
        model=model,
    )
    for one in measured:
        if one.system.network == "trained":
            yield _aligned(one)
    yield from _beyond_twins(measured)
    yield from _scored(model, noise)
    yield from (_alignment_p(one) for one in measured if one.system.network == "trained" and _is_published(one))


def beyond(trained: Measured, twins: Sequence[Measured]) -> tuple[float, float, float]:
    """Return by how much a network's tau exceeds its twins', with the 95 % interval over people; missing tau is 0."""
    difference = np.nan_to_num(trained.alignment.tau) - np.mean([np.nan_to_num(one.alignment.tau) for one in twins])
    drawn = np.nan_to_num(trained.alignment.drawn) - np.mean(
        [np.nan_to_num(one.alignment.drawn) for one in twins], axis=0
    )
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(difference), float(low), float(high)


def twins_of(trained: Measured, measured: Sequence[Measured]) -> list[Measured]:
    """Return the untrained twins in the same variant and brain."""
    return [
        one
        for one in measured
        if one.system.network == "untrained" and one.variant == trained.variant and one.brain is trained.brain
    ]


def _aligned(one: Measured) -> Claim:
    found, kind = one.alignment, one.brain.kind
    p = found.formula_p if _is_published(one) else found.p
    ours = (
        f"tau {_number(found.tau)} ({_interval(found.low, found.high)}), p {_p(p)}; {found.n_pairs:,} pairs of area "
        f"and layer; volume {_number(one.volume)}; high to low layers {_number(one.high_to_low)}"
    )
    if np.isnan(found.tau):
        ours = f"No tau: {found.n_pairs:,} pairs of area and layer count; volume {_number(one.volume)}"
    rests = (
        "p by the formula"
        if _is_published(one)
        else "p by exchanging areas within people, and the interval over people"
    )
    return Claim(
        ALIGNED[kind], one.system.model, one.variant.name, THEIRS if kind == "fMRI" else _NOT_THEIRS, ours,
        _verdict(one, p), f"Areas: {', '.join(one.brain.regions)}. Rests on {rests}.",
        found.tau, found.low, found.high, p,
    )  # fmt: skip


def _verdict(one: Measured, p: float) -> Verdict:
    found = one.alignment
    significant = bool(p < ALPHA)
    if one.brain.kind == "noise":
        return "differs" if significant else "agrees"
    if _is_published(one):
        return "undecided" if not significant else "agrees" if found.tau > 0 else "differs"
    verdict = direction(found.low, found.high)
    return "undecided" if verdict == "agrees" and not significant else verdict


def _beyond_twins(measured: Sequence[Measured]) -> Iterator[Claim]:
    for one in measured:
        twins = twins_of(one, measured)
        if one.system.network != "trained" or one.brain.kind == "noise" or not twins:
            continue
        difference, low, high = beyond(one, twins)
        theirs = BEYOND_THEIRS if one.brain.kind == "fMRI" else _NOT_THEIRS
        untrained = " and ".join(_number(twin.alignment.tau) for twin in twins)
        yield Claim(
            BEYOND, one.system.model, one.variant.name, theirs,
            f"tau {_number(one.alignment.tau)}, untrained {untrained}: difference {_number(difference)} "
            f"({_interval(low, high)})",
            direction(low, high), "The interval is over people.", difference, low, high,
        )  # fmt: skip


def _scored(model: str, noise: xr.DataArray) -> Iterator[Claim]:
    def of(name: str, number: str) -> float:
        return float(noise.sel(procedure=name, number=number))

    low, high = of(PUBLISHED.name, "formula_low"), of(PUBLISHED.name, "formula_high")
    share = of(PUBLISHED.name, "formula")
    yield Claim(
        SCORED, model, "as published, formula alone", _NOT_THEIRS,
        f"{_percent(share)} of noise probes and layers pass at p ≤ {PUBLISHED_ALPHA} (mean r "
        f"{_number(of(PUBLISHED.name, 'mean_r'), 3)}); not scaled {_percent(of('square, not scaled', 'formula'))}; "
        f"scaled but without the diagonal {_percent(of('scaled, no diagonal', 'formula'))}; each pair once "
        f"{_percent(of(CLEAN.name, 'formula'))}",
        "differs" if low > PUBLISHED_ALPHA else "agrees",
        "The diagonal, 0 in both matrices, is counted as agreement; pairs of one RDM are not independent.",
        share, low, high,
    )  # fmt: skip
    for name, theirs, nominal in (
        (PUBLISHED.name, COUNTED_THEIRS, PUBLISHED_ALPHA),
        (CLEAN.name, _NOT_THEIRS, CLEAN_Q),
    ):
        counted, low, high = (of(name, f"counted{end}") for end in ("", "_low", "_high"))
        yield Claim(
            SCORED, model, name, theirs,
            f"{_percent(counted)} of noise probes and layers count in the end; {_percent(of(name, 'permutation'))} "
            "have p ≤ 0.05 by permutation",
            "differs" if low > nominal else "agrees",
            f"Agrees unless the 95 % interval over probes lies above the nominal {nominal:g}.", counted, low, high,
        )  # fmt: skip


def _alignment_p(one: Measured) -> Claim:
    share, n = one.alignment.false_share, one.alignment.n_exchanges
    half = _Z * np.sqrt(max(share * (1 - share), 1 / n) / n)
    verdict: Verdict = "differs" if share - half > ALPHA else "agrees"
    if one.alignment.n_pairs == 0:
        return not_tested(
            ALIGNMENT_P, ALIGNMENT_P_THEIRS, f"No layer counts for a probe of the {one.brain.kind} brain.",
            model=one.system.model,
        )  # fmt: skip
    return Claim(
        ALIGNMENT_P, one.system.model, one.variant.name, ALIGNMENT_P_THEIRS,
        f"{one.brain.kind}: p by the formula is below 0.05 in {_percent(share)} of orders in which areas are "
        "exchanged within people, so that nothing is to be found",
        verdict, "A probe counts for many layers at once, which are not independent.",
        share, share - half, share + half,
    )  # fmt: skip


def _is_published(one: Measured) -> bool:
    return one.variant.procedure == PUBLISHED


def _number(value: float, digits: int = 2) -> str:
    text = f"{value:.{digits}f}"
    return "n/a" if np.isnan(value) else text.replace("-", "−") if float(text) else text.lstrip("-")


def _interval(low: float, high: float) -> str:
    return f"95 % interval {_number(low)} – {_number(high)}"


def _p(p: float) -> str:
    return "n/a" if np.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
