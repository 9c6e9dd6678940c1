"""What became of each claim, by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from probekit.analyses.studies.cichy2016 import meg
from probekit.analyses.studies.cichy2016.geometry import Geometry
from probekit.analyses.studies.cichy2016.readout import CHANCE, Readout
from probekit.analyses.studies.cichy2016.space import CLEAN, DEEP, PUBLISHED, SHALLOW, SubjectTrend
from probekit.analyses.studies.cichy2016.timing import LEAST_LAYERS, Timing
from probekit.analyses.ventral.claims import Claim, Verdict, direction, not_tested
from probekit.analyses.ventral.depths import Depths

ALPHA = 0.05
IN_SPACE = "In space: the further along the ventral stream a region, the deeper the layer that is like it"
IN_TIME = "In time: the later after stimulus onset, the deeper the layer that the brain is like"
TRAINED = "Training is necessary for the hierarchical relationship in space"
THEIRS_SPACE = "The network captures stages of processing from early visual areas towards the ventral stream (abstract)"
THEIRS_TIME = (
    "An ordered relationship between the stages of processing in a network and the time course with which object "
    "representations emerge (introduction)"
)
THEIRS_TRAINING = "Training on real-world categorisation was necessary to enforce the relationship (abstract)"
NOT_THEIRS = "Not a claim of the publication"
HOW_TO_GET = (
    "The MEG data are not here. They are free but not ours to give: `probekit data fetch cichy2016` says where to get "
    f"{' and '.join(meg.FILES)} and where to put them; then this claim is tested."
)
_BY_P = "By the sign and the p of a sign permutation over subjects"
_BY_INTERVAL = "By whether the 95 % interval, over a bootstrap of stimuli and subjects, excludes 0"


def by_p(value: float, p: float, *, expected: int = 1) -> Verdict:
    """Return the verdict on a number of which a sign was expected, from its two-sided p."""
    if np.isnan(value) or np.isnan(p) or p >= ALPHA:
        return "undecided"
    return "agrees" if (value > 0) == (expected > 0) else "differs"


def clean_claims(model: str, suffix: str, trained: Depths, twins: Sequence[Depths]) -> Iterator[Claim]:
    """Yield what the best layers and their order say, of the network and beside its twins, in the clean variant."""
    variant = f"{CLEAN}{suffix}"
    best = {region: trained.layers[trained.best[region + suffix]] for region in (SHALLOW, DEEP)}
    low, high = trained.interval(trained.difference)
    yield Claim(
        IN_SPACE, model, variant, THEIRS_SPACE,
        f"EVC{suffix} is most like {best[SHALLOW]}, IT{suffix} most like {best[DEEP]}: {signed(trained.observed, 0)} "
        f"of {len(trained.layers)} layers ({ends(low, high, 0)})",
        direction(low, high), f"Best layers; {_BY_INTERVAL.lower()}", trained.observed, low, high,
    )  # fmt: skip
    low, high = trained.interval(trained.trend)
    beside = [f"{signed(one.observed_trend)} ({ends(*one.interval(one.trend))})" for one in twins]
    yield Claim(
        IN_SPACE, model, variant, THEIRS_SPACE,
        f"Rank correlation of depth with the similarity to IT less that to EVC: {signed(trained.observed_trend)} "
        f"({ends(low, high)}){'; untrained twins ' + ', '.join(beside) if beside else ''}",
        direction(low, high), f"All layers; {_BY_INTERVAL.lower()}", trained.observed_trend, low, high,
    )  # fmt: skip
    if twins:
        more = trained.trend - np.mean([one.trend for one in twins], axis=0)
        observed = trained.observed_trend - float(np.mean([one.observed_trend for one in twins]))
        low, high = trained.interval(more)
        yield Claim(
            TRAINED, model, variant, THEIRS_TRAINING,
            f"That rank correlation is {signed(observed)} beside the mean of {len(twins)} untrained twins "
            f"({ends(low, high)})",
            direction(low, high), f"{_BY_INTERVAL}; the same draws for all", observed, low, high,
        )  # fmt: skip


def published_claims(
    model: str, suffix: str, trained: SubjectTrend, gain: SubjectTrend | None, fits: pd.DataFrame
) -> Iterator[Claim]:
    """Yield the same in the variant as published; `fits` are the rows of the network and its twin in that variant."""
    variant = f"{PUBLISHED}{suffix}"
    yield Claim(
        IN_SPACE, model, variant, THEIRS_SPACE,
        f"{_best(fits, suffix)}. Rank correlation of depth with the similarity to IT less that to EVC, mean of "
        f"subjects: {signed(trained.mean)} ({ends(trained.low, trained.high)})",
        by_p(trained.mean, trained.p), f"{_BY_P}; other stimuli are not considered",
        trained.mean, trained.low, trained.high, trained.p,
    )  # fmt: skip
    if gain is not None:
        yield Claim(
            TRAINED, model, variant, THEIRS_TRAINING,
            f"That rank correlation is {signed(gain.mean)} beside an untrained twin ({ends(gain.low, gain.high)})",
            by_p(gain.mean, gain.p), f"{_BY_P}; other stimuli are not considered",
            gain.mean, gain.low, gain.high, gain.p,
        )  # fmt: skip


def _best(fits: pd.DataFrame, suffix: str) -> str:
    """Return how many layers are like each region, and the best of them, beside those of the twin."""
    told = []
    for region in (SHALLOW, DEEP):
        by_network = {
            network: _counted(rows)
            for network, rows in fits[fits["region"] == region + suffix].groupby("network", sort=False)
        }
        beside = f" (untrained twin: {by_network['untrained']})" if "untrained" in by_network else ""
        told.append(f"Like {region}{suffix} are {by_network['trained']}{beside}")
    return "; ".join(told)


def _counted(rows: pd.DataFrame) -> str:
    if not rows["score"].notna().any():
        return f"0 of {len(rows)} layers"
    best = rows["layer"].iloc[int(rows["score"].argmax())]
    return f"{int((rows['q'] < ALPHA).sum())} of {len(rows)} layers, best {best} with {number(rows['score'].max())}"


def meg_claim(model: str, found: Timing, twin: Timing | None) -> Claim:
    """Return what recorded MEG says."""
    beside = f"; untrained twin: {_order(twin)}" if twin is not None else ""
    return _in_time(IN_TIME, model, "as published, MEG", THEIRS_TIME, f"{_order(found)}{beside}", found)


def meg_not_tested(*, synthetic: bool) -> Claim:
    """Return that no recorded MEG was looked at."""
    return not_tested(IN_TIME, THEIRS_TIME, "Only planted brains were asked for" if synthetic else HOW_TO_GET)


def planted_meg_claims(model: str, found: Timing, nothing: Timing) -> Iterator[Claim]:
    """Yield what is found in planted MEG and in noise: a check of the method, not of the brain."""
    expected = meg.planted_peaks(found.depth)
    off = float(np.nanmedian(np.abs(found.peak_ms - expected))) if found.n_followed else float("nan")
    yield _in_time(
        "Check of the method: planted MEG in which deeper layers come later is found so", model, "planted MEG",
        f"Planted: the first layer at {meg.ONSET_MS:.0f} ms, the last at {meg.END_MS:.0f} ms",
        f"{_order(found)}; peaks are off by {off:.0f} ms (median)", found,
    )  # fmt: skip
    yield Claim(
        "Check of the method: in MEG of noise nothing is found", model, "noise MEG", "Planted: nothing",
        f"{nothing.n_followed} of {len(nothing.layers)} layers are like it at any moment",
        "agrees" if nothing.n_followed == 0 else "differs",
        "By cluster tests that correct for layers and moments; one run in twenty finds something by chance",
        float(nothing.n_followed),
    )  # fmt: skip


def _in_time(claim: str, model: str, variant: str, published: str, ours: str, found: Timing) -> Claim:
    test = found.test
    reason = f"{_BY_P} on their own rank correlations; the interval is of the group's, over a bootstrap of subjects"
    if test is None:
        return Claim(claim, model, variant, published, ours, "undecided", f"Fewer than {LEAST_LAYERS} layers to order")
    verdict = by_p(test.mean, test.p)
    return Claim(
        claim, model, variant, published, ours, verdict, reason, found.trend, found.trend_low, found.trend_high, test.p
    )


def _order(found: Timing) -> str:
    said = f"{found.n_followed} of {len(found.layers)} layers are like it at some moment"
    if found.test is None:
        return said
    return (
        f"{said}; rank correlation of their depth with the latency of their peak {signed(found.trend)} "
        f"({ends(found.trend_low, found.trend_high)}), mean of subjects {signed(found.test.mean)}, "
        f"{p_said(found.test.p)}"
    )


def neuron_claims(kind: str, read: Readout, seen: Geometry) -> Iterator[Claim]:
    """Yield what neurons tell of objects and positions; `kind` is "" for recorded ones, "planted" or "noise"."""
    variant = f"{kind or 'IT'} neurons, decoding"
    peaks = {curve: read.peak(curve) for curve in ("object", "position")}
    told = [
        f"{curve} {score:.2f} at {number(when, 0)} ms (chance {CHANCE[curve]:.2f}, {p_said(p)})"
        for curve, (score, when, p) in peaks.items()
    ]
    decoded = all(p < ALPHA for _, _, p in peaks.values())
    yield Claim(
        "IT neurons tell both what an object is and where it is", "", variant, _published(kind, "Identity and position "
        "are decoded from about 200 IT neurons (Zhang 2011, abstract)"),
        f"Share decoded: {', '.join(told)}", "agrees" if decoded else "undecided",
        "By the highest accuracy over all windows of data with shuffled labels",
        peaks["object"][0], p=max(p for _, _, p in peaks.values()),
    )  # fmt: skip
    yield Claim(
        "What tells objects apart at one position does so at others", "", variant, _published(kind, NOT_THEIRS),
        f"Taught at one position and tested at another: {read.generalisation:.2f} (at the same "
        f"{float(np.diag(read.invariance).mean()):.2f}, chance {CHANCE['object']:.2f})",
        "agrees" if read.generalisation_p < ALPHA else "undecided", "By data with shuffled labels",
        read.generalisation, p=read.generalisation_p,
    )  # fmt: skip
    yield from (_latency_claim(kind, seen, name) for name in seen.latency)


def _latency_claim(kind: str, seen: Geometry, name: str) -> Claim:
    claim = f"Information on the object and on the position have their {name} at different times"
    variant = f"{kind or 'IT'} neurons, RSA over time"
    published = _published(kind, NOT_THEIRS)
    lacking = [model for model in ("object", "position") if seen.p(model) >= ALPHA]
    if lacking:
        ours = f"No cluster of moments with information on the {' or the '.join(lacking)}"
        return Claim(claim, "", variant, published, ours, "undecided", "There is nothing to be timed")
    one, n_tests = seen.latency[name], len(seen.latency)
    p = min(1.0, n_tests * one.p)
    return Claim(
        claim, "", variant, published,
        f"Object {one.object:.0f} ± {one.object_se:.0f} ms, position {one.position:.0f} ± {one.position_se:.0f} ms: "
        f"{signed(one.difference, 0)} ms ({ends(one.low, one.high, 0)}; {p_said(p)})",
        "agrees" if p < ALPHA else "undecided",
        f"By a {'jackknife' if name == 'onset' else 'bootstrap'} over {seen.n_neurons} neurons; p is corrected for "
        f"{n_tests} latencies, the interval is not; ± standard error",
        one.difference, one.low, one.high, p,
    )  # fmt: skip


def never_tested() -> Iterator[Claim]:
    """Yield the claims for which no reader has what they need here."""
    yield not_tested(
        "Layers correspond to IT neurons in time", NOT_THEIRS,
        "The images that the neurons of Zhang 2011 saw were not published with them, so that no network can see them",
    )  # fmt: skip
    yield not_tested(
        "The correspondence holds in the dorsal stream", "Towards the dorsal and ventral streams (abstract)",
        "Published with the data are RDMs of early visual cortex and IT, no whole brain to search",
    )  # fmt: skip


def _published(kind: str, theirs: str) -> str:
    planted = "Planted: objects from 100 ms, positions from 150 ms, at all positions alike"
    return {"": theirs, "planted": planted, "noise": "Planted: nothing"}[kind]


def number(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign, never −0."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign."""
    text = number(value, digits)
    return text if text.startswith("−") else f"+{text}"


def ends(low: float, high: float, digits: int = 2) -> str:
    """Return a 95 % interval in words."""
    return f"95 % {number(low, digits)} … {number(high, digits)}"


def p_said(p: float) -> str:
    """Return a p value in words."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
