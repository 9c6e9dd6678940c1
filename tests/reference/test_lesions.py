"""Lesions against networks whose lesioned output can be worked out, and against the same change made by hand."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional

import probekit as pk
from probekit.errors import LayerError, ModelError, StoreError, UsageError
from probekit.lesions import Target, active_lesions, many_lesions
from probekit.network import weights_hash


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        yield


def perceptron():
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).eval()


def convolutional():
    return nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 4, 3), nn.Flatten()).eval()


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.inner = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Linear(4, 2)

    def forward(self, x):
        x = self.first(x).relu()
        x = x + self.inner(x).relu()
        return self.last(x.mean((-2, -1)))


class ChannelsLast(nn.Module):
    """As in ConvNeXt: a linear layer over the last axis of maps, and an activation that cannot know it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)
        self.mix = nn.Linear(5, 5)
        self.act = nn.GELU()

    def forward(self, x):
        return self.act(self.mix(self.conv(x).permute(0, 2, 3, 1)))


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 5)
        self.read = nn.Linear(5, 2)

    def forward(self, x):
        h = c = x.new_zeros(len(x), 5)
        for step in x.unbind(1):
            h, c = self.cell(step, (h, c))
        return self.read(h)


class Recurrent(nn.Module):
    def __init__(self, kind=nn.LSTM, **options):
        super().__init__()
        self.rnn = kind(3, 5, batch_first=True, **options)
        self.read = nn.Linear(5 * (2 if options.get("bidirectional") else 1), 2)

    def forward(self, x):
        return self.read(self.rnn(x)[0])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attend = nn.MultiheadAttention(8, 4, batch_first=True)
        self.read = nn.Linear(8, 2)

    def forward(self, x):
        return self.read(self.attend(x, x, x, need_weights=False)[0])


# what is changed, and to what


def test_silenced_units_are_columns_of_the_next_layer_that_do_not_count():
    network, x = perceptron(), torch.randn(7, 4)
    with pk.lesion(network, {"1": [0, 4]}) as lesioned:
        found = lesioned(x)
    kept = [1, 2, 3, 5]
    hidden = functional.linear(x, network[0].weight, network[0].bias).relu()
    expected = functional.linear(hidden[:, kept], network[2].weight[:, kept], network[2].bias)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "units",
    [[0, 4], (4, 0), np.array([0, 4]), torch.tensor([0, 4]), range(0, 5, 4), slice(0, 5, 4), {0, 4},
     np.array([True, False, False, False, True, False]), pd.Series([0, 4])],
)  # fmt: skip
def test_units_are_named_in_any_usual_way(units):
    network, x = perceptron(), torch.randn(7, 4)
    with pk.lesion(network, {"1": [0, 4]}):
        expected = network(x)
    with pk.lesion(network, {"1": units}):
        assert torch.equal(network(x), expected)


def test_every_way_of_changing_activity_is_what_it_says():
    network, x = convolutional(), torch.rand(6, 3, 8, 8)
    reference = pk.record(network, torch.rand(9, 3, 8, 8), layers="1")
    there = torch.from_numpy(reference["1"].values)
    intact = network[1](network[0](x))
    for how, options, expected in (
        ("zero", {}, torch.zeros(6, 8, 8)),
        ("scale", {"amount": 0.5}, intact[:, 2] / 2),
        ("mean", {"reference": reference}, there[:, 2].mean(0).expand(6, 8, 8)),
    ):
        with pk.lesion(network, {"1": 2}, how, **options):
            found = pk.record(network, x, layers="1")
        changed = torch.from_numpy(found["1"].values)
        torch.testing.assert_close(changed[:, 2], expected)
        torch.testing.assert_close(changed[:, [0, 1, 3, 4]], intact[:, [0, 1, 3, 4]])


def test_resampled_activity_is_that_of_one_stimulus_of_the_reference_in_all_layers():
    network, x = convolutional(), torch.rand(50, 3, 8, 8)
    reference = pk.record(network, torch.rand(9, 3, 8, 8), layers=["0", "1"])
    seen = []
    with pk.lesion(network, {"0": [1, 2], "1": [0, 3]}, "resample", reference=reference, seed=3):
        for layer, units in ((0, [1, 2]), (1, [0, 3])):
            network[layer].register_forward_hook(
                lambda module, args, output, units=units: seen.append(output[:, units])
            )
        network(x)
    which = [
        (values[:, None] == torch.from_numpy(reference[layer].values)[None][:, :, units]).flatten(2).all(-1)
        for layer, units, values in (("0", [1, 2], seen[0]), ("1", [0, 3], seen[1]))
    ]
    assert (which[0].sum(1) == 1).all()
    assert torch.equal(*which)
    assert len(which[0].float().argmax(1).unique()) > 5  # of 9


