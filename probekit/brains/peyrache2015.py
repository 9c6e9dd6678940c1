"""Head-direction tuning of 62 neurons of a mouse, and where its head was.

One session, Mouse12-120806. Neither the spikes nor the regions of the neurons are among the files: tuning is as the
authors computed it.

References
----------
Peyrache, Lacroix, Petersen & Buzsáki 2015, Internally organized mechanisms of the head direction sense,
Nat Neurosci 18:569, doi:10.1038/nn.3968
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.brains import matlab
from probekit.errors import DataError
from probekit.navigation.arena import Arena
from probekit.navigation.tracking import Tracking

DATASET = "peyrache2015"
N_UNITS, N_ANGLES = 62, 60
RATE_HZ = 39.0625
"""Of the camera; the file gives times to .1 s only, in which 3 or 4 samples fall."""

_GAP_S = 0.15
"""Stored times that differ by more than one step of .1 s are not neighbours."""


@dataclass(frozen=True, eq=False)
class HeadDirectionTuning:
    """Tuning curves and what was stored with them.

    Parameters
    ----------
    angles : array, shape (60,)
        Headings, rad, from 0, counter-clockwise.
    rates : array, shape (unit, 60)
        Spikes/s. (The file repeats angle 0 at the end; here it stands once.)
    units : pandas.DataFrame
        One row a unit: `preferred_rad`, `p`, `concentration` (κ), `peak_hz`, as stored, and `head_direction`, which
        the file holds without a word: it is true where κ is above 1 and the peak above 1 spike/s.
    """

    angles: npt.NDArray[np.float64]
    rates: npt.NDArray[np.float64]
    units: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.rates)


def tuning(folder: str | Path | None = None) -> HeadDirectionTuning:
    """Return the tuning curves of all units.

    Parameters
    ----------
    folder : path, optional
        Holds ``HDCells.mat``. Default: where `probekit.data` has it.

    Raises
    ------
    DataError
        If the file is not there, or does not hold what is described.
    """
    path = matlab.located(DATASET, "HDCells.mat", folder)
    with matlab.opened(path, ["AngHisto", "B", "hdCellStats"]) as stored:
        curves, angles, statistics = (stored[name][:] for name in ("AngHisto", "B", "hdCellStats"))
    if curves.shape != (N_ANGLES + 1, N_UNITS) or angles.size != N_ANGLES + 1 or statistics.shape != (N_UNITS, 5):
        raise DataError(
            f"{path} has curves {curves.shape}, {angles.size} angles and statistics {statistics.shape}; expected "
            f"({N_ANGLES + 1}, {N_UNITS}), {N_ANGLES + 1} and ({N_UNITS}, 5)."
        )
    names = ["preferred_rad", "p", "concentration", "peak_hz", "head_direction"]
    units = pd.DataFrame(statistics, columns=names).astype({"head_direction": bool})
    return HeadDirectionTuning(angles.ravel()[:N_ANGLES].copy(), curves[:N_ANGLES].T.copy(), units)


def tracking(folder: str | Path | None = None) -> Tracking:
    """Return where the mouse's head was and pointed while it foraged.

    Parameters
    ----------
    folder : path, optional
        Holds ``Mouse12-120806_PosHD.txt``. Default: where `probekit.data` has it.

    Returns
    -------
    Tracking
        Positions in m, headings in rad, at `RATE_HZ`. Times when the head was lost are not in the file: each stretch
        between them is a path of its own. The walls' place was not stored: the arena is the smallest rectangle
        around the positions.

    Raises
    ------
    DataError
        As of `tuning`.
    """
    path = matlab.located(DATASET, "Mouse12-120806_PosHD.txt", folder)
    try:
        table = np.loadtxt(path, dtype=np.float64, ndmin=2)
    except ValueError as err:
        raise DataError(f"{path} is not a table of numbers: {err}") from err
    if table.shape[1] != 4:
        raise DataError(f"{path} has {table.shape[1]} columns; expected 4: time, x, y, heading.")
    seconds, positions, headings = table[:, 0], table[:, 1:3] / 100, table[:, 3]
    stretch = np.r_[0, np.cumsum(np.diff(seconds) > _GAP_S)]
    return Tracking(positions, Arena.around(positions), 1 / RATE_HZ, headings=headings, path=stretch)
