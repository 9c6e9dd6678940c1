"""From outcomes of lesions to rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from probekit.analyses.causal.comparison import ROUNDING, Comparison, compare_with_controls
from probekit.analyses.causal.design import FAIR, POOR, Ranked
from probekit.analyses.causal.experiment import Outcome

ALPHA = 0.05
_NO_EFFECT = "no lesion changed any score: it is at its end, or what is lesioned is not read"
_ONE_SET = "no sham: the untargeted units are no more than the targeted ones, so that only one set of them exists"


def compared(outcome: Outcome, ranked: Ranked, rng: np.random.Generator) -> Comparison:
    """Return how the target of a dose differs from its controls."""
    dose = outcome.dose
    return compare_with_controls(
        outcome.trials("targeted")[0],
        outcome.trials("sham") if "sham" in outcome.controls else None,
        outcome.trials("permuted"),
        outcome.trials("random"),
        covariates=dose.mean_covariates(ranked),
        overlap=np.isin(dose.controls["permuted"], dose.targeted).mean(1),
        rng=rng,
    )


def dose_row(
    keys: Mapping[str, Any], outcome: Outcome, ranked: Ranked, found: Comparison, n_sham: int
) -> dict[str, Any]:
    """Return the row of a dose, its q and verdict still to come."""
    dose, matched = outcome.dose, bool(ranked.variables)
    worst, reason = dose.worst_difference, ""
    match = "not asked" if not matched else "good" if worst <= FAIR else "poor" if worst <= POOR else "none"
    p = found.p
    if "sham" not in outcome.controls:
        match, reason = "none", _ONE_SET
    elif match == "none":
        variable = ranked.variables[int(np.abs(dose.difference).argmax())]
        reason = f"no honest match: shams differ in {variable} by {worst:.2f} standard deviations, above {POOR:g}"
    detectable = found.detectable
    if _nothing_changed(outcome):
        match, reason, p, detectable = "none", _NO_EFFECT, np.nan, np.inf
    if match == "none":
        p = np.nan
    sham = outcome.trials("sham").mean(1) if "sham" in outcome.controls else np.array([])
    return {
        **keys,
        "dose": dose.share,
        "n_lesioned": len(dose.targeted),
        "score_intact": float(outcome.trials("intact").mean()),
        "score_targeted": float(outcome.trials("targeted").mean()),
        "score_sham": float(sham.mean()) if len(sham) else np.nan,
        "sham_sd": float(sham.std(ddof=1)) if len(sham) else np.nan,
        "score_random": float(outcome.trials("random").mean()),
        "score_reversed": float(outcome.trials("reversed").mean()),
        "effect": found.effect,
        "effect_low": found.low,
        "effect_high": found.high,
        "effect_size": found.effect_size,
        "effect_adjusted": found.adjusted,
        "p": p,
        "q": np.nan,
        "p_random": found.p_random,
        "detectable_effect": detectable,
        "n_sham": n_sham,
        "match_difference": worst,
        "match_difference_before": float(np.abs(dose.difference_before).max()) if matched else 0.0,
        "match": match,
        "verdict": "",
        "nan_reason": reason,
    }


def _nothing_changed(outcome: Outcome) -> bool:
    """Say whether no lesion of the dose, targeted or control, changed the score of any trial."""
    intact = outcome.trials("intact")
    kinds = ("targeted", "reversed", *outcome.controls)
    return all(np.allclose(outcome.trials(kind), intact, rtol=ROUNDING, atol=0) for kind in kinds)


def verdict_of(q: float, effect: float, *, higher_is_better: bool) -> str:
    """Return whether a target matters more or less than its controls."""
    if not np.isfinite(q):
        return "not tested"
    if q > ALPHA:
        return "no difference"
    return "more" if (effect < 0) == higher_is_better else "less"


def overall(verdicts: Sequence[str]) -> str:
    """Return what the verdicts of several doses say together.

    >>> overall(["more", "no difference"]), overall(["more", "less"]), overall(["more", "more"])
    ('depends on the dose', 'mixed', 'more')
    """
    tested = [one for one in verdicts if one != "not tested"]
    kinds = set(tested)
    if not tested:
        return "not tested"
    if {"more", "less"} <= kinds:
        return "mixed"
    return tested[0] if len(kinds) == 1 else "depends on the dose"
