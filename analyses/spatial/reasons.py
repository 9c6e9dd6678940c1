"""Why the values of a unit are missing, in words."""

from __future__ import annotations

from typing import Any

import numpy as np


def nan_reasons(columns: dict[str, Any], *, has_headings: bool) -> list[str]:
    """Return the reasons of each unit, separated by "; ", empty where nothing is missing."""
    silent = np.isnan(columns["gridness"])
    causes = {
        "constant activity": silent,
        "fewer than six peaks around the middle of the autocorrelogram": ~silent & np.isnan(columns["grid_spacing_m"]),
        "no place field": ~silent & (columns["n_fields"] == 0),
        "no headings were recorded": np.full(len(silent), not has_headings),
    }
    return ["; ".join(cause for cause, has in causes.items() if has[unit]) for unit in range(len(silent))]
