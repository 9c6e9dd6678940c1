"""What as few sets of controls can show at all: the smallest p, and how often the correction asks for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from probekit.analyses.causal.rows import ALPHA
from probekit.reports.sections.lesion_effect.counting import counted
from probekit.reports.sections.lesion_effect.view import Series, View
from probekit.reports.words import number, plural


def smallest_p(rows: pd.DataFrame) -> float:
    """Return the smallest p that as many sets can give."""
    n = float(rows["n_sham"].max()) if len(rows) else np.nan
    return 2 / (n + 1) if np.isfinite(n) else np.nan


def needed(view: View) -> tuple[int, int]:
    """Return how many tests must have the smallest p for any to have q ≤ .05, and how many tests there are."""
    n = int(view.rows["p"].notna().sum())
    p = smallest_p(view.rows)
    return (math.ceil(n * p / ALPHA - 1e-9) if np.isfinite(p) else 0), n


def out_of_reach(view: View) -> bool:
    """Say whether no result whatever could be significant with as few sets."""
    least, n = needed(view)
    return least > n


def why_out_of_reach(view: View, series: Sequence[Series]) -> str:
    """Return why, and what is seen all the same."""
    rows = pd.concat([one.rows for one in series])
    floor = smallest_p(view.rows)
    sign = np.concatenate([np.full(len(one.rows), one.scale.sign) for one in series])
    lowest = (rows["p"].to_numpy(dtype=float) <= floor + 1e-9) & (
        sign * rows["effect_adjusted"].to_numpy(dtype=float) > 0
    )
    n = int(rows["n_sham"].max())
    return (
        f"with {n} sets of each control p is never below {number(floor, 3)}, and {ALPHA} is asked for; at "
        f"{int(lowest.sum())} of {plural(len(rows), 'comparison')} the target does more "
        "harm than every set it is compared with"
    )


def weakness(view: View) -> list[str]:
    """Say, once, where nothing was found and hardly could have been."""
    least, tests = needed(view)
    n = counted(view.series)
    if n.more or n.less or not tests / 2 < least <= tests:
        return []
    return [
        f"This run could hardly have shown more: p is never below {number(smallest_p(view.rows), 3)}, and q ≤ {ALPHA} "
        f"asks for that in {least} of {plural(tests, 'test')}."
    ]
