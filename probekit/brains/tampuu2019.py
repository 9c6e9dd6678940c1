"""Spike counts of rat CA1 neurons, and where the rat was, while it foraged in a box of 1 m.

The files of a second task, on a track of 600 cm, are not read here.

References
----------
Tampuu, Matiisen, Ólafsdóttir, Barry & Vicente 2019, Efficient neural decoding of self-location with a deep recurrent
network, PLoS Comput Biol 15:e1006822, doi:10.1371/journal.pcbi.1006822
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from probekit.brains import matlab
from probekit.errors import DataError, unknown_name
from probekit.navigation.arena import Arena
from probekit.navigation.recorded import Navigation
from probekit.navigation.tracking import Tracking

DATASET = "tampuu2019"
AREA = "CA1"
WINDOW_S = 0.2
"""Seconds in which spikes were counted; windows follow each other without overlap."""

N_UNITS = {"R2192": 63, "R2217": 26, "R2336": 48, "R2337": 43}
"""Rat → number of its neurons."""

RATS = tuple(N_UNITS)
FINE_RAT = "R2192"
FINE_WINDOW_S = 0.02


def load(rat: str, folder: str | Path | None = None) -> Navigation:
    """Return what one rat's neurons did while it foraged.

    Parameters
    ----------
    rat : str
        One of `RATS`.
    folder : path, optional
        Holds the files. Default: where `probekit.data` has them.

    Returns
    -------
    Navigation
        Activity of "CA1" in spikes/s, shape (sample, unit): counts of 200 ms divided by that; positions in m, at the
        middle of each window. The head went up to 5 cm beyond 1 m, and the walls' place was not stored: the arena is
        the smallest rectangle around the positions. There are no headings.

    Raises
    ------
    UnknownNameError
        If there is no such rat.
    DataError
        If the files are not there, or do not hold what is described.
    """
    if rat not in RATS:
        raise unknown_name("rat", rat, RATS)
    stem = f"{rat}_1x200_at5_step200_bin100-RAW"
    counts = _table(f"{stem}_feat.dat", folder)
    centimetres = _table(f"{stem}_pos.dat", folder)
    if counts.shape[1] != N_UNITS[rat] or centimetres.shape != (len(counts), 2):
        raise DataError(
            f"{rat} has counts {counts.shape} and positions {centimetres.shape}; expected (sample, {N_UNITS[rat]}) "
            "and (sample, 2)."
        )
    positions = centimetres / 100
    tracking = Tracking(positions, Arena.around(positions), WINDOW_S)
    return Navigation(tracking, {AREA: counts / WINDOW_S}, provenance={"dataset": DATASET, "rat": rat, "area": AREA})


def fine_counts(folder: str | Path | None = None) -> npt.NDArray[np.uint8]:
    """Return the spikes of rat R2192 in windows of 20 ms, shape (window, unit); ten make one sample of `load`.

    Raises
    ------
    DataError
        As of `load`.
    """
    path = matlab.located(DATASET, f"{FINE_RAT}_20ms.mat", folder)
    with matlab.opened(path, ["mm"]) as stored:
        counts = stored["mm"][:]
    if counts.ndim != 2 or len(counts) != N_UNITS[FINE_RAT] or counts.dtype != np.uint8:
        raise DataError(f"{path} has {counts.dtype} of shape {counts.shape}; expected uint8, (63, window).")
    return np.ascontiguousarray(counts.T)


def _table(file: str, folder: str | Path | None) -> npt.NDArray[np.float64]:
    path = matlab.located(DATASET, file, folder)
    try:
        return np.loadtxt(path, dtype=np.float64, ndmin=2)
    except ValueError as err:
        raise DataError(f"{path} is not a table of numbers: {err}") from err
