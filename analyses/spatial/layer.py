"""One layer of one network, measured."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from probekit.analyses.spatial.measure import Measured, Options, measure_units
from probekit.analyses.spatial.summary import PathErrors, decoding_errors, summarise
from probekit.navigation import Navigation
from probekit.progress import Progress, silent


@dataclass(frozen=True, eq=False)
class Layer:
    """Units and summary of one layer.

    Parameters
    ----------
    network, name : str
    measured : Measured
    summary : pandas.DataFrame
        One row.
    """

    network: str
    name: str
    measured: Measured
    summary: pd.DataFrame


def measured_layer(
    network: str,
    name: str,
    walked: Navigation,
    options: Options,
    *,
    errors: PathErrors | None = None,
    progress: Progress = silent,
) -> Layer:
    """Return the measures of one layer along its path."""
    measured = measure_units(network, name, walked, options, progress=progress)
    decoding = decoding_errors(walked, name, options.seed)
    return Layer(network, name, measured, summarise(network, name, measured, decoding, errors or PathErrors()))
