"""A store holds what a recording in memory holds, resumes after a kill, and is never served stale or damaged."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import zarr
from torch import nn

import probekit as pk
from probekit.errors import ModelError, StoreError
from probekit.store import Store, verify


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5)).eval()


def images(n: int = 11) -> torch.Tensor:
    return torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_a_store_equals_memory_and_reads_only_what_is_touched(tmp_path: Path) -> None:
    memory = pk.record(network(), images(), layers="*", batch_size=4)
    stored = pk.record(network(), images(), layers="*", batch_size=4, store=tmp_path / "x.zarr")
    assert stored.equals(memory)
    assert stored.units.equals(memory.units)
    assert pk.open(tmp_path / "x.zarr").equals(memory)
    assert stored.provenance["weights_sha256"] == memory.provenance["weights_sha256"]
    assert np.array_equal(stored["0"][3:9:2, 1].values, memory["0"][3:9:2, 1].values)
    assert not stored["0"]._in_memory  # the slice above did not load the rest


def test_any_zarr_reader_can_open_it(tmp_path: Path) -> None:
    stored = pk.record(network(), images(), layers="3", store=tmp_path / "x.zarr")
    group = zarr.open_group(tmp_path / "x.zarr", mode="r")
    assert np.array_equal(group["3/activity"][:], stored["3"].values)


def test_units_coordinates_and_awkward_names_survive(tmp_path: Path) -> None:
    parent = nn.Module()
    parent.forward = lambda x: parent.get_submodule("a/b: ü?")(x)
    parent.add_module("a/b: ü?", nn.Conv2d(3, 4, 3))
    units = pk.Units(sample=7, seed=2)
    memory = pk.record(parent, images(), layers="a/b: ü?", units=units)
    stored = pk.record(parent, images(), layers="a/b: ü?", units=units, store=tmp_path / "x.zarr")
    assert stored.units.equals(memory.units)
    assert stored.equals(memory)


def test_a_finished_store_is_read_without_a_forward_pass_of_the_stimuli(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        pk.record(
            network(), images(), layers="0", batch_size=4, store=tmp_path / "x.zarr",
            progress=lambda task, done, total: seen.append(done),
        )  # fmt: skip
    assert seen == [0, 4, 8, 11]


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"stimuli": images(12)}, "stimuli_sha256"),
        ({"layers": "1"}, "layers"),
        ({"units": pk.Units(space="centre")}, "layers"),
        ({"dtype": "float16"}, "dtype"),
        ({"forward": lambda module, inputs, rows: module(inputs)}, "forward"),
        ({"weights": True}, "weights_sha256"),
        ({"preprocess": True}, "preprocess"),
    ],
)
def test_a_store_of_another_recording_is_refused(tmp_path: Path, change, differs) -> None:
    given = {"stimuli": images(), "layers": "0", "dtype": "float32"}
    pk.record(network(), store=tmp_path / "x.zarr", **given)
    net = network()
    if change.pop("weights", False):
        with torch.no_grad():
            net[3].bias[0] += 1
    if change.pop("preprocess", False):
        net = pk.Entry(net, pk.Preprocess((0.0,) * 3, (2.0,) * 3), pk.Card("n", "CNN", (3, 8, 8), "nothing"))
    with pytest.raises(StoreError, match=f"holds another recording: .*{differs}"):
        pk.record(net, store=tmp_path / "x.zarr", **(given | change))


def test_a_model_that_raises_in_the_middle_keeps_what_is_finished_and_resumes(tmp_path: Path) -> None:
    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if broken[0] and len(x) == 3:
                raise RuntimeError("tired")
            return self.inner(x)

    net, broken = Fragile(), [False]
    shown = images(4 + 4 + 3)
    whole = pk.record(net, shown, layers="**", batch_size=4)
    path = tmp_path / "x.zarr"
    broken[0] = True
    with pytest.raises(ModelError, match="tired"):
        pk.record(net, shown, layers="**", batch_size=4, store=path, forward=_skip_the_look)
    with pytest.raises(StoreError, match="not finished: 8 of 11 stimuli"):
        pk.open(path)
    broken[0] = False
    resumed = pk.record(net, shown, layers="**", batch_size=2, store=path, forward=_skip_the_look)
    assert resumed.equals(whole)  # the store keeps its own batch size, so values are equal to the last bit


def _skip_the_look(module: nn.Module, inputs: torch.Tensor, rows) -> object:
    return module.inner(inputs) if rows.index[0] == 0 else module(inputs)


KILLED = """
    import sys, time, torch
    from torch import nn
    import probekit as pk
    sys.path.insert(0, sys.argv[2])
    from test_store import network, images
    net = network()
    print("ready", flush=True)
    pk.record(net, images(60), layers="*", batch_size=2, store=sys.argv[1], progress=lambda *_: time.sleep(0.02))
    print("done", flush=True)
