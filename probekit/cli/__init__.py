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
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import FrameType
from typing import Any

from probekit.cli.arguments import parse
from probekit.cli.output import Output, OutputLost, note
from probekit.errors import ProbekitError, ProbekitWarning

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
    with _terminable():
        try:
            code = _run(words)
            sys.stdout.flush()
        except OSError as err:
            if err.errno != errno.EPIPE:  # whose reader, such as `head`, has what it wanted
                note(f"error: the output cannot be written: {err.strerror}.")
            _close_output()
            return _OUTPUT_LOST
    return code


def _run(words: list[str]) -> int:
    try:
        arguments = parse(words)
        if arguments is None:
            return 0
        command = _command(arguments.run)
        output = Output(sys.stdout, json=arguments.json)
        with _results_only():
            command(arguments, output)
    except (OutputLost, BrokenPipeError):
        raise
    except ProbekitError as err:
        return _fail(f"error: {err}", err.exit_code)
    except KeyboardInterrupt as err:
        return _fail("interrupted.", 128 + (err.args[0] if err.args else signal.SIGINT))
    except Exception as err:
        said = f"{type(err).__name__}: {' '.join(str(err).split())}"
        return _fail(f"this is a bug: {said} (set {_TRACEBACK}=1 for the traceback)", 1)
    return 0


def _command(run: str) -> Callable[[Any, Output], None]:
    module, _, name = run.partition(":")
    command: Callable[[Any, Output], None] = getattr(import_module(f"probekit.cli.{module}"), name)
    return command


def _fail(text: str, code: int) -> int:
    if os.environ.get(_TRACEBACK):
        traceback.print_exc()
    note(text)
    return code


@contextlib.contextmanager
def _results_only() -> Iterator[None]:
    """Send to stderr what a network or a library prints and warns of; only `Output` writes to stdout."""

    def show(message: Warning | str, *_where: object, **_more: object) -> None:
        note(f"warning: {message}")

    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("always", ProbekitWarning)
        warnings.showwarning = show
        yield


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C, so that what is finished is kept and said."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _close_output() -> None:
    """Point stdout and stderr at nothing, so that Python does not complain when it flushes them at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nothing, stream.fileno())
    os.close(nothing)
