"""The command line: a thin skin over the API. ``probekit --help`` says what there is.

Results go to stdout and everything else to stderr. Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import traceback
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import FrameType
from typing import Any

from probekit.cli.arguments import parse
from probekit.cli.output import Output, OutputLost, note
from probekit.errors import ModelError, ProbekitError, ProbekitWarning

__all__ = ["main"]

_OUTPUT_LOST = 141
_TRACEBACK = "PROBEKIT_TRACEBACK"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``probekit --help`` lists them.

    Parameters
    ----------
    argv : sequence of str, optional
        Default: the process's arguments.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that the terminal's encoding does not have
    with _Stop() as stop:
        try:
            code = _run(words, stop)
            sys.stdout.flush()
        except OSError as err:
            if err.errno != errno.EPIPE:  # whose reader, such as `head`, has what it wanted
                note(f"error: the output cannot be written: {err.strerror}.")
            _close_output()
            return _OUTPUT_LOST
    return code


def _run(words: list[str], stop: _Stop) -> int:
    try:
        arguments = parse(words)
        if arguments is None:
            return 0
        command = _command(arguments.run)
        output = Output(sys.stdout, json=arguments.json)
        with _results_only():
            _call(command, arguments, output)
    except (OutputLost, BrokenPipeError):
        raise
    except (Exception, KeyboardInterrupt) as err:
        return _fail(err, stop)
    return 0


def _fail(err: BaseException, stop: _Stop) -> int:
    """Say what went wrong in one line, and return the exit code."""
    if os.environ.get(_TRACEBACK):
        traceback.print_exc()
    if isinstance(err, KeyboardInterrupt) or stop.number:  # in the middle of an import it becomes an ImportError
        note("interrupted.")
        return 128 + (stop.number or signal.SIGINT)
    if isinstance(err, ProbekitError):
        note(f"error: {err}")
        return err.exit_code
    said = " ".join(str(err).split())
    note(f"this is a bug: {type(err).__name__}: {said} (set {_TRACEBACK}=1 for the traceback)")
    return 1


def _call(command: Callable[[Any, Output], None], arguments: Namespace, output: Output) -> None:
    try:
        command(arguments, output)
    except SystemExit as err:  # else the exit code would be that of the user's script
        raise ModelError("the network's own code called sys.exit.") from err


def _command(run: str) -> Callable[[Any, Output], None]:
    module, _, name = run.partition(":")
    command: Callable[[Any, Output], None] = getattr(import_module(f"probekit.cli.{module}"), name)
    return command


@contextlib.contextmanager
def _results_only() -> Iterator[None]:
    """Send to stderr what a network or a library prints and warns of; only `Output` writes to stdout."""

    def show(message: Warning | str, *_where: object, **_more: object) -> None:
        note(f"warning: {message}")

    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("always", ProbekitWarning)
        warnings.showwarning = show
        yield


class _Stop:
    """Makes Ctrl-C and SIGTERM end a command in the same way, and remembers which it was; 0 for neither."""

    def __init__(self) -> None:
        self.number = 0
        self.before: dict[int, Any] = {}

    def __enter__(self) -> _Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:  # as in a shell's background job
                self.before[number] = signal.signal(number, self.interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def interrupt(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        raise KeyboardInterrupt


def _close_output() -> None:
    """Point stdout and stderr at nothing, so that Python does not complain when it flushes them at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nothing, stream.fileno())
    os.close(nothing)
