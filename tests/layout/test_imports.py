"""Imports run one way, drawing stays in the reports, and `import probekit` is quick."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import probekit

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "probekit"
HEAVY = ("torch", "pandas", "numpy", "matplotlib", "xarray", "scipy", "seaborn", "zarr", "rich", "torchvision", "timm")


def test_the_contracts_are_kept() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert " kept, 0 broken" in said.stdout


def test_every_module_has_its_place_in_the_order_of_imports() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    order = next(one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers")["layers"]
    placed = [name.strip() for layer in order for name in layer.split("|")]
    there = [file.stem for file in PACKAGE.glob("*.py") if file.stem != "__init__"]
    there += [file.parent.name for file in PACKAGE.glob("*/__init__.py")]
    assert sorted(placed) == sorted(f"probekit.{name}" for name in there)


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_only_reports_draw_and_nobody_imports_the_bare_folders() -> None:
    files = [file for part in ("probekit", "zoo", "analyses") for file in (ROOT / part).rglob("*.py")]
    assert len(files) > 30
    drawing = {"matplotlib", "seaborn", "jinja2"}
    for file in [*files, *(ROOT / "reports").rglob("*.py")]:
        names = {name.partition(".")[0] for name in imported(file)}
        assert not names & {"zoo", "analyses", "reports"}, file
        if "reports" not in file.relative_to(ROOT).parts:
            assert not names & drawing, file


def test_importing_probekit_imports_nothing_heavy() -> None:
    check = f"import sys, probekit; print(sorted(set({HEAVY}) & set(sys.modules)), probekit.__version__)"
    said = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == f"[] {probekit.__version__}"


@pytest.mark.parametrize("name", probekit.__all__)
def test_every_public_name_resolves(name: str) -> None:
    found = getattr(probekit, name)
    assert found is not None
    assert name in dir(probekit)


def test_public_names_are_the_same_for_people_and_for_type_checkers() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = [alias.asname or alias.name for node in ast.walk(guarded) if isinstance(node, ast.ImportFrom)
            for alias in node.names]  # fmt: skip
    assert sorted(seen) == sorted(probekit.__all__) == sorted(set(probekit.__all__)) == dir(probekit)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'probekit' has no attribute 'recrod'"):
        _ = probekit.recrod
