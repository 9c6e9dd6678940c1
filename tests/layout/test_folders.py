"""zoo, analyses and reports are parts of probekit and of nothing else, in a checkout and in what is built of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("zoo", "analyses", "reports")


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def listed(*folders: str) -> list[str]:
    """Return the files that git has or would take, which are still there."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: git cannot say which files belong to the project")
    said = run("git", "-c", "safe.directory=*", "ls-files", "-zco", "--exclude-standard", *folders)
    assert said.returncode == 0, said.stderr
    return [name for name in dict.fromkeys(said.stdout.split("\0")) if name and os.path.lexists(ROOT / name)]


# the checkout


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_a_link_inside_probekit(part: str) -> None:
    link = ROOT / "probekit" / part
    assert link.is_symlink()
    assert link.readlink() == Path("..", part)
    assert (ROOT / part).is_dir()
    assert not (ROOT / part).is_symlink()


@pytest.mark.parametrize("name", [*PARTS, "zoo.model", "analyses.orientation", "reports.report"])
def test_a_bare_name_is_refused_in_words(name: str) -> None:
    part = name.partition(".")[0]
    said = run(sys.executable, "-c", f"import {name}")  # the folder of the checkout is first on the path
    assert said.returncode == 1
    last = said.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    for words in (f"probekit.{part}", f"probekit/{part}", "wheel"):
        assert words in last


def test_no_file_names_a_home_folder() -> None:
    home = re.compile(r"(?<![\w.])/(?:home|root|Users)/\w")
    found = []
    for name in listed():
        file = ROOT / name
        if file.is_file() and not file.is_symlink():
            lines = file.read_bytes().decode(errors="replace").splitlines()
            found += [f"{name}:{number}" for number, line in enumerate(lines, 1) if home.search(line)]
    assert found == []


# what is built


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a wheel and an sdist, built of a copy of the checkout."""
    if find_spec("setuptools") is None or int(version("setuptools").partition(".")[0]) < 77:
        pytest.skip("building without pip needs setuptools 77 or newer, as pyproject.toml says")
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("built")
    for name in listed():
        if not name.startswith("tests/"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_symlink():
                (copy / name).symlink_to((ROOT / name).readlink())
            else:
                (copy / name).write_bytes((ROOT / name).read_bytes())
    build = f"from setuptools import build_meta as b; b.build_sdist({str(out)!r}); b.build_wheel({str(out)!r})"
    said = run(sys.executable, "-c", build, cwd=copy)
    assert said.returncode == 0, said.stderr
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def packaged() -> dict[str, bytes]:
    """Return the path in the package, and the content, of every file that belongs into it."""
    names = [name for name in listed("probekit", *PARTS) if not (ROOT / name).is_symlink()]
    inside = {name if name.startswith("probekit/") else f"probekit/{name}": name for name in names}
    return {path: (ROOT / name).read_bytes() for path, name in inside.items()}


def test_the_wheel_holds_every_file_as_a_real_one(built: tuple[Path, Path]) -> None:
    expected = packaged()
    kinds = {Path(name).suffix for name in expected}
    assert {".py", ".csv", ".jinja", ".css", ".typed"} <= kinds
    with zipfile.ZipFile(built[0]) as wheel:
        infos = [info for info in wheel.infolist() if ".dist-info/" not in info.filename]
        assert {info.filename: wheel.read(info) for info in infos} == expected
        links = [info.filename for info in infos if info.external_attr >> 28 == 0o12]
    assert links == []


def test_the_sdist_holds_every_file_as_a_real_one(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[1]) as sdist:
        files = {member.name.partition("/")[2]: member for member in sdist.getmembers() if not member.isdir()}
        assert all(member.isreg() for member in files.values())
        expected = packaged()
        assert {name: sdist.extractfile(files[name]).read() for name in expected if name in files} == expected
    assert {"pyproject.toml", "LICENSE", "README.md"} <= set(files)
