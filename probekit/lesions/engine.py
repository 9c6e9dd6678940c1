"""Lesions of a network while it runs: one, or many that share a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from probekit import hooks
from probekit.errors import LayerError, ModelError, UsageError
from probekit.layers import modules_by_name
from probekit.lesions.altering import HEADS, HeadLesion, ModuleLesion, is_attention, projection_of, said_of
from probekit.lesions.change import Change, How
from probekit.lesions.sites import Pass, Site
from probekit.lesions.targets import Key, Target, targets_of
from probekit.navigation import Navigation
from probekit.network import Entry, module_of
from probekit.outputs import layout_of
from probekit.recording import Recording

Targets = Mapping[str, Any] | pd.DataFrame | str | Sequence[str]
"""Layer → units, a mask or a `Target`; or rows of a result's table; or layers that are lesioned whole."""


Forward = Callable[[nn.Module, Tensor], Any]


@contextmanager
def lesion(
    network: Entry | nn.Module,
    targets: Targets,
    how: How = "zero",
    *,
    amount: float | None = None,
    reference: Recording | Navigation | None = None,
    seed: int = 0,
) -> Generator[nn.Module]:
    r"""Change what chosen units of a network do, for as long as the block lasts.

    No weight is edited. Lesions nest and add up; all are gone when the block is left, also by an exception. What
    `probekit.record` and `probekit.navigate` see meanwhile is the lesioned network, and their provenance says so.

    Parameters
    ----------
    network : Entry or nn.Module
        In eval mode.
    targets : mapping, DataFrame, str or sequence of str
        Layer → units: numbers from 0, a mask, or a `probekit.lesions.Target` for places and times; None is the whole
        layer. Names and patterns are those of `probekit.record`; parts of a layer have their name after a colon:

        - ``"lstm:output"`` is what later layers read, ``"lstm:h_l0"``, ``"lstm:c_l0"`` and single gates
          (``"lstm:f_l0"``) are changed inside the recurrence, at every step, before the next one;
        - ``"attention:heads"`` are the heads of an attention layer;
        - of other modules that return several tensors, as in a recording.

        Rows of a result's table, such as ``result.table.query("gridness > 0.8")``, name layer and channel, and where
        they have them y and x. A name or a list of names lesions whole layers.
    how : {"zero", "mean", "resample", "noise", "scale"}
        What stands in the place of the activity: 0; the unit's mean over the reference; what the reference's stimuli
        evoke, a random one for each stimulus shown, the same in all layers and units; the activity plus `amount`
        standard deviations (over the reference) of Gaussian noise; `amount` times the activity.
    amount : float, optional
        Of "noise" (default 1) and "scale".
    reference : Recording or Navigation, optional
        The lesioned layers' activity to other stimuli, for "mean", "resample" and "noise".
    seed : int
        Of "resample" and "noise", drawn anew in each forward pass.

    Yields
    ------
    nn.Module
        The network, lesioned.

    Raises
    ------
    LayerError
        If a layer or part does not exist, never ran, or the reference lacks it; units that do not exist are refused by
        the first forward pass.
    UsageError
        If targets are empty, the network is in training mode, or arguments do not go together.

    Examples
    --------
    >>> network = nn.Sequential(nn.ReLU()).eval()
    >>> with lesion(network, {"0": [0, 2]}) as lesioned:
    ...     lesioned(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 2., 0.]])
    """
    module = _evaluated(network)
    change = Change.checked(how, amount, reference, seed)
    found = targets_of(module, targets)
    layers = {":".join(filter(None, key)): target.said for key, target in found.items()}
    now = Pass(seed)
    with _installed(module, {key: [target] for key, target in found.items()}, change, now, {"layers": layers}):
        yield module


class ManyLesions:
    """A network that runs under many lesions at once, each on a copy of the batch.

    Made by `many_lesions`. Copies are made where the first lesioned layer returns, so that what comes before runs once
    for all of them; where a network cannot be copied there, such as inside a residual block, its input is. Which of the
    two is right is tried on the first stimuli and held against single lesions.

    Parameters
    ----------
    module : nn.Module
    forward : callable
        Runs it.
    now : Pass
    layers : frozenset of str
        That one of the lesions changes, parts after a colon.
    """

    def __init__(self, module: nn.Module, forward: Forward, now: Pass, layers: frozenset[str]) -> None:
        self._module, self._forward, self._now = module, forward, now
        self.n_lesions, self.layers = now.n_lesions, layers
        self.copies_late: bool | None = None
        """Whether the batch is copied where the first of `layers` returns, which depends on them and the network alone;
        None: that is tried on the first stimuli."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return what the network returns under each lesion, shape (lesion, stimulus, …).

        Raises
        ------
        ModelError
            If the network returns no tensor, or has no batch axis to copy.
        """
        if self.copies_late is None:
            self.copies_late = self._can_copy_late(inputs[:2])
        return self._run(inputs, late=self.copies_late)

    def _run(self, inputs: Tensor, *, late: bool) -> Tensor:
        self._now.copied_input = not late
        given = inputs if late else torch.cat([inputs] * self.n_lesions)
        output = self._forward(self._module, given)
        if not isinstance(output, Tensor):
            raise ModelError(f"the network returns a {type(output).__name__}; many lesions at once need one tensor.")
        if len(output) != self.n_lesions * len(inputs):
            raise ModelError(
                f"the network returns {tuple(output.shape)} for {self.n_lesions} copies of {len(inputs)} stimuli: no "
                "batch axis."
            )
        return output.reshape(self.n_lesions, -1, *output.shape[1:])

    @torch.no_grad()
    def _can_copy_late(self, inputs: Tensor) -> bool:
        if self.n_lesions == 1:
            return True
        number = self._now.number
        sure = self._run(inputs, late=False)
        self._now.number = number  # the same draws
        try:
            fast = self._run(inputs, late=True)
        except (RuntimeError, ValueError, IndexError, ModelError):  # whatever a network raises on other batches
            return False
        finally:
            self._now.number = number
        largest = float(sure.abs().nan_to_num().max()) if sure.numel() else 0.0
        return len(inputs) > 1 and torch.allclose(sure, fast, rtol=1e-4, atol=1e-5 * largest, equal_nan=True)


