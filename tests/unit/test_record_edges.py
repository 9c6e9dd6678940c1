"""Networks, outputs and stores at the edges: what is recorded is still what ran, and nothing is left behind."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import probekit as pk
from probekit.errors import LayerError, ModelError, ProbekitWarning, StoreError
from probekit.network import Card, Entry, weights_hash


def draw(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


class Calls(nn.Module):
    """A network that is one function of itself and its input."""

    def __init__(self, function: Callable, **children: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x):
        return self.function(self, x)


def small() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)).eval()


def state(network: nn.Module) -> tuple:
    modules = list(network.modules())
    return (
        weights_hash(network),
        [(len(module._forward_hooks), len(module._forward_pre_hooks), module.training) for module in modules],
        [id(tensor) for tensor in [*network.parameters(), *network.buffers()]],
        [parameter.grad for parameter in network.parameters()],
        (torch.get_rng_state().numpy().tobytes(), random.getstate(), str(np.random.get_state()[1].tolist())),
        (torch.is_grad_enabled(), torch.get_default_dtype(), torch.backends.mha.get_fastpath_enabled()),
    )


@contextmanager
def no_trace(network: nn.Module) -> Iterator[None]:
    before = state(network)
    yield
    assert state(network) == before


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 100])
def test_any_number_of_stimuli_in_batches_of_any_size(n: int, batch_size: int) -> None:
    network, x = small(), draw(n, 3, 8, 8)
    with no_trace(network):
        recording = pk.record(network, x, layers="*", batch_size=batch_size)
    with torch.no_grad():
        assert np.array_equal(recording["2"], torch.cat([network(batch) for batch in x.split(batch_size)]))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5])
@pytest.mark.parametrize("n_tokens", [1, 2, 3, 4])
def test_the_batch_axis_is_found_second_too_whatever_the_number_of_tokens(n_tokens: int, batch_size: int) -> None:
    network, x = Calls(lambda self, x: self.out(x.transpose(0, 1)), out=nn.Identity()), draw(5, n_tokens, 4)
    recording = pk.record(network, pk.stimuli.array(x, dims=("token", "channel")), layers="out", batch_size=batch_size)
    assert np.array_equal(recording["out"], x)


@pytest.mark.parametrize("batch_size", [2, 3, 8])
@pytest.mark.parametrize(("windows", "tokens"), [(2, 2), (2, 4), (4, 2), (3, 2), (2, 1)])
def test_windows_folded_into_the_batch_are_never_taken_for_stimuli(windows: int, tokens: int, batch_size: int) -> None:
    network = Calls(
        lambda self, x: (self.fold(x.reshape(len(x) * windows, tokens, 3)), self.good(x))[1],
        fold=nn.Identity(), good=nn.Identity(),
    )  # fmt: skip
    x = draw(8, windows * tokens * 3)
    with pytest.warns(ProbekitWarning, match="not recorded: 'fold'"):
        recording = pk.record(network, x, layers="*", batch_size=batch_size)
    assert recording.layers == ["good"]
    assert np.array_equal(recording["good"], x)


def test_outputs_that_share_memory_with_later_changes_are_kept_as_they_were() -> None:
    x = draw(5, 3, 6, 6)
    with_add = Calls(lambda self, x: self.b(self.a(x)).add_(1), a=nn.Identity(), b=nn.Identity())
    recording = pk.record(with_add, x, layers=["a", "b", "."])
    assert np.array_equal(recording["a"], x)
    assert np.array_equal(recording["b"], x)
    assert np.array_equal(recording["."], x + 1)

    def erase(self: Calls, x: torch.Tensor) -> torch.Tensor:
        view = self.a(x).flatten(1)
        view[:, 0] = 0
        return self.b(view)

    network = Calls(erase, a=nn.Conv2d(3, 4, 3), b=nn.Identity())
    recording = pk.record(network, x, layers="*")
    with torch.no_grad():
        assert np.array_equal(recording["a"], network.a(x))
    assert not recording["b"][:, 0].any()
    assert recording["b"][:, 1:].any()


def test_a_network_that_writes_into_its_input_takes_gratings() -> None:
    gratings = pk.stimuli.gratings(size=8, orientations=2, spatial_frequencies=[0.1], phases=2)
    before = gratings.batch(range(5)).clone()
    network = Calls(lambda self, x: self.out(x.mul_(2).sub_(1)), out=nn.Identity())
    recording = pk.record(network, gratings, layers="out")
    assert np.array_equal(recording["out"], before * 2 - 1)
    assert torch.equal(gratings.batch(range(5)), before)


def test_what_hooks_of_the_caller_make_of_an_output_is_recorded_and_they_stay() -> None:
    network, x = small(), draw(5, 3, 8, 8)
    network[0].register_forward_hook(lambda module, args, output: output + 1)
    with no_trace(network):
        recording = pk.record(network, x, layers="*")
    with torch.no_grad():
        assert np.array_equal(recording["0"], network[0](x))
        assert np.array_equal(recording["2"], network(x))
        assert np.allclose(recording["0"] - 1, small()[0](x), atol=1e-6)  # float32 rounding of + 1 - 1


def test_a_module_that_calls_itself_counts_calls_as_they_return() -> None:
    class Again(nn.Module):
        def forward(self, x: torch.Tensor, depth: int = 2) -> torch.Tensor:
            return x if depth == 0 else self(x, depth - 1) * 2

    x = draw(5, 3, 6, 6)
    recording = pk.record(Again(), x, layers=".")
    assert recording["."].dims == ("stimulus", "call", "channel", "y", "x")
    for call in range(3):
        assert np.array_equal(recording["."][:, call], x * 2**call)


def test_a_module_under_two_names_is_recorded_under_each() -> None:
    relu, x = nn.ReLU(), draw(5, 3, 6, 6)
    network = Calls(lambda self, x: self.two(self.one(x) - 0.5), one=relu, two=relu)
    recording = pk.record(network, x, layers=["one", "two"])
    assert np.array_equal(recording["one"], recording["two"])
    assert np.array_equal(recording["one"][:, 1], (x - 0.5).relu())
    assert pk.record(network, x, layers="*").layers == ["one"]


def test_a_fused_network_called_twice_has_calls_and_time() -> None:
    network = Calls(lambda self, x: self.gru(self.gru(x)[0])[0], gru=nn.GRU(3, 3, batch_first=True))
    x = draw(5, 6, 3)
    recording = pk.record(network, pk.stimuli.array(x), layers="gru:h_l0")
    with torch.no_grad():
        first = network.gru(x)[0]
        second = network.gru(first)[0]
    assert recording["gru:h_l0"].dims == ("stimulus", "call", "time", "unit")
    np.testing.assert_allclose(recording["gru:h_l0"], torch.stack([first, second], 1), atol=1e-6)
    np.testing.assert_array_equal(recording.responses("gru:h_l0")[:, :, 3:], recording["gru:h_l0"][:, 1])


def test_a_module_called_with_keywords_only() -> None:
    network = Calls(lambda self, x: self.fc(input=self.flat(input=x)), fc=nn.Linear(12, 2), flat=nn.Flatten())
    x = draw(5, 3, 2, 2)
    recording = pk.record(network, x, layers="*")
    assert np.array_equal(recording["flat"], x.flatten(1))
    with torch.no_grad():
        assert np.array_equal(recording["fc"], network(x))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x > 0.5,
        lambda x: (x * 10).long(),
        lambda x: (x * 255).byte(),
        lambda x: x.half(),
        lambda x: x.bfloat16(),
        lambda x: x.double(),
        lambda x: x[:, :1].expand(-1, 5, -1, -1),
        lambda x: x.flip(3)[..., ::2],
        lambda x: x.masked_fill(x > 0.5, -torch.inf),
        lambda x: x.masked_fill(x > 0.5, torch.nan),
    ],
    ids=["bool", "int64", "uint8", "half", "bfloat16", "double", "expanded", "strided", "inf", "nan"],
)
def test_outputs_of_any_real_type_keep_their_values(make: Callable) -> None:
    x = draw(5, 3, 4, 4)
    recording = pk.record(Calls(lambda self, x: (self.out(make(x)), x)[1], out=nn.Identity()), x, layers="out")
    assert recording["out"].dtype == np.float32
    assert np.array_equal(recording["out"], make(x).float(), equal_nan=True)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (torch.fft.fft, "its output is complex64"),
        (torch.sum, "its output is one number, without a batch axis"),
        (lambda x: x[:, None, None], "its output has 5 axes after the batch"),
        (lambda x: None, "its output is a NoneType, which holds no tensor"),
    ],
)
def test_outputs_that_are_no_activity_are_refused(make: Callable, reason: str) -> None:
    network = Calls(lambda self, x: (self.out(make(x)), x)[1], out=nn.Identity())
    with no_trace(network), pytest.raises(LayerError, match=f"cannot be recorded: 'out': {reason}"):
        pk.record(network, draw(5, 3, 4, 4), layers="out")


def test_one_number_a_stimulus_is_one_unit() -> None:
    x = draw(5, 3, 4, 4)
    recording = pk.record(Calls(lambda self, x: x.sum((1, 2, 3))), x, layers=".")
    assert recording["."].dims == ("stimulus", "unit")
    assert np.array_equal(recording["."][:, 0], x.sum((1, 2, 3)))
    assert recording.units.address.tolist() == [".[0]"]


def test_a_network_that_drops_the_batch_axis_of_one_stimulus_is_refused_when_it_does() -> None:
    network, x = Calls(lambda self, x: self.out(x.mean((2, 3)).squeeze()), out=nn.Identity()), draw(7, 3, 4, 4)
    np.testing.assert_array_equal(pk.record(network, x[:6], layers="out", batch_size=3)["out"], x[:6].mean((2, 3)))
    for n, batch_size in ((7, 3), (1, 3), (7, 1)):
        with pytest.raises(LayerError, match=r"'out': its output has shape \(3,\) for 1 stimuli: no batch axis"):
            pk.record(network, x[:n], layers="out", batch_size=batch_size)


def test_a_number_of_calls_that_changes_is_told_and_nothing_stays() -> None:
    network = Calls(lambda self, x: [self.relu(x) for _ in range(2 if x[0, 0, 0, 0] > 5 else 1)][-1], relu=nn.ReLU())
    x = draw(8, 3, 4, 4)
    x[4:] += 9
    with no_trace(network), pytest.raises(ModelError, match="layer 'relu' ran 2 times for stimuli 4 … 7, and 1 times"):
        pk.record(network, x, layers="relu", batch_size=4)


def _raises(error: type[BaseException]) -> Callable:
    def raises(*_: object) -> torch.Tensor:
        raise error("on purpose")

    return raises


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["progress", "forward", "preprocess", "stimuli"])
def test_an_exception_anywhere_leaves_no_trace(where: str, error: type[BaseException]) -> None:
    network, x = small().train(), draw(7, 3, 8, 8)
    raises = _raises(error)
    given: dict = {"network": network, "stimuli": x}
    if where == "preprocess":
        given["network"] = Entry(network, raises, Card("n", "CNN", (3, 8, 8), "nothing"))
    elif where == "stimuli":
        table = pd.DataFrame({"n": range(7)})
        given["stimuli"] = pk.stimuli.Stimuli("s", table, ("channel", "y", "x"), (3, 8, 8), "0", {}, raises)
    else:
        given[where] = raises
    expected = ModelError if where == "forward" and error is ZeroDivisionError else error
    with no_trace(network), pytest.raises(expected, match="on purpose"):
        pk.record(**given, layers="*", batch_size=2)


def test_training_mode_inference_mode_and_gradients_of_the_caller() -> None:
    network, x = small().train(), draw(5, 3, 8, 8)
    with no_trace(network):
        recording = pk.record(network, x.clone().requires_grad_(), layers="2")
    with torch.inference_mode():
        assert pk.record(network, x.clone(), layers="2").equals(recording)
    network.eval()
    with torch.no_grad():
        assert np.array_equal(recording["2"], network(x))


@pytest.mark.parametrize("norm", [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm])
def test_parametrised_weights(norm: Callable) -> None:
    network, x = nn.Sequential(norm(nn.Linear(12, 5)), nn.ReLU()).eval(), draw(7, 12)
    with no_trace(network):
        recording = pk.record(network, x, layers="*")
    with torch.no_grad():
        assert np.array_equal(recording["1"], network(x))


def test_a_parametrised_lstm_gives_the_gates_of_the_weights_that_ran() -> None:
    lstm, x = nn.LSTM(3, 5, batch_first=True), draw(4, 6, 3)
    nn.utils.parametrizations.weight_norm(lstm, "weight_hh_l0")
    with torch.no_grad():
        lstm.parametrizations.weight_hh_l0.original0.mul_(2)
        output = lstm(x)[0]
        drive = x @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + lstm.bias_hh_l0
        before = torch.cat([torch.zeros(4, 1, 5), output[:, :-1]], 1)
        gates = drive + before @ lstm.weight_hh_l0.T
    recording = pk.record(lstm, pk.stimuli.array(x), layers=[".:i_l0", ".:o_l0"])
    np.testing.assert_allclose(recording[".:i_l0"], gates[..., :5].sigmoid(), atol=1e-6)
    np.testing.assert_allclose(recording[".:o_l0"], gates[..., 15:].sigmoid(), atol=1e-6)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("way", ["plain", "started", "packed", "alone"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_recurrent_networks_run_in_every_way(kind: type[nn.RNNBase], way: str, batch_first: bool) -> None:
    """The last state of each stimulus, run alone and two layers deep, is the recorded state at its last step."""
    network, x, lengths = kind(3, 5, 2, batch_first=batch_first, bidirectional=True), draw(4, 6, 3), [6, 2, 4, 1]
    start = torch.linspace(-1, 1, 80).reshape(4, 4, 5)

    def hx(rows: np.ndarray) -> object:
        mine = start[:, rows].contiguous()
        return ((mine, mine) if kind is nn.LSTM else mine) if way == "started" else None

    def run(module: nn.RNNBase, inputs: torch.Tensor, rows: pd.DataFrame) -> object:
        if way == "alone":
            return module(inputs[0])
        inputs = inputs if batch_first else inputs.transpose(0, 1)
        if way == "packed":
            steps = torch.tensor(rows.length.to_list())
            return module(nn.utils.rnn.pack_padded_sequence(inputs, steps, batch_first, enforce_sorted=False))
        return module(inputs, hx(rows.row.to_numpy().copy()))

    stimuli = pk.stimuli.array(x, pd.DataFrame({"length": lengths, "row": range(4)}))
    with no_trace(network):
        recording = pk.record(network, stimuli, layers=".", forward=run, batch_size=1 if way == "alone" else 3)
    for row in range(4):
        n = lengths[row] if way == "packed" else 6
        one = x[row : row + 1, :n]
        with torch.no_grad():
            output, last = network(one if batch_first else one.transpose(0, 1), hx(np.array([row])))
        output = output[0] if batch_first else output[:, 0]
        np.testing.assert_allclose(recording[".:output"][row, :n], output, atol=1e-6)
        assert np.isnan(recording[".:output"][row, n:]).all()
        for symbol, states in zip("hc", last if kind is nn.LSTM else (last,), strict=False):
            for layer, (ahead, back) in enumerate(states[:, 0].split(2)):
                np.testing.assert_allclose(recording[f".:{symbol}_l{layer}"][row, n - 1], ahead, atol=1e-6)
                np.testing.assert_allclose(recording[f".:{symbol}_l{layer}_reverse"][row, 0], back, atol=1e-6)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_attention_with_masks_either_axis_first(batch_first: bool, batch_size: int) -> None:
    attention, x = nn.MultiheadAttention(8, 2, batch_first=batch_first).eval(), draw(5, 6, 8)
    causal = nn.Transformer.generate_square_subsequent_mask(6)

    def run(module: nn.Module, inputs: torch.Tensor, rows: pd.DataFrame) -> object:
        y = inputs if batch_first else inputs.transpose(0, 1)
        return module(y, y, value=y, need_weights=False, attn_mask=causal, is_causal=True)

    stimuli = pk.stimuli.array(x, dims=("token", "channel"))
    recording = pk.record(attention, stimuli, layers=".:*", forward=run, batch_size=batch_size)
    y = x if batch_first else x.transpose(0, 1)
    with torch.no_grad():
        output, weights = attention(y, y, y, attn_mask=causal, average_attn_weights=False)
    assert recording[".:output"].dims == ("stimulus", "token", "channel")
    np.testing.assert_allclose(recording[".:output"], output if batch_first else output.transpose(0, 1), atol=1e-6)
    np.testing.assert_allclose(recording[".:weights"], weights, atol=1e-6)
    assert not np.triu(recording[".:weights"], 1).any()


def test_names_of_any_kind_in_memory_and_in_a_store(tmp_path: Path) -> None:
    names = ["<script>alert(1)</script>", "a:b", "a*b", "a[0]", "ünï☃", "a b", "@1", "?", "%2E", "a/b", "CON"]
    network = Calls(lambda self, x: [child(x + i) for i, child in enumerate(self.children())][-1],
                    **{name: nn.Identity() for name in names})  # fmt: skip
    x = draw(5, 3, 2, 2)
    recording = pk.record(network, x, layers="*")
    assert recording.layers == names
    stored = pk.record(network, x, layers="*", store=tmp_path / "with space ü" / "x.zarr")
    assert stored.equals(recording)
    for i, name in enumerate(names):
        alone = pk.record(network, x, layers=name)
        assert alone.layers == [name]
        assert np.array_equal(alone[name], x + i)
        assert alone.units.address.iloc[-1] == f"{name}[2,1,1]"


@pytest.mark.parametrize(
    "units",
    [
        pk.Units(channels=[1, 1]),
        pk.Units(channels=np.array([2, 0])),
        pk.Units(channels=range(2), space="centre"),
        pk.Units(sample=10**6),
        pk.Units(sample=5, seed=2, channels=[3, 3]),
        pk.Units(sample=2, space="centre"),
    ],
    ids=str,
)
def test_the_table_of_units_says_where_each_chosen_unit_is(units: pk.Units) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), Calls(lambda self, x: x.flatten(2).mT), nn.Linear(4, 5))
    x = draw(5, 3, 7, 6)
    whole, part = pk.record(network, x, layers="*"), pk.record(network, x, layers="*", units=units)
    for layer in whole.layers:
        mine = part.units[part.units.layer == layer]
        tokens = "token" in whole[layer].dims
        places = [(Ellipsis, unit.x, unit.channel) if tokens else (Ellipsis, unit.channel, unit.y, unit.x)
                  for unit in mine.itertuples()]  # fmt: skip
        expected = np.stack([whole[layer].values[place] for place in places], 1)
        assert np.array_equal(part.responses(layer), expected)


def test_arrays_of_any_stride_and_byte_order_are_the_same_stimuli() -> None:
    x = draw(5, 3, 8, 8).numpy()
    expected = pk.record(small(), x, layers="0")
    for other in (np.asfortranarray(x), x[::-1].copy()[::-1], x.astype(">f4"), x.tolist()):
        found = pk.record(small(), other, layers="0")
        assert found.equals(expected)
        assert found.provenance["stimuli_sha256"] == expected.provenance["stimuli_sha256"]


def test_a_recording_is_copied_and_pickled_also_from_a_store(tmp_path: Path) -> None:
    x = draw(5, 3, 8, 8)
    for recording in (
        pk.record(small(), x, layers="*"), pk.record(small(), x, layers="*", store=tmp_path / "x.zarr"),
    ):  # fmt: skip
        assert pickle.loads(pickle.dumps(recording)).equals(recording)
        assert copy.deepcopy(recording).equals(recording)
        assert json.loads(json.dumps(recording.provenance))["layers"] == ["0", "1", "2"]


def test_networks_in_threads_do_not_disturb_each_other() -> None:
    x, found = draw(24, 3, 16, 16), {}
    expected = pk.record(small(), x, layers="*", batch_size=4)
    networks = [small() for _ in range(3)]  # built here: global random states belong to all threads

    def work(index: int) -> None:
        found[index] = pk.record(networks[index], x, layers="*", batch_size=4).equals(expected)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: True, 1: True, 2: True}


def test_data_parallel_without_gpus_is_recorded_by_its_inner_names() -> None:
    network, x = nn.DataParallel(small()), draw(5, 3, 8, 8)
    recording = pk.record(network, x, layers="module.*")
    assert recording.layers == ["module.0", "module.1", "module.2"]
    with torch.no_grad():
        assert np.array_equal(recording["module.2"], network(x))


def _remove(*parts: str) -> Callable[[Path], None]:
    def harm(path: Path) -> None:
        target = path.joinpath(*parts)
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return harm


def _rewrite(text: str, *parts: str) -> Callable[[Path], None]:
    return lambda path: path.joinpath(*parts).write_text(text) and None


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_remove("stimuli.csv"), r"stimuli\.csv cannot be read"),
        (_remove("probekit.json"), r"it has no probekit\.json"),
        (_remove("0"), "0/activity cannot be opened"),
        (_remove("0", "activity", "zarr.json"), "0/activity cannot be opened"),
        (_rewrite("{", "0", "activity", "zarr.json"), "0/activity cannot be opened"),
        (_rewrite('{"n_done": 3}', "progress.json"), "not finished: 3 of 7 stimuli"),
        (_rewrite("{", "progress.json"), r"progress\.json cannot be read"),
        (_rewrite("", "0", "activity", "c", "1", "0", "0", "0"), "chunk .*0/activity/c/1/0/0/0 is truncated"),
    ],
)
def test_a_store_that_lost_something_says_what(tmp_path: Path, harm: Callable[[Path], None], said: str) -> None:
    path = tmp_path / "x.zarr"
    pk.record(small(), draw(7, 3, 8, 8), layers="0", batch_size=4, store=path)
    harm(path)
    with pytest.raises(StoreError, match=said):
        pk.open(path)["0"].load()


@pytest.mark.parametrize(
    "harm",
    [_rewrite('{"n_done": 4}', "progress.json"), _remove("progress.json"), _rewrite("mine", "notes.txt")],
    ids=["set back", "forgotten", "a file beside"],
)
def test_a_store_that_lost_its_place_is_recorded_to_the_same_values(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path, x = tmp_path / "deep" / "er" / "x.zarr", draw(7, 3, 8, 8)
    whole = pk.record(small(), x, layers="*", batch_size=4)
    assert pk.record(small(), x, layers="*", batch_size=4, store=path).equals(whole)
    harm(path)
    assert pk.record(small(), x, layers="*", batch_size=3, store=path).equals(whole)


def test_opening_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is not a probekit store: it has no probekit\.json"):
        pk.open(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_every_combination_of_dtype_and_space_is_the_same_part_of_the_same_values() -> None:
    network, x = small(), draw(5, 3, 9, 9)
    with torch.no_grad():
        maps = network[0](x)
    expected = {"centre": maps[..., 3, 3], "mean": maps.mean((2, 3)), "max": maps.amax((2, 3)), "all": maps}
    for dtype, space in itertools.product(("float16", "float32", "float64"), expected):
        found = pk.record(network, x, layers="0", dtype=dtype, units=pk.Units(space=space))["0"]
        assert found.dtype == dtype
        assert np.array_equal(found, expected[space].numpy().astype(dtype))
