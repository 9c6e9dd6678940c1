"""Rate maps, autocorrelograms and grid scores of 10 cells of mouse entorhinal cortex.

The example cells of the Kavli Institute's package opexebo. The size of the box and of the bins was not stored.

References
----------
opexebo, Kavli Institute for Systems Neuroscience, Trondheim, sample data: https://github.com/kavli-ntnu/opexebo
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.brains import matlab
from probekit.errors import DataError

DATASET = "opexebo-mouse-grids"
N_UNITS = 10


@dataclass(frozen=True, eq=False)
class GridCells:
    """Maps of cells that were not recorded together, and what was stored with them.

    Parameters
    ----------
    maps : array, shape (unit, 20, 20)
        Spikes/s; nan where the mouse never was.
    autocorrelograms : array, shape (unit, 35, 35)
        Pearson correlations: those of the maps' 39 by 39 shifts of which enough bins overlap.
    units : pandas.DataFrame
        One row a unit: `score` (nan of unit 0) and `score_new`, gridness by two versions of the institute's code.
    """

    maps: npt.NDArray[np.float64]
    autocorrelograms: npt.NDArray[np.float64]
    units: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.maps)


def load(folder: str | Path | None = None) -> GridCells:
    """Return all cells.

    Parameters
    ----------
    folder : path, optional
        Holds ``mouse_grids.mat``. Default: where `probekit.data` has it.

    Raises
    ------
    DataError
        If the file is not there, or does not hold what is described.
    """
    path = matlab.located(DATASET, "mouse_grids.mat", folder)
    stored = matlab.read(path)
    try:
        maps, autocorrelograms = (np.stack(list(stored[name])).astype(float) for name in ("rateMaps", "aCorrs"))
        units = pd.DataFrame({"score": stored["gridScores"], "score_new": stored["gridScoresNew"]}, dtype=float)
    except (KeyError, TypeError, ValueError) as err:
        raise DataError(f"{path} does not hold maps, autocorrelograms and scores of {N_UNITS} cells: {err!r}.") from err
    if maps.shape != (N_UNITS, 20, 20) or autocorrelograms.shape != (N_UNITS, 35, 35) or len(units) != N_UNITS:
        raise DataError(
            f"{path} has maps {maps.shape}, autocorrelograms {autocorrelograms.shape}, {len(units)} scores; expected "
            f"({N_UNITS}, 20, 20), ({N_UNITS}, 35, 35), {N_UNITS}."
        )
    return GridCells(maps, autocorrelograms, units)
