"""What stands in the place of lesioned activity: nothing, a mean, what another stimulus evokes, noise, a multiple."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from probekit.arguments import real, whole
from probekit.errors import LayerError, UsageError, check_option
from probekit.navigation import Navigation
from probekit.recording import Recording

How: TypeAlias = Literal["zero", "mean", "resample", "noise", "scale"]
HOWS = ("zero", "mean", "resample", "noise", "scale")
_FROM_REFERENCE = ("mean", "resample", "noise")


@dataclass(frozen=True, eq=False)
class Change:
    """How activity is changed.

    Parameters
    ----------
    how : {"zero", "mean", "resample", "noise", "scale"}
    amount : float
        What "scale" multiplies by; how many standard deviations of each unit "noise" adds.
    reference : mapping of str to xarray.DataArray
        Layer → activity to other stimuli, dims `(stimulus, …)`.
    seed : int
        Of "resample" and "noise".
    """

    how: How
    amount: float
    reference: Mapping[str, xr.DataArray]
    seed: int

    @classmethod
    def checked(cls, how: Any, amount: Any, reference: Any, seed: Any) -> Change:
        """Return the change that these arguments of `probekit.lesion` ask for.

        Raises
        ------
        UsageError
            If they are wrong, or do not go together.
        """
        check_option("how", how, HOWS)
        if how in _FROM_REFERENCE and reference is None:
            raise UsageError(
                f"how='{how}' needs a reference: what the lesioned layers do to other stimuli, as probekit.record and "
                "probekit.navigate give."
            )
        if how not in _FROM_REFERENCE and reference is not None:
            raise UsageError(f"how='{how}' uses no reference; leave it out.")
        if how not in ("noise", "scale") and amount is not None:
            raise UsageError(f"how='{how}' takes no amount; leave it out.")
        if how == "scale" and amount is None:
            raise UsageError("how='scale' needs an amount, the factor of the activity; 0.5 halves it.")
        number = 1.0 if amount is None else real("amount", amount, "a finite number")
        return cls(how, number, _arrays(reference), whole("seed", seed, 0))

    @property
    def said(self) -> dict[str, Any]:
        """What is said of it in provenance, JSON-ready."""
        said: dict[str, Any] = {"how": self.how}
        if self.how in ("noise", "scale"):
            said["amount"] = self.amount
        if self.how in ("resample", "noise"):
            said["seed"] = self.seed
        if self.reference:
            digest = hashlib.sha256()
            for layer, array in self.reference.items():
                digest.update(f"{layer}|{array.dims}|{array.shape}|{array.dtype}|".encode())
                digest.update(np.ascontiguousarray(array.values).tobytes())
            said["reference_sha256"] = digest.hexdigest()
        return said

    def source(self, layer: str, dims: tuple[str, ...], sizes: tuple[int, ...]) -> Tensor | None:
        """Return what the reference gives for a layer: its mean or deviation, or every stimulus; None if not asked.

        Returns
        -------
        tensor, shape (stimulus, …)
            The axes after the first are `dims`, of size 1 where the reference is the same along them; one stimulus for
            means and deviations.

        Raises
        ------
        LayerError
            If the reference does not hold the layer, or only a part of it.
        """
        if self.how not in _FROM_REFERENCE:
            return None
        if layer not in self.reference:
            raise LayerError(f"the reference has no layer '{layer}'; it has {', '.join(self.reference)}.")
        array = self.reference[layer]
        whole_layer = set(array.dims) - {"stimulus"} == set(dims)
        if set(array.dims) - {"stimulus", "time", "call"} - set(dims) or (self.how == "resample" and not whole_layer):
            raise LayerError(f"the reference of '{layer}' has axes {', '.join(map(str, array.dims[1:]))}; the layer "
                             f"has {', '.join(dims)}. Record all of the layer that is lesioned.")  # fmt: skip
        if self.how != "resample":
            over = [dim for dim in array.dims if dim in ("stimulus", "time", "call")]
            exact = array.astype(np.float64)
            array = (exact.mean(over) if self.how == "mean" else exact.std(over)).expand_dims("stimulus")
        missing = [dim for dim in dims if dim not in array.dims]
        ordered = array.expand_dims(missing).transpose("stimulus", *dims)
        for dim, size in zip(dims, sizes, strict=True):
            if ordered.sizes[dim] not in (1, size):
                raise LayerError(
                    f"the reference of '{layer}' has {ordered.sizes[dim]} along {dim}; the layer has {size}."
                )
        return torch.from_numpy(np.ascontiguousarray(ordered.values))

    def apply(self, values: Tensor, mask: Tensor, filler: Tensor | None) -> Tensor:
        """Return the values, changed where the mask is true; `filler` is what the reference gives there."""
        if self.how == "zero":
            if values.device.type == "cpu" and bool(values.detach().sum().isfinite()):
                return values * (~mask).to(values.dtype)  # five times as fast; 0 times nan or infinity is not 0
            return torch.where(mask, 0.0, values)
        if self.how == "scale":
            return torch.where(mask, values * self.amount, values)
        assert filler is not None
        return values + self.amount * mask * filler if self.how == "noise" else torch.where(mask, filler, values)


@dataclass(frozen=True)
class Draws:
    """Everything random of one forward pass: the same for all lesions that it carries, however often it is asked.

    Parameters
    ----------
    seed, number : int
        Of the lesion, and of its pass.
    """

    seed: int
    number: int

    def rows(self, batch: int, n: int) -> Tensor:
        """Return which of `n` stimuli of the reference each of the batch gets; the same one in every layer."""
        shares = np.random.default_rng([self.seed, self.number]).random(batch)
        return torch.from_numpy((shares * n).astype(np.int64))

    def normal(self, shape: tuple[int, ...], where: str, step: int) -> Tensor:
        """Return standard normal numbers for one step or call of one part."""
        drawn = np.random.default_rng([self.seed, self.number, zlib.crc32(where.encode()), step])
        return torch.from_numpy(drawn.standard_normal(shape))


def _arrays(reference: Any) -> dict[str, xr.DataArray]:
    if reference is None:
        return {}
    if isinstance(reference, Recording):
        return {layer: reference[layer] for layer in reference}
    if isinstance(reference, Navigation):
        dims = ("stimulus", "unit")
        return {layer: xr.DataArray(values, dims=dims) for layer, values in reference.activity.items()}
    raise UsageError(f"reference is a {type(reference).__name__}; expected a Recording or a Navigation.")
