"""How early visual cortex and IT of 15 people tell the 92 objects apart (fMRI).

The images and their order are those of `probekit.brains.kriegeskorte2008`.

References
----------
Cichy, Pantazis & Oliva 2014, Resolving human object recognition in space and time, Nat Neurosci 17:455,
doi:10.1038/nn.3635
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from probekit import data
from probekit.brains.kriegeskorte2008 import CONDITIONS
from probekit.rsa.rdms import RDMs, from_square

REGIONS = ("EVC", "IT")
N_SUBJECTS = 15


def evc() -> RDMs:
    """Return the RDMs of early visual cortex, 1 − Pearson over voxels (table: `subject` 1 … 15, `region`)."""
    return _region("EVC")


def it() -> RDMs:
    """Return the RDMs of inferior temporal cortex, 1 − Pearson over voxels (table: `subject` 1 … 15, `region`)."""
    return _region("IT")


def _region(region: str) -> RDMs:
    with np.load(data.fetch("cichy2014", f"fmri_{region}_RDMs.npz")[0]) as stored:
        squares = stored["Net_RDM"]
    table = pd.DataFrame({"subject": range(1, N_SUBJECTS + 1), "region": region})
    return from_square(squares, CONDITIONS, distance="correlation", table=table)
