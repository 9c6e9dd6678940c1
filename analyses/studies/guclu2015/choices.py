"""The gradient over every reasonable way to analyse it: images, activity, distances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from probekit.analyses.ventral.depths import Depths, depths
from probekit.analyses.ventral.representations import Form, Stage
from probekit.rsa import RDMs

MAIN = Form()
"""What the study rests on: every unit standardised over the images, correlation distance, a layer's output."""

RAW = Form(standardize=False)

_STAGES: tuple[Stage, ...] = ("output", "rectified")
FORMS = tuple(
    Form(standardize, distance, stage)
    for standardize, distance, stage in product((True, False), ("correlation", "cosine", "euclidean"), _STAGES)
)

N_RESAMPLES, N_RESAMPLES_QUICK = 500, 100


@dataclass(frozen=True)
class View:
    """How the images are shown.

    Parameters
    ----------
    background : str
        What is around the objects, as `probekit.brains.kriegeskorte2008.object_images` knows it; or what is shown in
        place of objects.
    fit : str
        How an image is brought to the size of the network's input.
    """

    background: str = "grey"
    fit: str = "resize"

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.background}, {'resized' if self.fit == 'resize' else 'padded'}"


VIEWS = tuple(View(background, fit) for background, fit in product(("grey", "white"), ("resize", "pad")))
Representations = Mapping[View, Mapping[Form, RDMs]]

QUANTITIES = ("difference", "low", "high", "trend", "trend_low", "trend_high", "n_layers", "excludes_0")


def cells(
    seen: Representations, regions: Mapping[str, RDMs], ends: tuple[str, str], *, n_resamples: int, seed: int
) -> pd.DataFrame:
    """Return where the best layers of two regions lie, one row a cell: a view of the images and a form of the RDMs.

    RDMs are ranked once, over all pairs of images, and their ranks are correlated: what is observed is Spearman's
    correlation, and the bootstrap leaves the ranks as they are, which takes a quarter of the time.

    Parameters
    ----------
    seen : mapping of View to mapping of Form to RDMs
        Of one network.
    regions : mapping of str to RDMs
        One RDM a subject.
    ends : (str, str)
        The region that is expected to fit early layers, and the one that is expected to fit late ones.
    n_resamples, seed : int
        The same images and subjects are drawn in each cell.

    Returns
    -------
    pandas.DataFrame
        `background, fit, standardize, distance, stage`, and the columns of `numbers`.
    """
    brains = {name: as_ranks(regions[name]) for name in ends}
    rows = []
    for view, form, models in _cells(seen):
        found = depths(
            as_ranks(models), brains, shallow=ends[0], deep=ends[1], measure="pearson",
            n_resamples=n_resamples, seed=seed,
        )  # fmt: skip
        chosen = {
            "background": view.background,
            "fit": view.fit,
            "standardize": "standardised" if form.standardize else "raw",
            "distance": form.distance,
            "stage": form.stage,
        }
        rows.append(chosen | numbers(found))
    return pd.DataFrame(rows)


def numbers(found: Depths) -> dict[str, float]:
    """Return what a bootstrap of best layers says: `QUANTITIES`, differences in layers, intervals of 95 %."""
    low, high = found.interval(found.difference)
    trend_low, trend_high = found.interval(found.trend)
    values = (found.observed, low, high, found.observed_trend, trend_low, trend_high, len(found.layers))
    return dict(zip(QUANTITIES, (*map(float, values), float(low > 0 or high < 0)), strict=True))


def as_ranks(rdms: RDMs) -> RDMs:
    """Return the rank of every dissimilarity among its RDM's; nan stays nan."""
    return RDMs(
        np.asarray(rankdata(rdms.dissimilarities, axis=1, nan_policy="omit"), dtype=np.float64),
        rdms.conditions,
        rdms.table,
        f"ranks of {rdms.distance}",
    )


def _cells(seen: Representations) -> Iterator[tuple[View, Form, RDMs]]:
    for view, forms in seen.items():
        for form, models in forms.items():
            yield view, form, models
