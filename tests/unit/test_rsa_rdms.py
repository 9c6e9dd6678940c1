"""RDMs keep pairs, conditions and their table together, and refuse what does not fit."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pandas as pd
import pytest

from probekit.errors import UnknownNameError, UsageError
from probekit.rsa.bridge import from_rsatoolbox, to_rsatoolbox
from probekit.rsa.rdms import RDMs, check_same_conditions, from_square, n_conditions_of, pair_index, stacked

LABELS = ("cat", "dog", "car", "cup")


def some(n: int = 3, labels: tuple[str, ...] = LABELS, distance: str = "correlation", seed: int = 0) -> RDMs:
    values = np.random.default_rng(seed).random((n, len(labels) * (len(labels) - 1) // 2))
    return RDMs(values, labels, pd.DataFrame({"layer": [f"conv{i}" for i in range(n)]}), distance)


def test_square_and_back() -> None:
    rdms = some()
    full = rdms.square()
    assert np.array_equal(full, full.transpose(0, 2, 1))
    assert not np.diagonal(full, axis1=1, axis2=2).any()
    assert full[1, 0, 2] == rdms.dissimilarities[1, 1]
    back = from_square(full, LABELS, distance="correlation", table=rdms.table)
    assert np.array_equal(back.dissimilarities, rdms.dissimilarities)
    assert back.table.equals(rdms.table)
    one = from_square(full[0], LABELS, distance="correlation")
    assert len(one) == 1
    assert one.table["rdm"].tolist() == [0]


def test_length_and_words() -> None:
    assert len(some()) == 3
    assert some().n_conditions == 4
    assert repr(some()) == "3 RDMs of 4 conditions, correlation distance (layer)"


def test_rows_by_index_and_by_mask() -> None:
    rdms = some()
    assert rdms.rows([2, 0]).table["layer"].tolist() == ["conv2", "conv0"]
    masked = rdms.rows(rdms.table["layer"] == "conv1")
    assert np.array_equal(masked.dissimilarities, rdms.dissimilarities[1:2])
    assert masked.table.index.tolist() == [0]


def test_select_takes_the_same_pairs_in_another_order() -> None:
    rdms = some()
    picked = rdms.select(["cup", "cat", "car"])
    assert picked.conditions == ("cup", "cat", "car")
    at = [3, 0, 2]
    assert np.array_equal(picked.square(), rdms.square()[:, at][:, :, at])


@pytest.mark.parametrize("n", [2, 3, 7])
def test_pair_index_counts_pairs_in_order(n: int) -> None:
    pairs = np.array(list(itertools.combinations(range(n), 2)))
    expected = np.arange(len(pairs))
    assert np.array_equal(pair_index(pairs[:, 0], pairs[:, 1], n), expected)
    assert np.array_equal(pair_index(pairs[:, 1], pairs[:, 0], n), expected)
    assert n_conditions_of(len(pairs)) == n


def test_stacked_keeps_tables_and_marks_what_one_lacks() -> None:
    first, second = some(2), RDMs(some(1).dissimilarities, LABELS, pd.DataFrame({"subject": [4]}), "correlation")
    both = stacked([first, second])
    assert np.array_equal(both.dissimilarities, np.concatenate([first.dissimilarities, second.dissimilarities]))
    assert both.table["layer"].isna().tolist() == [False, False, True]


def test_nan_survives() -> None:
    values = np.array([[1.0, np.nan, 2.0]])
    rdms = from_square(RDMs(values, LABELS[:3], pd.DataFrame({"rdm": [0]}), "x").square(), LABELS[:3], distance="x")
    assert np.array_equal(rdms.dissimilarities, values, equal_nan=True)


def test_refusals() -> None:
    table = pd.DataFrame({"rdm": [0]})
    with pytest.raises(UsageError, match="conditions repeat: cat"):
        RDMs(np.zeros((1, 3)), ("cat", "cat", "dog"), table, "x")
    with pytest.raises(UsageError, match=r"shape \(1, 4\).*need \(1, 3\)"):
        RDMs(np.zeros((1, 4)), LABELS[:3], table, "x")
    with pytest.raises(UsageError, match="two conditions or more"):
        RDMs(np.zeros((1, 0)), ("cat",), table, "x")
    with pytest.raises(UsageError, match="not symmetric"):
        from_square(np.arange(9.0).reshape(3, 3), LABELS[:3], distance="x")
    with pytest.raises(UsageError, match=r"shape \(2, 3\)"):
        from_square(np.zeros((2, 3)), LABELS[:2], distance="x")
    with pytest.raises(UnknownNameError, match="Did you mean 'cat'"):
        some().select(["catt", "dog"])
    with pytest.raises(UsageError, match="is empty"):
        stacked([])
    with pytest.raises(UsageError, match="distances 'correlation' and 'cosine'"):
        stacked([some(), some(distance="cosine")])
    with pytest.raises(UsageError, match="not in both: bus, cup"):
        check_same_conditions(some(), some(labels=("cat", "dog", "car", "bus")))
    with pytest.raises(UsageError, match="in another order"):
        check_same_conditions(some(), some(labels=LABELS[::-1]))
    with pytest.raises(UsageError, match="5 is not a number of pairs"):
        n_conditions_of(5)


def test_there_and_back_through_rsatoolbox() -> None:
    pytest.importorskip("rsatoolbox", reason="the bridge is to rsatoolbox")
    rdms = some()
    rdms.dissimilarities[0, 2] = np.nan
    theirs = to_rsatoolbox(rdms)
    assert np.array_equal(theirs.get_matrices(), rdms.square(), equal_nan=True)
    assert theirs.pattern_descriptors["conditions"] == list(LABELS)
    back = from_rsatoolbox(theirs)
    assert np.array_equal(back.dissimilarities, rdms.dissimilarities, equal_nan=True)
    assert (back.conditions, back.distance) == (rdms.conditions, rdms.distance)
    assert back.table.equals(rdms.table)
    assert from_rsatoolbox(theirs, conditions="index").conditions == ("0", "1", "2", "3")
    with pytest.raises(UnknownNameError, match="pattern descriptor called 'condition'"):
        from_rsatoolbox(theirs, conditions="condition")


def test_the_bridge_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="of type int; expected rsatoolbox"):
        from_rsatoolbox(3)
    monkeypatch.setitem(sys.modules, "rsatoolbox", None)
    monkeypatch.setitem(sys.modules, "rsatoolbox.rdm", None)
    with pytest.raises(UsageError, match="pip install rsatoolbox"):
        to_rsatoolbox(some())
