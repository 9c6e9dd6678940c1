"""Whether the layers that targets belong to rise along an order of brain areas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from probekit.arguments import generator, whole
from probekit.encoding.inputs import Floats
from probekit.errors import UsageError, unknown_name

_ALL_ORDERS = 5040  # as many orders of areas are gone through in full: those of seven areas
_EQUAL = 1e-12


@dataclass(frozen=True, eq=False)
class Gradient:
    """The statistic of Güçlü & van Gerven 2015 over the targets that are predicted better than by chance.

    Parameters
    ----------
    by_area : pandas.DataFrame
        One row an area, in their order: area, n_targets, n_significant, mean_layer (index, from 0) and its standard
        error sem_layer; nan where too few targets are significant.
    rho : float
        Spearman's correlation of the area's place in the order with the layer index, over significant targets; nan if
        one of the two does not vary.
    p_targets : float
        One-sided p of rho when the significant targets are shuffled over areas. Targets must be independent, which
        neighbouring voxels are not: it is then too small.
    p_areas : float
        One-sided p of rho when the areas are put into every other order (a random sample if there are more than
        5,040), equal ones counted in. It asks nothing of the targets, and is at least 1 / number of orders: 1/6 for
        three areas.
    """

    by_area: pd.DataFrame
    rho: float
    p_targets: float
    p_areas: float


def layer_gradient(
    scores: pd.DataFrame,
    areas: Sequence[str] | npt.NDArray[np.str_] | pd.Series,
    order: Sequence[str],
    *,
    level: float = 0.05,
    n_permutations: int = 1000,
    seed: int = 0,
) -> Gradient:
    """Return whether the layer index rises along the areas, over significantly predicted targets.

    Parameters
    ----------
    scores : pandas.DataFrame
        Of `LayerAssignment.score`: layer_index and q are read.
    areas : sequence of str
        Area of each target; those of other areas than `order` names are left out.
    order : sequence of str
        Areas from the first to the last of the pathway, two or more.
    level : float
        A target is significant if its q is at most this.
    n_permutations : int
    seed : int

    Raises
    ------
    UnknownNameError
        If no target is of an area.
    UsageError
        If areas repeat or are fewer than two, there is not one area a target, or no permutations.

    References
    ----------
    Güçlü & van Gerven 2015, J Neurosci 35:10005, doi:10.1523/JNEUROSCI.5023-14.2015
    """
    labels = np.asarray(areas, dtype=str)
    place = _places(labels, order, len(scores))
    n_permutations = whole("n_permutations", n_permutations, 1)
    layer = scores["layer_index"].to_numpy()
    significant = (scores["q"].to_numpy() <= level) & (layer >= 0) & (place >= 0)
    kept_place, kept_layer = place[significant], layer[significant]
    rng = generator(seed)
    orders = _orders(len(order), n_permutations, rng)
    rho, by_order, by_shuffle = _rank_correlations(kept_place, kept_layer, orders, n_permutations, rng)
    return Gradient(
        by_area=_by_area(order, place, kept_place, kept_layer),
        rho=rho,
        p_targets=_share_at_least(np.append(by_shuffle, rho), rho),
        p_areas=_share_at_least(by_order, rho),
    )


def _places(labels: npt.NDArray[np.str_], order: Sequence[str], n_targets: int) -> npt.NDArray[np.int64]:
    """Return where in the order the area of each target stands; −1 for another area."""
    if labels.shape != (n_targets,):
        raise UsageError(f"areas has shape {labels.shape}; expected one area for each of {n_targets} targets.")
    if len(order) < 2 or len(set(order)) < len(order):
        raise UsageError(f"order is {list(order)}; expected two or more areas, each once.")
    for area in order:
        if area not in labels:
            raise unknown_name("area among the targets", area, set(labels.tolist()))
    place = {area: number for number, area in enumerate(order)}
    return np.array([place.get(area, -1) for area in labels.tolist()], dtype=np.int64)


def _orders(n_areas: int, n_permutations: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return orders of the areas with their own first: all, or a random sample of those where there are too many."""
    if math.factorial(n_areas) <= _ALL_ORDERS:
        return np.array(list(permutations(range(n_areas))), dtype=np.int64)
    drawn = np.broadcast_to(np.arange(n_areas, dtype=np.int64), (n_permutations, n_areas))
    return np.concatenate([drawn[:1], rng.permuted(drawn, axis=1)])


def _rank_correlations(
    place: npt.NDArray[np.int64],
    layer: npt.NDArray[np.int64],
    orders: npt.NDArray[np.int64],
    n_permutations: int,
    rng: np.random.Generator,
) -> tuple[float, Floats, Floats]:
    """Return Spearman's rho of place and layer, of each order of the areas, and of places shuffled over targets."""
    ranks, layer_ranks = _centred_ranks(place), _centred_ranks(layer)
    shuffled = rng.permuted(np.broadcast_to(ranks, (n_permutations, len(ranks))), axis=1)
    n_areas = orders.shape[1]
    n, of_area = (np.bincount(place, weights=of, minlength=n_areas) for of in (np.ones(len(place)), layer_ranks))
    before = (orders[:, None, :] < orders[:, :, None]) @ n  # targets of earlier areas, shape (order, area)
    by_order = (before + n / 2) @ of_area  # a constant in the ranks does not matter, as the layers' have mean 0
    both = (ranks**2).sum() * (layer_ranks**2).sum()
    length = np.sqrt(both) if both > 0 else np.nan
    return float(ranks @ layer_ranks / length), by_order / length, shuffled @ layer_ranks / length


def _centred_ranks(values: npt.NDArray[np.int64]) -> Floats:
    ranks = rankdata(values)
    return np.asarray(ranks - (len(ranks) + 1) / 2)


def _share_at_least(by_chance: Floats, observed: float) -> float:
    return math.nan if math.isnan(observed) else float((by_chance >= observed - _EQUAL).mean())


def _by_area(
    order: Sequence[str],
    place: npt.NDArray[np.int64],
    kept_place: npt.NDArray[np.int64],
    kept_layer: npt.NDArray[np.int64],
) -> pd.DataFrame:
    n_areas = len(order)
    kept = pd.Series(kept_layer.astype(np.float64)).groupby(kept_place).agg(["mean", "sem"]).reindex(range(n_areas))
    return pd.DataFrame(
        {
            "area": list(order),
            "n_targets": np.bincount(place[place >= 0], minlength=n_areas),
            "n_significant": np.bincount(kept_place, minlength=n_areas),
            "mean_layer": kept["mean"].to_numpy(),
            "sem_layer": kept["sem"].to_numpy(),
        }
    )
