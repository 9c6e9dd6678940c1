"""The code of the pages in docs/ runs as it stands there; navigation has a test of its own, with fewer paths."""

import re
from pathlib import Path

import pytest
import torch

import probekit as pk

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("lesions", "ventral", "vision")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.filterwarnings("ignore::probekit.errors.ProbekitWarning")
def test_the_examples_of_a_page_run_one_after_another(name):
    page = DOCS / f"{name}.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    scope = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for block in blocks:
            exec(compile(block, str(page), "exec"), scope)
    results = [value for value in scope.values() if isinstance(value, pk.Result)]
    assert results or name == "ventral"
    assert all(len(result.table) for result in results)


def test_every_page_is_linked_from_the_readme():
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in DOCS.glob("*.md") if f"docs/{page.name}" not in readme] == []
