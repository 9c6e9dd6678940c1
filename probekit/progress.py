"""How long work tells its caller how far it is, without knowing who draws it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with what is being done, how many steps are done, and of how many."""

    def __call__(self, task: str, done: int, total: int) -> None:
        """Report one step of `task`."""


def silent(task: str, done: int, total: int) -> None:
    """Draw nothing."""
