"""Every error that probekit raises on purpose, and the words that all of them share.

Each error names the argument, what came, what is allowed and, for names, the nearest right one. The class says who
can mend it, and so does the command line's exit code.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable
from typing import TypeVar

_T = TypeVar("_T")


class ProbekitError(Exception):
    """Anything that probekit refuses or cannot do; `exit_code` is the command line's answer."""

    exit_code = 1


class UsageError(ProbekitError, ValueError):
    """An argument is wrong: a value, a name, a shape. The caller can mend it."""

    exit_code = 2


class UnknownNameError(UsageError, LookupError):
    """A name that is not among the known ones; the message suggests the nearest."""


class LayerError(UsageError):
    """A layer that does not exist, never ran, or whose output cannot be recorded."""


class StimulusError(UsageError):
    """Stimuli of a shape, type or range that the network cannot take."""


class NotApplicableError(UsageError):
    """An analysis that cannot be made of this kind of network."""


class DeviceError(UsageError):
    """A device that this machine does not have."""


class ModelError(ProbekitError, RuntimeError):
    """The network itself failed: it cannot be built, or it raised during a forward pass."""

    exit_code = 3


class DataError(ProbekitError, OSError):
    """Data or weights that cannot be had, or whose content is not what its hash says."""

    exit_code = 4


class StoreError(ProbekitError, OSError):
    """A recording store that cannot be written, is damaged, or belongs to another recording."""

    exit_code = 5


class ProbekitWarning(UserWarning):
    """The result is right, and there is something that its reader should know."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known name, or "" if none is near.

    >>> nearest("orientaton", ["orientation", "rsa"])
    " Did you mean 'orientation'?"
    >>> nearest("zzz", ["orientation"])
    ''
    """
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Return the error for a name of a `kind` of thing that is not among the `known`.

    >>> print(unknown_name("analysis", "rsaa", ["orientation", "rsa"]))
    There is no analysis called 'rsaa'. Did you mean 'rsa'? Known: orientation, rsa.
    """
    names = sorted(known)
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    hint = nearest(name, names)
    return UnknownNameError(f"There is no {kind} called '{name}'.{hint} Known: {shown or 'none'}.")


def check_option(argument: str, value: _T, allowed: Iterable[_T]) -> _T:
    """Return `value` if it is allowed, else raise an error that names the argument and the choices.

    >>> check_option("rectify", "half", ["half", "none"])
    'half'
    """
    options = list(allowed)
    if isinstance(value, Hashable) and value in options:  # of an array, == is no answer
        return value
    hint = nearest(str(value), map(str, options))
    raise UsageError(f"{argument} is {value!r}; allowed: {', '.join(map(repr, options))}.{hint}")
