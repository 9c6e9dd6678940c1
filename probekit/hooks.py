"""The only file that registers hooks, and the one that makes sure that nothing of a recording stays behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from probekit import randomness

Receive = Callable[[str, nn.Module, tuple[Any, ...], dict[str, Any], Any], None]
"""Called with layer name, module, positional and keyword inputs, and output, whenever a module returns."""


class Inside(ABC):
    """A hook that changes a recurrent module inside its recurrence, and so alone knows what it held there."""

    @abstractmethod
    def states(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], parts: Collection[str]
    ) -> dict[str, Tensor]:
        """Return part → values at every step, shape (batch, time, unit), as `probekit.recurrent.states` does."""


def inside(module: nn.Module) -> Inside | None:
    """Return the last hook on a module that changes it inside, None if there is none."""
    hooks: list[object] = list(module._forward_hooks.values())
    return next((hook for hook in reversed(hooks) if isinstance(hook, Inside)), None)


@contextmanager
def tapped(modules: Mapping[str, nn.Module], receive: Receive) -> Generator[None]:
    """Call `receive` whenever one of the modules returns; the hooks are gone afterwards, whatever happens."""
    with ExitStack() as hooks:
        for name, module in modules.items():
            hooks.callback(module.register_forward_hook(_after(name, receive), with_kwargs=True).remove)
        yield


@contextmanager
def tapped_before(
    modules: Mapping[str, nn.Module],
    receive: Callable[[str, tuple[Any, ...], dict[str, Any]], None],
) -> Generator[None]:
    """Call `receive` with name and inputs whenever one of the modules is about to run."""
    with ExitStack() as hooks:
        for name, module in modules.items():
            hooks.callback(module.register_forward_pre_hook(_before(name, receive), with_kwargs=True).remove)
        yield


@contextmanager
def altering(
    after: Iterable[tuple[nn.Module, Callable[..., Any]]], before: Iterable[tuple[nn.Module, Callable[..., Any]]] = ()
) -> Generator[None]:
    """Let hooks put something else in the place of what modules return, or take; they are gone afterwards.

    Torch's fused attention path, which skips sub-modules, is off meanwhile.

    Parameters
    ----------
    after : iterable of (module, hook)
        Called as ``hook(module, args, kwargs, output)``; what is not None replaces the output.
    before : iterable of (module, hook)
        Called as ``hook(module, args, kwargs)``; None, or the new ``(args, kwargs)``.
    """
    fused_attention = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as hooks:
        hooks.callback(torch.backends.mha.set_fastpath_enabled, fused_attention)
        torch.backends.mha.set_fastpath_enabled(False)
        for module, hook in before:
            hooks.callback(module.register_forward_pre_hook(hook, with_kwargs=True).remove)
        for module, hook in after:
            hooks.callback(module.register_forward_hook(hook, with_kwargs=True).remove)
        yield


@contextmanager
def remembering(modules: Iterable[nn.Module]) -> Generator[Callable[[], None]]:
    """Let modules run once and give the same again in later passes, until the function that is yielded is called.

    It is to be called whenever the network is shown something else. A module whose output was since changed in place
    runs again. Afterwards modules are as before.
    """
    kept: dict[nn.Module, tuple[Any, list[tuple[Tensor, int]]]] = {}

    def once(module: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            output, seen = kept.get(module, (None, []))
            if module in kept and all(tensor._version == version for tensor, version in seen):
                return output
            output = forward(*args, **kwargs)
            tensors = [one for one in (output if isinstance(output, tuple) else (output,)) if isinstance(one, Tensor)]
            kept[module] = output, [(tensor, tensor._version) for tensor in tensors]
            return output

        return run

    with ExitStack() as changed:
        for module in modules:
            changed.callback(_put_back, module, vars(module).get("forward"))
            module.forward = once(module, module.forward)
        yield kept.clear


@contextmanager
def undisturbed(network: nn.Module) -> Generator[None]:
    """Run the network in eval mode without gradients, and leave it and every random state as they were.

    Put back are training flags, parameters and buffers (also those that a forward pass writes, makes or replaces), and
    the random states of torch, numpy and Python. Torch's fused attention path, which skips sub-modules, is off
    meanwhile.
    """
    modules = list(network.modules())
    training = [module.training for module in modules]
    buffers = [dict(module._buffers) for module in modules]
    values = [(tensor, tensor.detach().clone()) for tensor in [*network.parameters(), *network.buffers()]]
    fused_attention = torch.backends.mha.get_fastpath_enabled()
    cuda = sorted({parameter.device.index or 0 for parameter in network.parameters() if parameter.is_cuda})
    try:
        with randomness.kept(cuda), torch.no_grad():
            for module in modules:
                module.training = False
            torch.backends.mha.set_fastpath_enabled(False)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused_attention)
        for module, flag, held in zip(modules, training, buffers, strict=True):
            module.training = flag
            if not isinstance(module, torch.jit.ScriptModule):  # which replaces no buffers, and has no dict of them
                module._buffers.clear()
                module._buffers.update(held)
        with torch.no_grad():
            for tensor, before in values:
                if not torch.equal(tensor, before):
                    tensor.copy_(before)


def _put_back(module: nn.Module, forward: Callable[..., Any] | None) -> None:
    del module.forward
    if forward is not None:  # it was an attribute of this one module, and not only its class's
        module.forward = forward


def _after(name: str, receive: Receive) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        receive(name, module, args, kwargs, output)

    return hook


def _before(name: str, receive: Callable[[str, tuple[Any, ...], dict[str, Any]], None]) -> Callable[..., None]:
    def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        receive(name, args, kwargs)

    return hook
