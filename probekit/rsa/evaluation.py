"""What is known of models after their evaluation: scores, ceilings, resamples, and the tests that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.errors import UsageError, check_option
from probekit.rsa.ceiling import NoiseCeiling
from probekit.rsa.compare import Measure
from probekit.rsa.pairwise import pairwise_differences
from probekit.rsa.variance import Resampling, dual_variance, t_interval, t_test, variance_and_df
from probekit.stats import benjamini_hochberg

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Mean scores over subjects, and noise ceilings, in resamples.

    Parameters
    ----------
    scores : array, shape (resample, model)
        nan where fewer than three different conditions are drawn, or all dissimilarities in the resample are the same.
    ceilings : array, shape (resample, 2)
        Lower and upper; the lower is nan where fewer than two different subjects are drawn. See `ceiling.ceiling_of`.
    """

    scores: Floats
    ceilings: Floats


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of models against subjects, with what is needed to judge them.

    Parameters
    ----------
    models : pandas.DataFrame
        One row a model.
    scores : array, shape (model, subject)
        nan for a model whose dissimilarities are all the same or all unknown.
    ceiling : NoiseCeiling
        nan with one subject.
    measure, resample : str
        As `evaluate` took them.
    bootstraps : mapping of str to Bootstrap
        Under "both", "conditions", "subjects": what was resampled. All three, with the same draws, if `resample` is
        "both"; else the one.
    covariances : array, shape (5, model, model)
        Of the mean scores, see `variance.covariance_parts`.
    n_conditions : int
        Conditions of which pairs were compared.
    """

    models: pd.DataFrame
    scores: Floats
    ceiling: NoiseCeiling
    measure: Measure
    resample: Resampling
    bootstraps: Mapping[str, Bootstrap]
    covariances: Floats
    n_conditions: int

    @property
    def resampled(self) -> Floats:
        """Mean scores over subjects in each resample, shape (resample, model)."""
        return self.bootstraps[self.resample].scores

    @property
    def resampled_ceilings(self) -> Floats:
        """Lower and upper noise ceiling in each resample, shape (resample, 2)."""
        return self.bootstraps[self.resample].ceilings

    @property
    def variance(self) -> Floats:
        """Variance of each model's mean score, shape (model,), with the noise of pairs counted once; tests use it."""
        return self._variance_and_df()[0]

    @property
    def degrees_of_freedom(self) -> Floats:
        """Degrees of freedom of each model's variance, shape (model,)."""
        return self._variance_and_df()[1]

    @property
    def bootstrap_variance(self) -> Floats:
        """Variance over resamples, corrected for small samples, shape (model,): rsatoolbox's, as it stands.

        Over conditions it counts the noise of pairs up to three times.
        """
        spread = {
            name: _over_resamples(lambda values: np.nanvar(values, axis=0, ddof=1), one.scores)
            for name, one in self.bootstraps.items()
        }
        n_subjects = self.scores.shape[1]
        if self.resample == "both":
            parts = (spread["both"], spread["subjects"], spread["conditions"])
            return dual_variance(parts, n_subjects, self.n_conditions)
        n = n_subjects if self.resample == "subjects" else self.n_conditions
        return np.asarray(spread[self.resample] * n / (n - 1))

    def table(self, *, level: float = 0.95, interval: Literal["t", "percentile"] = "t") -> pd.DataFrame:
        """Return one row a model: its columns, and its score with interval, tests and ceiling.

        Parameters
        ----------
        level : float
            Of the interval, 0 … 1.
        interval : str
            "t": score ± t · standard error, with `degrees_of_freedom`. "percentile": of the resampled scores; a
            resample lacks pairs of copied conditions and holds them twice, so that this one is too wide.

        Returns
        -------
        pandas.DataFrame
            `score` (mean over subjects), `ci_low`, `ci_high`, `p` (one-sided t test against 0), `q` (false discovery
            rate over models), `ceiling_lower`, `ceiling_upper`, `share_of_ceiling` (score over the upper ceiling; nan
            where that is not above 0).

        Raises
        ------
        UsageError
            If an argument is none of the allowed, or percentiles are asked for where nothing was resampled.
        """
        _check_level(level)
        check_option("interval", interval, ("t", "percentile"))
        score, (spread, df) = self.scores.mean(axis=1), self._variance_and_df()
        low, high = t_interval(score, spread, df, level)
        if interval == "percentile":
            if not len(self.resampled):
                raise UsageError(
                    "interval is 'percentile', but n_resamples was 0; evaluate with resamples, or use 't'."
                )
            tails = [(1 - level) / 2, (1 + level) / 2]
            low, high = _over_resamples(lambda values: np.nanquantile(values, tails, axis=0), self.resampled)
        p = t_test(score, spread, df, two_sided=False)
        lower, upper = self.ceiling.lower, self.ceiling.upper
        share = score / upper if upper > 0 else np.nan
        return self.models.assign(
            score=score, ci_low=low, ci_high=high, p=p, q=benjamini_hochberg(p),
            ceiling_lower=lower, ceiling_upper=upper, share_of_ceiling=share,
        )  # fmt: skip

    def differences(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row a pair of models: see `pairwise.pairwise_differences`; with columns first_… and second_….

        Parameters
        ----------
        level : float
            Of the interval, 0 … 1.
        """
        _check_level(level)
        found = pairwise_differences(
            self.scores, self.covariances, self.n_conditions, resample=self.resample, level=level
        )
        for side in ("first", "second"):
            for column in self.models:
                found[f"{side}_{column}"] = self.models[column].to_numpy()[found[side]]
        return found

    def _variance_and_df(self) -> tuple[Floats, Floats]:
        own = np.arange(len(self.scores))
        return variance_and_df(self.covariances[:, own, own], self.scores.shape[1], self.n_conditions, self.resample)


def _over_resamples(statistic: Callable[[Floats], Floats], values: Floats) -> Floats:
    """Return a statistic over resamples of each column; nan for one with fewer than two numbers."""
    some = (~np.isnan(values)).sum(axis=0) > 1
    found = statistic(values[:, some])
    full = np.full((*found.shape[:-1], values.shape[1]), np.nan)
    full[..., some] = found
    return full


def _check_level(level: float) -> None:
    if not isinstance(level, int | float | np.number) or not 0 < level < 1:
        raise UsageError(f"level is {level!r}; expected a number between 0 and 1, such as 0.95.")
