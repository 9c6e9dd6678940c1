"""Scores beside what repeated measurements allow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.arguments import floats
from probekit.encoding.inputs import check_targets
from probekit.encoding.scores import pearson_per_target
from probekit.errors import UsageError
from probekit.stats.reliability import split_half


def noise_ceiled(
    repetitions: npt.ArrayLike, predictions: npt.ArrayLike, *, n_splits: int = 100, seed: int = 0
) -> pd.DataFrame:
    """Return Pearson's r of held-out predictions beside the best that a perfect model could reach, one row a target.

    The ceiling of r with the mean over repetitions is the square root of that mean's reliability: the correlation of
    split halves, corrected to all repetitions after Spearman and Brown.

    Parameters
    ----------
    repetitions : array, shape (stimulus, repetition, target)
        Measured responses to the held-out stimuli; nan where a stimulus has fewer repetitions than others.
    predictions : array, shape (stimulus, target)
    n_splits : int
        Random splits of the repetitions into halves.
    seed : int

    Returns
    -------
    pandas.DataFrame
        target
            Its index.
        r
            With the mean over repetitions; nan where that or the prediction is constant.
        reliability
            Of the mean over repetitions, up to 1, around 0 where there is only noise.
        ceiling
            Square root of the reliability; nan where that is not above 0, and with it the two below.
        r_ceiled
            r / ceiling, the correlation with responses free of noise. Not cut at 1, which estimates exceed by chance.
        explained
            r·|r| / reliability: the share of the explainable variance as in Brain-Score (r² / ceiling there), with the
            sign of r, so that noise averages 0.

    Raises
    ------
    UsageError
        If shapes do not fit, or there are fewer than two repetitions or three stimuli.

    References
    ----------
    Schoppe et al. 2016, Front Comput Neurosci 10:10, doi:10.3389/fncom.2016.00010; Schrimpf et al. 2018, bioRxiv,
    doi:10.1101/407007
    """
    measured = floats("repetitions", repetitions)
    if measured.ndim != 3:
        raise UsageError(f"repetitions has shape {measured.shape}; expected (stimulus, repetition, target).")
    r = pearson_per_target(check_targets(measured, len(measured), name="repetitions"), predictions)
    reliability = split_half(measured.transpose(1, 0, 2), n_splits=n_splits, seed=seed)
    explainable = np.where(reliability > 0, reliability, np.nan)
    return pd.DataFrame(
        {
            "target": np.arange(len(r)),
            "r": r,
            "reliability": reliability,
            "ceiling": np.sqrt(explainable),
            "r_ceiled": r / np.sqrt(explainable),
            "explained": r * np.abs(r) / explainable,
        }
    )