# a recording warns of every network that draws, as one under "noise" or "resample" does by design
@pytest.mark.filterwarnings("ignore:the network is random in eval mode")
def test_noise_has_the_deviation_of_the_unit_times_the_amount():
    network, x = perceptron(), torch.randn(20_000, 4)
    reference = pk.record(network, torch.randn(500, 4), layers="0")
    before = network[0](x)
    with pk.lesion(network, {"0": [1, 3]}, "noise", amount=2.0, reference=reference):
        changed = torch.from_numpy(pk.record(network, x, layers="0", batch_size=20_000)["0"].values)
    added = (changed - before)[:, [1, 3]]
    expected = 2 * torch.from_numpy(reference["0"].values[:, [1, 3]].std(0))
    torch.testing.assert_close(added.std(0), expected, rtol=0.02, atol=0)  # 20,000 draws: 0.5 %
    assert float(added.mean(0).abs().max()) < 0.05 * float(expected.max())
    assert abs(np.corrcoef(added.T)[0, 1]) < 0.03
    torch.testing.assert_close(changed[:, [0, 2, 4, 5]], before[:, [0, 2, 4, 5]])


def test_places_of_a_map():
    network, x = convolutional(), torch.rand(2, 3, 8, 8)
    intact = network[0](x)
    for target, gone in (
        (Target([1], y=slice(0, 4), x=[0, 7]), (slice(None), [1], slice(0, 4), [0, 7])),
        (Target(y=2), (slice(None), slice(None), 2)),
        (Target(x=slice(3, None)), (slice(None), slice(None), slice(None), slice(3, None))),
    ):
        expected = intact.clone()
        if target.y is not None and target.units is not None:
            expected[:, 1, 0:4, 0] = expected[:, 1, 0:4, 7] = 0
        else:
            expected[gone] = 0
        with pk.lesion(network, {"0": target}):
            found = pk.record(network, x, layers="0")
        torch.testing.assert_close(torch.from_numpy(found["0"].values), expected)


def test_a_mask_of_the_whole_layer_and_rows_of_a_table_with_places_are_single_units():
    network, x = convolutional(), torch.rand(2, 3, 8, 8)
    mask = np.zeros((5, 8, 8), dtype=bool)
    mask[1, 2, 3] = mask[4, 0, 7] = True
    with pk.lesion(network, {"0": mask}):
        masked = network(x)
    units = pk.record(network, x, layers="0").units
    rows = units[units["address"].isin(["0[1,2,3]", "0[4,0,7]"])]
    with pk.lesion(network, rows):
        assert torch.equal(network(x), masked)
    expected = network[0](x)
    expected[:, 1, 2, 3] = expected[:, 4, 0, 7] = 0
    torch.testing.assert_close(masked, network[1:](expected))


def test_rows_of_a_result_name_whole_channels_of_several_layers():
    network, x = convolutional(), torch.rand(2, 3, 8, 8)
    table = pd.DataFrame({"network": "trained", "layer": ["0", "0", "2"], "channel": [1, 3, 2], "score": 1.0})
    with pk.lesion(network, table):
        found = network(x)
    with pk.lesion(network, {"0": [1, 3], "2": 2}):
        assert torch.equal(network(x), found)


def test_whole_layers_by_name_and_pattern():
    network, x = perceptron(), torch.randn(3, 4)
    for targets in ("1", ["1"], {"1": None}, {"1": ...}):
        with pk.lesion(network, targets):
            torch.testing.assert_close(network(x), network[2].bias.expand(3, 3))
    with pk.lesion(network, "*"):
        assert not network(x).any()


def test_channels_are_found_where_they_are_last():
    network, x = ChannelsLast().eval(), torch.rand(2, 3, 5, 5)
    expected = network(x)
    expected[..., 3] = 0
    with pk.lesion(network, {"act": 3}):
        assert torch.equal(network(x), expected)
    recorded = pk.record(network, x, layers="act")["act"]
    assert recorded.dims == ("stimulus", "channel", "y", "x")


