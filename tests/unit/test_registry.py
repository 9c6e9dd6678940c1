"""Things are found by name, built in or from another package, and what is wrong with one is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from probekit.analysis import Source
from probekit.errors import UnknownNameError, UsageError
from probekit.registry import Registry

GROUP = "probekit.test_things"
OTHER_PACKAGE = """
from probekit.analysis import Source
SOURCE = Source("Somebody 2020", "10.1/1")
TEXT = "not a source"
"""


def sources(builtin: dict[str, str]) -> Registry[Source]:
    return Registry("source", GROUP, builtin, Source)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes another package be installed, with these entry points."""

    def make(lines: str, package: str = "otherpackage", group: str = GROUP) -> None:
        monkeypatch.delitem(sys.modules, package, raising=False)
        (tmp_path / f"{package}.py").write_text(OTHER_PACKAGE)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return make


def test_a_built_in_thing_is_imported_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "builtinthing.py").write_text(OTHER_PACKAGE)
    monkeypatch.syspath_prepend(tmp_path)
    registry = sources({"b": "builtinthing:SOURCE", "a": "gone:NOTHING"})
    assert registry.names() == ["a", "b"]
    assert "builtinthing" not in sys.modules
    found = registry.get("b")
    assert isinstance(found, Source)
    assert found is sys.modules["builtinthing"].SOURCE
    monkeypatch.delitem(sys.modules, "builtinthing")


def test_another_packages_thing_is_listed_and_given(install) -> None:
    install("theirs = otherpackage:SOURCE")
    registry = sources({"ours": "somewhere:THING"})
    assert registry.names() == ["ours", "theirs"]
    assert "otherpackage" not in sys.modules
    assert registry.get("theirs") == Source("Somebody 2020", "10.1/1")


def test_things_of_another_group_are_not_ours(install) -> None:
    install("theirs = otherpackage:SOURCE", group="probekit.other_things")
    assert sources({}).names() == []


def test_the_built_in_thing_wins_over_anothers_of_its_name(install) -> None:
    install("both = otherpackage:TEXT")
    registry = sources({"both": "otherpackage:SOURCE"})
    assert registry.names() == ["both"]
    assert registry.get("both") == Source("Somebody 2020", "10.1/1")


def test_a_thing_of_the_wrong_type_is_named(install) -> None:
    install("theirs = otherpackage:TEXT")
    text = rf"The entry point 'theirs' in group '{GROUP}' gives a str; it must give a probekit Source"
    with pytest.raises(UsageError, match=text):
        sources({}).get("theirs")


@pytest.mark.parametrize(
    ("target", "reason"),
    [("nopackage:SOURCE", "No module named 'nopackage'"), ("otherpackage:GONE", "has no attribute 'GONE'")],
)
def test_a_thing_that_cannot_be_imported_is_named(install, target: str, reason: str) -> None:
    install(f"theirs = {target}")
    text = rf"The entry point 'theirs' in group '{GROUP}', {target}, cannot be loaded: .*{reason}"
    with pytest.raises(UsageError, match=text):
        sources({}).get("theirs")


def test_an_unknown_name_suggests_the_nearest_also_of_other_packages(install) -> None:
    install("orientation = otherpackage:SOURCE")
    registry = sources({"rsa": "somewhere:THING"})
    with pytest.raises(UnknownNameError, match=r"no source called 'orientaton'\. Did you mean 'orientation'\?"):
        registry.get("orientaton")
    with pytest.raises(UnknownNameError, match=r"no source called 'zzz'\. Known: orientation, rsa\.$"):
        registry.get("zzz")
    with pytest.raises(UnknownNameError, match=r"Known: none\."):
        Registry("source", "probekit.no_things", {}, Source).get("x")
