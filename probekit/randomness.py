"""The global random states of torch, numpy and Python: seeded for a while, and put back as they were."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def kept(cuda: Iterable[int] = ()) -> Generator[None, None, None]:
    """Put every global random state back on leaving: of the CPU, of numpy, of Python, and of these CUDA devices."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=list(cuda)):
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)


@contextmanager
def seeded(number: int) -> Generator[None, None, None]:
    """Seed the CPU's global generators from `number`, and put them back on leaving."""
    with kept():
        seed(number)
        yield


def seed(number: int, cuda: int | None = None) -> None:
    """Seed the global generators of torch on the CPU (and on one CUDA device), of numpy and of Python."""
    torch.default_generator.manual_seed(number)  # torch.manual_seed would seed every GPU too
    if cuda is not None:
        torch.cuda.default_generators[cuda].manual_seed(number)
    random.seed(number)
    np.random.seed(number)


def state() -> tuple[Any, ...]:
    """Return what every global random state is now, comparable with ==."""
    numpy_state = np.random.get_state(legacy=False)
    cuda = [one.numpy().tobytes() for one in torch.cuda.get_rng_state_all()] if torch.cuda.is_available() else []
    return (torch.get_rng_state().numpy().tobytes(), *cuda, random.getstate(), repr(numpy_state))
