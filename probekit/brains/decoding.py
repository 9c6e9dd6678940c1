"""What a population of neurons tells about the stimulus over time: decoding with the maximum correlation classifier.

Neurons that were not recorded together are joined into pseudo-populations: each pseudo-trial of a class takes, of every
neuron, one trial of that class.

References
----------
Zhang, Meyers, Bichot, Serre, Poggio & Desimone 2011, Object decoding with attention in inferior temporal cortex,
PNAS 108:8850, doi:10.1073/pnas.1100999108; Meyers 2013, The neural decoding toolbox, Front Neuroinform 7:8,
doi:10.3389/fninf.2013.00008
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from probekit.arguments import generator, whole
from probekit.brains.pseudo_population import Floats, PseudoPopulation, pseudo_population
from probekit.errors import UsageError

_BLOCK = 2_000_000  # responses of pseudo-trials held at once
_LEVEL = 1e-12  # variance, as a share of the mean square, below which it is rounding
_TIE = 1e-9  # correlations nearer than this are the same


@dataclass(frozen=True)
class Design:
    """How trials are divided into those that teach and those that are decoded.

    Parameters
    ----------
    train_on, test_on : tuple of str, optional
        Groups (such as positions) that the classifier is taught and tested on; the same, or others to ask whether the
        code generalises. Default: all groups.
    n_folds : int
        Parts of the drawn trials; each is tested once, taught by the others. Trials of a part never teach its test,
        whatever the groups, so that designs with other groups are taught by as many trials.
    n_per_fold : int
        Trials of each class and group in a part.
    standardize : bool
        Whether the mean and standard deviation of each neuron over the teaching trials are taken out first. A neuron
        that does not vary there is left out.
    """

    train_on: tuple[str, ...] | None = None
    test_on: tuple[str, ...] | None = None
    n_folds: int = 10
    n_per_fold: int = 1
    standardize: bool = True

    def __post_init__(self) -> None:
        if self.n_folds < 2 or self.n_per_fold < 1:
            raise UsageError(
                f"n_folds is {self.n_folds} and n_per_fold {self.n_per_fold}; expected at least 2 and at least 1."
            )

    @property
    def n_trials(self) -> int:
        """Trials of each class and group that every neuron needs."""
        return self.n_folds * self.n_per_fold

    @property
    def groups(self) -> tuple[str, ...] | None:
        """Groups that are needed; None for all."""
        if self.train_on is None or self.test_on is None:
            return None
        return tuple(dict.fromkeys(self.train_on + self.test_on))


def decode_over_time(
    responses: Sequence[npt.ArrayLike],
    labels: Sequence[npt.ArrayLike],
    design: Design | None = None,
    *,
    groups: Sequence[npt.ArrayLike] | None = None,
    n_resamples: int = 50,
    seed: int = 0,
) -> Floats:
    """Return how often the class of a pseudo-trial is found, at each moment, in many pseudo-populations.

    A pseudo-trial is given the class whose mean teaching pattern has the highest Pearson correlation with it over
    neurons. Classes that tie share the credit.

    Parameters
    ----------
    responses : sequence of arrays, shape (trial, time)
        Of each neuron, such as spike counts in the same windows; trials may differ in number.
    labels : sequence of arrays, shape (trial,)
        Class of each trial; every neuron has every class.
    design : Design, optional
    groups : sequence of arrays, shape (trial,), optional
        Group of each trial, such as the position of the stimulus, to be named in the design. Default: one group.
    n_resamples : int
        Pseudo-populations, each of newly drawn trials.
    seed : int

    Returns
    -------
    array, shape (resample, time)
        Share of pseudo-trials that are given their class, 0 … 1; 1/classes is chance.

    Raises
    ------
    UsageError
        If lengths do not fit, responses are not finite, there are fewer than two neurons or classes, or a neuron has
        fewer trials of a class and group than the design needs.
    UnknownNameError
        If a group of the design has no trial.
    """
    used = Design() if design is None else design
    population = pseudo_population(responses, labels, groups, used.groups)
    return _accuracy(population, used, n_resamples, generator(seed))


def decode_shuffled(
    responses: Sequence[npt.ArrayLike],
    labels: Sequence[npt.ArrayLike],
    design: Design | None = None,
    *,
    groups: Sequence[npt.ArrayLike] | None = None,
    n_shuffles: int = 100,
    n_resamples: int = 10,
    seed: int = 0,
) -> Floats:
    """Return what is decoded after the classes of each neuron's trials were shuffled within the groups.

    The p value of an accuracy is (1 + shuffles that reach it)/(1 + shuffles); with fewer resamples than were averaged
    for the accuracy it errs to the safe side.

    Parameters
    ----------
    responses, labels, design, groups
        As of `decode_over_time`.
    n_shuffles : int
        Data sets with shuffled labels.
    n_resamples : int
        Pseudo-populations of each, averaged.
    seed : int

    Returns
    -------
    array, shape (shuffle, time)
        Accuracies without information.

    Raises
    ------
    UsageError, UnknownNameError
        As of `decode_over_time`.
    """
    used = Design() if design is None else design
    n_shuffles = whole("n_shuffles", n_shuffles, 1)
    population = pseudo_population(responses, labels, groups, used.groups)
    rng = generator(seed)
    return np.stack(
        [_accuracy(population.shuffled(rng), used, n_resamples, rng).mean(axis=0) for _ in range(n_shuffles)]
    )


def _accuracy(population: PseudoPopulation, design: Design, n_resamples: int, rng: np.random.Generator) -> Floats:
    """Return the accuracy of each pseudo-population at each moment, blocks of them at once."""
    n_resamples = whole("n_resamples", n_resamples, 1)
    teaching = population.places("train_on", design.train_on)
    tested = population.places("test_on", design.test_on)
    n_neurons, n_groups, n_classes, _ = population.candidates.shape
    held = n_neurons * n_groups * n_classes * design.n_trials * population.trials.shape[1]
    step = max(1, _BLOCK // held)
    found = []
    for start in range(0, n_resamples, step):
        drawn = population.draw(design.n_trials, min(step, n_resamples - start), rng)
        parted = drawn.reshape(*drawn.shape[:-1], design.n_folds, design.n_per_fold)
        shown = population.trials[parted.transpose(0, 4, 2, 3, 5, 1)]  # resample fold group class trial neuron time
        weights, bias = _classifier(shown[:, :, teaching], design.standardize)
        scores = np.einsum("rfgcput,rfkut->rfgcpkt", shown[:, :, tested], weights, optimize=False)
        found.append(_credit(scores - bias[:, :, None, None, None]).mean(axis=(1, 2, 3, 4)))
    return np.concatenate(found)


def _classifier(shown: Floats, standardize: bool) -> tuple[Floats, Floats]:
    """Return what each class weighs the neurons with, taught by all folds but one, and what to take from the sum.

    The sum orders the classes as the correlation over neurons does: the pattern of a class is centred and of length 1
    over neurons, and what the correlation divides the tested trial by is the same for all classes.

    Parameters
    ----------
    shown : array, shape (resample, fold, group, class, trial, neuron, time)

    Returns
    -------
    array, shape (resample, fold, class, neuron, time), and array, shape (resample, fold, class, time)
    """
    sums = shown.sum(axis=(2, 4))
    n = (shown.shape[1] - 1) * shown.shape[2] * shown.shape[4]
    patterns = (sums.sum(axis=1, keepdims=True) - sums) / n
    mean = np.zeros_like(patterns[:, :, :1])
    scale = np.ones_like(mean)
    if standardize:
        squares = np.einsum("rfgcput,rfgcput->rfut", shown, shown)[:, :, None]
        square = (squares.sum(axis=1, keepdims=True) - squares) / (n * shown.shape[3])
        mean = patterns.mean(axis=2, keepdims=True)
        variance = square - mean**2
        varies = variance > _LEVEL * square
        scale = np.divide(1, np.sqrt(variance, where=varies, out=np.ones_like(mean)), where=varies, out=scale * 0)
    used = scale > 0
    n_used = np.maximum(used.sum(axis=3, keepdims=True), 1)
    patterns = (patterns - mean) * scale
    patterns = np.where(used, patterns - patterns.sum(axis=3, keepdims=True) / n_used, 0)
    length = np.sqrt((patterns**2).sum(axis=3, keepdims=True))
    weights = np.divide(patterns, length, where=length > 0, out=np.zeros_like(patterns)) * scale
    return weights, (weights * mean).sum(axis=3)


def _credit(scores: Floats) -> Floats:
    """Return 1 where the class of a trial has the highest score, a share where several do, and else 0.

    Parameters
    ----------
    scores : array, shape (resample, fold, group, class, trial, class, time)

    Returns
    -------
    array, shape (resample, fold, group, class, trial, time)
    """
    near = _TIE * np.abs(scores).max(axis=5, keepdims=True)
    highest = (scores >= scores.max(axis=5, keepdims=True) - near).astype(np.float64)
    return np.asarray(np.einsum("rfgcpct->rfgcpt", highest) / highest.sum(axis=5))
