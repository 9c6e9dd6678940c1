"""How fast lesions are: hundreds of shams against one pass a lesion, an active lesion against none, and how exact.

Three contenders for the shams of grid-rnn: many lesions to a pass; one pass a lesion by `probekit.lesion` around the
same task; and one `probekit.navigate` a lesion, which also leads the network along its paths anew, as an analysis that
is run once a lesion does. All see the same 64 paths of 20 steps, and their scores are compared first.

Run: python benchmarks/lesions.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

import probekit as pk
from probekit.navigation import path_error, random_walk
from probekit.recurrent import step_by_step
from probekit.tasks import path_integration, scores_under

LIMIT_S, LEAST_RATIO, MOST_OVERHEAD, EXACT = 300.0, 5.0, 1.05, 1e-6
N_SHAMS, DOSES, N_PATHS, N_SINGLE = 200, (0.05, 0.1, 0.25, 0.5), 64, 40


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def shams() -> None:
    entry = pk.zoo.load("grid-rnn")
    task = path_integration(entry, n_paths=N_PATHS, seed=0)
    rng = np.random.default_rng(0)
    paths = random_walk(entry.task.arena, entry.task.motion, N_PATHS, entry.task.n_steps, seed=0)
    print("| silenced | many to a pass (s) | limit | one pass each | ratio | one navigate each | ratio | least |")
    print("|---|---|---|---|---|---|---|---|")
    for part in ("rnn:h_l0", "rnn:output"):
        lesions = [{part: rng.choice(256, round(256 * dose), replace=False)} for dose in DOSES for _ in range(N_SHAMS)]
        few = lesions[:: len(lesions) // N_SINGLE]
        together = scores_under(entry, task, few)
        apart, led = [], []

        def single(few=few, apart=apart) -> None:
            for one in few:
                with pk.lesion(entry, one):
                    apart.append(task(entry))

        def navigated(few=few, led=led) -> None:
            for one in few:
                with pk.lesion(entry, one):
                    led.append(path_error(pk.navigate(entry, paths=paths)))

        each, by_walk = timed(single) / len(few), timed(navigated) / len(few)
        np.testing.assert_allclose(together, apart, atol=1e-3)
        np.testing.assert_allclose(together.mean(1), 100 * np.array(led), atol=1e-2)
        seconds = timed(lambda lesions=lesions: scores_under(entry, task, lesions))
        n = len(lesions)
        print(
            f"| {part}, {n} lesions | {seconds:.1f} | {LIMIT_S:.0f} | {each * n:.1f} s | {each * n / seconds:.1f} | "
            f"{by_walk * n:.1f} s | {by_walk * n / seconds:.1f} | {LEAST_RATIO:.0f} |"
        )


@torch.no_grad()
def overhead() -> None:
    print("\n| an active lesion | bare (ms) | lesioned (ms) | ratio | limit |\n|---|---|---|---|---|")
    image = torch.rand(16, 3, 224, 224)
    cnn = pk.zoo.load("efficientnet-lite0")
    walker = pk.zoo.load("grid-lstm")
    walks = path_integration(walker, n_paths=500).inputs
    for name, entry, inputs, targets in (
        ("efficientnet-lite0, blocks.5.1.bn2, 16 images", cnn, image, {"blocks.5.1.bn2": range(50)}),
        ("efficientnet-lite0, bn2, 16 images", cnn, image, {"bn2": range(50)}),
        ("grid-lstm, bottleneck, 500 paths", walker, walks, {"bottleneck": range(25)}),
    ):
        bare, lesioned = [], []
        for _ in range(25):
            bare.append(timed(lambda entry=entry, inputs=inputs: entry.module(inputs)))
            with pk.lesion(entry, targets):
                lesioned.append(timed(lambda entry=entry, inputs=inputs: entry.module(inputs)))
        before, after = (1000 * float(np.median(times[3:])) for times in (bare, lesioned))
        print(f"| {name} | {before:.1f} | {after:.1f} | {after / before:.3f} | {MOST_OVERHEAD} |")


@torch.no_grad()
def exactness() -> None:
    print("\n| step by step against fused, 64 × 100 × 128 | largest difference | limit | time, ratio |")
    print("|---|---|---|---|")
    for kind in (nn.LSTM, nn.GRU, nn.RNN):
        torch.manual_seed(0)
        module, steps = kind(128, 128, batch_first=True).eval(), torch.randn(64, 100, 128)
        away = float((step_by_step(module, steps).output - module(steps)[0]).abs().max())
        fused = min(timed(lambda module=module, steps=steps: module(steps)) for _ in range(5))
        stepped = min(timed(lambda module=module, steps=steps: step_by_step(module, steps)) for _ in range(5))
        print(f"| nn.{kind.__name__} | {away:.1e} | {EXACT:.0e} | {stepped / fused:.2f} |")


def main() -> None:
    shams()
    overhead()
    exactness()


if __name__ == "__main__":
    main()
