"""Names of things that are loaded when they are first asked for, built in or from other packages.

Another package adds an analysis or a network by an entry point in its own ``pyproject.toml``::

    [project.entry-points."probekit.analyses"]
    my_measure = "my_package.my_measure:ANALYSIS"
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from probekit.errors import ProbekitWarning, UsageError, unknown_name

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """The things of one kind, by name.

    Parameters
    ----------
    kind : str
        What one of them is called in an error, such as "analysis".
    group : str
        Entry-point group in which other packages register theirs.
    builtin : mapping
        Name to "module:attribute" of those that come with probekit.
    thing : type
        What each must be an instance of.
    """

    kind: str
    group: str
    builtin: Mapping[str, str]
    thing: type[T]

    def names(self) -> list[str]:
        """Return every known name, sorted. A built-in name wins over another package's."""
        return sorted({*self.builtin, *self._installed()})

    def get(self, name: str) -> T:
        """Return the thing of this name, importing it now.

        Raises
        ------
        UnknownNameError
            If there is none; the message suggests the nearest.
        UsageError
            If another package registered something that cannot be imported or is of the wrong type.
        """
        if name in self.builtin:
            module, _, attribute = self.builtin[name].partition(":")
            return cast(T, getattr(importlib.import_module(module), attribute))
        installed = self._installed()
        if name not in installed:
            raise unknown_name(self.kind, name, self.names())
        try:
            found = installed[name].load()
        except (ImportError, AttributeError) as err:
            raise UsageError(
                f"The entry point '{name}' in group '{self.group}', {installed[name].value}, cannot be loaded: {err}"
            ) from err
        if not isinstance(found, self.thing):
            raise UsageError(
                f"The entry point '{name}' in group '{self.group}' gives a {type(found).__name__}; "
                f"it must give a probekit {self.thing.__name__}."
            )
        return found

    def available(self) -> dict[str, T]:
        """Return name → thing of all that can be loaded; another package's that cannot is left out and warned of."""
        found = {}
        for name in self.names():
            try:
                found[name] = self.get(name)
            except UsageError as err:
                warnings.warn(str(err), ProbekitWarning, stacklevel=3)
        return found

    def _installed(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}
