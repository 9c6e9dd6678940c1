"""What is recorded is what the network computed, and nothing of the recording stays behind."""

from __future__ import annotations

import dataclasses
import random
from collections import namedtuple

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import probekit as pk
from probekit import randomness
from probekit.errors import DeviceError, LayerError, ModelError, ProbekitWarning, StimulusError, UsageError
from probekit.network import Card, Entry, Preprocess, weights_hash


def images(n: int = 7, channels: int = 3, size: int = 12) -> torch.Tensor:
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(1))


class Net(nn.Module):
    """Convolution, in-place ReLU used twice, and a linear read-out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        return self.fc(x.mean((2, 3)))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


def test_every_layer_in_one_pass_is_what_the_module_returned(net: Net) -> None:
    x = images()
    passes = []
    net.register_forward_pre_hook(lambda *_: passes.append(1))
    recording = pk.record(net, x, layers=["conv1", "conv2", "relu", "fc"], batch_size=4)
    assert len(passes) == 1 + 2  # a look at the first stimuli, and two batches
    with torch.no_grad():
        one = net.conv1(x)
        two = net.conv2(one.relu())
        assert np.array_equal(recording["conv1"], torch.cat([net.conv1(b) for b in x.split(4)]))
        np.testing.assert_allclose(recording["conv2"], two, atol=1e-6)  # batches of 4 and 7 differ by rounding
        np.testing.assert_allclose(recording["fc"], net.fc(two.relu().mean((2, 3))), atol=1e-6)
    assert recording["conv1"].dims == ("stimulus", "channel", "y", "x")
    assert recording["fc"].dims == ("stimulus", "unit")


def test_an_in_place_relu_afterwards_does_not_change_what_was_recorded(net: Net) -> None:
    recording = pk.record(net, images(), layers=["conv1", "relu"])
    assert float(recording["conv1"].min()) < 0
    assert np.array_equal(recording["conv1"].clip(min=0), recording["relu"][:, 0])


def test_a_module_called_twice_has_a_call_axis(net: Net) -> None:
    recording = pk.record(net, images(), layers="relu")
    assert recording["relu"].dims == ("stimulus", "call", "channel", "y", "x")
    assert recording["relu"].shape == (7, 2, 4, 12, 12)
    units = recording.units
    assert units.address.iloc[-1] == "relu@1[3,11,11]"
    assert np.array_equal(recording.responses("relu")[:, -1], recording["relu"][:, 1, 3, 11, 11])


def test_calls_of_different_shape_are_layers_of_their_own() -> None:
    class Pyramid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.relu(self.pool(self.relu(x)))

    recording = pk.record(Pyramid(), images(), layers="relu")
    assert {name: data.shape for name, data in recording.activity.items()} == {
        "relu@0": (7, 3, 12, 12), "relu@1": (7, 3, 6, 6)}  # fmt: skip


def test_a_loop_of_cells_gives_every_step() -> None:
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.LSTMCell(3, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            state = None
            for step in x.unbind(1):
                state = self.cell(step, state)
            return state[0]

    loop, x = Loop(), torch.randn(4, 6, 3)
    recording = pk.record(loop, pk.stimuli.array(x), layers="cell")
    assert recording["cell:1"].shape == (4, 6, 5)
    assert recording["cell:1"].dims == ("stimulus", "call", "unit")
    with torch.no_grad():
        np.testing.assert_allclose(recording["cell:0"][:, -1], loop(x), atol=1e-6)


Pair = namedtuple("Pair", ["mean", "spread"])


@dataclasses.dataclass
class Answer:
    logits: torch.Tensor
    note: str = "text is passed over"


@pytest.mark.parametrize(
    ("wrap", "names"),
    [
        (lambda x: (x, x * 2), ["out:0", "out:1"]),
        (lambda x: [x, None, (x, x)], ["out:0", "out:2.0", "out:2.1"]),
        (lambda x: {"features": x, "extra": {"deep": x}}, ["out:features", "out:extra.deep"]),
        (lambda x: Pair(x, x), ["out:mean", "out:spread"]),
        (lambda x: Answer(x), ["out:logits"]),
    ],
)
def test_structured_outputs_are_addressed_by_name(wrap, names) -> None:
    class Out(nn.Module):
        def forward(self, x):
            return wrap(x)

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = Out()

        def forward(self, x):
            self.out(x)
            return x

    x = images()
    recording = pk.record(Whole(), x, layers="out")
    assert recording.layers == names
    assert np.array_equal(recording[names[0]], x)
    assert pk.record(Whole(), x, layers=names[-1]).layers == names[-1:]


def test_layers_by_pattern_type_predicate_and_root(net: Net) -> None:
    x = images()
    assert pk.record(net, x, layers="conv*").layers == ["conv1", "conv2"]
    assert pk.record(net, x, layers=nn.Conv2d).layers == ["conv1", "conv2"]
    assert pk.record(net, x, layers=lambda name, _: name.endswith("2")).layers == ["conv2"]
    assert pk.record(net, x, layers=["fc", "conv1"]).layers == ["conv1", "fc"]  # in the order in which they ran
    assert pk.record(net, x).layers == ["relu"]  # default: activation functions
    assert np.array_equal(pk.record(net, x, layers=".")["."], pk.record(net, x, layers="fc")["fc"])


def test_time_first_and_tokens_and_channels_last_are_labelled() -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 5, 3)
            self.norm = nn.LayerNorm(5)
            self.gelu = nn.GELU()
            self.swap = nn.Identity()
            self.mix = nn.Linear(5, 6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.gelu(self.norm(self.conv(x).permute(0, 2, 3, 1)))
            return self.swap(self.mix(y.flatten(1, 2)).transpose(0, 1))

    recording = pk.record(Mixed(), images(size=6), layers="*")
    assert recording["norm"].dims == ("stimulus", "channel", "y", "x")
    assert recording["gelu"].shape == (7, 5, 4, 4)
    assert recording["mix"].dims == ("stimulus", "token", "channel")
    assert recording["swap"].shape == (7, 16, 6)  # (token, stimulus, channel) as returned
    assert np.array_equal(recording["swap"], recording["mix"])


def test_sequences_have_a_time_axis() -> None:
    lstm = nn.LSTM(3, 5, batch_first=True)
    recording = pk.record(lstm, pk.stimuli.array(torch.randn(6, 9, 3)), layers=".")
    assert recording[".:c_l0"].dims == ("stimulus", "time", "unit")
    assert recording.responses(".:c_l0").shape == (6, 9, 5)


@pytest.mark.parametrize(
    ("units", "dims", "shape"),
    [
        (pk.Units(channels=[2, 0]), ("stimulus", "channel", "y", "x"), (7, 2, 12, 12)),
        (pk.Units(space="centre"), ("stimulus", "channel"), (7, 4)),
        (pk.Units(space="mean"), ("stimulus", "channel"), (7, 4)),
        (pk.Units(space="max", channels=[1]), ("stimulus", "channel"), (7, 1)),
        (pk.Units(sample=10, seed=3), ("stimulus", "unit"), (7, 10)),
        (pk.Units(sample=2, seed=3, space="centre", channels=[3, 1, 0]), ("stimulus", "unit"), (7, 2)),
    ],
)
def test_part_of_a_layer_equals_the_same_part_of_the_whole(net: Net, units, dims, shape) -> None:
    whole = pk.record(net, images(), layers="conv1")
    part = pk.record(net, images(), layers="conv1", units=units)
    data = part["conv1"]
    assert (data.dims, data.shape) == (dims, shape)
    every = whole["conv1"]
    for row, unit in enumerate(part.units.itertuples()):
        picked = every[:, unit.channel]
        if units.space in ("mean", "max"):
            expected = picked.mean(("y", "x")) if units.space == "mean" else picked.max(("y", "x"))
        else:
            expected = picked[:, unit.y, unit.x]
        np.testing.assert_allclose(part.responses("conv1")[:, row], expected, atol=1e-6)
    if units.space == "centre":
        assert set(part.units.y) == {6}


def test_units_may_differ_by_layer_and_dtype_is_kept(net: Net) -> None:
    recording = pk.record(net, images(), layers="conv*", units={"conv1": pk.Units(space="centre")}, dtype="float16")
    assert recording["conv1"].dims == ("stimulus", "channel")
    assert recording["conv2"].dims == ("stimulus", "channel", "y", "x")
    assert recording["conv2"].dtype == np.float16


def test_float16_that_would_overflow_is_refused(net: Net) -> None:
    with torch.no_grad():
        net.conv1.weight.mul_(1e7)
    with pytest.raises(UsageError, match=r"float16 cannot hold the activity of 'conv1'"):
        pk.record(net, images(), layers="conv1", dtype="float16")


def _state(network: nn.Module) -> tuple:
    hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()]
    gradients = [parameter.grad for parameter in network.parameters()]
    flags = [module.training for module in network.modules()]
    ids = [id(tensor) for tensor in [*network.parameters(), *network.buffers()]]
    return weights_hash(network), hooks, gradients, flags, ids


class Treacherous(Net):
    """Writes a buffer in every pass, draws random numbers, and can be told to raise in the middle."""

    def __init__(self, error: type[BaseException] | None = None) -> None:
        super().__init__()
        self.register_buffer("passes", torch.zeros(1))
        self.register_buffer("hidden", torch.zeros(1), persistent=False)
        self.norm = nn.BatchNorm2d(3)
        self.error = error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        self.hidden = self.hidden + 1
        x = self.norm(x + 0 * torch.rand(1) * np.random.rand() * random.random())
        if self.error and len(x) == 2:
            raise self.error("in the middle")
        return super().forward(x)


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("training", [True, False])
def test_no_trace_is_left_also_after_an_exception(error, training) -> None:
    network = Treacherous(error).train(training)
    x = images(8)
    before, random_before = _state(network), randomness.state()
    given = x.clone()
    if error is None:
        pk.record(network, x, layers="**", batch_size=3)
    else:
        with pytest.raises(ModelError if error is RuntimeError else KeyboardInterrupt, match="in the middle"):
            pk.record(network, x, layers="**", batch_size=3)
    assert _state(network) == before
    assert float(network.hidden) == 0
    assert randomness.state() == random_before
    assert torch.equal(x, given)


def test_a_random_network_is_warned_of_and_dropout_in_eval_mode_is_not() -> None:
    class Noisy(nn.Module):
        def __init__(self, amount: float) -> None:
            super().__init__()
            self.out, self.amount = nn.Identity(), amount

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(x + self.amount * torch.randn_like(x))

    for state in (0, 1):
        torch.manual_seed(state)
        with pytest.warns(ProbekitWarning, match="random in eval mode: layer 'out' differs"):
            pk.record(Noisy(0.01), images(), layers="out")
    pk.record(Noisy(0), images(), layers="out")
    pk.record(nn.Sequential(nn.Dropout(0.5)), images(), layers="0")


def test_a_network_that_draws_elsewhere_is_warned_of() -> None:
    generator = torch.Generator().manual_seed(0)

    class Private(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * torch.rand(1, generator=generator)

    with pytest.warns(ProbekitWarning, match="random in eval mode"):
        pk.record(Private(), images(), layers=".")


def test_a_pattern_skips_what_cannot_be_recorded_and_says_so() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fold, self.text, self.fixed, self.unused, self.good = (nn.Identity() for _ in range(5))
            self.number = nn.Identity()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.fold(x.flatten(0, 1))
            self.text("words")
            self.fixed(x[:1])
            self.number(x.sum())
            return self.good(x)

    with pytest.warns(ProbekitWarning, match="not recorded: 'fold'"):
        recording = pk.record(Odd(), images(), layers="*")
    assert recording.layers == ["good"]
    assert "folds the batch into an axis of 3 more" in recording.skipped["fold"]
    assert "str, which holds no tensor" in recording.skipped["text"]
    assert "no batch axis" in recording.skipped["fixed"]
    assert "never ran" in recording.skipped["unused"]
    assert "one number" in recording.skipped["number"]
    for name, reason in recording.skipped.items():
        with pytest.raises(LayerError, match=f"cannot be recorded: '{name}': {reason[:10]}"):
            pk.record(Odd(), images(), layers=name)


def test_bad_arguments_are_named(net: Net) -> None:
    x = images()
    with pytest.raises(LayerError, match=r"no layer 'conv3'. Did you mean 'conv2'\?"):
        pk.record(net, x, layers="conv3")
    with pytest.raises(LayerError, match="layers is an empty list"):
        pk.record(net, x, layers=[])
    with pytest.raises(LayerError, match="modules of type LSTM; the network has none"):
        pk.record(net, x, layers=nn.LSTM)
    with pytest.raises(UsageError, match="batch_size is 0; expected at least 1"):
        pk.record(net, x, batch_size=0)
    with pytest.raises(UsageError, match="dtype is 'float8'; allowed: 'float16'"):
        pk.record(net, x, dtype="float8")
    with pytest.raises(UsageError, match=r"channels \[4\] do not exist in layer 'conv1'; it has 4: 0 … 3"):
        pk.record(net, x, layers="conv1", units=pk.Units(channels=[1, 4]))
    with pytest.raises(UsageError, match=r"space is 'center'; allowed: .* Did you mean 'centre'\?"):
        pk.Units(space="center")
    with pytest.raises(UsageError, match=r"network is a str; expected a torch.nn.Module"):
        pk.record("resnet18", x)
    with pytest.raises(DeviceError, match="device is 'tpu9'; expected 'cpu', 'cuda'"):
        pk.record(net, x, device="tpu9")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="device is 'cuda', which this machine does not have; it has: cpu"):
            pk.record(net, x, device="cuda")


def test_bad_stimuli_are_named(net: Net) -> None:
    with pytest.raises(StimulusError, match=r"expected at least one stimulus"):
        pk.record(net, images(0))
    bad = images()
    bad[4, 0, 0, 0] = torch.nan
    with pytest.raises(StimulusError, match="stimulus 4 holds nan or infinite values"):
        pk.record(net, bad)
    with pytest.raises(ModelError, match=r"Net raised RuntimeError on 2 stimuli of shape \(5, 12, 12\)"):
        pk.record(net, images(channels=5))
    entry = Entry(net, Preprocess((0.5,) * 3, (0.5,) * 3), Card("net", "CNN", (3, 12, 12), "nothing"))
    with pytest.raises(StimulusError, match=r"images are torch.uint8; expected float in 0 … 1"):
        pk.record(entry, (images() * 255).byte())
    with pytest.raises(StimulusError, match=r"images range over .* … 2.* expected 0 … 1, before normalisation"):
        pk.record(entry, images() * 255)
    with pytest.raises(StimulusError, match=r"stimuli are 3x10x10; 'net' takes 3x12x12. Make them with size=12"):
        pk.record(entry, images(size=10))


def test_an_entry_prepares_its_stimuli(net: Net) -> None:
    entry = Entry(net, Preprocess((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)), Card("net", "CNN", (3, 12, 12), "nothing"))
    x = images()
    prepared = (x - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / torch.tensor([0.2, 0.3, 0.4])[:, None, None]
    assert np.array_equal(
        pk.record(entry, x, layers="conv1")["conv1"], pk.record(net, prepared, layers="conv1")["conv1"]
    )
    with pytest.raises(UsageError, match="'net' has no untrained twin"):
        entry.untrained()


def test_the_caller_may_run_the_network_in_another_way() -> None:
    gru = nn.GRU(3, 5)  # time first
    x = torch.randn(6, 9, 3)
    stimuli = pk.stimuli.array(x)
    recording = pk.record(gru, stimuli, layers=".", forward=lambda module, inputs, rows: module(inputs.transpose(0, 1)))
    with torch.no_grad():
        np.testing.assert_allclose(recording[".:output"], gru(x.transpose(0, 1))[0].transpose(0, 1), atol=1e-6)


def test_packed_sequences_are_nan_after_their_end() -> None:
    lstm = nn.LSTM(3, 5, batch_first=True)
    x, lengths = torch.randn(5, 9, 3), [4, 9, 1, 6, 2]
    stimuli = pk.stimuli.array(x, pd.DataFrame({"length": lengths}))

    def packed(module, inputs, rows):
        return module(nn.utils.rnn.pack_padded_sequence(
            inputs, torch.tensor(rows.length.to_numpy()), batch_first=True, enforce_sorted=False))  # fmt: skip

    for batch_size in (2, 5):
        recording = pk.record(lstm, stimuli, layers=".", forward=packed, batch_size=batch_size)
        for row, length in enumerate(lengths):
            with torch.no_grad():
                alone = lstm(x[row : row + 1, :length])[0][0]
            np.testing.assert_allclose(recording[".:h_l0"][row, :length], alone, atol=1e-6)
            assert np.isnan(recording[".:h_l0"][row, length:]).all()


def test_attention_weights_are_given_when_asked_for() -> None:
    class Attend(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.attention(x, x, x, need_weights=False)[0]

    attend, x = Attend().eval(), torch.randn(4, 6, 8)
    stimuli = pk.stimuli.array(x, dims=("token", "channel"))
    assert pk.record(attend, stimuli, layers="attention").layers == ["attention:output"]
    recording = pk.record(attend, stimuli, layers="attention:*")
    assert recording["attention:weights"].dims == ("stimulus", "head", "query", "key")
    with torch.no_grad():
        expected = attend.attention(x, x, x, average_attn_weights=False)[1]
    np.testing.assert_allclose(recording["attention:weights"], expected, atol=1e-6)


def test_every_submodule_of_a_transformer_runs_although_torch_could_fuse_it() -> None:
    encoder = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, enable_nested_tensor=False
    )
    stimuli = pk.stimuli.array(torch.randn(4, 6, 8), dims=("token", "channel"))
    recording = pk.record(encoder.eval(), stimuli, layers=["layers.*", "layers.*.linear1", "layers.*.self_attn"])
    assert "layers.1.linear1" in recording.layers
    assert recording["layers.0"].dims == ("stimulus", "token", "channel")


def test_the_plan_says_what_the_recording_takes(net: Net) -> None:
    planned = pk.plan(net, images(), layers="*", batch_size=2)
    recording = pk.record(net, images(), layers="*", batch_size=2)
    assert planned.bytes == sum(data.nbytes for data in recording.activity.values())
    assert (planned.n_passes, planned.n_stimuli) == (4, 7)
    assert str(planned).startswith("4 layers, 7 stimuli, 4 forward passes")


def test_a_recording_too_large_for_memory_is_refused_before_it_starts(net: Net, monkeypatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda _: 60)  # a machine of 3,600 bytes
    with pytest.raises(UsageError, match=r"takes 0.0 GB and this machine has 0.0 GB of memory; give store='NAME.zarr'"):
        pk.record(net, images(), layers="conv1")


def test_provenance_tells_networks_and_stimuli_apart(net: Net) -> None:
    one = pk.record(net, images(), layers="fc").provenance
    with torch.no_grad():
        net.fc.bias[0] += 1e-6
    other = pk.record(net, images() + 1e-6, layers="fc").provenance
    assert one["weights_sha256"] != other["weights_sha256"]
    assert one["stimuli_sha256"] != other["stimuli_sha256"]
    assert one["structure_sha256"] == other["structure_sha256"]
    assert one["versions"]["torch"] == torch.__version__


def test_to_xarray_carries_the_stimulus_table(net: Net) -> None:
    shown = pk.stimuli.gratings(size=12, orientations=2, spatial_frequencies=[0.1], phases=2)
    data = pk.record(net, shown, layers="fc").to_xarray()["fc"]
    assert data.where(data.blank, drop=True).sizes["stimulus"] == 1
    assert np.array_equal(data.orientation_deg[:4], [0, 0, 90, 90])


def test_a_constant_with_as_many_rows_as_the_first_look_is_not_taken_for_stimuli() -> None:
    class Prototypes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.rand(2, 4))
            self.embed, self.good = nn.Linear(4, 6), nn.Flatten()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.embed(self.table)
            return self.good(x)

    for n, batch_size in ((2, 64), (8, 2), (8, 64)):
        with pytest.warns(ProbekitWarning, match="not recorded: 'embed'"):
            assert pk.record(Prototypes(), images(n), layers="*", batch_size=batch_size).layers == ["good"]


def test_an_error_in_a_hook_that_the_network_catches_is_still_raised() -> None:
    class Catching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Identity()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            try:
                self.inner(x if len(x) < 4 else x[:, :, :5])
            except Exception:
                return x
            return x

    with pytest.raises(LayerError, match=r"layer 'inner' gave shape \(3, 5, 12\)"):
        pk.record(Catching(), images(), layers="inner")


def test_parameters_and_buffers_that_a_forward_pass_makes_or_writes_are_put_back() -> None:
    class Restless(Net):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("memory", None)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.conv1.weight.data.clamp_(-0.01, 0.01)
            self.memory = x.mean() if self.memory is None else self.memory + 1
            self.register_buffer("fresh", x[:1])
            return super().forward(x)

    network = Restless()
    before = _state(network)
    pk.record(network, images(), layers="conv1")
    assert _state(network) == before
    assert network.memory is None
    assert not hasattr(network, "fresh")


def test_subclasses_of_recurrent_modules_give_what_they_return() -> None:
    class Last(nn.LSTM):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x)[0][:, -1]

    network, x = nn.Sequential(Last(3, 5, batch_first=True)), torch.randn(6, 9, 3)
    recording = pk.record(network, pk.stimuli.array(x), layers="0")
    with torch.no_grad():
        np.testing.assert_allclose(recording["0"], network(x), atol=1e-6)


def test_packed_sequences_may_begin_with_short_ones() -> None:
    gru, x, lengths = nn.GRU(3, 5, batch_first=True), torch.randn(6, 9, 3), [2, 3, 1, 9, 4, 2]
    stimuli = pk.stimuli.array(x, pd.DataFrame({"length": lengths}))

    def packed(module, inputs, rows):
        length = torch.tensor(rows.length.to_numpy())
        return module(nn.utils.rnn.pack_padded_sequence(inputs, length, batch_first=True, enforce_sorted=False))

    recording = pk.record(gru, stimuli, layers=".", forward=packed)
    assert recording[".:r_l0"].shape == (6, 9, 5)
    assert np.isfinite(recording[".:r_l0"]).all("unit").sum("time").values.tolist() == lengths


def test_networks_in_other_precisions_get_their_input_in_it() -> None:
    for kind in (torch.float64, torch.bfloat16):
        recording = pk.record(Net().to(kind), images(), layers="conv1", dtype="float64")
        assert recording["conv1"].dtype == np.float64


def test_a_recording_is_a_container_of_layers_and_prints_in_a_few_lines(net: Net) -> None:
    recording = pk.record(net, images(), layers="conv*")
    assert list(recording) == ["conv1", "conv2"]
    assert ("conv1" in recording, "conv9" in recording, len(recording)) == (True, False, 2)
    assert repr(recording).splitlines()[1] == "  conv1 {'stimulus': 7, 'channel': 4, 'y': 12, 'x': 12} float32"
    with pytest.raises(UsageError, match="no recorded layer called '0'"):
        recording[0]
