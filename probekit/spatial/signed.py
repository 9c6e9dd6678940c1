"""Signed activity made into rates: the rule of the house.

Spatial information, sparsity, fields, mean vector lengths and other measures are of rates, which are never negative.
Units of networks may be: then it must be said how they were made into rates, for the measure depends on it.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, infinite
from probekit.errors import UsageError, check_option

Rule = Literal["shift", "rectify"]


def nonnegative(values: Any, rule: Rule = "shift") -> Floats:
    """Return maps or tuning curves as rates; units without a negative value stay as they are.

    Parameters
    ----------
    values : array, shape (unit, …)
        nan stays nan.
    rule : {"shift", "rectify"}
        Of units with a negative value: "shift" takes their least value as 0 and keeps their shape, "rectify" sets what
        is negative to 0 and keeps their zero.

    Returns
    -------
    array of the same shape
        At least 0, or nan.

    Raises
    ------
    UsageError
        If the values have no axis of units or are infinite, or the rule is unknown.

    Examples
    --------
    >>> nonnegative([[-1.0, 0.0, 2.0], [1.0, 2.0, 3.0]]).tolist()
    [[0.0, 1.0, 3.0], [1.0, 2.0, 3.0]]
    >>> nonnegative([[-1.0, 0.0, 2.0]], "rectify").tolist()
    [[0.0, 0.0, 2.0]]
    """
    check_option("rule", rule, ("shift", "rectify"))
    given = floats("values", values)
    if given.ndim < 2 or infinite(given):
        raise UsageError(f"values have shape {given.shape}; expected (unit, …) of finite numbers or nan.")
    if rule == "rectify":
        return np.maximum(given, 0)
    least = np.fmin.reduce(given, axis=tuple(range(1, given.ndim)), initial=0, keepdims=True)
    return np.asarray(given - least, dtype=np.float64)


def signed_units(values: Any) -> npt.NDArray[np.bool_]:
    """Say which units have a negative value: those that `nonnegative` changes, shape (unit,)."""
    given = floats("values", values)
    return np.asarray((given < 0).any(tuple(range(1, given.ndim))))


def require_rates(name: str, values: Any) -> Floats:
    """Return rates, shape (unit, …), as float64.

    Raises
    ------
    UsageError
        If a value is negative or infinite.
    """
    given = floats(name, values)
    if given.ndim < 2 or not len(given) or infinite(given):
        raise UsageError(f"{name} have shape {given.shape}; expected (unit, …) of finite numbers or nan.")
    negative = signed_units(given)
    if negative.any():
        raise UsageError(
            f"{name} of {negative.sum()} of {len(negative)} units are negative somewhere, the first is unit "
            f"{np.flatnonzero(negative)[0]}; this measure needs rates. Make them with spatial.signed.nonnegative."
        )
    return given