@contextmanager
def many_lesions(
    network: Entry | nn.Module,
    lesions: Sequence[Targets],
    how: How = "zero",
    *,
    amount: float | None = None,
    reference: Recording | Navigation | None = None,
    seed: int = 0,
    forward: Forward | None = None,
) -> Generator[ManyLesions]:
    """Run a network under many lesions at once, as many copies of a batch; hundreds of shams need it.

    The stimulus is the first axis of what the network takes and gives. A network in which the stimuli of a batch affect
    each other gives other numbers than under one lesion at a time.

    Parameters
    ----------
    network : Entry or nn.Module
        In eval mode; its output is one tensor, its first axis the batch.
    lesions : sequence
        Each as the `targets` of `lesion`; an empty mapping leaves the network intact.
    how, amount, reference, seed
        As in `lesion`, the same for all; random draws are shared by all.
    forward : callable, optional
        ``forward(module, inputs)`` returns the tensor that is looked at. Default: ``module(inputs)``.

    Yields
    ------
    ManyLesions
        Called with a batch, shape (stimulus, …), it returns (lesion, stimulus, …).

    Raises
    ------
    LayerError, UsageError
        As in `lesion`.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).eval()
    >>> with many_lesions(network, [{"1": [0]}, {"1": [1, 2]}, {}]) as lesioned:
    ...     lesioned(torch.ones(5, 2)).shape
    torch.Size([3, 5, 3])
    """
    module = _evaluated(network)
    if not len(lesions):
        raise UsageError("lesions is empty; expected at least one.")
    change = Change.checked(how, amount, reference, seed)
    each = [{} if isinstance(one, Mapping) and not one else targets_of(module, one) for one in lesions]
    keys = dict.fromkeys(key for one in each for key in one)
    if not keys:
        raise UsageError("lesions are all empty: there is nothing to lesion.")
    now = Pass(seed, len(each))
    layers = frozenset(":".join(filter(None, key)) for key in keys)
    said = {"n_lesions": len(each), "layers": sorted(layers)}
    sites = {key: [one.get(key) for one in each] for key in keys}
    with _installed(module, sites, change, now, said):
        yield ManyLesions(module, forward or _called, now, layers)


def _called(module: nn.Module, inputs: Tensor) -> Any:
    return module(inputs)


def active_lesions(network: nn.Module) -> list[dict[str, Any]]:
    """Return what is said of the lesions that a network is under, JSON-ready; empty if there are none."""
    found = {id(said): said for module in network.modules() for said in said_of(module)}
    return list(found.values())


@contextmanager
def _installed(
    module: nn.Module,
    sites: Mapping[Key, Sequence[Target | None]],
    change: Change,
    now: Pass,
    said: dict[str, Any],
) -> Iterator[None]:
    said = change.said | said
    known = modules_by_name(module)
    by_layer: dict[str, list[Site]] = {}
    for (layer, part), targets in sites.items():
        if isinstance(known[layer], torch.jit.ScriptModule):
            raise LayerError(f"layer '{layer}' is a TorchScript module, which torch does not let hooks change.")
        by_layer.setdefault(layer, []).append(Site(layer, part, targets, change, now))
    after: list[tuple[nn.Module, Any]] = []
    before: list[tuple[nn.Module, Any]] = [(module, now.begin)]
    for layer, here in by_layer.items():
        heads = [site for site in here if site.part == HEADS and not is_attention(known[layer])]
        rest = [site for site in here if site not in heads]
        if heads:
            projection, n_heads = projection_of(known[layer], layer)
            before.append((projection, HeadLesion(layer, n_heads, heads, now, said)))
        if rest:
            after.append((known[layer], ModuleLesion(layer, rest, now, said)))
    with hooks.altering([*_followers(known, after, now), *after], before):
        yield
    idle = [layer for layer in by_layer if layer not in now.ran]
    if now.number and idle:
        raise LayerError(f"layer '{idle[0]}' never ran while it was lesioned, so nothing was changed there.")
    late = [site.name for here in by_layer.values() for site in here if not site.acted]
    if now.number and late:
        raise LayerError(f"none of the times named for '{late[0]}' came while it was lesioned.")


def _followers(
    known: Mapping[str, nn.Module], lesioned: Sequence[tuple[nn.Module, Any]], now: Pass
) -> list[tuple[nn.Module, Any]]:
    """Return hooks that tell where channels are; none where the lesioned modules say it themselves."""
    if all(_says_where_channels_are(module) for module, _ in lesioned):
        return []

    def follow(name: str) -> Any:
        def seen(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                now.layouts.see(name, module, output, [*args, *kwargs.values()])

        return seen

    return [(module, follow(name)) for name, module in known.items() if not isinstance(module, torch.jit.ScriptModule)]


def _says_where_channels_are(module: nn.Module) -> bool:
    probe = layout_of(module, "first", 3), layout_of(module, "last", 3)
    return probe[0] == probe[1]


def _evaluated(network: Entry | nn.Module) -> nn.Module:
    module = module_of(network)
    training = [name or "the network" for name, one in module.named_modules() if one.training]
    if training:
        raise UsageError(
            f"network is in training mode ({training[0]}), in which dropout and batch statistics change what is "
            "lesioned; call eval() on it."
        )
    return module
