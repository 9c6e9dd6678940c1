"""The command line: a thin skin over the API. ``probekit --help`` says what there is.

Results go to stdout and everything else to stderr. Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import FrameType
from typing import Any, TextIO

from probekit.cli.arguments import parse
from probekit.cli.output import Output
from probekit.errors import ProbekitError, ProbekitWarning

__all__ = ["main"]

_BROKEN_PIPE = 141
_TRACEBACK = "PROBEKIT_TRACEBACK"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``probekit --help`` lists them.

    Parameters
    ----------
    argv : sequence of str, optional
        Default: the process's arguments.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    with _for_any_text(sys.stdout), _terminable():
        try:
            code = _run(words)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has what it wanted
            _close_output()
            return _BROKEN_PIPE
    return code


def _run(words: list[str]) -> int:
    try:
        arguments = parse(words)
        if arguments is None:
            return 0
        command = _command(arguments.run)
        with Output(sys.stdout, json=arguments.json) as output, _results_only(output):
            command(arguments, output)
    except ProbekitError as err:
        return _fail(f"error: {err}", err.exit_code)
    except KeyboardInterrupt as err:
        return _fail("interrupted.", 128 + (err.args[0] if err.args else signal.SIGINT))
    except BrokenPipeError:
        raise
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
    sys.stderr.write(f"probekit: {text}\n")
    return code


@contextlib.contextmanager
def _results_only(output: Output) -> Iterator[None]:
    """Send to stderr what a network or a library prints and warns of; only `output` writes to stdout."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        output.note(f"warning: {message}")

    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("always", ProbekitWarning)
        warnings.showwarning = show
        yield


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C, so that what is finished is kept and said."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _for_any_text(stream: TextIO) -> Iterator[None]:
    """Let names that the terminal's encoding does not have come out escaped instead of raising."""
    reconfigure = getattr(stream, "reconfigure", None)
    before = stream.errors
    if reconfigure:
        reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        if reconfigure:
            reconfigure(errors=before)


def _close_output() -> None:
    """Point stdout and stderr at nothing, so that Python does not complain when it flushes them at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nothing, stream.fileno())
    os.close(nothing)