def test_tokens_and_steps_of_a_sequence():
    network, x = Recurrent().eval(), torch.randn(4, 6, 3)
    intact = network(x)
    with pk.lesion(network, {"read": Target(1, times=[0, 5])}):
        found = network(x)
    expected = intact.clone()
    expected[:, [0, 5], 1] = 0
    assert torch.equal(found, expected)
    refused("x was given for 'read', whose axes are time, unit", network, {"read": Target(x=2)}, x=x)


def test_a_cell_in_a_loop_is_lesioned_at_the_calls_named():
    network, x = Cells().eval(), torch.randn(4, 6, 3)
    for times in ([2, 3], slice(2, 4), np.array([0, 0, 1, 1, 0, 0], dtype=bool)):
        with pk.lesion(network, {"cell:1": Target(2, times=times)}):
            found = network(x)
        h = c = torch.zeros(4, 5)
        for step, now in enumerate(x.unbind(1)):
            h, c = network.cell(now, (h, c))
            if step in (2, 3):
                c = c.clone()
                c[:, 2] = 0
        torch.testing.assert_close(found, network.read(h))


# inside recurrent layers and attention


@pytest.mark.parametrize(("kind", "part"), [(nn.LSTM, "h"), (nn.LSTM, "c"), (nn.LSTM, "f"), (nn.GRU, "z")])
def test_a_recurrent_layer_is_changed_inside_and_its_recorded_states_are_the_lesioned_ones(kind, part):
    network, x = Recurrent(kind).eval(), torch.randn(4, 6, 3)
    with pk.lesion(network, {f"rnn:{part}_l0": [1, 3]}):
        found = network(x)
        recorded = pk.record(network, x, layers="rnn")
    stepped = pk.recurrent.step_by_step(
        network.rnn,
        x,
        edits={f"{part}_l0": lambda now, step: now * torch.tensor([1.0, 0, 1, 0, 1])},
        parts=pk.recurrent.part_names(network.rnn),
    )
    torch.testing.assert_close(found, network.read(stepped.output))
    for name, values in stepped.parts.items():
        torch.testing.assert_close(torch.from_numpy(recorded[f"rnn:{name}"].values), values)
    assert not recorded[f"rnn:{part}_l0"].values[:, :, [1, 3]].any()


def test_what_is_read_is_not_what_recurs():
    network, x = Recurrent().eval(), torch.randn(4, 6, 3)
    whole = pk.record(network, x, layers="rnn")
    with pk.lesion(network, {"rnn:output": [1, 3]}):
        found = network(x)
        recorded = pk.record(network, x, layers="rnn")
    output = network.rnn(x)[0] * torch.tensor([1.0, 0, 1, 0, 1])
    torch.testing.assert_close(found, network.read(output))
    assert not recorded["rnn:output"].values[:, :, [1, 3]].any()
    for part in ("h_l0", "c_l0", "i_l0", "o_l0"):
        np.testing.assert_allclose(recorded[f"rnn:{part}"], whole[f"rnn:{part}"], atol=1e-6)


def test_a_window_in_time_inside_the_recurrence():
    network, x = Recurrent(nn.GRU, bidirectional=True).eval(), torch.randn(4, 6, 3)
    with pk.lesion(network, {"rnn:h_l0": Target(1, times=2), "rnn:h_l0_reverse": Target(0, times=slice(4, 6))}):
        recorded = pk.record(network, x, layers="rnn")
    forward, backward = (recorded[f"rnn:h_l0{end}"].values for end in ("", "_reverse"))
    assert not forward[:, 2, 1].any()
    assert not backward[:, 4:, 0].any()
    assert forward[:, [0, 1, 3, 4, 5], 1].all()
    assert backward[:, :4, 0].all()
    whole = pk.record(network, x, layers="rnn")
    np.testing.assert_allclose(forward[:, :2], whole["rnn:h_l0"].values[:, :2], atol=1e-6)
    assert np.abs(forward[:, 3:] - whole["rnn:h_l0"].values[:, 3:]).max() > 1e-3


