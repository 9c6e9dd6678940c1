"""One network, one set of stimuli, one device: how a batch is run, and what is said of it afterwards."""

from __future__ import annotations

import copy
import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

import probekit
from probekit import randomness
from probekit.errors import DeviceError, StimulusError, UsageError
from probekit.fingerprint import fingerprint, network_fingerprint
from probekit.layers import LayerSpec
from probekit.lesions import active_lesions
from probekit.network import Card, Entry, weights_hash
from probekit.stimuli import Stimuli, as_stimuli
from probekit.store import table_hash
from probekit.survey import Forward, run_network


@dataclass(frozen=True, eq=False)
class Session:
    """Who is recorded, on what, where.

    Parameters
    ----------
    module : nn.Module
        On `device`; the user's own, or a copy if it is elsewhere.
    entry : Entry
    stimuli : Stimuli
    layers : LayerSpec
        As asked for, or those on the entry's card.
    device : torch.device
    forward : callable or None
        How to run the module, if not by calling it on its inputs.
    """

    module: nn.Module
    entry: Entry
    stimuli: Stimuli
    layers: LayerSpec
    device: torch.device
    forward: Forward | None

    @classmethod
    def begin(
        cls,
        network: Entry | nn.Module,
        stimuli: Stimuli | np.ndarray | Tensor,
        layers: LayerSpec,
        device: str | torch.device | None,
        forward: Forward | None,
    ) -> Session:
        """Return the session for what a caller gave, checked.

        Raises
        ------
        UsageError, StimulusError, DeviceError
            See `probekit.recorder.record`.
        """
        entry = network if isinstance(network, Entry) else _bare_entry(network)
        shown = as_stimuli(stimuli)
        if len(shown) == 0:
            raise StimulusError("stimuli are empty; give at least one.")
        _check_stimuli(shown, entry.card)
        first = next(entry.module.parameters(), None)
        if any(is_lazy(parameter) for parameter in entry.module.parameters()):
            raise UsageError("the network has lazy parameters without values; run it once on data before recording.")
        home = first.device if first is not None else torch.device("cpu")
        target = checked_device(device, home)
        module = entry.module if target == home else copy.deepcopy(entry.module).to(target)
        chosen = layers if layers is not None or not entry.card.layers else list(entry.card.layers)
        return cls(module, entry, shown, chosen, target, forward)

    def run(self, rows: np.ndarray) -> object:
        """Show the stimuli of these table rows to the network, in one forward pass."""
        return run_network(self.module, self.inputs(rows), self.stimuli.table.iloc[rows], self.forward)

    def inputs(self, rows: np.ndarray) -> Tensor:
        """Return the stimuli of these table rows as the network takes them."""
        batch = self.stimuli.batch(rows)
        if batch.is_floating_point() and batch.numel() and not torch.stack(batch.aminmax()).isfinite().all():
            raise StimulusError(f"stimuli {rows[0]} … {rows[-1]} hold nan or infinite values; expected finite numbers.")
        inputs = self.entry.preprocess(batch.to(self.device))
        if inputs.is_floating_point() and self.forward is None:
            inputs = inputs.to(self.input_dtype)
        return inputs

    @property
    def input_dtype(self) -> torch.dtype:
        """Type of the network's first floating-point parameter, in which it takes its input."""
        kinds = (parameter.dtype for parameter in self.module.parameters() if parameter.is_floating_point())
        return next(kinds, torch.float32)

    def seed(self, number: int) -> None:
        """Seed every generator that the network may draw from."""
        randomness.seed(number, (self.device.index or 0) if self.device.type == "cuda" else None)

    @property
    def n_times(self) -> int | None:
        """Time steps of a stimulus, None if it has no time."""
        return self.stimuli.shape[0] if self.stimuli.dims[:1] == ("time",) else None

    def provenance(self) -> dict[str, Any]:
        """Return what is recorded, of what, with which versions; JSON-ready."""
        lesions = active_lesions(self.module)
        return ({"lesions": lesions} if lesions else {}) | {
            "network": self.entry.card.name,
            "trained_on": self.entry.card.trained_on,
            "network_class": f"{type(self.module).__module__}.{type(self.module).__qualname__}",
            "weights_sha256": weights_hash(self.module),
            "structure_sha256": hashlib.sha256(str(self.module).encode()).hexdigest(),
            "preprocess": repr(self.entry.preprocess),
            "stimuli": self.stimuli.name,
            "stimuli_sha256": self.stimuli.sha256,
            "stimuli_parameters": dict(self.stimuli.parameters),
            "n_stimuli": len(self.stimuli),
            "device": self.device.type,
            "versions": {
                "probekit": probekit.__version__,
                "torch": torch.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }

    def identity(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return, of its provenance, what makes a recording this one and no other, so that none is taken for it."""
        kept = ("weights_sha256", "network_class", "stimuli_sha256", "device")
        return {key: said[key] for key in kept} | {
            "probekit": probekit.__version__,
            "stimulus_table": table_hash(self.stimuli.table),
            "network_code": network_fingerprint(self.module),
            "preprocess": fingerprint(self.entry.preprocess),
            "forward": fingerprint(self.forward),
        }


def _bare_entry(network: nn.Module) -> Entry:
    if not isinstance(network, nn.Module):
        raise UsageError(f"network is a {type(network).__name__}; expected a torch.nn.Module or an entry of the zoo.")
    card = Card(name=type(network).__name__, kind="module", input_shape=(), trained_on="unknown")
    return Entry(network, _unchanged, card)


def _unchanged(batch: Tensor) -> Tensor:
    return batch


def _check_stimuli(stimuli: Stimuli, card: Card) -> None:
    if not card.input_shape or stimuli.shape == card.input_shape:
        return
    shown, taken = ("x".join(map(str, shape)) for shape in (stimuli.shape, card.input_shape))
    only_size = len(stimuli.shape) == len(card.input_shape) == 3 and stimuli.shape[0] == card.input_shape[0]
    hint = f" Make them with size={card.input_shape[-1]}." if only_size else ""
    raise StimulusError(f"stimuli are {shown}; '{card.name}' takes {taken}.{hint}")


def checked_device(device: str | torch.device | None, home: torch.device) -> torch.device:
    """Return the device asked for, `home` for None.

    Raises
    ------
    DeviceError
        If there is no such device, or this machine does not have it.
    """
    if device is None:
        return home
    try:
        target = torch.device(device)
    except RuntimeError as err:
        raise DeviceError(f"device is {device!r}; expected 'cpu', 'cuda', 'cuda:N' or 'mps'.") from err
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(target.type):
        listed = ", ".join(name for name, present in there.items() if present)
        raise DeviceError(f"device is '{device}', which this machine does not have; it has: {listed}.")
    if target.type == "cuda" and (target.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"device is '{device}'; this machine has {torch.cuda.device_count()} CUDA devices.")
    return target
