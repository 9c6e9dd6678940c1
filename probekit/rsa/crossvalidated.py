"""Cross-validated distances, which are 0 on average where patterns differ by noise only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.errors import UsageError
from probekit.rsa.blocks import group_sums
from probekit.rsa.distances import Patterns, as_patterns
from probekit.rsa.noise import NoiseCovariance, known_covariance
from probekit.rsa.rdms import RDMs

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.intp]


def crossnobis_rdms(
    patterns: Patterns,
    conditions: Sequence[object] | npt.NDArray[np.generic],
    folds: Sequence[object] | npt.NDArray[np.generic],
    *,
    covariance: NoiseCovariance | npt.ArrayLike | None = None,
    table: pd.DataFrame | None = None,
) -> RDMs:
    """Return the cross-validated squared Mahalanobis distance of each pair of conditions (crossnobis), one RDM.

    Parameters
    ----------
    patterns : array or tensor, shape (observation, unit)
    conditions, folds : sequence, one entry an observation
        What was shown, and in which independent part of the measurement, such as a run. Every condition must be in
        every fold; observations of one condition in one fold are averaged.
    covariance : NoiseCovariance or array, shape (unit, unit), optional
        Of the noise: `shrunk_covariance` of `condition_residuals`. Default: the identity, which gives the
        cross-validated squared Euclidean distance.
    table : pandas.DataFrame, optional
        One row. Default: a column `rdm`.

    Returns
    -------
    RDMs
        For the difference d of two conditions, the mean of ``d_f Σ⁻¹ d_g`` over all pairs of different folds f and g,
        divided by the number of units as rsatoolbox does. Unbiased: below 0 as often as above where there is no
        difference. Conditions are in sorted order.

    Raises
    ------
    UsageError
        If there are fewer than two folds or conditions, one is missing in a fold, or patterns are not finite.

    References
    ----------
    Walther et al. 2016, doi:10.1016/j.neuroimage.2015.12.012.
    """
    given = as_patterns("patterns", patterns, dims=("observation", "unit"))
    if not np.isfinite(given).all():
        raise UsageError(
            "patterns have nan or infinity; expected finite values. Leave out these observations or units."
        )
    labels, of_condition = _groups("conditions", conditions, len(given))
    names, of_fold = _groups("folds", folds, len(given))
    cells = of_fold * len(labels) + of_condition
    counts = np.bincount(cells, minlength=len(names) * len(labels))
    if not counts.all():
        fold, condition = divmod(int(np.argmin(counts)), len(labels))
        raise UsageError(
            f"condition '{labels[condition]}' is not in fold '{names[fold]}'; every condition must be in every fold. "
            "Leave out the condition, or choose other folds."
        )
    means = (group_sums(given, cells, len(counts)) / counts[:, None]).reshape(len(names), len(labels), -1)
    means -= means.mean(1, keepdims=True)
    if covariance is not None:
        known = covariance if isinstance(covariance, NoiseCovariance) else known_covariance(covariance)
        means = known.whiten(means)
    return RDMs(_crossed(means)[None], labels, pd.DataFrame({"rdm": [0]}) if table is None else table, "crossnobis")


def condition_residuals(
    patterns: Patterns, conditions: Sequence[object] | npt.NDArray[np.generic]
) -> tuple[Floats, int]:
    """Return patterns (observation, unit) minus the mean of their condition, and their degrees of freedom.

    Both are what `shrunk_covariance` asks for. To take off means of conditions within folds, name both in `conditions`,
    such as "face run 1".

    Raises
    ------
    UsageError
        If no condition has two observations, or patterns are not real numbers.
    """
    given = as_patterns("patterns", patterns, dims=("observation", "unit")).astype(np.float64)
    labels, groups = _groups("conditions", conditions, len(given))
    if len(labels) == len(given):
        raise UsageError("conditions have one observation each; noise shows only where one of them has two or more.")
    means = group_sums(given, groups, len(labels)) / np.bincount(groups)[:, None]
    given -= means[groups]
    return given, len(given) - len(labels)


def _crossed(means: Floats) -> Floats:
    """Return distances from whitened patterns (fold, condition, unit): products of all folds minus those within one."""
    n_folds, n_conditions, n_units = means.shape
    total = means.sum(0)
    products = total @ total.T
    for one in means:
        products -= one @ one.T
    own = products.diagonal()
    rows, columns = np.triu_indices(n_conditions, 1)
    crossed = own[rows] + own[columns] - 2 * products[rows, columns]
    return np.asarray(crossed / (n_folds * (n_folds - 1) * n_units))


def _groups(name: str, values: Sequence[object] | npt.NDArray[np.generic], n: int) -> tuple[tuple[str, ...], Groups]:
    listed = np.asarray(values)
    if listed.ndim != 1:
        raise UsageError(f"{name} have shape {listed.shape}; expected one label for each of the {n} observations.")
    given = pd.Series(listed)
    if len(given) != n or given.isna().any():
        raise UsageError(f"{name} have {given.notna().sum()} entries; expected one for each of the {n} observations.")
    groups, found = pd.factorize(given, sort=True)
    if len(found) < 2:
        raise UsageError(f"{name} are all the same; expected two different ones or more.")
    return tuple(map(str, found)), groups