# "resample" draws by design, and a recording warns of every network that does
@pytest.mark.filterwarnings("ignore:the network is random in eval mode")
@pytest.mark.parametrize("how", ["mean", "resample"])
def test_states_are_replaced_step_by_step_by_those_of_a_reference(how):
    network, x = Recurrent().eval(), torch.randn(40, 6, 3)
    reference = pk.record(network, torch.randn(9, 6, 3), layers="rnn:c_l0")
    with pk.lesion(network, {"rnn:c_l0": 2}, how, reference=reference):
        found = pk.record(network, x, layers="rnn:c_l0", batch_size=40)["rnn:c_l0"].values[:, :, 2]
    theirs = reference["rnn:c_l0"].values[:, :, 2]
    if how == "mean":
        np.testing.assert_allclose(found, theirs.mean(), rtol=1e-5)
    else:
        same = (np.abs(found[:, None] - theirs) < 1e-6).all(-1)
        assert (same.sum(1) == 1).all()
        assert same.any(0).sum() > 4


def test_heads_of_attention_are_silenced_before_they_are_joined():
    network, x = Attention().eval(), torch.randn(3, 5, 8)
    with pk.lesion(network, {"attend:heads": [0, 2]}):
        found = network(x)
    by_hand = Attention().eval()
    by_hand.load_state_dict(network.state_dict())
    by_hand.attend.out_proj.weight[:, [0, 1, 4, 5]] = 0  # two units a head
    torch.testing.assert_close(found, by_hand(x))
    torch.testing.assert_close(network(x), network.read(network.attend(x, x, x)[0]))


def test_heads_of_a_vision_transformer_of_timm():
    entry = pk.zoo.load("timm/vit_tiny_patch16_224", untrained=True)
    x = torch.randn(2, 3, 224, 224)
    with pk.lesion(entry, {"blocks.3.attn:heads": 1}):
        found = entry.module(x)
    projection = entry.module.blocks[3].attn.proj
    kept = projection.weight.clone()
    projection.weight[:, 64:128] = 0
    expected = entry.module(x)
    projection.weight.copy_(kept)
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, entry.module(x), atol=1e-6)


# what is left behind


def test_lesions_nest_repeat_and_leave_nothing_behind():
    network, x = convolutional(), torch.rand(2, 3, 8, 8)
    before, intact = weights_hash(network), network(x)
    random_state, fused_attention = torch.get_rng_state(), torch.backends.mha.get_fastpath_enabled()
    with pk.lesion(network, {"0": 1}):
        one = network(x)
        with pk.lesion(network, {"0": 2}), pk.lesion(network, {"2": 0}):
            three = network(x)
            assert len(active_lesions(network)) == 3
        assert torch.equal(network(x), one)
        with pk.lesion(network, {"0": 1}):
            assert torch.equal(network(x), one)
    with pk.lesion(network, {"0": [1, 2], "2": 0}):
        assert torch.equal(network(x), three)
    assert torch.equal(network(x), intact)
    assert weights_hash(network) == before
    assert torch.equal(torch.get_rng_state(), random_state)
    assert active_lesions(network) == []
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert torch.backends.mha.get_fastpath_enabled() == fused_attention


def test_nested_lesions_inside_one_recurrence_add_up():
    network, x = Recurrent().eval(), torch.randn(4, 6, 3)
    with pk.lesion(network, {"rnn:h_l0": 0}), pk.lesion(network, {"rnn:c_l0": 1, "rnn:output": 2}):
        nested = network(x)
    with pk.lesion(network, {"rnn:h_l0": 0, "rnn:c_l0": 1, "rnn:output": 2}):
        assert torch.equal(network(x), nested)


@pytest.mark.parametrize("where", ["in the block", "in the network", "on entering"])
def test_lesions_are_undone_when_something_raises(where):
    network = perceptron()

    def fails():
        with pk.lesion(network, {"0": 1, "1": 99 if where == "on entering" else 0}):
            network(torch.randn(2, 5) if where == "in the network" else torch.randn(2, 4))
            raise ValueError("in the block")

    with pytest.raises((ValueError, RuntimeError, LayerError)):
        fails()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_a_recording_says_that_it_is_of_a_lesioned_network():
    network, x = perceptron(), torch.randn(3, 4)
    assert "lesions" not in pk.record(network, x, layers="1").provenance
    with pk.lesion(network, {"1": [2, 0]}, "scale", amount=0.5):
        said = pk.record(network, x, layers="1").provenance["lesions"]
    assert said == [{"how": "scale", "amount": 0.5, "layers": {"1": {"units": [2, 0]}}}]


