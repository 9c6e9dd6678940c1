"""States rebuilt after the fused pass, against torch's own cells run step by step.

The oracle is nn.LSTMCell, nn.GRUCell and nn.RNNCell in float64, one step after the other. Its gates are read out of the
cells too, without a formula of ours: a copy of the cell whose other gates are held open or shut by huge biases returns
the gate as its next state.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence
from torch.utils.flop_counter import FlopCounterMode

from probekit.errors import LayerError, UnknownNameError, UsageError
from probekit.network import weights_hash
from probekit.recurrent import RECURRENT, States, part_names, states

# torch says it of every such LSTM on a CPU, whoever runs it
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")

# float32 rounds at 6e-8 of a value; values here are about 1, and each passes through a few dozen roundings, seldom all
# of one sign. Largest difference seen: 2.4e-7 in the small networks, 5.8e-7 with 128 units over 100 steps.
FLOAT32 = {"atol": 1e-6, "rtol": 1e-6}
# float64 rounds at 1e-16; reading gates out of the cells divides and takes an inverse tanh. Largest seen: 1e-14.
FLOAT64 = {"atol": 1e-12, "rtol": 1e-12}
HUGE = 1e4  # as a gate's bias: sigmoid is exactly 0 or 1, tanh exactly ±1

N_INPUTS, N_UNITS, N_PROJECTED, N_STEPS = 4, 5, 3, 7
LENGTHS = [4, 7, 1]
KINDS: dict[str, Callable[..., nn.Module]] = {
    "lstm": nn.LSTM,
    "lstm-projected": lambda *args, **options: nn.LSTM(*args, proj_size=N_PROJECTED, **options),
    "gru": nn.GRU,
    "rnn-tanh": nn.RNN,
    "rnn-relu": lambda *args, **options: nn.RNN(*args, nonlinearity="relu", **options),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads only wait for each other on matrices this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def build(kind: str, *sizes: int, seed: int = 0, **options) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return KINDS[kind](*(sizes or (N_INPUTS, N_UNITS)), **options).eval()


def noise(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def initial_state(module: nn.Module, *batch: int, seed: int = 2) -> Tensor | tuple[Tensor, Tensor]:
    rows = module.num_layers * (2 if module.bidirectional else 1)
    h0 = noise(rows, *batch, module.proj_size or module.hidden_size, seed=seed)
    c0 = noise(rows, *batch, module.hidden_size, seed=seed + 1)
    return (h0, c0) if isinstance(module, nn.LSTM) else h0


# ---- the oracle


def cell_with(kind: type, weights: dict[str, Tensor], **changes: dict[int, float]) -> nn.Module:
    """A cell in float64 with these weights, but for changes such as `bias_ih={1: HUGE}`: rows of the second gate."""
    n_units, n_inputs = weights["weight_hh"].shape[1], weights["weight_ih"].shape[1]
    with torch.random.fork_rng(devices=[]):
        cell = kind(n_inputs, n_units, dtype=torch.float64)
    cell.load_state_dict(weights)
    with torch.no_grad():
        for name, values in changes.items():
            for gate, value in values.items():
                getattr(cell, name)[gate * n_units : (gate + 1) * n_units] = value
    return cell


def lstm_steps(weights, x, h, c):
    """One direction of an LSTM: x (time, batch, unit); h is before the projection."""
    cell = cell_with(nn.LSTMCell, weights)
    # rows of the weights: i f g o. c' = f c + i g and h' = o tanh(c')
    only_i = cell_with(nn.LSTMCell, weights, bias_ih={2: HUGE})  # g is 1, c 0: c' is i
    only_f = cell_with(nn.LSTMCell, weights, bias_ih={0: -HUGE})  # i is 0, c 1: c' is f
    only_g = cell_with(nn.LSTMCell, weights, bias_ih={0: HUGE})  # i is 1, c 0: c' is g
    only_o = cell_with(nn.LSTMCell, weights, bias_ih={1: HUGE})  # f is 1, c huge: tanh(c') is 1, h' is o
    zero, one, huge = torch.zeros_like(c), torch.ones_like(c), torch.full_like(c, HUGE)
    found = []
    for step in x:
        gates = {
            "i": only_i(step, (h, zero))[1],
            "f": only_f(step, (h, one))[1],
            "g": only_g(step, (h, zero))[1],
            "o": only_o(step, (h, huge))[0],
        }
        h, c = cell(step, (h, c))
        found.append({"h": h, "c": c, **gates})
    return {name: torch.stack([values[name] for values in found]) for name in found[0]}


def gru_steps(weights, x, h):
    """One direction of a GRU: x (time, batch, unit)."""
    cell = cell_with(nn.GRUCell, weights)
    # rows of the weights: r z n. n = tanh(W x + b + r (V h + d)) and h' = (1 - z) n + z h
    only_n = cell_with(nn.GRUCell, weights, bias_ih={1: -HUGE})  # z is 0: h' is n
    only_z = cell_with(nn.GRUCell, weights, bias_ih={2: 2 * HUGE})  # n is 1: h' is 1 - z (1 - h)
    blank = {"weight_ih": {2: 0.0}, "weight_hh": {2: 0.0}}
    only_r = cell_with(nn.GRUCell, weights, bias_ih={1: -HUGE, 2: 0.0}, bias_hh={2: 1.0}, **blank)  # h' is tanh(r)
    found = []
    for step in x:
        gates = {
            "r": only_r(step, h).atanh(),
            "z": (1 - only_z(step, h)) / (1 - h),
            "n": only_n(step, h),
        }
        h = cell(step, h)
        found.append({"h": h, **gates})
    return {name: torch.stack([values[name] for values in found]) for name in found[0]}


def rnn_steps(weights, x, h, nonlinearity):
    cell = cell_with(lambda *args, **options: nn.RNNCell(*args, nonlinearity=nonlinearity, **options), weights)
    found = []
    for step in x:
        h = cell(step, h)
        found.append(h)
    return {"h": torch.stack(found)}


def direction_steps(module: nn.Module, suffix: str, x: Tensor, h: Tensor, c: Tensor | None) -> dict[str, Tensor]:
    weights = {
        name.removesuffix(suffix): value.double()
        for name, value in module.state_dict().items()
        if name.endswith(suffix)
    }
    for name in ("bias_ih", "bias_hh"):
        weights.setdefault(name, torch.zeros(len(weights["weight_ih"]), dtype=torch.float64))
    if isinstance(module, nn.GRU):
        return gru_steps(weights, x, h)
    if isinstance(module, nn.RNN):
        return rnn_steps(weights, x, h, module.nonlinearity)
    if not module.proj_size:
        return lstm_steps(weights, x, h, c)
    # W_hh (W_hr u) is (W_hh W_hr) u: a plain cell on u, the state before the projection, from a u0 with W_hr u0 = h0
    project = weights.pop("weight_hr")
    weights["weight_hh"] = weights["weight_hh"] @ project
    found = lstm_steps(weights, x, h @ torch.linalg.pinv(project).T, c)
    return found | {"h": found["h"] @ project.T}


def step_by_step(module: nn.Module, x: Tensor, hx=None) -> dict[str, Tensor]:
    """Every part, (batch, time, unit) in float64, of full-length sequences x, (batch, time, unit)."""
    hx = initial_state(module, len(x)) if hx is None else hx
    h0, c0 = hx if isinstance(hx, tuple) else (hx, None)
    read, parts, row = x.double().transpose(0, 1), {}, 0
    for layer in range(module.num_layers):
        outputs = []
        for suffix in [f"_l{layer}", f"_l{layer}_reverse"][: 2 if module.bidirectional else 1]:
            backward = suffix.endswith("reverse")
            turned = read.flip(0) if backward else read
            found = direction_steps(module, suffix, turned, h0[row].double(), None if c0 is None else c0[row].double())
            found = {name: values.flip(0) if backward else values for name, values in found.items()}
            parts |= {name + suffix: values.transpose(0, 1) for name, values in found.items()}
            outputs.append(found["h"])
            row += 1
        read = torch.cat(outputs, -1)
    return {"output": read.transpose(0, 1), **parts}


def zeros(hx):
    return tuple(map(torch.zeros_like, hx)) if isinstance(hx, tuple) else torch.zeros_like(hx)


def assert_parts(found: States, expected: dict[str, Tensor], dtype: torch.dtype, tolerance: dict[str, float]) -> None:
    assert set(found.parts) == set(expected)
    for name, values in found.parts.items():
        assert values.dtype == dtype
        assert not values.requires_grad
        torch.testing.assert_close(
            values.double(), expected[name], **tolerance, equal_nan=True, msg=lambda text, name=name: f"{name}: {text}"
        )


# ---- against the oracle


@pytest.mark.parametrize("given_hx", [False, True], ids=["zero", "hx"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "unbiased"])
@pytest.mark.parametrize("batch_first", [False, True], ids=["time-first", "batch-first"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_padded_batch_equals_the_cells(kind, num_layers, bidirectional, batch_first, bias, given_hx):
    module = build(kind, num_layers=num_layers, bidirectional=bidirectional, batch_first=batch_first, bias=bias)
    x, hx = noise(3, N_STEPS, N_INPUTS), initial_state(module, 3)
    inputs = x if batch_first else x.transpose(0, 1)
    found = states(module, inputs, hx if given_hx else None)
    assert list(found.parts) == part_names(module)
    assert found.lengths is None
    assert found.batched
    assert_parts(found, step_by_step(module, x, hx if given_hx else zeros(hx)), torch.float32, FLOAT32)


@pytest.mark.parametrize("given_hx", [False, True], ids=["zero", "hx"])
@pytest.mark.parametrize("enforce_sorted", [False, True], ids=["any-order", "sorted"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_packed_equals_each_sequence_alone(kind, num_layers, bidirectional, enforce_sorted, given_hx):
    module = build(kind, num_layers=num_layers, bidirectional=bidirectional)
    lengths = sorted(LENGTHS, reverse=True) if enforce_sorted else LENGTHS
    sequences = [noise(length, N_INPUTS, seed=10 + k) for k, length in enumerate(lengths)]
    packed = pack_sequence(sequences, enforce_sorted=enforce_sorted)
    hx = initial_state(module, len(lengths))
    found = states(module, packed, hx if given_hx else None)
    assert found.lengths.tolist() == lengths
    assert found.batched
    expected = {name: torch.full(values.shape, torch.nan, dtype=torch.float64) for name, values in found.parts.items()}
    for k, sequence in enumerate(sequences):
        start = tuple(h[:, k : k + 1] for h in hx) if isinstance(hx, tuple) else hx[:, k : k + 1]
        alone = step_by_step(module, sequence[None], start if given_hx else zeros(start))
        for name, values in alone.items():
            expected[name][k, : len(sequence)] = values[0]
    assert_parts(found, expected, torch.float32, FLOAT32)


@pytest.mark.parametrize("given_hx", [False, True], ids=["zero", "hx"])
@pytest.mark.parametrize("batch_first", [False, True], ids=["time-first", "batch-first"])
@pytest.mark.parametrize("kind", KINDS)
def test_unbatched_equals_a_batch_of_one(kind, batch_first, given_hx):
    module = build(kind, num_layers=2, bidirectional=True, batch_first=batch_first)
    x, hx = noise(N_STEPS, N_INPUTS), initial_state(module)
    one = tuple(h[:, None] for h in hx) if isinstance(hx, tuple) else hx[:, None]
    found = states(module, x, hx if given_hx else None)
    assert not found.batched
    assert found.lengths is None
    assert_parts(found, step_by_step(module, x[None], one if given_hx else zeros(one)), torch.float32, FLOAT32)


@pytest.mark.parametrize("kind", KINDS)
def test_float64_equals_the_cells_to_rounding(kind):
    module = build(kind, num_layers=3, bidirectional=True, dtype=torch.float64)
    x = noise(3, N_STEPS, N_INPUTS, dtype=torch.float64)
    hx = initial_state(module, 3)
    hx = tuple(h.double() for h in hx) if isinstance(hx, tuple) else hx.double()
    assert_parts(states(module, x.transpose(0, 1), hx), step_by_step(module, x, hx), torch.float64, FLOAT64)


def test_full_size_lstm_equals_the_cells():
    module = build("lstm", 128, 128)
    x = noise(8, 100, 128)
    expected = step_by_step(module, x, zeros(initial_state(module, 8)))
    assert_parts(states(module, x.transpose(0, 1)), expected, torch.float32, FLOAT32)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_agrees_to_its_own_rounding(dtype, bidirectional):
    module = build("lstm", num_layers=2, bidirectional=bidirectional).to(dtype)
    output = module(noise(N_STEPS, 3, N_INPUTS).to(dtype))
    found = states(module, noise(N_STEPS, 3, N_INPUTS).to(dtype), output=output).parts
    # a few roundings of values below 1 (eps is 1e-3 and 8e-3), in an order that the fused kernel chooses
    tolerance = 4 * torch.finfo(dtype).eps
    assert {values.dtype for values in found.values()} == {dtype}
    for row, name in enumerate(name for name in found if name.startswith("c")):
        last = 0 if name.endswith("reverse") else -1
        assert torch.allclose(found[name][:, last].float(), output[1][1][row].float(), atol=tolerance, rtol=0)


def test_autocast_is_followed():
    module = build("lstm", num_layers=2, bidirectional=True)
    x = noise(N_STEPS, 3, N_INPUTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = module(x)
        inside = states(module, x, output=output).parts
    assert output[0].dtype == torch.bfloat16
    for name, values in states(module, x, output=output).parts.items():
        assert torch.equal(values, inside[name])
    exact = states(module, x).parts
    # bfloat16 has 8 bits: a few roundings of 8e-3 in values below 1
    assert all(torch.allclose(inside[name].float(), exact[name], atol=0.03, rtol=0) for name in exact)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
@pytest.mark.parametrize("kind", KINDS)
def test_cuda_equals_the_cells(kind, packed):
    module = build(kind, num_layers=3, bidirectional=True)
    x, hx = noise(3, N_STEPS, N_INPUTS), initial_state(module, 3)
    expected = step_by_step(module, x, zeros(hx))
    inputs = x.transpose(0, 1).cuda()
    with torch.backends.cudnn.flags(allow_tf32=False):
        found = states(module.cuda(), pack_padded_sequence(inputs, [N_STEPS] * 3) if packed else inputs)
    assert {values.device.type for values in found.parts.values()} == {"cuda"}
    on_cpu = States({name: values.cpu() for name, values in found.parts.items()}, found.lengths, found.batched)
    assert_parts(on_cpu, expected, torch.float32, FLOAT32)


# ---- what must hold whatever the oracle


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    n_inputs=st.integers(1, 6),
    n_units=st.integers(N_PROJECTED + 1, 9),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    bias=st.booleans(),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    seed=st.integers(0, 999),
)
def test_parts_obey_the_equations_and_end_in_the_returned_state(
    kind, n_inputs, n_units, num_layers, bidirectional, bias, lengths, seed
):
    module = build(kind, n_inputs, n_units, num_layers=num_layers, bidirectional=bidirectional, bias=bias, seed=seed)
    packed = pack_sequence([noise(n, n_inputs, seed=seed + k) for k, n in enumerate(lengths)], enforce_sorted=False)
    hx = initial_state(module, len(lengths), seed=seed)
    output = module(packed, hx)
    found = states(module, packed, hx, output).parts
    for row, name in enumerate(name for name in found if name.startswith("h")):
        suffix = name[1:]
        backward = suffix.endswith("reverse")
        for k, length in enumerate(lengths):
            own = {s: found[s + suffix][k, :length] for s in "hcifgorzn" if s + suffix in found}
            own = {s: values.flip(0) if backward else values for s, values in own.items()}
            assert all(found[s + suffix][k, length:].isnan().all() for s in own)
            check_equations(module, suffix, own, [state[row, k] for state in (hx if isinstance(hx, tuple) else [hx])])
            ends = output[1] if isinstance(hx, tuple) else [output[1]]
            for symbol, end in zip("hc", ends, strict=False):
                torch.testing.assert_close(own[symbol][-1], end[row, k], **FLOAT32)


def check_equations(module: nn.Module, suffix: str, own: dict[str, Tensor], start: list[Tensor]) -> None:
    before = {s: torch.cat([first[None], own[s][:-1]]) for s, first in zip("hc", start, strict=False)}
    if isinstance(module, nn.LSTM):
        torch.testing.assert_close(own["c"], own["f"] * before["c"] + own["i"] * own["g"], **FLOAT32)
        h = own["o"] * own["c"].tanh()
        h = h @ getattr(module, f"weight_hr{suffix}").detach().T if module.proj_size else h
        torch.testing.assert_close(own["h"], h, **FLOAT32)
    if isinstance(module, nn.GRU):
        torch.testing.assert_close(own["h"], (1 - own["z"]) * own["n"] + own["z"] * before["h"], **FLOAT32)


@pytest.mark.parametrize("kind", KINDS)
def test_reverse_direction_is_a_forward_one_on_the_input_turned_round(kind):
    both, one = build(kind, bidirectional=True), build(kind)
    one.load_state_dict({name: getattr(both, f"{name}_reverse") for name in one.state_dict()})
    x = noise(N_STEPS, 3, N_INPUTS)
    turned = states(one, x.flip(0)).parts
    found = states(both, x).parts
    for name in part_names(one)[1:]:
        torch.testing.assert_close(found[f"{name}_reverse"], turned[name].flip(1), **FLOAT32)


# ---- names, subsets, cost


def test_part_names_follow_torchs_suffixes():
    assert part_names(build("lstm", num_layers=2)) == [
        "output",
        "h_l0",
        "c_l0",
        "i_l0",
        "f_l0",
        "g_l0",
        "o_l0",
        "h_l1",
        "c_l1",
        "i_l1",
        "f_l1",
        "g_l1",
        "o_l1",
    ]
    assert part_names(build("gru"))[1:] == ["h_l0", "r_l0", "z_l0", "n_l0"]
    assert part_names(build("rnn-relu", bidirectional=True)) == ["output", "h_l0", "h_l0_reverse"]


@pytest.mark.parametrize("kind", ["lstm-projected", "gru", "rnn-tanh"])
def test_each_part_alone_is_the_same_as_among_all(kind):
    module = build(kind, num_layers=3, bidirectional=True)
    packed = pack_sequence([noise(n, N_INPUTS, seed=n) for n in LENGTHS], enforce_sorted=False)
    every = states(module, packed).parts
    for name in every:
        alone = states(module, packed, parts=[name]).parts
        assert list(alone) == [name]
        assert torch.equal(alone[name].nan_to_num(9), every[name].nan_to_num(9))
    assert list(states(module, packed, parts=reversed(list(every))).parts) == list(every)[::-1]


def test_only_what_was_asked_for_is_computed():
    module = build("lstm")
    x = noise(N_STEPS, 3, N_INPUTS)
    output = module(x)
    one_gate = 2 * 3 * N_STEPS * (N_INPUTS + N_UNITS) * N_UNITS  # multiply and add, every step
    gates_needed = [(["output"], 0), (["h_l0"], 0), (["o_l0"], 1), (["c_l0"], 3), (["c_l0", "g_l0"], 3), (None, 4)]
    for parts, gates in gates_needed:
        with FlopCounterMode(display=False) as counter:
            states(module, x, output=output, parts=parts)
        assert counter.get_total_flops() == gates * one_gate


class CountFusedPasses(torch.overrides.TorchFunctionMode):
    n = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.n += getattr(func, "__name__", "") == "gru"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    ("parts", "n_passes"),
    [(["output"], 0), (["h_l2"], 0), (["h_l0"], 1), (["z_l0"], 1), (["h_l1"], 2), (["n_l2"], 2), (None, 2)],
    ids=str,
)
def test_only_the_layers_needed_are_run_again(parts, n_passes):
    module = build("gru", num_layers=3)
    x = noise(N_STEPS, 3, N_INPUTS)
    output = module(x)
    with CountFusedPasses() as count:
        states(module, x, output=output, parts=parts)
    assert count.n == n_passes


# ---- no trace


def global_random_states() -> tuple:
    numpys = np.random.get_state()
    return torch.get_rng_state().tolist(), numpys[1].tolist(), numpys[2], random.getstate()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_behind(kind):
    module = build(kind, num_layers=2, bidirectional=True)
    calls = []
    module.register_forward_hook(lambda *_: calls.append("forward"))
    x = noise(N_STEPS, 3, N_INPUTS).requires_grad_()
    hx = initial_state(module, 3)
    output = module.forward(x, hx)
    before = weights_hash(module), x.detach().clone(), output[0].detach().clone(), set(vars(module))
    random_states = global_random_states()
    with_output, run = states(module, x, hx, output), states(module, x, hx)
    assert calls == []
    assert random_states == global_random_states()
    assert before[0] == weights_hash(module)
    assert before[3] == set(vars(module))
    assert torch.equal(x, before[1])
    assert torch.equal(output[0], before[2])
    assert output[0].requires_grad
    assert all(parameter.requires_grad and parameter.grad is None for parameter in module.parameters())
    assert x.grad is None
    for name, values in run.parts.items():
        assert not values.requires_grad
        assert torch.equal(values, with_output.parts[name])


def test_training_mode_without_dropout_stays():
    module = build("lstm", num_layers=2).train()
    x = noise(3, N_STEPS, N_INPUTS)
    assert_parts(
        states(module, x.transpose(0, 1)),
        step_by_step(module, x, zeros(initial_state(module, 3))),
        torch.float32,
        FLOAT32,
    )
    assert module.training


def test_dropout_is_inactive_in_eval_mode():
    module = build("gru", num_layers=3, dropout=0.5)
    x = noise(3, N_STEPS, N_INPUTS)
    expected = step_by_step(module, x, zeros(initial_state(module, 3)))
    assert_parts(states(module, x.transpose(0, 1)), expected, torch.float32, FLOAT32)


# ---- refusals


def test_dropout_in_training_mode_is_refused():
    module = build("lstm", num_layers=2, dropout=0.25).train()
    with pytest.raises(LayerError, match=r"LSTM is in training mode with dropout 0\.25.*call eval\(\)"):
        states(module, noise(N_STEPS, 3, N_INPUTS))


def test_dropout_after_the_only_layer_is_none_at_all():
    module = build("lstm").train()
    module.dropout = 0.25  # torch's constructor warns that it has no effect
    x = noise(3, N_STEPS, N_INPUTS)
    expected = step_by_step(module, x, zeros(initial_state(module, 3)))
    assert_parts(states(module, x.transpose(0, 1)), expected, torch.float32, FLOAT32)


@pytest.mark.parametrize("module", [nn.Linear(4, 5), nn.LSTMCell(4, 5), nn.Sequential(nn.LSTM(4, 5))], ids=str)
def test_other_modules_are_refused(module):
    assert not isinstance(module, RECURRENT)
    message = f"the module is of type {type(module).__name__}; expected nn.LSTM, nn.GRU or nn.RNN"
    with pytest.raises(LayerError, match=message):
        states(module, noise(3, 4))
    with pytest.raises(LayerError, match=message):
        part_names(module)


def test_unknown_part_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no part of this GRU called 'h_0'\. Did you mean 'h_l0'\?"):
        states(build("gru"), noise(N_STEPS, 3, N_INPUTS), parts=["output", "h_0"])


@pytest.mark.parametrize("shape", [(3, N_STEPS, N_INPUTS + 1), (N_INPUTS,), (1, 3, N_STEPS, N_INPUTS)], ids=str)
def test_inputs_of_a_wrong_shape_are_refused(shape):
    with pytest.raises(UsageError, match=r"inputs have shape .*takes \(batch, time, unit\).* with 4 units"):
        states(build("lstm", batch_first=True), noise(*shape))


def test_inputs_that_are_no_tensor_are_refused():
    with pytest.raises(UsageError, match="inputs is of type list; expected a tensor or a PackedSequence"):
        states(build("lstm"), [1.0, 2.0])


@pytest.mark.parametrize(
    ("kind", "hx"),
    [
        ("lstm", torch.zeros(1, 3, N_UNITS)),
        ("lstm", (torch.zeros(1, 3, N_UNITS), torch.zeros(1, 2, N_UNITS))),
        ("gru", (torch.zeros(1, 3, N_UNITS), torch.zeros(1, 3, N_UNITS))),
        ("gru", torch.zeros(1, N_UNITS)),
        ("rnn-tanh", torch.zeros(2, 3, N_UNITS)),
        ("rnn-tanh", 0.0),
    ],
)
def test_initial_state_of_a_wrong_shape_is_refused(kind, hx):
    with pytest.raises(UsageError, match=r"hx has shapes .* takes \[\(1, 3, 5\)"):
        states(build(kind), noise(N_STEPS, 3, N_INPUTS), hx)


def outputs_that_do_not_fit() -> list:
    module, x = build("gru"), noise(N_STEPS, 3, N_INPUTS)
    output, end = module(x)
    return [output, (output[:-1], end), (output[..., :-1], end), module(pack_padded_sequence(x, [N_STEPS] * 3)), end]


@pytest.mark.parametrize("k", range(5))
def test_output_of_something_else_is_refused(k):
    with pytest.raises(UsageError, match=r"output is not what this GRU returns.*Tensor of shape \(7, 3, 5\)"):
        states(build("gru"), noise(N_STEPS, 3, N_INPUTS), output=outputs_that_do_not_fit()[k])


def test_packed_input_needs_packed_output():
    module, x = build("lstm"), noise(N_STEPS, 3, N_INPUTS)
    packed = pack_padded_sequence(x, [N_STEPS] * 3)
    assert isinstance(packed, PackedSequence)
    with pytest.raises(UsageError, match=r"output a PackedSequence of shape \(21, 5\)"):
        states(module, packed, output=module(x))
