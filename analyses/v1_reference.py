"""The 308 macaque V1 neurons of Ringach, Shapley & Hawken 2002: how neurons are tuned to orientation.

The full table is fetched by ``probekit data fetch ringach2002``. Without it, the percentiles in ``v1_quantiles.csv``
stand in for it; `write_quantiles` makes that file from the full table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import scipy.io

from probekit import data
from probekit.analysis import Source

SOURCE = Source(
    "Ringach, Shapley & Hawken 2002, Orientation selectivity in macaque V1: diversity and laminar dependence, "
    "J Neurosci 22:5639",
    "10.1523/JNEUROSCI.22-13-05639.2002",
)
PROPERTIES = ("circular_variance", "bandwidth_smoothed_deg", "orthogonal_preferred_ratio", "f1_f0")
N_NEURONS = 308
_UNDEFINED_BANDWIDTH_DEG = 180  # how the data set writes that a curve never fell below 1/√2 of its peak
_QUANTILES = Path(__file__).parent / "v1_quantiles.csv"
_HEAD = f"""\
# Percentiles of the orientation tuning of {N_NEURONS} neurons in macaque V1, n: neurons that have the property.
# {SOURCE.citation}. doi:{SOURCE.doi}
# Made from ringach_2002_db.mat by: probekit.analyses.v1_reference.write_quantiles()
"""


@dataclass(frozen=True, eq=False)
class V1Reference:
    """How V1 neurons are tuned.

    Parameters
    ----------
    values : mapping of str to array, shape (neuron,)
        Property (one of `PROPERTIES`, also the name of the column of units that it is compared with) → its values,
        rising, of the neurons that have it.
    n_neurons : int
        Neurons measured.
    origin : {"neurons", "quantiles"}
        Whether `values` are the neurons' own, or as many values read off the percentiles.
    """

    values: Mapping[str, np.ndarray]
    n_neurons: int
    origin: Literal["neurons", "quantiles"]

    @property
    def note(self) -> str:
        """What a reader must know of these values, "" if nothing."""
        if self.origin == "neurons":
            return ""
        return (
            "The V1 distributions come from the percentiles that ship with probekit, so similarities to V1 are within "
            "about 0.01 of those from the neurons themselves; `probekit data fetch ringach2002` gets these."
        )


def reference() -> V1Reference:
    """Return the neurons if their table is on this machine, else what the shipped percentiles say of them.

    Raises
    ------
    DataError
        If the table on this machine is damaged.
    """
    if data.here("ringach2002"):
        return V1Reference(neurons(), N_NEURONS, "neurons")
    table = pd.read_csv(_QUANTILES, comment="#")
    values = {}
    for name, rows in table.groupby("property"):
        n = int(rows["n"].iloc[0])
        at, value = (rows[column].to_numpy(np.float64) for column in ("percentile", "value"))
        values[str(name)] = np.interp(np.linspace(0, 100, n), at, value)
    return V1Reference({name: values[name] for name in PROPERTIES}, N_NEURONS, "quantiles")


def neurons() -> dict[str, np.ndarray]:
    """Return each property of the neurons that have it, rising, fetching the table if it is not here.

    Circular variance and the ratio of the responses at the orthogonal and the preferred orientation are the data set's
    `orivar` and `po`. The bandwidth `bw` is of curves that were smoothed (Hanning window of half-width 13.5° at half
    height); 180 says that it is undefined. F1/F0 is `maxfirst` / `maxdc`.

    Raises
    ------
    DataError
        If the table is not here and cannot be had, or is damaged.
    """
    (path,) = data.fetch("ringach2002")
    table = scipy.io.loadmat(path, squeeze_me=True)["db"][()]
    column = {name: np.asarray(table[name], dtype=np.float64) for name in ("orivar", "bw", "po", "maxfirst", "maxdc")}
    bandwidth = column["bw"]
    return {
        "circular_variance": np.sort(column["orivar"]),
        "bandwidth_smoothed_deg": np.sort(bandwidth[bandwidth < _UNDEFINED_BANDWIDTH_DEG]),
        "orthogonal_preferred_ratio": np.sort(column["po"]),
        "f1_f0": np.sort(column["maxfirst"] / column["maxdc"]),
    }


def write_quantiles(path: Path = _QUANTILES) -> Path:
    """Write the percentiles 0 … 100 of every property of the neurons as CSV; return the path."""
    percentile = np.arange(101)
    parts = [
        pd.DataFrame(
            {
                "property": name,
                "n": len(values),
                "percentile": percentile,
                "value": np.percentile(values, percentile).round(5),
            }
        )
        for name, values in neurons().items()
    ]
    path.write_text(_HEAD + pd.concat(parts).to_csv(index=False), encoding="utf-8")
    return path
