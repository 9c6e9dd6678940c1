"""Steps of random walks a second, against RatInABox in the same run.

Limit: at least 1,000,000 steps a second, of 10,000 paths of 100 steps in every shape of arena. RatInABox moves one
agent, by its own time step and motion.

    python benchmarks/walk.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from ratinabox.Agent import Agent
from ratinabox.Environment import Environment

from probekit.navigation import NETWORK_MOTION, RAT_MOTION, Arena, random_walk

LIMIT = 1_000_000
N_PATHS, N_STEPS, THEIR_STEPS = 10_000, 100, 2_000


def fastest(run: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def theirs() -> None:
    agent = Agent(Environment())
    for _ in range(THEIR_STEPS):
        agent.update()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    peer = THEIR_STEPS / fastest(theirs, rounds)
    print(f"RatInABox: {peer:,.0f} steps a second\n")
    print("| arena | motion | million steps a second | limit | ratio to RatInABox |")
    print("|---|---|---|---|---|")
    arenas = {"square": Arena.square(2.2), "circle": Arena.circle(2.0), "rectangle": Arena(1.0, 2.0)}
    for shape, arena in arenas.items():
        for name, motion in (("network", NETWORK_MOTION), ("rat", RAT_MOTION)):
            seconds = fastest(lambda arena=arena, motion=motion: random_walk(arena, motion, N_PATHS, N_STEPS), rounds)
            rate = N_PATHS * N_STEPS / seconds
            print(f"| {shape} | {name} | {rate / 1e6:.1f} | {LIMIT / 1e6:.0f} | {rate / peer:,.0f} |")


if __name__ == "__main__":
    main()
