"""Neurons that were recorded one after the other, joined trial by trial as if they had been recorded together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from probekit.errors import UsageError, unknown_name

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int_]


@dataclass(frozen=True, eq=False)
class PseudoPopulation:
    """Trials of all neurons, and which of them are of which group and class.

    Parameters
    ----------
    trials : array, shape (trial, time)
        Those of the first neuron, then of the second, and so on.
    candidates : array of int, shape (neuron, group, class, place)
        Rows of `trials` of each class and group, −1 behind the last.
    groups, classes : tuple of str
        In the order of the axes.
    """

    trials: Floats
    candidates: Indices
    groups: tuple[str, ...]
    classes: tuple[str, ...]

    def draw(self, n_trials: int, n_resamples: int, rng: np.random.Generator) -> Indices:
        """Return different trials of each neuron, group and class, in random order.

        Returns
        -------
        array, shape (resample, neuron, group, class, trial)
            Rows of `trials`.

        Raises
        ------
        UsageError
            If a neuron has fewer than `n_trials` of a class and group.
        """
        there = (self.candidates >= 0).sum(axis=-1)
        if there.min() < n_trials:
            neuron, group, label = np.argwhere(there < n_trials)[0]
            raise UsageError(
                f"neuron {neuron} has {there[neuron, group, label]} trials of class '{self.classes[label]}' in group "
                f"'{self.groups[group]}'; the design needs {n_trials} (n_folds times n_per_fold)."
            )
        keys = rng.random((n_resamples, *self.candidates.shape))
        keys[:, self.candidates < 0] = 2
        order = np.argsort(keys, axis=-1)[..., :n_trials]
        return np.take_along_axis(self.candidates[None], order, axis=-1)

    def shuffled(self, rng: np.random.Generator) -> PseudoPopulation:
        """Return the population with classes shuffled over the trials of each neuron and group."""
        pooled = self.candidates.reshape(*self.candidates.shape[:2], -1)
        keys = rng.random(pooled.shape)
        keys[pooled < 0] = 2
        mixed = np.take_along_axis(pooled, np.argsort(keys, axis=-1), axis=-1)
        taken = np.argsort(pooled < 0, axis=-1, kind="stable")
        fresh = np.empty_like(pooled)
        np.put_along_axis(fresh, taken, mixed, axis=-1)
        return replace(self, candidates=fresh.reshape(self.candidates.shape))

    def places(self, argument: str, names: Sequence[str] | None) -> list[int]:
        """Return where the named groups stand on the axis; all for None.

        Raises
        ------
        UsageError
            If none is named.
        UnknownNameError
            If one is not there.
        """
        if names is None:
            return list(range(len(self.groups)))
        if isinstance(names, str) or not names:
            raise UsageError(f"{argument} is {names!r}; expected a tuple of one group or more, such as ('upper',).")
        for name in names:
            if name not in self.groups:
                raise unknown_name("group", name, self.groups)
        return [self.groups.index(name) for name in names]


def pseudo_population(
    responses: Sequence[npt.ArrayLike],
    labels: Sequence[npt.ArrayLike],
    groups: Sequence[npt.ArrayLike] | None = None,
    needed: Sequence[str] | None = None,
) -> PseudoPopulation:
    """Return neurons' trials as a population.

    Parameters
    ----------
    responses : sequence of arrays, shape (trial, time)
        Of each neuron.
    labels : sequence of arrays, shape (trial,)
        Class of each trial.
    groups : sequence of arrays, shape (trial,), optional
        Group of each trial. Default: one group, called "all".
    needed : sequence of str, optional
        Groups to keep. Default: all there are.

    Raises
    ------
    UsageError
        If lengths do not fit, responses are not finite, or there are fewer than two neurons or classes.
    UnknownNameError
        If a needed group has no trial.
    """
    given = _checked(responses)
    grouped = [np.full(len(one), "all") for one in given] if groups is None else _strings("groups", groups, given)
    classed = _strings("labels", labels, given)
    known = sorted(set(np.concatenate(grouped)))
    for name in needed or ():
        if name not in known:
            raise unknown_name("group", name, map(str, known))
    group_names = known if needed is None else list(needed)
    class_names = sorted(set(np.concatenate(classed)))
    if len(class_names) < 2:
        raise UsageError(f"labels hold {len(class_names)} class; expected two or more to tell apart.")
    first = np.cumsum([0, *map(len, given)])
    found = [
        [
            [start + np.flatnonzero((in_group == group) & (of_class == label)) for label in class_names]
            for group in group_names
        ]
        for start, in_group, of_class in zip(first, grouped, classed, strict=False)
    ]
    width = max(len(rows) for neuron in found for group in neuron for rows in group)
    candidates = np.full((len(given), len(group_names), len(class_names), max(width, 1)), -1)
    for place in np.ndindex(candidates.shape[:-1]):
        rows = found[place[0]][place[1]][place[2]]
        candidates[place][: len(rows)] = rows
    return PseudoPopulation(
        np.concatenate(given), candidates, tuple(map(str, group_names)), tuple(map(str, class_names))
    )


def _checked(responses: Sequence[npt.ArrayLike]) -> list[Floats]:
    given = [np.asarray(one, dtype=np.float64) for one in responses]
    if len(given) < 2:
        raise UsageError(f"responses are of {len(given)} neurons; a pattern over neurons needs two or more.")
    for neuron, one in enumerate(given):
        if one.ndim != 2 or one.shape[1:] != given[0].shape[1:] or not one.shape[-1]:
            raise UsageError(
                f"responses of neuron {neuron} have shape {one.shape}, those of neuron 0 {given[0].shape}; expected "
                "(trial, time) with the same moments."
            )
        if not np.isfinite(one).all():
            raise UsageError(f"responses of neuron {neuron} hold nan or infinite numbers; leave those trials out.")
    return given


def _strings(argument: str, of_trials: Sequence[npt.ArrayLike], responses: list[Floats]) -> list[npt.NDArray[np.str_]]:
    named = [np.asarray(one).astype(str) for one in of_trials]
    if [one.shape for one in named] != [one.shape[:1] for one in responses]:
        raise UsageError(
            f"{argument} are of {list(map(len, named))[:8]} trials a neuron, responses of "
            f"{list(map(len, responses))[:8]}; expected one for each trial."
        )
    return named
