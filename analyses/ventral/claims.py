"""Claims of a publication and what became of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from probekit.analyses.ventral.columns import CLAIMS

Verdict = Literal["agrees", "differs", "undecided", "not tested"]


@dataclass(frozen=True)
class Claim:
    """One claim, theirs beside ours; the fields are the columns that `CLAIMS` declares."""

    claim: str
    model: str
    variant: str
    published: str
    ours: str
    verdict: Verdict
    reason: str
    value: float = math.nan
    value_low: float = math.nan
    value_high: float = math.nan
    p: float = math.nan


def not_tested(claim: str, published: str, reason: str, *, model: str = "") -> Claim:
    """Return a claim for which something is missing, with the reason."""
    return Claim(claim, model, "", published, "", "not tested", reason)


def direction(low: float, high: float, *, expected: int = 1) -> Verdict:
    """Return the verdict on a difference of which a sign was expected, from its interval."""
    if math.isnan(low) or math.isnan(high) or low <= 0 <= high:
        return "undecided"
    return "agrees" if (low > 0) == (expected > 0) else "differs"


def claims_table(claims: Iterable[Claim]) -> pd.DataFrame:
    """Return the claims as a table with the columns of `CLAIMS`."""
    names = [column.name for column in CLAIMS]
    return pd.DataFrame([asdict(claim) for claim in claims], columns=names)
