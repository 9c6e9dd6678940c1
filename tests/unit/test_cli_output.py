"""How the command line says things: tables and progress on a terminal and elsewhere, names of folders, quick help."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

import pandas as pd
import pytest

import probekit as pk
from probekit.cli import progress
from probekit.cli.output import Output
from probekit.network import Card


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_help_and_version_import_nothing_heavy() -> None:
    commands = ["", "zoo", "layers", "analyses", "data", "data list", "data fetch", "data where", "record", "analyse",
                "report"]  # fmt: skip
    code = (
        "import sys\nfrom probekit.cli import main\n"
        f"for command in {commands}: assert main([*command.split(), '--help']) == 0\n"
        "assert main(['--version']) == 0\n"
        "print('HEAVY', sorted({'torch', 'numpy', 'pandas', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"probekit {pk.__version__}\nHEAVY []\n")
    assert done.stderr == ""
    for command in commands:
        assert f"usage: probekit {command}".rstrip() in done.stdout


def test_on_a_terminal_a_table_is_drawn() -> None:
    table = pd.DataFrame({"name": ["a [b]", "c"], "n_units": [1234567, 2], "here": [True, False], "source": "long"})
    stream = Terminal()
    Output(stream, json=False).table(table, prose="source")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert re.search(r"name +n units +here", plain)
    assert re.search(r"a \[b\] +1,234,567 +yes", plain)
    assert "c, source: long" in plain


def test_tables_elsewhere_hold_one_row_a_line_and_nan_is_empty_or_null() -> None:
    table = pd.DataFrame({"name": ["a\tb\nc"], "value": [float("nan")], "shape": [(3, 4)]})
    text, document = io.StringIO(), io.StringIO()
    Output(text, json=False).table(table)
    Output(document, json=True).table(table)
    assert text.getvalue() == "name\tvalue\tshape\na b c\t\t3x4\n"
    assert json.loads(document.getvalue()) == [{"name": "a\tb\nc", "value": None, "shape": [3, 4]}]


def test_progress_is_a_bar_on_a_terminal_and_silent_for_json(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.shown(quiet=True) as tell:
        tell("recording", 1, 2)
    assert stream.getvalue() == ""
    with progress.shown(quiet=False) as tell:
        tell("recording [red]", 0, 4)
        tell("recording [red]", 4, 4)
    assert "recording [red]" in stream.getvalue()
    assert "4/4" in stream.getvalue()


def test_progress_elsewhere_is_a_line_every_half_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 10.0, 31.0, 40.0, 62.0, 63.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    with progress.shown(quiet=False) as tell:
        for done in range(5):
            tell("recording", done, 100)
        tell("another task", 0, 10)
    # after 31 s two of a hundred steps are done: 98 more take 31 / 2 · 98 s = 25 min; after 62 s, 96 take 62 / 4 · 96 s
    assert capsys.readouterr().err == (
        "probekit: recording: 2 of 100, about 25 min left\nprobekit: recording: 4 of 100, about 25 min left\n"
    )


def test_folder_names_are_safe_and_readable() -> None:
    from probekit.cli.folders import folder_name

    names = ["timm/vit_tiny.augreg", "../../etc:passwd", "a/b c/naïve net.py:make", "<script>", "...", "x" * 300]
    assert [folder_name(name) for name in names[:5]] == [
        "timm-vit_tiny.augreg", "etc-passwd", "naïve-net.py-make", "script", "network",
    ]  # fmt: skip
    assert len(folder_name(names[5])) == 100


def test_sizes_of_gratings_follow_the_network() -> None:
    from probekit.cli.asked import stimuli

    card = Card("n", "CNN", (1, 24, 24), "")
    assert stimuli("gratings", card).shape == (1, 24, 24)
    assert len(stimuli("gratings:", card)) == 24 * 6 * 16 + 1
    assert stimuli("gratings:size=30,contrast=0.5,phases=1", card).table["contrast"].max() == 0.5