"""


def test_killed_at_any_moment_it_resumes_to_the_same_values(tmp_path: Path) -> None:
    whole = pk.record(network(), images(60), layers="*", batch_size=2)
    path, script = tmp_path / "x.zarr", tmp_path / "run.py"
    script.write_text(textwrap.dedent(KILLED))
    kills = 0
    for wait in (0.0, 0.03, 0.15, 0.3, 0.4):
        process = subprocess.Popen(
            [sys.executable, script, path, Path(__file__).parent], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.stdout.close()
    assert kills >= 3
    assert pk.record(network(), images(60), layers="*", batch_size=2, store=path).equals(whole)
    verify(path)


def _chunk(path: Path) -> Path:
    return sorted((path / "0" / "activity" / "c").rglob("*"))[-1]


@pytest.mark.parametrize("harm", ["truncate", "flip", "delete"])
def test_a_damaged_chunk_is_detected_and_named(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "x.zarr"
    stored = pk.record(network(), images(), layers="0", batch_size=4, store=path)
    chunk = _chunk(path)
    content = bytearray(chunk.read_bytes())
    if harm == "delete":
        chunk.unlink()
    elif harm == "truncate":
        chunk.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 1
        chunk.write_bytes(content)
    with pytest.raises(StoreError, match=f"chunk .*{'/'.join(chunk.parts[-5:])}"):
        stored["0"].load()
    with pytest.raises(StoreError, match="chunk"):
        verify(path)
    assert pk.open(path)["0"][:4].values.shape == (4, 4, 6, 6)  # other chunks are read


def test_silence_is_stored_and_not_taken_for_damage(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with torch.no_grad():
        net[0].weight.zero_()
        net[0].bias.fill_(-1)
    stored = pk.record(net, images(), layers="1", store=tmp_path / "x.zarr")
    assert not stored["1"].values.any()


def test_a_full_disk_is_told_and_the_store_resumes(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "x.zarr"
    write, room = Store.write, [2]

    def full(self, name, start, values):
        room[0] -= 1
        if room[0] < 0:
            monkeypatch.setattr(zarr.Array, "__setitem__", _no_space)
        write(self, name, start, values)

    original = zarr.Array.__setitem__
    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(StoreError, match=r"cannot be written: No space left on device. What is finished stays"):
        pk.record(network(), images(), layers="*", batch_size=4, store=path)
    monkeypatch.setattr(zarr.Array, "__setitem__", original)
    room[0] = 1000
    whole = pk.record(network(), images(), layers="*", batch_size=4)
    assert pk.record(network(), images(), layers="*", batch_size=4, store=path).equals(whole)


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_folders_that_are_no_store_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match="holds files that are not a probekit recording"):
        pk.record(network(), images(), layers="0", store=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(StoreError, match=r"cannot be written: Not a directory"):
        pk.record(network(), images(), layers="0", store=tmp_path / "thesis.txt" / "x.zarr")
    with pytest.raises(StoreError, match="is not a probekit store"):
        pk.open(tmp_path)


def test_altered_records_of_the_store_itself_are_detected(tmp_path: Path) -> None:
    path = tmp_path / "x.zarr"
    pk.record(network(), images(), layers="0", store=path)
    keep = tmp_path / "keep.zarr"
    shutil.copytree(path, keep)
    (path / "stimuli.csv").write_text("stimulus\n1\n")
    with pytest.raises(StoreError, match=r"stimuli\.csv was altered"):
        pk.open(path)
    (keep / "probekit.json").write_text("{")
    with pytest.raises(StoreError, match=r"probekit\.json cannot be read"):
        pk.open(keep)


@pytest.mark.parametrize("left", ["stimuli.csv", "stimuli.csv.new", "probekit.json.new"])
def test_what_a_kill_leaves_before_there_is_a_store_does_not_bar_it(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_text("half")
    stored = pk.record(network(), images(), layers="0", store=tmp_path)
    assert stored.equals(pk.record(network(), images(), layers="0"))


def test_line_ends_in_the_stimulus_table_survive(tmp_path: Path) -> None:
    table = pd.DataFrame({"note": ["one\r\ntwo", "three\nfour"] + ["x"] * 9})
    shown = pk.stimuli.array(images(), table)
    stored = pk.record(network(), shown, layers="0", store=tmp_path / "x.zarr")
    assert stored.stimuli.equals(table)


def _scale(factor: float):
    return lambda module, inputs, rows: module(inputs * factor)


def test_what_ran_is_part_of_what_a_store_is_of(tmp_path: Path) -> None:
    """Code that differs only in a name, a closure, a hook or an attribute is other code."""
    net = network()

    def changed(change):
        given = {"layers": "0", "store": tmp_path / f"{len(list(tmp_path.iterdir()))}.zarr"}
        first, second = change
        pk.record(net, images(), **given, **first)
        with pytest.raises(StoreError, match=r"holds another recording: .*(forward|network_code)"):
            pk.record(net, images(), **given, **second)

    sine, cosine = (
        {"forward": lambda m, i, _: m(torch.sin(i))},
        {"forward": lambda m, i, _: m(torch.cos(i))},
    )
    changed((sine, cosine))
    changed(({"forward": _scale(1.0)}, {"forward": _scale(2.0)}))
    pk.record(net, images(), layers="0", store=tmp_path / "hooked.zarr", forward=_scale(1.0))
    again = pk.record(net, images(), layers="0", store=tmp_path / "hooked.zarr", forward=_scale(1.0))
    assert again.n_stimuli == 11
    lesion = net[0].register_forward_hook(lambda *args: args[2] * 0)
    with pytest.raises(StoreError, match="network_code"):
        pk.record(net, images(), layers="0", store=tmp_path / "hooked.zarr", forward=_scale(1.0))
    lesion.remove()
    net[1].gain = 2.0
    with pytest.raises(StoreError, match="network_code"):
        pk.record(net, images(), layers="0", store=tmp_path / "hooked.zarr", forward=_scale(1.0))