def test_a_store_of_a_lesioned_network_is_not_taken_for_one_of_the_intact(tmp_path):
    network, x = perceptron(), torch.randn(6, 4)
    with pk.lesion(network, {"1": 1}):
        first = pk.record(network, x, layers="1", store=tmp_path / "a.zarr")
        again = pk.record(network, x, layers="1", store=tmp_path / "a.zarr")
    assert again.equals(first)
    assert not first["1"].values[:, 1].any()
    with pytest.raises(StoreError, match="network_code"):
        pk.record(network, x, layers="1", store=tmp_path / "a.zarr")


def test_gradients_pass_through_a_lesion():
    network, x = perceptron(), torch.randn(3, 4)
    with torch.enable_grad():
        x.requires_grad_()
        with pk.lesion(network, {"0": [0, 1, 2, 3, 4, 5]}):
            (gradient,) = torch.autograd.grad(network(x).sum(), x)
    assert not gradient.any()


# many at once


MANY = {
    "perceptron": (perceptron, (4,), "1", 6),
    "convolutional": (convolutional, (3, 8, 8), "0", 5),
    "inside a residual block": (Residual, (3, 8, 8), "inner", 4),
    "before a residual block": (Residual, (3, 8, 8), "first", 4),
    "channels last": (ChannelsLast, (3, 5, 5), "act", 5),
    "cells": (Cells, (6, 3), "cell:0", 5),
    "LSTM, read": (Recurrent, (6, 3), "rnn:output", 5),
    "LSTM, inside": (Recurrent, (6, 3), "rnn:c_l0", 5),
    "attention": (Attention, (5, 8), "attend:heads", 4),
}


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("batch", [1, 5])
def test_many_lesions_at_once_are_single_lesions(name, batch):
    make, shape, layer, n_units = MANY[name]
    network, x = make().eval(), torch.randn(batch, *shape)
    lesions = [{layer: [unit]} for unit in range(n_units)] + [{}, {layer: [0, 1]}, {layer: None}]
    with many_lesions(network, lesions) as lesioned:
        together, again = lesioned(x), lesioned(x)
    assert together.shape[:2] == (len(lesions), batch)
    assert torch.equal(together, again)
    for one, found in zip(lesions, together, strict=True):
        if one:
            with pk.lesion(network, one):
                expected = network(x)
        else:
            expected = network(x)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.filterwarnings("ignore:the network is random in eval mode")
@pytest.mark.parametrize("before", [[], [{"embed": 1}]])  # whose copies reach the recurrence as one batch
@pytest.mark.parametrize("how", ["zero", "mean", "resample", "noise"])
def test_many_windows_in_time_inside_one_recurrence(before, how):
    network = nn.Sequential()
    network.add_module("embed", nn.Linear(3, 3))
    network.add_module("all", Recurrent(bidirectional=True))
    network, x = network.eval(), torch.randn(4, 6, 3)
    lesions = [
        {"all.rnn:h_l0": Target(0, times=2), "all.rnn:output": 1},
        {"all.rnn:c_l0_reverse": Target([1, 3], times=[0, 4])}, {"all.rnn:f_l0": 2}, {}, *before,
    ]  # fmt: skip
    reference = pk.record(network, torch.randn(9, 6, 3), layers=["embed", "all.rnn"])
    options = {} if how == "zero" else {"reference": reference}
    outer = {"all.rnn:h_l0": Target(4, times=[1, 5])}
    for around in (contextlib.nullcontext(), pk.lesion(network, outer)):
        with around:
            with many_lesions(network, lesions, how, **options) as lesioned:
                together = lesioned(x)
            for one, found in zip(lesions, together, strict=True):
                with pk.lesion(network, one, how, **options) if one else contextlib.nullcontext():
                    torch.testing.assert_close(found, network(x), atol=1e-6, rtol=1e-5)


def test_what_comes_before_the_lesion_runs_once_for_all_where_that_can_be():
    for make, layer, sizes in ((convolutional, "2", [2, 2, 3]), (Residual, "inner", [6, 2, 9])):
        network, seen = make().eval(), []
        first = next(iter(network.children()))
        first.register_forward_hook(lambda module, args, output, seen=seen: seen.append(len(output)))
        with many_lesions(network, [{layer: unit} for unit in range(3)]) as lesioned:
            lesioned(torch.rand(3, 3, 8, 8))
        assert seen[-1] == sizes[-1], make
    with many_lesions(convolutional(), [{"0": 1}]) as one:
        assert one(torch.rand(2, 3, 8, 8)).shape[0] == 1


