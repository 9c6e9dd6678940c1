"""The command line: results on stdout and nothing else there, errors in one line, exit codes as `--help` says."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import probekit as pk
from probekit import errors
from probekit.cli import main
from probekit.cli.arguments import parse

NETWORKS = """
import time
import torch
from torch import nn

print("a factory's chatter")

class Net(nn.Module):
    pause = 0.0

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 5)
        self.relu = nn.ReLU()
        self.head = nn.Linear(4, 2)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        print("a network's chatter")
        time.sleep(self.pause)
        return self.head(self.relu(self.conv(x)).mean((2, 3)))

class Slow(Net):
    pause = 0.15

class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 7, batch_first=True)
        self.head = nn.Linear(7, 2)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])

class Failing(Net):
    def forward(self, x):
        raise RuntimeError("the middle is missing")

def leave():
    raise SystemExit(0)
"""

TOYS = """
import time
from dataclasses import replace
import pandas as pd
from probekit.analysis import Analysis, Column
from probekit.errors import ModelError, NotApplicableError
from probekit.result import Result

COLUMNS = (Column("layer", "str", "name of the layer"), Column("value", "float", "seed of the run"))

def declare(name, protocol):
    return Analysis(name, name, "A toy.", "any", COLUMNS, COLUMNS, (), protocol, protocol)

def quick(entry, protocol):
    table = pd.DataFrame({"layer": ["conv"], "value": [float(protocol.seed)]})
    return Result("toy_quick", table, table, notes=("A toy's note.",))

def slow(entry, protocol):
    for step in range(600):
        protocol.progress("waiting", step, 600)
        time.sleep(0.1)

def unfit(entry, protocol):
    raise NotApplicableError("toy_unfit needs a network with ears.")

def failing(entry, protocol):
    raise ModelError("the toy fell over.")

def faulty(entry, protocol):
    return 1 / 0

QUICK, SLOW, UNFIT, FAILING, FAULTY = (
    declare(f"toy_{one.__name__}", one) for one in (quick, slow, unfit, failing, faulty)
)
ASKED = replace(FAILING, name="toy_asked", unasked=False)
"""
SMALL = ("--input", "3x16x16")


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder that holds `net.py`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NETWORKS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Register toy analyses as another package does, by entry points."""

    def install(*names: str) -> Path:
        site = tmp_path / "site"
        info = site / "toys-1.dist-info"
        info.mkdir(parents=True)
        (site / "probekit_toys.py").write_text(TOYS, encoding="utf-8")
        points = "".join(f"toy_{name} = probekit_toys:{name.upper()}\n" for name in names)
        (info / "entry_points.txt").write_text(f"[probekit.analyses]\n{points}", encoding="utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1\n", encoding="utf-8")
        monkeypatch.syspath_prepend(site)
        return site

    yield install
    sys.modules.pop("probekit_toys", None)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process; exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def process(*words: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "probekit", *words]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # a shell's background jobs have SIGINT ignored, and their children too
    options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, **streams, **options)


# --- what there is


