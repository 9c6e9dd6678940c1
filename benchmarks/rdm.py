"""RDMs of network-sized patterns against rsatoolbox and against the bare matrix product, results compared first.

Limits, for the correlation distance of 1,000 conditions × 10,000 and × 100,000 units: at least 15 times as fast as
rsatoolbox, and within twice the matrix product of the patterns with themselves, of which numpy computes one half.
5,000 × 10,000 must go through within 4 GB. Times are the fastest of the rounds; memory is what is allocated beyond the
patterns, at its peak, by tracemalloc.

    python benchmarks/rdm.py [--threads 1] [--rounds 3] [--large]
"""

from __future__ import annotations

import argparse
import resource
import time
import tracemalloc

import numpy as np
import rsatoolbox
from threadpoolctl import threadpool_limits

from probekit.rsa.distances import compute_rdms

PEER_LIMIT, PRODUCT_LIMIT, MEMORY_LIMIT_GB = 15.0, 2.0, 4.0
THEIRS = {"correlation": "correlation", "squared_euclidean": "euclidean"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--large", action="store_true", help="also 1,000 × 100,000 and 5,000 × 10,000: minutes, one round"
    )
    options = parser.parse_args()
    with threadpool_limits(options.threads):
        print(f"{options.threads} threads\n")
        print("| what | seconds | memory (MB) | rsatoolbox / ours | limit | ours / matrix product | limit |")
        print("|---|---|---|---|---|---|---|")
        compare((1_000, 10_000), "correlation", rounds=options.rounds)
        compare((1_000, 10_000), "squared_euclidean", rounds=options.rounds)
        if options.large:
            compare((1_000, 100_000), "correlation", rounds=1)
            compare((5_000, 10_000), "correlation", rounds=1, with_peer=False)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
            print(
                f"\nPeak memory of the process, patterns and peer too: {peak:.2f} GB (limit {MEMORY_LIMIT_GB:.0f} GB)"
            )


def compare(shape, distance, *, rounds, with_peer=True):
    """Print a table of one size: ours, the bare product and the peer, in turns."""
    patterns = np.random.default_rng(0).standard_normal(shape)
    name = f"{shape[0]:,} × {shape[1]:,} {distance}"
    ways = {
        "product": lambda: patterns @ patterns.T,
        "ours": lambda: compute_rdms(patterns, distance=distance).dissimilarities[0],
        "peer": lambda: peer(patterns, distance),
    }
    if not with_peer:
        del ways["peer"]
    seconds, memory, results = dict.fromkeys(ways, np.inf), {}, {}
    for _ in range(rounds):
        for way, run in ways.items():
            results[way], took, memory[way] = measured(run)
            seconds[way] = min(seconds[way], took)
    if with_peer:
        scale = 1 if distance == "correlation" else 1 / shape[1]  # theirs is divided by the number of units
        np.testing.assert_allclose(results["ours"] * scale, results["peer"], rtol=1e-11)
    limited = distance == "correlation" and shape[0] == 1_000
    faster = f"{seconds['peer'] / seconds['ours']:.1f}" if with_peer else ""
    over = f"{seconds['ours'] / seconds['product']:.2f}"
    limits = (PEER_LIMIT, PRODUCT_LIMIT) if limited else ("", "")
    print(f"| {name}, bare matrix product | {seconds['product']:.2f} | {memory['product'] / 1e6:.0f} | | | | |")
    if with_peer:
        print(f"| {name}, rsatoolbox | {seconds['peer']:.2f} | {memory['peer'] / 1e6:.0f} | | | | |")
    print(
        f"| {name}, probekit | {seconds['ours']:.2f} | {memory['ours'] / 1e6:.0f} | {faster} | {limits[0]} | {over} | "
        f"{limits[1]} |",
        flush=True,
    )


def peer(patterns, distance):
    data = rsatoolbox.data.Dataset(patterns)
    return rsatoolbox.rdm.calc_rdm(data, method=THEIRS[distance]).dissimilarities[0]


def measured(run):
    """Return the result, its seconds, and the bytes that were allocated at the peak."""
    tracemalloc.start()
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, seconds, peak


if __name__ == "__main__":
    main()
