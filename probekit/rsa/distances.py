"""RDMs of patterns: how far apart the conditions' patterns of activity are."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.errors import UsageError, check_option
from probekit.rsa.blocks import PatternDistances, missing_patterns
from probekit.rsa.noise import NoiseCovariance, known_covariance
from probekit.rsa.rdms import RDMs

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float64]
Patterns: TypeAlias = "npt.ArrayLike | torch.Tensor"

DISTANCES = ("correlation", "spearman", "cosine", "euclidean", "squared_euclidean", "mahalanobis")


def compute_rdms(
    patterns: Patterns | Mapping[str, Patterns],
    *,
    distance: str = "correlation",
    standardize: bool = False,
    conditions: Sequence[str] | None = None,
    table: pd.DataFrame | None = None,
    covariance: NoiseCovariance | npt.ArrayLike | None = None,
) -> RDMs:
    """Return the RDM of each set of patterns, in float64 whatever the type of the patterns.

    Parameters
    ----------
    patterns : array or tensor, shape (condition, unit) or (set, condition, unit); or mapping of name to the former
        A condition whose pattern is nan in all units is missing: its dissimilarities are nan.
    distance : str
        "correlation": 1 − r over units, 0 … 2. "spearman": 1 − rank correlation over units, 0 … 2. "cosine": 1 − cosine
        of the angle, 0 … 2. "euclidean": the plain distance. "squared_euclidean": its square, the sum over units
        (rsatoolbox's "euclidean" is this over the number of units). "mahalanobis": the plain distance under the inverse
        of `covariance` (rsatoolbox's is its square over the number of units).
    standardize : bool
        Whether each unit is z-scored over the conditions first (population standard deviation). Units that are constant
        over conditions are then left out; if that leaves none, all dissimilarities are nan.
    conditions : sequence of str, optional
        Labels, none twice. Default: "0", "1", ….
    table : pandas.DataFrame, optional
        One row a set. Default: the names of a mapping as column `layer`, else a column `rdm` that counts the sets.
    covariance : NoiseCovariance or array, shape (unit, unit), optional
        Of the noise; for "mahalanobis", which needs it, and for nothing else.

    Returns
    -------
    RDMs
        Nan where a condition is missing; where a pattern is constant over units (a dead layer; "correlation" and
        "spearman") or 0 in all of them ("cosine"). Identical patterns have distance 0 exactly ("mahalanobis": up to
        rounding), and a correlation, spearman or cosine distance below 1e-13, which is rounding, is given as 0.

    Raises
    ------
    UsageError
        If shapes or labels do not fit, there are fewer than two conditions or no units, or a pattern has nan in some of
        its units, or infinity.

    Examples
    --------
    >>> compute_rdms([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], distance="euclidean").dissimilarities.round(4).tolist()
    [[5.0, 1.0, 4.2426]]
    """
    sets, described = _as_sets(patterns, table)
    labels = _labels(conditions, len(sets[0]))
    known = _covariance(covariance, distance, standardize)
    found = []
    for one in sets:
        if known is None:
            sums = PatternDistances(distance, standardize=standardize)
            sums.add(one)
        else:
            missing_patterns(one)  # refuses a nan in one unit, before whitening spreads it to all
            sums = PatternDistances("euclidean", standardize=False)
            sums.add(known.whiten(one))
        found.append(sums.finish())
    return RDMs(np.stack(found), labels, described, distance)


def as_patterns(name: str, patterns: Patterns, *, dims: Sequence[str]) -> npt.NDArray[np.generic]:
    """Return real numbers of these dimensions as an array, without a copy where that can be.

    Raises
    ------
    UsageError
        If they are not real numbers, have other dimensions, or an empty one.
    """
    given = _as_array(name, patterns)
    if given.ndim != len(dims) or 0 in given.shape:
        raise UsageError(f"{name} have shape {given.shape}; expected ({', '.join(dims)}), none of them empty.")
    return given


def _covariance(
    given: NoiseCovariance | npt.ArrayLike | None, distance: str, standardize: bool
) -> NoiseCovariance | None:
    check_option("distance", distance, DISTANCES)
    if (distance == "mahalanobis") != (given is not None):
        raise UsageError(f'covariance is for distance "mahalanobis", which needs one; distance is "{distance}".')
    if distance == "mahalanobis" and standardize:
        raise UsageError('standardize is True with distance "mahalanobis", whose covariance is of units as they are.')
    return given if given is None or isinstance(given, NoiseCovariance) else known_covariance(given)


def _is_tensor(given: Any) -> TypeGuard[torch.Tensor]:
    """Say whether it is a tensor, without importing torch: where there is a tensor, it has been imported."""
    return "torch" in sys.modules and isinstance(given, sys.modules["torch"].Tensor)


def _as_array(name: str, patterns: Patterns) -> npt.NDArray[np.generic]:
    try:
        if _is_tensor(patterns):
            patterns = patterns.detach().cpu()
            patterns = (patterns.float() if str(patterns.dtype) == "torch.bfloat16" else patterns).numpy()
        given = np.asarray(patterns)
    except ValueError as err:
        raise UsageError(f"{name} have rows of different lengths; expected an array.") from err
    except (TypeError, RuntimeError) as err:  # tensors that are sparse, without numbers, or need their gradient
        raise UsageError(f"{name} are {type(patterns).__name__}; expected an array or a dense tensor ({err}).") from err
    if given.dtype.kind not in "fiub":
        raise UsageError(f"{name} are of type {given.dtype}; expected real numbers.")
    return given


def _as_sets(
    patterns: Patterns | Mapping[str, Patterns], table: pd.DataFrame | None
) -> tuple[list[npt.NDArray[np.generic]], pd.DataFrame]:
    two = ("condition", "unit")
    if isinstance(patterns, Mapping):
        if not patterns:
            raise UsageError("patterns are empty; expected at least one set.")
        sets = [as_patterns(f"patterns of '{name}'", one, dims=two) for name, one in patterns.items()]
        default = pd.DataFrame({"layer": list(map(str, patterns))})
    else:
        given = _as_array("patterns", patterns)
        many = given.ndim == 3
        given = as_patterns("patterns", given, dims=("set", *two) if many else two)
        sets = list(given) if many else [given]
        default = pd.DataFrame({"rdm": range(len(sets))})
    sizes = sorted({len(one) for one in sets})
    if len(sizes) > 1 or sizes[0] < 2:
        raise UsageError(f"patterns are of {sizes} conditions; expected the same number in each set, two or more.")
    if table is not None and not isinstance(table, pd.DataFrame):
        raise UsageError(f"table is {type(table).__name__}; expected a pandas.DataFrame with a row for each set.")
    if table is not None and len(table) != len(sets):
        raise UsageError(f"table has {len(table)} rows; expected one for each of the {len(sets)} sets of patterns.")
    return sets, default if table is None else table.reset_index(drop=True)


def _labels(conditions: Sequence[str] | None, n: int) -> tuple[str, ...]:
    labels = tuple(map(str, range(n) if conditions is None else conditions))
    if len(labels) != n:
        raise UsageError(f"conditions are {len(labels)} labels; expected one for each of the {n} patterns.")
    return labels
