"""The only file that registers hooks, and the one that makes sure that nothing of a recording stays behind."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

Receive = Callable[[str, nn.Module, tuple[Any, ...], dict[str, Any], Any], None]
"""Called with layer name, module, positional and keyword inputs, and output, whenever a module returns."""


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
def undisturbed(network: nn.Module) -> Generator[None]:
    """Run the network in eval mode without gradients, and leave it and every random state as they were.

    Training flags, buffers (also those that a forward pass writes), and the random states of torch, numpy and Python
    are put back. Torch's fused attention path, which skips sub-modules, is off meanwhile.
    """
    training = [(module, module.training) for module in network.modules()]
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in network.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    python_state, numpy_state = random.getstate(), np.random.get_state()
    fused_attention = torch.backends.mha.get_fastpath_enabled()
    cuda = sorted({parameter.device.index or 0 for parameter in network.parameters() if parameter.is_cuda})
    try:
        with torch.random.fork_rng(devices=cuda), torch.no_grad():
            for module, _ in training:
                module.training = False
            torch.backends.mha.set_fastpath_enabled(False)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused_attention)
        for module, flag in training:
            module.training = flag
        with torch.no_grad():
            for module, name, buffer, before in buffers:
                if not torch.equal(buffer, before):
                    buffer.copy_(before)
                if getattr(module, name) is not buffer:
                    setattr(module, name, buffer)
        random.setstate(python_state)
        np.random.set_state(numpy_state)


def seed(device: torch.device, number: int) -> None:
    """Seed torch's generators for a network on `device`, and numpy's and Python's; for use inside `undisturbed`."""
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(number)
    random.seed(number)
    np.random.seed(number)


def random_state() -> tuple[Any, ...]:
    """Return what every global random generator's state is now, comparable with ==."""
    numpy_state = np.random.get_state(legacy=False)
    assert isinstance(numpy_state, dict)
    cuda = [state.numpy().tobytes() for state in torch.cuda.get_rng_state_all()] if torch.cuda.is_available() else []
    return (torch.get_rng_state().numpy().tobytes(), *cuda, random.getstate(), str(numpy_state["state"]))


def _after(name: str, receive: Receive) -> Callable[..., None]:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        receive(name, module, args, kwargs, output)

    return hook


def _before(name: str, receive: Callable[[str, tuple[Any, ...], dict[str, Any]], None]) -> Callable[..., None]:
    def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        receive(name, args, kwargs)

    return hook
