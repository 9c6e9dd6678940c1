"""How himalaya is called: on NumPy, silently, on targets of one scale, holding a bounded amount at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict

import numpy as np
from himalaya.backend import get_backend, set_backend

from probekit.encoding.inputs import Floats, Standardization

_HELD = 2**25  # numbers in the largest array that himalaya makes at once: 256 MB
_SLOPE = 1e-10  # himalaya adds this times log(alpha) to a score, so that of equal penalties the largest wins


class Batches(TypedDict):
    """How many targets and penalties himalaya takes at once."""

    n_targets_batch: int
    n_targets_batch_refit: int
    n_alphas_batch: int


@contextmanager
def numpy_backend() -> Iterator[None]:
    """Have himalaya compute in NumPy meanwhile; its global choice is put back, also after an error."""
    before = get_backend().name
    set_backend("numpy")
    try:
        yield
    finally:
        set_backend(before)


def batches(n_rows: int, n_columns: int, n_alphas: int) -> Batches:
    """Return batches for a fit whose largest matrix a penalty has `n_rows` and `n_columns`."""
    alphas = int(np.clip(_HELD // (n_rows * n_columns), 1, n_alphas))
    targets = max(1, _HELD // (alphas * n_rows))
    return Batches(n_targets_batch=targets, n_targets_batch_refit=targets, n_alphas_batch=alphas)


def errors(scores: Floats, alphas: Floats) -> Floats:
    """Return the mean squared errors behind himalaya's scores, without what it adds to break ties."""
    return np.asarray(_SLOPE * np.log(alphas) - scores)


def one_scale(targets: Floats) -> tuple[Floats, Standardization]:
    """Return targets of mean 0 and variance 1, on which himalaya's tie-break stays small, and how to go back.

    The choice of penalties does not depend on a target's scale. Constant targets become 0.
    """
    scaling = Standardization.of(targets)
    return scaling.apply(targets), scaling