def test_many_lesions_in_several_layers_and_ways():
    network, x = convolutional(), torch.rand(6, 3, 8, 8)
    reference = pk.record(network, torch.rand(9, 3, 8, 8), layers=["0", "2"])
    lesions = [{"0": [1]}, {"2": [0, 1]}, {"0": [2], "2": [3]}]
    for how, options in (("mean", {"reference": reference}), ("scale", {"amount": 0.3})):
        with many_lesions(network, lesions, how, **options) as lesioned:
            together = lesioned(x)
        for one, found in zip(lesions, together, strict=True):
            with pk.lesion(network, one, how, **options):
                torch.testing.assert_close(found, network(x))


# what is refused


def refused(match, network, *args, kind=UsageError, x=None, **options):
    with pytest.raises(kind, match=match), pk.lesion(network, *args, **options):
        network(torch.randn(2, 4) if x is None else x)


@pytest.mark.parametrize(
    ("targets", "match"),
    [
        ({}, "targets is empty: there is nothing to lesion"),
        ({"1": []}, "units is empty: there is nothing to lesion"),
        ({"1": np.zeros(6, dtype=bool)}, "units is a mask that takes nothing"),
        ({"1": [6, 7]}, r"units 6, 7 do not exist in layer '1'; it has 6 along unit: 0 … 5"),
        ({"1": [-1]}, "units holds -1; units are counted from 0"),
        ({"1": [0.5]}, "units holds float64"),
        ({"1": "all"}, "units is 'all'; expected numbers from 0, a slice or a mask"),
        ({"1": slice(9, 12)}, "takes nothing of its 6"),
        ({"1": np.ones(5, dtype=bool)}, "is a mask of 5; the layer has 6 along unit"),
        ({"1": np.ones((6, 2), dtype=bool)}, r"has shape \(6, 2\); the layer is \(6,\) \(unit\)"),
        ({"1": Target(0, y=1)}, "y was given for '1', whose axes are unit"),
        ({"5": 0}, r"no layer '5'"),
        ({"1:h_l0": 0}, "returns one tensor and has no part 'h_l0'"),
        ({"1": 0, "?": 1}, "targets name '1' twice"),
        (3, "targets is a int; expected a mapping of layer to units"),
        (pd.DataFrame({"layer": [], "channel": []}), "targets is an empty table: no unit fits"),
        (pd.DataFrame({"unit": [1]}), "targets is a table without layer and channel; its columns: unit"),
        (
            pd.DataFrame({"network": ["trained", "untrained"], "layer": "1", "channel": [0, 1]}),
            "a table of several networks, trained, untrained; choose one",
        ),
    ],
)
def test_targets_that_make_no_sense_are_refused_in_words(targets, match):
    refused(match, perceptron(), targets)


def test_options_that_do_not_go_together_are_refused():
    network = perceptron()
    reference = pk.record(network, torch.randn(9, 4), layers="0")
    for match, args, options in (
        (r"how is 'zeroo'; allowed: .* Did you mean 'zero'", ("zeroo",), {}),
        ("how='mean' needs a reference", ("mean",), {}),
        ("how='zero' uses no reference", ("zero",), {"reference": reference}),
        ("how='zero' takes no amount", ("zero",), {"amount": 2.0}),
        ("how='scale' needs an amount", ("scale",), {}),
        ("amount is nan; expected a finite number", ("scale",), {"amount": float("nan")}),
        ("the reference has no layer '1'; it has 0", ("mean",), {"reference": reference}),
        ("reference is a dict; expected a Recording or a Navigation", ("mean",), {"reference": {}}),
        ("seed is -1", ("zero",), {"seed": -1}),
    ):
        refused(match, network, {"1": 0}, *args, **options)
    pooled = pk.record(convolutional(), torch.rand(3, 3, 8, 8), layers="0", units=pk.Units(space="mean"))
    refused("Record all of the layer that is lesioned", convolutional(), {"0": 1}, "resample", reference=pooled,
            x=torch.rand(2, 3, 8, 8))  # fmt: skip


