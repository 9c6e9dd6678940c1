"""The pass that goes step by step, against torch's fused one, and against cells whose state is changed by hand."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from probekit.errors import LayerError, UnknownNameError, UsageError
from probekit.recurrent import part_names, states, step_by_step

# torch says it of every such LSTM on a CPU, whoever runs it
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")

# float32 rounds at 6e-8; the bar is 1e-6, and the largest difference seen is 2.4e-7
FLOAT32 = {"atol": 1e-6, "rtol": 1e-6}
KINDS = {
    "lstm": (nn.LSTM, {}),
    "lstm-projected": (nn.LSTM, {"proj_size": 3}),
    "gru": (nn.GRU, {}),
    "rnn-tanh": (nn.RNN, {}),
    "rnn-relu": (nn.RNN, {"nonlinearity": "relu"}),
}
SHAPES = list(itertools.product((False, True), (False, True), (1, 2), (False, True)))


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        yield


def made(kind, **options):
    make, own = KINDS[kind]
    return make(4, 5, **own, **options).eval()


def shown():
    padded = torch.randn(3, 7, 4)
    return [padded, padded[0], pack_sequence([torch.randn(n, 4) for n in (4, 7, 1)], enforce_sorted=False)]


def listed(state):
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("both_ways", "batch_first", "n_layers", "bias"), SHAPES)
def test_without_edits_it_equals_the_fused_pass(kind, both_ways, batch_first, n_layers, bias):
    module = made(kind, bidirectional=both_ways, batch_first=batch_first, num_layers=n_layers, bias=bias)
    for inputs in shown():
        output, state = module(inputs)
        found = step_by_step(module, inputs, parts=part_names(module))
        assert isinstance(found.output, type(output))
        torch.testing.assert_close(found.output.data, output.data, **FLOAT32)
        if isinstance(output, PackedSequence):
            for name in ("batch_sizes", "sorted_indices", "unsorted_indices"):
                assert torch.equal(getattr(found.output, name), getattr(output, name))
        for one, other in zip(listed(found.state), listed(state), strict=True):
            torch.testing.assert_close(one, other, **FLOAT32)
        for name, values in states(module, inputs).parts.items():
            there = ~values.isnan()
            torch.testing.assert_close(found.parts[name][there], values[there], **FLOAT32)


def test_it_starts_from_the_state_that_is_given():
    lstm, inputs = made("lstm"), torch.randn(7, 3, 4)
    start = torch.randn(1, 3, 5), torch.randn(1, 3, 5)
    torch.testing.assert_close(step_by_step(lstm, inputs, start).output, lstm(inputs, start)[0], **FLOAT32)


@pytest.mark.parametrize("part", ["h", "c", "i", "f", "g", "o"])
def test_an_edited_lstm_is_the_cell_changed_by_hand(part):
    """The oracle is written out gate by gate, in float64; unit 1 is silenced at every step."""
    lstm, inputs = made("lstm").double(), torch.randn(7, 3, 4, dtype=torch.float64)
    found = step_by_step(lstm, inputs, edits={f"{part}_l0": lambda now, step: silenced(now)}).output
    h = c = torch.zeros(3, 5, dtype=torch.float64)
    for x, ours in zip(inputs, found, strict=True):
        i, f, g, o = (x @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + h @ lstm.weight_hh_l0.T + lstm.bias_hh_l0).chunk(
            4, -1
        )
        gates = {"i": i.sigmoid(), "f": f.sigmoid(), "g": g.tanh(), "o": o.sigmoid()}
        if part in gates:
            gates[part] = silenced(gates[part])
        c = gates["f"] * c + gates["i"] * gates["g"]
        c = silenced(c) if part == "c" else c
        h = gates["o"] * c.tanh()
        h = silenced(h) if part == "h" else h
        torch.testing.assert_close(ours, h, atol=1e-12, rtol=1e-12)


def silenced(values):
    values = values.clone()
    values[..., 1] = 0
    return values


@pytest.mark.parametrize("kind", ["gru", "rnn-tanh", "rnn-relu"])
def test_a_silenced_hidden_state_is_a_cell_whose_state_is_set_to_zero_after_every_step(kind):
    module = made(kind)
    make = nn.GRUCell(4, 5) if kind == "gru" else nn.RNNCell(4, 5, nonlinearity=kind.partition("-")[2])
    make.load_state_dict({name.removesuffix("_l0"): value for name, value in module.state_dict().items()})
    inputs, h = torch.randn(7, 3, 4), torch.zeros(3, 5)
    found = step_by_step(module, inputs, edits={"h_l0": lambda now, step: silenced(now)}).output
    for x, ours in zip(inputs, found, strict=True):
        h = silenced(make(x, h))
        torch.testing.assert_close(ours, h, **FLOAT32)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_are_what_single_passes_give(kind):
    module = made(kind, num_layers=2, bidirectional=True)
    keep = torch.ones(3, 1, 3 if kind == "lstm-projected" else 5)
    keep[1, :, 0] = keep[2, :, 1] = 0
    padded, _, packed = shown()
    for inputs in (padded, packed):
        together = step_by_step(module, inputs, edits={"h_l0": lambda now, step: now * keep}, n_copies=3)
        apart = [step_by_step(module, inputs, edits={"h_l0": lambda now, step, one=one: now * one}) for one in keep]
        for part, state in enumerate(listed(together.state)):
            each = torch.cat([listed(one.state)[part] for one in apart], 1)
            torch.testing.assert_close(state, each, **FLOAT32)
        if inputs is padded:
            torch.testing.assert_close(together.output, torch.cat([one.output for one in apart], 1), **FLOAT32)


def test_an_edit_is_told_the_step_of_the_input_in_both_directions():
    told = {"h_l0": [], "h_l0_reverse": []}
    edits = {name: lambda now, step, name=name: (told[name].append(step.tolist()), now)[1] for name in told}
    gru = made("gru", bidirectional=True)
    step_by_step(gru, torch.randn(3, 2, 4), edits=edits)
    assert told == {"h_l0": [[0, 0], [1, 1], [2, 2]], "h_l0_reverse": [[2, 2], [1, 1], [0, 0]]}
    told["h_l0_reverse"].clear()
    step_by_step(gru, pack_sequence([torch.randn(2, 4), torch.randn(1, 4)]), edits=edits)
    assert told["h_l0_reverse"] == [[1, 0], [0, 1]]  # the second sequence has ended


def test_gradients_pass_through():
    with torch.enable_grad():
        lstm, inputs = made("lstm"), torch.randn(7, 3, 4, requires_grad=True)
        (ours,) = torch.autograd.grad(step_by_step(lstm, inputs).output.sum(), inputs)
        (fused,) = torch.autograd.grad(lstm(inputs)[0].sum(), inputs)
    torch.testing.assert_close(ours, fused, atol=1e-6, rtol=1e-5)


def test_what_cannot_be_run_is_refused():
    lstm = made("lstm")
    with pytest.raises(UnknownNameError, match=r"no part of this LSTM called 'h_10'\. Did you mean 'h_l0'"):
        step_by_step(lstm, torch.randn(7, 3, 4), edits={"h_10": lambda now, step: now})
    with pytest.raises(UsageError, match="edits name 'output', which is read after the pass"):
        step_by_step(lstm, torch.randn(7, 3, 4), edits={"output": lambda now, step: now})
    with pytest.raises(UsageError, match=r"inputs have shape \(7, 3, 6\)"):
        step_by_step(lstm, torch.randn(7, 3, 6))
    with pytest.raises(UsageError, match="n_copies is 2, and the inputs have no batch axis"):
        step_by_step(lstm, torch.randn(7, 4), n_copies=2)
    with pytest.raises(LayerError, match=r"is of type Linear; expected nn\.LSTM"):
        step_by_step(nn.Linear(4, 5), torch.randn(7, 3, 4))
    with pytest.raises(LayerError, match=r"in training mode with dropout 0\.5"):
        step_by_step(made("lstm", num_layers=2, dropout=0.5).train(), torch.randn(7, 3, 4))