def test_help_names_every_exit_code(run: Run) -> None:
    code, said, _ = run("--help")
    documented = {int(number) for number in re.findall(r"^  (\d+) +\w", said, re.MULTILINE)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert code == 0
    assert documented == {0, 130, 141} | {kind.exit_code for kind in kinds if issubclass(kind, errors.ProbekitError)}
    assert run()[1] == said


def test_zoo_as_table_and_as_json(run: Run) -> None:
    code, table, notes = run("zoo")
    header, first, *rest = table.splitlines()
    assert code == 0
    assert len(rest) == len(pk.zoo.catalogue()) - 1
    assert header.split("\t") == list(pk.zoo.catalogue().columns)
    assert first.split("\t")[:3] == ["efficientnet-lite0", "CNN", "4652008"]
    assert "torchvision/NAME" in notes
    listed = json.loads(run("zoo", "--json")[1])
    assert listed[0]["name"] == "efficientnet-lite0"
    assert listed[0]["parameters"] == 4652008


def test_analyses_say_source_and_kind_of_network(run: Run) -> None:
    (found,) = [one for one in json.loads(run("analyses", "--json")[1]) if one["name"] == "orientation"]
    assert "square images" in found["networks"]
    assert "10.1523/JNEUROSCI.22-13-05639.2002" in found["sources"]


def test_layers_of_a_convolutional_network(run: Run) -> None:
    code, said, notes = run("layers", "net.py:Net", *SMALL)
    assert code == 0
    assert [line.split("\t") for line in said.splitlines()] == [
        ["layer", "type", "axes", "shape", "units", "note"],
        ["conv", "Conv2d", "channel,y,x", "4x12x12", "576", ""],
        ["relu", "ReLU", "channel,y,x", "4x12x12", "576", ""],
        ["head", "Linear", "unit", "2", "2", ""],
        ["unused", "Linear", "", "", "0", "it never ran during a forward pass"],
    ]
    assert "a network's chatter" in notes


def test_layers_of_a_recurrent_network_have_parts_and_time(run: Run) -> None:
    rows = json.loads(run("layers", "net.py:Recurrent", "--input", "9x5", "--layers", "lstm,head", "--json")[1])
    cell = next(row for row in rows if row["layer"] == "lstm:c_l0")
    assert cell == {"layer": "lstm:c_l0", "type": "LSTM", "axes": ["time", "unit"], "shape": [9, 7], "units": 7,
                    "note": ""}  # fmt: skip
    assert rows[-1]["layer"] == "head"


def test_data_list_and_where(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path / "hier"))
    assert run("data", "where") == (0, f"{tmp_path / 'hier'}\n", "")
    assert json.loads(run("data", "where", "--json")[1]) == {"folder": str(tmp_path / "hier")}
    listed = {row["name"]: row for row in json.loads(run("data", "list", "--json")[1])}
    assert listed["ringach2002"]["here"] is False
    assert listed["ringach2002"]["n_files"] == 1


def test_data_fetch_without_a_network_says_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path / "hier"))
    monkeypatch.setenv("PROBEKIT_OFFLINE", "1")
    code, said, notes = run("data", "fetch", "ringach2002")
    assert (code, said) == (4, "")
    assert "PROBEKIT_OFFLINE is 1" in notes
    assert "put it into" in notes
    code, _, notes = run("data", "fetch", "ringach202")
    assert code == 2
    assert "Did you mean 'ringach2002'?" in notes


@pytest.mark.data
def test_data_fetch_of_what_is_there_gives_its_paths(run: Run) -> None:
    code, said, _ = run("data", "fetch", "ringach2002")
    assert code == 0
    assert [Path(line).name for line in said.splitlines()] == ["ringach_2002_db.mat"]
    assert json.loads(run("data", "fetch", "ringach2002", "--json")[1])["files"] == said.splitlines()


# --- recording


def test_record_writes_a_store_and_says_the_plan_first(run: Run) -> None:
    code, said, notes = run(
        "record", "net.py:Net", *SMALL, "--stimuli", "gratings:orientations=4,phases=2,spatial_frequencies=0.1+0.2",
        "--layers", "conv,re*", "--out", "a store.zarr", "--seed", "3",
    )  # fmt: skip
    assert (code, said) == (0, "a store.zarr\n")
    assert "2 layers, 17 stimuli, 1 forward passes, 0.1 MB" in notes
    stored = pk.open("a store.zarr")
    assert stored.layers == ["conv", "relu"]
    assert sorted(stored.stimuli["spatial_frequency_cpp"].dropna().unique()) == [0.1, 0.2]
    shown = pk.stimuli.gratings(size=16, orientations=4, phases=2, spatial_frequencies=[0.1, 0.2])
    again = pk.record(pk.zoo.load("net.py:Net", input_shape=(3, 16, 16), seed=3), shown, layers=["conv", "relu"])
    np.testing.assert_array_equal(stored["conv"].values, again["conv"].values)


def test_record_as_json(run: Run) -> None:
    code, said, notes = run(
        "record", "net.py:Net", *SMALL, "--stimuli", "gratings:phases=1", "--layers", "**", "--out", "s", "--json",
        "--dtype", "float16", "--batch-size", "100",
    )  # fmt: skip
    told = json.loads(said)
    assert code == 0
    assert told == {
        "store": "s", "layers": ["conv", "relu", "head"], "n_stimuli": 24 * 6 + 1,
        "bytes": 145 * (2 * 576 + 2) * 2, "skipped": {"unused": "it never ran during a forward pass"},
    }  # fmt: skip
    assert "warning: not recorded: 'unused'" in notes


