"""RDMs to and from rsatoolbox, for what it can do and probekit cannot."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from probekit.errors import UsageError, unknown_name
from probekit.rsa.rdms import RDMs

_LABELS = "conditions"


def to_rsatoolbox(rdms: RDMs) -> Any:
    """Return ``rsatoolbox.rdm.RDMs`` of the same dissimilarities.

    The labels become the pattern descriptor "conditions", the columns of the table the RDM descriptors. Values stay as
    they are: what rsatoolbox calls "euclidean" is our "squared_euclidean" over the number of units.

    Raises
    ------
    UsageError
        If rsatoolbox is not installed.
    """
    try:
        theirs = import_module("rsatoolbox.rdm")
    except ModuleNotFoundError as err:
        raise UsageError("rsatoolbox is not installed; get it with: pip install rsatoolbox") from err
    return theirs.RDMs(
        rdms.dissimilarities.copy(),
        dissimilarity_measure=rdms.distance,
        rdm_descriptors={str(name): values.tolist() for name, values in rdms.table.items()},
        pattern_descriptors={_LABELS: list(rdms.conditions)},
    )


def from_rsatoolbox(rdms: Any, *, conditions: str | None = None) -> RDMs:
    """Return the RDMs that an ``rsatoolbox.rdm.RDMs`` holds.

    Parameters
    ----------
    rdms : rsatoolbox.rdm.RDMs
    conditions : str, optional
        Pattern descriptor that names the conditions. Default: "conditions" if there, else "index".

    Returns
    -------
    RDMs
        RDM descriptors are the columns of the table, "index" only if there is no other; the name of the distance is
        theirs.

    Raises
    ------
    UsageError
        If it is something else, or there is no such descriptor; or as `RDMs` does, if labels repeat.
    """
    if not all(hasattr(rdms, name) for name in ("dissimilarities", "pattern_descriptors", "rdm_descriptors")):
        raise UsageError(f"rdms are of type {type(rdms).__name__}; expected rsatoolbox.rdm.RDMs.")
    named = rdms.pattern_descriptors
    label = conditions or (_LABELS if _LABELS in named else "index")
    if label not in named:
        raise unknown_name("pattern descriptor", label, named)
    described = {name: list(values) for name, values in rdms.rdm_descriptors.items()}
    columns = [name for name in described if name != "index"] or ["index"]
    values = np.array(rdms.dissimilarities, dtype=np.float64)
    return RDMs(
        values, tuple(map(str, named[label])), pd.DataFrame(described)[columns], str(rdms.dissimilarity_measure)
    )
