"""Which probes follow which layers: rank correlation of RDMs, tested by exchanging the stimuli's labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from probekit.rsa import RDMs
from probekit.rsa.rdms import pair_index
from probekit.stats import benjamini_hochberg

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int_]

PUBLISHED_ALPHA = 0.001
CLEAN_Q = 0.05
_ROUNDING = 1e-6
"""Scores of permutations are in single precision; one this near to the observed score is counted as reaching it."""
_COLUMNS = 240
"""Probes times orders in one matrix product."""


@dataclass(frozen=True)
class Procedure:
    """Which entries of two RDMs are correlated, and in which form.

    Parameters
    ----------
    name : str
    entries : {"triangle", "off-diagonal", "square"}
        Each pair once; each pair twice; each pair twice and the diagonal, which is 0 in every RDM.
    scaled : bool
        Every column brought to 0 … 1 first, which leaves the matrix no longer symmetric.
    """

    name: str
    entries: str
    scaled: bool


PUBLISHED = Procedure("as published", "square", True)
CLEAN = Procedure("clean", "triangle", False)
PROCEDURES = (
    PUBLISHED,
    Procedure("square, not scaled", "square", False),
    Procedure("scaled, no diagonal", "off-diagonal", True),
    CLEAN,
)


@dataclass(frozen=True, eq=False)
class Scores:
    """How alike probes and layers are.

    Parameters
    ----------
    r : array, shape (probe, layer)
        Spearman's correlation; nan for a layer that does not tell the stimuli apart.
    formula_p : array, shape (probe, layer)
        Two-sided, by the formula for independent entries, which those of an RDM are not.
    permutation_p : array, shape (probe, layer)
        One-sided, over orders of the stimuli: (1 + orders that reach the score)/(1 + orders).
    """

    r: Floats
    formula_p: Floats
    permutation_p: Floats

    def significant(self, procedure: Procedure) -> Mask:
        """Return which layers count for which probes, shape (probe, layer).

        As published: r above 0, and both p at most `PUBLISHED_ALPHA`. Otherwise: false discovery rate below `CLEAN_Q`
        over all probes and layers.
        """
        if procedure == PUBLISHED:
            passed = (self.r > 0) & (self.formula_p <= PUBLISHED_ALPHA) & (self.permutation_p <= PUBLISHED_ALPHA)
            return np.asarray(passed)
        return np.asarray(benjamini_hochberg(self.permutation_p) < CLEAN_Q)


def score(layers: RDMs, probes: RDMs, procedure: Procedure, *, n_permutations: int, seed: int) -> Scores:
    """Return how alike each probe is to each layer, and how sure that is.

    Parameters
    ----------
    layers, probes : RDMs
        Of the same conditions in the same order.
    procedure : Procedure
    n_permutations : int
        Random orders of the probes' conditions, the same for all probes and layers. Scaling goes with the columns, so
        that an order of the conditions is an order of the ranks, which are taken once.
    seed : int
    """
    ours, theirs = unit_ranks(layers, procedure), unit_ranks(probes, procedure)
    r = theirs @ ours.T
    reached = _reached(ours, theirs, r, layers.n_conditions, np.random.default_rng(seed).spawn(1)[0], n_permutations)
    p = np.where(np.isnan(r), np.nan, (1 + reached) / (1 + n_permutations))
    return Scores(r, formula_p(r, _n_entries(layers.n_conditions, procedure)), p)


def unit_ranks(rdms: RDMs, procedure: Procedure) -> Floats:
    """Return rows whose inner products are Spearman correlations, shape (rdm, entry); nan for an RDM that is level.

    Entries are the pairs for "triangle", else the square matrix row by row.
    """
    if procedure.entries == "triangle" and not procedure.scaled:
        return _normed(rdms.dissimilarities, np.ones(rdms.dissimilarities.shape[1], dtype=bool))
    matrices = rdms.square()
    matrices[np.isnan(rdms.dissimilarities).any(axis=1)] = np.nan
    if procedure.scaled:
        low = matrices.min(axis=1, keepdims=True)
        span = matrices.max(axis=1, keepdims=True) - low
        matrices = (matrices - low) / np.where(span > 0, span, 1)
    counted = np.ones(matrices.shape[1:], dtype=bool)
    if procedure.entries == "off-diagonal":
        np.fill_diagonal(counted, False)
    return _normed(matrices.reshape(len(rdms), -1), counted.ravel())


def formula_p(r: Floats, n: int) -> Floats:
    """Return the two-sided p of correlations of `n` independent entries."""
    with np.errstate(divide="ignore"):
        t = np.abs(r) * np.sqrt((n - 2) / np.maximum(1 - r**2, 0))
    return np.asarray(2 * stats.t.sf(t, n - 2))


def _normed(values: Floats, counted: Mask) -> Floats:
    rows = np.zeros(values.shape)
    ranks = stats.rankdata(values[:, counted], axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.linalg.norm(ranks, axis=1, keepdims=True)
    rows[:, counted] = ranks / np.where(length > 0, length, np.nan)
    rows[np.isnan(rows).any(axis=1)] = np.nan
    return rows


def _reached(
    ours: Floats, theirs: Floats, observed: Floats, n: int, rng: np.random.Generator, n_permutations: int
) -> npt.NDArray[np.int_]:
    """Return in how many orders of the conditions each score is reached, shape (probe, layer)."""
    layers = np.ascontiguousarray(ours, dtype=np.float32)
    entries = np.ascontiguousarray(theirs.T, dtype=np.float32)  # an entry of all probes stands together
    threshold = (observed.T - _ROUNDING).astype(np.float32)
    reached = np.zeros(threshold.shape, dtype=int)
    first, second = np.triu_indices(n, 1)
    triangle = len(entries) == len(first)
    block = max(1, _COLUMNS // threshold.shape[1])
    for start in range(0, n_permutations, block):
        orders = [rng.permutation(n) for _ in range(min(block, n_permutations - start))]
        at = [
            pair_index(order[first], order[second], n) if triangle else (order[:, None] * n + order).ravel()
            for order in orders
        ]
        scores = layers @ entries[np.stack(at, axis=1)].reshape(len(entries), -1)
        reached += (scores.reshape(len(layers), len(at), -1) >= threshold[:, None]).sum(axis=1)
    return reached.T


def _n_entries(n: int, procedure: Procedure) -> int:
    return {"triangle": n * (n - 1) // 2, "off-diagonal": n * (n - 1), "square": n * n}[procedure.entries]
