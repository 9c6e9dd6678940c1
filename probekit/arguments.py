"""What comes from outside as a number, made into what numpy takes, or refused in words that name the argument."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from probekit.errors import UsageError

Floats = npt.NDArray[np.float64]
LARGEST = 1e30
"""Larger numbers are refused like infinite ones: single precision, in which maps are kept, does not hold them."""
_T = TypeVar("_T")


def floats(name: str, values: Any) -> Floats:
    """Return real numbers as a float64 array, without a copy where that can be.

    Raises
    ------
    UsageError
        If they are not real numbers, or have no shape.

    Examples
    --------
    >>> floats("times", [1, 2]).tolist()
    [1.0, 2.0]
    """
    try:
        if np.iscomplexobj(values):
            raise TypeError("complex")
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as err:  # RuntimeError: a tensor that needs its gradient
        raise UsageError(f"{name} is {type(values).__name__}; expected an array of numbers ({err}).") from err


def whole(name: str, value: Any, least: int) -> int:
    """Return a whole number of at least `least`.

    Raises
    ------
    UsageError
        If it is another.

    Examples
    --------
    >>> whole("n_permutations", 10, 1)
    10
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(f"{name} is {value!r}; expected at least {least}, a whole number.")
    return int(value)


def real(
    name: str, value: Any, expected: str, *, least: float = -math.inf, above: float = -math.inf, most: float = math.inf
) -> float:
    """Return a finite number of at least `least`, above `above`, and at most `most`.

    Raises
    ------
    UsageError
        If it is another; the text says what was `expected`.

    Examples
    --------
    >>> real("dt", 1, "seconds, above 0", above=0)
    1.0
    """
    number = float(value) if not isinstance(value, bool) and isinstance(value, Real) else math.nan
    if not (math.isfinite(number) and least <= number <= most and number > above):
        raise UsageError(f"{name} is {value!r}; expected {expected}.")
    return number


def instance(name: str, value: Any, kind: type[_T]) -> _T:
    """Return a value that is of a class.

    Raises
    ------
    UsageError
        If it is not.

    Examples
    --------
    >>> instance("method", "ridge", str)
    'ridge'
    """
    if not isinstance(value, kind):
        raise UsageError(f"{name} is a {type(value).__name__}; expected a {kind.__name__}.")
    return value


def infinite(values: npt.NDArray[Any]) -> bool:
    """Say whether any number is infinite or beyond `LARGEST`; nan is not.

    Examples
    --------
    >>> infinite(np.array([1.0, np.nan])), infinite(np.array([-1e300]))
    (False, True)
    """
    return bool((np.abs(values) > np.float64(LARGEST)).any())


def generator(seed: Any) -> np.random.Generator:
    """Return numpy's generator of this seed.

    Raises
    ------
    UsageError
        If the seed is no whole number from 0.

    Examples
    --------
    >>> round(generator(0).random(), 3)
    0.637
    """
    return np.random.default_rng(whole("seed", seed, 0))
