"""Trainings of path integrators: stopped and taken up again, logged, with their history."""

import csv
from dataclasses import replace

import pytest
import safetensors
import torch

import probekit as pk
from probekit.errors import UsageError
from probekit.network import weights_hash
from probekit.zoo.path_integration.architecture import Design, PathIntegrator
from probekit.zoo.path_integration.card import model
from probekit.zoo.path_integration.recipe import GRID_LSTM, GRID_LSTM_BANINO, GRID_RNN, Recipe, history_file
from probekit.zoo.path_integration.training import train

SMALL = {"n_place_cells": 16, "n_units": 8}
RNN = replace(
    GRID_RNN, design=replace(GRID_RNN.design, **SMALL), n_steps=6, batch_size=4, history=(2, 5), log_every=3,
    checkpoint_every=2,
)  # fmt: skip
BANINO = replace(
    GRID_LSTM_BANINO, design=replace(GRID_LSTM_BANINO.design, n_bottleneck=12, **SMALL), n_steps=6, path_steps=5,
    batch_size=4, history=(), log_every=3, checkpoint_every=2,
)  # fmt: skip


class Killed(BaseException):
    """No handler of the code under test sees this one, as none sees a kill."""


def stop_after(step):
    def tell(task, done, total):
        if done == step:
            raise Killed

    return tell


@pytest.mark.parametrize("recipe", [RNN, BANINO], ids=["rnn", "banino"])
@pytest.mark.parametrize("step", [1, 2, 5])
def test_one_that_was_stopped_ends_like_one_that_was_not(tmp_path, recipe, step):
    whole, stopped = tmp_path / "whole.safetensors", tmp_path / "stopped.safetensors"
    train(whole, recipe, seed=3)
    with pytest.raises(Killed):
        train(stopped, recipe, seed=3, progress=stop_after(step))
    assert not stopped.exists()
    train(stopped, recipe, seed=3)
    assert stopped.read_bytes() == whole.read_bytes()
    assert stopped.with_suffix(".csv").read_bytes() == whole.with_suffix(".csv").read_bytes()
    if recipe.history:
        assert history_file(stopped).read_bytes() == history_file(whole).read_bytes()


def test_the_log_and_the_history_are_those_of_the_recipe(tmp_path):
    out = tmp_path / "w.safetensors"
    before = torch.get_rng_state()
    train(out, RNN, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    with out.with_suffix(".csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [int(row["step"]) for row in rows] == [3, 6]
    assert all(20 < float(row["path_error_cm"]) < 300 for row in rows)
    assert not out.with_suffix(".checkpoint").exists()
    entry = model(pk.zoo.load("grid-rnn").card, RNN, out, trains=True).trained(None)
    assert [step for step, _ in entry.task.history()] == [2, 5]
    hashes = {weights_hash(module) for _, module in entry.task.history()} | {weights_hash(entry.module)}
    assert len(hashes) == 3
    with safetensors.safe_open(history_file(out), "pt") as opened:
        assert opened.get_tensor("2/readout.weight").dtype == torch.float16


def test_seeds_differ_and_another_recipe_is_refused(tmp_path):
    files = [train(tmp_path / f"{seed}.safetensors", RNN, seed=seed) for seed in (1, 2)]
    assert files[0].read_bytes() != files[1].read_bytes()
    with pytest.raises(Killed):
        train(tmp_path / "w.safetensors", RNN, seed=1, progress=stop_after(3))
    with pytest.raises(UsageError, match=r"w\.checkpoint is of another training: learning_rate is 1, there 0.001"):
        train(tmp_path / "w.safetensors", replace(RNN, learning_rate=1), seed=1)


def test_training_makes_the_loss_fall_and_decay_makes_weights_smaller(tmp_path):
    recipe = replace(RNN, n_steps=300, history=(), log_every=100, path_steps=3, learning_rate=1e-2)
    out = train(tmp_path / "w.safetensors", recipe)
    with out.with_suffix(".csv").open(newline="") as opened:
        errors = [float(row["path_error_cm"]) for row in csv.DictReader(opened)]
    assert errors[-1] < 0.9 * errors[0]
    decayed = train(tmp_path / "d.safetensors", replace(recipe, decay=0.1))
    sizes = [safetensors.torch.load_file(file)["rnn.weight_hh_l0"].norm() for file in (out, decayed)]
    assert sizes[1] < 0.7 * sizes[0]


@pytest.mark.parametrize("recipe", [GRID_RNN, GRID_LSTM, GRID_LSTM_BANINO], ids=["rnn", "lstm", "banino"])
def test_what_goes_in_and_comes_out_has_the_shape_that_is_said(recipe: Recipe):
    design: Design = recipe.design
    module = PathIntegrator(design).eval()
    paths = pk.navigation.random_walk(design.arena, recipe.motion, 3, 7)
    told = module.encode(paths)
    assert told.shape == (3, 7, design.n_movement + 3)
    scores = module(told)
    assert scores.shape == (3, 7, design.n_place_cells + design.n_head_cells)
    assert module.decode(scores).shape == (3, 7, 2)
    # a code read without a network is the ensemble's own floor
    place, _ = module.targets(torch.from_numpy(paths.positions[:, 1:]).float(), torch.zeros(3, 7))
    away = module.place_cells.decode(place) - torch.from_numpy(paths.positions[:, 1:]).float()
    assert float(away.norm(dim=-1).mean()) < 0.1


def test_the_start_is_told_once_and_what_comes_later_does_not_reach_back():
    module = PathIntegrator(GRID_RNN.design).eval()
    told = module.encode(pk.navigation.random_walk(module.design.arena, GRID_RNN.motion, 2, 10))
    other = told.clone()
    other[:, 6:] += 1.0
    torch.testing.assert_close(module(told)[:, :6], module(other)[:, :6])
    assert not torch.allclose(module(told)[:, 6:], module(other)[:, 6:])
