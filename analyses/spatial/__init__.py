"""The spatial analysis: grid, border, head-direction and place cells among units that were led along paths."""

from __future__ import annotations

from probekit.analyses.spatial.assemble import assemble
from probekit.analyses.spatial.columns import SUMMARY, TABLE
from probekit.analyses.spatial.layer import measured_layer
from probekit.analyses.spatial.measure import Options
from probekit.analyses.spatial.protocol import run_protocol
from probekit.analyses.spatial.random_readout import random_readout
from probekit.analyses.spatial.real_cells import real_cells
from probekit.analyses.spatial.summary import path_errors
from probekit.analysis import Analysis, Source
from probekit.arguments import instance
from probekit.navigation import Navigation
from probekit.progress import Progress, silent
from probekit.result import Result

__all__ = ["ANALYSIS", "spatial"]


def spatial(
    navigation: Navigation,
    *,
    n_bins: int = 20,
    smoothing: float = 0.0,
    n_nulls: int = 100,
    seed: int = 0,
    network: str = "trained",
    progress: Progress = silent,
) -> Result:
    """Return every spatial measure of every unit along a path, beside its nulls and beside random read-outs.

    Parameters
    ----------
    navigation : Navigation
        Of a network (`probekit.navigate`) or of an animal.
    n_bins : int
        Bins of a map along the longer side of the arena.
    smoothing : float
        Of maps: standard deviation of the Gaussian, in bins. Spike trains need about 1, many samples of a network none.
    n_nulls : int
        Surrogates of each kind and unit, at least 20.
    seed : int
        Of surrogates and random read-outs.
    network : str
        What to write into the column `network`.
    progress : Progress

    Returns
    -------
    Result
        Columns as `ANALYSIS` declares them. Arrays `rate_map` (unit, y, x), `null_gridness` (null, unit, shuffle),
        `directional_curve` (unit, heading), and scores of real cells where the data are here.

    Raises
    ------
    UsageError
        If the path is too short for shifts in time, or covers too little of the arena.

    Examples
    --------
    >>> import numpy as np
    >>> from probekit.navigation import Arena, RAT_MOTION, random_walk
    >>> walked = random_walk(Arena.square(1.0), RAT_MOTION, 300, 100).tracking()
    >>> east = np.maximum(walked.positions[:, :1], 0)
    >>> found = spatial(Navigation(walked, {"area": east}), n_nulls=20).table
    >>> bool(found["information_bits_per_spike"][0] > 1)
    True
    """
    options = Options(n_bins, smoothing, n_nulls, seed)
    instance("navigation", navigation, Navigation)
    errors = path_errors(navigation)
    layers = [
        measured_layer(network, name, navigation, options, errors=errors, progress=progress)
        for name in navigation.activity
    ]
    control = random_readout(navigation.tracking, len(layers[0].measured.table), seed=seed)
    layers.append(measured_layer("random read-out", "place code", control, options, progress=progress))
    cells, missing = real_cells()
    return assemble(
        layers, navigation.tracking.arena, {network: navigation.provenance}, options, arrays=cells, notes=missing
    )


ANALYSIS = Analysis(
    name="spatial",
    title="Spatial coding",
    description="Grid, border, head-direction, place and speed cells, and how well a place can be read",
    networks="recurrent networks that are led along paths",
    columns=TABLE,
    summary_columns=SUMMARY,
    sources=(
        Source("Banino et al. 2018, Vector-based navigation using grid-like representations in artificial agents, "
               "Nature 557:429", "10.1038/s41586-018-0102-6"),
        Source("Sargolini et al. 2006, Conjunctive representation of position, direction, and velocity in entorhinal "
               "cortex, Science 312:758", "10.1126/science.1125572"),
        Source("Langston et al. 2010, Development of the spatial representation system in the rat, Science 328:1576",
               "10.1126/science.1188210"),
        Source("Skaggs et al. 1996, Theta phase precession in hippocampal neuronal populations and the compression of "
               "temporal sequences, Hippocampus 6:149", "10.1002/(SICI)1098-1063(1996)6:2<149::AID-HIPO6>3.0.CO;2-K"),
        Source("Solstad et al. 2008, Representation of geometric borders in the entorhinal cortex, Science 322:1865",
               "10.1126/science.1166466"),
        Source("Lever et al. 2009, Boundary vector cells in the subiculum of the hippocampal formation, J Neurosci "
               "29:9771", "10.1523/JNEUROSCI.1319-09.2009"),
        Source("Kropff et al. 2015, Speed cells in the medial entorhinal cortex, Nature 523:419",
               "10.1038/nature14622"),
        Source("Muller & Kubie 1989, The firing of hippocampal place cells predicts the future position of freely "
               "moving rats, J Neurosci 9:4101", "10.1523/JNEUROSCI.09-12-04101.1989"),
        Source("Sorscher et al. 2023, A unified theory for the computational and mechanistic origins of grid cells, "
               "Neuron 111:121", "10.1016/j.neuron.2022.10.003"),
        Source("Benjamini & Hochberg 1995, Controlling the false discovery rate, J R Stat Soc B 57:289",
               "10.1111/j.2517-6161.1995.tb02031.x"),
    ),
    measure=spatial,
    protocol=run_protocol,
)  # fmt: skip
