"""What the specifications say together: theirs beside ours, network by network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from probekit.analyses.studies.banino2018_lesion.specified import INSIDE, READ
from probekit.analyses.ventral.claims import Claim, Verdict, not_tested
from probekit.stats.fdr import benjamini_hochberg

_THEIRS = "Silencing the most grid-like units of the agent's network lowers its performance more than other lesions"
_TASK = "path integration"


def claims(specifications: pd.DataFrame) -> Iterator[Claim]:
    """Yield the claims of each trained network, then those of all together."""
    trained = specifications[specifications["network"] == "trained"]
    for (model, ranking), rows in trained.groupby(["model", "ranking"], sort=False):
        here = rows[rows["task"] == _TASK]
        planted = "" if ranking == "gridness" else f"; {ranking}"
        for site in (INSIDE, READ):
            at = here[here["site"] == site]
            yield _against_random(str(model), f"{site}{planted}", at)
            yield _against_matched(str(model), f"{site}{planted}", at)
            yield from _against_rivals(str(model), f"{site}{planted}", at)
    yield _together(trained)


def _against_random(model: str, site: str, rows: pd.DataFrame) -> Claim:
    claim, variant = "They matter more than units at random", f"{site}; not matched"
    of = rows[rows["matched_on"] == "nothing"]
    if of.empty:
        return _untested(claim, model, variant, "not measured")
    q = benjamini_hochberg(of["p_random"].to_numpy())
    worse = (of["score_targeted"] > of["score_random"]).to_numpy()
    more, less = int(((q <= 0.05) & worse).sum()), int(((q <= 0.05) & ~worse).sum())
    return _counted(claim, model, variant, of, more, less, "sets of as many units at random")


def _against_matched(model: str, site: str, rows: pd.DataFrame) -> Claim:
    claim, variant = "They matter more than units like them", f"{site}; every matching"
    of = rows[(rows["matched_on"] != "nothing") & (rows["verdict"] != "not tested")]
    if of.empty:
        return _untested(claim, model, variant, "no honest sham at any dose")
    more, less = int((of["verdict"] == "more").sum()), int((of["verdict"] == "less").sum())
    return _counted(claim, model, variant, of, more, less, "matched shams")


def _untested(claim: str, model: str, variant: str, reason: str) -> Claim:
    return replace(not_tested(claim, _THEIRS, reason, model=model), variant=variant)


def _counted(claim: str, model: str, variant: str, of: pd.DataFrame, more: int, less: int, than: str) -> Claim:
    """Return a claim from how many of its specifications are significant in either direction."""
    n = len(of)
    verdict: Verdict = "agrees" if more > n / 2 and not less else "differs" if not more else "undecided"
    effect = float((of["score_targeted"] - of["score_random"]).median() if "not matched" in variant
                   else of["effect_adjusted"].median())  # fmt: skip
    ours = (
        f"In {more} of {n} specifications they matter more than {than}, in {less} less; median effect {effect:+.1f} cm"
    )
    reason = "agrees if more than half say more and none less; differs if none says more (q ≤ .05)"
    return Claim(claim, model, variant, _THEIRS, ours, verdict, reason, effect)


def _against_rivals(model: str, site: str, rows: pd.DataFrame) -> Iterator[Claim]:
    one = rows[rows["matched_on"] == "nothing"].sort_values("dose")
    for column, kind in (("score_border", "border-like"), ("score_head_direction", "heading-tuned")):
        claim = f"They matter more than the most {kind} units"
        away = (one["score_targeted"] - one[column]).to_numpy()
        if not len(away):
            yield _untested(claim, model, f"{site}; as many units", "not measured")
            continue
        more = int((away > 0).sum())
        verdict: Verdict = "agrees" if more == len(away) else "differs" if not more else "undecided"
        yield Claim(
            claim,
            model,
            f"{site}; as many units",
            _THEIRS,
            f"At {more} of {len(away)} doses the error is larger without grid-like units; median difference "
            f"{np.median(away):+.1f} cm",
            verdict,
            "the same doses of either kind; not a test: the two kinds differ in more than their kind",
            float(np.median(away)),
        )


def _together(trained: pd.DataFrame) -> Claim:
    claim = "The verdict does not turn on what is chosen"
    of = trained[(trained["matched_on"] != "nothing") & (trained["verdict"] != "not tested")]
    if of.empty:
        return not_tested(claim, "", "no specification could be tested")
    shares = of["verdict"].value_counts(normalize=True)
    largest = float(shares.max())
    listed = ", ".join(f"{name} {count}" for name, count in of["verdict"].value_counts().items())
    return Claim(
        claim,
        "",
        "all networks, places, tasks, matchings and doses",
        "One lesion of one network is reported",
        f"Of {len(of)} tested specifications: {listed}",
        "agrees" if largest == 1 else "undecided" if largest > 0.9 else "differs",
        "agrees if all verdicts are the same; differs if fewer than nine in ten are",
        largest,
    )