def test_networks_and_layers_that_cannot_be_lesioned_are_refused():
    refused(r"network is in training mode \(the network\).*call eval", perceptron().train(), {"1": 0})
    with pytest.raises(UsageError, match="network is a str; expected a torch"):
        pk.lesion("net", {"1": 0}).__enter__()
    recurrent = Recurrent().eval()
    x = torch.randn(2, 6, 3)
    refused("has several parts; say which is lesioned: 'rnn:output', .*inside the recurrence", recurrent, "rnn", x=x)
    refused(r"no part of 'rnn' called 'h_10'\. Did you mean 'h_l0'", recurrent, {"rnn:h_10": 0}, x=x)
    refused("has several parts; say which is lesioned: 'cell:0', 'cell:1'", Cells().eval(), "cell", x=x)
    refused("has no heads that probekit knows", recurrent, {"read:heads": 0}, x=x)
    unused = nn.ModuleDict({"used": nn.Linear(4, 2), "idle": nn.Linear(4, 2)}).eval()
    unused.forward = lambda x: unused["used"](x)
    refused("layer 'idle' never ran while it was lesioned", unused, {"used": 0, "idle": 1})
    with pk.lesion(unused, {"idle": 1}):
        assert len(active_lesions(unused)) == 1  # nothing runs, and nothing is to be complained of on leaving
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated; networks made with it are still about
        traced = nn.Sequential(torch.jit.trace(nn.Linear(4, 2).eval(), torch.randn(1, 4))).eval()
    refused("is a TorchScript module", traced, {"0": 1})


def test_many_lesions_refuse_what_they_cannot_do():
    with pytest.raises(UsageError, match="lesions is empty"), many_lesions(perceptron(), []):
        pass
    with pytest.raises(UsageError, match="lesions are all empty"), many_lesions(perceptron(), [{}]):
        pass

    class Tuple(nn.Linear):
        def forward(self, x):
            return super().forward(x), x

    network = nn.Sequential(Tuple(4, 2)).eval()
    with (
        many_lesions(network, [{"0:0": 0}, {"0:0": 1}]) as lesioned,
        pytest.raises(ModelError, match="returns a tuple; many lesions at once need one tensor"),
    ):
        lesioned(torch.randn(3, 4))


def test_times_that_never_come_are_refused():
    x = torch.randn(4, 6, 3)
    refused("none of the times named for 'cell:0' came", Cells().eval(), {"cell:0": Target(1, times=99)}, x=x)
    refused("none of the times named for '0' came", convolutional(), {"0": Target(1, times=[5])},
            x=torch.rand(2, 3, 8, 8))  # fmt: skip


def test_a_recurrent_layer_without_a_batch_axis_is_lesioned_where_it_is_read():
    gru, x = nn.GRU(3, 5).eval(), torch.randn(6, 3)
    with pk.lesion(gru, {".:output": 1}):
        output = gru(x)[0]
    assert not output[:, 1].any()
    assert torch.equal(output[:, [0, 2, 3, 4]], gru(x)[0][:, [0, 2, 3, 4]])


@pytest.mark.parametrize(
    ("targets", "match"),
    [
        ([("1", [0])], "targets is a list that holds a tuple; expected names of layers"),
        (pd.DataFrame({"layer": "1", "channel": ["a", "b"]}), "column 'channel' of targets is no whole number"),
        (pd.DataFrame({"layer": "1", "channel": [0, 1], "y": [0.5, 1]}), "column 'y' of targets is no whole number"),
    ],
)
def test_tables_and_lists_that_name_no_units_are_refused(targets, match):
    refused(match, perceptron(), targets)


def test_channels_that_became_floats_are_whole_numbers_still():
    network, x = perceptron(), torch.randn(3, 4)
    with pk.lesion(network, pd.DataFrame({"layer": "1", "channel": [0.0, 4.0]})):
        found = network(x)
    with pk.lesion(network, {"1": [0, 4]}):
        assert torch.equal(network(x), found)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_silenced_too(value):
    with pk.lesion(nn.Identity().eval(), {".": [0, 2]}) as lesioned:
        found = lesioned(torch.tensor([[value, 1.0, 2.0, value]]))
    assert found[0, :3].tolist() == [0, 1, 0]
    assert not found[0, 3].isfinite()
