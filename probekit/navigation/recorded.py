"""Activity of units along a path: what every spatial measure starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from probekit.arguments import Floats, floats, infinite, instance
from probekit.errors import UsageError, unknown_name
from probekit.navigation.tracking import Tracking


@dataclass(frozen=True, eq=False)
class Navigation:
    """Units, of a network or of an animal, recorded while it moved.

    Parameters
    ----------
    tracking : Tracking
    activity : mapping of str to array, shape (sample, unit)
        Layer or brain area → activity: spikes/s of neurons, plain numbers of networks. Finite.
    decoded : array, shape (sample, 2), optional
        Where the network itself said that it was, m.
    provenance : mapping
        JSON-ready: who was recorded, how.

    Raises
    ------
    UsageError
        If an array does not fit the tracking or is not finite.
    """

    tracking: Tracking
    activity: Mapping[str, np.ndarray]
    decoded: Floats | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(instance("tracking", self.tracking, Tracking))
        if not instance("activity", self.activity, Mapping):  # type: ignore[type-abstract]  # nothing is made of it
            raise UsageError("activity is empty; expected at least one layer or area.")
        activity = {layer: _recorded(f"activity of '{layer}'", values, n) for layer, values in self.activity.items()}
        object.__setattr__(self, "activity", activity)
        if self.decoded is not None and floats("decoded", self.decoded).shape != (n, 2):
            raise UsageError(f"decoded has shape {np.shape(self.decoded)}; expected ({n}, 2).")

    def __getitem__(self, layer: str) -> np.ndarray:
        """Return the activity of one layer, shape (sample, unit); unknown names suggest the nearest."""
        if layer not in self.activity:
            raise unknown_name("layer", layer, self.activity)
        return self.activity[layer]

    def __repr__(self) -> str:
        """Say what was recorded."""
        parts = ", ".join(f"{layer}: {values.shape[1]} units" for layer, values in self.activity.items())
        return f"Navigation of {len(self.tracking)} samples ({self.tracking.duration:.0f} s); {parts}"


def real_matrix(name: str, values: Any, n: int) -> np.ndarray:
    """Return activity as an array of real numbers, shape (sample, unit), of its own type, without a copy.

    Raises
    ------
    UsageError
        If it is another thing, or has not `n` samples.
    """
    try:
        found = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as err:  # a ragged list; a tensor that needs its gradient
        raise UsageError(f"{name} is {type(values).__name__}; expected an array of numbers ({err}).") from err
    if found.dtype.kind not in "biuf":
        raise UsageError(f"{name} is of type {found.dtype}; expected real numbers.")
    if found.ndim != 2 or len(found) != n or not found.shape[1]:
        raise UsageError(f"{name} has shape {found.shape}; expected (sample, unit) with {n} samples.")
    return found


def _recorded(name: str, values: Any, n: int) -> np.ndarray:
    found = real_matrix(name, values, n)
    if infinite(found) or np.isnan(found).any():
        raise UsageError(f"{name} holds nan or infinite values; expected finite numbers.")
    return found
