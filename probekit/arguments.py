"""What comes from outside as a number, made into what numpy takes, or refused in words that name the argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.errors import UsageError

Floats = npt.NDArray[np.float64]


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
