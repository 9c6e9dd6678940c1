"""The folders that results go to: found to be writable before any work is done."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from probekit.errors import UsageError

_LONGEST_NAME = 100


def writable(folder: Path) -> Path:
    """Return the folder, made if it is not there, after a file was written to it and removed.

    Raises
    ------
    UsageError
        If that fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"probekit")
    except OSError as err:
        raise not_writable(folder, err) from err
    return folder


def not_writable(folder: Path, err: OSError) -> UsageError:
    """Return the error that says so."""
    return UsageError(f"--out is '{folder}', which cannot be written: {err.strerror or err}.")


def folder_name(model: str) -> str:
    """Return a name for a folder that says which MODEL its results are of.

    >>> folder_name("torchvision/resnet18"), folder_name("my nets/réseau.py:make")
    ('torchvision-resnet18', 'réseau.py-make')
    """
    file, colon, factory = model.rpartition(":")
    name = f"{Path(file).name}-{factory}" if colon else model
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")[:_LONGEST_NAME] or "network"
