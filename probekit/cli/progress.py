"""How far long work is, on stderr: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from probekit.cli.output import note
from probekit.progress import Progress, silent

if TYPE_CHECKING:
    from rich.progress import TaskID

_LINE_EVERY_S = 30.0
_SPEED_OVER_S = 600.0
"""The time left is reckoned from the speed of the last ten minutes: one step can be long."""


@contextlib.contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """Give what tells the user how far the work is, for as long as the context lasts.

    Parameters
    ----------
    quiet : bool
        Tell nothing.
    """
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield bars
    else:
        yield _Lines()


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
        speed_estimate_period=_SPEED_OVER_S,
    )
    running: dict[str, TaskID] = {}

    def tell(task: str, done: int, total: int) -> None:
        if task not in running:
            running[task] = bars.add_task(task, total=total)
        bars.update(running[task], completed=done, total=total)

    with bars:
        yield tell


class _Lines:
    """A line when half a minute has passed since the last one, and none for work that is over before."""

    def __init__(self) -> None:
        self.task = ""
        self.started = self.said = 0.0
        self.first = 0

    def __call__(self, task: str, done: int, total: int) -> None:
        now = time.monotonic()
        if task != self.task:
            self.task, self.started, self.said, self.first = task, now, now, done
        elif now - self.said >= _LINE_EVERY_S:
            self.said = now
            left = (now - self.started) / max(1, done - self.first) * (total - done)
            note(f"{task}: {done} of {total}, about {_spoken(left)} left")


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
