"""Reference data: what there is, where it lies, and how it gets there.

Files lie in ``folder()/<data set>/<file>``. They belong to their authors; `datasets` says under which licence. Some
sets are downloaded; others, too large or behind a registration, are put there by hand, and nothing but their name is
known of their files: what reads them checks what they hold.
"""

from __future__ import annotations

import csv
import hashlib
import math
import os
import socket
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from probekit.errors import DataError, unknown_name
from probekit.progress import Progress, silent

_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class _File:
    dataset: str
    file: str
    bytes: int | None
    sha256: str
    url: str
    licence: str
    citation: str

    @property
    def by_hand(self) -> bool:
        """Whether `url` is a page for people; size and sha256 are not known then."""
        return not self.sha256

    @property
    def path(self) -> Path:
        return folder() / self.dataset / self.file


def datasets() -> pd.DataFrame:
    """Return the known data sets.

    Returns
    -------
    pandas.DataFrame
        One row a data set, sorted by `name`: `n_files`, `megabytes` (10⁶ bytes; nan where not known), `licence`,
        `citation`, `access` ("download", or "by hand": `fetch` says from where and to where), and whether all of its
        files are `here`.

    Examples
    --------
    >>> table = datasets().set_index("name")
    >>> int(table.loc["ringach2002", "n_files"])
    1
    """
    rows = [
        {
            "name": name,
            "n_files": len(files),
            "megabytes": sum(math.nan if file.bytes is None else file.bytes for file in files) / 1e6,
            "licence": files[0].licence,
            "citation": files[0].citation,
            "access": "by hand" if any(file.by_hand for file in files) else "download",
            "here": here(name),
        }
        for name, files in sorted(_registry().items())
    ]
    return pd.DataFrame(rows)


def folder() -> Path:
    """Return the folder of all reference data, which need not exist.

    It is the environment's ``PROBEKIT_DATA`` where that is set, else ``probekit`` in the user's cache
    (``XDG_CACHE_HOME``, by default ``~/.cache``).
    """
    chosen = os.environ.get("PROBEKIT_DATA")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "probekit"


def here(dataset: str) -> bool:
    """Say whether every file of a data set is in the folder and has the right size, where that is known.

    Contents are checked by `fetch`.

    Raises
    ------
    UnknownNameError
        If there is no such data set.
    """
    return all(file.path.is_file() if file.by_hand else _size(file.path) == file.bytes for file in _files(dataset))


def fetch(dataset: str, file: str | None = None, *, progress: Progress = silent) -> list[Path]:
    """Return the path of each file of a data set, downloading those that are not there.

    A file that is there is read once a process to compare its sha256, if that is known, and never written to.

    Parameters
    ----------
    dataset : str
        Name, as `datasets` lists it.
    file : str, optional
        One file, by its path inside the data set. Default: all of them.
    progress : Progress
        Told after each file.

    Returns
    -------
    list of Path
        In the registry's order.

    Raises
    ------
    UnknownNameError
        If there is no such data set or file; the message suggests the nearest.
    DataError
        If a file that is there has another content, or one that is not cannot be downloaded (no network,
        ``PROBEKIT_OFFLINE=1``, another content at its address) or must be put there by hand: the message says from
        which page and into which folder.
    """
    files = _files(dataset)
    if file is not None:
        names = [known.file for known in files]
        if file not in names:
            raise unknown_name(f"file in data set '{dataset}'", file, names)
        files = [files[names.index(file)]]
    _ask_for([wanted for wanted in files if wanted.by_hand and not wanted.path.is_file()])
    for done, wanted in enumerate(files, 1):
        if not wanted.path.exists():
            _download(wanted)
        if not wanted.by_hand:
            _check(wanted)
        progress(f"fetching {dataset}", done, len(files))
    return [wanted.path for wanted in files]


def unreachable(url: str) -> str:
    """Return why the server of `url` cannot be asked, found out within seconds, or "" if it can be.

    Behind a proxy only the proxy knows, and the answer is "".
    """
    if os.environ.get("PROBEKIT_OFFLINE") == "1":
        return "PROBEKIT_OFFLINE is 1"
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return ""
    try:
        socket.create_connection((host, parts.port or (80 if parts.scheme == "http" else 443)), _TIMEOUT_S).close()
    except OSError:
        return f"{host} does not answer"
    return ""


@cache
def _registry() -> dict[str, list[_File]]:
    found: dict[str, list[_File]] = {}
    with Path(__file__).with_name("data_registry.csv").open(newline="", encoding="utf-8") as opened:
        for row in csv.DictReader(opened):
            size = row.pop("bytes")
            found.setdefault(row["dataset"], []).append(_File(bytes=int(size) if size else None, **row))
    return found


def _files(dataset: str) -> list[_File]:
    if dataset not in _registry():
        raise unknown_name("data set", dataset, _registry())
    return _registry()[dataset]


def _ask_for(missing: list[_File]) -> None:
    if not missing:
        return
    pages: dict[str, list[str]] = {}
    for file in missing:
        pages.setdefault(file.url, []).append(file.file)
    places = "; ".join(f"{', '.join(names)} from {page}" for page, names in pages.items())
    raise DataError(
        f"'{missing[0].dataset}' is fetched by hand: its owners ask for a registration or give it out in an archive. "
        f"Get {places} and put them into {missing[0].path.parent}."
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _check(file: _File) -> None:
    path = file.path
    try:
        status = path.stat()
        found = _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as err:
        raise DataError(f"{path} cannot be read: {err}") from err
    if found != file.sha256:
        raise DataError(
            f"{path} is not the file it should be: its sha256 is {found}, expected {file.sha256}. "
            "Remove it, and it is downloaded again."
        )


@cache
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _download(file: _File) -> None:
    path = file.path
    by_hand = f"Fetch {file.url} on a machine with a network and put it into {path.parent} as {path.name}."
    reason = unreachable(file.url)
    if reason:
        raise DataError(f"{path.name} cannot be downloaded: {reason}. {by_hand}")
    import pooch  # not needed by those who have the files

    source = pooch.create(
        path.parent, base_url="", registry={path.name: f"sha256:{file.sha256}"}, urls={path.name: file.url}
    )
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")  # `progress` tells the caller
    try:
        source.fetch(path.name, downloader=pooch.HTTPDownloader(timeout=_TIMEOUT_S))
    except (OSError, ValueError) as err:  # requests' errors are OSErrors, pooch's on a wrong hash is a ValueError
        raise DataError(f"{path.name} cannot be downloaded: {err} {by_hand}") from err
    finally:
        logger.setLevel(level)
