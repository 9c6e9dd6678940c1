"""Receptive fields: where in the image each unit looks, in four ways that check each other, beside the twin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from probekit.analyses.receptive_field.assemble import assemble
from probekit.analyses.receptive_field.columns import SUMMARY, TABLE
from probekit.analyses.receptive_field.gathered import Gathered
from probekit.analyses.receptive_field.noise_fields import NoiseOptions, reverse_correlate, windows_of
from probekit.analyses.receptive_field.protocol import IMAGE_DEG, run_protocol
from probekit.analysis import Analysis, Source
from probekit.errors import UsageError
from probekit.geometry import unit_fields
from probekit.recording import Recording
from probekit.result import Result
from probekit.stimuli import Stimuli
from probekit.stimuli.base import count

__all__ = ["ANALYSIS", "receptive_field"]


def receptive_field(
    recording: Recording,
    noise: Stimuli,
    *,
    fields: pd.DataFrame | None = None,
    network: str = "trained",
    degrees_per_pixel: float | None = None,
    n_covariances: int = 12,
    n_shuffles: int = 199,
    n_resamples: int = 500,
    seed: int = 0,
) -> Result:
    """Return the receptive fields of the units of a recording of noise, by reverse correlation.

    A recording tells two of the four ways; gradients and occlusion need the network: `probekit.analyse`.

    Parameters
    ----------
    recording : Recording
        Of `noise`, of any units.
    noise : Stimuli
        As `probekit.stimuli.white_noise` or `pink_noise` make it.
    fields : pandas.DataFrame, optional
        Theoretical fields, as `probekit.receptive_fields` gives them for images of this size: averages are over what a
        unit may see. Default: over the whole image.
    network : str
        What to write into the column `network`.
    degrees_per_pixel : float, optional
        Of visual angle. Default: the image spans 8°, as in Marques 2021.
    n_covariances : int
        Units of each layer, the first ones, whose covariance is measured as well, on white noise; about 0.1 s each.
    n_shuffles : int
        Of the responses over the images, behind each p.
    n_resamples : int
        Bootstrap resamples behind the intervals of the summary.
    seed : int
        Of both.

    Returns
    -------
    Result
        Columns as `ANALYSIS` declares them. Arrays, rows as in the table: `effective_map`, `occlusion_map`,
        `white_sta_map`, `pink_sta_map` (unit, row, column), each over the unit's window, means over area, nan where not
        measured: mean absolute gradient, mean absolute change of the response, z of the average (signed), in that
        order; `window` (unit, edge) in pixels, bottom and right excluded: the theoretical field within the image. Of
        layers: `growth` (network, way, number) and `growth_better` (network, way), how sizes grow with depth;
        `published_size` (figure, end): sizes in V1, V2, V4 and IT, with area, unit and source as coordinates. Of
        sequences: `memory_mass` (unit, lag), the mean absolute gradient of the unit at the last step.

    Raises
    ------
    StimulusError
        If the noise is none, or is not what was recorded.
    UsageError
        If `fields` lacks a layer.

    References
    ----------
    Chichilnisky 2001, Network 12:199, doi:10.1080/713663221;
    Theunissen et al. 2001, Network 12:289, doi:10.1080/net.12.3.289.316;
    Schwartz et al. 2006, J Vis 6:484, doi:10.1167/6.4.13
    """
    for argument, value in ("n_covariances", n_covariances), ("n_resamples", n_resamples), ("seed", seed):
        count(argument, value, 0)
    if degrees_per_pixel is not None and not (isinstance(degrees_per_pixel, int | float) and degrees_per_pixel > 0):
        raise UsageError(f"degrees_per_pixel is {degrees_per_pixel!r}; expected a number above 0.")
    size = noise.shape[-1]
    windows = np.tile([0, 0, *noise.shape[-2:]], (len(recording.units), 1))
    places = None if fields is None else unit_fields(fields, recording.units)
    gathered = Gathered(recording.units, windows if places is None else windows_of(places))
    if fields is not None and places is not None:
        gathered.add_theory(fields, places)
    reverse_correlate(gathered, recording, noise, NoiseOptions(n_covariances, n_shuffles, n_shuffles, seed))
    degrees = IMAGE_DEG / size if degrees_per_pixel is None else degrees_per_pixel
    measured = {network: gathered.measured(network, degrees, recording)}
    parameters = {"degrees_per_pixel": degrees, "n_covariances": n_covariances, "n_shuffles": n_shuffles}
    return assemble(measured, parameters, n_resamples=n_resamples, seed=seed)


ANALYSIS = Analysis(
    name="receptive_field",
    title="Receptive fields",
    description="Where in the image each unit looks: in theory, by its gradient, by noise and by covering the image",
    networks="networks that take square images; recurrent ones that take sequences: how far back they remember",
    columns=TABLE,
    summary_columns=SUMMARY,
    sources=(
        Source("Araujo, Norris & Sim 2019, Computing receptive fields of convolutional neural networks, Distill",
               "10.23915/distill.00021"),
        Source("Luo et al. 2016, Understanding the effective receptive field in deep convolutional neural networks, "
               "NIPS 29, arXiv:1701.04128", "10.48550/arXiv.1701.04128"),
        Source("Zeiler & Fergus 2014, Visualizing and understanding convolutional networks, ECCV",
               "10.1007/978-3-319-10590-1_53"),
        Source("Chichilnisky 2001, A simple white noise analysis of neuronal light responses, Network 12:199",
               "10.1080/713663221"),
        Source("Theunissen et al. 2001, Estimating spatio-temporal receptive fields of auditory and visual neurons "
               "from their responses to natural stimuli, Network 12:289", "10.1080/net.12.3.289.316"),
        Source("Schwartz et al. 2006, Spike-triggered neural characterization, J Vis 6:484", "10.1167/6.4.13"),
        Source("Jones & Palmer 1987, An evaluation of the two-dimensional Gabor filter model of simple receptive "
               "fields in cat striate cortex, J Neurophysiol 58:1233", "10.1152/jn.1987.58.6.1233"),
        Source("Phipson & Smyth 2010, Permutation P-values should never be zero, Stat Appl Genet Mol Biol 9:39",
               "10.2202/1544-6115.1585"),
        Source("Benjamini & Hochberg 1995, Controlling the false discovery rate, J R Stat Soc B 57:289",
               "10.1111/j.2517-6161.1995.tb02031.x"),
        Source("Mann & Whitney 1947, On a test of whether one of two random variables is stochastically larger than "
               "the other, Ann Math Stat 18:50", "10.1214/aoms/1177730491"),
    ),
    measure=receptive_field,
    protocol=run_protocol,
    unasked=False,
)  # fmt: skip
