"""The regions of the ventral stream whose RDMs of the 92 objects are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probekit.brains import cichy2014, kriegeskorte2008
from probekit.rsa import RDMs


def ventral_regions() -> dict[str, RDMs]:
    """Return early and late human regions and monkey IT, one RDM a person; of monkeys one in all.

    "EVC" and "IT" are of the 15 people of Cichy 2014; "hIT" of the 4 people of Kriegeskorte 2008, the mean of both
    sessions of each; "mIT" is the one RDM of 674 neurons of monkeys.

    Raises
    ------
    DataError
        If the brain data are not here and cannot be fetched.
    """
    return {
        "EVC": cichy2014.evc(),
        "IT": cichy2014.it(),
        "hIT": _of_people(kriegeskorte2008.human_it()),
        "mIT": kriegeskorte2008.monkey_it(),
    }


def _of_people(sessions: RDMs) -> RDMs:
    """Return the mean RDM of each person over sessions, which are no independent subjects."""
    people = sessions.table["subject"]
    names = list(people.unique())
    means = [sessions.dissimilarities[(people == name).to_numpy()].mean(axis=0) for name in names]
    table = pd.DataFrame({"subject": names, "region": "hIT"})
    return RDMs(np.stack(means), sessions.conditions, table, sessions.distance)