def test_record_shows_images_and_arrays(run: Run) -> None:
    Path("bilder é").mkdir()
    for name in ("b.png", "a.png"):
        Image.new("RGB", (40, 30), (255, 0, 0)).save(Path("bilder é") / name)
    np.save("x.npy", np.linspace(0, 1, 2 * 768).reshape(2, 3, 16, 16))
    common = ("--layers", "head", "--json", "--out")
    folder = run("record", "net.py:Net", *SMALL, "--stimuli", "bilder é", *common, "1")
    image = run("record", "net.py:Net", *SMALL, "--stimuli", "bilder é/a.png", *common, "2")
    array = run("record", "net.py:Net", *SMALL, "--stimuli", "x.npy", *common, "3")
    assert [json.loads(said)["n_stimuli"] for _, said, _ in (folder, image, array)] == [2, 1, 2]
    assert list(pk.open("1").stimuli["file"]) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("gratngs", r"--stimuli is 'gratngs'; expected gratings.* Did you mean 'gratings'\?"),
        ("gratings:phase=3", r"property of gratings called 'phase'. Did you mean 'phases'\? Known: contrast, orient"),
        ("gratings:phases=many", r"--stimuli: phases is 'many'; expected a number, as in phases=16"),
        ("gratings:spatial_frequencies=0.1-0.2", r"'0.1-0.2'; expected a number, as in .*=0.05\+0.1"),
        ("gratings:spatial_frequencies=0.9", r"at most 0.5 cycles a pixel"),
        ("gratings:size=20", r"stimuli are 3x20x20; 'net.py:Net' takes 3x16x16"),
        ("nowhere.npy", r"nowhere.npy cannot be read as an array of numbers: .*No such file"),
        ("net.py", r"net.py cannot be read as an image"),
        ("bytes.npy", r"bytes.npy holds uint8 from 0 to 255; expected images, floats in 0 … 1"),
        ("bright.npy", r"bright.npy holds float32 from 0.0 to 2.0; expected images"),
        ("nan.npy", r"stimulus 1 holds nan"),
        ("words.npy", r"words.npy holds <U2; expected an array of numbers"),
        ("pickle.npy", r"pickle.npy cannot be read as an array of numbers: .*allow_pickle=False"),
        ("empty.npy", r"expected at least one stimulus"),
    ],
)  # fmt: skip
def test_bad_stimuli_are_refused_before_any_store(run: Run, spec: str, said: str) -> None:
    image = np.zeros((2, 3, 16, 16), np.float32)
    np.save("bytes.npy", (image + np.float32([[[[0]]], [[[255]]]])).astype(np.uint8))
    np.save("bright.npy", image + np.float32([[[[0]]], [[[2]]]]))
    np.save("nan.npy", image + np.float32([[[[0]]], [[[np.nan]]]]))
    np.save("words.npy", np.array(["ab"]))
    np.save("pickle.npy", np.array([{}]), allow_pickle=True)
    np.save("empty.npy", image[:0])
    code, out, notes = run("record", "net.py:Net", *SMALL, "--stimuli", spec, "--out", "s.zarr")
    assert (code, out) == (2, "")
    assert re.search(said, notes)
    assert not Path("s.zarr").exists()


def test_gratings_for_a_network_without_images_are_refused(run: Run) -> None:
    code, _, notes = run("record", "net.py:Recurrent", "--input", "9x5", "--stimuli", "gratings", "--out", "s.zarr")
    assert code == 2
    assert "takes input of shape 9x5, no images; give --stimuli FILE.npy, or the right --input" in notes


def test_a_store_of_another_network_or_none_is_exit_5(run: Run) -> None:
    words = ("record", "net.py:Net", *SMALL, "--stimuli", "gratings:phases=1")
    assert run(*words, "--out", "s.zarr")[0] == 0
    code, said, notes = run(*words, "--seed", "1", "--out", "s.zarr")
    assert (code, said) == (5, "")
    assert "holds another recording: weights_sha256" in notes
    Path("file").write_text("", encoding="utf-8")
    code, said, notes = run(*words, "--out", "file/s.zarr")
    assert (code, said) == (5, "")
    assert "file/s.zarr cannot be written" in notes


