"""How scores of a task are said and drawn: in its own unit, accuracies as percentages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probekit.analyses.lesion_effect.faces import CONTRASTS
from probekit.reports.words import missing, number, plain, short_name

_ACCURACIES = {"classification", "accuracy", "all conditions", "faces less the rest", *CONTRASTS}
_KNOWN = {
    "gridness": ("its most grid-like units", "gridness"),
    "border_score": ("its most border-like units", "border score"),
}


@dataclass(frozen=True)
class Scale:
    """The unit of a task.

    Parameters
    ----------
    factor : float
        From the table's numbers to those that are printed.
    unit, difference_unit : str
        Of scores, and of their differences; "" for pure numbers.
    sign : int
        What makes a difference of scores harm: 1 for errors, −1 for scores that are better the higher they are.
    """

    factor: float
    unit: str
    difference_unit: str
    sign: int

    def score(self, value: float) -> str:
        """Return a score with its unit."""
        return _with(self.bare(value), self.unit)

    def difference(self, value: float) -> str:
        """Return a difference of scores with its unit."""
        return _with(self.bare(value), self.difference_unit)

    def interval(self, low: float, high: float) -> str:
        """Return two ends of differences with their unit, once where they are the same."""
        ends = [self.bare(low), self.bare(high)]
        return _with(ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}", self.difference_unit)

    def bare(self, value: float) -> str:
        """Return a value without its unit, about three digits."""
        if missing(value):
            return "unknown"
        shown = self.factor * value
        size = abs(shown)
        if 1e-9 < size < 0.005 or size >= 1e5:
            return plain(float(f"{shown:.2g}"))
        return number(shown, 0 if self.unit == "%" or size >= 100 else 1 if size >= 10 else 2)

    def axis(self, said: str, *, difference: bool = False) -> str:
        """Return the words beside an axis."""
        unit = self.difference_unit if difference else self.unit
        return f"{said} ({unit})" if unit else said


def _with(said: str, unit: str) -> str:
    return f"{said}\u00a0{unit}" if unit and said != "unknown" else said


def scale_of(unit: str, task: str, *, higher_is_better: bool) -> Scale:
    """Return how a task's scores are said."""
    sign = -1 if higher_is_better else 1
    if not unit and task in _ACCURACIES:
        return Scale(100.0, "%", "percentage points", sign)
    return Scale(1.0, unit, unit, sign)


def units_of(ranking: str) -> str:
    """Return what the highest-ranked units are called.

    >>> units_of("gridness"), units_of("d_prime_faces"), units_of("weight_norm")
    ('its most grid-like units', 'its units most selective for faces', 'its units that rank highest by weight norm')
    """
    if ranking in _KNOWN:
        return _KNOWN[ranking][0]
    if ranking.startswith("d_prime_"):
        return f"its units most selective for {words_of(ranking.removeprefix('d_prime_'))}"
    return "its highest-ranked units" if ranking == "given" else f"its units that rank highest by {words_of(ranking)}"


def ranking_words(ranking: str) -> str:
    """Return what units are ranked by.

    >>> ranking_words("d_prime_faces"), ranking_words("border_score"), ranking_words("given")
    ('d′ for faces', 'border score', 'rank')
    """
    if ranking in _KNOWN:
        return _KNOWN[ranking][1]
    if ranking.startswith("d_prime_"):
        return f"d′ for {words_of(ranking.removeprefix('d_prime_'))}"
    return "rank" if ranking == "given" else words_of(ranking)


def words_of(name: str) -> str:
    """Return a column's name as words.

    >>> words_of("mean_activity")
    'mean activity'
    """
    return short_name(name.replace("_", " "), 32)


def dose_words(share: float) -> str:
    r"""Return a dose as a percentage.

    >>> [dose_words(share).replace("\u00a0", " ") for share in (0.05, 0.125, 0.001)]
    ['5 %', '12.5 %', '0.1 %']
    """
    return f"{float(np.round(100 * share, 2)):g}\u00a0%"
