"""A Result is read back as it was saved, or its damage is named; its tables are as its analysis declares them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from probekit.analysis import Analysis, Column
from probekit.errors import DataError, UsageError
from probekit.result import Result

Frame, Series, Array = pd.DataFrame, pd.Series, xr.DataArray
AWKWARD = [
    "", "NA", "nan", "None", "null", "1", "1.0", "True", "-", "ü 日本 \u2028 é é", "a,b", 'said "no"', '"',
    "one\ntwo", "one\r\ntwo", "cr\rhere", "\r", "\n", "\t", " before", "after ", "'", "#", "\\", "\\n", "=1+1",
    "<script>", ";",
]  # fmt: skip


def result(
    table: pd.DataFrame | None = None, arrays: dict | None = None, provenance: dict | None = None, **other
) -> Result:
    one = Frame({"layer": ["conv"], "value": [0.5]})
    return Result("toy", one if table is None else table, one, arrays or {}, provenance or {}, **other)


def back(saved: Result, folder: Path) -> Result:
    return Result.load(saved.save(folder))


TABLES = {
    "floats": Frame({"x": [0.1, 0.1 + 0.2, np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308, 1e22]}),
    "float32": Frame({"x": np.array([0.1, np.nan, np.inf, 1e-45, 3.4e38, 16777217], np.float32)}),
    "float16": Frame({"x": np.array([0.1, np.nan, -np.inf, 65504], np.float16)}),
    "ints": Frame({"x": [2**63 - 1, -(2**63), 0]}),
    "small ints": Frame({"x": np.array([255, 0], np.uint8), "y": np.array([-128, 127], np.int8)}),
    "unsigned": Frame({"x": np.array([2**64 - 1], np.uint64)}),
    "bools": Frame({"x": [True, False, True]}),
    "text": Frame({"x": AWKWARD, "n": range(len(AWKWARD))}),
    "text alone": Frame({"x": AWKWARD}),
    "text of objects": Frame({"x": Series(AWKWARD, dtype=object)}),
    "text of pandas": Frame({"x": Series(AWKWARD, dtype="string")}),
    "text with gaps": Frame({"x": ["NA", None, "x"]}),
    "objects with gaps": Frame({"x": Series(["NA", np.nan, None], dtype=object), "n": [1.0, np.nan, 2.0]}),
    "pandas text with gaps": Frame({"x": Series(["NA", pd.NA], dtype="string")}),
    "only gaps": Frame({"x": [np.nan, np.nan]}),
    "no rows": Frame({"f": Series([], dtype=float), "s": Series([], dtype=object), "b": Series([], dtype=bool)}),
    "no columns": Frame(),
    "awkward column names": Frame({name: [0.5] for name in AWKWARD if name}),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_comes_back_equal(table: pd.DataFrame, tmp_path: Path) -> None:
    saved = result(table)
    read = back(saved, tmp_path)
    pd.testing.assert_frame_equal(read.table, table, check_exact=True)
    assert read.equals(saved)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_every_float_comes_back_to_the_last_bit(kind: type, tmp_path: Path) -> None:
    bits = np.random.default_rng(0).integers(0, 256, 20_000 * np.dtype(kind).itemsize, dtype=np.uint8)
    values = bits.view(kind)
    values[np.isnan(values)] = np.nan  # a nan's payload says nothing
    read = back(result(Frame({"x": values})), tmp_path).table.x.to_numpy()
    assert np.array_equal(read.view(np.uint8), values.view(np.uint8))


ARRAYS = {
    "text coordinates": Array(np.eye(2), dims=("layer", "x"), coords={"layer": ["a", "日本"], "x": [3, 1]}),
    "objects as coordinates": Array(np.eye(2)[0], dims="layer", coords={"layer": np.array(["a", ""], object)}),
    "coordinates of a table": Array(np.eye(2)[0], dims="layer", coords={"layer": Series(["a", "bb"])}),
    "other coordinates": Array(
        np.eye(2), dims=("x", "y"), coords={"s": "one", "n": 3, "b": ("x", [True, False]), "z": (("x", "y"), np.eye(2))}
    ),
    "nan": Array([np.nan, np.inf], dims="x", coords={"x": [np.nan, 2.0]}),
    "scalar": Array(3.5),
    "empty": Array(np.zeros((0, 3), np.float32), dims=("x", "y")),
    "named and annotated": Array(
        np.arange(2), dims="x", name="curve", coords={"x": ("x", [1, 2], {"unit": "deg"})},
        attrs={"unit": "spikes", "range": (0, 1), "step": np.float32(0.5), "edge": np.nan, "bins": np.arange(2)},
    ),
    "text": Array(np.array(["a", "bb"]), dims="x"),
    "objects as text": Array(np.array(["a", "bb"], object), dims="x"),
    "bool": Array([True, False], dims="x"),
    "float16": Array(np.array([0.1], np.float16), dims="x"),
    "complex": Array([1j, 2.0], dims="x"),
    "dates": Array(np.array(["2020-01-01"], "M8[ns]"), dims="x"),
}  # fmt: skip


def test_arrays_come_back_equal_with_their_labels(tmp_path: Path) -> None:
    saved = result(arrays=ARRAYS)
    read = back(saved, tmp_path)
    assert read.equals(saved)
    assert list(read.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        got = read.arrays[name]
        assert got.dims == array.dims
        assert got.name == array.name
        np.testing.assert_array_equal(got.values, array.values)
        if array.dtype != object:
            assert got.dtype == array.dtype
        for key, coord in array.coords.items():
            np.testing.assert_array_equal(got.coords[key].values, coord.values)
    assert read.arrays["named and annotated"].x.attrs == {"unit": "deg"}
    assert read.arrays["named and annotated"].attrs["range"] == [0, 1]


def test_provenance_comes_back_equal_and_is_plain_json(tmp_path: Path) -> None:
    saved = result(provenance={
        "seeds": (0, (1, np.int64(2))), "p": np.float32(0.5), "ok": np.bool_(True), "none": None, "text": "日本 \u2028",
        "ends": [np.nan, float("inf"), -np.inf], "nested": {"deep": [{"x": np.array([[1, 2]])}], 3: "number as key"},
        "big": 2**70, "empty": {},
    }, notes=("left out: a,b", "ü\n"))  # fmt: skip
    read = back(saved, tmp_path)
    assert read.equals(saved)
    assert read.notes == saved.notes
    assert read.provenance["nested"] == {"deep": [{"x": [[1, 2]]}], "3": "number as key"}
    assert read.provenance["seeds"] == [0, [1, 2]]

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads((tmp_path / "result.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert read.provenance["ends"] == ["nan", "inf", "-inf"]


def test_a_result_saved_again_gives_the_same_bytes(tmp_path: Path) -> None:
    saved = result(TABLES["text"], ARRAYS, {"a": 1})
    one, two = saved.save(tmp_path / "deep" / "one"), back(saved, tmp_path / "x").save(str(tmp_path / "two"))
    names = ["arrays.npz", "result.json", "summary.csv", "table.csv"]
    assert sorted(file.name for file in one.iterdir()) == names
    same = [name for name in names if (one / name).read_bytes() == (two / name).read_bytes()]
    assert same == names
    assert saved.save(one) == one  # over what is there
    assert Result.load(one).equals(saved)


def test_the_index_of_a_table_says_nothing(tmp_path: Path) -> None:
    table = Frame({"x": [1.0, 2.0]}, index=[5, 9])
    saved = result(table)
    read = back(saved, tmp_path)
    assert read.equals(saved)
    assert saved.equals(read)
    assert list(table.index) == [5, 9]


CHANGES: dict[str, Callable[[Result], Result]] = {
    "analysis": lambda one: replace(one, analysis="other"),
    "value": lambda one: replace(one, table=one.table.assign(value=0.25)),
    "type": lambda one: replace(one, table=one.table.astype({"value": np.float32})),
    "rows": lambda one: replace(one, table=one.table.iloc[:0]),
    "column": lambda one: replace(one, table=one.table.rename(columns={"value": "worth"})),
    "summary": lambda one: replace(one, summary=one.summary.assign(value=0.25)),
    "array": lambda one: replace(one, arrays={"a": one.arrays["a"] + 1}),
    "array missing": lambda one: replace(one, arrays={}),
    "array name": lambda one: replace(one, arrays={"a": one.arrays["a"].rename("b")}),
    "coordinate": lambda one: replace(one, arrays={"a": one.arrays["a"].assign_coords(x=[1, 3])}),
    "attribute": lambda one: replace(one, arrays={"a": one.arrays["a"].assign_attrs(unit="s")}),
    "provenance": lambda one: replace(one, provenance={"seed": 1}),
    "notes": lambda one: replace(one, notes=("one",)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_results_that_differ_are_not_equal(change: Callable[[Result], Result]) -> None:
    one = result(arrays={"a": Array([1.0, np.nan], dims="x", coords={"x": [1, 2]})}, provenance={"seed": 0})
    assert one.equals(replace(one, table=one.table.copy()))
    assert not one.equals(change(one))
    assert not change(one).equals(one)


def test_a_result_keeps_what_it_is_given(tmp_path: Path) -> None:
    table, provenance = TABLES["text"].copy(), {"a": (1, np.float64(2))}
    result(table, {"a": ARRAYS["scalar"]}, provenance).save(tmp_path)
    assert table.equals(TABLES["text"])
    assert provenance == {"a": (1, np.float64(2))}


UNSAVABLE = {
    "both kinds of nothing": (result(Frame({"x": ["", None]})), r"column 'x' is of type .*'' throughout or nan thr"),
    "numbers as objects": (result(Frame({"x": Series([1, 2], dtype=object)})), "column 'x' is of type object and"),
    "bools with gaps": (result(Frame({"x": Series([True, np.nan], dtype=object)})), "column 'x' is of type object"),
    "category": (result(Frame({"x": pd.Categorical(["a"])})), "column 'x' is of type category"),
    "nullable": (result(Frame({"x": Series([1, None], dtype="Int64")})), "column 'x' is of type Int64"),
    "dates": (result(Frame({"x": pd.to_datetime(["2020-01-01"])})), "column 'x' is of type datetime64"),
    "complex": (result(Frame({"x": [1j]})), "column 'x' is of type complex128"),
    "names twice": (result(Frame([[1, 2]], columns=["a", "a"])), r"has the columns \['a', 'a'\]; .* names that differ"),
    "numbers as names": (result(Frame([[1, 2]])), r"has the columns \[0, 1\]; .* as text"),
    "no name": (result(Frame([[1]], columns=[""])), r"has the columns \[''\]"),
    "objects": (result(arrays={"a": Array(np.array([{}], object), dims="x")}), "array 'a' holds Python objects"),
    "mixed coordinate": (
        result(arrays={"a": Array([1, 2], dims="x", coords={"x": np.array([1, None], object)})}),
        r"array 'a\.x' holds Python objects",
    ),
    "several indices": (
        result(arrays={"a": Array(np.eye(2), dims=("x", "y")).stack(z=("x", "y"))}),
        r"array 'a\.z' holds Python objects",
    ),
    "path": (result(provenance={"file": Path("x")}), "provenance or attributes hold a PosixPath; expected None, bool"),
    "set": (result(provenance={"a": [{1}]}), "provenance or attributes hold a set"),
}  # fmt: skip


@pytest.mark.parametrize(("bad", "text"), UNSAVABLE.values(), ids=UNSAVABLE)
def test_what_would_not_come_back_equal_is_refused_and_nothing_written(bad: Result, text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=text):
        bad.save(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["table.csv", "summary.csv", "arrays.npz", "result.json"])
@pytest.mark.parametrize("harm", ["gone", "empty", "truncated", "altered"])
def test_a_damaged_file_is_named(name: str, harm: str, tmp_path: Path) -> None:
    folder = result(arrays={"a": ARRAYS["nan"]}).save(tmp_path / "saved")
    file = folder / name
    content = bytearray(file.read_bytes())
    if harm == "gone":
        file.unlink()
    elif harm == "altered":
        content[1] ^= 1
        file.write_bytes(content)
    else:
        file.write_bytes(content[: len(content) // 2 if harm == "truncated" else 0])
    said = f"No such file.*{name}" if harm == "gone" else "" if name == "result.json" else f"{name} was changed since"
    with pytest.raises(DataError, match=f"saved does not hold a saved result: .*{said}"):
        Result.load(folder)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[]", "does not hold a saved result"), ("{}", "result.json lacks 'format'"), ("null", "does not hold"),
        ('{"format": 99}', "its format is 99; this version of probekit reads 1"), ('"text"', "does not hold"),
        ('{"format": 1, "sha256": {}, "types": {}, "arrays": {}}', r"result.json lacks 'arrays\.npz'"),
    ],
)  # fmt: skip
def test_json_that_is_no_result_is_named(content: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(DataError, match=text):
        Result.load(tmp_path)


def test_a_folder_without_a_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere does not hold a saved result: .*No such file"):
        Result.load(tmp_path / "nowhere")


# what an analysis declares

COLUMNS = (
    Column("layer", "str", "Layer"),
    Column("value", "float", "A number", nan="the unit is silent"),
    Column("n", "int", "A count"),
    Column("ok", "bool", "A flag"),
)
DECLARED = Frame({"layer": ["a", "b"], "value": [0.5, np.nan], "n": [1, 2], "ok": [True, False]})


def toy() -> Analysis:
    def nothing(*_) -> Result:
        raise NotImplementedError

    return Analysis("toy", "Toy", "Nothing.", "any", COLUMNS, COLUMNS[:1], (), nothing, nothing)


@pytest.mark.parametrize(
    "table",
    [
        DECLARED, DECLARED.iloc[:0], DECLARED.astype({"value": np.float32, "n": np.uint8}),
        DECLARED.astype({"layer": object}), DECLARED.astype({"layer": "string"}), Frame(columns=list(DECLARED)),
    ],
    ids=["declared", "no rows", "other sizes", "objects", "pandas text", "empty"],
)  # fmt: skip
def test_declared_tables_pass(table: pd.DataFrame) -> None:
    good = Result("toy", table, DECLARED[["layer"]])
    assert toy().check(good) is good


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (DECLARED[["n", "layer", "value", "ok"]], r"toy\.table has columns \['n', .*declared are \['layer', 'value'"),
        (DECLARED.drop(columns="ok"), r"toy\.table has columns"),
        (DECLARED.assign(more=1), r"toy\.table has columns"),
        (DECLARED.assign(value=1), r"toy\.table\.value is int64; declared is float"),
        (DECLARED.assign(n=[1.0, 2.0]), r"toy\.table\.n is float64; declared is int"),
        (DECLARED.assign(ok=[0, 1]), r"toy\.table\.ok is int64; declared is bool"),
        (DECLARED.assign(layer=[1, 2]), r"toy\.table\.layer is int64; declared is str"),
        (DECLARED.assign(layer=["a", None]), r"toy\.table\.layer has missing values and declares no reason for one"),
    ],
)
def test_undeclared_tables_are_named(table: pd.DataFrame, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        toy().check(Result("toy", table, DECLARED[["layer"]]))
    with pytest.raises(UsageError, match=r"toy\.summary has columns"):
        toy().check(Result("toy", DECLARED, DECLARED))
