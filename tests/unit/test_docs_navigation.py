"""The code of docs/navigation.md runs as it stands there, but for fewer paths."""

import re
from pathlib import Path

import pytest

import probekit as pk

PAGE = Path(__file__).parents[2] / "docs" / "navigation.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def made():
    scope = {}
    own, factory = (block for block in BLOCKS if "MyNetwork" in block)
    exec(compile(own.replace("n_paths=2000", "n_paths=300"), str(PAGE), "exec"), scope)
    exec(compile(factory, str(PAGE), "exec"), scope)
    return scope


def test_a_network_of_ones_own_is_led_and_measured(made):
    assert made["walked"]["lstm:output"].shape == (6000, 32)
    assert made["walked"].decoded.shape == (6000, 2)


def test_the_factory_gives_an_entry_that_knows_its_task(made):
    entry = made["factory"]()
    assert isinstance(entry, pk.Entry)
    walked = pk.navigate(entry, n_paths=10)
    assert walked["lstm:output"].shape == (200, 32)
    assert pk.navigation.path_error(walked).shape == (20,)
