"""Tasks that a linear read-out of a layer answers, trained before any lesion."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn

from probekit import hooks
from probekit.arguments import Floats, instance, real, whole
from probekit.errors import UsageError, unknown_name
from probekit.network import Entry, module_of
from probekit.recorder import record
from probekit.session import Session
from probekit.stimuli import Stimuli, array
from probekit.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Readout:
    """Linear read-outs of a layer, one a fold, each fitted to the stimuli of the other folds.

    Parameters
    ----------
    weights : Tensor, shape (fold, class, feature)
    offset : Tensor, shape (fold, class)
    fold : Tensor of int, shape (stimulus,)
        In which fold each stimulus is tested.
    classes : tuple of str
    right : Tensor of int, shape (stimulus,)
        Class of each stimulus.
    """

    weights: Tensor
    offset: Tensor
    fold: Tensor
    classes: tuple[str, ...]
    right: Tensor

    def logits(self, features: Tensor, rows: Tensor) -> Tensor:
        """Return the scores of each class, shape (row, class), by the read-out that has not seen the stimulus."""
        fold = self.fold.to(rows.device)[rows]
        every = torch.einsum("rf,kcf->rkc", features, self.weights.to(features)) + self.offset.to(features)
        return every[torch.arange(len(rows), device=rows.device), fold]

    def correct(self, features: Tensor, rows: Tensor) -> Tensor:
        """Return 1 where the class is told right, 0 elsewhere, shape (row,)."""
        return (self.logits(features, rows).argmax(-1) == self.right.to(rows.device)[rows]).float()


def classification(
    network: Entry | nn.Module,
    stimuli: Stimuli,
    label: str = "category",
    *,
    layer: str,
    tested: npt.ArrayLike | None = None,
    n_training: int | None = None,
    n_folds: int = 5,
    penalty: float = 1.0,
    seed: int = 0,
) -> Task:
    """Return the task of telling what a stimulus is, by a linear read-out of a layer, trained before any lesion.

    Multinomial logistic regression on standardised features, maps averaged over places and sequences over steps. Every
    stimulus is tested by the read-out of the folds that it is not in; or those named are, by a read-out of the others.

    Parameters
    ----------
    network : Entry or nn.Module
        Whose intact activity the read-outs are fitted to.
    stimuli : Stimuli
        With at least `n_folds` of each class.
    label : str
        Column of the stimulus table that names the classes.
    layer : str
        What is read.
    tested : array of bool, shape (stimulus,), optional
        Stimuli that are tested, by one read-out that is trained on the others; only these are shown afterwards.
    n_training : int, optional
        Stimuli of each class that a read-out is trained on. Default: all that are not tested with it.
    n_folds : int
        Without `tested`.
    penalty : float
        Of squared weights; scikit-learn's 1 / C.
    seed : int
        Of the folds.

    Returns
    -------
    Task
        Scores: 1 where the class is told right, 0 elsewhere, shape (stimulus,). Its `trials` are the stimulus table.

    Raises
    ------
    UsageError
        If there is no such column, it is not filled, or a class has too few stimuli.
    """
    right, classes = _classes(stimuli, label, whole("n_folds", n_folds, 2))
    real("penalty", penalty, "above 0", above=0)
    splits = _splits(right, tested, n_folds, seed)
    if n_training is not None:
        splits = [(_first(training, right, whole("n_training", n_training, 1)), shown) for training, shown in splits]
    used = np.unique(np.concatenate([part for split in splits for part in split]))
    place = np.searchsorted(used, np.arange(len(right)))
    splits = [(place[training], place[shown]) for training, shown in splits]
    right, inputs = right[used], prepared(network, stimuli)[used]
    axis = _feature_axis(network, stimuli, inputs, layer)
    seen = Task("features", "", inputs, lambda said, _: features(said, axis), True, layer=layer)(network)
    readout = fit_readout(seen, right, classes, splits, penalty=penalty)
    asked = torch.from_numpy(np.unique(np.concatenate([shown for _, shown in splits])))

    def score(said: Tensor, rows: Tensor) -> Tensor:
        return readout.correct(features(said, axis), asked.to(rows.device)[rows])

    trials = stimuli.table.iloc[used[asked.numpy()]].reset_index(drop=True)
    return Task("classification", "", inputs[asked], score, True, layer=layer, trials=trials)


def fit_readout(
    seen: Floats,
    right: np.ndarray,
    classes: Sequence[str],
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    penalty: float,
) -> Readout:
    """Return read-outs of features, one for each split into training and tested stimuli.

    Parameters
    ----------
    seen : array, shape (stimulus, feature)
    right : array of int, shape (stimulus,)
    classes : sequence of str
    splits : sequence of (array, array)
        Stimuli to train on, and those that are tested with this read-out.
    penalty : float
        As in `classification`.
    """
    fold = np.zeros(len(right), dtype=np.int64)
    weights, offsets = [], []
    for number, (chosen, tested) in enumerate(splits):
        fold[tested] = number
        mean, deviation = seen[chosen].mean(0), seen[chosen].std(0)
        scale = np.where(deviation > 0, deviation, 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a read-out a little short of its optimum is one still
            fitted = LogisticRegression(C=1 / penalty, max_iter=300).fit((seen[chosen] - mean) / scale, right[chosen])
        coefficients, intercept = fitted.coef_, fitted.intercept_
        if len(classes) == 2:
            coefficients, intercept = np.vstack([0 * coefficients, coefficients]), np.append(0.0, intercept)
        weights.append(coefficients / scale)
        offsets.append(intercept - (coefficients / scale) @ mean)
    return Readout(
        torch.from_numpy(np.stack(weights)).float(),
        torch.from_numpy(np.stack(offsets)).float(),
        torch.from_numpy(fold),
        tuple(classes),
        torch.from_numpy(right),
    )


def features(said: Tensor, axis: int) -> Tensor:
    """Return what was read, averaged over all axes but that of the stimuli and `axis`: maps over places, …."""
    return said.movedim(axis, 1).flatten(2).mean(-1) if said.ndim > 2 else said.flatten(1)


def _feature_axis(network: Entry | nn.Module, stimuli: Stimuli, inputs: Tensor, layer: str) -> int:
    """Return which axis of what a layer gives holds its channels or units, where a recording finds them."""
    module, reading = module_of(network), Task("features", "", inputs, lambda said, _: said, True, layer=layer)
    with hooks.undisturbed(module):
        said = reading.read(module, inputs[:2])
    if said.ndim < 3:
        return 1
    shown = array(stimuli.batch([0, 1]), dims=stimuli.dims)
    recording = record(network, shown, layers=layer)
    recorded = recording[next(iter(recording))]
    last = recorded.isel(call=-1) if "call" in recorded.dims else recorded
    feature = next(dim for dim in ("channel", "unit", "head") if dim in last.dims)
    known = torch.from_numpy(last.transpose("stimulus", feature, ...).values).to(said)
    moved = {axis: said.movedim(axis, 1) for axis in range(1, said.ndim)}
    return next((axis for axis, one in moved.items() if one.shape == known.shape and torch.allclose(one, known)), 1)


def prepared(network: Entry | nn.Module, stimuli: Stimuli) -> Tensor:
    """Return all stimuli as the network takes them; refuse those that a recording refuses."""
    session = Session.begin(network, stimuli, None, None, None)
    with hooks.undisturbed(session.module):
        return session.inputs(np.arange(len(stimuli))).cpu()


def _classes(stimuli: Stimuli, label: str, n_folds: int) -> tuple[np.ndarray, tuple[str, ...]]:
    if label not in instance("stimuli", stimuli, Stimuli).table:
        raise unknown_name("column of the stimulus table", label, map(str, stimuli.table.columns))
    missing = int(stimuli.table[label].isna().sum())
    if missing:
        raise UsageError(f"'{label}' is missing for {missing} of {len(stimuli)} stimuli; leave those out.")
    names = stimuli.table[label].astype(str)
    counts = names.value_counts()
    if len(counts) < 2 or counts.min() < n_folds:
        raise UsageError(
            f"'{label}' has {len(counts)} classes, the smallest of {counts.min()}; expected at least 2 classes of "
            f"{n_folds} stimuli, one a fold."
        )
    codes = pd.Categorical(names)
    return np.asarray(codes.codes, dtype=np.int64), tuple(codes.categories)


def _splits(right: np.ndarray, tested: Any, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    if tested is None:
        return list(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(right, right))
    mask = np.asarray(tested)
    if mask.dtype.kind != "b" or mask.shape != right.shape or mask.all() or not mask.any():
        raise UsageError(f"tested has shape {mask.shape}; expected a mask of some of the {len(right)} stimuli.")
    if len(np.unique(right[~mask])) < len(np.unique(right)):
        raise UsageError("tested takes all stimuli of a class; some must be left to train on.")
    return [(np.flatnonzero(~mask), np.flatnonzero(mask))]


def _first(training: np.ndarray, right: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([training[right[training] == one][:n] for one in np.unique(right)])
