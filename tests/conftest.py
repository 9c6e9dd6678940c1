"""What every test shares: where the reference data are, and when a test that needs data or a browser may be skipped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def _missing(marker: str) -> str:
    if marker == "data":
        folder = os.environ.get("PROBEKIT_DATA", "")
        return "" if folder and Path(folder).is_dir() else "needs the reference data: set PROBEKIT_DATA to their folder"
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return "" if found else "needs Chromium: install Debian's package chromium"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run here, unless PROBEKIT_REQUIRE names it ("data,browser"): then its absence is a failure."""
    required = os.environ.get("PROBEKIT_REQUIRE", "").split(",")
    for marker in ("data", "browser"):
        reason = _missing(marker)
        if reason and marker in required:
            raise pytest.UsageError(f"PROBEKIT_REQUIRE names {marker}, which is not here: {reason}")
        if reason:
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Return the path of Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found
    return found
