"""What MATLAB files hold, in MATLAB's order of axes, whichever of its two formats they are in."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from probekit import data
from probekit.errors import DataError, nearest

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PLACES = (0, 512, 1024, 2048)
"""Bytes at which the signature may stand: MATLAB puts a text of 512 bytes before it."""

_DAMAGE = (OSError, ValueError, TypeError, IndexError, NotImplementedError, zlib.error, MatReadError)
"""What scipy raises of a file that is none, cut short, damaged, or of MATLAB 7.3."""


class Variable(Protocol):
    """An array of a file, of which a part can be asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its size along MATLAB's axes."""

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return a part of it."""


def located(dataset: str, file: str, folder: str | Path | None) -> Path:
    """Return the path of a data set's file: in `folder` if one is given, else where `probekit.data` has it.

    Raises
    ------
    DataError
        If it is not there.
    """
    if folder is None:
        return data.fetch(dataset, file)[0]
    path = Path(folder).expanduser() / file
    if not path.is_file():
        raise DataError(f"{path} does not exist; folder must hold {file} of the data set '{dataset}'.")
    return path


def read(path: Path, *, simplify: bool = True) -> dict[str, Any]:
    """Return the variables of a file of MATLAB 7.2 or older.

    Parameters
    ----------
    path : Path
    simplify : bool
        Structures become dictionaries, and axes of length 1 are dropped.

    Raises
    ------
    DataError
        If it is not such a file.
    """
    try:
        return dict(scipy.io.loadmat(path, simplify_cells=simplify))
    except _DAMAGE as err:
        raise DataError(f"{path} cannot be read as a MATLAB file: {err}") from err


@contextmanager
def opened(path: Path, names: Sequence[str]) -> Iterator[dict[str, Variable]]:
    """Open the named arrays of a file of any MATLAB version, read as they are indexed where the format allows.

    Raises
    ------
    DataError
        If it is not a MATLAB file, lacks a variable, or is of MATLAB 7.3 and the package h5py is not there.
    """
    if not _is_hdf5(path):
        held = read(path, simplify=False)
        yield {name: _known(path, held, name) for name in names}
        return
    try:
        import h5py
    except ImportError as err:
        raise DataError(f"{path.name} is in the format of MATLAB 7.3 (HDF5): pip install h5py to read it.") from err
    try:
        file = h5py.File(path, "r")
    except OSError as err:
        raise DataError(f"{path} cannot be read as a MATLAB 7.3 file: {err}") from err
    with file:
        yield {name: _Transposed(_known(path, file, name)) for name in names}


class _Transposed:
    """An HDF5 array seen along MATLAB's axes, which HDF5 has in reverse."""

    def __init__(self, stored: Any) -> None:
        self._stored = stored

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in reversed(self._stored.shape))

    def __getitem__(self, key: Any) -> np.ndarray:
        keys = key if isinstance(key, tuple) else (key,)
        keys += (slice(None),) * (len(self.shape) - len(keys))
        return np.asarray(self._stored[keys[::-1]]).T


def _known(path: Path, held: Any, name: str) -> Any:
    names = [str(known) for known in held if not str(known).startswith(("__", "#"))]
    if name not in names:
        raise DataError(
            f"{path} has no variable '{name}' but {', '.join(sorted(names)) or 'none'}.{nearest(name, names)}"
        )
    return held[name]


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_PLACES[-1] + len(_HDF5))
    return any(head[place : place + len(_HDF5)] == _HDF5 for place in _PLACES)