# --- one analysis, and a report


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one quick report; tests of it share it, as it takes seconds."""
    place = tmp_path_factory.mktemp("réports a b")
    (place / "net.py").write_text(NETWORKS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "stdout", io.StringIO())
        patch.setattr(sys, "stderr", io.StringIO())
        code = main(["report", "net.py:Net", "--input", "3x32x32", "--quick", "--with", "orientation", "--json"])
        (place / "stdout").write_text(sys.stdout.getvalue(), encoding="utf-8")
        (place / "stderr").write_text(sys.stderr.getvalue(), encoding="utf-8")
    assert code == 0
    return place


def test_report_writes_page_tables_and_figures_to_a_default_folder(finished: Path) -> None:
    told = json.loads((finished / "stdout").read_text(encoding="utf-8"))
    page = finished / told["report"]
    assert told["report"] == str(Path("report") / "net.py-Net" / "report.html")
    assert "<title>" in page.read_text(encoding="utf-8")
    assert pk.Result.load(page.parent / "orientation").analysis == "orientation"
    assert len(list((page.parent / "orientation" / "figures").glob("*.svg"))) > 3
    assert len(told["findings"]["orientation"]) >= 2
    assert any("Quick run" in text for text in told["notes"]["orientation"])
    assert told["failed"] == {}


def test_report_says_the_command_without_where_it_went(finished: Path) -> None:
    text = (finished / "report" / "net.py-Net" / "report.html").read_text(encoding="utf-8")
    assert "probekit report net.py:Net --input 3x32x32 --quick --with orientation<" in text
    spoken = parse(["report", "a b", "--out", "x", "--json", "--quick", "--out=y"])
    assert spoken is not None
    assert spoken.command == "probekit report 'a b' --quick"


def test_analyse_writes_tables_and_figures(run: Run, finished: Path) -> None:
    code, said, notes = run(
        "analyse", "orientation", "net.py:Net", "--input", "3x32x32", "--quick", "--out", "büro raum/x"
    )
    assert (code, said) == (0, "büro raum/x\n")
    written = {file.name for file in Path("büro raum/x").iterdir()}
    assert written == {"table.csv", "summary.csv", "result.json", "arrays.npz", "figures"}
    assert "Quick run" in notes
    # the same network, seed and analysis give the same numbers as in the report
    reported = pk.Result.load(finished / "report" / "net.py-Net" / "orientation")
    pd.testing.assert_frame_equal(pk.Result.load("büro raum/x").table, reported.table)


def test_report_prints_its_path_and_tells_the_findings_apart(run: Run, toys: Callable[..., Path]) -> None:
    toys("quick")
    code, said, notes = run(
        "report", "net.py:Net", *SMALL, "--with", "toy_quick,toy_quick", "--out", "r", "--seed", "7"
    )
    assert (code, said) == (0, f"{Path('r') / 'report.html'}\n")
    assert "1 row of numbers" in notes
    result = pk.Result.load("r/toy-quick")
    assert result.table["value"].tolist() == [7.0]


def test_report_is_the_same_bytes_wherever_it_is_written(run: Run, toys: Callable[..., Path]) -> None:
    toys("quick")
    for out in ("one", "two"):
        assert run("report", "net.py:Net", *SMALL, "--with", "toy_quick", "--out", out)[0] == 0
    assert Path("one/report.html").read_bytes() == Path("two/report.html").read_bytes()


def test_report_of_all_analyses_leaves_out_what_does_not_apply(
    run: Run, toys: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    toys("quick", "unfit")
    monkeypatch.setattr(type(pk.analyses.REGISTRY), "names", lambda self: sorted(self._installed()))
    code, said, notes = run("report", "net.py:Net", *SMALL, "--out", "r", "--json")
    assert code == 0
    assert json.loads(said)["failed"] == {"toy_unfit": "toy_unfit needs a network with ears."}
    assert "without toy_unfit: toy_unfit needs a network with ears." in notes
    code, said, notes = run("report", "net.py:Net", *SMALL, "--out", "r", "--with", "toy_unfit")
    assert (code, said) == (2, "")
    assert "error: toy_unfit needs a network with ears." in notes


def test_a_plain_report_runs_the_analyses_that_need_not_be_asked_for(
    run: Run, toys: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    unasked = [name for name, one in pk.analyses.REGISTRY.available().items() if one.unasked]
    assert unasked == ["orientation", "spatial"]
    toys("quick", "asked")
    monkeypatch.setattr(type(pk.analyses.REGISTRY), "names", lambda self: sorted(self._installed()))
    code, said, _ = run("report", "net.py:Net", *SMALL, "--out", "r", "--json")
    assert (code, json.loads(said)["failed"]) == (0, {})
    assert list(json.loads(said)["findings"]) == ["toy_quick"]
    assert run("report", "net.py:Net", *SMALL, "--out", "r", "--with", "toy_asked")[0] == 3


def test_report_keeps_what_works_when_an_analysis_fails(run: Run, toys: Callable[..., Path]) -> None:
    toys("quick", "failing", "faulty")
    words = ("report", "net.py:Net", *SMALL, "--out", "r")
    code, said, notes = run(*words, "--with", "toy_failing,toy_quick")
    assert (code, said) == (3, f"{Path('r') / 'report.html'}\n")
    assert notes.count("the toy fell over.") == 1
    assert "toy_quick" in Path("r/report.html").read_text(encoding="utf-8")
    Path("r/report.html").unlink()
    code, said, notes = run(*words, "--with", "toy_quick,toy_faulty")
    assert (code, said) == (1, "")
    assert "this is a bug: ZeroDivisionError: division by zero (set PROBEKIT_TRACEBACK=1" in notes
    assert "Traceback" not in notes
    assert Path("r/report.html").is_file()


@pytest.mark.parametrize("command", ["report", "analyse"])
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(run: Run, command: str) -> None:
    Path("file").write_text("", encoding="utf-8")
    words = ("analyse", "orientation") if command == "analyse" else ("report",)
    code, said, notes = run(*words, "nowhere.py:make", "--out", "file/deep/er")
    assert (code, said) == (2, "")
    assert "error: --out is 'file/deep/er', which cannot be written: Not a directory." in notes


# --- wrong words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("repot x", "There is no command of `probekit` called 'repot'. Did you mean 'report'?"),
        ("data lst", "There is no command of `probekit data` called 'lst'. Did you mean 'list'?"),
        ("report x --quik", "There is no option of `probekit report` called '--quik'. Did you mean '--quick'?"),
        ("layers x --lyers=a", "There is no option of `probekit layers` called '--lyers'. Did you mean '--layers'?"),
        ("data list --jsn", "There is no option of `probekit data list` called '--jsn'. Did you mean '--json'?"),
        ("record x --stimli a", "There is no option of `probekit record` called '--stimli'. Did you mean '--stimuli'?"),
        ("record x --stimuli a", "the following arguments are required: --out. See `probekit record --help`."),
        ("record x --stimuli a --out b --dtype flot16", "no dtype called 'flot16'. Did you mean 'float16'?"),
        ("report", "the following arguments are required: MODEL. See `probekit report --help`."),
        ("report x y", "unrecognized arguments: y."),
        ("report x --seed -1", "argument --seed: '-1'; expected a whole number from 0."),
        ("report x --seed 9223372036854775808", "expected a whole number from 0"),
        ("layers x --input 3x", "argument --input: '3x'; expected whole numbers with 'x' between them."),
        ("layers x --mean 1,b", "argument --mean: '1,b'; expected numbers with ',' between them."),
        ("layers x --layers a,,b", "argument --layers: 'a,,b'; expected names with ',' between them."),
        ("analyse orientaton x --out y", "There is no analysis called 'orientaton'. Did you mean 'orientation'?"),
        ("report nowhere.py:x --with orientaton --out y", "Did you mean 'orientation'?"),
        ("layers efficientnet-lite", "no network called 'efficientnet-lite'. Did you mean 'efficientnet-lite0'?"),
        ("layers torchvision/resnet19", "There is no torchvision network called 'resnet19'. Did you mean 'resnet18'?"),
        ("layers nowhere.py:make", "There is no file nowhere.py."),
        ("layers net.py:Nett", "There is no factory in net.py called 'Nett'. Did you mean 'Net'?"),
        ("layers net.py:Net --mean 1,2", "mean is (1.0, 2.0); expected 3 finite numbers"),
        ("layers net.py:Net --input 3x16x16 --layers cnv", "The network has no layer 'cnv'. Did you mean 'conv'?"),
        ("layers net.py:Net --input 3x16x16 --layers unused", "'unused': it never ran during a forward pass"),
        ("layers net.py:Net --untrained --weights w.pt", "untrained and weights exclude each other"),
        ("record net.py:Net --input 3x16x16 --stimuli gratings --out s --device cuda:99", "device is 'cuda:99'"),
        ("analyse orientation net.py:Net --input 3x32x32 --out a --device gpu", "device is 'gpu'; expected 'cpu'"),
        ("record net.py:Net --input 3x16x16 --stimuli gratings --out s --batch-size 0", "batch_size is 0; expected"),
    ],
)  # fmt: skip
def test_wrong_words_are_exit_2_and_suggest_the_right_ones(run: Run, words: str, said: str) -> None:
    code, out, notes = run(*words.split())
    assert (code, out) == (2, "")
    assert said in notes
    assert "Traceback" not in notes


def test_a_network_that_fails_is_exit_3(run: Run) -> None:
    code, said, notes = run("layers", "net.py:Failing", *SMALL)
    assert (code, said) == (3, "")
    assert "the middle is missing" in notes
    assert "Traceback" not in notes
    code, said, notes = run("layers", "net.py:leave", *SMALL)
    assert (code, said) == (3, "")
    assert "the network's own code called sys.exit" in notes


def test_weights_are_read_or_refused(run: Run) -> None:
    code, _, notes = run("layers", "net.py:Net", *SMALL, "--weights", "none.pt")
    assert code == 4
    assert "there is no file none.pt" in notes
    Path("w.safetensors").write_bytes(b"\x00garbage")
    code, _, notes = run("layers", "net.py:Net", *SMALL, "--weights", "w.safetensors")
    assert code == 4
    assert "w.safetensors cannot be read" in notes
    torch.save(torch.nn.Linear(2, 2).state_dict(), "w.pt")
    code, _, notes = run("layers", "net.py:Net", *SMALL, "--weights", "w.pt")
    assert code == 4
    assert "w.pt does not fit the network" in notes
    torch.save(pk.zoo.load("net.py:Net", seed=5).module.state_dict(), "w.pt")
    code, said, _ = run("layers", "net.py:Net", *SMALL, "--weights", "w.pt")
    assert code == 0
    assert said.startswith("layer\t")


def test_a_bug_is_one_line_and_a_traceback_when_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> Path:
        raise KeyError("two\nlines")

    monkeypatch.setattr(pk.data, "folder", fault)
    monkeypatch.delenv("PROBEKIT_TRACEBACK", raising=False)
    code, said, notes = run("data", "where")
    assert (code, said) == (1, "")
    assert notes == "probekit: this is a bug: KeyError: 'two\\nlines' (set PROBEKIT_TRACEBACK=1 for the traceback)\n"
    monkeypatch.setenv("PROBEKIT_TRACEBACK", "1")
    assert "Traceback (most recent call last)" in run("data", "where")[2]


# --- interrupted


def _wait(there: Callable[[], bool], child: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not there():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_report_keeps_what_is_finished(toys: Callable[..., Path], number: int, code: int) -> None:
    site = toys("quick", "slow")
    child = process(
        "report", "net.py:Net", *SMALL, "--with", "toy_quick,toy_slow", "--out", "r",
        env=os.environ | {"PYTHONPATH": str(site)},
    )  # fmt: skip
    _wait(Path("r/report.html").exists, child)
    time.sleep(0.3)
    child.send_signal(number)
    said, notes = child.communicate(timeout=60)
    assert (child.returncode, said) == (code, "")
    assert f"finished and kept: toy_quick, in {Path('r') / 'report.html'}.\nprobekit: interrupted.\n" in notes
    assert "Traceback" not in notes
    assert "A toy&#39;s note." in Path("r/report.html").read_text(encoding="utf-8")
    assert pk.Result.load("r/toy-quick").table["value"].tolist() == [0.0]


def test_an_interrupted_recording_goes_on_from_there(run: Run) -> None:
    words = ("record", "net.py:Slow", *SMALL, "--stimuli", "gratings:orientations=8,phases=1", "--batch-size", "2",
             "--layers", "conv", "--out", "s.zarr")  # fmt: skip
    child = process(*words)
    done = Path("s.zarr/progress.json")
    _wait(lambda: done.exists() and json.loads(done.read_text(encoding="utf-8"))["n_done"] >= 2, child)
    child.send_signal(signal.SIGINT)
    said, notes = child.communicate(timeout=60)
    assert (child.returncode, said) == (130, "")
    assert "what is recorded is kept in s.zarr; the same command goes on from there." in notes
    assert "Traceback" not in notes
    before = json.loads(done.read_text(encoding="utf-8"))["n_done"]
    assert 2 <= before < 49
    assert run(*words)[0] == 0
    shown = pk.stimuli.gratings(size=16, orientations=8, phases=1)
    whole = pk.record(pk.zoo.load("net.py:Net", input_shape=(3, 16, 16)), shown, layers="conv", batch_size=2)
    np.testing.assert_array_equal(pk.open("s.zarr")["conv"].values, whole["conv"].values)


def test_a_reader_that_went_away_makes_no_noise() -> None:
    child = process("data", "list")
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert child.wait(60) == 141
    assert child.stderr.read() == ""
    child.stderr.close()
